/* SPDX-License-Identifier: MIT */
#include "blocks.h"

#include "os.h"

gboolean
mproc_block_has_unlink (void)
{
  return mproc_test_can_fork ();
}

char *
mproc_block_make_name (void)
{
  static gint serial;

  return g_strdup_printf ("mproc-test-%d-%d", (int) mproc_os_pid (),
                          g_atomic_int_add (&serial, 1));
}

MprocSharedMemory *
mproc_block_create (const char *name, gsize size)
{
  GError *error = NULL;
  MprocSharedMemory *memory = mproc_shared_memory_create (name, size, &error);

  ck_assert_msg (memory != NULL, "%s", error != NULL ? error->message : "no error");
  return memory;
}

MprocSharedMemory *
mproc_block_open (const char *name)
{
  GError *error = NULL;
  MprocSharedMemory *memory = mproc_shared_memory_open (name, 0, &error);

  ck_assert_msg (memory != NULL, "%s", error != NULL ? error->message : "no error");
  return memory;
}

gboolean
mproc_block_is_there (const char *name)
{
  MprocSharedMemory *memory = mproc_shared_memory_open (name, 0, NULL);

  mproc_shared_memory_unref (memory);
  return memory != NULL;
}

gboolean
mproc_block_is_gone (gpointer name)
{
  return !mproc_block_is_there (name);
}

guint8 *
mproc_block_bytes (MprocSharedMemory *memory)
{
  return mproc_shared_memory_get_data (memory, NULL);
}

void
mproc_block_unlink (MprocSharedMemory *memory)
{
  GError *error = NULL;

  ck_assert_msg (mproc_shared_memory_unlink (memory, &error), "%s",
                 error != NULL ? error->message : "no error");
}

/* On Windows there is nothing to unlink, now or later. */
void
mproc_block_expect_no_name (MprocSharedMemory *memory)
{
  GError *error = NULL;

  if (mproc_block_has_unlink ())
    {
      ck_assert (!mproc_shared_memory_unlink (memory, &error));
      mproc_test_expect_error (&error, MPROC_ERROR_NOT_FOUND, "no block of that name");
    }
  else
    mproc_block_unlink (memory);
}
