/* SPDX-License-Identifier: MIT */
/* Deaths in the code of objects: entries, holders, messages, function tickets. */
#include "crash.h"

#include "family/entry.h"
#include "family/function.h"
#include "family/object.h"

/* ------------------------------------------------------------------ locks in values */

/* Makes a lock, sends it to itself, lets go of both. */
static GVariant *
send_locks (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < 5; i++)
    {
      MprocLock *lock = mproc_lock_new (error);
      GVariant *value;

      if (lock == NULL ||
          !mproc_queue_put (part.object, mproc_pack ("(h)", lock), 0, error))
        mproc_process_exit (9);
      mproc_lock_unref (lock);
      value = mproc_queue_get (part.object, MPROC_FOREVER, error);
      if (value == NULL)
        mproc_process_exit (9);
      g_variant_unref (value);
    }
  return NULL;
}

/* Makes locks, puts them, and has them all dropped. */
static GVariant *
drop_locks (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < 3; i++)
    {
      MprocLock *lock = mproc_lock_new (error);

      if (lock == NULL ||
          !mproc_queue_put (part.object, mproc_pack ("(h)", lock), 0, error))
        mproc_process_exit (9);
      mproc_lock_unref (lock);
    }
  mproc_queue_shutdown (part.object, TRUE);
  return NULL;
}

/* Makes locks, and lets go of them. */
static GVariant *
make_locks (GVariant *args, GError **error)
{
  CrashPart part;

  if (!crash_begin (args, &part, error))
    return NULL;
  for (guint i = 0; i < 5; i++)
    mproc_lock_unref (mproc_lock_new (error));
  return NULL;
}

static void
make_queue (CrashTrial *trial)
{
  trial->object = mproc_queue_new (0, NULL);
}

/* Others make, send, open and drop objects as before, and the dead one's queue lives. */
static void
expect_objects (CrashTrial *trial)
{
  MprocQueue *queue = trial->object;
  gboolean ended = trial->plan->scene->doomed == drop_locks;
  MprocQueue *mine = ended ? mproc_queue_new (0, NULL) : mproc_queue_ref (queue);
  MprocLock *lock = mproc_lock_new (NULL), *copy = NULL;
  GVariant *value;

  if (ended)
    mproc_queue_shutdown (queue, TRUE);
  while ((value = mproc_queue_get (mine, 0, NULL)) != NULL)
    g_variant_unref (value);
  ck_assert (mproc_queue_put (mine, mproc_pack ("(h)", lock), 0, NULL));
  value = mproc_queue_get (mine, 0, NULL);
  ck_assert (value != NULL && mproc_unpack (value, NULL, "(&h)", &copy));
  ck_assert_ptr_eq (copy, lock);
  crash_has_gone_on (trial);
  g_variant_unref (value);
  ck_assert (mproc_entry_is_live (((MprocObject *) lock)->handle));
  mproc_lock_unref (lock);
  mproc_queue_unref (mine);
}

static const CrashScene of_sending = {
  .set_up = make_queue,
  .doomed = send_locks,
  .check = expect_objects,
};
static const CrashScene of_dropping = {
  .set_up = make_queue,
  .doomed = drop_locks,
  .check = expect_objects,
};
static const CrashScene of_making = {
  .set_up = make_queue,
  .doomed = make_locks,
  .check = expect_objects,
};

/* ------------------------------------------------------------------ tickets */

/* Each trial needs a function that nobody has asked for. */
#define TARGETS(TARGET)                                                                  \
  TARGET (t00)                                                                           \
  TARGET (t01)                                                                           \
  TARGET (t02)                                                                           \
  TARGET (t03)                                                                           \
  TARGET (t04)                                                                           \
  TARGET (t05)                                                                           \
  TARGET (t06)                                                                           \
  TARGET (t07)                                                                           \
  TARGET (t08)                                                                           \
  TARGET (t09)                                                                           \
  TARGET (t10)                                                                           \
  TARGET (t11)                                                                           \
  TARGET (t12)                                                                           \
  TARGET (t13)                                                                           \
  TARGET (t14)                                                                           \
  TARGET (t15)                                                                           \
  TARGET (t16)                                                                           \
  TARGET (t17)                                                                           \
  TARGET (t18)                                                                           \
  TARGET (t19)                                                                           \
  TARGET (t20)                                                                           \
  TARGET (t21)                                                                           \
  TARGET (t22)                                                                           \
  TARGET (t23)                                                                           \
  TARGET (t24)                                                                           \
  TARGET (t25)                                                                           \
  TARGET (t26)                                                                           \
  TARGET (t27)                                                                           \
  TARGET (t28)                                                                           \
  TARGET (t29)                                                                           \
  TARGET (t30)                                                                           \
  TARGET (t31)                                                                           \
  TARGET (t32)                                                                           \
  TARGET (t33)                                                                           \
  TARGET (t34)                                                                           \
  TARGET (t35)                                                                           \
  TARGET (t36)                                                                           \
  TARGET (t37)                                                                           \
  TARGET (t38)                                                                           \
  TARGET (t39)                                                                           \
  TARGET (t40)                                                                           \
  TARGET (t41)                                                                           \
  TARGET (t42) TARGET (t43) TARGET (t44) TARGET (t45) TARGET (t46) TARGET (t47)

