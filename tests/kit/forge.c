/* SPDX-License-Identifier: MIT */
#include "forge.h"

#include "family/function.h"

#include <string.h>

void
mproc_test_forge_ticket (MprocFunc func, const MprocOsImage *image, guint8 *identity)
{
  MprocHandle ticket = mproc_function_get_ticket (func, NULL);
  MprocOffset body = mproc_handle_get_body (ticket, MPROC_KIND_FUNCTION, NULL);
  gsize size = mproc_arena_block_size (body);
  guint8 *bytes = mproc_arena_at (body, size);
  gsize at = 0;

  while (memcmp (bytes + at, image->identity, image->identity_size) != 0)
    {
      at++;
      ck_assert_uint_le (at + image->identity_size, size);
    }
  bytes[at] ^= 0xff;
  memcpy (identity, bytes + at, image->identity_size);
}
