/* SPDX-License-Identifier: MIT */
#include "arena/ring.h"

guint32
mproc_ring_walk (const MprocRing *ring, guint32 tail, guint32 *sequence)
{
  MprocRecord record;

  /* A LINK is never met: the producer's position leaves a chunk before its LINK is
   * published. */
  while (mproc_ring_peek (ring, tail, &record) > MPROC_RECORD_LINK)
    {
      *sequence = record.sequence;
      tail = record.next;
    }
  return tail;
}
