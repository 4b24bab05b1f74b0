/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include "family/object.h"
#include "process/forkserver.h"
#include "processes.h"

/* How soon the others have to have gone on, in the best of some attempts, and in each. */
#define SOON (mproc_test_is_slow_platform () ? 3 * G_USEC_PER_SEC : 300 * 1000)
#define EVER (10 * G_USEC_PER_SEC)
#define ATTEMPTS (mproc_test_is_slow_platform () ? 2 : 5)

guint crash_n_points;

/* ------------------------------------------------------------------ in the processes */

gboolean
crash_begin (GVariant *args, CrashPart *part, GError **error)
{
  guint32 at, passing;
  guint64 offset;

  if (!mproc_unpack (args, error, "(uuit&h)", &at, &passing, &part->number, &offset,
                     &part->object))
    return FALSE;
  part->stage = mproc_arena_at (offset, sizeof *part->stage);
  mproc_crash_arm ((MprocCrash) at, passing);
  return TRUE;
}

gboolean
crash_goes_on (const CrashPart *part, guint round)
{
  const CrashStage *stage = part->stage;

  if (mproc_load32 (&stage->stop))
    return FALSE;
  if (part->number >= 0 || round < 50)
    return TRUE;
  return mproc_load32 (&stage->armed) &&
         (guint64) g_get_monotonic_time () < mproc_load64 (&stage->deadline);
}

static void
wait_for_bits (CrashStage *stage, const MprocAtomic32 *word, guint32 bits, gint64 longest)
{
  gint64 deadline = g_get_monotonic_time () + longest;

  while (!(mproc_load32 (word) & bits) && !mproc_load32 (&stage->stop) &&
         g_get_monotonic_time () < deadline)
    g_thread_yield ();
}

void
crash_wait_for_bits (CrashStage *stage, const MprocAtomic32 *word, guint32 bits)
{
  wait_for_bits (stage, word, bits, EVER);
}

void
crash_wait_a_little (CrashStage *stage, const MprocAtomic32 *word, guint32 bits)
{
  wait_for_bits (stage, word, bits, 2000);
}

/* ------------------------------------------------------------------ starting them */

static GVariant *
arguments_for (CrashTrial *trial, MprocCrash at, guint passing, gint number)
{
  return mproc_pack ("(uuith)", (guint32) at, (guint32) passing, (gint32) number,
                     (guint64) trial->offset, trial->object);
}

MprocProcess *
crash_start (CrashTrial *trial, MprocFunc func, MprocCrash at, guint passing, gint number)
{
  return mproc_test_start (trial->method, func,
                           arguments_for (trial, at, passing, number));
}

/* Of the trial that is going on; a failed one leaves them behind. */
static MprocProcess *survivors[CRASH_N_SURVIVORS];

/* They die with this process, should it fail. */
static MprocProcess *
start_survivor (CrashTrial *trial, gint number)
{
  MprocProcess *process =
      mproc_process_new (trial->plan->scene->survivor,
                         arguments_for (trial, MPROC_CRASH_NOWHERE, 0, number));

  mproc_process_set_daemon (process, TRUE);
  mproc_test_start_it (trial->method, process);
  return process;
}

static void
start_survivors (CrashTrial *trial)
{
  for (gint i = 0; trial->plan->scene->survivor != NULL && i < CRASH_N_SURVIVORS; i++)
    survivors[i] = start_survivor (trial, i);
}

void
crash_end_survivors (CrashTrial *trial)
{
  mproc_store32 (&trial->stage->stop, 1);
  for (guint i = 0; i < CRASH_N_SURVIVORS; i++)
    if (survivors[i] != NULL)
      mproc_test_end_with (g_steal_pointer (&survivors[i]), 0);
}

static void
kill_survivors (void)
{
  for (guint i = 0; i < CRASH_N_SURVIVORS; i++)
    if (survivors[i] != NULL)
      {
        mproc_process_kill (survivors[i], NULL);
        mproc_process_join (survivors[i], MPROC_FOREVER);
        mproc_process_unref (g_steal_pointer (&survivors[i]));
      }
}

