/* SPDX-License-Identifier: MIT */
#include "punch.h"

#include "mproc-test.h"

#include "arena/alloc.h"
#include "os.h"

gboolean
mproc_test_can_punch (void)
{
  guint64 page = mproc_os_page_size ();
  MprocOffset block = mproc_arena_alloc (4 * page, NULL);
  MprocOffset inside = (block + page - 1) / page * page;
  gboolean can = mproc_arena_punch (inside, page);

  ck_assert (!can || mproc_arena_recommit (inside, page, NULL));
  mproc_arena_free (block);
  return can;
}

guint64
mproc_test_memory_in_use (void)
{
  return mproc_arena_get_committed () - mproc_arena_get_punched ();
}
