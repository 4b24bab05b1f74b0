/* SPDX-License-Identifier: MIT */
/* An input without an end: primes are looked for among all numbers, until there are ten of them. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
next_number (gpointer data, GError **error)
{
  guint32 *number = data;

  (void) error;
  return g_variant_new_uint32 ((*number)++);
}

static GVariant *
test_prime (GVariant *args, GError **error)
{
  guint32 n = g_variant_get_uint32 (args);

  (void) error;
  for (guint32 i = 2; i <= n / i; i++)
    if (n % i == 0)
      return g_variant_new ("(ub)", n, FALSE);
  return g_variant_new ("(ub)", n, n > 1);
}

/* How many it is, with those before. */
static guint
show_if_prime (GVariant *value, guint n_found)
{
  gboolean is_prime;
  guint32 n;

  g_variant_get (value, "(ub)", &n, &is_prime);
  g_variant_unref (value);
  if (is_prime)
    printf ("%u\n", n);
  return is_prime ? n_found + 1 : n_found;
}

int
main (int argc, char **argv)
{
  guint32 number = 1000000;
  GError *error = NULL;
  guint n_found = 0;
  MprocPool *pool;
  MprocIter *iter;

  mproc_init (&argc, &argv);
  pool = mproc_pool_new (3, &error);
  if (pool == NULL)
    g_error ("%s", error->message);
  iter = mproc_pool_imap_from (pool, test_prime, next_number, &number, NULL, 8, NULL,
                               &error);
  while (n_found < 10)
    {
      GVariant *value = mproc_iter_next (iter, MPROC_FOREVER, &error);

      if (value == NULL)
        g_error ("%s", error->message);
      n_found = show_if_prime (value, n_found);
    }
  mproc_iter_unref (iter);
  mproc_pool_close (pool);
  mproc_pool_join (pool, MPROC_FOREVER);
  mproc_pool_unref (pool);
  return 0;
}