static gboolean
has_server (const CrashTrial *trial)
{
  return mproc_test_method (trial->method) == MPROC_START_METHOD_FORKSERVER;
}

/* A server is born as its children are, but for being forked: it passes the point once for
 * itself. */
static guint
passing_of_child (const CrashTrial *trial)
{
  if (has_server (trial) && trial->plan->at != MPROC_CRASH_BIRTH_FORKED)
    return trial->passing + 1;
  return trial->passing;
}

/* What a doomed child inherits: the armed starter itself, or its environment, or that of a
 * server of its own. */
static void
arm_children (CrashTrial *trial, gboolean on)
{
  const char *name = mproc_crash_get_name (trial->plan->at);
  char *text = g_strdup_printf ("%s:%u", name, passing_of_child (trial));

  mproc_forkserver_end ();
  if (mproc_test_method (trial->method) == MPROC_START_METHOD_FORK)
    mproc_crash_arm (on ? trial->plan->at : MPROC_CRASH_NOWHERE, trial->passing);
  else if (on)
    g_setenv ("MPROC_CRASH_AT", text, TRUE);
  else
    g_unsetenv ("MPROC_CRASH_AT");
  g_free (text);
}

/* NULL: it had ended before it reported, and the start failed, as it should then. */
static MprocProcess *
start_armed (CrashTrial *trial)
{
  MprocProcess *process =
      mproc_process_new (trial->plan->scene->doomed,
                         arguments_for (trial, MPROC_CRASH_NOWHERE, 0, -1));
  GError *error = NULL;
  gboolean started;

  mproc_test_default_signals ();
  mproc_process_set_start_method (process, mproc_test_method (trial->method));
  arm_children (trial, TRUE);
  started = mproc_process_start (process, &error);
  /* The server, which is about to be ended, is to say how. */
  if (started && has_server (trial))
    mproc_process_join (process, MPROC_FOREVER);
  arm_children (trial, FALSE);
  trial->died = g_get_monotonic_time ();
  if (started)
    return process;
  mproc_test_expect_error (&error, MPROC_ERROR_BOOTSTRAP, "without reporting in");
  mproc_process_unref (process);
  return NULL;
}

/* It must have died at its point, and nowhere else: nobody kills here, and one who never came to
 * its point ends with 0. */
static void
expect_end (CrashTrial *trial, MprocProcess *process, MprocCrash at)
{
  int code = 0;

  ck_assert (mproc_process_join (process, MPROC_FOREVER));
  trial->died = g_get_monotonic_time ();
  ck_assert (mproc_process_get_exit_code (process, &code));
  if (at == MPROC_CRASH_NOWHERE)
    ck_assert_msg (code == 0, "a process that was to live ended with %d", code);
  else
    ck_assert_msg (code < 0, "%s: passing %u was never reached (exit code %d)",
                   mproc_crash_get_name (at), trial->passing, code);
  mproc_process_unref (process);
}

/* Takes slots, so that the next one to start gets that of @member, which has ended, or another. */
static GArray *
take_slots (MprocMember member, CrashSlot slot)
{
  GArray *others = g_array_new (FALSE, FALSE, sizeof (MprocMember));
  MprocMember other;

  if (slot == CRASH_ANY_SLOT)
    return others;
  do
    {
      other = mproc_member_reserve (NULL);
      g_array_append_val (others, other);
    }
  while (MPROC_MEMBER_SLOT (other) != MPROC_MEMBER_SLOT (member));
  if (slot == CRASH_SAME_SLOT)
    {
      mproc_member_bury (other);
      g_array_set_size (others, others->len - 1);
    }
  return others;
}

static void
give_slots_back (GArray *others)
{
  for (guint i = 0; i < others->len; i++)
    mproc_member_bury (g_array_index (others, MprocMember, i));
  g_array_unref (others);
}

/* ------------------------------------------------------------------ going on */

