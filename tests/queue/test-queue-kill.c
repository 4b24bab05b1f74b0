/* SPDX-License-Identifier: MIT */
/* Producers and consumers are killed at random instants.  Whatever they were doing: the
 * others go on, no item is torn, none comes twice or out of order, and none is lost but,
 * for each consumer that was killed, the one it held. */
#include "pipes.h"

#include "arena/arena.h"

#include <string.h>

/* Producers take a number, put SERIES items under it, and take the next. */
#define SERIES 4096
#define MAX_NUMBERS 16384
#define MAX_WORDS 6000
#define N_EACH 3
#define BATCH 8  /* items at once, where it is several */
#define N_KEPT 4 /* items that a borrower keeps */

typedef struct
{
  MprocAtomic32 sent;              /* how many the producer knows it has put */
  MprocAtomic32 seen[SERIES / 32]; /* a bit for each that came out */
} Series;

typedef enum
{
  ONE_BY_ONE,
  IN_BATCHES,
  PACKED,   /* from variables into variables, never as bytes */
  BORROWED, /* bytes only, and most of them long */
  AS_TASKS  /* each is said to be done; only consumers are killed */
} Way;

/* In the arena. */
typedef struct
{
  guint32 way;
  MprocAtomic32 next_number;
  MprocAtomic32 stop;
  MprocAtomic32 n_torn;
  MprocAtomic32 n_disordered;
  MprocAtomic32 n_twice;
  MprocAtomic32 n_done; /* tasks, as those know who did them */
  Series series[MAX_NUMBERS];
} Ledger;

/* An item: its number, its place in the series, anything, and a checksum. */
static guint64
checksum (const guint64 *words, gsize n)
{
  guint64 sum = n;

  for (gsize i = 0; i < n; i++)
    sum = sum * 31 + words[i];
  return sum;
}

/* Mostly small, sometimes so long that it gets a block of its own. */
static gsize
choose_length (GRand *rand, Way way)
{
  gint32 dice = g_rand_int_range (rand, 0, 100);

  if (dice < (way == BORROWED ? 70 : 1))
    return (gsize) g_rand_int_range (rand, 2500, MAX_WORDS);
  return (gsize) g_rand_int_range (rand, 3, dice < 10 ? 500 : 20);
}

static gsize
make_item (guint64 *words, guint32 number, guint32 i, GRand *rand, Way way)
{
  gsize n = choose_length (rand, way);

  words[0] = number;
  words[1] = i;
  for (gsize k = 2; k < n; k++)
    words[k] = number * k + i;
  return n;
}

/* What is between the second word and the last one goes as hexadecimal digits. */
static gboolean
put_packed (MprocQueue *queue, const guint64 *words, gsize n, GError **error)
{
  char text[16 * MAX_WORDS + 1];

  text[0] = '\0';
  for (gsize i = 2; i < n - 1; i++)
    g_snprintf (text + 16 * (i - 2), 17, "%016" G_GINT64_MODIFIER "x", words[i]);
  return mproc_queue_put_packed (queue, MPROC_FOREVER, error, "(u(us)t)",
                                 (guint32) words[0], (guint32) words[1], text,
                                 words[n - 1]);
}

static gboolean
put_item (MprocQueue *queue,
          guint64 *words,
          gsize n,
          Way way,
          gboolean as_value,
          GError **error)
{
  words[n - 1] = checksum (words, n - 1);
  if (way == PACKED)
    return put_packed (queue, words, n, error);
  if (!as_value)
    return mproc_queue_put_bytes (queue, words, n * 8, MPROC_FOREVER, error);
  return mproc_queue_put (queue,
                          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, words, n * 8,
                                                     1),
                          MPROC_FOREVER, error);
}

static gboolean
put_one_by_one (MprocQueue *queue,
                Ledger *ledger,
                guint32 number,
                GRand *rand,
                GError **error)
{
  Way way = (Way) ledger->way;
  guint64 words[MAX_WORDS];

  for (guint32 i = 0; i < SERIES && !mproc_load32 (&ledger->stop); i++)
    {
      gsize n = make_item (words, number, i, rand, way);

      if (!put_item (queue, words, n, way, i % 4 == 0 && way != BORROWED, error))
        return FALSE;
      mproc_store32 (&ledger->series[number].sent, i + 1);
    }
  return TRUE;
}

