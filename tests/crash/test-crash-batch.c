/* SPDX-License-Identifier: MIT */
/* Deaths of workers in maps: each map ends, what the dead one had of it is lost and nothing else, nothing
 * runs twice, and nothing is left behind. */
#include "crash.h"

#include "pools.h"

#include "map/batch.h"
#include "process/forkserver.h"
#include "worker/worker.h"

#include <string.h>

#define PATIENCE MPROC_SECONDS (50)

#define MOST_ITEMS 1024
#define CHUNK 3
#define N_SMALL 12 /* items, in chunks */
#define FAILING 4  /* the item that fails */
#define SHARED_PART                                                                      \
  8 /* what each part has of MOST_ITEMS, with two workers and no chunk given */

/* What those who run items have in common, in the arena. */
typedef struct
{
  MprocAtomic32 at; /* where one is to die */
  MprocAtomic32 passing;
  MprocAtomic32 runs[MOST_ITEMS];
} Stage;

typedef enum
{
  KIND_VALUES,
  KIND_BYTES,
  KIND_ARRAY,
  N_KINDS
} Kind;

typedef enum
{
  SCENE_CHUNKS, /* one worker, who dies in chunks of three */
  SCENE_ERROR,  /* the same, an item of the second one fails */
  SCENE_SHARE   /* two workers, one shares out a part of eight items, and dies */
} Scene;

typedef struct
{
  MprocCrash at;
  Scene scene;
  guint passings;
  guint
      lost; /* items of its part; SHARE_BEGUN: at the first passing, then one less each */
  guint begun;        /* of these */
  guint lost_blocks;  /* of the arena */
  gboolean of_values; /* no other kind comes there */
} Plan;

static const Plan plans[] = {
  { MPROC_CRASH_BATCH_ENTERED, SCENE_CHUNKS, 1, 0, 0, 0, FALSE },
  { MPROC_CRASH_BATCH_JOINED, SCENE_CHUNKS, 1, 0, 0, 0, FALSE },
  { MPROC_CRASH_PART_CLAIMED, SCENE_CHUNKS, 4, CHUNK, 0, 0, FALSE },
  { MPROC_CRASH_PART_HINTED, SCENE_CHUNKS, 4, CHUNK, 0, 0, FALSE },
  { MPROC_CRASH_PART_BEGUN, SCENE_CHUNKS, 2, CHUNK, 0, 0, FALSE },
  { MPROC_CRASH_SHARE_ANNOUNCED, SCENE_SHARE, 1, SHARED_PART, 1, 0, FALSE },
  { MPROC_CRASH_SHARE_BEGUN, SCENE_SHARE, SHARED_PART - 1, SHARED_PART - 1, 1, 0, FALSE },
  { MPROC_CRASH_SHARE_DONE, SCENE_SHARE, 1, 1, 1, 0, FALSE },
  { MPROC_CRASH_TAPE_MADE, SCENE_CHUNKS, 1, CHUNK, CHUNK, 1, TRUE },
  { MPROC_CRASH_TAPE_LINKED, SCENE_CHUNKS, 1, CHUNK, CHUNK, 0, TRUE },
  { MPROC_CRASH_VALUES_COPIED, SCENE_CHUNKS, 4, CHUNK, CHUNK, 0, TRUE },
  { MPROC_CRASH_VALUES_STORED, SCENE_CHUNKS, 4, CHUNK, CHUNK, 0, TRUE },
  { MPROC_CRASH_PART_LEFT, SCENE_CHUNKS, 4, CHUNK, CHUNK, 0, FALSE },
  { MPROC_CRASH_PART_ERROR_MADE, SCENE_ERROR, 1, CHUNK, 2, 1, FALSE },
  { MPROC_CRASH_PART_ERROR_KEPT, SCENE_ERROR, 1, CHUNK, 2, 0, FALSE },
  { MPROC_CRASH_PART_FINISHED, SCENE_CHUNKS, 4, 0, 0, 0, FALSE },
  { MPROC_CRASH_BATCH_COUNTED, SCENE_CHUNKS, 1, 0, 0, 0, FALSE },
  { MPROC_CRASH_BATCH_LEFT, SCENE_CHUNKS, 1, 0, 0, 0, FALSE },
};

