/* SPDX-License-Identifier: MIT */
#include "kill.h"

#include <signal.h>

void
mproc_test_kill_pid (gint64 pid)
{
  kill ((pid_t) pid, SIGKILL);
}

gboolean
mproc_test_stop_pid (gint64 pid, gboolean stop)
{
  return kill ((pid_t) pid, stop ? SIGSTOP : SIGCONT) == 0;
}

gboolean
mproc_test_interrupt_pid (gint64 pid)
{
  return kill ((pid_t) pid, SIGINT) == 0;
}
