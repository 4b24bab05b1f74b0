/* SPDX-License-Identifier: MIT */
/* Producers and consumers are killed at random instants.  Whatever they were doing: the
 * others go on, no item is torn, none comes twice or out of order, and none is lost but,
 * for each consumer that was killed, the one it held. */
#include "pipes.h"

#include "arena.h"

#include <string.h>

/* Producers take a number, put SERIES items under it, and take the next. */
#define SERIES 4096
#define MAX_NUMBERS 16384
#define MAX_WORDS 6000
#define N_EACH 3

typedef struct
{
  MprocAtomic32 sent;              /* how many the producer knows it has put */
  MprocAtomic32 seen[SERIES / 32]; /* a bit for each that came out */
} Series;

/* In the arena. */
typedef struct
{
  MprocAtomic32 next_number;
  MprocAtomic32 stop;
  MprocAtomic32 n_torn;
  MprocAtomic32 n_disordered;
  MprocAtomic32 n_twice;
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
choose_length (GRand *rand)
{
  gint32 dice = g_rand_int_range (rand, 0, 100);

  if (dice == 0)
    return (gsize) g_rand_int_range (rand, 2500, MAX_WORDS);
  return (gsize) g_rand_int_range (rand, 3, dice < 10 ? 500 : 20);
}

static gboolean
put_item (MprocQueue *queue, guint64 *words, gsize n, gboolean as_value, GError **error)
{
  words[n - 1] = checksum (words, n - 1);
  if (!as_value)
    return mproc_queue_put_bytes (queue, words, n * 8, MPROC_FOREVER, error);
  return mproc_queue_put (queue,
                          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, words, n * 8,
                                                     1),
                          MPROC_FOREVER, error);
}

static gboolean
put_series (MprocQueue *queue,
            Ledger *ledger,
            guint32 number,
            GRand *rand,
            GError **error)
{
  guint64 words[MAX_WORDS];

  for (guint32 i = 0; i < SERIES && !mproc_load32 (&ledger->stop); i++)
    {
      gsize n = choose_length (rand);

      words[0] = number;
      words[1] = i;
      for (gsize k = 2; k < n; k++)
        words[k] = number * k + i;
      if (!put_item (queue, words, n, i % 4 == 0, error))
        return FALSE;
      mproc_store32 (&ledger->series[number].sent, i + 1);
    }
  return TRUE;
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

static GVariant *
consume (GVariant *args, GError **error)
{
  MprocQueue *queue;
  gint64 offset;
  Ledger *ledger;
  GVariant *value;
  gint32 *last;

  if (!mproc_unpack (args, error, "(&hx)", &queue, &offset))
    return NULL;
  ledger = mproc_arena_at ((MprocOffset) offset, sizeof *ledger);
  last = g_new0 (gint32, MAX_NUMBERS);
  while ((value = mproc_queue_get (queue, MPROC_FOREVER, error)) != NULL)
    {
      gsize size = g_variant_get_size (value);
      guint64 words[MAX_WORDS];

      memcpy (words, g_variant_get_data (value), MIN (size, sizeof words));
      check_item (ledger, last, words, size);
      g_variant_unref (value);
    }
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
      start_child (self->method, i < N_EACH ? produce : consume,
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
      /* One more may have been there when the producer died, but not two. */
      for (guint32 i = sent + 1; i < SERIES; i++)
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
  ck_assert_msg (missing <= self->n_killed[1],
                 "%u of %u items lost, %u consumers were killed", missing, n_sent,
                 self->n_killed[1]);
  ck_assert_uint_gt (n_sent, self->n_killed[0]);
  ck_assert_uint_eq (mproc_queue_get_size (self->queue), 0);
}

static void
run (MprocStartMethod method, guint max_items, gint n_kills)
{
  GRand *rand = g_rand_new_with_seed (max_items);
  Arena self = { .method = method };

  self.queue = mproc_queue_new (max_items, NULL);
  self.block = mproc_arena_alloc0 (sizeof *self.ledger, NULL);
  ck_assert (self.queue != NULL && self.block != 0);
  self.ledger = mproc_arena_at (self.block, sizeof *self.ledger);
  for (guint i = 0; i < 2 * N_EACH; i++)
    start (&self, i);
  for (gint k = 0; k < n_kills; k++)
    {
      guint i = (guint) g_rand_int_range (rand, 0, 2 * N_EACH);

      g_usleep ((gulong) g_rand_int_range (rand, 0, 2000));
      kill_one (&self, i);
      start (&self, i);
    }
  mproc_store32 (&self.ledger->stop, 1);
  for (guint i = 0; i < N_EACH; i++)
    end_child (self.children[i]);
  mproc_queue_shutdown (self.queue, FALSE);
  for (guint i = N_EACH; i < 2 * N_EACH; i++)
    end_child (self.children[i]);
  expect_all_well (&self);
  mproc_arena_free (self.block);
  mproc_queue_unref (self.queue);
  g_rand_free (rand);
}

static MprocStartMethod
quick_method (void)
{
  return mproc_test_can_fork () ? MPROC_START_METHOD_FORK : MPROC_START_METHOD_SPAWN;
}

static gint
n_kills (void)
{
  return mproc_test_scale (mproc_test_is_slow_platform () ? 25 : 500);
}

START_TEST (killed_with_much_room) { run (quick_method (), 3000, n_kills ()); }
END_TEST

START_TEST (killed_with_little_room) { run (quick_method (), 2, n_kills ()); }
END_TEST

Suite *
mproc_test_queue_kill_suite (void)
{
  Suite *suite = suite_create ("queue-kill");
  TCase *tcase = mproc_test_case (suite, "kill");

  tcase_add_test (tcase, killed_with_much_room);
  tcase_add_test (tcase, killed_with_little_room);
  return suite;
}
