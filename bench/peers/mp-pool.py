# SPDX-License-Identifier: MIT
# mp-pool.py map|apply: millions of tasks a second through Pool.map with chunksize=1, or
# microseconds for Pool.apply; two workers.
import time

from peer import context, repeat, words


def square(x):
    return x * x


if __name__ == '__main__':
    with context.Pool(2) as pool:
        pool.map(square, range(10))
        if words[0] == 'map':
            n = repeat(100000)
            begin = time.perf_counter()
            results = pool.map(square, range(n), 1)
            print(n / (time.perf_counter() - begin) / 1e6)
            assert results[-1] == (n - 1) ** 2
        else:
            n = repeat(2000)
            begin = time.perf_counter()
            for i in range(n):
                pool.apply(square, (i,))
            print((time.perf_counter() - begin) / n * 1e6)
