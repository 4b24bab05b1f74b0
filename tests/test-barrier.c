/* SPDX-License-Identifier: MIT */
#include "processes.h"

Suite *
mproc_test_barrier_suite (void)
{
  return suite_create ("barrier");
}
