/* SPDX-License-Identifier: MIT */
#include "win32.h"

#include <psapi.h>

/* What identifies a module lies in its headers, which the loader has mapped.  The
 * linker leaves an id of the build in the debug directory: MSVC with /DEBUG, GNU ld
 * with --build-id.
 *
 * Where there is none, the headers themselves are hashed: time stamp, checksum, entry
 * point and the table of sections with all their sizes.  The sections' contents would
 * not do: the loader has written addresses into them, other ones in each process, and
 * so has whoever hooks functions.  The one field of the headers that it changes, the
 * base address, is left out. */

#define SIGNATURE_SIZE 4 /* "RSDS" */
#define BUILD_ID_SIZE 20 /* a GUID and a 32-bit age */

G_STATIC_ASSERT (BUILD_ID_SIZE <= MPROC_OS_IDENTITY_SIZE);

wchar_t *
mproc_win32_module_path (HMODULE module)
{
  for (DWORD size = MAX_PATH;; size *= 2)
    {
      wchar_t *path = g_new (wchar_t, size);
      DWORD length = GetModuleFileNameW (module, path, size);

      if (length > 0 && length < size)
        return path;
      g_free (path);
      if (length == 0)
        g_error ("GetModuleFileNameW: error %lu", (gulong) GetLastError ());
    }
}

/* The module that holds @address, kept loaded until FreeLibrary.  NULL if there is
 * none. */
static HMODULE
hold_module (gconstpointer address)
{
  HMODULE module = NULL;

  if (!GetModuleHandleExW (GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, address, &module))
    return NULL;
  return module;
}

static const IMAGE_NT_HEADERS *
headers_of (const guint8 *base)
{
  return (const IMAGE_NT_HEADERS *) (base + ((const IMAGE_DOS_HEADER *) base)->e_lfanew);
}

/* [rva, rva + size) of the module, NULL if that is not inside. */
static gconstpointer
bytes_at (const guint8 *base, DWORD rva, DWORD size)
{
  DWORD end = headers_of (base)->OptionalHeader.SizeOfImage;

  if (rva == 0 || rva > end || size > end - rva)
    return NULL;
  return base + rva;
}

static const guint8 *
find_build_id (const guint8 *base)
{
  const IMAGE_DATA_DIRECTORY *directory =
      &headers_of (base)->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_DEBUG];
  const IMAGE_DEBUG_DIRECTORY *entries =
      bytes_at (base, directory->VirtualAddress, directory->Size);
  gsize n = entries != NULL ? directory->Size / sizeof *entries : 0;

  for (gsize i = 0; i < n; i++)
    {
      const guint8 *record = NULL;

      if (entries[i].Type == IMAGE_DEBUG_TYPE_CODEVIEW &&
          entries[i].SizeOfData >= SIGNATURE_SIZE + BUILD_ID_SIZE)
        record = bytes_at (base, entries[i].AddressOfRawData, entries[i].SizeOfData);
      if (record != NULL && memcmp (record, "RSDS", SIGNATURE_SIZE) == 0)
        return record + SIGNATURE_SIZE;
    }
  return NULL;
}

static gsize
hash_headers (const guint8 *base, guint8 *digest, gsize size)
{
  GChecksum *sum = g_checksum_new (G_CHECKSUM_SHA256);
  IMAGE_NT_HEADERS headers = *headers_of (base);

  headers.OptionalHeader.ImageBase = 0;
  g_checksum_update (sum, (const guchar *) &headers, sizeof headers);
  g_checksum_update (sum, (const guchar *) IMAGE_FIRST_SECTION (headers_of (base)),
                     (gssize) (headers.FileHeader.NumberOfSections *
                               sizeof (IMAGE_SECTION_HEADER)));
  g_checksum_get_digest (sum, digest, &size);
  g_checksum_free (sum);
  return size;
}

static void
identify (HMODULE module, MprocOsImage *out)
{
  const guint8 *base = (const guint8 *) module;
  const guint8 *build_id = find_build_id (base);

  memset (out, 0, sizeof *out);
  out->base = (guintptr) base;
  if (build_id != NULL)
    {
      memcpy (out->identity, build_id, BUILD_ID_SIZE);
      out->identity_size = BUILD_ID_SIZE;
    }
  else
    out->identity_size = (guint) hash_headers (base, out->identity, sizeof out->identity);
}

static void
add_path (HMODULE module, MprocOsImage *image)
{
  wchar_t *path = mproc_win32_module_path (module);

  image->path = g_utf16_to_utf8 ((const gunichar2 *) path, -1, NULL, NULL, NULL);
  g_free (path);
}

gboolean
mproc_os_image_at (gconstpointer address, MprocOsImage *out)
{
  HMODULE module = hold_module (address);

  if (module == NULL)
    return FALSE;
  identify (module, out);
  add_path (module, out);
  FreeLibrary (module);
  return TRUE;
}