#define DEFINE_TARGET(name)                                                              \
  static GVariant *name (GVariant *args, GError **error)                                 \
  {                                                                                      \
    (void) args, (void) error;                                                           \
    return g_variant_new_string (#name);                                                 \
  }

TARGETS (DEFINE_TARGET)

#define LIST_TARGET(name) name,

static const MprocFunc targets[] = { TARGETS (LIST_TARGET) };
static guint next_target;

static void
choose_target (CrashTrial *trial)
{
  trial->object = mproc_lock_new (NULL);
  ck_assert_uint_lt (next_target, G_N_ELEMENTS (targets));
  mproc_store32 (&trial->stage->taken, next_target++);
}

static GVariant *
ask_for_ticket (GVariant *args, GError **error)
{
  CrashPart part;

  if (crash_begin (args, &part, error) &&
      mproc_function_get_ticket (targets[mproc_load32 (&part.stage->taken)], error) == 0)
    mproc_process_exit (9);
  return NULL;
}

/* The ticket is there for good, once. */
static void
expect_ticket (CrashTrial *trial)
{
  MprocFunc func = targets[mproc_load32 (&trial->stage->taken)];
  MprocHandle ticket = mproc_function_get_ticket (func, NULL);

  crash_has_gone_on (trial);
  ck_assert_int_gt (ticket, 0);
  ck_assert (mproc_function_resolve (ticket, NULL) == func);
  ck_assert_int_eq (mproc_function_get_ticket (func, NULL), ticket);
  trial->more_blocks = 1;
  trial->more_entries = 1;
}

static const CrashScene of_tickets = {
  .set_up = choose_target,
  .doomed = ask_for_ticket,
  .check = expect_ticket,
};

/* ------------------------------------------------------------------ the plans */

#define AT(name) .at = MPROC_CRASH_##name
#define LOSES_OBJECT .lost_blocks = 1, .lost_entries = 1

static const CrashPlan plans[] = {
  { AT (ENTRY_CLAIMED), &of_making, 2, LOSES_OBJECT },
  { AT (ENTRY_FILLED), &of_making, 2, LOSES_OBJECT },
  { AT (ENTRY_HELD), &of_making, 2, LOSES_OBJECT },
  { AT (ENTRY_LIVE), &of_making, 2 },
  { AT (HOLDER_SET), &of_sending, 3, LOSES_OBJECT },
  { AT (HOLDER_TAKEN), &of_sending, 2, LOSES_OBJECT },
  { AT (HOLDER_DROPPED), &of_making, 2 },
  { AT (SEND_COUNTED), &of_sending, 2, LOSES_OBJECT },
  { AT (SEND_MOVED), &of_sending, 2, LOSES_OBJECT },
  { AT (MESSAGE_OPENED), &of_sending, 2, LOSES_OBJECT },
  { AT (MESSAGE_DROPPED), &of_sending, 2 },
  { AT (DROP_COUNTED), &of_dropping, 2 },
  { AT (DESTROY_BEGUN), &of_making, 2, LOSES_OBJECT },
  { AT (DESTROY_FREED), &of_making, 2, .lost_entries = 1 },
  { AT (DESTROY_CLEARED), &of_making, 2, .lost_entries = 1 },
  { AT (TICKET_FILLED), &of_tickets, .lost_blocks = 1 },
  { AT (TICKET_COUNTED), &of_tickets, LOSES_OBJECT },
  { AT (TICKET_LIVE), &of_tickets },
};

CRASH_SUITE (crash_object, "crash-object", MPROC_CRASH_OBJECT_POINTS)
