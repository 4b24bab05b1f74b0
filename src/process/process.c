/* SPDX-License-Identifier: MIT */
/* The object: what is known of a process, and who the current one is.  How it starts is
 * in start.c, how it ends in children.c and run.c. */
#include "process/processdata.h"

#include "family/entry.h"

#include <string.h>

#define AUTHKEY_SIZE 32

static MprocProcess *process_self; /* once somebody has asked; atomic */
static GPrivate thread_self;       /* in a thread started as a process */

/* ------------------------------------------------------------------ lifecycle */

static void
close_process (MprocObject *object)
{
  MprocProcess *self = (MprocProcess *) object;

  g_clear_pointer (&self->args, g_variant_unref);
  g_clear_pointer (&self->authkey, g_bytes_unref);
  g_clear_pointer (&self->thread, g_thread_unref);
  mproc_process_unref (self->parent);
  if (self->view.handle == self->child.handle)
    self->view.handle = MPROC_OS_NONE;
  mproc_os_child_clear (&self->child);
  mproc_os_child_clear (&self->view);
  if (self->end_reader != MPROC_OS_NONE)
    mproc_os_channel_close (self->end_reader);
  if (self->end_writer != MPROC_OS_NONE)
    mproc_os_channel_close (self->end_writer);
  g_free (self->name);
  g_free (self->path);
  g_free (self);
}

MprocProcess *
mproc_process_new_bare (MprocProcessRole role, const char *name)
{
  static const MprocClass class_ = { .name = "process",
                                     .kind = MPROC_KIND_PROCESS,
                                     .close = close_process };
  const MprocOsChild no_child = { .handle = MPROC_OS_NONE,
                                  .exit_code = MPROC_OS_EXIT_UNKNOWN };
  MprocProcess *self = g_new0 (MprocProcess, 1);

  mproc_object_set_class (&class_);
  mproc_object_init (&self->base, MPROC_KIND_PROCESS);
  self->role = role;
  self->name = g_strdup (name);
  self->child = self->view = no_child;
  self->end_reader = self->end_writer = MPROC_OS_NONE;
  return self;
}

/* By hand: printf reaches down into pages of the stack that every fork makes dear. */
static void
number_child (MprocProcess *self, MprocProcess *parent)
{
  char digits[16];
  char *digit = digits + sizeof digits;

  self->number = g_atomic_int_add (&parent->n_children, 1) + 1;
  *--digit = '\0';
  for (guint rest = (guint) self->number; rest > 0; rest /= 10)
    *--digit = (char) ('0' + rest % 10);
  if (parent->path == NULL || *parent->path == '\0')
    self->path = g_strdup (digit);
  else
    self->path = g_strconcat (parent->path, ":", digit, NULL);
  self->name = g_strconcat ("Process-", self->path, NULL);
}

static gpointer
make_unit (gpointer unused)
{
  (void) unused;
  return g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
}

/* `()`, made once. */
static GVariant *
get_unit (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, make_unit, NULL);
}

GVariant *
mproc_process_peek_args (MprocProcess *self)
{
  return self->args != NULL ? self->args : get_unit ();
}

MprocProcess *
mproc_process_new (MprocFunc func, GVariant *args)
{
  MprocProcess *parent = mproc_process_current ();
  MprocProcess *self = mproc_process_new_bare (MPROC_PROCESS_CHILD, NULL);

  self->func = func;
  self->args = args != NULL ? g_variant_ref_sink (args) : NULL;
  /* Before any fork: to make it in the child costs twenty page faults. */
  get_unit ();
  number_child (self, parent);
  self->authkey = g_bytes_ref (mproc_process_get_authkey (parent));
  self->creator = mproc_os_pid ();
  self->daemon = parent->daemon;
  return self;
}

MprocProcess *
mproc_process_ref (MprocProcess *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), NULL);

  mproc_object_ref (&self->base);
  return self;
}

void
mproc_process_unref (MprocProcess *self)
{
  g_return_if_fail (self == NULL || mproc_object_is (self, MPROC_KIND_PROCESS));

  if (self != NULL)
    mproc_object_unref (&self->base);
}

/* ------------------------------------------------------------------ who is who */

MprocProcess *
mproc_process_get_process (void)
{
  MprocProcess *self = g_atomic_pointer_get (&process_self);
  MprocProcess *fresh;

  if (G_LIKELY (self != NULL))
    return self;
  fresh = mproc_process_new_bare (MPROC_PROCESS_MAIN, "MainProcess");
  fresh->state = MPROC_PROCESS_STARTED;
  if (g_atomic_pointer_compare_and_exchange (&process_self, NULL, fresh))
    return fresh;
  mproc_process_unref (fresh);
  return g_atomic_pointer_get (&process_self);
}

MprocProcess *
mproc_process_current (void)
{
  MprocProcess *self = g_private_get (&thread_self);

  return self != NULL ? self : mproc_process_get_process ();
}

MprocProcess *
mproc_process_parent (void)
{
  return mproc_process_current ()->parent;
}

void
mproc_process_become (MprocProcess *self, MprocProcess *parent, gint64 pid)
{
  /* A thread that was a process in the parent is the main thread here. */
  if (parent != process_self && process_self != NULL)
    g_private_set (&thread_self, NULL);
  self->parent = parent;
  self->creator = 0;
  self->pid = pid;
  self->state = MPROC_PROCESS_STARTED;
  g_atomic_pointer_set (&process_self, self);
}

