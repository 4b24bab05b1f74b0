/* SPDX-License-Identifier: MIT */
/* How much of the machine is ours.  A control group's limit is that of the strictest
 * group on the way up to the root; what cannot be read or understood limits nothing. */
#include "posix.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#define CGROUP_ROOT "/sys/fs/cgroup"
#define MOST_PROCESSORS (1 << 20)

/* Lowers @limit to what the group in @folder allows. */
typedef void (*LookFunc) (const char *folder, guint64 *limit);

/* Reads the number at @text.  FALSE for "max", for -1, for anything else that is none. */
static gboolean
read_number (const char *text, guint64 *number)
{
  if (!g_ascii_isdigit (*text))
    return FALSE;
  *number = g_ascii_strtoull (text, NULL, 10);
  return *number > 0;
}

static gssize
read_in_folder (const char *folder, const char *name, char *text, gsize size)
{
  char *path = g_strconcat (folder, "/", name, NULL);
  gssize length = mproc_posix_read_once (path, text, size);

  g_free (path);
  return length;
}

static void
look_at_memory (const char *folder, guint64 *limit)
{
  static const char *const names[] = { "memory.max", "memory.limit_in_bytes" };
  char text[64];
  guint64 number;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    if (read_in_folder (folder, names[i], text, sizeof text) > 0 &&
        read_number (text, &number))
      *limit = MIN (*limit, number);
}

static void
look_at_processors (const char *folder, guint64 *limit)
{
  char text[64], period_text[64];
  const char *period_at = NULL;
  guint64 quota, period;

  if (read_in_folder (folder, "cpu.max", text, sizeof text) > 0)
    period_at = strchr (text, ' ');
  else if (read_in_folder (folder, "cpu.cfs_quota_us", text, sizeof text) > 0 &&
           read_in_folder (folder, "cpu.cfs_period_us", period_text, sizeof period_text) >
               0)
    period_at = period_text;

  if (period_at != NULL && read_number (text, &quota) &&
      read_number (period_at + (*period_at == ' '), &period))
    *limit = MIN (*limit, quota / period + (quota % period != 0));
}

/* Looks at the group @path below @root and at all that contain it. */
static void
walk_up (const char *root, const char *path, LookFunc look, guint64 *limit)
{
  gsize root_length = strlen (root);
  /* A group outside our view of the hierarchy is shown as "/..". */
  char *folder = g_strconcat (root, strstr (path, "/..") != NULL ? "" : path, NULL);

  for (;;)
    {
      look (folder, limit);
      if (strlen (folder) <= root_length)
        break;
      *strrchr (folder, '/') = '\0';
    }
  g_free (folder);
}

static gboolean
names_controller (const char *list, const char *controller)
{
  gsize length = strlen (controller);
  const char *at = list;

  while (at != NULL)
    {
      if (strncmp (at, controller, length) == 0 &&
          (at[length] == ',' || at[length] == '\0'))
        return TRUE;
      at = strchr (at, ',');
      if (at != NULL)
        at++;
    }
  return FALSE;
}

/* Each line of /proc/self/cgroup is "number:controllers:path", without controllers for
 * the one hierarchy of version 2. */
static void
look_at_groups (const char *controller, LookFunc look, guint64 *limit)
{
  char text[16384];
  char *line, *rest = NULL;

  if (mproc_posix_read_once ("/proc/self/cgroup", text, sizeof text) <= 0)
    return;
  for (line = strtok_r (text, "\n", &rest); line != NULL;
       line = strtok_r (NULL, "\n", &rest))
    {
      char *list = strchr (line, ':');
      char *path = list == NULL ? NULL : strchr (list + 1, ':');

      if (path == NULL || path[1] != '/')
        continue;
      *path++ = '\0';
      list++;
      if (*list == '\0')
        {
          walk_up (CGROUP_ROOT, path, look, limit);
          walk_up (CGROUP_ROOT "/unified", path, look, limit);
        }
      else if (names_controller (list, controller))
        {
          char *root = g_strconcat (CGROUP_ROOT "/", controller, NULL);

          walk_up (root, path, look, limit);
          g_free (root);
        }
    }
}

/* The processors that the scheduler may put the calling thread on. */
static guint
count_affinity (void)
{
#if defined(__linux__)
  int most, count = 0;

  /* The kernel refuses a set with fewer bits than its own. */
  for (most = CPU_SETSIZE; count == 0 && most <= MOST_PROCESSORS; most *= 2)
    {
      cpu_set_t *set = CPU_ALLOC (most);
      gsize size = CPU_ALLOC_SIZE (most);

      if (set == NULL)
        break;
      if (sched_getaffinity (0, size, set) == 0)
        count = CPU_COUNT_S (size, set);
      else if (errno != EINVAL)
        most = MOST_PROCESSORS;
      CPU_FREE (set);
    }
  if (count > 0)
    return (guint) count;
#endif
  return g_get_num_processors ();
}

gboolean
mproc_os_set_processor (guint number, gboolean process, GError **error)
{
#if defined(__linux__)
  int most = (int) MIN (number, MOST_PROCESSORS - 1) + 1;
  cpu_set_t *set = CPU_ALLOC (most);
  gsize size = CPU_ALLOC_SIZE (most);
  char what[40];
  int failure = set == NULL ? ENOMEM : 0;

  (void) process;
  if (set != NULL)
    {
      /* One that is too large for the set stays out of it: a set of none is refused. */
      CPU_ZERO_S (size, set);
      CPU_SET_S (number, size, set);
      failure = sched_setaffinity (0, size, set) != 0 ? errno : 0;
      CPU_FREE (set);
    }
  if (failure == 0)
    return TRUE;
  g_snprintf (what, sizeof what, "processor %u", number);
  mproc_posix_set_error (error, failure, what);
#else
  (void) process;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
               "processor %u: this system does not let a program choose its processor",
               number);
#endif
  return FALSE;
}

gboolean
mproc_os_add_niceness (gint niceness, GError **error)
{
  int now;

  errno = 0;
  now = getpriority (PRIO_PROCESS, 0);
  if (errno == 0 && setpriority (PRIO_PROCESS, 0, MIN (now + niceness, 19)) == 0)
    return TRUE;
  mproc_posix_set_error (error, errno, "niceness");
  return FALSE;
}

guint
mproc_os_cpu_count (void)
{
  guint64 limit = count_affinity ();

  look_at_groups ("cpu", look_at_processors, &limit);
  return (guint) MAX (limit, 1);
}

static guint64
physical_memory (void)
{
#if defined(__APPLE__)
  guint64 size = 0;
  size_t length = sizeof size;

  if (sysctlbyname ("hw.memsize", &size, &length, NULL, 0) == 0 && size > 0)
    return size;
#elif defined(_SC_PHYS_PAGES)
  long pages = sysconf (_SC_PHYS_PAGES);

  if (pages > 0)
    return (guint64) pages * mproc_os_page_size ();
#endif
  return G_GUINT64_CONSTANT (1) << 30;
}

guint64
mproc_os_memory_limit (void)
{
  guint64 limit = physical_memory ();

  look_at_groups ("memory", look_at_memory, &limit);
  return limit;
}
