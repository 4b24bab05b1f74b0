/* SPDX-License-Identifier: MIT */
#include "pool/slots.h"

#include "worker/jobserver.h"

void
mproc_pool_find_jobserver (MprocPool *self)
{
  char *where = self->options->uses_jobserver ? mproc_jobserver_find () : NULL;

  self->jobserver = where != NULL ? mproc_os_jobserver_open (where) : MPROC_OS_NONE;
  if (self->jobserver != MPROC_OS_NONE)
    self->jobserver_name = mproc_os_jobserver_name (self->jobserver, where);
  g_free (where);
}

void
mproc_pool_close_jobserver (MprocPool *self)
{
  if (self->jobserver != MPROC_OS_NONE)
    mproc_os_jobserver_close (self->jobserver);
  self->jobserver = MPROC_OS_NONE;
  g_clear_pointer (&self->jobserver_name, g_free);
}

void
mproc_pool_recover_slot (MprocPool *self, MprocOffset seat)
{
  if (self->jobserver != MPROC_OS_NONE)
    mproc_jobserver_give (self->jobserver, mproc_seat_at (seat));
}