static gboolean
put_in_batches (MprocQueue *queue,
                Ledger *ledger,
                guint32 number,
                GRand *rand,
                GError **error)
{
  GVariant *values[BATCH];
  guint64 words[MAX_WORDS];

  for (guint32 i = 0; i < SERIES && !mproc_load32 (&ledger->stop); i += BATCH)
    {
      for (guint32 k = 0; k < BATCH; k++)
        {
          gsize n = make_item (words, number, i + k, rand, IN_BATCHES);

          words[n - 1] = checksum (words, n - 1);
          values[k] = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, words, n * 8, 1);
        }
      if (mproc_queue_put_many (queue, values, BATCH, MPROC_FOREVER, error) != BATCH)
        return FALSE;
      mproc_store32 (&ledger->series[number].sent, i + BATCH);
    }
  return TRUE;
}

static gboolean
put_series (MprocQueue *queue,
            Ledger *ledger,
            guint32 number,
            GRand *rand,
            GError **error)
{
  if (ledger->way == IN_BATCHES)
    return put_in_batches (queue, ledger, number, rand, error);
  return put_one_by_one (queue, ledger, number, rand, error);
}

static GVariant *
produce (GVariant *args, GError **error)
{
  MprocQueue *queue;
  gint64 offset;
  Ledger *ledger;
  guint32 number;
  GRand *rand;

  if (!mproc_unpack (args, error, "(&hx)", &queue, &offset))
    return NULL;
  ledger = mproc_arena_at ((MprocOffset) offset, sizeof *ledger);
  number = mproc_add32 (&ledger->next_number, 1);
  rand = g_rand_new_with_seed (number);
  while (number < MAX_NUMBERS && !mproc_load32 (&ledger->stop) &&
         put_series (queue, ledger, number, rand, error))
    number = mproc_add32 (&ledger->next_number, 1);
  g_rand_free (rand);
  return NULL;
}

/* ------------------------------------------------------------------ the other end */

static void
check_item (Ledger *ledger, gint32 *last, const guint64 *words, gsize size)
{
  gsize n = size / 8;
  guint32 bit;

  if (size % 8 != 0 || n < 3 || words[n - 1] != checksum (words, n - 1) ||
      words[0] >= MAX_NUMBERS || words[1] >= SERIES)
    {
      mproc_add32 (&ledger->n_torn, 1);
      return;
    }
  if ((gint32) words[1] < last[words[0]])
    mproc_add32 (&ledger->n_disordered, 1);
  last[words[0]] = (gint32) words[1] + 1;
  bit = 1u << words[1] % 32;
  if (atomic_fetch_or (&ledger->series[words[0]].seen[words[1] / 32], bit) & bit)
    mproc_add32 (&ledger->n_twice, 1);
}

static void
check_bytes (Ledger *ledger, gint32 *last, gconstpointer data, gsize size)
{
  guint64 words[MAX_WORDS];

  memcpy (words, data, MIN (size, sizeof words));
  check_item (ledger, last, words, size);
}

static gboolean
take_one (MprocQueue *queue, Ledger *ledger, gint32 *last, GError **error)
{
  GVariant *value = mproc_queue_get (queue, MPROC_FOREVER, error);

  if (value == NULL)
    return FALSE;
  check_bytes (ledger, last, g_variant_get_data (value), g_variant_get_size (value));
  g_variant_unref (value);
  return TRUE;
}

/* A torn text may have any length. */
static gsize
scan_text (const char *text, guint64 *words)
{
  gsize n = MIN (strlen (text) / 16, MAX_WORDS - 3);

  for (gsize i = 0; i < n; i++)
    {
      char digits[17] = "";

      memcpy (digits, text + 16 * i, 16);
      words[i] = g_ascii_strtoull (digits, NULL, 16);
    }
  return n;
}

