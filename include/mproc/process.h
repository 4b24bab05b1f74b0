/* SPDX-License-Identifier: MIT */
#ifndef MPROC_PROCESS_H
#define MPROC_PROCESS_H

#include <mproc/init.h>

G_BEGIN_DECLS

/**
 * MprocFunc:
 * @args: the value that the caller gave, of any type; `()` where it gave %NULL
 * @error: return location for an error
 *
 * A function that runs elsewhere.  Any function of the program, or of a library it has loaded,
 * can be one, static ones too.
 *
 * Returns: (nullable) (transfer full): a value, which may be floating; %NULL for nothing, or
 *   with @error set on failure
 */
typedef GVariant *(*MprocFunc) (GVariant *args, GError **error);

/**
 * MprocProcess:
 *
 * A process that runs one function.  The object belongs to the process that made it: another
 * one, also a forked child, cannot start, join or signal it.  Any thread of its creator may.
 */
typedef struct MprocProcess MprocProcess;

/**
 * mproc_process_new:
 * @func: (nullable) (scope async): what it runs; %NULL does nothing and exits with 0
 * @args: (nullable): the value that @func is given; sunk if it is floating
 *
 * Makes a process that is not started yet.  Its name is `Process-1`, `Process-2`, in a child
 * `Process-1:1`, and so on; daemon flag and authentication key are those of the caller's
 * process.
 *
 * Returns: (transfer full): a new process
 */
MPROC_API MprocProcess *mproc_process_new (MprocFunc func, GVariant *args);

/**
 * mproc_process_ref:
 * @self: a process
 *
 * Returns: (transfer full): @self with one more reference
 */
MPROC_API MprocProcess *mproc_process_ref (MprocProcess *self);

/**
 * mproc_process_unref:
 * @self: (nullable) (transfer full): a process
 *
 * Drops a reference.  A process that runs goes on running, and is still joined, or terminated,
 * at the end of its parent.
 */
MPROC_API void mproc_process_unref (MprocProcess *self);

/**
 * mproc_process_set_name:
 * @self: a process that has not been started, or the current one
 * @name: its name, for messages; need not be unique
 */
MPROC_API void mproc_process_set_name (MprocProcess *self, const char *name);

/**
 * mproc_process_get_name:
 * @self: a process
 *
 * Returns: (transfer none): its name
 */
MPROC_API const char *mproc_process_get_name (MprocProcess *self);

/**
 * mproc_process_set_daemon:
 * @self: a process that has not been started
 * @daemon: whether it is a daemon
 *
 * A daemon is terminated, not waited for, when its parent ends, and dies with it even when that
 * is killed.  It may not start processes itself.
 */
MPROC_API void mproc_process_set_daemon (MprocProcess *self, gboolean daemon);

/**
 * mproc_process_is_daemon:
 * @self: a process
 *
 * Returns: whether it is a daemon
 */
MPROC_API gboolean mproc_process_is_daemon (MprocProcess *self);

/**
 * mproc_process_set_start_method:
 * @self: a process that has not been started
 * @method: how to start it
 *
 * Without this it is mproc_get_start_method().
 */
MPROC_API void mproc_process_set_start_method (MprocProcess *self,
                                               MprocStartMethod method);

/**
 * mproc_process_get_start_method:
 * @self: a process
 *
 * Returns: how it was started, or before that, what was set
 */
MPROC_API MprocStartMethod mproc_process_get_start_method (MprocProcess *self);

/**
 * mproc_process_set_func:
 * @self: a process that has not been started
 * @func: (nullable) (scope async): what it runs instead
 */
MPROC_API void mproc_process_set_func (MprocProcess *self, MprocFunc func);

/**
 * mproc_process_set_authkey:
 * @self: a process that has not been started, or the current one
 * @authkey: the key
 *
 * The key that connections of its managers and listeners are authenticated with where none is
 * given.
 */
MPROC_API void mproc_process_set_authkey (MprocProcess *self, GBytes *authkey);

/**
 * mproc_process_get_authkey:
 * @self: a process
 *
 * In the main process it is 32 random bytes at first; children inherit it.
 *
 * Returns: (transfer none): the key
 */
MPROC_API GBytes *mproc_process_get_authkey (MprocProcess *self);

/**
 * mproc_process_start:
 * @self: a process that has not been started
 * @error: return location for an error
 *
 * Starts it, at most once, in the process that made it.  What has been written to standard
 * output and standard error is flushed first.  Afterwards @self no longer holds the function's
 * arguments.
 *
 * A child that was spawned, or forked by a forkserver, is waited for until it has reported in:
 * its error is this function's error.
 * %MPROC_ERROR_BOOTSTRAP says that it, or the calling program, has not passed mproc_init();
 * %MPROC_ERROR_FUNCTION that it has no such function; %MPROC_ERROR_STATE that @self was
 * started before, that the caller is a daemon, or that there is no safe way to start it.
 *
 * Returns: %TRUE if it runs; after %FALSE everything is as before
 */
