/* SPDX-License-Identifier: MIT */
/* The limit: a ring of bytes in shared memory whose record headers are the flags, a lock on
 * each side, and nothing else.  No owner, no handle, no check; whoever is killed here blocks
 * all others.  The sleeper pays for the order of its announcement and its last look. */
#include "bare.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 64
#define CAPACITY (256 << 10)
#define SKIP G_MAXUINT64 /* go on at the start */

typedef _Atomic (guint64) Header; /* 0: not there yet; else the length + 1 */

typedef struct
{
  _Alignas(128) BareWord put_lock;
  guint64 tail;
  guint64 head_seen;
  _Alignas(128) BareWord get_lock;
  guint64 head;
  _Alignas(128) _Atomic (guint64) freed; /* the head, told now and then */
  _Alignas(128) BareWord getter_sleeps;
  _Alignas(128) BareWord putter_sleeps;
  _Alignas(128) guint8 data[CAPACITY];
} Ring;

static Ring *ring;

/* ------------------------------------------------------------------ waiting */

/* After 8 waits in vain only every 64th spins. */
static guint vain;
static guint skipped;

static gboolean
spin (gboolean (*look) (guint64), guint64 at)
{
  if (vain >= 8 && ++skipped % 64 != 0)
    return FALSE;
  for (guint i = 0; i < 12; i++)
    {
      if (look (at))
        {
          vain = 0;
          return TRUE;
        }
      for (guint pause = 0; pause < 1u << MIN (i, 6); pause++)
        bare_relax ();
    }
  vain++;
  return FALSE;
}

static void
wait_for (gboolean (*look) (guint64), guint64 at, BareWord *sleeps)
{
  if (spin (look, at))
    return;
  for (;;)
    {
      atomic_store_explicit (sleeps, 1, memory_order_relaxed);
      bare_barrier ();
      if (look (at))
        break;
      bare_sleep (sleeps, 1);
    }
  atomic_store_explicit (sleeps, 0, memory_order_relaxed);
}

static inline void
wake (BareWord *sleeps)
{
  if (G_UNLIKELY (atomic_load_explicit (sleeps, memory_order_relaxed) != 0) &&
      atomic_exchange (sleeps, 0) != 0)
    bare_wake (sleeps);
}

/* ------------------------------------------------------------------ put */

static inline Header *
header_at (guint64 position)
{
  return (Header *) (gpointer) (ring->data + position % CAPACITY);
}

/* Whether there is room up to @end. */
static gboolean
is_room (guint64 end)
{
  ring->head_seen = atomic_load_explicit (&ring->freed, memory_order_acquire);
  return end - ring->head_seen <= CAPACITY;
}

/* A record does not wrap, and the header behind it has its place. */
static inline void
push (gconstpointer data, gsize length)
{
  guint64 need = 8 + (length + 7) / 8 * 8;
  guint64 first = ring->tail;
  guint64 left = CAPACITY - first % CAPACITY;
  guint64 start = need <= left ? first : first + left;

  if (start + need + 8 - ring->head_seen > CAPACITY && !is_room (start + need + 8))
    wait_for (is_room, start + need + 8, &ring->putter_sleeps);
  memcpy (ring->data + start % CAPACITY + 8, data, length);
  atomic_store_explicit (header_at (start + need), 0, memory_order_relaxed);
  atomic_store_explicit (header_at (start), length + 1, memory_order_release);
  if (start != first)
    atomic_store_explicit (header_at (first), SKIP, memory_order_release);
  ring->tail = start + need;
  atomic_signal_fence (memory_order_seq_cst);
  wake (&ring->getter_sleeps);
}

/* ------------------------------------------------------------------ get */

static gboolean
is_record (guint64 at)
{
  return atomic_load_explicit (header_at (at), memory_order_acquire) != 0;
}

static inline void
tell_head (guint64 head)
{
  atomic_store_explicit (&ring->freed, head, memory_order_release);
  atomic_signal_fence (memory_order_seq_cst);
  wake (&ring->putter_sleeps);
}

static inline guint64
await_header (guint64 head)
{
  if (G_UNLIKELY (!is_record (head)))
    {
      tell_head (head);
      wait_for (is_record, head, &ring->getter_sleeps);
    }
  return atomic_load_explicit (header_at (head), memory_order_acquire);
}

static inline void
pop (gpointer data)
{
  guint64 head = ring->head;
  guint64 header = await_header (head);
  gsize length;

  if (G_UNLIKELY (header == SKIP))
    {
      head += CAPACITY - head % CAPACITY;
      header = await_header (head);
    }
  length = header - 1;
  memcpy (data, ring->data + head % CAPACITY + 8, length);
  ring->head = head += 8 + (length + 7) / 8 * 8;
  if (head - atomic_load_explicit (&ring->freed, memory_order_relaxed) >= CAPACITY / 8)
    tell_head (head);
}

/* ------------------------------------------------------------------ workers */

static GVariant *
put (GVariant *args, GError **error)
{
  guint64 message[SIZE / 8] = { 0 };
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      message[0] = (guint64) job.n * (job.index / 2) + i + 1;
      bare_lock (&ring->put_lock);
      push (message, job.size);
      bare_unlock (&ring->put_lock);
    }
  return bench_job_end (&job, 0);
}

static GVariant *
get (GVariant *args, GError **error)
{
  guint64 message[SIZE / 8];
  guint64 sum = 0;
  BenchJob job;

  if (!bench_job_begin (&job, args, error))
    return NULL;
  for (guint i = 0; i < job.n; i++)
    {
      bare_lock (&ring->get_lock);
      pop (message);
      bare_unlock (&ring->get_lock);
      sum += message[0];
    }
  return bench_job_end (&job, sum);
}

double
bench_bare_ring (const char *what)
{
  guint pairs = (guint) atoi (what);
  guint n = bench_repeat (pairs == 1 ? 2000000 : 500000);
  BenchWorker workers[] = {
    { put, 1, n, SIZE }, { get, 0, n, SIZE }, { put, 0, n, SIZE }, { get, 1, n, SIZE }
  };
  guint64 all = (guint64) pairs * n;
  guint64 sum;
  double elapsed;

  if (!bare_can_share () || !bare_can_sleep () || !bare_register_barrier ())
    return BENCH_NOT_HERE;
  ring = bare_share (sizeof *ring);
  elapsed = bench_run_workers (workers, 2 * pairs, NULL, NULL, &sum);
  bare_unshare (ring, sizeof *ring);
  if (sum != all * (all + 1) / 2)
    bench_fail ("messages of the bare ring were lost or torn", NULL);
  return (double) all / elapsed;
}
