/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include <sched.h>
#include <sys/resource.h>

guint
mproc_test_list_processors (guint *cpus, guint n)
{
  guint found = 0;
#if defined(__linux__)
  cpu_set_t set;

  if (sched_getaffinity (0, sizeof set, &set) != 0)
    return 0;
  for (guint i = 0; i < CPU_SETSIZE && found < n; i++)
    if (CPU_ISSET (i, &set))
      cpus[found++] = i;
#else
  (void) cpus, (void) n;
#endif
  return found;
}

gint
mproc_test_get_processor (void)
{
#if defined(__linux__)
  return sched_getcpu ();
#else
  return -1;
#endif
}

gint
mproc_test_get_niceness (void)
{
  return getpriority (PRIO_PROCESS, 0);
}

gint
mproc_test_expect_niceness (gint before, gint added)
{
  return MIN (before + added, 19);
}
