/* SPDX-License-Identifier: MIT */
/* treehash [FOLDER]: hashes every file below a folder, by all processors at once, and prints what
 * `find FOLDER -type f -exec sha256sum {} + | LC_ALL=C sort -k2` prints. */
#include <mproc.h>
#include <glib/gstdio.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifdef G_OS_WIN32
#include <fcntl.h>
#include <io.h>
#endif

#define WINDOW 1024 /* so many files are with the pool at a time */

static const char *erase = ""; /* what takes the progress line away, if there is one */
static guint n_files, n_done, n_failed;
static guint64 n_bytes;

/* Runs in a worker.  Takes a file's name as it is printed, gives its size and its hash. */
static GVariant *
hash_file (GVariant *name, GError **error)
{
  char *path = g_strcompress (g_variant_get_bytestring (name));
  FILE *file = g_fopen (path, "rb");
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  GVariant *result = NULL;
  guchar buffer[65536];
  guint64 size = 0;

  for (gsize n; file && (n = fread (buffer, 1, sizeof buffer, file)) > 0; size += n)
    g_checksum_update (checksum, buffer, (gssize) n);
  if (file == NULL || ferror (file))
    g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FAILED, g_strerror (errno));
  else
    result = g_variant_new ("(ts)", size, g_checksum_get_string (checksum));
  if (file != NULL)
    fclose (file);
  g_checksum_free (checksum);
  g_free (path);
  return result;
}

/* A path as sha256sum prints it; g_strcompress() is the way back. */
static char *
escape (const char *path)
{
  char others[256] = "";

  for (int c = 1, n = 0; c < 256; c++)
    if (strchr ("\\\n\r", c) == NULL)
      others[n++] = (char) c;
  return g_strescape (path, others);
}

/* The names of all files, in order.  Links are not followed.  What cannot be looked at counts
 * as a file, so that hash_file() says what is wrong with it. */
static GList *
find_files (const char *root)
{
  GList *names = NULL;
  GQueue paths = G_QUEUE_INIT;

  for (char *path = g_strdup (root); path != NULL; path = g_queue_pop_tail (&paths))
    {
      GStatBuf status;
      guint kind = g_lstat (path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG;
      GDir *folder = kind == S_IFDIR ? g_dir_open (path, 0, NULL) : NULL;
      const char *slash = g_str_has_suffix (path, "/") ? "" : "/";

      for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
        g_queue_push_tail (&paths, g_strconcat (path, slash, name, NULL));
      if (folder != NULL)
        g_dir_close (folder);
      else if (kind == S_IFREG || kind == S_IFDIR)
        names = g_list_prepend (names, escape (path));
      g_free (path);
    }
  return g_list_sort (names, (GCompareFunc) strcmp);
}

static void
show_progress (const char *end)
{
  if (*erase != '\0')
    fprintf (stderr, "%u of %u files, %.1f MB%s", n_done, n_files, n_bytes / 1e6, end);
}

static void
print_result (const char *name, MprocResult *result)
{
  GError *error = NULL;
  GVariant *value = mproc_result_get (result, MPROC_FOREVER, &error);
  const char *hash;
  guint64 size;

  fputs (erase, stderr);
  if (value != NULL)
    {
      g_variant_get (value, "(t&s)", &size, &hash);
      printf ("%s%s  %s\n", strchr (name, '\\') != NULL ? "\\" : "", hash, name);
      n_bytes += size;
      g_variant_unref (value);
    }
  else
    fprintf (stderr, "treehash: %s: %s\n", name, error->message);
  n_failed += value == NULL;
  g_clear_error (&error);
  mproc_result_unref (result);
}

int
main (int argc, char **argv)
{
  GQueue results = G_QUEUE_INIT;
  GError *error = NULL;
  MprocPool *pool;

  mproc_init (&argc, &argv);
#ifdef G_OS_WIN32
  argv = g_win32_get_command_line (); /* in UTF-8 */
  _setmode (1, _O_BINARY);            /* LF stays LF */
#endif
  if (g_log_writer_supports_color (2)) /* standard error is a terminal */
    erase = "\r\033[K";
  pool = mproc_pool_new (0, &error);
  if (pool == NULL)
    g_error ("%s", error->message);

  GList *names = find_files (argc > 1 ? argv[1] : ".");
  n_files = g_list_length (names);
  for (GList *name = names, *next = names; name != NULL; name = name->next, n_done++)
    {
      for (; next != NULL && results.length < WINDOW; next = next->next)
        g_queue_push_tail (&results,
                           mproc_pool_apply_async (pool, hash_file,
                                                   g_variant_new_bytestring (next->data),
                                                   NULL));
      show_progress ("");
      print_result (name->data, g_queue_pop_head (&results));
    }
  show_progress ("\n");
  if (n_failed > 0)
    fprintf (stderr, "treehash: %u unreadable\n", n_failed);
  g_list_free_full (names, g_free);
  mproc_pool_unref (pool);
  return n_failed > 0 || fflush (stdout) != 0;
}
