# SPDX-License-Identifier: MIT
# mp-start.py fork|spawn|forkserver: microseconds for start and join.
import multiprocessing
import time

from peer import repeat, words


def nothing():
    pass


def start_and_join(context, n):
    for _ in range(n):
        process = context.Process(target=nothing)
        process.start()
        process.join()


if __name__ == '__main__':
    method = words[0]
    n = repeat({'fork': 100, 'spawn': 5, 'forkserver': 50}[method])
    context = multiprocessing.get_context(method)
    start_and_join(context, n // 10 + 1)
    begin = time.perf_counter()
    start_and_join(context, n)
    print((time.perf_counter() - begin) / n * 1e6)