MPROC_API gboolean mproc_process_start (MprocProcess *self, GError **error);

/**
 * mproc_process_join:
 * @self: a started process, or the parent
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Waits until it has ended.  May be called by several threads, and again.
 *
 * Returns: %TRUE if it has ended, %FALSE if the time was up
 */
MPROC_API gboolean mproc_process_join (MprocProcess *self, gint64 timeout_us);

/**
 * mproc_process_is_alive:
 * @self: a process that the caller made, the current one, or the parent
 *
 * Returns: %TRUE from its start until its end
 */
MPROC_API gboolean mproc_process_is_alive (MprocProcess *self);

/**
 * mproc_process_interrupt:
 * @self: a process
 * @error: return location for an error
 *
 * Interrupts it as Ctrl-C does (SIGINT).  One that has ended is no error.
 *
 * Returns: %FALSE with %MPROC_ERROR_STATE before its start, %MPROC_ERROR_NOT_SUPPORTED where
 *   it is a thread or the system cannot do it
 */
MPROC_API gboolean mproc_process_interrupt (MprocProcess *self, GError **error);

/**
 * mproc_process_terminate:
 * @self: a process
 * @error: return location for an error
 *
 * Terminates it (SIGTERM).  Its children are not terminated, unless they are daemons.  One that
 * has ended is no error.
 *
 * Returns: %FALSE with %MPROC_ERROR_STATE before its start, %MPROC_ERROR_NOT_SUPPORTED where
 *   it is a thread
 */
MPROC_API gboolean mproc_process_terminate (MprocProcess *self, GError **error);

/**
 * mproc_process_kill:
 * @self: a process
 * @error: return location for an error
 *
 * Like mproc_process_terminate(), by SIGKILL, which no process can ignore.
 *
 * Returns: %FALSE with %MPROC_ERROR_STATE before its start, %MPROC_ERROR_NOT_SUPPORTED where
 *   it is a thread
 */
MPROC_API gboolean mproc_process_kill (MprocProcess *self, GError **error);

/**
 * mproc_process_get_exit_code:
 * @self: a process
 * @exit_code: (out) (optional): its exit code
 *
 * 0 after the function has returned, 1 if it failed, what was given to mproc_process_exit(),
 * or -N if signal N ended it (on Windows -15 for one that was terminated); 255 if somebody else
 * has taken the code away.
 *
 * Returns: %FALSE while it has not ended
 */
MPROC_API gboolean mproc_process_get_exit_code (MprocProcess *self, int *exit_code);

/**
 * mproc_process_get_pid:
 * @self: a process
 *
 * Returns: its process id, 0 before its start; the caller's own where it is a thread
 */
MPROC_API gint64 mproc_process_get_pid (MprocProcess *self);

/**
 * mproc_process_get_sentinel:
 * @self: a process that the caller has started
 * @error: return location for an error
 *
 * A descriptor that becomes readable, or on Windows a HANDLE that is signalled, when the process
 * has ended.  It belongs to @self.
 *
 * Returns: the handle, or -1 with %MPROC_ERROR_STATE before the start
 */
MPROC_API gintptr mproc_process_get_sentinel (MprocProcess *self, GError **error);

/**
 * mproc_process_to_string:
 * @self: a process
 *
 * Its name and state, as in `<Process(Process-1, stopped[SIGTERM] daemon)>`, in UTF-8.
 *
 * Returns: (transfer full): a text
 */
MPROC_API char *mproc_process_to_string (MprocProcess *self);

/**
 * mproc_process_run:
 * @self: a process that has not been started
 * @error: return location for an error
 *
 * Calls its function here and now.
 *
 * Returns: %FALSE if the function failed, with its error
 */
MPROC_API gboolean mproc_process_run (MprocProcess *self, GError **error);

/**
 * mproc_process_exit:
 * @code: the exit code, of which POSIX systems keep the lower eight bits
 *
 * Ends the current process from within its function, in good order: its daemons are terminated,
 * its other children joined.  Where the current process is a thread, that thread ends.  In the
 * main process it is exit().
 */
MPROC_API void mproc_process_exit (gint code) G_GNUC_NORETURN;

/**
 * mproc_process_current:
 *
 * Returns: (transfer none): the process, or the thread started as one, that calls this
 */
MPROC_API MprocProcess *mproc_process_current (void);

/**
 * mproc_process_parent:
 *
 * The parent can be asked for its name and pid, whether it is alive, and joined.
 *
 * Returns: (transfer none) (nullable): the process that started the current one, %NULL in the
 *   main process
 */
MPROC_API MprocProcess *mproc_process_parent (void);

/**
 * mproc_process_list_children:
 *
 * The processes that the current one has started and that are alive.  Joins those that have
 * ended.
 *
 * Returns: (transfer full) (element-type MprocProcess): an array with a free function
 */
MPROC_API GPtrArray *mproc_process_list_children (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocProcess, mproc_process_unref)

G_END_DECLS

#endif
