/* SPDX-License-Identifier: MIT */
/* mproc-bench [start] [queue] [pool] [--peer] [--pin] [--rounds N] [--scale X]: see README.md. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gboolean with_peers;
static gboolean pinned;
static gint n_rounds = 5;
static double scale = 1;

guint
bench_repeat (guint normal)
{
  return MAX (1, (guint) (normal * scale));
}

double
bench_each (gint64 begin, guint n)
{
  return (double) (g_get_monotonic_time () - begin) / n;
}

void
bench_fail (const char *what, GError *error)
{
  fprintf (stderr, "mproc-bench: %s: %s\n", what,
           error != NULL ? error->message : "failed");
  exit (1);
}

/* ------------------------------------------------------------------ one figure */

/* What the script prints, in the figure's unit.  Without python3 there is no such figure. */
static double
run_script (const BenchFigure *figure)
{
  char *python = g_find_program_in_path ("python3");
  char *path = g_build_filename (BENCH_PEERS, figure->script, NULL);
  char *share = g_strdup_printf ("%g", scale);
  char *argv[] = { python, path, (char *) figure->command, share, pinned ? "pin" : NULL,
                   NULL };
  char *output = NULL;
  gint status = 0;
  GError *error = NULL;
  double value = -1;

  if (python != NULL)
    {
      if (!g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL,
                         &status, &error) ||
          status != 0)
        bench_fail (path, error);
      value = g_ascii_strtod (output, NULL);
    }
  g_free (output);
  g_free (share);
  g_free (path);
  g_free (python);
  return value;
}

static double
measure (const BenchFigure *figure)
{
  return figure->measure != NULL ? figure->measure () : run_script (figure);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
median (double *values)
{
  qsort (values, (gsize) n_rounds, sizeof *values, compare);
  return (values[(n_rounds - 1) / 2] + values[n_rounds / 2]) / 2;
}

/* ------------------------------------------------------------------ a table of them */

static guint
find_figure (const BenchFigure *figures, const char *name)
{
  guint i = 0;

  while (strcmp (figures[i].name, name) != 0)
    i++;
  return i;
}

/* The median of the rounds' ratios: the two figures of a round were taken side by side, so
 * that a machine that was slow for a while was slow for both. */
static void
print_ratio (const BenchFigure *figures, guint peer, double *values)
{
  guint own = find_figure (figures, figures[peer].peer_of);
  double *ratios = g_new (double, n_rounds);

  for (gint round = 0; round < n_rounds; round++)
    ratios[round] = values[own * (guint) n_rounds + (guint) round] /
                    values[peer * (guint) n_rounds + (guint) round];
  printf ("%s/%s ratio %.3g\n", figures[own].name, figures[peer].name, median (ratios));
  g_free (ratios);
}

static gboolean
is_wanted (const BenchFigure *figure)
{
  return figure->peer_of == NULL || with_peers;
}

static void
print_figures (const BenchFigure *figures, double *values)
{
  for (guint i = 0; figures[i].name != NULL; i++) /* before median () sorts the rounds */
    if (is_wanted (&figures[i]) && figures[i].peer_of != NULL &&
        values[i * (guint) n_rounds] >= 0)
      print_ratio (figures, i, values);
  for (guint i = 0; figures[i].name != NULL; i++)
    if (is_wanted (&figures[i]))
      {
        double value = median (&values[i * (guint) n_rounds]);

        if (value >= 0)
          printf ("%s %.4g %s\n", figures[i].name, value, figures[i].unit);
        else
          printf ("%s skipped %s\n", figures[i].name,
                  figures[i].script != NULL ? "no-python3" : "not-on-this-system");
      }
  fflush (stdout);
}

/* All figures turn by turn, A B A B. */
static void
run (const BenchFigure *figures)
{
  guint n = 0;
  double *values;

  while (figures[n].name != NULL)
    n++;
  values = g_new0 (double, n *(guint) n_rounds);
  for (guint round = 0; round < (guint) n_rounds; round++)
    for (guint i = 0; i < n; i++)
      if (is_wanted (&figures[i]))
        values[i * (guint) n_rounds + round] = measure (&figures[i]);
  print_figures (figures, values);
  g_free (values);
}

/* ------------------------------------------------------------------ main */

static const struct
{
  const char *name;
  const BenchFigure *figures;
} commands[] = {
  { "start", bench_start_figures },
  { "queue", bench_queue_figures },
  { "pool", bench_pool_figures },
};

static gboolean
is_named (char **names, const char *name)
{
  return names == NULL || g_strv_contains ((const char *const *) names, name);
}

static gboolean
are_commands (char **names)
{
  for (; names != NULL && *names != NULL; names++)
    {
      gboolean known = FALSE;

      for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
        known |= strcmp (commands[i].name, *names) == 0;
      if (!known)
        return FALSE;
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  char **names = NULL;
  const GOptionEntry options[] = {
    { "peer", 0, 0, G_OPTION_ARG_NONE, &with_peers, "Measure the peers too, turn by turn",
      NULL },
    { "pin", 0, 0, G_OPTION_ARG_NONE, &pinned, "Keep to two processors", NULL },
    { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "How often (5)", "N" },
    { "scale", 0, 0, G_OPTION_ARG_DOUBLE, &scale, "How long, 1 being normal", "X" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &names, NULL, NULL },
    { NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL },
  };
  GOptionContext *context;
  GError *error = NULL;

  mproc_init (&argc, &argv);
  if (argc > 1 && strcmp (argv[1], "--bench-child") == 0)
    return 0;

  context = g_option_context_new ("[start] [queue] [pool]");
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    bench_fail ("arguments", error);
  g_option_context_free (context);
  if (!are_commands (names) || n_rounds < 1)
    bench_fail ("arguments (--help lists them)", NULL);
  if (pinned && !bench_pin_all ())
    bench_fail ("--pin wants two processors", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (is_named (names, commands[i].name))
      run (commands[i].figures);
  g_strfreev (names);
  return 0;
}
