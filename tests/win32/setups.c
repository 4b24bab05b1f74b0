/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include <windows.h>

guint
mproc_test_list_processors (guint *cpus, guint n)
{
  DWORD_PTR ours, all;
  guint found = 0;

  if (!GetProcessAffinityMask (GetCurrentProcess (), &ours, &all))
    return 0;
  for (guint i = 0; i < 8 * sizeof ours && found < n; i++)
    if ((ours >> i & 1) != 0)
      cpus[found++] = i;
  return found;
}

void
mproc_test_keep_to_one_processor (void)
{
  guint cpu;

  if (mproc_test_list_processors (&cpu, 1) > 0 &&
      !SetProcessAffinityMask (GetCurrentProcess (), (DWORD_PTR) 1 << cpu))
    g_error ("cannot keep to processor %u", cpu);
}

gint
mproc_test_get_processor (void)
{
  return (gint) GetCurrentProcessorNumber ();
}

gint
mproc_test_get_niceness (void)
{
  return (gint) GetPriorityClass (GetCurrentProcess ());
}

gint
mproc_test_expect_niceness (gint before, gint added)
{
  (void) before;
  return added >= 10 ? IDLE_PRIORITY_CLASS : BELOW_NORMAL_PRIORITY_CLASS;
}

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