static const Plan *
find_plan (MprocCrash at)
{
  for (guint i = 0; i < G_N_ELEMENTS (plans); i++)
    if (plans[i].at == at)
      return &plans[i];
  ck_abort_msg ("%s: no plan leads there", mproc_crash_get_name (at));
  return NULL;
}

/* ------------------------------------------------------------------ in workers */

/* What an item is, of each kind. */
typedef struct
{
  guint64 stage;
  guint32 number;
  guint32 scene;
} Item;

static Stage *
stage_at (MprocOffset offset)
{
  return mproc_arena_at (offset, sizeof (Stage));
}

static void
arm_at (const Stage *stage)
{
  mproc_crash_arm ((MprocCrash) mproc_load32 (&stage->at),
                   mproc_load32 (&stage->passing));
}

/* A task `t`: its worker is to die. */
static GVariant *
arm (GVariant *args, GError **error)
{
  (void) error;
  arm_at (stage_at (g_variant_get_uint64 (args)));
  return NULL;
}

static gboolean
others_are_done (const Stage *stage)
{
  for (guint i = SHARED_PART; i < MOST_ITEMS; i++)
    if (mproc_load32 (&stage->runs[i]) == 0)
      return FALSE;
  return TRUE;
}

/* Until all the other parts have been run, and somebody wants some of this one. */
static void
await_hunger (const Stage *stage)
{
  MprocOffset batch = mproc_load64 (&mproc_worker_current ()->seat->batch);
  gint64 deadline = g_get_monotonic_time () + PATIENCE / 2;

  while (!(others_are_done (stage) && mproc_batch_is_hungry (batch)) &&
         g_get_monotonic_time () < deadline)
    g_usleep (500);
}

static gboolean
run_item (const Item *item, GError **error)
{
  Stage *stage = stage_at (item->stage);

  mproc_add32 (&stage->runs[item->number], 1);
  if (item->scene == SCENE_SHARE && item->number == 0)
    {
      arm_at (stage);
      await_hunger (stage);
    }
  if (item->scene != SCENE_ERROR || item->number != FAILING)
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID, "this one fails");
  return FALSE;
}

static GVariant *
run_value (GVariant *value, GError **error)
{
  Item item;

  g_variant_get (value, "(tuu)", &item.stage, &item.number, &item.scene);
  return run_item (&item, error) ? g_variant_new_uint32 (item.number) : NULL;
}

static gboolean
run_bytes (gconstpointer item,
           gsize size,
           gpointer result,
           gsize result_size,
           GError **error)
{
  (void) size;
  memcpy (result, &((const Item *) item)->number, result_size);
  return run_item (item, error);
}

static gboolean
run_slice (gpointer items, gsize n, gsize first, GVariant *args, GError **error)
{
  (void) first, (void) args;
  for (gsize i = 0; i < n; i++)
    if (!run_item ((const Item *) items + i, error))
      return FALSE;
  return TRUE;
}

/* ------------------------------------------------------------------ a map */

typedef struct
{
  Kind kind;
  Scene scene;
  guint n_items;
  MprocOffset stage;
  MprocArray *array; /* ARRAY */
} Load;

static void
fill_item (const Load *load, guint i, Item *item)
{
  item->stage = load->stage;
  item->number = i;
  item->scene = load->scene;
}

static GVariant *
make_values (const Load *load)
{
  GVariantBuilder items;

  g_variant_builder_init (&items, G_VARIANT_TYPE ("a(tuu)"));
  for (guint32 i = 0; i < load->n_items; i++)
    g_variant_builder_add (&items, "(tuu)", (guint64) load->stage, i,
                           (guint32) load->scene);
  return g_variant_builder_end (&items);
}

