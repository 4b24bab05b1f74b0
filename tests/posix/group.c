/* SPDX-License-Identifier: MIT */
#include "group.h"

#include <signal.h>
#include <unistd.h>

static gint interrupts;

static void
count (int number)
{
  (void) number;
  g_atomic_int_inc (&interrupts);
}

gboolean
mproc_test_lead_group (void)
{
  signal (SIGINT, count);
  return setpgid (0, 0) == 0;
}

void
mproc_test_interrupt_group (void)
{
  kill (0, SIGINT);
}

guint
mproc_test_count_interrupts (void)
{
  return (guint) g_atomic_int_get (&interrupts);
}
