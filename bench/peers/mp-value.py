# SPDX-License-Identifier: MIT
# mp-value.py value: millions of additions a second that two processes do to a multiprocessing.Value
# with its lock held.
from peer import context, repeat, run


def add(value, n):
    for _ in range(n):
        with value.get_lock():
            value.value += 1


if __name__ == '__main__':
    n = repeat(50000)
    value = context.Value('q', 0)
    seconds = run([(add, side, (value, n)) for side in (0, 1)])
    assert value.value == 2 * n
    print(2 * n / seconds / 1e6)
