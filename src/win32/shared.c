/* SPDX-License-Identifier: MIT */
#include "win32.h"

/* A section of the page file with a name, in the session of the user.  The system takes the
 * name away with the last handle, whoever held it and however it ended. */

const char *
mproc_os_shared_prefix (void)
{
  return "wnsm_";
}

static gboolean
refuse (const char *name, DWORD code, GError **error)
{
  MprocError kind;
  const char *what;
  char *text;

  switch (code)
    {
    case ERROR_ALREADY_EXISTS:
      kind = MPROC_ERROR_EXISTS;
      what = "there is a block of that name";
      break;
    case ERROR_INVALID_HANDLE:
      kind = MPROC_ERROR_EXISTS;
      what = "the name is that of something else";
      break;
    case ERROR_FILE_NOT_FOUND:
      kind = MPROC_ERROR_NOT_FOUND;
      what = "there is no block of that name (any more)";
      break;
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_FILENAME_EXCED_RANGE:
    case ERROR_NO_UNICODE_TRANSLATION:
    case ERROR_INVALID_PARAMETER:
      kind = MPROC_ERROR_INVALID;
      what = "not a name of a block";
      break;
    default:
      text = g_strdup_printf ("shared memory \"%s\"", name);
      mproc_win32_fail (error, text, code);
      g_free (text);
      return FALSE;
    }
  g_set_error (error, MPROC_ERROR, kind, "shared memory \"%s\": %s", name, what);
  return FALSE;
}

/* Maps all of it and closes the section if that fails.  Returns 0 or the error code. */
static DWORD
map (HANDLE section, MprocOsShared *out)
{
  guint8 *base = MapViewOfFile (section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
  MEMORY_BASIC_INFORMATION about;
  DWORD code = 0;

  if (base == NULL || VirtualQuery (base, &about, sizeof about) == 0)
    code = GetLastError ();
  if (code != 0)
    {
      if (base != NULL)
        UnmapViewOfFile (base);
      CloseHandle (section);
      return code;
    }
  out->base = base;
  out->size = about.RegionSize;
  out->identity[0] = 0;
  out->identity[1] = 0;
  out->handle = (gintptr) section;
  return 0;
}

/* The commitment is made here, so that touching the pages cannot fail. */
static DWORD
try_create (const wchar_t *name, gsize size, MprocOsShared *out)
{
  HANDLE section =
      CreateFileMappingW (INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
                          (DWORD) ((guint64) size >> 32), (DWORD) size, name);
  DWORD code = GetLastError ();

  if (section == NULL)
    return code;
  if (code == ERROR_ALREADY_EXISTS)
    {
      CloseHandle (section);
      return code;
    }
  code = map (section, out);
  if (code == 0)
    out->size = size;
  return code;
}

gboolean
mproc_os_shared_create (const char *name, gsize size, MprocOsShared *out, GError **error)
{
  wchar_t *wide = mproc_win32_wide (name);
  DWORD code;

  if (size > mproc_os_memory_limit ())
    code = ERROR_COMMITMENT_LIMIT;
  else
    code = wide == NULL ? GetLastError () : try_create (wide, size, out);
  g_free (wide);
  return code == 0 || refuse (name, code, error);
}

static DWORD
try_open (const wchar_t *name, MprocOsShared *out)
{
  HANDLE section = OpenFileMappingW (FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name);

  return section == NULL ? GetLastError () : map (section, out);
}

gboolean
mproc_os_shared_open (const char *name, MprocOsShared *out, GError **error)
{
  wchar_t *wide = mproc_win32_wide (name);
  DWORD code = wide == NULL ? GetLastError () : try_open (wide, out);

  g_free (wide);
  if (code == ERROR_INVALID_HANDLE) /* there is something of that name, but no block */
    code = ERROR_FILE_NOT_FOUND;
  return code == 0 || refuse (name, code, error);
}

gboolean
mproc_os_shared_unlink (const char *name, const MprocOsShared *shared, GError **error)
{
  (void) name;
  (void) shared;
  (void) error;
  return TRUE;
}

void
mproc_os_shared_clear (const char *name, MprocOsShared *shared)
{
  (void) name;
  if (shared->base != NULL)
    UnmapViewOfFile (shared->base);
  if (shared->handle != MPROC_OS_NONE)
    CloseHandle (mproc_win32_handle (shared->handle));
  shared->base = NULL;
  shared->handle = MPROC_OS_NONE;
}