/* ------------------------------------------------------------------ searching */

typedef gboolean (*Match) (HMODULE module, gconstpointer wanted);

/* The modules of this process, the program first, and a NULL.  g_free. */
static HMODULE *
list_modules (void)
{
  DWORD size = 64 * sizeof (HMODULE);
  DWORD needed;

  for (;;)
    {
      HMODULE *modules = g_malloc0 (size + sizeof (HMODULE));

      if (!EnumProcessModules (GetCurrentProcess (), modules, size, &needed))
        {
          modules[0] = NULL;
          return modules;
        }
      if (needed <= size)
        return modules;
      g_free (modules);
      size = needed;
    }
}

/* The first module that matches, described in @out. */
static gboolean
find_module (Match matches, gconstpointer wanted, MprocOsImage *out)
{
  HMODULE *modules = list_modules ();
  gboolean found = FALSE;

  for (guint i = 0; !found && modules[i] != NULL; i++)
    {
      /* Another thread may have unloaded it meanwhile. */
      HMODULE module = hold_module (modules[i]);

      if (module == NULL)
        continue;
      found = matches (module, wanted);
      if (found)
        {
          identify (module, out);
          add_path (module, out);
        }
      FreeLibrary (module);
    }
  g_free (modules);
  return found;
}

static gboolean
has_identity (HMODULE module, gconstpointer wanted)
{
  const GBytes *bytes = wanted;
  MprocOsImage image;
  gsize size;
  gconstpointer identity = g_bytes_get_data ((GBytes *) bytes, &size);

  identify (module, &image);
  return image.identity_size == size && memcmp (image.identity, identity, size) == 0;
}

gboolean
mproc_os_image_find (const guint8 *identity, guint size, MprocOsImage *out)
{
  GBytes *wanted = g_bytes_new_static (identity, size);
  gboolean found = find_module (has_identity, wanted, out);

  g_bytes_unref (wanted);
  return found;
}

static const wchar_t *
last_part (const wchar_t *path)
{
  const wchar_t *last = path;

  for (; *path != 0; path++)
    if (*path == L'\\' || *path == L'/' || *path == L':')
      last = path + 1;
  return last;
}

static gboolean
has_name (HMODULE module, gconstpointer wanted)
{
  wchar_t *path = mproc_win32_module_path (module);
  gboolean same = CompareStringOrdinal (last_part (path), -1, last_part (wanted), -1,
                                        TRUE) == CSTR_EQUAL;

  g_free (path);
  return same;
}

gboolean
mproc_os_image_named (const char *path, MprocOsImage *out)
{
  wchar_t *wanted = mproc_win32_wide (path);
  gboolean found = wanted != NULL && find_module (has_name, wanted, out);

  g_free (wanted);
  return found;
}

/* ------------------------------------------------------------------ loading and code */

void
mproc_os_pin_library (gconstpointer address)
{
  HMODULE module;

  GetModuleHandleExW (GET_MODULE_HANDLE_EX_FLAG_PIN |
                          GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                      address, &module);
}

gboolean
mproc_os_image_load (const char *path, GError **error)
{
  wchar_t *wide = mproc_win32_wide (path);
  HMODULE module = NULL;
  DWORD code = GetLastError ();
  DWORD mode;

  if (wide != NULL)
    {
      /* What the library needs is looked for beside it; what is missing is told to us,
       * not to the user in a box on the screen. */
      for (wchar_t *c = wide; *c != 0; c++)
        if (*c == L'/')
          *c = L'\\';
      SetThreadErrorMode (SEM_FAILCRITICALERRORS, &mode);
      module =
          LoadLibraryExW (wide, NULL,
                          g_path_is_absolute (path) ? LOAD_WITH_ALTERED_SEARCH_PATH : 0);
      code = GetLastError ();
      SetThreadErrorMode (mode, NULL);
      g_free (wide);
    }
  return module != NULL || mproc_win32_fail (error, path, code);
}

gboolean
mproc_os_image_is_code (guintptr base, guint64 offset)
{
  HMODULE module = hold_module ((gconstpointer) base);
  gboolean is_code = FALSE;

  if (module == NULL)
    return FALSE;
  if ((guintptr) module == base)
    {
      const IMAGE_NT_HEADERS *headers = headers_of ((const guint8 *) base);
      const IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION (headers);

      for (guint i = 0; i < headers->FileHeader.NumberOfSections; i++, section++)
        if ((section->Characteristics & IMAGE_SCN_MEM_EXECUTE) != 0 &&
            offset >= section->VirtualAddress &&
            offset - section->VirtualAddress < section->Misc.VirtualSize)
          is_code = TRUE;
    }
  FreeLibrary (module);
  return is_code;
}

void
mproc_os_image_clear (MprocOsImage *image)
{
  g_free (image->path);
  memset (image, 0, sizeof *image);
}