static MprocResult *
submit (MprocPool *pool, Load *load)
{
  guint chunk = load->scene == SCENE_SHARE ? 0 : CHUNK;
  MprocResult *result;
  Item *items;

  if (load->kind == KIND_VALUES)
    return mproc_pool_map_async (pool, run_value, make_values (load), chunk, NULL);
  if (load->kind == KIND_ARRAY)
    {
      load->array = mproc_array_new ("(tuu)", load->n_items, NULL, NULL, NULL);
      items = mproc_array_get_data (load->array, NULL);
    }
  else
    items = g_new (Item, load->n_items);
  for (guint i = 0; i < load->n_items; i++)
    fill_item (load, i, &items[i]);
  if (load->kind == KIND_ARRAY)
    return mproc_pool_map_array_async (pool, run_slice, load->array, chunk, NULL);
  result = mproc_pool_map_bytes_async (pool, run_bytes, items, load->n_items,
                                       sizeof *items, sizeof (guint32), chunk);
  g_free (items);
  return result;
}

/* ------------------------------------------------------------------ what comes of it */

/* The lost items are @first and those behind it. */
static guint
count_wrong_runs (const Load *load, guint first, guint lost, guint begun)
{
  const Stage *stage = stage_at (load->stage);
  guint n = 0;

  for (guint i = 0; i < load->n_items; i++)
    n += mproc_load32 (&stage->runs[i]) !=
         (i >= first + begun && i < first + lost ? 0 : 1);
  return n;
}

static void
expect_values (const Load *load, GVariant *values)
{
  const guint32 *numbers;
  gsize n = load->n_items;
  guint n_right = 0;

  if (load->kind == KIND_VALUES)
    {
      ck_assert_uint_eq (g_variant_n_children (values), n);
      for (guint i = 0; i < n; i++)
        {
          GVariant *value;

          g_variant_get_child (values, i, "v", &value);
          n_right += g_variant_get_uint32 (value) == i;
          g_variant_unref (value);
        }
      ck_assert_uint_eq (n_right, n);
    }
  else if (load->kind == KIND_BYTES)
    {
      numbers = g_variant_get_fixed_array (values, &n, 1);
      ck_assert_uint_eq (n, load->n_items * sizeof *numbers);
      for (guint i = 0; i < load->n_items; i++)
        n_right += numbers[i] == i;
      ck_assert_uint_eq (n_right, load->n_items);
    }
}

static void
expect_loss (GError **error, guint first, guint lost)
{
  char *text = lost == 1
                   ? g_strdup_printf ("item %u of map", first)
                   : g_strdup_printf ("items %u to %u of map", first, first + lost - 1);

  mproc_test_expect_error (error, MPROC_ERROR_WORKER_DIED, text);
  g_free (text);
}

/* @lost items from @first on; 0: none. */
static void
expect_end (const Load *load, MprocResult *result, guint first, guint lost)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, PATIENCE, &error);

  if (lost > 0)
    {
      ck_assert_ptr_null (value);
      expect_loss (&error, first, lost);
    }
  else if (load->scene == SCENE_ERROR)
    mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "this one fails");
  else
    {
      ck_assert_msg (value != NULL, "%s", error != NULL ? error->message : "");
      expect_values (load, value);
    }
  g_clear_pointer (&value, g_variant_unref);
  mproc_result_unref (result);
}

/* ------------------------------------------------------------------ a trial */

/* Where the part begins that is lost at that passing, and how long it is. */
static void
find_lost (const Plan *plan, guint passing, guint *first, guint *lost)
{
  *first = plan->scene == SCENE_CHUNKS  ? (passing - 1) * CHUNK
           : plan->scene == SCENE_ERROR ? FAILING / CHUNK * CHUNK
                                        : 0;
  *lost = plan->lost;
  if (plan->at == MPROC_CRASH_SHARE_BEGUN)
    *lost -= passing - 1;
}

