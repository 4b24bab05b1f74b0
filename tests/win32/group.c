/* SPDX-License-Identifier: MIT */
/* A console's events go to all that have it open, the one who runs the tests included. */
#include "group.h"

gboolean
mproc_test_lead_group (void)
{
  return FALSE;
}

void
mproc_test_interrupt_group (void)
{
}

guint
mproc_test_count_interrupts (void)
{
  return 0;
}
