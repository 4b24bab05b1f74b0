# SPDX-License-Identifier: MIT
# mp-pipe.py trip: microseconds for one way of a message of 64 bytes and its answer through a
# multiprocessing.Pipe.
from peer import context, repeat, run


def ask(connection, n):
    message = bytes(64)
    for _ in range(n):
        connection.send_bytes(message)
        connection.recv_bytes()


def answer(connection, n):
    for _ in range(n):
        connection.send_bytes(connection.recv_bytes())


if __name__ == '__main__':
    n = repeat(10000)
    here, there = context.Pipe()
    seconds = run([(ask, 0, (here, n)), (answer, 1, (there, n))])
    print(seconds / n / 2 * 1e6)
