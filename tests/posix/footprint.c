/* SPDX-License-Identifier: MIT */
#include "footprint.h"

#include <stdio.h>
#include <unistd.h>

guint64
mproc_test_private_memory (gint64 pid)
{
  char *name = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/smaps_rollup",
                                pid != 0 ? pid : (gint64) getpid ());
  FILE *file = fopen (name, "r");
  guint64 sum = 0;
  char line[200];
  unsigned long size;

  g_free (name);
  if (file == NULL)
    return 0;
  while (fgets (line, sizeof line, file) != NULL)
    if (sscanf (line, "Private_Clean: %lu", &size) == 1 ||
        sscanf (line, "Private_Dirty: %lu", &size) == 1)
      sum += (guint64) size * 1024;
  fclose (file);
  return sum;
}
