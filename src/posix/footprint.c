/* SPDX-License-Identifier: MIT */
/* How much memory a process has for itself. */
#include "posix.h"

#if defined(__linux__)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_SIZE 48

static void
make_path (char *path, const MprocOsIdentity *who, const char *name)
{
  if (who == NULL)
    g_snprintf (path, PATH_SIZE, "/proc/self/%s", name);
  else
    g_snprintf (path, PATH_SIZE, "/proc/%" G_GINT64_FORMAT "/%s", who->pid, name);
}

/* What is neither a file's nor shared memory.  The kernel keeps these numbers at hand; pages that a
 * fork left in common are among them. */
static gboolean
read_anonymous (const MprocOsIdentity *who, guint64 *bytes)
{
  char path[PATH_SIZE], text[128];
  unsigned long long size, resident, shared;

  make_path (path, who, "statm");
  if (mproc_posix_read_once (path, text, sizeof text) <= 0 ||
      sscanf (text, "%llu %llu %llu", &size, &resident, &shared) != 3)
    return FALSE;
  *bytes = resident > shared ? (resident - shared) * mproc_os_page_size () : 0;
  return TRUE;
}

/* The value of a line "<name>:   <number> kB". */
static gboolean
read_line (const char *line, const char *name, guint64 *bytes)
{
  gsize length = strlen (name);

  if (strncmp (line, name, length) != 0)
    return FALSE;
  *bytes = g_ascii_strtoull (line + length, NULL, 10) * 1024;
  return TRUE;
}

/* Each mapping has some twenty lines, the last of them its flags: "sh" is one that is shared.  A page of
 * a private mapping that was written to is anonymous; private is one that nobody else maps. */
static gboolean
read_private (const MprocOsIdentity *who, guint64 *bytes)
{
  char path[PATH_SIZE], line[512];
  guint64 total = 0, dirty = 0;
  gboolean any = FALSE;
  FILE *file;

  make_path (path, who, "smaps");
  file = fopen (path, "re");
  if (file == NULL)
    return FALSE;
  while (fgets (line, sizeof line, file) != NULL)
    if (!read_line (line, "Private_Dirty:", &dirty) && strncmp (line, "VmFlags:", 8) == 0)
      {
        if (strstr (line, " sh ") == NULL)
          total += dirty;
        any = TRUE;
        dirty = 0;
      }
  fclose (file);
  *bytes = total;
  return any;
}

gboolean
mproc_os_private_memory (const MprocOsIdentity *who, guint64 enough, guint64 *bytes)
{
  if (who != NULL && !mproc_posix_in_our_space (who))
    return FALSE;
  return read_anonymous (who, bytes) && (*bytes <= enough || read_private (who, bytes));
}

#else

gboolean
mproc_os_private_memory (const MprocOsIdentity *who, guint64 enough, guint64 *bytes)
{
  (void) who, (void) enough, (void) bytes;
  return FALSE;
}

#endif