void
crash_has_gone_on (CrashTrial *trial)
{
  if (trial->needed == 0)
    trial->needed = MAX (1, g_get_monotonic_time () - trial->died);
}

void
crash_wait_until (CrashTrial *trial, gboolean (*condition) (CrashTrial *))
{
  gint64 deadline = g_get_monotonic_time () + EVER;

  while (!condition (trial) && g_get_monotonic_time () < deadline)
    g_usleep (500);
  ck_assert_msg (condition (trial), "%s: the others do not go on",
                 mproc_crash_get_name (trial->plan->at));
  crash_has_gone_on (trial);
}

/* ------------------------------------------------------------------ one trial */

static const CrashPlan *
find_plan (const CrashPlan *plans, guint n_plans, MprocCrash at)
{
  for (guint i = 0; i < n_plans; i++)
    if (plans[i].at == at)
      return &plans[i];
  return NULL;
}

static void
let_first_die (CrashTrial *trial, const CrashPlan *first)
{
  MprocProcess *process =
      crash_start (trial, trial->plan->scene->doomed, first->at, 1, -1);
  MprocMember member = mproc_process_get_member (process);

  mproc_store32 (&trial->stage->member, member);
  expect_end (trial, process, first->at);
  if (first->moved == CRASH_PUT_MOVED)
    mproc_add32 (&trial->stage->sent, 1);
  if (first->moved == CRASH_GET_MOVED)
    mproc_add32 (&trial->stage->taken, 1);
}

static void
let_die (CrashTrial *trial)
{
  const CrashScene *scene = trial->plan->scene;
  GArray *others = take_slots (mproc_load32 (&trial->stage->member), trial->plan->slot);
  MprocProcess *process;

  process = scene->at_birth
                ? start_armed (trial)
                : crash_start (trial, scene->doomed, trial->plan->at, trial->passing, -1);
  give_slots_back (others);
  trial->doomed = process;
  if (scene->meanwhile != NULL)
    scene->meanwhile (trial);
  if (process != NULL)
    expect_end (trial, process, trial->plan->at);
}

static void
perform (CrashTrial *trial, const CrashPlan *first)
{
  const CrashScene *scene = trial->plan->scene;

  /* It is there before and after. */
  if (has_server (trial))
    ck_assert (mproc_forkserver_is_single ());
  trial->before = crash_count ();
  trial->offset = mproc_arena_alloc0 (sizeof (CrashStage), NULL);
  trial->stage = mproc_arena_at (trial->offset, sizeof (CrashStage));
  mproc_store32 (&trial->stage->armed, trial->plan->at != MPROC_CRASH_NOWHERE);
  mproc_store64 (&trial->stage->deadline, (guint64) (g_get_monotonic_time () + EVER));
  scene->set_up (trial);
  if (first == NULL)
    start_survivors (trial);
  if (first != NULL)
    let_first_die (trial, first);
  let_die (trial);
  if (first != NULL)
    start_survivors (trial);
  scene->check (trial);
  crash_end_survivors (trial);
  ck_assert_uint_eq (mproc_load32 (&trial->stage->n_torn), 0);
  mproc_object_unref (trial->object);
  mproc_arena_free (trial->offset);
}

/* Nothing is lost but what the plans say, and less is fine. */
static void
compare (const CrashTrial *trial,
         const CrashPlan *first,
         const CrashFigures *before,
         const CrashFigures *after)
{
  const CrashPlan *plan = trial->plan;
  const char *name = mproc_crash_get_name (plan->at);
  guint blocks =
      plan->lost_blocks + trial->more_blocks + (first != NULL ? first->lost_blocks : 0);
  guint entries = plan->lost_entries + trial->more_entries +
                  (first != NULL ? first->lost_entries : 0);

  ck_assert_msg (after->n_slots <= before->n_slots + plan->lost_slots,
                 "%s: %u slots were in use, now %u", name, before->n_slots,
                 after->n_slots);
  ck_assert_msg (after->n_entries <= before->n_entries + entries,
                 "%s: %u entries were in use, now %u", name, before->n_entries,
                 after->n_entries);
  ck_assert_msg (after->bytes >= before->bytes &&
                     crash_is_size_of_blocks (after->bytes - before->bytes, blocks),
                 "%s: %" G_GUINT64_FORMAT " bytes were in use, now %" G_GUINT64_FORMAT,
                 name, before->bytes, after->bytes);
}

