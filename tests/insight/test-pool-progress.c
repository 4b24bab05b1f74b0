/* SPDX-License-Identifier: MIT */
/* How far a pool has come: told to a function, and drawn on a terminal. */
#include "pools.h"

#include "terminal.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ the callback */

/* What has been heard. */
typedef struct
{
  GMutex mutex;
  guint64 wanted; /* so many tasks */
  guint64 done, failed, total;
  guint n_calls;
  guint n_backwards;
  gboolean is_gone;
  GThread *thread;
} Heard;

static void
hear (guint64 done, guint64 failed, guint64 total, gpointer data)
{
  Heard *heard = data;

  g_mutex_lock (&heard->mutex);
  heard->n_backwards += done < heard->done || failed > done || done > total;
  heard->done = done;
  heard->failed = failed;
  heard->total = total;
  heard->thread = g_thread_self ();
  heard->n_calls++;
  g_mutex_unlock (&heard->mutex);
}

static void
go (gpointer data)
{
  ((Heard *) data)->is_gone = TRUE;
}

static gboolean
is_complete (gpointer data)
{
  Heard *heard = data;
  gboolean complete;

  g_mutex_lock (&heard->mutex);
  complete = heard->total == heard->wanted && heard->done == heard->wanted;
  g_mutex_unlock (&heard->mutex);
  return complete;
}

START_TEST (the_last_one_is_told)
{
  Heard heard = { .wanted = 100 };
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocResult *result;

  g_variant_unref (mproc_pool_apply (pool, mproc_test_refuse_odd, g_variant_new_int32 (0),
                                     NULL));
  mproc_pool_set_progress_callback (pool, hear, &heard, go, NULL);
  result = mproc_pool_map_async (pool, mproc_test_refuse_odd, mproc_test_numbers (0, 100),
                                 1, NULL);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  mproc_result_unref (result);
  ck_assert (mproc_test_eventually (is_complete, &heard));
  ck_assert_uint_eq (heard.total, 100);
  ck_assert_uint_eq (heard.failed, 50);
  ck_assert_uint_eq (heard.n_backwards, 0);
  ck_assert_ptr_ne (heard.thread, g_thread_self ());
  ck_assert (!heard.is_gone);
  mproc_test_end_pool (pool);
  ck_assert (heard.is_gone);
}
END_TEST

/* Also where the pool ends at once. */
START_TEST (the_pools_end_tells_what_is_left)
{
  Heard heard = { .wanted = 7 };
  MprocPool *pool = mproc_test_pool (2, _i);

  mproc_pool_set_progress_callback (pool, hear, &heard, go, NULL);
  for (gint32 i = 0; i < 7; i++)
    mproc_pool_push (pool, mproc_test_nap, g_variant_new_int64 (0), NULL);
  mproc_pool_close (pool);
  ck_assert (mproc_pool_join (pool, MPROC_SECONDS (30)));
  ck_assert_uint_eq (heard.done, 7);
  ck_assert_uint_eq (heard.total, 7);
  mproc_pool_unref (pool);
}
END_TEST

/* As many as @heard wants, of so many microseconds each; ends the pool, and all have been heard of. */
static gint64
time_naps (MprocPool *pool, gint64 us, MprocProgressFunc func, Heard *heard)
{
  gint64 begin = g_get_monotonic_time ();

  mproc_pool_set_progress_callback (pool, func, heard, NULL, NULL);
  for (guint64 i = 0; i < heard->wanted; i++)
    mproc_pool_push (pool, mproc_test_nap, g_variant_new_int64 (us), NULL);
  mproc_test_end_pool (pool);
  begin = g_get_monotonic_time () - begin;
  ck_assert (is_complete (heard));
  return begin;
}

/* Hundreds of tasks in a second are ten calls or so, and never one a task. */
START_TEST (it_is_not_told_too_often)
{
  Heard heard = { .wanted = 100 };
  gint64 taken = time_naps (mproc_test_pool (1, _i), 4000, hear, &heard);

  ck_assert_uint_ge (heard.n_calls, 2);
  ck_assert_uint_le (heard.n_calls, taken / (G_USEC_PER_SEC / 10) + 2);
}
END_TEST

#define LONG (G_USEC_PER_SEC / 5)

static void
hear_and_linger (guint64 done, guint64 failed, guint64 total, gpointer data)
{
  hear (done, failed, total, data);
  g_usleep (LONG);
}

/* Each call is followed by a tenth of a second in which the pool's thread gives results out. */
START_TEST (one_who_lingers_does_not_hold_up_the_pool)
{
  Heard heard = { .wanted = 20 };
  gint64 taken = time_naps (mproc_test_pool (2, _i), 0, hear_and_linger, &heard);

  ck_assert_uint_le (heard.n_calls, taken / (LONG + G_USEC_PER_SEC / 10) + 2);
}
END_TEST

