/* SPDX-License-Identifier: MIT */
#include "arena/arena.h"

#include "os.h"

#include <string.h>

/* What lies at offset 0.  The allocator's words (alloc.c) follow behind it in the first
 * pages. */
#define MAGIC G_GUINT64_CONSTANT (0x6d70726f63415245) /* "mprocARE" */

#define MAX_STEP ((gsize) 1 << 20)
#define MIN_STEP ((gsize) 256 << 10)

#if GLIB_SIZEOF_VOID_P == 8
#define WANTED_SIZE ((gsize) 64 << 30)
#else
#define WANTED_SIZE ((gsize) 256 << 20)
#endif

#include "arena/alloc.h"

G_STATIC_ASSERT (WANTED_SIZE <= MPROC_LARGEST_BLOCK);

typedef struct
{
  guint64 magic;
  guint32 layout;
  MprocAtomic32 need_fences;
  guint64 nonce;
  guint64 size;
  MprocAtomic64 budget;
  MprocAtomic64 watermark; /* committed bytes, from the arena's start */
  MprocAtomic64 punched;   /* of these, given back again: they count for no budget */
  MprocAtomic64 roots[MPROC_N_ROOTS];
  MprocAllocator allocator;
} Head;

G_STATIC_ASSERT (sizeof (Head) < MIN_STEP);

static MprocOsMemory memory;
static MprocAtomic64 opened; /* how far this process may touch it; only grows */
static gint exists;

static Head *
head (void)
{
  return (Head *) memory.base;
}

gboolean
mproc_arena_exists (void)
{
  return g_atomic_int_get (&exists);
}

static gsize
round_up (gsize size, gsize step)
{
  return (size + step - 1) / step * step;
}

/* In whole pages, as all that is counted against it. */
void
mproc_arena_set_budget (guint64 bytes)
{
  gsize most = (gsize) MIN (bytes, memory.size);

  mproc_store64 (&head ()->budget, round_up (most, mproc_os_page_size ()));
}

guint64
mproc_arena_get_budget (void)
{
  return mproc_load64 (&head ()->budget);
}

/* Opens the first pages and fills in the head.  Nobody else knows this memory yet. */
static gboolean
set_up (GError **error)
{
  gsize first = round_up (MIN_STEP, mproc_os_page_size ());

  if (!mproc_os_memory_commit (&memory, 0, first, error) ||
      !mproc_os_memory_open (&memory, 0, first, error))
    return FALSE;
  mproc_store64 (&opened, first);
  head ()->magic = MAGIC;
  head ()->layout = MPROC_LAYOUT;
  head ()->size = memory.size;
  mproc_os_random (&head ()->nonce, sizeof head ()->nonce);
  mproc_store64 (&head ()->watermark, first);
  mproc_arena_set_budget (mproc_os_memory_limit () / 2);
  mproc_allocator_init (&head ()->allocator, sizeof (Head));
  return TRUE;
}

gboolean
mproc_arena_create (GError **error)
{
  if (mproc_arena_exists ())
    return TRUE;
  if (!mproc_os_memory_create (WANTED_SIZE, &memory, error))
    return FALSE;
  if (!set_up (error))
    {
      mproc_os_memory_clear (&memory);
      return FALSE;
    }
  g_atomic_int_set (&exists, TRUE);
  return TRUE;
}

gboolean
mproc_arena_adopt (gintptr handle, guint64 size, guint64 nonce, GError **error)
{
  gsize page = round_up (sizeof (Head), mproc_os_page_size ());

  g_return_val_if_fail (!mproc_arena_exists (), FALSE);
  if (size < page || size > G_MAXSIZE ||
      !mproc_os_memory_adopt (handle, (gsize) size, &memory, error))
    return FALSE;
  if (!mproc_os_memory_open (&memory, 0, page, error))
    {
      mproc_os_memory_clear (&memory);
      return FALSE;
    }
  if (head ()->magic != MAGIC || head ()->layout != MPROC_LAYOUT ||
      head ()->size != size || head ()->nonce != nonce)
    {
      mproc_os_memory_clear (&memory);
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_VERSION,
                           "the memory that this process has inherited is of another "
                           "version of mproc than "
                           "its own: build both programs with one");
      return FALSE;
    }
  mproc_store64 (&opened, page);
  g_atomic_int_set (&exists, TRUE);
  return TRUE;
}

gintptr
mproc_arena_get_handle (void)
{
  return memory.handle;
}

