/* SPDX-License-Identifier: MIT */
/* Locks, semaphores and events on their way from process to process. */
#include "remote.h"

#include "arena/arena.h"

typedef struct
{
  const char *name;
  gpointer (*make) (void);
  void (*drop) (gpointer object);
  const char *change, *changed;      /* an order that changes it, and its answer */
  const char *look, *before, *after; /* one that shows the change */
} Kind;

static gpointer
make_lock (void)
{
  return mproc_lock_new (NULL);
}

static void
drop_lock (gpointer object)
{
  mproc_lock_unref (object);
}

static gpointer
make_rlock (void)
{
  return mproc_rlock_new (NULL);
}

static void
drop_rlock (gpointer object)
{
  mproc_rlock_unref (object);
}

static gpointer
make_semaphore (void)
{
  return mproc_semaphore_new (2, 0, MPROC_SEMAPHORE_DEFAULT, NULL);
}

static gpointer
make_restoring (void)
{
  return mproc_semaphore_new (2, 2, MPROC_SEMAPHORE_RESTORE, NULL);
}

static void
drop_semaphore (gpointer object)
{
  mproc_semaphore_unref (object);
}

static gpointer
make_event (void)
{
  return mproc_event_new (NULL);
}

static void
drop_event (gpointer object)
{
  mproc_event_unref (object);
}

static const Kind kinds[] = {
  { "lock", make_lock, drop_lock, "acquire", "acquired", "is-locked", "no", "yes" },
  { "rlock", make_rlock, drop_rlock, "acquire", "acquired", "is-locked", "no", "yes" },
  { "semaphore", make_semaphore, drop_semaphore, "acquire", "acquired", "value", "2",
    "1" },
  { "restoring", make_restoring, drop_semaphore, "acquire", "acquired", "value", "2",
    "1" },
  { "event", make_event, drop_event, "set", "done", "is-set", "no", "yes" },
};

#define FOR_EACH_KIND(kind)                                                              \
  for (const Kind *kind = kinds; kind < kinds + G_N_ELEMENTS (kinds); kind++)

static gpointer
make (const Kind *kind)
{
  gpointer object = kind->make ();

  ck_assert_msg (object != NULL, "%s", kind->name);
  return object;
}

/* Takes the object out of the next message. */
static gpointer
get_object (MprocQueue *queue)
{
  GVariant *message = mproc_queue_get (queue, MPROC_SECONDS (30), NULL);
  gpointer object = NULL;

  ck_assert_ptr_nonnull (message);
  ck_assert (mproc_unpack (message, NULL, "(h)", &object));
  g_variant_unref (message);
  return object;
}

/* As an argument to one, through a queue to the other: it is the same for all. */
START_TEST (comes_by_argument_and_by_queue)
{
  FOR_EACH_KIND (kind)
  {
    gpointer object = make (kind);
    gpointer another = make (kind);
    Remote one = remote_start (_i, object);
    Remote two = remote_start (_i, another);

    remote_ask (&one, kind->look, 0, kind->before);
    remote_give (&two, object);
    remote_ask (&two, kind->look, 0, kind->before);
    remote_ask (&one, kind->change, 0, kind->changed);
    remote_ask (&two, kind->look, 0, kind->after);
    local_ask (object, kind->look, 0, kind->after);
    local_ask (another, kind->look, 0, kind->before);
    remote_give (&two, another);
    remote_ask (&two, kind->look, 0, kind->before);
    remote_end (&one);
    remote_end (&two);
    kind->drop (object);
    kind->drop (another);
  }
}
END_TEST

/* Only a message holds it, and its state is what it was. */
START_TEST (a_message_keeps_it)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);

  FOR_EACH_KIND (kind)
  {
    gpointer object = make (kind);

    local_ask (object, kind->change, 0, kind->changed);
    ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", object), MPROC_FOREVER, NULL));
    kind->drop (object);
    /* Something else may be made where it was. */
    object = make (kind);
    kind->drop (object);
    object = get_object (queue);
    local_ask (object, kind->look, 0, kind->after);
    kind->drop (object);
  }
  mproc_queue_unref (queue);
}
END_TEST

/* Held by its first holder under whatever pointer. */
START_TEST (another_pointer_is_the_same_rlock)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);
  MprocRLock *lock = mproc_rlock_new (NULL);

  local_ask (lock, "acquire", 0, "acquired");
  ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", lock), MPROC_FOREVER, NULL));
  mproc_rlock_unref (lock);
  lock = get_object (queue);
  local_ask (lock, "is-mine", 0, "yes");
  local_ask (lock, "acquire", 0, "acquired");
  local_ask (lock, "release", 0, "released");
  thread_ask (lock, "release", 0, "not owner");
  local_ask (lock, "release", 0, "released");
  local_ask (lock, "is-locked", 0, "no");
  mproc_rlock_unref (lock);
  mproc_queue_unref (queue);
}
END_TEST

