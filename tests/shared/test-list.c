/* SPDX-License-Identifier: MIT */
/* Lists in shared memory, which are Python's byte for byte. */
#include "lists.h"

#include "names.h"

#include <stdio.h>
#include <string.h>

static void
set (MprocShareableList *list, gssize index, GVariant *value)
{
  GError *error = NULL;

  ck_assert_msg (mproc_shareable_list_set (list, index, value, &error), "%s",
                 error != NULL ? error->message : "no error");
}

/* ------------------------------------------------------------------ Python's lists */

START_TEST (a_list_is_what_python_makes)
{
  MprocShareableList *list = mproc_list_create (mproc_list_items ());
  MprocShareableList *empty = mproc_list_create (g_variant_new_tuple (NULL, 0));

  mproc_list_expect_bytes (list, mproc_list_python, sizeof mproc_list_python);
  mproc_list_expect_format (list, MPROC_LIST_FORMAT);
  ck_assert_uint_eq (mproc_shareable_list_get_length (list), MPROC_LIST_N_ITEMS);
  for (gssize i = 0; i < MPROC_LIST_N_ITEMS; i++)
    {
      mproc_list_expect_item (list, i, mproc_list_item ((guint) i));
      mproc_list_expect_item (list, i - MPROC_LIST_N_ITEMS, mproc_list_item ((guint) i));
    }
  mproc_list_expect_bytes (empty, mproc_list_python_empty,
                           sizeof mproc_list_python_empty);
  mproc_list_expect_format (empty, "");
  ck_assert_uint_eq (mproc_shareable_list_get_length (empty), 0);
  mproc_shareable_list_unref (mproc_shareable_list_ref (list));
  mproc_shareable_list_unref (NULL);
  mproc_list_drop (empty);
  mproc_list_drop (list);
}
END_TEST

START_TEST (a_list_changes_as_in_python)
{
  MprocShareableList *list = mproc_list_create (mproc_list_items ());

  set (list, 0, g_variant_new_string ("text"));
  set (list, 1, mproc_list_nothing ());
  set (list, 2, mproc_list_bytes ("12345678", 8));
  set (list, 3, g_variant_new_variant (g_variant_new_int16 (-1)));
  set (list, 4, g_variant_new_double (2.5));
  set (list, 6, g_variant_new_boolean (TRUE));
  set (list, 7, g_variant_new_string ("a text of 16 byt"));
  set (list, 8, mproc_list_bytes ("xyz", 3));
  set (list, 9, g_variant_new_uint64 (7));
  set (list, -3, g_variant_new_string ("again"));
  mproc_list_expect_bytes (list, mproc_list_python_changed,
                           sizeof mproc_list_python_changed);
  mproc_list_expect_format (list, MPROC_LIST_CHANGED_FORMAT);
  mproc_list_expect_item (list, 7, g_variant_new_string ("a text of 16 byt"));
  mproc_list_expect_item (list, 9, g_variant_new_string ("again"));
  mproc_list_expect_item (list, 10, mproc_list_bytes ("12345678", 8));
  mproc_list_drop (list);
}
END_TEST

/* Zeros at the end are lost, as in Python. */
START_TEST (zeros_at_the_end_are_lost)
{
  MprocShareableList *list =
      mproc_list_create (g_variant_new ("(@ay@ay@ays)", mproc_list_bytes ("a\0b\0\0", 5),
                                        mproc_list_bytes ("\0\0", 2),
                                        mproc_list_bytes (NULL, 0), ""));

  mproc_list_expect_item (list, 0, mproc_list_bytes ("a\0b", 3));
  mproc_list_expect_item (list, 1, mproc_list_bytes (NULL, 0));
  mproc_list_expect_item (list, 2, mproc_list_bytes (NULL, 0));
  mproc_list_expect_item (list, 3, g_variant_new_string (""));
  mproc_list_drop (list);
}
END_TEST

