# SPDX-License-Identifier: MIT
# What the scripts share.  Each is called with what it measures, the scale, and "pin" or "free",
# and prints one number.
import multiprocessing
import os
import sys
import time

words = sys.argv[1:-2]
context = multiprocessing.get_context('fork')


def repeat(normal):
    return max(1, int(normal * float(sys.argv[-2])))


def pin(side):
    if sys.argv[-1] == 'pin':
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[side]})


def worker(function, side, barrier, times, arguments):
    pin(side)
    barrier.wait()
    begin = time.monotonic()
    function(*arguments)
    times.put((begin, time.monotonic()))


def run(workers):
    """Starts workers, tuples of a function, its side and its arguments, that begin together;
    gives the seconds from the first one's begin to the last one's end."""
    barrier = context.Barrier(len(workers))
    times = context.SimpleQueue()
    processes = [context.Process(target=worker, args=(function, side, barrier, times, arguments))
                 for function, side, arguments in workers]
    for process in processes:
        process.start()
    spans = [times.get() for process in processes]
    for process in processes:
        process.join()
    return max(end for begin, end in spans) - min(begin for begin, end in spans)
