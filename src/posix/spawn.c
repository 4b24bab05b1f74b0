/* SPDX-License-Identifier: MIT */
/* What the child inherits.  Its handles keep their numbers and all others are closed, those
 * that the host forgot to mark close-on-exec included.  The list of what is open could change
 * under another thread's hands before the child looks at it, so it is not asked for.  The
 * child first moves its k handles down to the numbers 3 to k + 2, then closes everything above,
 * then moves them up to their places:
 *
 *    3 4 5 6 7 8 9        handles 4, 5, 8
 *    a X Y b c Z d        as found
 *    X Y Z                moved down, in ascending order, and the rest closed
 *    - X Y - - Z          moved up, in descending order, and what is left over closed
 *
 * A handle's place is never below the number it is moved to, so nothing is overwritten that
 * is still needed; and dup2 () to another number drops close-on-exec. */
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <crt_externs.h>
#include <mach-o/dyld.h>
#define environ (*_NSGetEnviron ())
#else
extern char **environ;
#endif

#if defined(__FreeBSD__)
#include <sys/param.h>
#include <sys/sysctl.h>
#endif

#if defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 34)
#define HAVE_CLOSEFROM 1
#endif
#elif defined(__FreeBSD_version) && __FreeBSD_version >= 1301000
#define HAVE_CLOSEFROM 1
#endif

#if !defined(HAVE_CLOSEFROM)
#include <dirent.h>
#if defined(__linux__)
#define OPEN_FILES "/proc/self/fd"
#else
#define OPEN_FILES "/dev/fd"
#endif
#endif

#define FIRST (STDERR_FILENO + 1)

/* ---------------------------------------------------------------- its descriptors */

static int
compare_handles (const void *a, const void *b)
{
  int left = *(const int *) a, right = *(const int *) b;

  return (left > right) - (left < right);
}

/* The handles in ascending order, each once, without the standard ones. */
static int *
sort_handles (const MprocOsSpawn *how, int *n)
{
  int *fds = g_new (int, how->n_handles + 1);
  int count = 0, kept = 0, i;

  for (i = 0; i < (int) how->n_handles; i++)
    if (how->handles[i] >= FIRST)
      fds[count++] = (int) how->handles[i];
  qsort (fds, (gsize) count, sizeof *fds, compare_handles);
  for (i = 0; i < count; i++)
    if (kept == 0 || fds[kept - 1] != fds[i])
      fds[kept++] = fds[i];
  *n = kept;
  return fds;
}

/* Returns an errno. */
static int
close_from (posix_spawn_file_actions_t *actions, int first)
{
#if defined(HAVE_CLOSEFROM)
  return posix_spawn_file_actions_addclosefrom_np (actions, first);
#elif defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
  (void) actions;
  (void) first;
  return 0;
#else
  /* The next best: what is open now. */
  DIR *folder = opendir (OPEN_FILES);
  struct dirent *entry;
  int number = 0;

  while (folder != NULL && number == 0 && (entry = readdir (folder)) != NULL)
    {
      int fd = atoi (entry->d_name);

      if (fd >= first)
        number = posix_spawn_file_actions_addclose (actions, fd);
    }
  if (folder != NULL)
    closedir (folder);
  return number;
#endif
}

/* Returns an errno. */
static int
add_handles (posix_spawn_file_actions_t *actions, const int *fds, int n)
{
  int number = 0, spare = FIRST + n, i;

  for (i = 0; i < n && number == 0; i++)
    if (fds[i] != FIRST + i)
      number = posix_spawn_file_actions_adddup2 (actions, fds[i], FIRST + i);
  if (number == 0)
    number = close_from (actions, spare);

  /* What is in its place already has to be dropped close-on-exec, too. */
  for (i = 0; i < n && fds[i] == FIRST + i && number == 0; i++)
    {
      number = posix_spawn_file_actions_adddup2 (actions, fds[i], spare);
      if (number == 0)
        number = posix_spawn_file_actions_adddup2 (actions, spare, fds[i]);
    }
  for (i = n - 1; i >= 0 && number == 0; i--)
    if (fds[i] != FIRST + i)
      number = posix_spawn_file_actions_adddup2 (actions, FIRST + i, fds[i]);

  for (i = FIRST; i <= spare && number == 0; i++)
    if (bsearch (&i, fds, (gsize) n, sizeof *fds, compare_handles) == NULL)
      number = posix_spawn_file_actions_addclose (actions, i);
  return number;
}

