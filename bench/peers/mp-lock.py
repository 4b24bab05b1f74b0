# SPDX-License-Identifier: MIT
# mp-lock.py free: nanoseconds for acquire and release of a multiprocessing.Lock.
# mp-lock.py fight: millions of sections a second that two processes do under one.
import statistics
import time

from peer import context, pin, repeat, run, words


def fight(lock, shared, n):
    for _ in range(n):
        with lock:
            shared[0] += 1


def repeat_free(lock):
    n = 1000
    begin = time.perf_counter()
    for _ in range(n):
        lock.acquire()
        lock.release()
    return (time.perf_counter() - begin) / n * 1e9


if __name__ == '__main__':
    lock = context.Lock()
    if words[0] == 'free':
        pin(0)
        print(statistics.median(repeat_free(lock) for _ in range(repeat(500))))
    else:
        n = repeat(100000)
        shared = context.RawArray('q', 4)
        seconds = run([(fight, side, (lock, shared, n)) for side in (0, 1)])
        assert shared[0] == 2 * n
        print(2 * n / seconds / 1e6)