START_TEST (arrays_and_boxes_are_lists)
{
  const char *texts[] = { "a", "b", NULL };
  MprocShareableList *list = mproc_list_create (g_variant_new_strv (texts, -1));

  mproc_list_expect_item (list, 1, g_variant_new_string ("b"));
  mproc_list_drop (list);
  list = mproc_list_create (mproc_list_bytes ("\x07\xff", 2)); /* an array of integers */
  mproc_list_expect_item (list, 1, g_variant_new_int32 (255));
  mproc_list_drop (list);
  list = mproc_list_create (
      g_variant_new_parsed ("[<@y 1>, <<int16 -2>>, <@q 3>, <@i -4>, <@u 5>, "
                            "<@x -6>, <@t 9223372036854775807>, <@mv nothing>]"));
  mproc_list_expect_format (list, "qqqqqqqxxxxxx?x");
  mproc_list_expect_item (list, 1, g_variant_new_int32 (-2));
  mproc_list_expect_item (list, 6, g_variant_new_int64 (G_MAXINT64));
  mproc_list_expect_item (list, 7, mproc_list_nothing ());
  mproc_list_drop (list);
}
END_TEST

/* ------------------------------------------------------------------ refusals */

START_TEST (what_is_no_item_is_refused)
{
  const char *const wrong[] = { "(1, (2, 3))",      "[@t 9223372036854775808]",
                                "(handle 5,)",      "[<{'a': 1}>]",
                                "(@mv <5>,)",       "(@ai [1],)",
                                "(objectpath '/',)" };
  MprocShareableList *list = mproc_list_create (mproc_list_items ());
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      GVariant *items = g_variant_ref_sink (g_variant_new_parsed (wrong[i]));
      GVariant *last =
          g_variant_get_child_value (items, g_variant_n_children (items) - 1);

      ck_assert_ptr_null (mproc_shareable_list_new (items, NULL, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "item ");
      ck_assert (!mproc_shareable_list_set (list, 0, last, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "");
      ck_assert_int_eq (mproc_shareable_list_count (list, last, &error), -1);
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "");
      ck_assert_int_eq (mproc_shareable_list_index (list, last, &error), -1);
      mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "");
      g_variant_unref (last);
      g_variant_unref (items);
    }
  ck_assert_ptr_null (mproc_shareable_list_new (g_variant_new_int32 (1), NULL, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "a tuple or an array");
  ck_assert_ptr_null (mproc_shareable_list_new (mproc_list_items (), "a/b", &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "a/b");
  mproc_list_expect_bytes (list, mproc_list_python, sizeof mproc_list_python);
  mproc_list_drop (list);
}
END_TEST

START_TEST (what_does_not_fit_is_refused)
{
  const gsize much = 9999992; /* its format would have nine letters */
  char *text = g_strnfill (much, 'x');
  MprocShareableList *list = mproc_list_create (mproc_list_items ());
  GError *error = NULL;

  ck_assert_ptr_null (mproc_shareable_list_new (g_variant_new ("(s)", text), NULL,
                                                &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "9999992");
  ck_assert (!mproc_shareable_list_set (list, 6, g_variant_new_string ("nine byte"),
                                        &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "item 6");
  ck_assert (!mproc_shareable_list_set (list, 0, mproc_list_bytes ("123456789", 9),
                                        &error));
  mproc_test_expect_error (&error, MPROC_ERROR_TOO_LARGE, "item 0");
  ck_assert (!mproc_shareable_list_set (list, MPROC_LIST_N_ITEMS, mproc_list_nothing (),
                                        &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "no item 12");
  ck_assert_ptr_null (mproc_shareable_list_get (list, -MPROC_LIST_N_ITEMS - 1, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "no item -13");
  ck_assert_ptr_null (mproc_shareable_list_get (list, G_MINSSIZE, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "no item");
  ck_assert_ptr_null (mproc_shareable_list_get (list, G_MAXSSIZE, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_INVALID, "no item");
  mproc_list_expect_bytes (list, mproc_list_python, sizeof mproc_list_python);
  mproc_list_drop (list);

  text[much - 1] = '\0';
  list = mproc_list_create (g_variant_new ("(si)", text, 7));
  mproc_list_expect_format (list, "9999992sq");
  mproc_list_expect_item (list, 0, g_variant_new_string (text));
  mproc_list_drop (list);
  g_free (text);
}
END_TEST

/* ------------------------------------------------------------------ looking for items */

static void
expect_count (MprocShareableList *list, GVariant *value, gssize wanted, gssize first)
{
  GError *error = NULL;

  g_variant_ref_sink (value);
  ck_assert_int_eq (mproc_shareable_list_count (list, value, &error), wanted);
  ck_assert_ptr_null (error);
  ck_assert_int_eq (mproc_shareable_list_index (list, value, &error), first);
  if (first < 0)
    mproc_test_expect_error (&error, MPROC_ERROR_NOT_FOUND, "no such item");
  ck_assert_ptr_null (error);
  g_variant_unref (value);
}

START_TEST (items_are_counted_as_in_python)
{
  const gint64 big = (G_GINT64_CONSTANT (1) << 53) + 1; /* no double is that */
  MprocShareableList *list =
      mproc_list_create (g_variant_new ("(idbbxdssddx@mv@ay)", 1, 1.0, TRUE, FALSE, big,
                                        (double) (big - 1), "a", "a", -0.0,
                                        0.0 / g_ascii_strtod ("0", NULL), G_MAXINT64,
                                        mproc_list_nothing (),
                                        mproc_list_bytes ("a", 1)));

  expect_count (list, g_variant_new_int32 (1), 3, 0);
  expect_count (list, g_variant_new_double (1.0), 3, 0);
  expect_count (list, g_variant_new_boolean (TRUE), 3, 0);
  expect_count (list, g_variant_new_boolean (FALSE), 2, 3);
  expect_count (list, g_variant_new_int64 (big), 1, 4);
  expect_count (list, g_variant_new_int64 (big - 1), 1, 5);
  expect_count (list, g_variant_new_string ("a"), 2, 6);
  expect_count (list, mproc_list_bytes ("a", 1), 1, 12);
  expect_count (list, g_variant_new_double (0.0 / g_ascii_strtod ("0", NULL)), 0, -1);
  expect_count (list, g_variant_new_double (9223372036854775808.0), 0, -1);
  expect_count (list, g_variant_new_double (1.5), 0, -1);
  expect_count (list, mproc_list_nothing (), 1, 11);
  expect_count (list, g_variant_new_string (""), 0, -1);
  mproc_list_drop (list);
}
END_TEST

/* ------------------------------------------------------------------ other processes */

/* A target `(h)`. */
static GVariant *
change (GVariant *args, GError **error)
{
  MprocShareableList *list;
  GVariant *value;

  if (!mproc_unpack (args, error, "(&h)", &list))
    return NULL;
  value = mproc_shareable_list_get (list, 6, error);
  if (value == NULL || strcmp (g_variant_get_string (value, NULL), "howdy") != 0)
    mproc_process_exit (9);
  g_variant_unref (value);
  if (!mproc_shareable_list_set (list, 6, g_variant_new_int32 (42), error))
    return NULL;
  return mproc_pack ("(h)", mproc_shareable_list_get_memory (list));
}

START_TEST (children_share_a_list)
{
  MprocShareableList *list = mproc_list_create (mproc_list_items ());
  MprocProcess *process = mproc_test_start (_i, change, mproc_pack ("(h)", list));
  MprocSharedMemory *memory = mproc_shareable_list_get_memory (list);

  mproc_test_end_with (process, 0);
  mproc_list_expect_item (list, 6, g_variant_new_int32 (42));
  mproc_list_expect_item (list, 7, mproc_list_item (7));
  mproc_shared_memory_unlink (memory, NULL);
  mproc_shareable_list_unref (list);
}
END_TEST

/* A target `(hh)`: hands out of the first queue go into the second, read. */
static GVariant *
read_lists (GVariant *args, GError **error)
{
  MprocQueue *lists, *answers;

  if (!mproc_unpack (args, error, "(&h&h)", &lists, &answers))
    return NULL;
  for (;;)
    {
      GError *problem = NULL;
      GVariant *value = mproc_queue_get (lists, MPROC_FOREVER, &problem);
      MprocShareableList *list;
      GVariant *item = NULL;

      if (value != NULL && mproc_unpack (value, &problem, "(&h)", &list))
        item = mproc_shareable_list_get (list, 7, &problem);
      if (item != NULL)
        mproc_queue_put (answers, item, MPROC_FOREVER, NULL);
      else if (problem->code == MPROC_ERROR_CLOSED)
        {
          g_error_free (problem);
          return NULL;
        }
      else
        mproc_test_say (answers, problem->code == MPROC_ERROR_NOT_FOUND
                                     ? "not found"
                                     : problem->message);
      g_clear_error (&problem);
      g_clear_pointer (&item, g_variant_unref);
      g_clear_pointer (&value, g_variant_unref);
    }
}

START_TEST (lists_travel_through_queues)
{
  MprocQueue *lists = mproc_queue_new (0, NULL), *answers = mproc_queue_new (0, NULL);
  MprocProcess *process =
      mproc_test_start (_i, read_lists, mproc_pack ("(hh)", lists, answers));
  MprocShareableList *list = mproc_list_create (mproc_list_items ());
  MprocShareableList *again = mproc_shareable_list_open (
      mproc_shared_memory_get_name (mproc_shareable_list_get_memory (list)), NULL);

  mproc_queue_put (lists, mproc_pack ("(h)", list), MPROC_FOREVER, NULL);
  mproc_test_expect_text (answers, "exactly8");
  mproc_queue_put (lists, mproc_pack ("(h)", again), MPROC_FOREVER, NULL);
  mproc_test_expect_text (answers, "exactly8");
  ck_assert (mproc_shared_memory_unlink (mproc_shareable_list_get_memory (again), NULL));
  mproc_queue_put (lists, mproc_pack ("(h)", list), MPROC_FOREVER, NULL);
  /* A thread has it open; on Windows we have, which keeps the name. */
  mproc_test_expect_text (answers, mproc_test_is_thread (_i) || !mproc_test_can_fork ()
                                       ? "exactly8"
                                       : "not found");
  mproc_queue_shutdown (lists, FALSE);
  mproc_test_end_with (process, 0);
  mproc_shareable_list_unref (again);
  mproc_shareable_list_unref (list);
  mproc_queue_unref (lists);
  mproc_queue_unref (answers);
}
END_TEST

/* ------------------------------------------------------------------ a living Python */

/* Python up to 3.12 takes away names that it has only opened: tell it not to. */
#define OPEN_WITHOUT_CLAIM                                                               \
  "import sys\n"                                                                         \
  "from multiprocessing import resource_tracker, shared_memory\n"                        \
  "def open_list(name):\n"                                                               \
  "    l = shared_memory.ShareableList(name=name)\n"                                     \
  "    resource_tracker.unregister(l.shm._name, 'shared_memory')\n"                      \
  "    return l\n"

/* What it prints (transfer full); NULL if there is no such Python. */
static char *
run_python (const char *program, const char *argument)
{
  char *argv[] = { "python3", "-c", (char *) program, (char *) argument, NULL };
  char *out = NULL, *err = NULL;
  int status = -1;

  if (!g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                     &status, NULL))
    return NULL;
  ck_assert_msg (status == 0, "python3: %s", err);
  g_free (err);
  return out;
}

static gboolean
has_python (void)
{
  char *argv[] = { "python3", "-c", "import multiprocessing.shared_memory", NULL };
  int status = -1;

  return mproc_test_can_fork () && mproc_test_can_find_guardians () &&
         g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                       NULL, NULL, NULL, NULL, &status, NULL) &&
         status == 0;
}

START_TEST (python_reads_and_changes_our_list)
{
  MprocShareableList *list;
  char *out;

  if (!has_python ())
    {
      fputs ("test list: skipped, no python3 with shared memory on this system\n",
             stderr);
      return;
    }
  list = mproc_list_create (mproc_list_items ());
  out = run_python (
      OPEN_WITHOUT_CLAIM
      "l = open_list(sys.argv[1])\n"
      "print(ascii(list(l)), l.format)\n"
      "l[0] = 'text'; l[1] = None; l[2] = b'12345678'; l[3] = -1; l[4] = 2.5\n"
      "l[6] = True; l[7] = 'a text of 16 byt'; l[8] = b'xyz'; l[9] = 7\n"
      "l[9] = 'again'\n",
      mproc_shared_memory_get_name (mproc_shareable_list_get_memory (list)));
  ck_assert_str_eq (
      out,
      "[1, -9223372036854775808, 3.5, True, False, None, 'howdy', "
      "'exactly8', '\\xfcn\\xef', b'bytes', b'12345678', b'a\\x00b'] " MPROC_LIST_FORMAT
      "\n");
  mproc_list_expect_bytes (list, mproc_list_python_changed,
                           sizeof mproc_list_python_changed);
  mproc_list_expect_item (list, 9, g_variant_new_string ("again"));
  g_free (out);
  mproc_list_drop (list);
}
END_TEST

START_TEST (we_read_and_change_a_list_of_pythons)
{
  MprocShareableList *list;
  GError *error = NULL;
  char *out;

  if (!has_python ())
    {
      fputs ("test list: skipped, no python3 with shared memory on this system\n",
             stderr);
      return;
    }
  /* It gives its name up to us, before its tracker takes it away. */
  out =
      run_python (OPEN_WITHOUT_CLAIM
                  "l = shared_memory.ShareableList([2**40, 'x' * 20, b'y', None, 2.5])\n"
                  "resource_tracker.unregister(l.shm._name, 'shared_memory')\n"
                  "print(l.shm.name, end='')\n",
                  NULL);
  list = mproc_shareable_list_open (out, &error);
  ck_assert_msg (list != NULL, "%s", error != NULL ? error->message : "");
  mproc_list_expect_format (list, "q24s8sxxxxxx?xd");
  mproc_list_expect_item (list, 0, g_variant_new_int64 (G_GINT64_CONSTANT (1) << 40));
  mproc_list_expect_item (list, 1, g_variant_new_string ("xxxxxxxxxxxxxxxxxxxx"));
  mproc_list_expect_item (list, 2, mproc_list_bytes ("y", 1));
  set (list, 3, g_variant_new_string ("z"));
  set (list, 1, g_variant_new_string ("äöü"));
  set (list, 4, mproc_list_nothing ());
  g_free (out);
  out =
      run_python (OPEN_WITHOUT_CLAIM "print(ascii(list(open_list(sys.argv[1]))))\n",
                  mproc_shared_memory_get_name (mproc_shareable_list_get_memory (list)));
  ck_assert_str_eq (out, "[1099511627776, '\\xe4\\xf6\\xfc', b'y', 'z', None]\n");
  g_free (out);
  mproc_list_drop (list);
}
END_TEST

Suite *
mproc_test_list_suite (void)
{
  Suite *suite = suite_create ("list");
  TCase *tcase = mproc_test_case (suite, "list");
  int n_methods = (int) mproc_test_n_methods ();

  tcase_add_test (tcase, a_list_is_what_python_makes);
  tcase_add_test (tcase, a_list_changes_as_in_python);
  tcase_add_test (tcase, zeros_at_the_end_are_lost);
  tcase_add_test (tcase, arrays_and_boxes_are_lists);
  tcase_add_test (tcase, what_is_no_item_is_refused);
  tcase_add_test (tcase, what_does_not_fit_is_refused);
  tcase_add_test (tcase, items_are_counted_as_in_python);
  tcase_add_loop_test (tcase, children_share_a_list, 0, n_methods);
  tcase_add_loop_test (tcase, lists_travel_through_queues, 0, n_methods);
  tcase_add_test (tcase, python_reads_and_changes_our_list);
  tcase_add_test (tcase, we_read_and_change_a_list_of_pythons);
  return suite;
}
