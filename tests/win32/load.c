/* SPDX-License-Identifier: MIT */
#include "../programs/lines.h"

#include <windows.h>

gpointer
load_symbol (const char *path, const char *name)
{
  HMODULE library = LoadLibraryA (path);
  gpointer symbol =
      library != NULL ? (gpointer) (guintptr) GetProcAddress (library, name) : NULL;

  if (symbol == NULL)
    g_error ("%s: %lu", path, GetLastError ());
  return symbol;
}

void
go_to_root (void)
{
  if (!SetCurrentDirectoryA ("\\"))
    abort ();
}
