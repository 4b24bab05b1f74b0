/* SPDX-License-Identifier: MIT */
/* What the suites about semaphores share. */
#ifndef MPROC_TEST_SEMAPHORES_H
#define MPROC_TEST_SEMAPHORES_H

#include "remote.h"

static inline MprocSemaphore *
make (gint initial, gint max, MprocSemaphoreFlags flags)
{
  GError *error = NULL;
  MprocSemaphore *self = mproc_semaphore_new (initial, max, flags, &error);

  ck_assert_msg (self != NULL, "%s", error != NULL ? error->message : "no error");
  return self;
}

static const MprocSemaphoreFlags both[] = { MPROC_SEMAPHORE_DEFAULT,
                                            MPROC_SEMAPHORE_RESTORE };

/* Each test that is the same for both runs with both. */
#define FOR_EACH_FLAG(flag) for (guint flag = 0; flag < G_N_ELEMENTS (both); flag++)

static inline void
expect_value (MprocSemaphore *self, gint value)
{
  ck_assert_int_eq (mproc_semaphore_get_value (self), value);
  ck_assert (mproc_semaphore_is_locked (self) == (value == 0));
}

static inline void
expect_over_release (MprocSemaphore *self, const char *text)
{
  GError *error = NULL;
  gint before = mproc_semaphore_get_value (self);

  ck_assert (!mproc_semaphore_release (self, &error));
  mproc_test_expect_error (&error, MPROC_ERROR_OVER_RELEASE, text);
  ck_assert (!mproc_semaphore_release (self, NULL));
  expect_value (self, before);
}

#endif
