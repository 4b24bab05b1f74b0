/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>

void
mproc_test_default_signals (void)
{
  signal (SIGINT, SIG_DFL);
  signal (SIGTERM, SIG_DFL);
}

static void
do_nothing (int number)
{
  (void) number;
}

void
mproc_test_annoy (gboolean on)
{
  struct itimerval often = { { 0, on ? 500 : 0 }, { 0, on ? 500 : 0 } };
  struct sigaction action;

  /* Without SA_RESTART. */
  memset (&action, 0, sizeof action);
  action.sa_handler = do_nothing;
  sigaction (SIGALRM, &action, NULL);
  setitimer (ITIMER_REAL, &often, NULL);
}

void
mproc_test_ignore_children (gboolean on)
{
  signal (SIGCHLD, on ? SIG_IGN : SIG_DFL);
}

/* ThreadSanitizer asks the program for this.  A daemon that was forked beside other
 * threads has a thread that watches its parent, which it would not allow. */
const char *__tsan_default_options (void);

const char *
__tsan_default_options (void)
{
  return "die_after_fork=0";
}
