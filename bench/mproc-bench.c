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
median (const double *rounds)
{
  double *values = g_new (double, n_rounds);
  double result;

  memcpy (values, rounds, (gsize) n_rounds * sizeof *values);
  qsort (values, (gsize) n_rounds, sizeof *values, compare);
  result = (values[(n_rounds - 1) / 2] + values[n_rounds / 2]) / 2;
  g_free (values);
  return result;
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

static gboolean
is_wanted (const BenchFigure *figure)
{
  return figure->peer_of == NULL || with_peers;
}

static void
print_value (const BenchFigure *figure, const double *rounds)
{
  if (rounds[0] >= 0)
    printf ("%s %.4g %s\n", figure->name, median (rounds), figure->unit);
  else
    printf ("%s skipped %s\n", figure->name,
            figure->script != NULL ? "no-python3" : "not-on-this-system");
}

/* The median of the rounds' ratios: what one round measured was measured side by side, so a
 * machine that was slow for a while was slow for both. */
static void
print_ratio (const char *name,
             const double *own,
             const BenchFigure *peer,
             const double *theirs)
{
  double *ratios = g_new (double, n_rounds);

  for (gint round = 0; round < n_rounds; round++)
    ratios[round] = own[round] / theirs[round];
  printf ("%s/%s ratio %.3g\n", name, peer->name, median (ratios));
  g_free (ratios);
}

static void
print_figures (const BenchFigure *figures, double **rounds)
{
  for (guint i = 0; figures[i].name != NULL; i++)
    if (is_wanted (&figures[i]))
      print_value (&figures[i], rounds[i]);
  for (guint i = 0; figures[i].name != NULL; i++)
    if (with_peers && figures[i].peer_of != NULL && rounds[i][0] >= 0)
      {
        guint own = find_figure (figures, figures[i].peer_of);

        if (rounds[own][0] >= 0)
          print_ratio (figures[own].name, rounds[own], &figures[i], rounds[i]);
      }
  fflush (stdout);
}

/* All figures turn by turn, A B A B. */
static void
run (const BenchFigure *figures)
{
  guint n = 0;
  double **rounds;

  while (figures[n].name != NULL)
    n++;
  rounds = g_new (double *, n);
  for (guint i = 0; i < n; i++)
    rounds[i] = g_new0 (double, n_rounds);
  for (gint round = 0; round < n_rounds; round++)
    for (guint i = 0; i < n; i++)
      if (is_wanted (&figures[i]))
        rounds[i][round] = measure (&figures[i]);
  print_figures (figures, rounds);
  for (guint i = 0; i < n; i++)
    g_free (rounds[i]);
  g_free (rounds);
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
