# SPDX-License-Identifier: MIT
# mp-queue.py queue SCALE [pin]: millions of messages of 64 bytes a second, through
# multiprocessing.Queue, from one process to another.
import multiprocessing
import os
import sys
import time


def pin(side):
    if sys.argv[3:] == ['pin']:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[side]})


def produce(queue, barrier, n):
    pin(1)
    message = bytes(64)
    barrier.wait()
    for _ in range(n):
        queue.put(message)


if __name__ == '__main__':
    n = max(1, int(50000 * float(sys.argv[2])))
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    barrier = context.Barrier(2)
    producer = context.Process(target=produce, args=(queue, barrier, n))
    producer.start()
    pin(0)
    barrier.wait()
    begin = time.perf_counter()
    for _ in range(n):
        queue.get()
    print(n / (time.perf_counter() - begin) / 1e6)
    producer.join()
