/* SPDX-License-Identifier: MIT */
#include "bench.h"

#include <windows.h>

static DWORD_PTR processors[2];

gboolean
bench_pin_all (void)
{
  DWORD_PTR allowed = 0;
  DWORD_PTR system = 0;

  GetProcessAffinityMask (GetCurrentProcess (), &allowed, &system);
  processors[0] = allowed & ~(allowed - 1); /* the lowest bit */
  allowed &= ~processors[0];
  processors[1] = allowed & ~(allowed - 1);
  return processors[1] != 0 &&
         SetProcessAffinityMask (GetCurrentProcess (), processors[0] | processors[1]);
}

/* A spawned child has its parent's mask, and no memory of the choice. */
void
bench_pin (int side)
{
  if (processors[1] != 0)
    SetThreadAffinityMask (GetCurrentThread (),
                           side < 0 ? processors[0] | processors[1] : processors[side]);
}

double
bench_bare_fork (const char *what)
{
  (void) what;
  return BENCH_NOT_HERE;
}

double
bench_posix_spawn (const char *what)
{
  (void) what;
  return BENCH_NOT_HERE;
}

double
bench_bare_lock (const char *what)
{
  (void) what;
  return BENCH_NOT_HERE;
}

double
bench_bare_fight (const char *what)
{
  (void) what;
  return BENCH_NOT_HERE;
}

double
bench_bare_ring (const char *what)
{
  (void) what;
  return BENCH_NOT_HERE;
}

double
bench_bare_trip (const char *what)
{
  (void) what;
  return BENCH_NOT_HERE;
}

gboolean
bench_fork_pair (double *numbers, gsize n)
{
  (void) numbers, (void) n;
  return FALSE;
}

double
bench_private_memory (gint64 pid)
{
  (void) pid;
  return BENCH_NOT_HERE;
}

MprocStartMethod
bench_pool_method (void)
{
  return MPROC_START_METHOD_SPAWN;
}
