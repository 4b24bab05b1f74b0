/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <string.h>
#include <windows.h>

static HANDLE semaphore;

char *
mproc_test_slots_open (const char *tokens)
{
  static guint number;
  char *name =
      g_strdup_printf ("gmake_semaphore_%lu_%u", GetCurrentProcessId (), ++number);
  char *flags = g_strconcat (" -j9 --jobserver-auth=", name, " -k", NULL);

  semaphore = CreateSemaphoreA (NULL, (LONG) strlen (tokens), 100, name);
  g_free (name);
  return flags;
}

char *
mproc_test_slots_inherit (const char *tokens)
{
  return mproc_test_slots_open (tokens);
}

void
mproc_test_slots_disinherit (void)
{
}

/* By taking one and giving it back. */
guint
mproc_test_slots_count (void)
{
  LONG n = 0;

  if (WaitForSingleObject (semaphore, 0) != WAIT_OBJECT_0)
    return 0;
  ReleaseSemaphore (semaphore, 1, &n);
  return (guint) n + 1;
}

void
mproc_test_slots_close (void)
{
  CloseHandle (semaphore);
}

char *
mproc_test_make (const char *makefile, guint n_jobs, gint *exit_code)
{
  (void) makefile, (void) n_jobs, (void) exit_code;
  return NULL;
}
