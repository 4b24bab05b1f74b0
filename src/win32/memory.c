/* SPDX-License-Identifier: MIT */
#include "win32.h"

/* The region is an unnamed section of the page file, made with SEC_RESERVE: it costs
 * address space until a page is committed.  A page that one process commits is usable
 * in all that map the section, and stays committed until the last of them has ended:
 * there is nothing to open and no way to punch. */

#define LARGEST ((gsize) 16 << 30) /* what a mapping costs here grows with it */
#define SMALLEST ((gsize) 1 << 20)

gsize
mproc_os_page_size (void)
{
  SYSTEM_INFO info;

  GetSystemInfo (&info);
  return info.dwPageSize;
}

static guint8 *
map (HANDLE section, gsize size)
{
  return MapViewOfFile (section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size);
}

/* Returns 0 or the error code. */
static DWORD
try_create (gsize size, MprocOsMemory *out)
{
  HANDLE section =
      CreateFileMappingW (INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE,
                          (DWORD) ((guint64) size >> 32), (DWORD) size, NULL);
  guint8 *base;
  DWORD code;

  if (section == NULL)
    return GetLastError ();

  base = map (section, size);
  if (base == NULL)
    {
      code = GetLastError ();
      CloseHandle (section);
      return code;
    }

  out->base = base;
  out->size = size;
  out->handle = (gintptr) section;
  return 0;
}

gboolean
mproc_os_memory_create (gsize wanted, MprocOsMemory *out, GError **error)
{
  gsize page = mproc_os_page_size ();
  DWORD code;

#ifdef _WIN64
  wanted = MIN (wanted, LARGEST);
#endif
  do
    {
      wanted = (wanted + page - 1) / page * page;
      code = try_create (wanted, out);
      wanted /= 2;
    }
  while (code != 0 && wanted >= SMALLEST);

  return code == 0 || mproc_win32_fail (error, "shared memory", code);
}

gboolean
mproc_os_memory_adopt (gintptr handle, gsize size, MprocOsMemory *out, GError **error)
{
  guint8 *base = map (mproc_win32_handle (handle), size);

  if (base == NULL)
    return mproc_win32_fail (error, "inherited shared memory", GetLastError ());

  /* An inherited handle is an inheritable one: programs that the host starts would keep
   * the memory from vanishing. */
  SetHandleInformation (mproc_win32_handle (handle), HANDLE_FLAG_INHERIT, 0);

  out->base = base;
  out->size = size;
  out->handle = handle;
  return TRUE;
}

gboolean
mproc_os_memory_commit (MprocOsMemory *memory, gsize offset, gsize size, GError **error)
{
  if (VirtualAlloc (memory->base + offset, size, MEM_COMMIT, PAGE_READWRITE) == NULL)
    return mproc_win32_fail (error, "shared memory", GetLastError ());
  return TRUE;
}

gboolean
mproc_os_memory_open (MprocOsMemory *memory, gsize offset, gsize size, GError **error)
{
  (void) memory;
  (void) offset;
  (void) size;
  (void) error;
  return TRUE;
}

gboolean
mproc_os_memory_punch (MprocOsMemory *memory, gsize offset, gsize size)
{
  (void) memory;
  (void) offset;
  (void) size;
  return FALSE;
}

void
mproc_os_memory_clear (MprocOsMemory *memory)
{
  if (memory->base != NULL)
    UnmapViewOfFile (memory->base);
  if (memory->handle != MPROC_OS_NONE)
    CloseHandle (mproc_win32_handle (memory->handle));
  memory->base = NULL;
  memory->size = 0;
  memory->handle = MPROC_OS_NONE;
}
