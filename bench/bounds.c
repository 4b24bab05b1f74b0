/* SPDX-License-Identifier: MIT */
#include "bench.h"

/* On one processor half of it will do: there the scheduler decides. */
#define BOTH(times) (times), (times) / 2.0

/* "At most so much slower." */
#define WITHIN(times) (1.0 / (times))

const BenchBound bench_bounds[] = {
  { "start.fork", "start.bare-fork", WITHIN (1.5), WITHIN (1.5) },
  { "start.spawn", "start.posix-spawn", WITHIN (1.3), WITHIN (1.3) },
  { "lock.free", "lock.raw-futex", BOTH (WITHIN (1.15)) },
  { "lock.free", "lock.robust-mutex", BOTH (1.3) },
  { "lock.free", "lock.python", BOTH (4) },
  { "lock.fight", "lock.fight-mutex", BOTH (1) },
  { "lock.fight", "lock.fight-python", BOTH (8) },
  { "queue.bytes", "queue.ring", BOTH (0.75) },
  { "queue.bytes", "queue.gasyncqueue", BOTH (8) },
  { "queue.bytes", "queue.boost", BOTH (5) },
  { "queue.bytes", "queue.openmpi", BOTH (2.5) },
  { "queue.bytes", "queue.python", BOTH (100) },
  { "queue.2x2", "queue.ring-2x2", BOTH (0.75) },
  { "queue.2x2", "queue.boost-2x2", BOTH (4) },
  { "queue.2x2", "queue.python-2x2", BOTH (50) },
  { "queue.packed", "queue.python-values", BOTH (10) },
  { "queue.64k-borrowed", "queue.openmpi-64k", BOTH (1.2) },
  { "queue.64k", "queue.python-64k", BOTH (12) },
  { "queue.1m", "queue.python-1m", BOTH (10) },
  { "queue.1m-borrowed", "queue.openmpi-1m", BOTH (1) },
  { "latency.queue", "latency.hop", WITHIN (2), 0 },
  { "latency.queue", "latency.pipe", 0, WITHIN (1.25) },
  { "latency.queue", "latency.python", BOTH (20) },
  { "value.locked", "value.python", BOTH (10) },
  { "value.add", "value.python-add", BOTH (50) },
  { "large.shared", "large.in-place", BOTH (WITHIN (1.05)) },
  { "large.copied", "large.python", BOTH (15) },
  { "pool.map", "pool.python-map", BOTH (20) },
  { "pool.bytes", "pool.python-bytes", BOTH (60) },
  { "pool.threads", "pool.gthreadpool", BOTH (1.5) },
  { "pool.bytes-auto", "pool.python-auto", BOTH (20) },
  { "pool.apply", "pool.python-apply", 10, 5 },
  { "pool.array", "pool.bare-array", BOTH (WITHIN (1.05)) },
  { "pool.pair", "pool.bare-pair", 0.97, 0.97 },
  { "pool.replace-large", "pool.replace", BOTH (WITHIN (1.3)) },
  { "pool.replace-large", "pool.bare-large-fork", 50, 50 },
  { NULL, NULL, 0, 0 },
};
