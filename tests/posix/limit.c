/* SPDX-License-Identifier: MIT */
#include "limit.h"

#include <sys/resource.h>

guint
mproc_test_limit_descriptors (guint n)
{
  struct rlimit limit;
  guint before;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return 0;
  before = (guint) MIN (limit.rlim_cur, G_MAXUINT);
  limit.rlim_cur = n;
  return setrlimit (RLIMIT_NOFILE, &limit) == 0 ? before : 0;
}
