/* SPDX-License-Identifier: MIT */
#include "mproc-test.h"

#include "process/forkserver.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (2 * G_USEC_PER_SEC)

static struct
{
  char name[200]; /* read by the watchdog, so always a whole string */
  gboolean complete;
  GPtrArray *before;
  gint64 start;
} running;

/* ------------------------------------------------------------------ environment */

static gint
number_from_environment (const char *name, gint otherwise)
{
  const char *text = g_getenv (name);

  return text == NULL ? otherwise : atoi (text);
}

gint
mproc_test_scale (gint normal)
{
  const char *text = g_getenv ("MPROC_TEST_SCALE");
  double scaled = text == NULL ? normal : normal * g_ascii_strtod (text, NULL);

  return MAX (1, (gint) scaled);
}

static const struct
{
  MprocStartMethod method;
  const char *name;
} all_methods[] = {
  { MPROC_START_METHOD_FORK, "fork" },
  { MPROC_START_METHOD_SPAWN, "spawn" },
  { MPROC_START_METHOD_FORKSERVER, "forkserver" },
  { MPROC_START_METHOD_THREAD, "thread" },
};

static gboolean
is_wanted (const char *name)
{
  const char *wanted = g_getenv ("MPROC_TEST_METHODS");
  char **names;
  gboolean found;

  if (wanted == NULL)
    return TRUE;
  names = g_strsplit_set (wanted, ", ", -1);
  found = g_strv_contains ((const char *const *) names, name);
  g_strfreev (names);
  return found;
}

static gboolean
is_here (MprocStartMethod method)
{
  return mproc_test_can_fork () ||
         (method != MPROC_START_METHOD_FORK && method != MPROC_START_METHOD_FORKSERVER);
}

/* The @i-th of the methods wanted, as an index of all_methods; -1 behind the last. */
static int
find_method (int i)
{
  for (guint k = 0; k < G_N_ELEMENTS (all_methods); k++)
    if (is_here (all_methods[k].method) && is_wanted (all_methods[k].name) && i-- == 0)
      return (int) k;
  return -1;
}

guint
mproc_test_n_methods (void)
{
  int n = 0;

  while (find_method (n) >= 0)
    n++;
  return (guint) n;
}

MprocStartMethod
mproc_test_method (int i)
{
  int k = find_method (i);

  return k < 0 ? MPROC_START_METHOD_DEFAULT : all_methods[k].method;
}

const char *
mproc_test_method_name (int i)
{
  int k = find_method (i);

  return k < 0 ? "default" : all_methods[k].name;
}

char *
mproc_test_temporary (const char *what)
{
  static gint serial;
  char *name = g_strdup_printf ("%s-%d", what, g_atomic_int_add (&serial, 1));
  char *path = g_build_filename (g_get_tmp_dir (), name, NULL);

  g_free (name);
  return path;
}

gboolean
mproc_test_eventually (gboolean (*condition) (gpointer), gpointer data)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  gulong pause = 200;

  while (!condition (data))
    {
      if (g_get_monotonic_time () > deadline)
        return FALSE;
      g_usleep (pause);
      pause = MIN (2 * pause, 50000);
    }
  return TRUE;
}

gint64
mproc_test_best (gint64 (*measure) (int i, gconstpointer data),
                 int i,
                 gconstpointer data,
                 gint64 enough)
{
  gint64 best = G_MAXINT64;

  for (guint attempt = 0; attempt < 10 && best > enough; attempt++)
    {
      gint64 time = measure (i, data);

      best = MIN (best, time);
    }
  return best;
}

/* ------------------------------------------------------------------ leaks */

/* The system's own lines, and the temporary folder, which is this run's alone but for the
 * file through which Check talks to itself. */
