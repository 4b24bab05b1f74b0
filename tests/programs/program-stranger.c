/* SPDX-License-Identifier: MIT */
/* Knows nothing of mproc.  Ends with 3, or not at all. */
#include <glib.h>
#include <stdio.h>

int
main (void)
{
  puts ("stranger");
  fflush (stdout);
  while (g_getenv ("STRANGER_STAYS") != NULL)
    g_usleep (G_USEC_PER_SEC);
  return 3;
}
