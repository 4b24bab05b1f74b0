/* SPDX-License-Identifier: MIT */
/* How much of the machine is ours.  What a control group is on Linux, a job is here:
 * that of a container has limits for all its processes together. */
#include "win32.h"

#include <string.h>

/* A hard cap is a share of all processors, in hundredths of a percent. */
static guint
job_cpu_count (guint all)
{
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate;
  const DWORD capped =
      JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;

  if (!QueryInformationJobObject (NULL, JobObjectCpuRateControlInformation, &rate,
                                  sizeof rate, NULL) ||
      (rate.ControlFlags & capped) != capped)
    return all;
  return (guint) (((guint64) all * rate.CpuRate + 9999) / 10000);
}

guint
mproc_os_cpu_count (void)
{
  guint all = GetActiveProcessorCount (ALL_PROCESSOR_GROUPS);
  DWORD_PTR ours, system;
  guint count = 0;

  /* The mask knows one group of at most 64 processors.  Where there are more of them,
   * the system spreads processes over all. */
  if (GetActiveProcessorGroupCount () > 1 ||
      !GetProcessAffinityMask (GetCurrentProcess (), &ours, &system))
    count = all;
  else
    for (; ours != 0; ours &= ours - 1)
      count++;
  return CLAMP (job_cpu_count (all), 1, MAX (count, 1));
}

/* Numbers go on from one group of processors to the next. */
static gboolean
find_processor (guint number, GROUP_AFFINITY *where)
{
  WORD n_groups = GetActiveProcessorGroupCount ();

  memset (where, 0, sizeof *where);
  for (WORD group = 0; group < n_groups; group++)
    {
      DWORD count = GetActiveProcessorCount (group);

      if (number < count)
        {
          where->Group = group;
          where->Mask = (KAFFINITY) 1 << number;
          return TRUE;
        }
      number -= count;
    }
  return FALSE;
}

/* A process has a mask of its own only as long as there is one group. */
gboolean
mproc_os_set_processor (guint number, gboolean process, GError **error)
{
  GROUP_AFFINITY where;
  char what[40];
  DWORD code = ERROR_INVALID_PARAMETER;
  gboolean ok;

  g_snprintf (what, sizeof what, "processor %u", number);
  if (!find_processor (number, &where))
    return mproc_win32_fail (error, what, code);
  if (process && GetActiveProcessorGroupCount () == 1)
    ok = SetProcessAffinityMask (GetCurrentProcess (), where.Mask);
  else
    ok = SetThreadGroupAffinity (GetCurrentThread (), &where, NULL);
  return ok || mproc_win32_fail (error, what, GetLastError ());
}

gboolean
mproc_os_add_niceness (gint niceness, GError **error)
{
  DWORD class = niceness >= 10 ? IDLE_PRIORITY_CLASS : BELOW_NORMAL_PRIORITY_CLASS;

  return SetPriorityClass (GetCurrentProcess (), class) ||
         mproc_win32_fail (error, "niceness", GetLastError ());
}

static guint64
job_memory_limit (void)
{
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;

  if (QueryInformationJobObject (NULL, JobObjectExtendedLimitInformation, &limits,
                                 sizeof limits, NULL) &&
      (limits.BasicLimitInformation.LimitFlags & JOB_OBJECT_LIMIT_JOB_MEMORY) != 0)
    return limits.JobMemoryLimit;
  return G_MAXUINT64;
}

guint64
mproc_os_memory_limit (void)
{
  MEMORYSTATUSEX status;
  guint64 limit = job_memory_limit ();

  status.dwLength = sizeof status;
  if (!GlobalMemoryStatusEx (&status))
    g_error ("GlobalMemoryStatusEx: error %lu", (gulong) GetLastError ());
  return MIN (status.ullTotalPhys, limit);
}
