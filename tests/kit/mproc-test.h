/* SPDX-License-Identifier: MIT */
/* What the tests share.
 *
 * tests/<folder>/test-<name>.c defines `Suite *mproc_test_<name>_suite (void)`, a dash of the file's name
 * being an underscore there; the suite's own name is <name> as the file has it, since ctest picks
 * suites by CK_RUN_SUITE.  That is all: CMake finds the file.
 *
 *   START_TEST (keeps_order)
 *   {
 *     MprocStartMethod method = mproc_test_method (_i);
 *     ...
 *   }
 *   END_TEST
 *
 *   Suite *
 *   mproc_test_queue_suite (void)
 *   {
 *     Suite *suite = suite_create ("queue");
 *     TCase *tcase = mproc_test_case (suite, "order");
 *
 *     tcase_add_loop_test (tcase, keeps_order, 0, (int) mproc_test_n_methods ());
 *     return suite;
 *   }
 *
 * A test's child is a static function beside the test.  Tests run in one process, one after the
 * other (Check's own forks would hide what the library's do), and a test that takes longer than
 * MPROC_TEST_LIMIT seconds (60) ends the program with its name on stderr.  MPROC_TEST_TIMES=1 has
 * each test's time told there.
 */
#ifndef MPROC_TEST_H
#define MPROC_TEST_H

#include <check.h>
#include <mproc.h>

/* As Check's, and notes which test runs and whether it came to its end. */
#undef START_TEST
#define START_TEST(test)                                                                 \
  static void test##_body (int _i);                                                      \
  static void test##_fn (int _i)                                                         \
  {                                                                                      \
    mproc_test_begin (#test, _i);                                                        \
    test##_body (_i);                                                                    \
    mproc_test_end ();                                                                   \
  }                                                                                      \
  static const TTest test##_ttest = { #test, test##_fn, __FILE__, __LINE__ };            \
  static const TTest *test = &test##_ttest;                                              \
  static void test##_body (int _i CK_ATTRIBUTE_UNUSED)

/* How long a test waits for what must come, on the slowest machine. */
#define MPROC_TEST_PATIENCE MPROC_SECONDS (50)

void mproc_test_begin (const char *test, int i);
void mproc_test_end (void);

/* A test case whose tests are checked for leaks: after each of them this process has
 * the children, threads, descriptors or handles, names in /dev/shm, named sockets and
 * temporary files it had before.  Things that end by themselves are waited for, two
 * seconds at most. */
TCase *mproc_test_case (Suite *suite, const char *name);

/* The start methods that this platform has, for loop tests: fork, spawn, forkserver, thread or
 * spawn, thread.  MPROC_TEST_METHODS=spawn,thread restricts them. */
guint mproc_test_n_methods (void);
MprocStartMethod mproc_test_method (int i);
const char *mproc_test_method_name (int i);

/* How often a stress loop runs: @normal times MPROC_TEST_SCALE (1), at least once. */
gint mproc_test_scale (gint normal);

/* TRUE under Wine, where every call to the kernel takes a thousand times longer. */
gboolean mproc_test_is_slow_platform (void);

/* A name in this run's temporary folder, different each time (transfer full).  Whoever
 * makes the file removes it, or the leak check finds it. */
char *mproc_test_temporary (const char *what);

/* Looks at @condition until it holds, for two seconds at most. */
gboolean mproc_test_eventually (gboolean (*condition) (gpointer), gpointer data);

/* The least of some times that @measure, given both, has measured; the first that is not more than
 * @enough: others use the machine, too. */
gint64 mproc_test_best (gint64 (*measure) (int i, gconstpointer data),
                        int i,
                        gconstpointer data,
                        gint64 enough);

/* How often @what is in the text. */
guint mproc_test_occurrences (const char *text, const char *what);

/* ------------------------------------------------- of the system: tests/posix, tests/win32 */

/* What this process holds of the system, one line a thing, its kind first:
 * "descriptor 7 socket:[4711]". */
GPtrArray *mproc_test_census (void);

/* Whether there is the start method fork. */
gboolean mproc_test_can_fork (void);

/* Once, first: nothing that the tests start shall outlive them, a crash ends the
 * program. */
void mproc_test_contain (void);

/* Ends the program, and what it started, unless called again within @seconds.
 * @text is written on stderr then; it has to stay.  0 takes the limit away. */
void mproc_test_limit (guint seconds, const char *text);

#endif
