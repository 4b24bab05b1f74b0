/* SPDX-License-Identifier: MIT */
#include "chains.h"

#include "family/family.h"

#include <string.h>

void
fixture_init (Fixture *self)
{
  ck_assert (mproc_family_ensure (NULL));
  memset (self, 0, sizeof *self);
  self->block = mproc_arena_alloc0 (sizeof (MprocChain) + 127, NULL);
  ck_assert_uint_ne (self->block, 0);
  self->chain =
      mproc_arena_at ((self->block + 127) & ~(MprocOffset) 127, sizeof (MprocChain));
  ck_assert (mproc_chain_init (self->chain, NULL));
}

void
fixture_clear (Fixture *self)
{
  mproc_chain_clear (self->chain);
  mproc_arena_free (self->block);
}