/* The first one has died, and no other. */
static void
expect_workers (MprocPool *pool, guint n)
{
  GVariant *number = mproc_pool_apply (pool, mproc_test_tell_number, NULL, NULL);

  ck_assert_ptr_nonnull (number);
  ck_assert_uint_eq (g_variant_get_uint32 (number), n);
  g_variant_unref (number);
}

static void
try_once (const Plan *plan, Kind kind, int method, guint passing)
{
  guint n_workers = plan->scene == SCENE_SHARE ? 2 : 1;
  MprocPool *pool = mproc_test_pool (n_workers, method);
  Load load = { .kind = kind, .scene = plan->scene };
  MprocResult *result;
  guint first, lost;

  load.n_items = plan->scene == SCENE_SHARE ? MOST_ITEMS : N_SMALL;
  load.stage = mproc_arena_alloc0 (sizeof (Stage), NULL);
  mproc_store32 (&stage_at (load.stage)->at, plan->at);
  mproc_store32 (&stage_at (load.stage)->passing, passing);
  if (n_workers == 1)
    mproc_test_expect_success (mproc_pool_apply_async (pool, arm,
                                                       g_variant_new_uint64 (load.stage),
                                                       NULL));
  find_lost (plan, passing, &first, &lost);
  result = submit (pool, &load);
  expect_end (&load, result, first, lost);
  if (plan->scene == SCENE_ERROR && lost == 0)
    ck_assert_uint_eq (count_wrong_runs (&load, FAILING / CHUNK * CHUNK, CHUNK, 2), 0);
  else
    ck_assert_uint_eq (count_wrong_runs (&load, first, lost, plan->begun), 0);
  mproc_test_expect_service (pool, 5);
  if (n_workers == 1)
    expect_workers (pool, plan->at != MPROC_CRASH_NOWHERE ? 2 : 1);
  mproc_test_end_pool (pool);
  g_clear_pointer (&load.array, mproc_array_unref);
  mproc_arena_free (load.stage);
}

/* What is made once is there after that. */
static void
rehearse (Scene scene, Kind kind, int method)
{
  static gboolean done[SCENE_SHARE + 1][N_KINDS][8];
  const Plan rehearsal = { .at = MPROC_CRASH_NOWHERE, .scene = scene };

  if (!done[scene][kind][method])
    try_once (&rehearsal, kind, method, 1);
  done[scene][kind][method] = TRUE;
}

/* Where it takes a while to make a pool, once has to do. */
static gboolean
is_quick (int method)
{
  return mproc_test_method (method) == MPROC_START_METHOD_FORK;
}

static gboolean
is_possible (const Plan *plan, Kind kind, int method)
{
  if (kind != KIND_VALUES && (plan->of_values || !is_quick (method)))
    return FALSE;
  return plan->scene != SCENE_SHARE ||
         kind != KIND_ARRAY; /* whose parts are one call each */
}

static void
try_kind (const Plan *plan, Kind kind, int method)
{
  guint n = is_quick (method) ? plan->passings : 1;
  CrashFigures before;

  rehearse (plan->scene, kind, method);
  /* The server is there before and after. */
  if (mproc_test_method (method) == MPROC_START_METHOD_FORKSERVER)
    ck_assert (mproc_forkserver_is_single ());
  crash_sweep ();
  before = crash_count ();
  for (guint passing = 1; passing <= n; passing++)
    try_once (plan, kind, method, passing);
  crash_check_figures (&before, plan->lost_blocks);
}

static void
try_point (MprocCrash at)
{
  const Plan *plan = find_plan (at);
  int n = (int) mproc_test_n_methods ();

  for (int method = 0; method < n; method++)
    for (guint kind = 0; kind < N_KINDS && !mproc_test_is_thread (method); kind++)
      if (is_possible (plan, (Kind) kind, method))
        try_kind (plan, (Kind) kind, method);
}

#undef CRASH_TEST
#define CRASH_TEST(name, state)                                                          \
  START_TEST (name) { try_point (MPROC_CRASH_##name); }                                  \
  END_TEST

CRASH_SUITE (crash_batch, "crash-batch", MPROC_CRASH_BATCH_POINTS)
