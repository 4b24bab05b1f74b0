/* SPDX-License-Identifier: MIT */
#include "win32.h"

/* The names are in files beside the program, if anywhere. */
char *
mproc_os_symbol_at (gconstpointer address)
{
  (void) address;
  return NULL;
}
