/* SPDX-License-Identifier: MIT */
/* treehash [FOLDER...]: the SHA-256 of every file below the folders, as this prints it
 *
 *   find FOLDER... -type f -exec sha256sum {} + | LC_ALL=C sort -k2
 *
 * but computed by all processors at once. */
#include <mproc.h>
#include <glib/gstdio.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef G_OS_WIN32
#include <fcntl.h>
#include <io.h>
#endif

#define WINDOW 1024 /* tasks that are with the pool at a time */

static guint n_files;
static guint n_failures;
static guint64 n_bytes;
static gboolean on_terminal; /* whether there is somebody to show the progress to */

/* In a worker: a file's name, as in the output, becomes its size and its hash. */
static GVariant *
hash_file (GVariant *args, GError **error)
{
  char *path = g_strcompress (g_variant_get_bytestring (args));
  FILE *file = g_fopen (path, "rb");
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  GVariant *result = NULL;
  guchar buffer[65536];
  guint64 size = 0;
  gsize n;

  while (file != NULL && (n = fread (buffer, 1, sizeof buffer, file)) > 0)
    {
      g_checksum_update (checksum, buffer, (gssize) n);
      size += n;
    }
  if (file == NULL || ferror (file))
    g_set_error_literal (error, G_FILE_ERROR, g_file_error_from_errno (errno),
                         g_strerror (errno));
  else
    result = g_variant_new ("(ts)", size, g_checksum_get_string (checksum));
  if (file != NULL)
    fclose (file);
  g_checksum_free (checksum);
  g_free (path);
  return result;
}

static void
clear_progress (void)
{
  if (on_terminal)
    fputs ("\r\033[K", stderr);
}

static void
show_progress (guint n_found)
{
  static gint64 next;
  gint64 now = g_get_monotonic_time ();
  char *size;

  if (!on_terminal || (now < next && n_files < n_found))
    return;
  next = now + G_USEC_PER_SEC / 10;
  size = g_format_size (n_bytes);
  fprintf (stderr, "\r%u of %u files, %s\033[K%s", n_files, n_found, size,
           n_files < n_found ? "" : "\n");
  g_free (size);
}

static void
complain (const char *name, const char *what)
{
  clear_progress ();
  fprintf (stderr, "treehash: %s: %s\n", name, what);
  n_failures++;
}

/* A name as sha256sum prints it; g_strcompress() takes it back. */
static char *
escape (const char *path)
{
  GString *name = g_string_new (NULL);

  for (; *path != '\0'; path++)
    if (*path == '\\')
      g_string_append (name, "\\\\");
    else if (*path == '\n')
      g_string_append (name, "\\n");
    else if (*path == '\r')
      g_string_append (name, "\\r");
    else
      g_string_append_c (name, *path);
  return g_string_free (name, FALSE);
}

/* Takes @path, as a folder to look into or as a file found.  Links are not followed. */
static void
sort_in (char *path, GQueue *folders, GPtrArray *names)
{
  GStatBuf status;

  if (g_lstat (path, &status) != 0)
    complain (path, g_strerror (errno));
  else if ((status.st_mode & S_IFMT) == S_IFDIR)
    g_queue_push_tail (folders, g_strdup (path));
  else if ((status.st_mode & S_IFMT) == S_IFREG)
    g_ptr_array_add (names, escape (path));
  g_free (path);
}

static void
look_into (const char *folder, GQueue *folders, GPtrArray *names)
{
  const char *slash = g_str_has_suffix (folder, "/") ? "" : "/";
  GError *error = NULL;
  GDir *dir = g_dir_open (folder, 0, &error);
  const char *name;

  if (dir == NULL)
    {
      complain (folder, error->message);
      g_error_free (error);
      return;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    sort_in (g_strconcat (folder, slash, name, NULL), folders, names);
  g_dir_close (dir);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GPtrArray *
find_files (char **roots)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GQueue folders = G_QUEUE_INIT;
  char *folder;

  for (; *roots != NULL; roots++)
    sort_in (g_strdup (*roots), &folders, names);
  while ((folder = g_queue_pop_tail (&folders)) != NULL)
    {
      look_into (folder, &folders, names);
      g_free (folder);
    }
  g_ptr_array_sort (names, compare_names);
  return names;
}