/* How long the others needed. */
static gint64
try_once (const CrashPlan *plan, const CrashPlan *first, int method, guint passing)
{
  CrashTrial trial = { .plan = plan, .method = method, .passing = passing };
  CrashFigures after;

  perform (&trial, first);
  after = crash_count ();
  compare (&trial, first, &trial.before, &after);
  return trial.needed;
}

/* ------------------------------------------------------------------ all trials */

/* Once for each scene and start method it is played to its end: then what is made once is there,
 * and that the scene itself loses nothing is known. */
static void
rehearse (const CrashScene *scene, int method)
{
  static GHashTable *done;
  gpointer key = (gpointer) ((const char *) scene + method);
  CrashPlan plan = { .at = MPROC_CRASH_NOWHERE, .scene = scene };

  if (done == NULL)
    done = g_hash_table_new (NULL, NULL);
  if (!g_hash_table_add (done, key))
    return;
  {
    CrashTrial trial = { .plan = &plan, .method = method };

    perform (&trial, NULL);
  }
  if (!mproc_test_is_slow_platform ())
    try_once (&plan, NULL, method, 0);
}

static gboolean
is_possible (const CrashPlan *plan, int method)
{
  MprocStartMethod start = mproc_test_method (method);

  switch (start)
    {
    case MPROC_START_METHOD_FORK:
      return plan->by == CRASH_BY_ANY || plan->by == CRASH_BY_FORK;
    case MPROC_START_METHOD_SPAWN:
      return plan->by != CRASH_BY_FORK;
    case MPROC_START_METHOD_FORKSERVER:
      return plan->by != CRASH_BY_SPAWN;
    default: /* a thread cannot be killed */
      return FALSE;
    }
}

static gint64
try_passings (const CrashPlan *plan, const CrashPlan *first, int method)
{
  gboolean quick = mproc_test_method (method) == MPROC_START_METHOD_FORK ||
                   !(mproc_test_can_fork () || mproc_test_is_slow_platform ());
  guint n = quick ? MAX (plan->passings, 1) : 1;
  gint64 best = G_MAXINT64;

  rehearse (plan->scene, method);
  for (guint k = 1; k <= n; k++)
    {
      gint64 needed = try_once (plan, first, method, k);

      best = MIN (best, needed);
    }
  return best;
}

void
crash_try (const CrashPlan *plans, guint n_plans, MprocCrash at)
{
  const CrashPlan *plan = find_plan (plans, n_plans, at);
  const CrashPlan *first;
  guint n_tried = 0;

  kill_survivors ();
  ck_assert_msg (plan != NULL, "%s: no plan leads there", mproc_crash_get_name (at));
  if (plan->is_here != NULL && !plan->is_here ())
    return;
  first = find_plan (plans, n_plans, plan->first);
  for (int method = 0; method < (int) mproc_test_n_methods (); method++)
    {
      gint64 best = G_MAXINT64;

      if (!is_possible (plan, method))
        continue;
      n_tried++;
      for (guint i = 0; i < ATTEMPTS && best > SOON; i++)
        best = try_passings (plan, first, method);
      ck_assert_msg (best <= SOON, "%s: the others went on after %d ms only",
                     mproc_crash_get_name (at), (int) (best / 1000));
    }
  /* Fork may be what it needs, where there is none; nothing else is an excuse. */
  ck_assert_msg (n_tried > 0 || (plan->by == CRASH_BY_FORK && !mproc_test_can_fork ()),
                 "%s was not tried", mproc_crash_get_name (at));
}