static gboolean
take_unpacked (MprocQueue *queue, Ledger *ledger, gint32 *last, GError **error)
{
  guint64 words[MAX_WORDS];
  guint32 number, i;
  guint64 sum;
  char *text;
  gsize n;

  if (!mproc_queue_get_unpacked (queue, MPROC_FOREVER, error, "(u(us)t)", &number, &i,
                                 &text, &sum))
    return FALSE;
  n = scan_text (text, words + 2);
  words[0] = number;
  words[1] = i;
  words[n + 2] = sum;
  check_item (ledger, last, words, (n + 3) * 8);
  g_free (text);
  return TRUE;
}

static gboolean
take_task (MprocQueue *queue, Ledger *ledger, gint32 *last, GError **error)
{
  if (!take_one (queue, ledger, last, error))
    return FALSE;
  mproc_crash_order ();
  if (!mproc_queue_task_done (queue, error))
    return FALSE;
  mproc_crash_order ();
  mproc_add32 (&ledger->n_done, 1);
  return TRUE;
}

static gboolean
take_batch (MprocQueue *queue, Ledger *ledger, gint32 *last, GError **error)
{
  GPtrArray *values = mproc_queue_get_many (queue, BATCH, MPROC_FOREVER, error);

  if (values == NULL)
    return FALSE;
  for (guint i = 0; i < values->len; i++)
    {
      GVariant *value = g_ptr_array_index (values, i);

      check_bytes (ledger, last, g_variant_get_data (value), g_variant_get_size (value));
    }
  g_ptr_array_unref (values);
  return TRUE;
}

