/* SPDX-License-Identifier: MIT */
/* Deaths while memory with a name is made: the name goes with its maker. */
#include "crash.h"

#include "os.h"

#include <string.h>

#define SIZE 10000

/* One that nobody else has. */
static char *
name_of (CrashStage *stage)
{
  return g_strdup_printf ("mproc-crash-%" G_GINT64_MODIFIER "x",
                          mproc_load64 (&stage->a));
}

static GVariant *
make_block (GVariant *args, GError **error)
{
  CrashPart part;
  char *name;
  MprocSharedMemory *block;

  if (!crash_begin (args, &part, error))
    return NULL;
  name = name_of (part.stage);
  block = mproc_shared_memory_create (name, SIZE, error);
  g_free (name);
  if (block != NULL)
    mproc_shared_memory_unref (block);
  return NULL;
}

static void
choose_name (CrashTrial *trial)
{
  trial->object = mproc_lock_new (NULL);
  mproc_store64 (&trial->stage->a, (guint64) g_get_real_time ());
}

/* It can be had again, which it cannot while it is there. */
static gboolean
name_is_free (CrashTrial *trial)
{
  char *name = name_of (trial->stage);
  MprocSharedMemory *block = mproc_shared_memory_create (name, SIZE, NULL);

  g_free (name);
  if (block == NULL)
    return FALSE;
  mproc_shared_memory_unlink (block, NULL);
  mproc_shared_memory_unref (block);
  return TRUE;
}

static void
expect_name_gone (CrashTrial *trial)
{
  crash_wait_until (trial, name_is_free);
}

static const CrashScene of_making = {
  .set_up = choose_name,
  .doomed = make_block,
  .check = expect_name_gone,
};

/* Elsewhere a name goes with its last user by itself. */
static gboolean
has_guardians (void)
{
  return strcmp (mproc_os_shared_prefix (), "psm_") == 0;
}

#define AT(name) .at = MPROC_CRASH_##name

static const CrashPlan plans[] = {
  { AT (SHARED_NOTED), &of_making, .is_here = has_guardians },
  { AT (SHARED_NAMED), &of_making, .is_here = has_guardians },
  { AT (SHARED_KNOWN), &of_making, .is_here = has_guardians },
  { AT (SHARED_MAPPED), &of_making, .is_here = has_guardians },
};

CRASH_SUITE (crash_memory, "crash-memory", MPROC_CRASH_SHARED_POINTS)
