/* SPDX-License-Identifier: MIT */
/* Compiled as C11 and, through headers.cpp, as C++17. */
#include <mproc.h>

#if !MPROC_CHECK_VERSION(0, 1, 0) || MPROC_CHECK_VERSION(1000, 0, 0)
#error MPROC_CHECK_VERSION is wrong
#endif

int
main (void)
{
  if (mproc_check_version (MPROC_MAJOR_VERSION, MPROC_MINOR_VERSION, MPROC_MICRO_VERSION))
    return 1;
  return mproc_check_version (1000, 0, 0) == NULL;
}
