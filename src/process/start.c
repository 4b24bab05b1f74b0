/* SPDX-License-Identifier: MIT */
/* Which way a process is started, and what all ways have in common. */
#include "process/forkserver.h"

#include "os.h"
#include "process/guard.h"

/* ------------------------------------------------------------------ the method */

static MprocStartMethod
get_default (gboolean *is_set)
{
  MprocProcess *current = mproc_process_current ();
  MprocStartMethod method;

  mproc_local_lock ();
  method = current->default_method;
  *is_set = current->default_is_set;
  mproc_local_unlock ();
  return method;
}

MprocStartMethod
mproc_get_start_method (void)
{
  gboolean is_set;
  MprocStartMethod method = get_default (&is_set);

  if (method != MPROC_START_METHOD_DEFAULT)
    return method;
  return mproc_os_prefers_fork () ? MPROC_START_METHOD_FORK : MPROC_START_METHOD_SPAWN;
}

/* FALSE with error if this system does not have it. */
static gboolean
is_supported (MprocStartMethod method, GError **error)
{
  if (method == MPROC_START_METHOD_FORK && !mproc_os_can_fork ())
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                         "this system cannot fork: use MPROC_START_METHOD_SPAWN");
  else if (method == MPROC_START_METHOD_FORKSERVER && !mproc_os_can_fork ())
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
                         "this system cannot fork, so that there is no forkserver: use "
                         "MPROC_START_METHOD_SPAWN");
  else
    return TRUE;
  return FALSE;
}

gboolean
mproc_set_start_method (MprocStartMethod method, GError **error)
{
  MprocProcess *current = mproc_process_current ();
  gboolean was_set;

  g_return_val_if_fail ((guint) method <= MPROC_START_METHOD_THREAD, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!is_supported (method, error))
    return FALSE;
  mproc_local_lock ();
  was_set = current->default_is_set;
  if (!was_set)
    {
      current->default_is_set = TRUE;
      current->default_method = method;
    }
  mproc_local_unlock ();
  if (was_set)
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_STATE,
                         current->role == MPROC_PROCESS_MAIN
                             ? "the start method has been set already"
                             : "a child process starts others as it was started itself");
  return !was_set;
}

/* How many threads there are that are not ours, the calling one not counted. One of
 * ours that has been joined may be seen for an instant longer. */
static guint
count_foreign_threads (void)
{
  guint n = mproc_os_thread_count ();

  while (n > 1 + mproc_own_thread_count () && mproc_own_thread_is_ending ())
    {
      g_usleep (500);
      n = mproc_os_thread_count ();
    }
  return n > 1 + mproc_own_thread_count () ? n - 1 - mproc_own_thread_count () : 0;
}

/* Forking beside other threads leaves the child with the locks that they held.  A server
 * has none, unless the program or its libraries start threads before mproc_init. */
static MprocStartMethod
choose (GError **error)
{
  guint n_threads;

  if (!mproc_os_prefers_fork ())
    return MPROC_START_METHOD_SPAWN;
  n_threads = count_foreign_threads ();
  if (n_threads == 0)
    return MPROC_START_METHOD_FORK;
  if (mproc_spawn_is_possible ())
    return mproc_forkserver_is_single () ? MPROC_START_METHOD_FORKSERVER
                                         : MPROC_START_METHOD_SPAWN;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE,
               "this process has more than one thread (%u), so that it cannot be forked "
               "safely, and it has not called mproc_init(), so that it cannot "
               "spawn: " MPROC_GUARD_ADVICE
               ", start processes before threads, or ask for MPROC_START_METHOD_FORK",
               n_threads + 1);
  return MPROC_START_METHOD_DEFAULT;
}

MprocStartMethod
mproc_start_resolve (MprocStartMethod wanted, GError **error)
{
  gboolean is_set;

  if (wanted == MPROC_START_METHOD_DEFAULT)
    wanted = get_default (&is_set);
  if (wanted == MPROC_START_METHOD_DEFAULT)
    return choose (error);
  return is_supported (wanted, error) ? wanted : MPROC_START_METHOD_DEFAULT;
}

/* ------------------------------------------------------------------ the start */

gboolean
mproc_start_refuses_interrupt (MprocProcess *self)
{
  return self->internal && self->quiet;
}

gboolean
mproc_start_is_bound (MprocProcess *self)
{
  return (self->daemon || self->internal) && !self->watches_parent;
}

void
mproc_start_done (MprocProcess *self, MprocMember member, const MprocOsChild *child)
{
  mproc_local_lock ();
  self->member = member;
  self->pid = child != NULL ? child->pid : mproc_os_pid ();
  if (child != NULL)
    self->child = self->view = *child;
  self->state = MPROC_PROCESS_STARTED;
  mproc_local_unlock ();
}

static gboolean
may_start (GError **error)
{
  MprocProcess *current = mproc_process_current ();

  if (!current->daemon)
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_STATE,
                       "daemonic processes are not allowed to have children");
  return FALSE;
}

static gboolean
begin (MprocProcess *self, GError **error)
{
  gboolean is_first;

  mproc_local_lock ();
  is_first = self->state == MPROC_PROCESS_INITIAL;
  if (is_first)
    self->state = MPROC_PROCESS_STARTING;
  mproc_local_unlock ();
  if (!is_first)
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_STATE, "%s has been started before",
                 self->name);
  return is_first;
}

static void
give_up (MprocProcess *self, MprocStartMethod wanted)
{
  self->method = wanted;
  mproc_local_lock ();
  self->state = MPROC_PROCESS_INITIAL;
  self->pid = 0;
  self->member = 0;
  mproc_local_unlock ();
}

static gboolean
start_by (MprocProcess *self, GError **error)
{
  switch (self->method)
    {
    case MPROC_START_METHOD_FORK:
      return mproc_start_by_fork (self, error);
    case MPROC_START_METHOD_SPAWN:
      return mproc_start_by_spawn (self, error);
    case MPROC_START_METHOD_FORKSERVER:
      return mproc_start_by_forkserver (self, error);
    case MPROC_START_METHOD_THREAD:
      return mproc_start_by_thread (self, error);
    default:
      return FALSE;
    }
}

/* A child starts its own as it was started; one that was forked because that was safe
 * goes on looking whether it is. */
static MprocStartMethod
default_for_child (MprocStartMethod wanted, MprocStartMethod method)
{
  gboolean is_set;

  if (method == MPROC_START_METHOD_FORK && wanted == MPROC_START_METHOD_DEFAULT)
    return get_default (&is_set);
  return method;
}

gboolean
mproc_process_start (MprocProcess *self, GError **error)
{
  MprocStartMethod wanted;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (mproc_process_is_mine (self), FALSE);

  if (!may_start (error) || !mproc_family_ensure (error) || !begin (self, error))
    return FALSE;
  mproc_exit_prepare ();
  mproc_children_look ();

  wanted = self->method;
  self->method = mproc_start_resolve (wanted, error);
  self->default_method = default_for_child (wanted, self->method);
  self->default_is_set = TRUE;
  self->owner = mproc_self ();
  if (!start_by (self, error))
    {
      give_up (self, wanted);
      return FALSE;
    }
  if (!self->internal)
    mproc_children_add (self);
  /* A thread shares the object, and drops them itself. */
  if (self->method != MPROC_START_METHOD_THREAD)
    {
      self->func = NULL;
      g_clear_pointer (&self->args, g_variant_unref);
    }
  return TRUE;
}
