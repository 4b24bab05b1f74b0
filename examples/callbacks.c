/* SPDX-License-Identifier: MIT */
/* Results come to a main loop, which waits for other things as well. */
#include <mproc.h>
#include <stdio.h>

typedef struct
{
  GMainLoop *loop;
  guint n_missing;
  gint32 sum;
} Work;

static GVariant *
square (GVariant *args, GError **error)
{
  gint32 n = g_variant_get_int32 (args);

  if (n != 5)
    return g_variant_new_int32 (n * n);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, "Invalid value");
  return NULL;
}

/* In the thread that runs the loop. */
static void
take (MprocResult *result, gpointer user_data)
{
  Work *work = user_data;
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, 0, &error);

  if (value == NULL)
    printf ("one failed: %s\n", error->message);
  else
    work->sum += g_variant_get_int32 (value);
  g_clear_pointer (&value, g_variant_unref);
  g_clear_error (&error);
  if (--work->n_missing == 0)
    g_main_loop_quit (work->loop);
}

int
main (int argc, char **argv)
{
  Work work = { NULL, 10, 0 };
  GError *error = NULL;
  MprocPool *pool;

  mproc_init (&argc, &argv);
  pool = mproc_pool_new (2, &error);
  if (pool == NULL)
    g_error ("%s", error->message);
  work.loop = g_main_loop_new (NULL, FALSE);
  for (gint32 i = 0; i < 10; i++)
    {
      MprocResult *result =
          mproc_pool_apply_async (pool, square, g_variant_new_int32 (i), NULL);

      mproc_result_set_callback (result, g_main_context_default (), take, &work, NULL);
      mproc_result_unref (result);
    }
  g_main_loop_run (work.loop);
  printf ("the others are %d together\n", work.sum);

  g_main_loop_unref (work.loop);
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
  return 0;
}
