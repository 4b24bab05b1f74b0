# SPDX-License-Identifier: MIT
# mp-pool.py map|apply SCALE [pin]: millions of tasks a second through Pool.map with chunksize=1, or
# microseconds for Pool.apply; two workers.
import multiprocessing
import sys
import time


def square(x):
    return x * x


if __name__ == '__main__':
    command, scale = sys.argv[1], float(sys.argv[2])
    with multiprocessing.get_context('fork').Pool(2) as pool:
        pool.map(square, range(10))
        if command == 'map':
            n = max(1, int(100000 * scale))
            begin = time.perf_counter()
            results = pool.map(square, range(n), 1)
            print(n / (time.perf_counter() - begin) / 1e6)
            assert results[-1] == (n - 1) ** 2
        else:
            n = max(1, int(2000 * scale))
            begin = time.perf_counter()
            for i in range(n):
                pool.apply(square, (i,))
            print((time.perf_counter() - begin) / n * 1e6)
