/* SPDX-License-Identifier: MIT */
/* A parallel map over two queues.  All items are put before any process starts, which needs no
 * reader: a put ends when the item is in shared memory.  A worker takes items until there is none; it
 * does not ask whether the queue is empty and then take one, since another may be faster. */
#include <mproc.h>
#include <stdio.h>

#define N_ITEMS 10
#define N_WORKERS 4

static GVariant *
cube (GVariant *x, GError **error)
{
  gint32 n = g_variant_get_int32 (x);

  return g_variant_new_int32 (n * n * n);
}

/* One item's result, with the item's place. */
static gboolean
apply_one (MprocFunc function, GVariant *item, MprocQueue *out, GError **error)
{
  GVariant *x, *result;
  guint32 i;

  g_variant_get (item, "(u*)", &i, &x);
  result = function (x, error);
  g_variant_unref (x);
  return result != NULL &&
         mproc_queue_put (out, g_variant_new ("(u*)", i, result), MPROC_FOREVER, error);
}

static GVariant *
apply (GVariant *args, GError **error)
{
  GError *end = NULL;
  gboolean done = TRUE;
  MprocFunc function;
  MprocQueue *in;
  MprocQueue *out;

  if (!mproc_unpack (args, error, "(f&h&h)", &function, &in, &out))
    return NULL;
  for (GVariant *item; done && (item = mproc_queue_get (in, 0, &end)) != NULL;)
    {
      done = apply_one (function, item, out, error);
      g_variant_unref (item);
    }
  if (g_error_matches (end, MPROC_ERROR, MPROC_ERROR_EMPTY))
    g_clear_error (&end); /* no more items */
  else if (end != NULL)
    g_propagate_error (error, end);
  return NULL;
}

/* The results, each in its item's place. */
static void
collect (MprocQueue *out, gint32 *results)
{
  GError *error = NULL;

  for (guint n = 0; n < N_ITEMS; n++)
    {
      GVariant *item = mproc_queue_get (out, MPROC_FOREVER, &error);
      guint32 i;
      gint32 result;

      if (item == NULL)
        g_error ("%s", error->message);
      g_variant_get (item, "(ui)", &i, &result);
      results[i] = result;
      g_variant_unref (item);
    }
}

static void
parmap (MprocFunc function, gint32 *items)
{
  MprocQueue *in = mproc_queue_new (0, NULL);
  MprocQueue *out = mproc_queue_new (0, NULL);
  MprocProcess *workers[N_WORKERS];
  GError *error = NULL;

  for (guint32 i = 0; i < N_ITEMS; i++)
    if (!mproc_queue_put (in, g_variant_new ("(ui)", i, items[i]), MPROC_FOREVER, &error))
      g_error ("%s", error->message);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      workers[i] = mproc_process_new (apply, mproc_pack ("(fhh)", function, in, out));
      if (!mproc_process_start (workers[i], &error))
        g_error ("%s", error->message);
    }
  collect (out, items);
  for (guint i = 0; i < N_WORKERS; i++)
    {
      mproc_process_join (workers[i], MPROC_FOREVER);
      mproc_process_unref (workers[i]);
    }
  mproc_queue_unref (out);
  mproc_queue_unref (in);
}

int
main (int argc, char **argv)
{
  gint32 items[N_ITEMS];

  mproc_init (&argc, &argv);
  for (gint32 i = 0; i < N_ITEMS; i++)
    items[i] = i;
  parmap (cube, items);
  for (guint i = 0; i < N_ITEMS; i++)
    printf ("%d\n", items[i]);
  return 0;
}
