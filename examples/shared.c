/* SPDX-License-Identifier: MIT */
/* A number and an array in shared memory, which a child negates. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
negate (GVariant *args, GError **error)
{
  MprocValue *number;
  MprocArray *array;
  double *value;
  gint32 *items;
  gsize n = 0;

  if (!mproc_unpack (args, error, "(&h&h)", &number, &array))
    return NULL;
  value = mproc_value_get_data (number);
  *value = -*value;
  items = mproc_array_get_data (array, &n);
  for (gsize i = 0; i < n; i++)
    items[i] = -items[i];
  return NULL;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  MprocValue *number;
  MprocArray *array;
  MprocProcess *process;
  GVariant *items;
  char *text;

  mproc_init (&argc, &argv);
  number =
      mproc_value_new ("d", g_variant_new_double (-3.1415927), MPROC_OWN_LOCK, &error);
  array =
      mproc_array_new ("i", 0, g_variant_new_parsed ("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"),
                       MPROC_OWN_LOCK, &error);
  if (number == NULL || array == NULL)
    g_error ("%s", error->message);
  process = mproc_process_new (negate, mproc_pack ("(hh)", number, array));
  if (!mproc_process_start (process, &error))
    g_error ("%s", error->message);
  mproc_process_join (process, MPROC_FOREVER);

  items = mproc_array_get_slice (array, 0, MPROC_SLICE_END, 1, &error);
  text = g_variant_print (items, FALSE);
  printf ("%.7f\n%s\n", *(double *) mproc_value_get_data (number), text);
  g_free (text);
  g_variant_unref (items);
  mproc_process_unref (process);
  mproc_array_unref (array);
  mproc_value_unref (number);
  return 0;
}