START_TEST (a_context_is_told_in_its_thread)
{
  Heard heard = { .wanted = 40 };
  GMainContext *context = g_main_context_new ();
  MprocPool *pool = mproc_test_pool (2, _i);
  MprocResult *result;
  gint64 deadline = g_get_monotonic_time () + MPROC_SECONDS (30);

  mproc_pool_set_progress_callback (pool, hear, &heard, go, context);
  result = mproc_pool_map_async (pool, mproc_test_refuse_odd, mproc_test_numbers (0, 40),
                                 3, NULL);
  while (!is_complete (&heard) && g_get_monotonic_time () < deadline)
    g_main_context_iteration (context, TRUE);
  ck_assert_uint_eq (heard.done, 40);
  ck_assert_ptr_eq (heard.thread, g_thread_self ());
  mproc_result_unref (result);
  /* A report that is under way finds nobody. */
  result = mproc_pool_map_async (pool, mproc_test_refuse_odd, mproc_test_numbers (0, 40),
                                 1, NULL);
  ck_assert (mproc_result_wait (result, MPROC_SECONDS (30)));
  mproc_result_unref (result);
  heard.n_calls = 0;
  mproc_pool_set_progress_callback (pool, NULL, NULL, NULL, NULL);
  mproc_test_end_pool (pool);
  while (g_main_context_iteration (context, FALSE))
    continue;
  ck_assert_uint_eq (heard.n_calls, 0);
  ck_assert (heard.is_gone);
  g_main_context_unref (context);
}
END_TEST

/* ------------------------------------------------------------------ the bar */

/* What a terminal shows that was sent @text: its lines, without what was drawn over. */
static char *
shown (const char *text, guint columns, guint *n_draws)
{
  GString *screen = g_string_new (NULL);
  gunichar line[512] = { 0 };
  guint at = 0;

  *n_draws = 0;
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (c == '\n')
        {
          for (guint i = 0; line[i] != 0; i++)
            g_string_append_unichar (screen, line[i]);
          g_string_append_c (screen, '\n');
          memset (line, 0, sizeof line);
          at = 0;
        }
      else if (c == '\r')
        {
          at = 0;
          (*n_draws)++;
        }
      else
        {
          ck_assert_uint_lt (at + (g_unichar_iswide (c) ? 2 : 1), columns);
          line[at++] = c;
          if (g_unichar_iswide (c))
            line[at++] = 0x200b; /* the other half of it */
        }
    }
  for (guint i = 0; line[i] != 0; i++)
    g_string_append_unichar (screen, line[i]);
  return g_string_free (screen, FALSE);
}

/* Reads what has been drawn; this text must be on it. */
static void
expect_shown (MprocTestTerminal *terminal, guint columns, const char *wanted)
{
  char *text = mproc_test_terminal_read (terminal);
  guint n_draws;
  char *screen = shown (text, columns, &n_draws);

  ck_assert_msg (strstr (screen, wanted) != NULL, "%s", screen);
  g_free (screen);
  g_free (text);
}

static char *locale_before;

static void
set_locale (const char *locale)
{
  locale_before = g_strdup (g_getenv ("LC_ALL"));
  g_setenv ("LC_ALL", locale, TRUE);
}

static void
restore_locale (void)
{
  if (locale_before != NULL)
    g_setenv ("LC_ALL", locale_before, TRUE);
  else
    g_unsetenv ("LC_ALL");
  g_clear_pointer (&locale_before, g_free);
}

/* Of every width, and never further than the last column but one. */
START_TEST (a_bar_fits_its_terminal)
{
  static const guint widths[] = { 80, 200, 40, 25, 12, 5, 2, 1 };
  MprocTestTerminal terminal;

  if (!mproc_test_terminal_open (&terminal, 80))
    return; /* no such thing here */
  set_locale (_i == 0 ? "C" : "C.UTF-8");
  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    {
      MprocProgressBar *bar = mproc_progress_bar_new ("hashing 漢字\n\033", terminal.fd);
      char *text, *screen;
      guint n_draws;

      mproc_test_terminal_resize (&terminal, widths[i]);
      mproc_progress_bar_show (1350, 1, 2500, bar);
      mproc_progress_bar_show (2500, 2, 2500, bar);
      mproc_progress_bar_free (bar);
      text = mproc_test_terminal_read (&terminal);
      screen = shown (text, MAX (widths[i], 2), &n_draws);
      ck_assert_uint_ge (n_draws, 2);
      ck_assert_int_eq (g_str_has_suffix (screen, "\n"), TRUE);
      ck_assert_ptr_null (strchr (text, '\033'));
      ck_assert_int_eq (strstr (text, "漢") != NULL, _i == 1 && widths[i] >= 25);
      if (widths[i] >= 80)
        ck_assert_msg (strstr (screen, "100%  2500/2500  2 failed") != NULL, "%s",
                       screen);
      g_free (screen);
      g_free (text);
    }
  restore_locale ();
  mproc_test_terminal_close (&terminal);
}
END_TEST

