/* SPDX-License-Identifier: MIT */
/* A table of figures: measured, printed, compared. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

typedef struct
{
  const BenchFigure *figures;
  guint n_rounds;
  gboolean with_peers;
  gboolean check;
  double **rounds; /* for each figure its values */
} Run;

static gboolean
is_wanted (const Run *run, const BenchFigure *figure)
{
  return figure->peer_of == NULL || run->with_peers;
}

static const double *
find_rounds (const Run *run, const char *name)
{
  guint i = 0;

  while (strcmp (run->figures[i].name, name) != 0)
    i++;
  return run->rounds[i];
}

/* ------------------------------------------------------------------ values */

static const char *
explain (double value)
{
  static const char *const reasons[] = { "not-on-this-system", "on-one-processor",
                                         "no-python3",         "no-boost",
                                         "no-openmpi",         "no-mpi4py" };

  return reasons[-(int) value - 1];
}

static void
print_value (const Run *run, guint i)
{
  const BenchFigure *figure = &run->figures[i];

  if (run->rounds[i][0] >= 0)
    printf ("%s %.4g %s\n", figure->name, bench_median (run->rounds[i], run->n_rounds),
            figure->unit);
  else
    printf ("%s skipped %s\n", figure->name, explain (run->rounds[i][0]));
}

/* ------------------------------------------------------------------ ratios */

static double
find_bound (const char *own, const char *peer)
{
  for (const BenchBound *bound = bench_bounds; bound->own != NULL; bound++)
    if (strcmp (bound->own, own) == 0 && strcmp (bound->peer, peer) == 0)
      return bench_is_on_one_processor () ? bound->one : bound->apart;
  return 0;
}

/* The median of the rounds' ratios: what one round measured was measured side by side, so a
 * machine that was slow for a while was slow for both. */
static double
get_ratio (const double *own, const double *theirs, guint n)
{
  double *ratios = g_new (double, n);
  double result;

  for (guint round = 0; round < n; round++)
    ratios[round] = own[round] / theirs[round];
  result = bench_median (ratios, n);
  g_free (ratios);
  return result;
}

/* The bound says how many times as fast, the ratio of two times says the opposite. */
static gboolean
print_bound (double ratio, double bound, gboolean is_rate)
{
  gboolean holds = is_rate ? ratio >= bound : ratio * bound <= 1;

  printf (" bound %s%.3g %s", is_rate ? ">=" : "<=", is_rate ? bound : 1 / bound,
          holds ? "ok" : "MISSED");
  return holds;
}

/* Returns: whether the bound, if there is one, holds */
static gboolean
print_ratio (const Run *run, guint i)
{
  const BenchFigure *peer = &run->figures[i];
  const double *own = find_rounds (run, peer->peer_of);
  double bound = find_bound (peer->peer_of, peer->name);
  gboolean holds = TRUE;
  double ratio;

  if (run->rounds[i][0] < 0 || own[0] < 0)
    return TRUE;
  ratio = get_ratio (own, run->rounds[i], run->n_rounds);
  printf ("%s/%s ratio %.3g", peer->peer_of, peer->name, ratio);
  if (run->check && bound > 0)
    holds = print_bound (ratio, bound, strchr (peer->unit, '/') != NULL);
  printf ("\n");
  return holds;
}

static guint
print_all (const Run *run)
{
  guint missed = 0;

  for (guint i = 0; run->figures[i].name != NULL; i++)
    if (is_wanted (run, &run->figures[i]))
      print_value (run, i);
  for (guint i = 0; run->figures[i].name != NULL; i++)
    if (run->with_peers && run->figures[i].peer_of != NULL && !print_ratio (run, i))
      missed++;
  fflush (stdout);
  return missed;
}

/* ------------------------------------------------------------------ the run */

guint
bench_run_figures (const BenchFigure *figures,
                   guint n_rounds,
                   gboolean with_peers,
                   gboolean check)
{
  Run run = { figures, n_rounds, with_peers, check, NULL };
  guint n = 0;
  guint missed;

  while (figures[n].name != NULL)
    n++;
  run.rounds = g_new (double *, n);
  for (guint i = 0; i < n; i++)
    run.rounds[i] = g_new0 (double, n_rounds);
  for (guint round = 0; round < n_rounds; round++)
    for (guint i = 0; i < n; i++)
      if (is_wanted (&run, &figures[i]))
        run.rounds[i][round] = figures[i].measure (figures[i].what);
  missed = print_all (&run);
  for (guint i = 0; i < n; i++)
    g_free (run.rounds[i]);
  g_free (run.rounds);
  return missed;
}
