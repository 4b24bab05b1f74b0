/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include <sched.h>
#include <sys/resource.h>

#if defined(__linux__)
#include <sys/mount.h>
#include <sys/stat.h>
#endif

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

void
mproc_test_keep_to_one_processor (void)
{
#if defined(__linux__)
  cpu_set_t set;
  guint cpu;

  if (mproc_test_list_processors (&cpu, 1) == 0)
    return;
  CPU_ZERO (&set);
  CPU_SET (cpu, &set);
  if (sched_setaffinity (0, sizeof set, &set) != 0)
    g_error ("cannot keep to processor %u", cpu);
#endif
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

#if defined(__linux__)

#define GROUPS "/sys/fs/cgroup"

/* In a name space of its own, so that nobody else sees it. */
gboolean
mproc_test_fake_groups (void)
{
  return unshare (CLONE_NEWNS) == 0 &&
         mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount ("tmpfs", GROUPS, "tmpfs", 0, NULL) == 0 &&
         mkdir (GROUPS "/cpu", 0755) == 0;
}

void
mproc_test_set_quota (const char *quota, const char *period)
{
  char *both = g_strconcat (quota, " ", period, "\n", NULL);

  g_file_set_contents (GROUPS "/cpu.max", both, -1, NULL);
  g_file_set_contents (GROUPS "/cpu/cpu.cfs_quota_us",
                       g_str_equal (quota, "max") ? "-1\n" : quota, -1, NULL);
  g_file_set_contents (GROUPS "/cpu/cpu.cfs_period_us", period, -1, NULL);
  g_free (both);
}

#else

gboolean
mproc_test_fake_groups (void)
{
  return FALSE;
}

void
mproc_test_set_quota (const char *quota, const char *period)
{
  (void) quota, (void) period;
}

#endif
