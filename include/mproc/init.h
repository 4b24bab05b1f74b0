/* SPDX-License-Identifier: MIT */
#ifndef MPROC_INIT_H
#define MPROC_INIT_H

#include <mproc/macros.h>

G_BEGIN_DECLS

/**
 * MPROC_FOREVER:
 *
 * As a timeout: waits as long as it takes.  A timeout of 0 does not wait at all.  Unlike in
 * Python, other negative numbers are the caller's mistake: of a time that is computed, take
 * `MAX (0, left)`.
 */
#define MPROC_FOREVER ((gint64) -1)

/**
 * MPROC_SECONDS:
 * @seconds: a number of seconds, which may have a fraction
 *
 * A timeout in the unit of this library, microseconds: `MPROC_SECONDS (1.5)`.
 */
#define MPROC_SECONDS(seconds) ((gint64) ((seconds) *G_USEC_PER_SEC))

/**
 * MprocStartMethod:
 * @MPROC_START_METHOD_DEFAULT: fork where that is safe, else forkserver, or spawn where that
 *   is not to be had.  Fork is taken only on Linux, and only while the process has no threads
 *   but the library's own, forkserver only if the program has none before mproc_init();
 *   mproc_init() is needed only for programs with threads, and on other systems
 * @MPROC_START_METHOD_FORK: the child is a copy of the caller and goes on from its state.  Asked
 *   for by name, it is done even when other threads run; a lock that one of them holds at that
 *   moment stays locked in the child for ever.  Not on Windows
 * @MPROC_START_METHOD_SPAWN: the child is the same program, started afresh.  It needs
 *   mproc_init()
 * @MPROC_START_METHOD_FORKSERVER: a helper process forks the child.  It is the same program,
 *   started afresh, as for spawn, when the calling process first starts a child in this way,
 *   and ends with that process; where it is killed, the next start has a new one.  The child
 *   sees the program as it was at mproc_init(), the environment, working directory, umask and
 *   limits as they were when the helper was started, and no descriptors but the standard ones
 *   and those of connections among its arguments, 250 at most.  mproc_process_parent() is the
 *   caller, and daemons die with the caller.  A child goes on when the helper dies; of one
 *   that is ended by a signal after that, the exit code is 255.  It needs mproc_init().  Not on
 *   Windows
 * @MPROC_START_METHOD_THREAD: the child is a thread of the calling process.  It cannot be
 *   terminated
 *
 * How a process is started.
 */
typedef enum
{
  MPROC_START_METHOD_DEFAULT,
  MPROC_START_METHOD_FORK,
  MPROC_START_METHOD_SPAWN,
  MPROC_START_METHOD_FORKSERVER,
  MPROC_START_METHOD_THREAD
} MprocStartMethod;

/**
 * mproc_init:
 * @argc: (inout) (nullable): the address of main()'s argument count
 * @argv: (inout) (nullable): the address of main()'s arguments
 *
 * The first line of main().  In a spawned child it runs the target and ends the process: it
 * does not return there.  In the program itself it returns at once.  What stands above it in
 * main() runs in every spawned child.
 *
 * A program whose processes are all forked does without it.  Otherwise a start fails with
 * %MPROC_ERROR_BOOTSTRAP until it has been called, and in a child that calls anything else of
 * the library before it.
 *
 * Both arguments may be %NULL, for instance in `int main (void)`.
 */
MPROC_API void mproc_init (int *argc, char ***argv);

/**
 * mproc_set_executable:
 * @path: (type filename): a program that calls mproc_init()
 * @error: return location for an error
 *
 * Makes spawned children, and a forkserver that is started from now on, run that program
 * instead of the calling one, for code that lives in a host it cannot change.  The program must be
 * built with the same version of this library; functions are looked up there in the libraries they
 * came from, which are loaded when needed.
 *
 * Returns: %FALSE with %MPROC_ERROR_NOT_FOUND if there is no such program
 */
MPROC_API gboolean mproc_set_executable (const char *path, GError **error);

/**
 * mproc_shutdown:
 * @timeout_us: how long to wait for children, in microseconds, or %MPROC_FOREVER
 *
 * Does now what the end of the program does: pools end, daemons are terminated, the other
 * children are joined.  The library can be used again afterwards.
 *
 * Returns: %TRUE if all of them have ended, %FALSE if the time was up
 */
MPROC_API gboolean mproc_shutdown (gint64 timeout_us);

/**
 * mproc_set_start_method:
 * @method: how processes are started from now on where their object does not say otherwise
 * @error: return location for an error
 *
 * For programs, once, near the top of main(); a library leaves this choice to its program.
 * A child process starts its own children as it was started itself, and cannot change that.
 *
 * Returns: %FALSE with %MPROC_ERROR_STATE if it has been set already, or
 *   %MPROC_ERROR_NOT_SUPPORTED if this system has no such method
 */
MPROC_API gboolean mproc_set_start_method (MprocStartMethod method, GError **error);

/**
 * mproc_get_start_method:
 *
 * How a process is started where its object does not say otherwise.
 *
 * Returns: the method that was set or inherited; where none was, %MPROC_START_METHOD_FORK on
 *   systems that can fork, else %MPROC_START_METHOD_SPAWN.  Never %MPROC_START_METHOD_DEFAULT
 */
MPROC_API MprocStartMethod mproc_get_start_method (void);

/**
 * mproc_cpu_count:
 *
 * How many processors this process may use: the machine's, less where its affinity or its
 * control group says so.
 *
 * Returns: at least 1
 */
MPROC_API guint mproc_cpu_count (void);

/**
 * mproc_set_memory_limit:
 * @bytes: how much shared memory this program and all its children may use together
 * @error: return location for an error
 *
 * Bounds the memory that queues, values and all else that is shared live in.  At first it is
 * half of the machine's memory, or of the control group's.  Beyond it calls fail with
 * %MPROC_ERROR_NO_MEMORY.  What is in use already is not taken away.
 *
 * Returns: %FALSE if the shared memory could not be made
 */
MPROC_API gboolean mproc_set_memory_limit (guint64 bytes, GError **error);

G_END_DECLS

#endif
