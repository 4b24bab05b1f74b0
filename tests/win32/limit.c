/* SPDX-License-Identifier: MIT */
#include "limit.h"

guint
mproc_test_limit_descriptors (guint n)
{
  (void) n;
  return 0;
}
