/* SPDX-License-Identifier: MIT */
/* The system itself takes names away here: there are no guardians. */
#include "names.h"

#include <windows.h>

gboolean
mproc_test_can_find_guardians (void)
{
  return FALSE;
}

gint64
mproc_test_find_guardian (gint64 creator)
{
  (void) creator;
  return 0;
}

gboolean
mproc_test_has_children (void)
{
  return FALSE;
}

guint
mproc_test_count_child_signals (void)
{
  return 0;
}

guint64
mproc_test_room_for_names (void)
{
  return 0;
}

gboolean
mproc_test_make_pipe_at (const char *path)
{
  (void) path;
  return FALSE;
}

gboolean
mproc_test_make_named_pipe (const char *name)
{
  (void) name;
  return FALSE;
}

gboolean
mproc_test_make_hole (const char *name, guint64 size)
{
  (void) name;
  (void) size;
  return FALSE;
}

guint64
mproc_test_count_reserved (const char *name)
{
  (void) name;
  return 0;
}

void
mproc_test_remove_name (const char *name)
{
  (void) name;
}

static gsize
pages (gsize size)
{
  SYSTEM_INFO info;

  GetSystemInfo (&info);
  return (size + info.dwPageSize - 1) / info.dwPageSize * info.dwPageSize;
}

guint8 *
mproc_test_edge_new (gsize size)
{
  gsize whole = pages (size);
  guint8 *start = VirtualAlloc (NULL, whole + pages (1), MEM_RESERVE, PAGE_NOACCESS);

  if (start == NULL || VirtualAlloc (start, whole, MEM_COMMIT, PAGE_READWRITE) == NULL)
    g_error ("no memory");
  return start + whole - size;
}

void
mproc_test_edge_free (guint8 *edge, gsize size)
{
  VirtualFree (edge + size - pages (size), 0, MEM_RELEASE);
}
