/* SPDX-License-Identifier: MIT */
/* The children of this process, and how the end of one is noticed.
 *
 * Any number of threads may wait for one child.  One of them at a time waits for the
 * process itself, and reaps it; the others sleep on its word in the process table,
 * which changes when it is buried.  A child that is a thread notes its own end. */
#include "process/forkserver.h"

#include "arena/word.h"

/* How long daemons may take to end after they were told to. */
#define PATIENCE (5 * G_USEC_PER_SEC)

/* Under the local lock; each a reference. */
static MprocProcess *children;
static gint64 children_pid; /* whose they are: not a process's that the host forked */

/* ------------------------------------------------------------------ the list */

/* Under the local lock.  Links in the objects, which a fork has to copy anyway. */
static MprocProcess *
get_children (void)
{
  if (children != NULL && children_pid != mproc_os_pid ())
    children = NULL;
  return children;
}

static gboolean
has_children (void)
{
  gboolean any;

  mproc_local_lock ();
  any = get_children () != NULL;
  mproc_local_unlock ();
  return any;
}

void
mproc_children_add (MprocProcess *self)
{
  mproc_process_ref (self);
  mproc_local_lock ();
  self->is_listed = TRUE;
  self->previous = NULL;
  self->next = get_children ();
  if (self->next != NULL)
    self->next->previous = self;
  children = self;
  children_pid = self->creator;
  mproc_local_unlock ();
}

/* Under the local lock.  TRUE: its reference is the caller's. */
static gboolean
remove_child (MprocProcess *self)
{
  if (!self->is_listed)
    return FALSE;
  self->is_listed = FALSE;
  if (self->next != NULL)
    self->next->previous = self->previous;
  if (self->previous != NULL)
    self->previous->next = self->next;
  else
    children = self->next;
  return TRUE;
}

void
mproc_children_forget (void)
{
  mproc_local_lock ();
  /* What the parent waits for them with is no use here, and would only use up
   * descriptors. */
  for (MprocProcess *other = children; other != NULL; other = other->next)
    {
      mproc_os_child_clear (&other->child);
      mproc_os_child_clear (&other->view);
    }
  children = NULL;
  mproc_local_unlock ();
}

/* References to those of @owner, 0 for all. */
static GPtrArray *
list_of (MprocMember owner)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_process_unref);

  mproc_local_lock ();
  for (MprocProcess *child = get_children (); child != NULL; child = child->next)
    if (owner == 0 || child->owner == owner)
      g_ptr_array_add (list, mproc_process_ref (child));
  mproc_local_unlock ();
  return list;
}

/* ------------------------------------------------------------------ waiting */

typedef enum
{
  TURN_ENDED, /* nothing to wait for */
  TURN_MINE,  /* this thread waits for the process, and reaps it */
  TURN_OTHERS /* another one does, or it is a thread and tells by itself */
} Turn;

static Turn
take_turn (MprocProcess *self)
{
  Turn turn = TURN_OTHERS;

  mproc_local_lock ();
  if (self->state == MPROC_PROCESS_ENDED)
    turn = TURN_ENDED;
  else if (!self->reaping && self->method != MPROC_START_METHOD_THREAD)
    {
      self->reaping = TRUE;
      turn = TURN_MINE;
    }
  mproc_local_unlock ();
  return turn;
}

/* Notes the end of a reaped child.  A code that somebody else has taken away may stand
 * in its slot; that comes before the burial, which frees the slot. */
static void
note_end (MprocProcess *self)
{
  gint code = self->child.exit_code;

  if (code == MPROC_OS_EXIT_UNKNOWN && !mproc_member_get_exit_code (self->member, &code))
    code = 255;
  mproc_member_bury (self->member);
  mproc_local_lock ();
  self->exit_code = code;
  self->view.ended = TRUE;
  self->state = MPROC_PROCESS_ENDED;
  mproc_local_unlock ();
}

static gboolean
reap (MprocProcess *self, gint64 deadline)
{
  gboolean ended = self->note != NULL ? mproc_fork_note_wait (self, deadline)
                                      : mproc_os_child_wait (&self->child, deadline);

  if (ended)
    note_end (self);
  mproc_local_lock ();
  self->reaping = FALSE;
  mproc_local_unlock ();
  /* Others have it to themselves now, or the next one's turn has come. */
  mproc_word_wake (mproc_member_word (self->member), G_MAXINT32);
  return ended;
}

/* It has ended, but the thread that reaps it has not got round to saying so. */
static gboolean
is_about_to_end (MprocProcess *self)
{
  MprocOsIdentity who;

  if (self->method == MPROC_START_METHOD_THREAD)
    return FALSE;
  mproc_member_get_identity (self->member, &who);
  return who.pid == self->pid && mproc_os_is_dead (&who);
}

/* Off the list, once; the thread behind it is gone, too, for whoever asks first. */
static void
settle (MprocProcess *self)
{
  GThread *thread;
  gboolean was_listed;

  mproc_local_lock ();
  thread = g_steal_pointer (&self->thread);
  was_listed = remove_child (self);
  mproc_local_unlock ();
  if (thread != NULL)
    g_thread_join (thread);
  if (was_listed)
    mproc_process_unref (self);
}

