# SPDX-License-Identifier: MIT
# mp-pool.py map|auto|executor|mpi|apply: millions of tasks a second through Pool.map with chunksize=1
# or its own choice of it, through ProcessPoolExecutor.map or mpi4py.futures', chunksize=1; or
# microseconds for Pool.apply.  Two workers.
import os
import sys
import time

from peer import context, repeat, words


def square(x):
    return x * x


def time_map(map_all, n):
    map_all(10)
    begin = time.perf_counter()
    results = list(map_all(n))
    print(n / (time.perf_counter() - begin) / 1e6)
    assert results[-1] == (n - 1) ** 2


if __name__ == '__main__':
    what = words[0]
    if what == 'mpi':
        # Two workers beside this process, also where there are fewer processors; and for root.
        for name in ('OMPI_MCA_rmaps_base_oversubscribe', 'OMPI_ALLOW_RUN_AS_ROOT',
                     'OMPI_ALLOW_RUN_AS_ROOT_CONFIRM'):
            os.environ[name] = '1'
        try:
            from mpi4py.futures import MPIPoolExecutor
        except ImportError:
            print('no-mpi4py')
            sys.exit()
        with MPIPoolExecutor(2) as executor:
            time_map(lambda n: executor.map(square, range(n), chunksize=1), repeat(10000))
        sys.exit()
    if what == 'executor':
        from concurrent.futures import ProcessPoolExecutor
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            time_map(lambda n: executor.map(square, range(n), chunksize=1), repeat(20000))
        sys.exit()
    with context.Pool(2) as pool:
        if what == 'map':
            time_map(lambda n: pool.map(square, range(n), 1), repeat(100000))
        elif what == 'auto':
            time_map(lambda n: pool.map(square, range(n)), 100000)
        else:
            pool.map(square, range(10))
            n = repeat(2000)
            begin = time.perf_counter()
            for i in range(n):
                pool.apply(square, (i,))
            print((time.perf_counter() - begin) / n * 1e6)
