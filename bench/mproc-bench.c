/* SPDX-License-Identifier: MIT */
/* mproc-bench [NAME...] [--peer] [--pin] [--check] [--rounds N] [--scale X]: see README.md. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gboolean bench_is_pinned;
double bench_scale = 1;

static gboolean with_peers;
static gboolean check;
static gint n_rounds = 5;

gboolean
bench_is_on_one_processor (void)
{
  return mproc_cpu_count () == 1;
}

void
bench_fail (const char *what, GError *error)
{
  fprintf (stderr, "mproc-bench: %s: %s\n", what,
           error != NULL ? error->message : "failed");
  exit (1);
}

static const struct
{
  const char *name;
  const BenchFigure *figures;
} subjects[] = {
  { "start", bench_start_figures }, { "lock", bench_lock_figures },
  { "queue", bench_queue_figures }, { "latency", bench_latency_figures },
  { "value", bench_value_figures }, { "large", bench_large_figures },
  { "pool", bench_pool_figures },
};

static gboolean
is_named (char **names, const char *name)
{
  return names == NULL || g_strv_contains ((const char *const *) names, name);
}

static gboolean
are_subjects (char **names)
{
  for (; names != NULL && *names != NULL; names++)
    {
      gboolean known = FALSE;

      for (guint i = 0; i < G_N_ELEMENTS (subjects); i++)
        known |= strcmp (subjects[i].name, *names) == 0;
      if (!known)
        return FALSE;
    }
  return TRUE;
}

static char **
parse (int argc, char **argv)
{
  char **names = NULL;
  const GOptionEntry options[] = {
    { "peer", 0, 0, G_OPTION_ARG_NONE, &with_peers, "Measure the peers too, turn by turn",
      NULL },
    { "pin", 0, 0, G_OPTION_ARG_NONE, &bench_is_pinned, "Keep to two processors", NULL },
    { "check", 0, 0, G_OPTION_ARG_NONE, &check, "Print the bounds, and what holds",
      NULL },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "How often (5)", "N" },
    { "scale", 0, 0, G_OPTION_ARG_DOUBLE, &bench_scale, "How long, 1 being normal", "X" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &names, NULL, NULL },
    { NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
  };
  GOptionContext *context =
      g_option_context_new ("[start] [lock] [queue] [latency] [value] [large] [pool]");
  GError *error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    bench_fail ("arguments", error);
  g_option_context_free (context);
  if (!are_subjects (names) || n_rounds < 1 || bench_scale <= 0)
    bench_fail ("arguments (--help lists them)", NULL);
  return names;
}

int
main (int argc, char **argv)
{
  guint missed = 0;
  char **names;

  mproc_init (&argc, &argv);
  if (argc > 1 && strcmp (argv[1], "--bench-child") == 0)
    return 0;

  names = parse (argc, argv);
  if (bench_is_pinned && !bench_pin_all ())
    bench_fail ("--pin wants two processors", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (subjects); i++)
    if (is_named (names, subjects[i].name))
      missed +=
          bench_run_figures (subjects[i].figures, (guint) n_rounds, with_peers, check);
  if (check)
    printf ("missed %u\n", missed);
  g_strfreev (names);
  return 0;
}
