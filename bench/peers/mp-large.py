# SPDX-License-Identifier: MIT
# mp-large.py SIZE: milliseconds until a worker has got as many bytes through a
# multiprocessing.Queue, has looked at each page of them, and has answered.
import time

from peer import context, pin, repeat, words

PAGE = 4096


def work(tasks, answers):
    pin(1)
    for data in iter(tasks.get, None):
        answers.put(sum(memoryview(data)[::PAGE]))


if __name__ == '__main__':
    size = repeat(int(words[0]))
    tasks, answers = context.Queue(), context.Queue()
    worker = context.Process(target=work, args=(tasks, answers))
    worker.start()
    pin(0)
    data = b'\1' * size
    tasks.put(b'\1')
    answers.get()
    begin = time.perf_counter()
    tasks.put(data)
    assert answers.get() == (size + PAGE - 1) // PAGE
    print((time.perf_counter() - begin) * 1e3)
    tasks.put(None)
    worker.join()
