/* SPDX-License-Identifier: MIT */
#include "footprint.h"

guint64
mproc_test_private_memory (gint64 pid)
{
  (void) pid;
  return 0;
}