/* Returns an errno. */
static int
fill_actions (posix_spawn_file_actions_t *actions, const MprocOsSpawn *how)
{
  int n, number;
  int *fds = sort_handles (how, &n);

  number =
      posix_spawn_file_actions_addopen (actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (number == 0)
    number = add_handles (actions, fds, n);
#if defined(__APPLE__)
  if (number == 0)
    number = posix_spawn_file_actions_addinherit_np (actions, STDOUT_FILENO);
  if (number == 0)
    number = posix_spawn_file_actions_addinherit_np (actions, STDERR_FILENO);
#endif
  g_free (fds);
  return number;
}

/* ---------------------------------------------------------------- its arguments */

#if defined(__linux__)

static char *
own_executable (void)
{
  return g_strdup ("/proc/self/exe");
}

/* Takes apart strings that lie one behind the other. */
static void
add_strings (GPtrArray *array, const char *text, gsize size)
{
  gsize at = 0;

  while (at < size)
    {
      gsize length = strnlen (text + at, size - at);

      g_ptr_array_add (array, g_strndup (text + at, length));
      at += length + 1;
    }
}

static void
add_own_arguments (GPtrArray *argv)
{
  char *text;
  gsize size;

  if (!g_file_get_contents ("/proc/self/cmdline", &text, &size, NULL))
    return;
  add_strings (argv, text, size);
  g_free (text);
}

#elif defined(__APPLE__)

static char *
own_executable (void)
{
  uint32_t size = 0;
  char *path;

  _NSGetExecutablePath (NULL, &size);
  path = g_malloc0 (size + 1);
  _NSGetExecutablePath (path, &size);
  return path;
}

static void
add_own_arguments (GPtrArray *argv)
{
  int i;

  for (i = 0; i < *_NSGetArgc (); i++)
    g_ptr_array_add (argv, g_strdup ((*_NSGetArgv ())[i]));
}

#else

static char *
own_executable (void)
{
#if defined(__FreeBSD__)
  int name[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1 };
  char path[MAXPATHLEN];
  size_t size = sizeof path;

  if (sysctl (name, 4, path, &size, NULL, 0) == 0)
    return g_strndup (path, size);
#endif
  return g_strdup ("/proc/curproc/file");
}

/* Not known: the child gets the name of the program and no more. */
static void
add_own_arguments (GPtrArray *argv)
{
  (void) argv;
}

#endif

/* The program's own arguments; the first is the path where it is another program. */
static GPtrArray *
make_argv (const MprocOsSpawn *how, const char *path)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);

  add_own_arguments (argv);
  if (argv->len == 0)
    g_ptr_array_add (argv, g_strdup (path));
  else if (how->executable != NULL)
    {
      g_free (argv->pdata[0]);
      argv->pdata[0] = g_strdup (path);
    }
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* The environment and the mark, which takes the place of a variable of its name. */
static GPtrArray *
make_environment (const MprocOsSpawn *how)
{
  GPtrArray *result = g_ptr_array_new ();
  char *mark = g_strconcat (how->mark_name, "=", how->mark, NULL);
  gsize length = strlen (how->mark_name) + 1;
  char **variable;

  for (variable = environ; variable != NULL && *variable != NULL; variable++)
    if (strncmp (*variable, mark, length) != 0)
      g_ptr_array_add (result, *variable);
  g_ptr_array_add (result, mark);
  g_ptr_array_add (result, NULL);
  return result;
}

static void
free_environment (GPtrArray *environment)
{
  /* The mark alone is ours. */
  g_free (environment->pdata[environment->len - 2]);
  g_ptr_array_free (environment, TRUE);
}

/* ---------------------------------------------------------------- the call */

/* A signal that is blocked stays so in the new image; ignored, it could only be for the
 * whole of this process. */
static void
block_interrupt (posix_spawnattr_t *attributes, short *flags)
{
  sigset_t mask;

  pthread_sigmask (SIG_SETMASK, NULL, &mask);
  sigaddset (&mask, SIGINT);
  (void) posix_spawnattr_setsigmask (attributes, &mask);
  *flags |= POSIX_SPAWN_SETSIGMASK;
}

/* Returns an errno. */
static int
spawn (pid_t *pid,
       const char *path,
       char **argv,
       char **environment,
       const posix_spawn_file_actions_t *actions,
       gboolean refuses_interrupt)
{
  posix_spawnattr_t attributes;
  int number = posix_spawnattr_init (&attributes);
  short flags = 0;

  if (number != 0)
    return number;
#if defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
  flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
  if (refuses_interrupt)
    block_interrupt (&attributes, &flags);
  (void) posix_spawnattr_setflags (&attributes, flags);
  number = posix_spawn (pid, path, actions, &attributes, argv, environment);
  posix_spawnattr_destroy (&attributes);
  return number;
}

gboolean
mproc_os_spawn (const MprocOsSpawn *how, MprocOsChild *child, GError **error)
{
  char *path = how->executable != NULL ? g_strdup (how->executable) : own_executable ();
  GPtrArray *argv = make_argv (how, path);
  GPtrArray *environment = make_environment (how);
  posix_spawn_file_actions_t actions;
  pid_t pid = -1;
  int number = posix_spawn_file_actions_init (&actions);

  if (number == 0)
    {
      number = fill_actions (&actions, how);
      if (number == 0)
        number = spawn (&pid, path, (char **) argv->pdata, (char **) environment->pdata,
                        &actions, how->refuses_interrupt);
      posix_spawn_file_actions_destroy (&actions);
    }

  if (number == 0)
    {
      child->pid = pid;
      child->handle = MPROC_OS_NONE;
      child->ended = FALSE;
      child->exit_code = MPROC_OS_EXIT_UNKNOWN;
      child->is_adopted = FALSE;
    }
  else
    mproc_posix_set_error (error, number, path);

  free_environment (environment);
  g_ptr_array_free (argv, TRUE);
  g_free (path);
  return number == 0;
}