START_TEST (a_bar_grows)
{
  MprocTestTerminal terminal;
  MprocProgressBar *bar;

  if (!mproc_test_terminal_open (&terminal, 72))
    return; /* no such thing here */
  set_locale ("C");
  bar = mproc_progress_bar_new ("x", terminal.fd);
  mproc_progress_bar_show (0, 0, 4, bar);
  expect_shown (&terminal, 72, "x ........................................   0%  0/4");
  mproc_progress_bar_clear (bar);
  mproc_progress_bar_show (2, 0, 4, bar);
  expect_shown (&terminal, 72, "x ####################....................  50%  2/4");
  mproc_progress_bar_clear (bar);
  mproc_progress_bar_show (4, 0, 4, bar);
  expect_shown (&terminal, 72, "x ######################################## 100%  4/4");
  mproc_progress_bar_free (bar);
  set_locale ("C.UTF-8");
  bar = mproc_progress_bar_new (NULL, terminal.fd);
  mproc_progress_bar_show (1, 0, 16, bar);
  expect_shown (&terminal, 72, "██▌                                        6%  1/16");
  mproc_progress_bar_free (bar);
  mproc_progress_bar_free (NULL);
  restore_locale ();
  mproc_test_terminal_close (&terminal);
}
END_TEST

/* Drawn often it would only cost; but what was shown last is the truth. */
START_TEST (a_bar_is_drawn_seldom)
{
  MprocTestTerminal terminal;
  MprocProgressBar *bar;
  char *text, *screen;
  guint n_draws;

  if (!mproc_test_terminal_open (&terminal, 80))
    return; /* no such thing here */
  bar = mproc_progress_bar_new ("fast", terminal.fd);
  for (guint i = 0; i < 50000; i++)
    mproc_progress_bar_show (i, 0, 100000, bar);
  mproc_progress_bar_free (bar);
  text = mproc_test_terminal_read (&terminal);
  screen = shown (text, 80, &n_draws);
  ck_assert_uint_lt (n_draws, 100);
  ck_assert_msg (strstr (screen, "49999/100000") != NULL, "%s", screen);
  g_free (screen);
  g_free (text);
  mproc_test_terminal_close (&terminal);
}
END_TEST

/* A file gets whole lines, few of them. */
START_TEST (a_file_gets_lines)
{
  char *path = mproc_test_temporary ("progress");
  FILE *file = g_fopen (path, "w+b");
  MprocProgressBar *bar = mproc_progress_bar_new ("to a file", mproc_test_fileno (file));
  char *text;

  for (guint i = 0; i <= 1000; i++)
    mproc_progress_bar_show (i, 1, 1000, bar);
  mproc_progress_bar_clear (bar);
  mproc_progress_bar_free (bar);
  fclose (file);
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_msg (g_str_has_prefix (text, "to a file: 100%  1000/1000  1 failed"), "%s",
                 text);
  ck_assert_ptr_null (strchr (text, '\r'));
  ck_assert_ptr_eq (strchr (text, '\n'), text + strlen (text) - 1);
  g_free (text);
  g_remove (path);
  g_free (path);
}
END_TEST

START_TEST (a_pool_draws_a_bar)
{
  MprocTestTerminal terminal;
  MprocPool *pool;
  GVariant *value;

  if (!mproc_test_terminal_open (&terminal, 80))
    return; /* no such thing here */
  pool = mproc_test_pool (2, _i);
  mproc_pool_set_progress_callback (pool, mproc_progress_bar_show,
                                    mproc_progress_bar_new ("pool", terminal.fd),
                                    (GDestroyNotify) mproc_progress_bar_free, NULL);
  value = mproc_pool_map (pool, mproc_test_nap, g_variant_new_parsed ("[@x 0, 1, 2, 3]"),
                          1, NULL);
  g_variant_unref (value);
  mproc_test_end_pool (pool);
  expect_shown (&terminal, 80, "100%  4/4");
  mproc_test_terminal_close (&terminal);
}
END_TEST

Suite *
mproc_test_pool_progress_suite (void)
{
  Suite *suite = suite_create ("pool-progress");
  TCase *tcase = mproc_test_case (suite, "pool-progress");
  int n = (int) mproc_test_n_methods ();

  tcase_add_loop_test (tcase, the_last_one_is_told, 0, n);
  tcase_add_loop_test (tcase, the_pools_end_tells_what_is_left, 0, n);
  tcase_add_loop_test (tcase, it_is_not_told_too_often, 0, n);
  tcase_add_loop_test (tcase, one_who_lingers_does_not_hold_up_the_pool, 0, n);
  tcase_add_loop_test (tcase, a_context_is_told_in_its_thread, 0, n);
  tcase_add_loop_test (tcase, a_bar_fits_its_terminal, 0, 2);
  tcase_add_test (tcase, a_bar_grows);
  tcase_add_test (tcase, a_bar_is_drawn_seldom);
  tcase_add_test (tcase, a_file_gets_lines);
  tcase_add_loop_test (tcase, a_pool_draws_a_bar, 0, n);
  return suite;
}
