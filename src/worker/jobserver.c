/* SPDX-License-Identifier: MIT */
#include "worker/jobserver.h"

#include "os.h"
#include "worker/control.h"

#include <string.h>

/* How often a worker that waits for a token looks whether the job's own slot is free. */
#define LOOK (G_USEC_PER_SEC / 50)

/* The last one holds, as it does for make. */
static const char *
find_last (const char *flags, const char *option)
{
  const char *found = NULL;

  for (const char *at = strstr (flags, option); at != NULL; at = strstr (at + 1, option))
    found = at + strlen (option);
  return found;
}

char *
mproc_jobserver_find (void)
{
  const char *flags = g_getenv ("MAKEFLAGS");
  const char *at = NULL;
  char *where = NULL;
  char *name;

  if (flags != NULL && !mproc_os_is_elevated ())
    at = find_last (flags, "--jobserver-auth=");
  if (flags != NULL && at == NULL && !mproc_os_is_elevated ())
    at = find_last (flags, "--jobserver-fds="); /* what it was called before make 4.2 */
  if (at == NULL)
    return NULL;
  name = g_strndup (at, strcspn (at, " "));
  where = mproc_os_jobserver_find (name);
  g_free (name);
  return where;
}

static MprocAtomic32 *
own_slot (MprocSeat *seat)
{
  return &mproc_control_at (seat->control)->own_slot;
}

/* Noted first: dead in between, it holds none, and the pool finds that out. */
static gboolean
take_own (MprocSeat *seat)
{
  guint32 member = mproc_load32 (&seat->member);

  if (mproc_load32 (own_slot (seat)) != 0)
    return FALSE;
  mproc_store32 (&seat->slot, MPROC_SLOT_OWN);
  if (mproc_cas32 (own_slot (seat), 0, member))
    return TRUE;
  mproc_store32 (&seat->slot, MPROC_SLOT_NONE);
  return FALSE;
}

gboolean
mproc_jobserver_take (gintptr jobserver,
                      MprocSeat *seat,
                      gboolean (*is_over) (gpointer),
                      gpointer data)
{
  gint token;

  do
    {
      if (take_own (seat))
        return TRUE;
      token = mproc_os_jobserver_take (jobserver, g_get_monotonic_time () + LOOK);
      if (token >= 0)
        {
          mproc_store32 (&seat->slot, MPROC_SLOT_TOKEN | (guint32) token << 8);
          return TRUE;
        }
    }
  while (!is_over (data));
  return FALSE;
}

void
mproc_jobserver_give (gintptr jobserver, MprocSeat *seat)
{
  guint32 slot = mproc_load32 (&seat->slot);

  mproc_store32 (&seat->slot, MPROC_SLOT_NONE);
  mproc_crash_order ();
  if (slot == MPROC_SLOT_OWN)
    mproc_cas32 (own_slot (seat), mproc_load32 (&seat->member), 0);
  else if (slot != MPROC_SLOT_NONE)
    mproc_os_jobserver_give (jobserver, (guint8) (slot >> 8));
}
