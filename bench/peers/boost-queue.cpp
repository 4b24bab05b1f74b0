// SPDX-License-Identifier: MIT
// boost-queue SIZE PAIRS SCALE pin|free: millions of messages a second through one
// boost::interprocess::message_queue, from as many processes to as many others.
#include <boost/interprocess/ipc/message_queue.hpp>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

namespace bi = boost::interprocess;

namespace
{
const int most_workers = 8;

struct Span
{
  double begin, end;
};

struct Shared
{
  std::atomic<int> there;
  std::atomic<std::uint64_t> sum;
  Span spans[most_workers];
};

double
now ()
{
  using namespace std::chrono;
  return duration<double> (steady_clock::now ().time_since_epoch ()).count ();
}

void
pin (int side)
{
  cpu_set_t allowed, wanted;
  int seen = 0;

  CPU_ZERO (&wanted);
  sched_getaffinity (0, sizeof allowed, &allowed);
  for (int i = 0; i < CPU_SETSIZE; i++)
    if (CPU_ISSET (i, &allowed) && seen++ == side)
      CPU_SET (i, &wanted);
  sched_setaffinity (0, sizeof wanted, &wanted);
}

void
put (bi::message_queue &queue, std::vector<char> &message, std::uint64_t first, std::uint64_t n)
{
  for (std::uint64_t i = first; i < first + n; i++)
    {
      std::memcpy (message.data (), &i, sizeof i);
      queue.send (message.data (), message.size (), 0);
    }
}

std::uint64_t
get (bi::message_queue &queue, std::vector<char> &message, std::uint64_t n)
{
  std::uint64_t sum = 0;

  for (std::uint64_t i = 0; i < n; i++)
    {
      bi::message_queue::size_type received;
      unsigned priority;
      std::uint64_t number;

      queue.receive (message.data (), message.size (), received, priority);
      std::memcpy (&number, message.data (), sizeof number);
      sum += number;
    }
  return sum;
}

// Seconds for n messages of each producer.
double
transfer (std::size_t size, int pairs, std::uint64_t n, bool pinned)
{
  std::string name = "mproc-bench-" + std::to_string (getpid ());
  bi::message_queue queue (bi::create_only, name.c_str (), 1024, size);
  void *memory = mmap (nullptr, sizeof (Shared), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Shared *shared = new (memory) Shared ();

  bi::message_queue::remove (name.c_str ()); // what is mapped stays
  for (int i = 0; i < 2 * pairs; i++)
    if (fork () == 0)
      {
        std::vector<char> message (size);

        if (pinned)
          pin (i % 2 ^ i / 2);
        shared->there++;
        while (shared->there < 2 * pairs)
          sched_yield ();
        shared->spans[i].begin = now ();
        if (i % 2 == 0)
          put (queue, message, i / 2 * n + 1, n);
        else
          shared->sum += get (queue, message, n);
        shared->spans[i].end = now ();
        _exit (0);
      }
  for (int i = 0; i < 2 * pairs; i++)
    {
      int status;

      if (wait (&status) < 0 || status != 0)
        std::exit (1);
    }

  std::uint64_t all = pairs * n;
  Span span = shared->spans[0];

  if (shared->sum != all * (all + 1) / 2)
    std::exit (1);
  for (int i = 1; i < 2 * pairs; i++)
    {
      span.begin = std::min (span.begin, shared->spans[i].begin);
      span.end = std::max (span.end, shared->spans[i].end);
    }
  munmap (memory, sizeof (Shared));
  return span.end - span.begin;
}
}

int
main (int argc, char **argv)
{
  if (argc < 5)
    return 2;

  std::size_t size = std::atoi (argv[1]);
  int pairs = std::atoi (argv[2]);
  double scale = std::atof (argv[3]);
  bool pinned = std::strcmp (argv[4], "pin") == 0;
  double each = transfer (size, pairs, 200, pinned) / 200;
  // As many as are usual, or as can be done in a second.
  std::uint64_t n = std::max (1.0, std::min (300000.0, 1 / each) * scale);

  std::printf ("%g\n", pairs * n / transfer (size, pairs, n, pinned) / 1e6);
}