gboolean
mproc_child_wait (MprocProcess *self, gint64 deadline)
{
  MprocAtomic32 *word = mproc_member_word (self->member);
  gboolean ended = FALSE, extended = FALSE;

  while (!ended)
    {
      guint32 value = mproc_load32 (word);
      Turn turn = take_turn (self);

      if (turn == TURN_MINE)
        {
          if (!reap (self, deadline))
            return FALSE;
          ended = TRUE;
        }
      else if (turn == TURN_ENDED)
        ended = TRUE;
      else if (g_get_monotonic_time () < deadline)
        mproc_word_wait (word, value, deadline);
      else if (!extended && is_about_to_end (self))
        {
          deadline = g_get_monotonic_time () + MPROC_NAP;
          extended = TRUE;
        }
      else
        return FALSE;
    }
  settle (self);
  return TRUE;
}

void
mproc_child_thread_ended (MprocProcess *self, gint exit_code)
{
  gintptr writer;

  mproc_local_lock ();
  self->exit_code = exit_code;
  self->state = MPROC_PROCESS_ENDED;
  writer = self->end_writer;
  self->end_writer = MPROC_OS_NONE;
  mproc_local_unlock ();
  if (writer != MPROC_OS_NONE)
    mproc_os_channel_close (writer);
}

/* ------------------------------------------------------------------ all of them */

/* Under the local lock. Only deaths by a signal cannot be seen in memory. */
static gboolean
has_probably_ended (MprocProcess *child)
{
  return child->state == MPROC_PROCESS_ENDED || !mproc_member_is_current (child->member);
}

/* Those that memory tells of, and one more, in turn: this costs one system call however
 * many there are, and every one is looked at in the end. */
static GPtrArray *
list_of_ended (void)
{
  static guint turn;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_process_unref);
  guint n = 0;

  mproc_local_lock ();
  for (MprocProcess *child = get_children (); child != NULL; child = child->next, n++)
    if (n == turn || has_probably_ended (child))
      g_ptr_array_add (list, mproc_process_ref (child));
  turn = turn + 1 < n ? turn + 1 : 0;
  mproc_local_unlock ();
  return list;
}

void
mproc_children_look (void)
{
  GPtrArray *list;

  if (!has_children ())
    return;
  list = list_of_ended ();
  for (guint i = 0; i < list->len; i++)
    mproc_child_wait (g_ptr_array_index (list, i), 0);
  g_ptr_array_unref (list);
}

static gboolean
end_daemon (MprocProcess *daemon, gint64 patience, gint64 deadline)
{
  if (mproc_child_wait (daemon, patience))
    return TRUE;
  mproc_process_kill (daemon, NULL);
  return mproc_child_wait (daemon, deadline);
}

static void
terminate_daemons (GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++)
    {
      MprocProcess *child = g_ptr_array_index (list, i);

      if (child->daemon && child->method != MPROC_START_METHOD_THREAD)
        mproc_process_terminate (child, NULL);
    }
}

/* A target that is a thread and calls exit () is waited for by its parent, and cannot
 * wait for itself. */
static gboolean
is_calling (MprocProcess *child)
{
  MprocProcess *at = mproc_process_current ();

  while (at != NULL && at != child)
    at = at->parent;
  return at != NULL;
}

static gboolean
end_all (GPtrArray *list, gint64 deadline)
{
  gint64 patience = MIN (deadline, g_get_monotonic_time () + PATIENCE);
  gboolean all = TRUE;

  terminate_daemons (list);
  for (guint i = 0; i < list->len; i++)
    {
      MprocProcess *child = g_ptr_array_index (list, i);

      if (is_calling (child))
        all = FALSE;
      /* A thread cannot be made to end; it ends with the process. */
      else if (child->daemon && child->method == MPROC_START_METHOD_THREAD)
        all = mproc_child_wait (child, 0) && all;
      else if (child->daemon)
        all = end_daemon (child, patience, deadline) && all;
      else
        all = mproc_child_wait (child, deadline) && all;
    }
  return all;
}

gboolean
mproc_children_end (MprocMember owner, gint64 deadline)
{
  GPtrArray *list;
  gboolean all;

  /* Most children have none, and end sooner for not making a list of them. */
  if (!has_children ())
    return TRUE;
  list = list_of (owner);
  all = end_all (list, deadline);
  g_ptr_array_unref (list);
  return all;
}

GPtrArray *
mproc_process_list_children (void)
{
  MprocMember self = mproc_self_or_none ();
  GPtrArray *list;

  if (self == 0)
    return g_ptr_array_new_with_free_func ((GDestroyNotify) mproc_process_unref);
  list = list_of (mproc_self ());
  for (guint i = list->len; i > 0; i--)
    if (mproc_child_wait (g_ptr_array_index (list, i - 1), 0))
      g_ptr_array_remove_index (list, i - 1);
  return list;
}
