/* SPDX-License-Identifier: MIT */
/* Three workers, five tasks: pushed, three of them run at a time; applied, one after the other. */
#include <mproc.h>
#include <stdio.h>

static void
say (const char *what, gint32 task)
{
  printf ("%s %d\n", what, task);
  fflush (stdout); /* other processes write there too */
}

static GVariant *
nap (GVariant *args, GError **error)
{
  gint32 task;
  double seconds;

  g_variant_get (args, "(id)", &task, &seconds);
  g_usleep ((gulong) MPROC_SECONDS (seconds));
  say ("done", task);
  return NULL;
}

static void
run (gboolean pushed)
{
  GError *error = NULL;
  MprocPool *pool = mproc_pool_new (3, &error);

  if (pool == NULL)
    g_error ("%s", error->message);
  for (gint32 i = 1; i <= 5; i++)
    {
      GVariant *args = g_variant_new ("(id)", i, pushed ? 0.3 * i : 0.01);

      if (pushed)
        mproc_pool_push (pool, nap, args, NULL);
      else
        g_variant_unref (mproc_pool_apply (pool, nap, args, NULL));
      say (pushed ? "pushed" : "applied", i);
    }
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
}

int
main (int argc, char **argv)
{
  mproc_init (&argc, &argv);
  run (TRUE);
  run (FALSE);
  return 0;
}
