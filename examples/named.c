/* SPDX-License-Identifier: MIT */
/* Shared memory with a name, and a list in such memory: any program of the user may open them, a Python
 * program too, with multiprocessing.shared_memory.  Here a child does, by the names alone. */
#include <mproc.h>
#include <stdio.h>
#include <string.h>

static gboolean
fill (MprocSharedMemory *block, MprocShareableList *list, GError **error)
{
  gsize size;
  char *text = mproc_shared_memory_get_data (block, &size);

  g_strlcpy (text, "written by the child", size);
  return mproc_shareable_list_set (list, 0, g_variant_new_int64 (42), error) &&
         mproc_shareable_list_set (list, -1, g_variant_new_string ("dolphin"), error);
}

static GVariant *
write_there (GVariant *args, GError **error)
{
  const char *block_name, *list_name;
  MprocSharedMemory *block;
  MprocShareableList *list;

  g_variant_get (args, "(&s&s)", &block_name, &list_name);
  block = mproc_shared_memory_open (block_name, 100, error);
  list = block != NULL ? mproc_shareable_list_open (list_name, error) : NULL;
  if (list != NULL)
    fill (block, list, error);
  mproc_shareable_list_unref (list);
  mproc_shared_memory_unref (block);
  return NULL;
}

static void
show (MprocShareableList *list)
{
  for (gsize i = 0; i < mproc_shareable_list_get_length (list); i++)
    {
      GVariant *item = mproc_shareable_list_get (list, (gssize) i, NULL);
      char *text = g_variant_print (item, FALSE);

      puts (text);
      g_free (text);
      g_variant_unref (item);
    }
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  MprocSharedMemory *block, *of_list;
  MprocShareableList *list;
  MprocProcess *process;

  mproc_init (&argc, &argv);
  block = mproc_shared_memory_create (NULL, 100, &error);
  list =
      block != NULL
          ? mproc_shareable_list_new (g_variant_new_parsed ("(1, 2.5, true, 'a howl')"),
                                      NULL, &error)
          : NULL;
  if (list == NULL)
    g_error ("%s", error->message);
  of_list = mproc_shareable_list_get_memory (list);
  process =
      mproc_process_new (write_there,
                         g_variant_new ("(ss)", mproc_shared_memory_get_name (block),
                                        mproc_shared_memory_get_name (of_list)));
  if (!mproc_process_start (process, &error))
    g_error ("%s", error->message);
  mproc_process_join (process, MPROC_FOREVER);

  puts (mproc_shared_memory_get_data (block, NULL));
  show (list);
  mproc_shared_memory_unlink (block, NULL);
  mproc_shared_memory_unlink (of_list, NULL);
  mproc_process_unref (process);
  mproc_shareable_list_unref (list);
  mproc_shared_memory_unref (block);
  return 0;
}
