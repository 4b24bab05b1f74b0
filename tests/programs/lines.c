/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <stdarg.h>
#include <stdio.h>

void
say (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
  fflush (stdout);
}

void
say_how_it_runs (const char *what, MprocProcess *process)
{
  GError *error = NULL;
  int code = -1;

  if (!mproc_process_start (process, &error))
    {
      say ("%s: %s %d: %s", what, g_quark_to_string (error->domain), error->code,
           error->message);
      g_error_free (error);
    }
  else
    {
      mproc_process_join (process, MPROC_FOREVER);
      mproc_process_get_exit_code (process, &code);
      say ("%s: exit code %d", what, code);
    }
  mproc_process_unref (process);
}

char *
beside (const char *program, const char *name)
{
  char *folder = g_path_get_dirname (program);
  char *path = g_build_filename (folder, name, NULL);

  g_free (folder);
  return path;
}
