/* SPDX-License-Identifier: MIT */
#include "remote.h"

#include "family/object.h"

#include <string.h>

/* ------------------------------------------------------------------ what is done */

static const char *
name_status (MprocLockStatus status)
{
  static const char *const names[] = { "timed out", "acquired", "recovered" };

  return names[status];
}

static char *
name_release (gboolean released, GError *error)
{
  char *name;

  if (released)
    name = g_strdup (error == NULL ? "released" : "released with an error");
  else if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_OVER_RELEASE))
    name = g_strdup ("over-release");
  else if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_NOT_OWNER))
    name = g_strdup ("not owner");
  else
    name = g_strdup (error != NULL ? error->message : "no error");
  g_clear_error (&error);
  return name;
}

static char *
name_answer (gboolean yes)
{
  return g_strdup (yes ? "yes" : "no");
}

static char *
do_lock (MprocLock *lock, const char *order, gint64 timeout)
{
  GError *error = NULL;
  gboolean released;

  if (strcmp (order, "acquire") == 0)
    return g_strdup (name_status (mproc_lock_acquire (lock, timeout)));
  if (strcmp (order, "is-locked") == 0)
    return name_answer (mproc_lock_is_locked (lock));
  released = mproc_lock_release (lock, &error);
  return name_release (released, error);
}

static char *
do_rlock (MprocRLock *lock, const char *order, gint64 timeout)
{
  GError *error = NULL;
  gboolean released;

  if (strcmp (order, "acquire") == 0)
    return g_strdup (name_status (mproc_rlock_acquire (lock, timeout)));
  if (strcmp (order, "is-locked") == 0)
    return name_answer (mproc_rlock_is_locked (lock));
  if (strcmp (order, "is-mine") == 0)
    return name_answer (mproc_rlock_is_mine (lock));
  released = mproc_rlock_release (lock, &error);
  return name_release (released, error);
}

static char *
do_semaphore (MprocSemaphore *semaphore, const char *order, gint64 timeout)
{
  GError *error = NULL;
  gboolean released;

  if (strcmp (order, "acquire") == 0)
    return g_strdup (mproc_semaphore_acquire (semaphore, timeout) ? "acquired"
                                                                  : "timed out");
  if (strcmp (order, "is-locked") == 0)
    return name_answer (mproc_semaphore_is_locked (semaphore));
  if (strcmp (order, "value") == 0)
    return g_strdup_printf ("%d", mproc_semaphore_get_value (semaphore));
  released = mproc_semaphore_release (semaphore, &error);
  return name_release (released, error);
}

static char *
do_event (MprocEvent *event, const char *order, gint64 timeout)
{
  if (strcmp (order, "wait") == 0)
    return g_strdup (mproc_event_wait (event, timeout) ? "set" : "timed out");
  if (strcmp (order, "is-set") == 0)
    return name_answer (mproc_event_is_set (event));
  if (strcmp (order, "set") == 0)
    mproc_event_set (event);
  else
    mproc_event_clear (event);
  return g_strdup ("done");
}

static char *
perform (gpointer object, const char *order, gint64 timeout)
{
  switch (((MprocObject *) object)->kind)
    {
    case MPROC_KIND_LOCK:
      return do_lock (object, order, timeout);
    case MPROC_KIND_RLOCK:
      return do_rlock (object, order, timeout);
    case MPROC_KIND_SEMAPHORE:
      return do_semaphore (object, order, timeout);
    case MPROC_KIND_EVENT:
      return do_event (object, order, timeout);
    default:
      return g_strdup ("what is this?");
    }
}

/* ------------------------------------------------------------------ who does it */

static GVariant *
obey (GVariant *args, GError **error)
{
  MprocQueue *orders, *answers;
  GVariant *given = g_variant_ref (args);
  GVariant *order;
  gpointer object;

  if (!mproc_unpack (args, error, "(&h&h&h)", &object, &orders, &answers))
    return NULL;
  while ((order = mproc_queue_get (orders, MPROC_FOREVER, error)) != NULL)
    {
      const char *verb;
      gint64 timeout;
      char *answer;

      if (mproc_unpack (order, NULL, "(&h)", &object))
        {
          g_variant_unref (given);
          given = order;
          continue;
        }
      g_variant_get (order, "(&sx)", &verb, &timeout);
      answer = strcmp (verb, "leave") != 0 ? perform (object, verb, timeout) : NULL;
      g_variant_unref (order);
      if (answer == NULL)
        break;
      mproc_test_say (answers, answer);
      g_free (answer);
    }
  g_variant_unref (given);
  return NULL;
}

Remote
remote_start (int i, gpointer object)
{
  Remote self = { NULL, mproc_queue_new (0, NULL), mproc_queue_new (0, NULL) };

  ck_assert (self.orders != NULL && self.answers != NULL);
  self.process =
      mproc_test_start (i, obey, mproc_pack ("(hhh)", object, self.orders, self.answers));
  return self;
}

void
remote_tell (Remote *self, const char *order, gint64 timeout)
{
  ck_assert (mproc_queue_put (self->orders, g_variant_new ("(sx)", order, timeout),
                              MPROC_FOREVER, NULL));
}

void
remote_expect (Remote *self, const char *answer)
{
  mproc_test_expect_text (self->answers, answer);
}

void
remote_ask (Remote *self, const char *order, gint64 timeout, const char *answer)
{
  remote_tell (self, order, timeout);
  remote_expect (self, answer);
}

gboolean
remote_has_answered (Remote *self)
{
  return mproc_queue_get_size (self->answers) > 0;
}

void
remote_give (Remote *self, gpointer object)
{
  ck_assert (mproc_queue_put (self->orders, mproc_pack ("(h)", object), MPROC_FOREVER,
                              NULL));
}

static void
drop_queues (Remote *self)
{
  mproc_queue_unref (self->orders);
  mproc_queue_unref (self->answers);
}

void
remote_end (Remote *self)
{
  remote_tell (self, "leave", 0);
  mproc_test_end_with (self->process, 0);
  drop_queues (self);
}

void
remote_kill_only (Remote *self)
{
  ck_assert (mproc_process_kill (self->process, NULL));
}

void
remote_bury (Remote *self)
{
  ck_assert (mproc_process_join (self->process, MPROC_FOREVER));
  mproc_process_unref (self->process);
  drop_queues (self);
}

void
remote_kill (Remote *self)
{
  remote_kill_only (self);
  remote_bury (self);
}

/* ------------------------------------------------------------------ here */

void
local_ask (gpointer object, const char *order, gint64 timeout, const char *answer)
{
  char *given = perform (object, order, timeout);

  ck_assert_str_eq (given, answer);
  g_free (given);
}

typedef struct
{
  gpointer object;
  const char *order;
  gint64 timeout;
} Order;

static gpointer
perform_in_thread (gpointer data)
{
  Order *self = data;

  return perform (self->object, self->order, self->timeout);
}

void
thread_ask (gpointer object, const char *order, gint64 timeout, const char *answer)
{
  Order self = { object, order, timeout };
  char *given = g_thread_join (g_thread_new ("asked", perform_in_thread, &self));

  ck_assert_str_eq (given, answer);
  g_free (given);
}
