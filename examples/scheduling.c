/* SPDX-License-Identifier: MIT */
/* Three workers, five tasks: three begin at once, and each that ends makes room for the next one.  What
 * would be naps of 5, 4, 3, 2 and 1 seconds elsewhere are events here, set in the order in which the
 * naps would end. */
#include <mproc.h>
#include <stdio.h>

#define N_TASKS 5

static GVariant *
nap (GVariant *args, GError **error)
{
  MprocQueue *said;
  MprocEvent *over;
  gint32 number;

  if (!mproc_unpack (args, error, "(&h&hi)", &said, &over, &number))
    return NULL;
  mproc_queue_put (said, g_variant_new_int32 (number), MPROC_FOREVER, error);
  mproc_event_wait (over, MPROC_FOREVER);
  return g_variant_new_int32 (number);
}

/* The next tasks that begin, by number. */
static void
show_begun (MprocQueue *said, guint n)
{
  guint begun = 0;

  for (guint i = 0; i < n; i++)
    {
      GVariant *number = mproc_queue_get (said, MPROC_FOREVER, NULL);

      begun |= 1u << g_variant_get_int32 (number);
      g_variant_unref (number);
    }
  for (gint i = 0; i < N_TASKS; i++)
    if ((begun & 1u << i) != 0)
      printf ("task %d begins\n", i);
}

static void
show_end (MprocEvent *over, MprocResult *result)
{
  GVariant *number;

  mproc_event_set (over);
  number = mproc_result_get (result, MPROC_FOREVER, NULL);
  printf ("task %d ends\n", g_variant_get_int32 (number));
  g_variant_unref (number);
}

int
main (int argc, char **argv)
{
  const guint ends[N_TASKS] = { 2, 1, 0, 4, 3 };
  MprocEvent *over[N_TASKS];
  MprocResult *results[N_TASKS];
  GError *error = NULL;
  MprocQueue *said;
  MprocPool *pool;

  mproc_init (&argc, &argv);
  pool = mproc_pool_new (3, &error);
  if (pool == NULL)
    g_error ("%s", error->message);
  said = mproc_queue_new (0, NULL);
  for (gint32 i = 0; i < N_TASKS; i++)
    {
      over[i] = mproc_event_new (NULL);
      results[i] = mproc_pool_apply_async (pool, nap,
                                           mproc_pack ("(hhi)", said, over[i], i), NULL);
    }
  mproc_pool_close (pool);

  show_begun (said, 3);
  for (guint i = 0; i < N_TASKS; i++)
    {
      show_end (over[ends[i]], results[ends[i]]);
      if (i < N_TASKS - 3)
        show_begun (said, 1);
    }
  mproc_pool_join (pool, MPROC_FOREVER);
  puts ("all done");

  for (guint i = 0; i < N_TASKS; i++)
    {
      mproc_event_unref (over[i]);
      mproc_result_unref (results[i]);
    }
  mproc_queue_unref (said);
  mproc_pool_unref (pool);
  return 0;
}
