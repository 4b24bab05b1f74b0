/* SPDX-License-Identifier: MIT */
#include "processes.h"

void
mproc_test_default_signals (void)
{
}

void
mproc_test_annoy (gboolean on)
{
  (void) on;
}

void
mproc_test_ignore_children (gboolean on)
{
  (void) on;
}