static GPtrArray *
take_census (void)
{
  GPtrArray *things = mproc_test_census ();
  GDir *folder = g_dir_open (g_get_tmp_dir (), 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    if (!g_str_has_prefix (name, "check_"))
      g_ptr_array_add (things, g_strdup_printf ("file %s", name));
  if (folder != NULL)
    g_dir_close (folder);
  return things;
}

static gboolean
same_kind (const char *a, const char *b)
{
  gsize length = strcspn (a, " ");

  return length == strcspn (b, " ") && strncmp (a, b, length) == 0;
}

static guint
count_kind (GPtrArray *things, const char *like)
{
  guint n = 0;

  for (guint i = 0; i < things->len; i++)
    if (same_kind (things->pdata[i], like))
      n++;
  return n;
}

static gboolean
contains (GPtrArray *things, const char *thing)
{
  for (guint i = 0; i < things->len; i++)
    if (strcmp (things->pdata[i], thing) == 0)
      return TRUE;
  return FALSE;
}

/* The things of now that are more than there were of their kind; NULL: none (transfer
 * full). Kinds are counted, since a descriptor may have been opened anew under another
 * number. */
static char *
find_leaks (void)
{
  GPtrArray *now = take_census ();
  GString *leaks = g_string_new (NULL);

  for (guint i = 0; i < now->len; i++)
    if (!contains (running.before, now->pdata[i]) &&
        count_kind (now, now->pdata[i]) > count_kind (running.before, now->pdata[i]))
      g_string_append_printf (leaks, "%s%s", leaks->len > 0 ? ", " : "",
                              (char *) now->pdata[i]);
  if (leaks->len == 0 && now->len > running.before->len)
    g_string_append_printf (leaks, "%u things more than before",
                            now->len - running.before->len);
  g_ptr_array_unref (now);
  return g_string_free (leaks, leaks->len == 0);
}

static gboolean
is_clean (gpointer data)
{
  char **leaks = data;

  g_free (*leaks);
  *leaks = find_leaks ();
  return *leaks == NULL;
}

/* ------------------------------------------------------------------ around each test */

static guint
time_limit (void)
{
  return (guint) number_from_environment ("MPROC_TEST_LIMIT", 60);
}

void
mproc_test_begin (const char *test, int i)
{
  snprintf (running.name, sizeof running.name, "%s (%d)", test, i);
  running.complete = FALSE;
}

void
mproc_test_end (void)
{
  running.complete = TRUE;
}

static void
set_up (void)
{
  snprintf (running.name, sizeof running.name, "before a test");
  mproc_test_limit (time_limit (), running.name);
  running.before = take_census ();
  running.start = g_get_monotonic_time ();
}

/* What a slow suite is slow with: MPROC_TEST_TIMES=1. */
static void
tell_time (void)
{
  if (g_getenv ("MPROC_TEST_TIMES") != NULL)
    fprintf (stderr, "%8.3f s  %s\n",
             (double) (g_get_monotonic_time () - running.start) / G_USEC_PER_SEC,
             running.name);
}

/* A test that failed half way has left things behind: the failure is the news then. */
static void
tear_down (void)
{
  char *leaks = NULL;
  gboolean clean;
  char text[2000];

  /* It lives on from test to test else, as it should. */
  mproc_forkserver_end ();
  clean = !running.complete || mproc_test_eventually (is_clean, &leaks);
  g_clear_pointer (&running.before, g_ptr_array_unref);
  mproc_test_limit (0, NULL);
  tell_time ();
  if (clean)
    {
      g_free (leaks);
      return;
    }
  snprintf (text, sizeof text, "%s", leaks);
  g_free (leaks);
  ck_abort_msg ("%s left behind: %s", running.name, text);
}

TCase *
mproc_test_case (Suite *suite, const char *name)
{
  TCase *tcase = tcase_create (name);

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  suite_add_tcase (suite, tcase);
  return tcase;
}

guint
mproc_test_occurrences (const char *text, const char *what)
{
  guint n = 0;

  while ((text = strstr (text, what)) != NULL)
    {
      n++;
      text += strlen (what);
    }
  return n;
}