void
mproc_process_become_thread (MprocProcess *self)
{
  g_private_set (&thread_self, self);
}

gboolean
mproc_process_is_current (MprocProcess *self)
{
  return self == g_private_get (&thread_self) ||
         self == g_atomic_pointer_get (&process_self);
}

gboolean
mproc_process_is_mine (MprocProcess *self)
{
  return self->role == MPROC_PROCESS_CHILD && self->creator == mproc_os_pid ();
}

MprocMember
mproc_process_get_member (MprocProcess *self)
{
  return self->member;
}

/* ------------------------------------------------------------------ before the start */

static gboolean
is_settable (MprocProcess *self)
{
  gboolean is_initial;

  mproc_local_lock ();
  is_initial = self->state == MPROC_PROCESS_INITIAL;
  mproc_local_unlock ();
  return is_initial && mproc_process_is_mine (self);
}

void
mproc_process_set_name (MprocProcess *self, const char *name)
{
  g_return_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS));
  g_return_if_fail (name != NULL);
  g_return_if_fail (is_settable (self) || mproc_process_is_current (self));

  if (name != self->name)
    {
      g_free (self->name);
      self->name = g_strdup (name);
    }
}

const char *
mproc_process_get_name (MprocProcess *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), NULL);

  return self->name;
}

void
mproc_process_set_daemon (MprocProcess *self, gboolean daemon)
{
  g_return_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS));
  g_return_if_fail (is_settable (self));

  self->daemon = daemon != FALSE;
}

gboolean
mproc_process_is_daemon (MprocProcess *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), FALSE);

  return self->daemon;
}

void
mproc_process_set_start_method (MprocProcess *self, MprocStartMethod method)
{
  g_return_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS));
  g_return_if_fail ((guint) method <= MPROC_START_METHOD_THREAD);
  g_return_if_fail (is_settable (self));

  self->method = method;
}

MprocStartMethod
mproc_process_get_start_method (MprocProcess *self)
{
  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS),
                        MPROC_START_METHOD_DEFAULT);

  return self->method;
}

void
mproc_process_set_func (MprocProcess *self, MprocFunc func)
{
  g_return_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS));
  g_return_if_fail (is_settable (self));

  self->func = func;
}

void
mproc_process_set_authkey (MprocProcess *self, GBytes *authkey)
{
  GBytes *old;

  g_return_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS));
  g_return_if_fail (authkey != NULL);
  g_return_if_fail (is_settable (self) || mproc_process_is_current (self));

  g_bytes_ref (authkey);
  mproc_local_lock ();
  old = self->authkey;
  self->authkey = authkey;
  mproc_local_unlock ();
  if (old != NULL)
    g_bytes_unref (old);
}

GBytes *
mproc_process_get_authkey (MprocProcess *self)
{
  guint8 *random;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), NULL);

  mproc_local_lock ();
  if (self->authkey == NULL)
    {
      random = g_malloc (AUTHKEY_SIZE);
      mproc_os_random (random, AUTHKEY_SIZE);
      self->authkey = g_bytes_new_take (random, AUTHKEY_SIZE);
    }
  mproc_local_unlock ();
  return self->authkey;
}

void
mproc_process_set_internal (MprocProcess *self, gboolean quiet)
{
  MprocProcess *parent = mproc_process_current ();

  g_return_if_fail (is_settable (self));

  self->internal = TRUE;
  self->daemon = FALSE;
  self->quiet = quiet;
  /* The number goes back, unless somebody has got the next one already. */
  g_atomic_int_compare_and_exchange (&parent->n_children, self->number, self->number - 1);
}

/* ------------------------------------------------------------------ looking at it */

gint64
mproc_process_get_pid (MprocProcess *self)
{
  gint64 pid;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), 0);

  if (mproc_process_is_current (self))
    return mproc_os_pid ();
  mproc_local_lock ();
  pid = self->pid;
  mproc_local_unlock ();
  return pid;
}

static char *
describe_exit (int exit_code)
{
  const char *signal = exit_code < 0 ? mproc_os_signal_name (-exit_code) : NULL;

  if (exit_code == 0)
    return g_strdup ("stopped");
  if (signal != NULL)
    return g_strdup_printf ("stopped[%s]", signal);
  return g_strdup_printf ("stopped[%d]", exit_code);
}

static char *
describe_state (MprocProcess *self)
{
  int exit_code;

  if (mproc_process_is_current (self))
    return g_strdup ("started");
  if (!mproc_process_is_mine (self))
    return g_strdup ("unknown");
  if (mproc_process_get_exit_code (self, &exit_code))
    return describe_exit (exit_code);
  return g_strdup (mproc_process_get_pid (self) == 0 ? "initial" : "started");
}

char *
mproc_process_to_string (MprocProcess *self)
{
  static const char *const classes[] = { "_MainProcess", "Process", "ParentProcess" };
  char *state, *text;

  g_return_val_if_fail (mproc_object_is (self, MPROC_KIND_PROCESS), NULL);

  state = describe_state (self);
  text = g_strdup_printf ("<%s(%s, %s%s)>", classes[self->role], self->name, state,
                          self->daemon ? " daemon" : "");
  g_free (state);
  return text;
}
