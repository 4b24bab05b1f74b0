/* SPDX-License-Identifier: MIT */
/* The program that draws traces, and what it is made of. */
#include "mproc-test.h"

#include "fuzz-trace.h"
#include "timeline.h"

#include <glib/gstdio.h>
#include <string.h>

static const char small[] =
    "[\n"
    "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":7,\"tid\":0,"
    "\"args\":{\"name\":\"a <program> & co\"}},\n"
    "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":7,\"tid\":8,"
    "\"args\":{\"name\":\"Worker-1\"}},\n"
    "{\"name\":\"Worker-1\",\"ph\":\"B\",\"pid\":7,\"tid\":8,\"ts\":1000,\"cat\":"
    "\"worker\","
    "\"args\":{\"number\":1}},\n"
    "{\"name\":\"f\",\"ph\":\"X\",\"pid\":7,\"tid\":8,\"ts\":2000,\"dur\":4e3,"
    "\"cat\":\"task\",\"args\":{\"task\":1,\"attempt\":1,\"outcome\":\"done\","
    "\"waited\":10}},\n"
    "{\"name\":\"f\",\"ph\":\"X\",\"pid\":7,\"tid\":8,\"ts\":7000,\"dur\":2000,"
    "\"cat\":\"task\",\"args\":{\"task\":2,\"attempt\":2,\"outcome\":\"failed\"}},\n"
    "{\"name\":\"g\\u00e9\\ud83d\\ude00\",\"ph\":\"X\",\"pid\":7,\"tid\":9,\"ts\":1500,"
    "\"dur\":9000,\"args\":{\"outcome\":\"died\"}},\n"
    "{\"name\":\"died of SIGKILL\",\"ph\":\"i\",\"s\":\"t\",\"cat\":\"death\",\"pid\":7,"
    "\"tid\":9,\"ts\":10500},\n"
    "{\"name\":\"tasks\",\"ph\":\"C\",\"pid\":7,\"tid\":0,\"ts\":3000,"
    "\"args\":{\"waiting\":12,\"running\":2}},\n"
    "{\"name\":\"\",\"ph\":\"E\",\"pid\":7,\"tid\":8,\"ts\":11000},\n";

/* ------------------------------------------------------------------ reading */

START_TEST (a_trace_is_understood)
{
  TraceSummary summary;
  Timeline *timeline = timeline_new (small, strlen (small), &summary);
  const Lane *first, *second;

  ck_assert_uint_eq (summary.n_events, 9);
  ck_assert_uint_eq (summary.n_broken, 0);
  ck_assert_uint_eq (timeline->lanes->len, 2);
  ck_assert_str_eq (timeline->program, "a <program> & co");
  /* Those without a number come first. */
  first = g_ptr_array_index (timeline->lanes, 1);
  second = g_ptr_array_index (timeline->lanes, 0);
  ck_assert_str_eq (first->label, "Worker-1");
  ck_assert_uint_eq (first->tasks->len, 2);
  ck_assert_double_eq (first->busy, 6000);
  ck_assert_double_eq (timeline_lane_end (timeline, first), 11000);
  ck_assert_uint_eq (second->deaths->len, 1);
  ck_assert_uint_eq (timeline->n_tasks, 3);
  ck_assert_uint_eq (timeline->n_failed, 2);
  ck_assert_uint_eq (timeline->n_deaths, 1);
  ck_assert_double_eq (timeline->start, 1000);
  ck_assert_double_eq (timeline->end, 11000);
  ck_assert_str_eq (((Name *) g_ptr_array_index (timeline->names, 1))->text, "gé😀");
  ck_assert_uint_eq (((Name *) g_ptr_array_index (timeline->names, 1))->rank, 0);
  timeline_free (timeline);
}
END_TEST

/* What it has up to there is drawn. */
START_TEST (it_may_be_cut_off_anywhere)
{
  for (gsize size = 0; size <= strlen (small); size++)
    mproc_fuzz_trace (small, size);
}
END_TEST

typedef struct
{
  const char *text;
  guint n_events;
  guint n_broken;
  gboolean is_cut;
} Case;