/* A target: what it makes is only in the queue when it ends. */
static GVariant *
make_and_send (GVariant *args, GError **error)
{
  MprocQueue *queue;
  gpointer object;
  gint32 kind;
  gboolean ok;

  if (!mproc_unpack (args, error, "(&hi)", &queue, &kind))
    return NULL;
  object = kinds[kind].make ();
  if (object == NULL)
    return NULL;
  ok = mproc_queue_put (queue, mproc_pack ("(h)", object), MPROC_FOREVER, error);
  kinds[kind].drop (object);
  return ok ? g_variant_new_boolean (TRUE) : NULL;
}

START_TEST (outlives_its_maker)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);

  for (gint32 k = 0; k < (gint32) G_N_ELEMENTS (kinds); k++)
    {
      gpointer object;
      Remote other;

      mproc_test_end_with (mproc_test_start (_i, make_and_send,
                                             mproc_pack ("(hi)", queue, k)),
                           0);
      object = get_object (queue);
      local_ask (object, kinds[k].look, 0, kinds[k].before);
      other = remote_start (_i, object);
      remote_ask (&other, kinds[k].change, 0, kinds[k].changed);
      local_ask (object, kinds[k].look, 0, kinds[k].after);
      remote_end (&other);
      kinds[k].drop (object);
    }
  mproc_queue_unref (queue);
}
END_TEST

/* A child forked while its parent has it open needs no message. */
static gpointer lent;
static const Kind *lent_kind;

static GVariant *
change_the_lent (GVariant *args, GError **error)
{
  (void) args;
  (void) error;
  if (lent_kind->make == make_event)
    mproc_event_set (lent);
  else if (lent_kind->make == make_lock)
    mproc_lock_acquire (lent, 0);
  else if (lent_kind->make == make_rlock)
    mproc_rlock_acquire (lent, 0);
  else
    mproc_semaphore_acquire (lent, 0);
  return NULL;
}

START_TEST (a_fork_has_what_its_parent_has)
{
  if (mproc_test_method (_i) != MPROC_START_METHOD_FORK)
    return; /* the others start without the parent's variables, or share them */
  FOR_EACH_KIND (kind)
  {
    lent = make (kind);
    lent_kind = kind;
    mproc_test_end_with (mproc_test_start (_i, change_the_lent, NULL), 0);
    local_ask (lent, kind->look, 0, kind->after);
    kind->drop (lent);
  }
}
END_TEST

/* What is dropped, by us or with a message, is used again. */
START_TEST (leaves_nothing_behind)
{
  MprocQueue *queue = mproc_queue_new (0, NULL);

  FOR_EACH_KIND (kind)
  {
    guint64 committed = 0;

    for (guint i = 0; i < 400; i++)
      {
        gpointer object = make (kind);

        if (i % 2 == 0)
          ck_assert (mproc_queue_put (queue, mproc_pack ("(h)", object), MPROC_FOREVER,
                                      NULL));
        kind->drop (object);
        if (i % 2 == 0)
          g_variant_unref (mproc_queue_get (queue, MPROC_FOREVER, NULL));
        if (i == 50)
          committed = mproc_arena_get_committed ();
      }
    ck_assert_uint_eq (mproc_arena_get_committed (), committed);
  }
  mproc_queue_unref (queue);
}
END_TEST

START_TEST (kinds_are_not_taken_for_each_other)
{
  mproc_test_count_criticals ();
  FOR_EACH_KIND (kind)
  {
    gpointer object = make (kind);

    if (kind->make != make_lock)
      ck_assert_int_eq (mproc_lock_acquire (object, 0), MPROC_LOCK_STATUS_TIMED_OUT);
    if (kind->make != make_rlock)
      ck_assert_int_eq (mproc_rlock_acquire (object, 0), MPROC_LOCK_STATUS_TIMED_OUT);
    if (kind->drop != drop_semaphore)
      ck_assert (!mproc_semaphore_acquire (object, 0));
    if (kind->make != make_event)
      ck_assert (!mproc_event_wait (object, 0));
    local_ask (object, kind->look, 0, kind->before);
    kind->drop (object);
  }
  ck_assert_uint_eq (mproc_test_count_criticals (), 3 * G_N_ELEMENTS (kinds));
}
END_TEST

Suite *
mproc_test_sync_share_suite (void)
{
  Suite *suite = suite_create ("sync-share");
  TCase *tcase = mproc_test_case (suite, "share");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, comes_by_argument_and_by_queue, 0, n);
  tcase_add_test (tcase, a_message_keeps_it);
  tcase_add_test (tcase, another_pointer_is_the_same_rlock);
  tcase_add_loop_test (tcase, outlives_its_maker, 0, n);
  tcase_add_loop_test (tcase, a_fork_has_what_its_parent_has, 0, n);
  tcase_add_test (tcase, leaves_nothing_behind);
  tcase_add_test (tcase, kinds_are_not_taken_for_each_other);
  return suite;
}
