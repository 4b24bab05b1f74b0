/* SPDX-License-Identifier: MIT */
#include "posix.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

/* Signals are numbered from 1; no system has more.  Numbers that are none are refused. */
#define SIGNALS 129

static struct
{
  gboolean is_saved;
  sigset_t mask;
  struct sigaction actions[SIGNALS];
} before;

static void
set_aside_signals (void)
{
  struct sigaction action;
  sigset_t none;
  int i;

  sigemptyset (&none);
  memset (&action, 0, sizeof action);
  sigemptyset (&action.sa_mask);
  for (i = 1; i < SIGNALS; i++)
    {
      action.sa_handler = i == SIGINT ? SIG_IGN : SIG_DFL;
      /* What the C library keeps for itself it refuses, which is right. */
      if (sigaction (i, NULL, &before.actions[i]) != 0 ||
          sigaction (i, &action, NULL) != 0)
        before.actions[i].sa_handler = SIG_ERR;
    }
  /* Only now, so that nothing that waited runs a handler of the program's. */
  pthread_sigmask (SIG_SETMASK, &none, &before.mask);
  before.is_saved = TRUE;
}

static void
put_back_signals (void)
{
  int i;

  pthread_sigmask (SIG_SETMASK, &before.mask, NULL);
  for (i = 1; i < SIGNALS; i++)
    if (before.actions[i].sa_handler != SIG_ERR)
      sigaction (i, &before.actions[i], NULL);
  before.is_saved = FALSE;
}

void
mproc_os_ignore_interrupt (gboolean ignore)
{
  if (ignore && !before.is_saved)
    set_aside_signals ();
  else if (!ignore && before.is_saved)
    put_back_signals ();
}

/* First ignored, which drops one that waits; then no longer blocked, as the starter may
 * have left it. */
void
mproc_os_refuse_interrupt (void)
{
  struct sigaction action;
  sigset_t interrupt;

  memset (&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
  sigemptyset (&interrupt);
  sigaddset (&interrupt, SIGINT);
  pthread_sigmask (SIG_UNBLOCK, &interrupt, NULL);
}

const char *
mproc_os_signal_name (gint number)
{
  static const struct
  {
    int number;
    const char *name;
  } names[] = {
#define NAME(signal) { signal, #signal }
    NAME (SIGHUP),    NAME (SIGINT),  NAME (SIGQUIT), NAME (SIGILL),  NAME (SIGTRAP),
    NAME (SIGABRT),   NAME (SIGBUS),  NAME (SIGFPE),  NAME (SIGKILL), NAME (SIGUSR1),
    NAME (SIGSEGV),   NAME (SIGUSR2), NAME (SIGPIPE), NAME (SIGALRM), NAME (SIGTERM),
    NAME (SIGCHLD),   NAME (SIGCONT), NAME (SIGSTOP), NAME (SIGTSTP), NAME (SIGTTIN),
    NAME (SIGTTOU),   NAME (SIGURG),  NAME (SIGXCPU), NAME (SIGXFSZ), NAME (SIGVTALRM),
    NAME (SIGPROF),   NAME (SIGSYS),
#ifdef SIGWINCH
    NAME (SIGWINCH),
#endif
#ifdef SIGIO
    NAME (SIGIO),
#endif
#ifdef SIGPWR
    NAME (SIGPWR),
#endif
#ifdef SIGSTKFLT
    NAME (SIGSTKFLT),
#endif
#undef NAME
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].number == number)
      return names[i].name;
  return NULL;
}