START_TEST (what_is_no_event_is_left_out)
{
  static const Case samples[] = {
    { "", 0, 0, FALSE },
    { "[", 0, 0, FALSE },
    { "[]", 0, 0, FALSE },
    { "{}", 1, 0, FALSE },
    { "{", 0, 0, TRUE },
    { "nonsense", 0, 1, FALSE },
    { "[\n{\"ts\":01},\n{\"ts\":1},\n", 1, 1, FALSE },
    { "[\n{\"ts\":.5},\n{\"ts\":+1},\n{\"ts\":1.},\n{\"ts\":1e},\n", 0, 4, FALSE },
    { "[\n{\"ts\":1e999},\n{\"ts\":-1e400},\n", 2, 0, FALSE },
    { "[\n{\"name\":\"\\x\"},\n{\"name\":\"\\ud800\"},\n{\"name\":\"\\ud800\\u0041\"},\n",
      0, 3, FALSE },
    { "[\n{\"name\":\"\xff\"},\n{\"name\":\"a\tb\"},\n", 0, 2, FALSE },
    { "[\n{\"a\":[1,{\"b\":null},true,\"c\"],\"d\":{}},\n", 1, 0, FALSE },
    { "[\n{\"a\":[1,]},\n{\"a\" 1},\n{\"a\":1,},\n{a:1},\n", 0, 4, FALSE },
    { "[\n{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]},\n{},\n", 1, 1,
      FALSE },
    { "[\n{\"name\":\"torn{\"name\":\"whole\"},\n{\"ph\":\"X\"},\n", 1, 1, FALSE },
    { "[\n{\"ph\":5,\"ts\":\"x\",\"args\":7},\n", 1, 0, FALSE },
    { "[\n{},\n{\"name\":\"half", 1, 0, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    {
      TraceSummary summary;
      Timeline *timeline =
          timeline_new (samples[i].text, strlen (samples[i].text), &summary);

      ck_assert_msg (summary.n_events == samples[i].n_events &&
                         summary.n_broken == samples[i].n_broken &&
                         summary.is_cut == samples[i].is_cut,
                     "%u: %d events, %d broken", i, (int) summary.n_events,
                     (int) summary.n_broken);
      timeline_free (timeline);
      mproc_fuzz_trace (samples[i].text, strlen (samples[i].text));
    }
}
END_TEST

/* Bytes of a trace that were changed, taken out and doubled. */
START_TEST (hostile_traces_are_drawn)
{
  GRand *rand = g_rand_new_with_seed (4711);
  static const char letters[] = "{}[]\",:\\u019-.eE\n\t\xc3\xff<&X";

  for (gint round = mproc_test_scale (3000); round > 0; round--)
    {
      GString *text = g_string_new (small);

      for (gint32 n = g_rand_int_range (rand, 1, 8); n > 0; n--)
        {
          gint at = g_rand_int_range (rand, 0, (gint32) text->len);
          char c = letters[g_rand_int_range (rand, 0, sizeof letters - 1)];

          if (g_rand_boolean (rand))
            text->str[at] = c;
          else if (g_rand_boolean (rand))
            g_string_insert_c (text, at, c);
          else
            g_string_erase (text, at, 1);
        }
      mproc_fuzz_trace (text->str, text->len);
      g_string_free (text, TRUE);
    }
  g_rand_free (rand);
}
END_TEST

/* Times that are as far apart as numbers go. */
START_TEST (extreme_times_are_drawn)
{
  static const char *const times[] = {
    "0", "-1e300", "1e300", "1e15", "-1", "1e-300", "5"
  };

  for (guint a = 0; a < G_N_ELEMENTS (times); a++)
    for (guint b = 0; b < G_N_ELEMENTS (times); b++)
      {
        char *text =
            g_strdup_printf ("[\n{\"name\":\"f\",\"ph\":\"X\",\"ts\":%s,\"dur\":%s},\n"
                             "{\"name\":\"\",\"ph\":\"E\",\"ts\":%s},\n"
                             "{\"ph\":\"C\",\"ts\":%s,\"args\":{\"waiting\":%s}},\n",
                             times[a], times[b], times[b], times[b], times[a]);

        mproc_fuzz_trace (text, strlen (text));
        g_free (text);
      }
}
END_TEST

/* ------------------------------------------------------------------ the picture */

static GString *
make_trace (guint n_lanes, guint n_tasks)
{
  GString *text = g_string_new ("[\n");

  for (guint i = 0; i < n_tasks; i++)
    g_string_append_printf (
        text,
        "{\"name\":\"f%u\",\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%u,"
        "\"dur\":900,\"args\":{\"task\":%u,\"outcome\":\"done\"}},\n",
        i % 3, 2 + i % n_lanes, i / n_lanes * 1000, i);
  return text;
}

/* However many tasks there are. */
START_TEST (a_picture_has_a_bounded_size)
{
  static const guint n_lanes[] = { 2, 16, 200 };

  for (guint i = 0; i < G_N_ELEMENTS (n_lanes); i++)
    {
      GString *text = make_trace (n_lanes[i], 100000);
      TraceSummary summary;
      Timeline *timeline = timeline_new (text->str, text->len, &summary);
      GString *svg = timeline_draw (timeline, 1200);

      ck_assert_uint_eq (timeline->n_tasks, 100000);
      ck_assert_uint_lt (svg->len, 8000000);
      ck_assert_ptr_nonnull (strstr (svg->str, "100 000 tasks"));
      ck_assert_uint_eq (mproc_test_occurrences (svg->str, "<title>pid "), n_lanes[i]);
      g_string_free (svg, TRUE);
      timeline_free (timeline);
      g_string_free (text, TRUE);
    }
}
END_TEST

START_TEST (a_picture_tells_what_was)
{
  TraceSummary summary;
  Timeline *timeline = timeline_new (small, strlen (small), &summary);
  GString *svg = timeline_draw (timeline, 1200);

  ck_assert_ptr_nonnull (strstr (svg->str, "a &lt;program&gt; &amp; co"));
  ck_assert_ptr_nonnull (strstr (svg->str, "<title>f\ntask 1\nran 4.00 ms, from 1.00 ms\n"
                                           "waited 10 µs</title>"));
  ck_assert_ptr_nonnull (strstr (svg->str, "task 2, failed, attempt 2"));
  ck_assert_ptr_nonnull (strstr (svg->str, "died of SIGKILL after 9.50 ms"));
  ck_assert_ptr_nonnull (strstr (svg->str, "up to "));
  ck_assert_ptr_nonnull (strstr (svg->str, ">60%</text>"));
  ck_assert_ptr_nonnull (strstr (svg->str, "3 tasks"));
  ck_assert_ptr_nonnull (strstr (svg->str, "1 death"));
  ck_assert_ptr_null (strstr (svg->str, "href"));
  g_string_free (svg, TRUE);
  timeline_free (timeline);
}
END_TEST

/* ------------------------------------------------------------------ the program */

#ifdef MPROC_TEST_TIMELINE

static int
run (const char *a, const char *b, const char *c, char **out, char **err)
{
  char *argv[] = { (char *) MPROC_TEST_TIMELINE, (char *) a, (char *) b, (char *) c,
                   NULL };
  int status = -1;

  ck_assert (g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, out, err,
                           &status, NULL));
  return status;
}

START_TEST (the_program_draws_a_file)
{
  char *folder = mproc_test_temporary ("timeline");
  char *trace = g_build_filename (folder, "run.json", NULL);
  char *picture = g_build_filename (folder, "run.svg", NULL);
  char *out, *err, *svg;

  g_mkdir (folder, 0700);
  ck_assert (g_file_set_contents (trace, small, -1, NULL));
  ck_assert_int_eq (run (trace, NULL, NULL, &out, &err), 0);
  ck_assert_str_eq (out, "");
  ck_assert_str_eq (err, "");
  ck_assert (g_file_get_contents (picture, &svg, NULL, NULL));
  ck_assert (g_str_has_prefix (svg, "<svg xmlns="));
  ck_assert (g_str_has_suffix (svg, "</svg>\n"));
  g_free (svg);
  g_free (out);
  g_free (err);
  g_remove (picture);
  ck_assert_int_eq (run (trace, "-o", "-", &out, &err), 0);
  ck_assert (g_str_has_prefix (out, "<svg xmlns="));
  ck_assert (!g_file_test (picture, G_FILE_TEST_EXISTS));
  g_free (out);
  g_free (err);
  g_remove (trace);
  g_rmdir (folder);
  g_free (picture);
  g_free (trace);
  g_free (folder);
}
END_TEST

/* With a word that says why, and no picture. */
static void
expect_refusal (const char *a, const char *b, const char *c, const char *why)
{
  char *out, *err;

  ck_assert_int_ne (run (a, b, c, &out, &err), 0);
  ck_assert_str_eq (out, "");
  ck_assert_msg (g_str_has_prefix (err, "mproc-timeline: "), "%s", err);
  ck_assert_msg (strstr (err, why) != NULL, "%s", err);
  g_free (out);
  g_free (err);
}

START_TEST (the_program_says_what_is_wrong)
{
  char *file = mproc_test_temporary ("no-trace");

  expect_refusal (NULL, NULL, NULL, "one trace");
  expect_refusal (file, NULL, NULL, "no-trace");
  ck_assert (g_file_set_contents (file, "", 0, NULL));
  expect_refusal (file, NULL, NULL, "no worker");
  ck_assert (g_file_set_contents (file, "hello\nworld\n", -1, NULL));
  expect_refusal (file, "-o", "-", "no worker");
  expect_refusal (file, "-w", "1", "wide");
  g_remove (file);
  g_free (file);
}
END_TEST

#endif

Suite *
mproc_test_timeline_suite (void)
{
  Suite *suite = suite_create ("timeline");
  TCase *tcase = mproc_test_case (suite, "timeline");

  tcase_add_test (tcase, a_trace_is_understood);
  tcase_add_test (tcase, it_may_be_cut_off_anywhere);
  tcase_add_test (tcase, what_is_no_event_is_left_out);
  tcase_add_test (tcase, hostile_traces_are_drawn);
  tcase_add_test (tcase, extreme_times_are_drawn);
  tcase_add_test (tcase, a_picture_has_a_bounded_size);
  tcase_add_test (tcase, a_picture_tells_what_was);
#ifdef MPROC_TEST_TIMELINE
  tcase_add_test (tcase, the_program_draws_a_file);
  tcase_add_test (tcase, the_program_says_what_is_wrong);
#endif
  return suite;
}