/* Looks at each again when it gives it back: nobody else may have had that memory. */
static gboolean
borrow (MprocQueue *queue, Ledger *ledger, gint32 *last, GError **error)
{
  static GBytes *kept[N_KEPT];
  static guint next;
  GBytes *bytes = mproc_queue_peek_bytes (queue, MPROC_FOREVER, error);
  GBytes *old = kept[next];

  if (bytes == NULL)
    return FALSE;
  check_bytes (ledger, last, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  if (old != NULL)
    {
      const guint64 *words = g_bytes_get_data (old, NULL);
      gsize n = g_bytes_get_size (old) / 8;

      if (words[n - 1] != checksum (words, n - 1))
        mproc_add32 (&ledger->n_torn, 1);
      g_bytes_unref (old);
    }
  kept[next] = bytes;
  next = (next + 1) % N_KEPT;
  return TRUE;
}

static GVariant *
consume (GVariant *args, GError **error)
{
  MprocQueue *queue;
  gint64 offset;
  Ledger *ledger;
  gint32 *last;
  gboolean (*take) (MprocQueue *, Ledger *, gint32 *, GError **);

  if (!mproc_unpack (args, error, "(&hx)", &queue, &offset))
    return NULL;
  ledger = mproc_arena_at ((MprocOffset) offset, sizeof *ledger);
  take = ledger->way == IN_BATCHES ? take_batch
         : ledger->way == PACKED   ? take_unpacked
         : ledger->way == BORROWED ? borrow
         : ledger->way == AS_TASKS ? take_task
                                   : take_one;
  last = g_new0 (gint32, MAX_NUMBERS);
  while (take (queue, ledger, last, error))
    ;
  g_free (last);
  if (error != NULL && g_error_matches (*error, MPROC_ERROR, MPROC_ERROR_CLOSED))
    g_clear_error (error);
  return NULL;
}

/* ------------------------------------------------------------------ the killing */

typedef struct
{
  MprocStartMethod method;
  MprocQueue *queue;
  MprocOffset block;
  Ledger *ledger;
  MprocProcess *children[2 * N_EACH]; /* producers, then consumers */
  guint n_killed[2];
} Arena;

static void
start (Arena *self, guint i)
{
  self->children[i] =
      mproc_test_start_by (self->method, i < N_EACH ? produce : consume,
                           mproc_pack ("(hx)", self->queue, (gint64) self->block));
}

static void
kill_one (Arena *self, guint i)
{
  ck_assert (mproc_process_kill (self->children[i], NULL));
  ck_assert (mproc_process_join (self->children[i], MPROC_FOREVER));
  mproc_process_unref (self->children[i]);
  self->n_killed[i / N_EACH]++;
}

static gboolean
was_seen (const Series *series, guint32 i)
{
  return mproc_load32 (&series->seen[i / 32]) >> i % 32 & 1;
}

/* Returns how many items that were put did not come out. */
static guint
count_missing (const Ledger *ledger, guint *n_sent)
{
  guint32 at_once = ledger->way == IN_BATCHES ? BATCH : 1;
  guint32 numbers = MIN (mproc_load32 (&ledger->next_number), MAX_NUMBERS);
  guint missing = 0;

  for (guint32 k = 0; k < numbers; k++)
    {
      const Series *series = &ledger->series[k];
      guint32 sent = mproc_load32 (&series->sent);

      *n_sent += sent;
      for (guint32 i = 0; i < sent; i++)
        if (!was_seen (series, i))
          missing++;
      /* One more call may have been at work when the producer died, but not two. */
      for (guint32 i = sent + at_once; i < SERIES; i++)
        ck_assert_msg (!was_seen (series, i), "item %u of %u, %u were put", i, k, sent);
    }
  return missing;
}

static void
expect_all_well (Arena *self)
{
  Ledger *ledger = self->ledger;
  guint n_sent = 0;
  guint missing = count_missing (ledger, &n_sent);

  ck_assert_uint_eq (mproc_load32 (&ledger->n_torn), 0);
  ck_assert_uint_eq (mproc_load32 (&ledger->n_disordered), 0);
  ck_assert_uint_eq (mproc_load32 (&ledger->n_twice), 0);
  ck_assert_msg (missing <= self->n_killed[1] * (ledger->way == IN_BATCHES ? BATCH : 1),
                 "%u of %u items lost, %u consumers were killed", missing, n_sent,
                 self->n_killed[1]);
  ck_assert_uint_gt (n_sent, self->n_killed[0]);
  ck_assert_uint_eq (mproc_queue_get_size (self->queue), 0);
  ck_assert_uint_eq (mproc_queue_get_n_bytes (self->queue), 0);
}

static GVariant *
join_tasks (GVariant *args, GError **error)
{
  MprocQueue *queue;

  if (mproc_unpack (args, error, "(&h)", &queue) &&
      !mproc_queue_join (queue, MPROC_SECONDS (30)))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT, "not all are done");
  return NULL;
}

/* When nobody takes any more: whose taker died before it said that it was done, that is
 * said in its place, and the one who waits for all of them goes on.  Each item counts
 * once, and so does each word that it is done. */
static void
finish_for_the_dead (Arena *self)
{
  Ledger *ledger = self->ledger;
  guint n_sent = 0;
  guint n_lost = count_missing (ledger, &n_sent);
  guint n_said = 0;
  MprocProcess *joiner;
  GError *error = NULL;

  ck_assert (n_lost == 0 || !mproc_queue_join (self->queue, 0));
  joiner =
      mproc_test_start_by (self->method, join_tasks, mproc_pack ("(h)", self->queue));
  while (mproc_queue_task_done (self->queue, &error))
    n_said++;
  mproc_test_expect_error (&error, MPROC_ERROR_OVER_RELEASE, "task_done");
  mproc_test_end_with (joiner, 0);
  ck_assert (mproc_queue_join (self->queue, 0));
  /* Each of the dead has lost an item before it was seen, or had said that it was done
   * and could not count that any more, or neither. */
  ck_assert_uint_ge (n_said, n_lost);
  ck_assert_uint_le (n_said, self->n_killed[1]);
  ck_assert_uint_ge (n_sent, mproc_load32 (&ledger->n_done) + n_said);
  ck_assert_uint_le (n_sent + n_lost,
                     mproc_load32 (&ledger->n_done) + n_said + self->n_killed[1]);
}

static MprocStartMethod
quick_method (void)
{
  return mproc_test_can_fork () ? MPROC_START_METHOD_FORK : MPROC_START_METHOD_SPAWN;
}