guint64
mproc_arena_get_size (void)
{
  return memory.size;
}

guint64
mproc_arena_get_nonce (void)
{
  return head ()->nonce;
}

guint64
mproc_arena_get_committed (void)
{
  return mproc_load64 (&head ()->watermark);
}

guint64
mproc_arena_get_punched (void)
{
  return mproc_load64 (&head ()->punched);
}

MprocAtomic64 *
mproc_arena_root (MprocRoot which)
{
  return &head ()->roots[which];
}

MprocAtomic32 *
mproc_arena_need_fences (void)
{
  return &head ()->need_fences;
}

MprocAllocator *
mproc_arena_get_allocator (void)
{
  return &head ()->allocator;
}

/* Another process moved the watermark: make the pages up to there accessible here too.
 * Two threads may do so at once; it is the same request, and opened only grows. */
static void
open_more (gsize end)
{
  guint64 from = mproc_load64 (&opened);
  guint64 to = mproc_load64 (&head ()->watermark);
  GError *error = NULL;

  if (to < end)
    g_error ("mproc: offset %" G_GSIZE_FORMAT " lies beyond the arena's watermark", end);
  if (!mproc_os_memory_open (&memory, (gsize) from, (gsize) (to - from), &error))
    g_error ("mproc: %s", error->message);
  while (to > from && !mproc_cas64 (&opened, from, to))
    from = mproc_load64 (&opened);
}

gpointer
mproc_arena_at (MprocOffset offset, gsize size)
{
  gsize end = (gsize) offset + size;

  if (G_UNLIKELY (end > mproc_load64 (&opened)))
    open_more (end);
  return memory.base + offset;
}

MprocOffset
mproc_arena_offset (gconstpointer pointer)
{
  return (MprocOffset) ((const guint8 *) pointer - memory.base);
}

/* No limit that could be set would help. */
static gboolean
refuse_range (guint64 end, GError **error)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
               "shared memory is used up: %" G_GUINT64_FORMAT
               " bytes of address space wanted in all, it has %" G_GSIZE_FORMAT
               "; make smaller objects, or free those that are not needed",
               end, memory.size);
  return FALSE;
}

static gboolean
refuse_memory (guint64 wanted, GError **error)
{
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY,
               "shared memory is used up: %" G_GUINT64_FORMAT
               " bytes wanted in all, %" G_GUINT64_FORMAT
               " allowed; free objects that are not needed, or allow more by "
               "mproc_set_memory_limit",
               wanted, mproc_arena_get_budget ());
  return FALSE;
}

gboolean
mproc_arena_commit (guint64 end, GError **error)
{
  for (;;)
    {
      guint64 from = mproc_load64 (&head ()->watermark);
      guint64 punched = mproc_load64 (&head ()->punched);
      guint64 limit = MIN (mproc_arena_get_budget () + punched, memory.size);
      guint64 step = CLAMP (from / 8, MIN_STEP, MAX_STEP);
      guint64 to;

      if (end <= from)
        return TRUE;
      if (end > limit)
        return limit == memory.size ? refuse_range (end, error)
                                    : refuse_memory (end - punched, error);
      to = MIN (round_up ((gsize) MAX (end, from + step), mproc_os_page_size ()), limit);
      if (!mproc_os_memory_commit (&memory, (gsize) from, (gsize) (to - from), error))
        return FALSE;
      MPROC_CRASH_POINT (ALLOC_RESERVED);
      /* Two committers may do the same pages; whoever dies here leaves no hole, since
       * the next one starts from the watermark again. */
      mproc_cas64 (&head ()->watermark, from, to);
    }
}

/* Counted before they are there: who dies in between has lost the block anyway. */
gboolean
mproc_arena_recommit (MprocOffset from, gsize size, GError **error)
{
  guint64 punched = atomic_fetch_sub (&head ()->punched, size) - size;
  guint64 wanted = mproc_load64 (&head ()->watermark) - punched;
  gboolean ok;

  if (wanted > mproc_arena_get_budget ())
    ok = refuse_memory (wanted, error);
  else
    ok = mproc_os_memory_commit (&memory, (gsize) from, size, error);
  if (!ok)
    atomic_fetch_add (&head ()->punched, size);
  return ok;
}

gboolean
mproc_arena_punch (MprocOffset from, gsize size)
{
  if (!mproc_os_memory_punch (&memory, (gsize) from, size))
    return FALSE;
  atomic_fetch_add (&head ()->punched, size);
  return TRUE;
}
