/* SPDX-License-Identifier: MIT */
#include "arena/parking.h"

#include "arena/word.h"
#include "family/family.h"

#define N_ENTRIES 256

typedef struct
{
  MprocAtomic32 holder; /* the member whose thread has leased it, or 0 */
  guint32 unused;
  MprocAtomic64 waits_for;
  MprocOsSem semaphore;
} Entry;

typedef struct
{
  MprocAtomic32 n_leased; /* entries from here on have never been leased */
  guint32 unused;
  Entry entries[N_ENTRIES];
} Parking;

/* What a thread remembers of its lease.  After a fork the child's thread finds an entry
 * that its parent holds, and leases another. */
typedef struct
{
  guint index;
  MprocMember holder;
  gboolean token_may_come; /* a waker took our offset out and has not posted (yet) */
} Lease;

static Parking *
parking (void)
{
  return mproc_arena_at (mproc_load64 (mproc_arena_root (MPROC_ROOT_PARKING)),
                         sizeof (Parking));
}

gboolean
mproc_parking_create (GError **error)
{
  MprocOffset offset;
  Parking *self;

  if (mproc_os_has_words ())
    return TRUE;
  offset = mproc_arena_alloc0 (sizeof (Parking), error);
  if (offset == 0)
    return FALSE;
  self = mproc_arena_at (offset, sizeof (Parking));
  for (guint i = 0; i < N_ENTRIES; i++)
    if (!mproc_os_sem_init (&self->entries[i].semaphore, error))
      return FALSE;
  mproc_store64 (mproc_arena_root (MPROC_ROOT_PARKING), offset);
  return TRUE;
}

void
mproc_parking_list_handles (GArray *handles)
{
  if (mproc_os_has_words ())
    return;
  for (guint i = 0; i < N_ENTRIES; i++)
    {
      gintptr handle = mproc_os_sem_handle (&parking ()->entries[i].semaphore);

      if (handle != MPROC_OS_NONE)
        g_array_append_val (handles, handle);
    }
}

/* At a thread's end.  A token on its way stays in the semaphore; the next lessee drains
 * it.  Not what is left of a fork: there it is the parent's, whose thread goes on.
 * (What a thread leased as a member of its own has been swept.) */
static void
give_back (gpointer data)
{
  Lease *lease = data;

  if (lease->holder != 0 && lease->holder == mproc_self_or_none ())
    mproc_cas32 (&parking ()->entries[lease->index].holder, lease->holder, 0);
  g_free (lease);
}

static GPrivate this_thread = G_PRIVATE_INIT (give_back);

static void
drain (Entry *entry)
{
  while (mproc_os_sem_wait (&entry->semaphore, 0))
    ;
}

static gboolean
lease_entry (Lease *lease, MprocMember self)
{
  Parking *array = parking ();

  for (guint i = 0; i < N_ENTRIES; i++)
    if (mproc_load32 (&array->entries[i].holder) == 0 &&
        mproc_cas32 (&array->entries[i].holder, 0, self))
      {
        guint32 n = mproc_load32 (&array->n_leased);

        MPROC_CRASH_POINT (PARKING_LEASED);
        while (n <= i && !mproc_cas32 (&array->n_leased, n, i + 1))
          n = mproc_load32 (&array->n_leased);
        mproc_store64 (&array->entries[i].waits_for, 0);
        drain (&array->entries[i]);
        *lease = (Lease){ i, self, FALSE };
        return TRUE;
      }
  return FALSE;
}

/* This thread's entry, NULL if all are taken. */
static Entry *
get_entry (Lease **out)
{
  Lease *lease = g_private_get (&this_thread);
  MprocMember self = mproc_self ();

  if (lease == NULL)
    {
      lease = g_new0 (Lease, 1);
      g_private_set (&this_thread, lease);
    }
  if (lease->holder != self && !lease_entry (lease, self))
    return NULL;
  *out = lease;
  return &parking ()->entries[lease->index];
}

/* All entries are taken, and nobody can wake us: the longer the word has not changed, the more rarely it
 * is looked at, since there may be thousands like us. */
#define FIRST_LOOK 1000
#define LAST_LOOK (MPROC_NAP / 2)

static void
look_now_and_then (MprocAtomic32 *word, guint32 value, gint64 deadline)
{
  gint64 pause = FIRST_LOOK;
  gint64 left;

  while (mproc_load32 (word) == value && (left = deadline - g_get_monotonic_time ()) > 0)
    {
      g_usleep ((gulong) MIN (left, pause));
      pause = MIN (2 * pause, LAST_LOOK);
    }
}

void
mproc_parking_wait (MprocAtomic32 *word, guint32 value, gint64 deadline)
{
  MprocOffset offset = mproc_arena_offset (word);
  Lease *lease = NULL;
  Entry *entry = get_entry (&lease);

  if (entry == NULL)
    {
      look_now_and_then (word, value, deadline);
      return;
    }
  if (lease->token_may_come)
    drain (entry);
  lease->token_may_come = FALSE;
  atomic_store (&entry->waits_for, offset);
  MPROC_CRASH_POINT (PARKING_PUBLISHED);
  if (atomic_load (word) == value && mproc_os_sem_wait (&entry->semaphore, deadline))
    {
      MPROC_CRASH_POINT (PARKING_POSTED);
      /* A token that came too late for an earlier wait: nobody sleeps here any more,
       * and a wake must not be spent on it. */
      if (mproc_load64 (&entry->waits_for) != 0)
        mproc_store64 (&entry->waits_for, 0);
      return;
    }
  /* Nobody posts an entry that names nothing.  If ours was taken out already, its token
   * comes in a moment; a waker killed in between never sends it, so the wait for it is
   * short. */
  if (atomic_exchange (&entry->waits_for, 0) == 0 &&
      !mproc_os_sem_wait (&entry->semaphore, g_get_monotonic_time () + MPROC_NAP / 10))
    lease->token_may_come = TRUE;
}

guint
mproc_parking_wake (MprocAtomic32 *word, guint n)
{
  MprocOffset offset = mproc_arena_offset (word);
  Parking *array = parking ();
  guint woken = 0;

  /* The change of the word, made before, has to be seen by whoever publishes after our
   * look. */
  atomic_thread_fence (memory_order_seq_cst);
  for (guint i = 0, end = mproc_load32 (&array->n_leased); i < end && woken < n; i++)
    {
      Entry *entry = &array->entries[i];

      if (mproc_load64 (&entry->waits_for) == offset &&
          mproc_cas64 (&entry->waits_for, offset, 0))
        {
          MPROC_CRASH_POINT (PARKING_CLEARED);
          mproc_os_sem_post (&entry->semaphore);
          MPROC_CRASH_POINT (PARKING_WOKE);
          woken++;
        }
    }
  return woken;
}

void
mproc_parking_sweep (guint32 member)
{
  if (mproc_os_has_words ())
    return;
  for (guint i = 0; i < N_ENTRIES; i++)
    {
      Entry *entry = &parking ()->entries[i];

      if (mproc_load32 (&entry->holder) == member)
        {
          mproc_store64 (&entry->waits_for, 0);
          mproc_cas32 (&entry->holder, member, 0);
        }
    }
}