static void
kill_often (Arena *self, gint n_kills)
{
  GRand *rand = g_rand_new_with_seed ((guint32) n_kills);
  gint first = self->ledger->way == AS_TASKS ? N_EACH : 0;

  for (gint k = 0; k < n_kills; k++)
    {
      guint i = (guint) g_rand_int_range (rand, first, 2 * N_EACH);

      g_usleep ((gulong) g_rand_int_range (rand, 0, 2000));
      kill_one (self, i);
      start (self, i);
    }
  g_rand_free (rand);
}

static void
run_round (Way way, guint max_items, guint64 max_bytes, gint n_kills)
{
  Arena self = { .method = quick_method () };

  self.queue = mproc_queue_new_full (max_items, max_bytes, NULL);
  self.block = mproc_arena_alloc0 (sizeof *self.ledger, NULL);
  ck_assert (self.queue != NULL && self.block != 0);
  self.ledger = mproc_arena_at (self.block, sizeof *self.ledger);
  self.ledger->way = way;
  for (guint i = 0; i < 2 * N_EACH; i++)
    start (&self, i);
  kill_often (&self, n_kills);
  mproc_store32 (&self.ledger->stop, 1);
  for (guint i = 0; i < N_EACH; i++)
    mproc_test_end_with (self.children[i], 0);
  mproc_queue_shutdown (self.queue, FALSE);
  for (guint i = N_EACH; i < 2 * N_EACH; i++)
    mproc_test_end_with (self.children[i], 0);
  expect_all_well (&self);
  if (way == AS_TASKS)
    finish_for_the_dead (&self);
  mproc_arena_free (self.block);
  mproc_queue_unref (self.queue);
}

/* In rounds, for each of which there are numbers enough. */
static void
run (Way way, guint max_items, guint64 max_bytes, gint n_kills)
{
  for (; n_kills > 0; n_kills -= 500)
    run_round (way, max_items, max_bytes, MIN (n_kills, 500));
}

static gint
n_kills (void)
{
  return mproc_test_scale (mproc_test_is_slow_platform () ? 25 : 500);
}

START_TEST (killed_with_much_room) { run (ONE_BY_ONE, 3000, 0, n_kills ()); }
END_TEST

START_TEST (killed_with_little_room) { run (ONE_BY_ONE, 2, 0, n_kills ()); }
END_TEST

START_TEST (killed_where_bytes_are_counted)
{
  run (ONE_BY_ONE, 0, 100000, n_kills () / 4);
}
END_TEST

START_TEST (killed_in_batches) { run (IN_BATCHES, _i ? 30 : 0, 200000, n_kills () / 4); }
END_TEST

START_TEST (killed_with_values_packed)
{
  run (PACKED, _i ? 3 : 0, _i ? 0 : 200000, n_kills () / 4);
}
END_TEST

/* What the dead have borrowed is given back: else the memory would not do. */
START_TEST (killed_while_borrowing)
{
  ck_assert (mproc_set_memory_limit (mproc_arena_get_committed () + (12 << 20), NULL));
  run (BORROWED, 0, 1 << 20, n_kills () * 3 / 5);
  ck_assert (mproc_set_memory_limit (G_MAXUINT64, NULL));
}
END_TEST

START_TEST (killed_at_tasks) { run (AS_TASKS, 100, 0, n_kills () / 2); }
END_TEST

Suite *
mproc_test_queue_kill_suite (void)
{
  Suite *suite = suite_create ("queue-kill");
  TCase *tcase = mproc_test_case (suite, "kill");

  tcase_add_test (tcase, killed_with_much_room);
  tcase_add_test (tcase, killed_with_little_room);
  tcase_add_test (tcase, killed_where_bytes_are_counted);
  tcase_add_loop_test (tcase, killed_in_batches, 0, 2);
  tcase_add_loop_test (tcase, killed_with_values_packed, 0, 2);
  tcase_add_test (tcase, killed_while_borrowing);
  tcase_add_test (tcase, killed_at_tasks);
  return suite;
}
