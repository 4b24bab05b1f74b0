# SPDX-License-Identifier: MIT
# mp-queue.py SIZE|values PAIRS: through one multiprocessing.Queue, from as many processes to as
# many others: millions of messages a second; gigabytes a second from 64 KiB on.
from peer import context, repeat, run, words


def put(queue, n, size):
    message = bytes(size)
    for _ in range(n):
        queue.put(message)


def put_values(queue, n, size):
    for i in range(n):
        queue.put((i, 'a message'))


def get(queue, n, size):
    for _ in range(n):
        item = queue.get()
    assert size == 0 or len(item) == size


if __name__ == '__main__':
    size = 0 if words[0] == 'values' else int(words[0])
    pairs = int(words[1])
    n = repeat(min(50000 // pairs, (256 << 20) // max(1, size)))
    queue = context.Queue()
    sides = [(get, 0), (put if size else put_values, 1),
             (get, 1), (put if size else put_values, 0)][:2 * pairs]
    seconds = run([(function, side, (queue, n, size)) for function, side in sides])
    each = size / 1e9 if size >= 65536 else 1e-6
    print(pairs * n * each / seconds)
