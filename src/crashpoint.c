/* SPDX-License-Identifier: MIT */
#include "crashpoint.h"

#ifdef MPROC_CRASH_POINTS

#include "os.h"

#include <stdlib.h>
#include <string.h>

#define ROW(name, state) { #name, state },

static const struct
{
  const char *name;
  const char *state;
} points[] = { { "NOWHERE", "" }, MPROC_CRASH_ALL_POINTS (ROW) };

static gint armed_at = -1; /* not known yet: the environment has not been asked */
static gint passings;

const char *
mproc_crash_get_name (MprocCrash at)
{
  return points[at].name;
}

const char *
mproc_crash_get_state (MprocCrash at)
{
  return points[at].state;
}

void
mproc_crash_arm (MprocCrash at, guint passing)
{
  g_atomic_int_set (&passings, (gint) passing);
  g_atomic_int_set (&armed_at, (gint) at);
}

static void
arm_from_environment (void)
{
  const char *text = g_getenv ("MPROC_CRASH_AT");
  gsize length = text != NULL ? strcspn (text, ":") : 0;

  mproc_crash_arm (MPROC_CRASH_NOWHERE, 1);
  for (guint i = 1; text != NULL && i < MPROC_N_CRASHES; i++)
    if (strncmp (points[i].name, text, length) == 0 && points[i].name[length] == '\0')
      mproc_crash_arm ((MprocCrash) i,
                       text[length] == ':' ? (guint) atoi (text + length + 1) : 1);
}

void
mproc_crash_pass (MprocCrash at)
{
  if (g_atomic_int_get (&armed_at) < 0)
    arm_from_environment ();
  if (g_atomic_int_get (&armed_at) == (gint) at && g_atomic_int_dec_and_test (&passings))
    mproc_os_kill_self ();
}

#endif
