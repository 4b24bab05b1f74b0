/* SPDX-License-Identifier: MIT */
/* A pool over plain C arrays: structures in, numbers out, and a shared array whose slices are worked on
 * where they lie.  Nothing is packed into values. */
#include <mproc.h>
#include <stdio.h>

#define N 100000

typedef struct
{
  gint32 x, y;
} Point;

static gboolean
square_of_length (gconstpointer item,
                  gsize size,
                  gpointer result,
                  gsize result_size,
                  GError **error)
{
  const Point *point = item;

  *(gint64 *) result = (gint64) point->x * point->x + (gint64) point->y * point->y;
  return TRUE;
}

static gboolean
add (gpointer items, gsize n, gsize first, GVariant *number, GError **error)
{
  gint32 *numbers = items;

  for (gsize i = 0; i < n; i++)
    numbers[i] += (gint32) (first + i) + g_variant_get_int32 (number);
  return TRUE;
}

static void
map_points (MprocPool *pool)
{
  Point *points = g_new (Point, N);
  gint64 *squares = g_new (gint64, N);
  GError *error = NULL;

  for (gint32 i = 0; i < N; i++)
    points[i] = (Point){ i, 2 * i };
  if (!mproc_pool_map_bytes (pool, square_of_length, points, N, sizeof *points, squares,
                             sizeof *squares, 0, &error))
    g_error ("%s", error->message);
  printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", squares[3], squares[N - 1]);
  g_free (points);
  g_free (squares);
}

static void
map_array (MprocPool *pool)
{
  GError *error = NULL;
  MprocArray *array = mproc_array_new ("i", N, NULL, NULL, &error);
  gint32 *numbers;

  if (array == NULL ||
      !mproc_pool_map_array (pool, add, array, 0, g_variant_new_int32 (7), &error))
    g_error ("%s", error->message);
  numbers = mproc_array_get_data (array, NULL);
  printf ("%d %d\n", numbers[0], numbers[N - 1]);
  mproc_array_unref (array);
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  MprocPool *pool;

  mproc_init (&argc, &argv);
  pool = mproc_pool_new (0, &error);
  if (pool == NULL)
    g_error ("%s", error->message);
  map_points (pool);
  map_array (pool);
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
  return 0;
}
