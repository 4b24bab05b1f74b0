/* SPDX-License-Identifier: MIT */
/* Who this process is: the identity it remembers, and how it comes to have one. */
#include "family/family.h"

#include "arena/word.h"
#include "family/local.h"
#include "family/object.h"
#include "family/slot.h"
#include "process/guard.h"

static MprocIdentityPage no_identity;
MprocIdentityPage *mproc_identity = &no_identity;
gboolean mproc_identity_checks_pid;
MprocAtomic32 mproc_has_thread_members;

static gint64 identity_pid; /* whose identity it is, where the page is not wiped */
static _Thread_local MprocMember thread_member;

static gpointer
prepare (gpointer unused)
{
  MprocIdentityPage *page = mproc_os_wiped_page ();

  (void) unused;
  if (page != NULL)
    mproc_identity = page;
  else
    mproc_identity_checks_pid = TRUE;
  mproc_local_prepare ();
  return NULL;
}

/* Before the first look at the identity by way of an entry point. */
static void
prepare_once (void)
{
  static GOnce once = G_ONCE_INIT;

  g_once (&once, prepare, NULL);
}

/* What a fork made untrue is forgotten. */
static guint32
current_identity (void)
{
  if (mproc_identity_checks_pid && identity_pid != mproc_os_pid ())
    mproc_store32 (&mproc_identity->self, 0);
  return mproc_load32 (&mproc_identity->self);
}

static void
remember (MprocMember self)
{
  identity_pid = mproc_os_pid ();
  mproc_store32 (&mproc_identity->self, self);
}

MprocMember
mproc_self_or_none (void)
{
  prepare_once ();
  return current_identity ();
}

MprocMember
mproc_process_self (void)
{
  MprocMember self = current_identity ();

  return self != 0 ? self : mproc_self_slowly ();
}

/* Waiters trust that running members take part in process barriers. */
static void
join_barriers (void)
{
  static gboolean registered; /* a fork inherits it */

  if (registered)
    return;
  registered = TRUE;
  mproc_spin_prepare ();
  if (!mproc_os_barrier_register ())
    mproc_store32 (mproc_arena_need_fences (), 1);
}

static MprocMember
enrol (GError **error)
{
  MprocMember self = mproc_slot_claim (error);

  if (self == 0)
    return 0;
  join_barriers ();
  mproc_slot_set_identity (self);
  mproc_slot_set_state (self, MPROC_MEMBER_STARTING, MPROC_MEMBER_LIVE);
  remember (self);
  return self;
}

/* A child that the host forked by itself becomes a member at its first call.  Nothing
 * that was remembered about the thread that called fork holds here. */
MprocMember
mproc_self_slowly (void)
{
  MprocMember self = current_identity ();
  GError *error = NULL;

  if (G_LIKELY (self != 0))
    return thread_member != 0 ? thread_member : self;
  if (!mproc_arena_exists ())
    g_error ("mproc: used in a process that has no shared memory yet");
  mproc_local_lock ();
  self = current_identity ();
  if (self == 0)
    {
      thread_member = 0;
      mproc_store32 (&mproc_has_thread_members, FALSE);
      self = enrol (&error);
      if (self == 0)
        g_error ("mproc: %s", error->message);
      mproc_object_lend_all (self);
    }
  mproc_local_unlock ();
  return self;
}

static gboolean
found (GError **error)
{
  return mproc_arena_create (error) && mproc_slot_create_table (error) &&
         mproc_object_create_table (error) && mproc_parking_create (error) &&
         enrol (error) != 0;
}

gboolean
mproc_family_ensure (GError **error)
{
  gboolean ok = TRUE;

  if (G_LIKELY (mproc_self_or_none () != 0))
    return TRUE;
  /* First of all: a child that came too late has the arena, to say so, and nothing
   * else. */
  if (!mproc_guard_check (error))
    return FALSE;
  if (mproc_arena_exists ())
    return mproc_self_slowly () != 0;
  mproc_local_lock ();
  if (current_identity () == 0)
    ok = found (error);
  mproc_local_unlock ();
  return ok;
}

MprocMember
mproc_member_reserve (GError **error)
{
  return mproc_slot_claim (error);
}

gboolean
mproc_member_enter (MprocMember member)
{
  prepare_once ();
  thread_member = 0;
  mproc_store32 (&mproc_has_thread_members, FALSE);
  join_barriers ();
  if (!mproc_slot_enter (member))
    return FALSE;
  remember (member);
  return TRUE;
}

void
mproc_member_enter_thread (MprocMember member)
{
  mproc_slot_set_thread (member, mproc_process_self ());
  thread_member = member;
  mproc_store32 (&mproc_has_thread_members, TRUE);
  mproc_slot_set_state (member, MPROC_MEMBER_STARTING, MPROC_MEMBER_LIVE);
}

void
mproc_member_leave_thread (MprocMember member, gint exit_code)
{
  mproc_member_set_exit_code (member, exit_code);
  thread_member = 0;
  mproc_member_bury (member);
}

void
mproc_member_leave (gint exit_code)
{
  MprocMember self = mproc_process_self ();

  mproc_member_set_exit_code (self, exit_code);
  MPROC_CRASH_POINT (SLOT_LEFT_CODE);
  mproc_slot_set_state (self, MPROC_MEMBER_LIVE, MPROC_MEMBER_LEAVING);
  MPROC_CRASH_POINT (SLOT_LEFT);
}
