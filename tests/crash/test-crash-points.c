/* SPDX-License-Identifier: MIT */
/* The list of points itself. */
#include "crash.h"

START_TEST (every_point_is_in_a_suite)
{
  ck_assert_uint_eq (crash_n_points, MPROC_N_CRASHES - 1);
}
END_TEST

START_TEST (every_point_says_what_it_leaves)
{
  for (guint i = 1; i < MPROC_N_CRASHES; i++)
    {
      const char *state = mproc_crash_get_state ((MprocCrash) i);

      ck_assert_msg (state[0] != '\0', "%s", mproc_crash_get_name ((MprocCrash) i));
    }
}
END_TEST

Suite *
mproc_test_crash_points_suite (void)
{
  Suite *suite = suite_create ("crash-points");
  TCase *tcase = mproc_test_case (suite, "points");

  tcase_add_test (tcase, every_point_is_in_a_suite);
  tcase_add_test (tcase, every_point_says_what_it_leaves);
  return suite;
}
