/* SPDX-License-Identifier: MIT */
/* What tests expect of results, and the values in them. */
#ifndef MPROC_TEST_RESULTS_H
#define MPROC_TEST_RESULTS_H

#include "processes.h"

/* Each takes a result, and waits for it.  It is a value; which is this one; it is an error of that code
 * with @text (NULL: any) in it; it is a value, or (NULL) its worker died. */
void mproc_test_expect_success (MprocResult *result);
GVariant *mproc_test_value_of (MprocResult *result);
void mproc_test_expect_failure (MprocResult *result, gint code, const char *text);
GVariant *mproc_test_value_or_death (MprocResult *result);

/* The `i` or the `x` that it is; takes @value. */
gint32 mproc_test_int (GVariant *value);
gint64 mproc_test_long (GVariant *value);

/* `[first, ..., first + n - 1]`, of type `ai`, floating. */
GVariant *mproc_test_numbers (gint32 first, guint n);

/* A map's values are the squares of mproc_test_numbers (first, n); takes them. */
void mproc_test_expect_squares (GVariant *values, gint32 first, guint n);

#endif
