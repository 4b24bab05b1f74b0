/* SPDX-License-Identifier: MIT */
/* The only door to the operating system.
 *
 * src/posix and src/win32 implement what is declared here, under the same names, in files of
 * the same names; CMake chooses one of the two folders.  Nothing above this header includes a
 * system header or asks which platform it runs on: it asks for a capability (mproc_os_can_fork,
 * mproc_os_has_words) instead.
 *
 * For all of it:
 *  - deadlines are absolute g_get_monotonic_time () values; MPROC_OS_NEVER does not end;
 *  - EINTR, short waits and overlapped I/O never show;
 *  - a handle is a descriptor or a HANDLE in a gintptr, MPROC_OS_NONE is no handle;
 *  - results are written only on success; GErrors are of domain MPROC_ERROR, text
 *    "<what>: <system message>"; descriptor limits are MPROC_ERROR_TOO_MANY_FILES, memory
 *    MPROC_ERROR_NO_MEMORY, everything else unnamed MPROC_ERROR_SYSTEM;
 *  - nothing here touches the arena's structures or knows what they mean.
 */
#ifndef MPROC_OS_H
#define MPROC_OS_H

#include "atomic.h"

#include <glib.h>
#include <mproc/error.h>

G_BEGIN_DECLS

/* clang-format off: this page is read more often than any other */

#if defined(_MSC_VER)
#define MPROC_NORETURN __declspec(noreturn)
#else
#define MPROC_NORETURN _Noreturn
#endif

#define MPROC_OS_NONE ((gintptr) -1)
#define MPROC_OS_NEVER G_MAXINT64

/* An exit code nobody knows: someone else reaped the child, or it is no child of ours. */
#define MPROC_OS_EXIT_UNKNOWN G_MININT

/* ------------------------------------------------------------------ who a process is */

/* A pid is reused; together with its start time it is not.  The time may be somewhat
 * later than the start, so that of one process there can be two: it is read once and
 * handed on.  space tells pid namespaces apart (the namespace's inode; 0 where there is
 * no such thing). */
typedef struct
{
  gint64 pid;
  guint64 start_time;
  guint64 space;
} MprocOsIdentity;

/* The identity of the calling process. */
void mproc_os_identify (MprocOsIdentity *out);

/* Whether that process has certainly ended.  Another pid space, missing rights, no way to
 * look: FALSE.  A zombie has ended.  Costs some system calls. */
gboolean mproc_os_is_dead (const MprocOsIdentity *who);

/* getpid (), as cheap as the system allows. */
gint64 mproc_os_pid (void);

/* Whether the calling process is a child of that one.  FALSE where that cannot be told. */
gboolean mproc_os_is_child_of (gint64 pid);

/* The number of threads in the calling process, 0 where it cannot be told. */
guint mproc_os_thread_count (void);

/* A page that reads as zeros in a child made by fork, whoever called fork: its first word
 * tells a process whether what it remembers about itself is still true.  Where the system
 * has no such page this returns NULL, and callers compare mproc_os_pid (). */
gpointer mproc_os_wiped_page (void);

/* How many processors this process may use: affinity and cgroup quota honoured, at
 * least 1. */
guint mproc_os_cpu_count (void);

/* The calling thread runs on that processor, and nowhere else, and so do the threads it
 * starts from now on; with @process, all of the process where the system can do that.
 * MPROC_ERROR_NOT_SUPPORTED where it cannot be chosen. */
gboolean mproc_os_set_processor (guint number, gboolean process, GError **error);

/* The calling process is that much nicer to others, 1 to 19. */
gboolean mproc_os_add_niceness (gint niceness, GError **error);

/* TRUE in a program that runs with more rights than its caller (AT_SECURE): the
 * environment is not to be trusted. */
gboolean mproc_os_is_elevated (void);

/* Keeps the library that holds @address in memory until the process ends. */
void mproc_os_pin_library (gconstpointer address);

/* ------------------------------------------------------------------ children */

/* A child of the calling process.  handle is what can be waited for: a pidfd, a process
 * HANDLE, or MPROC_OS_NONE where the system has none (or before it was asked for). */
typedef struct
{
  gint64 pid;
  gintptr handle;
  gboolean ended;
  gint exit_code;
  gboolean is_adopted; /* another process forked it, see mproc_os_child_adopt */
  guint64 start_time;  /* then, with pid, who it is */
  guint64 space;
} MprocOsChild;

typedef enum
{
  MPROC_OS_INTERRUPT,
  MPROC_OS_TERMINATE,
  MPROC_OS_KILL
} MprocOsSignal;

typedef struct
{
  const char *executable; /* NULL: the program that runs now (/proc/self/exe) */
  const char *mark_name;  /* one variable added to the child's environment */
  const char *mark;       /* its value */
  const gintptr *handles; /* inherited under the same numbers; nothing else is */
  guint n_handles;        /* standard output and error are always inherited */
  gboolean
      die_with_parent; /* Windows: put into a kill-on-close job.  POSIX: ignored here,
                               see mproc_os_die_with */
  gboolean refuses_interrupt; /* the terminal's interrupt does nothing to it, from its
                                 first instant until mproc_os_refuse_interrupt () */
} MprocOsSpawn;

/* Starts a new process image.  Its standard input is the null device, its argv that of
 * this program.  The caller's signal mask and dispositions reach the child as exec has
 * it. */
gboolean mproc_os_spawn (const MprocOsSpawn *how, MprocOsChild *child, GError **error);

gboolean mproc_os_can_fork (void);

/* Whether fork is what a start method by default should mean: not where the system's
 * own libraries do not survive it (macOS), nor where threads cannot be counted. */
gboolean mproc_os_prefers_fork (void);

/* POSIX only.  1 in the parent, 0 in the child, -1 with error.  Flushes nothing. */
gint mproc_os_fork (MprocOsChild *child, GError **error);

/* Registers handlers for every fork of this process, also the host's own.  No-op where
 * processes are not forked. */
void
mproc_os_at_fork (void (*prepare) (void), void (*parent) (void), void (*child) (void));

/* Waits until @child has ended or @deadline is over; a deadline in the past only looks.
 * TRUE: ended, exit_code is set: n from exit, -N by signal N (Windows: the 32 bits as
 * int, mproc_os_signal's own ends -15), or MPROC_OS_EXIT_UNKNOWN.  Never waits for any
 * other child.  Not to be called for one child by two threads at a time. */
gboolean mproc_os_child_wait (MprocOsChild *child, gint64 deadline);

/* The handle to wait on (readable, or signalled, at the end), made when first asked for;
 * MPROC_ERROR_NOT_SUPPORTED where the system has none. */
gintptr mproc_os_child_sentinel (MprocOsChild *child, GError **error);

/* A child that has ended is no error. */
gboolean mproc_os_child_signal (MprocOsChild *child, MprocOsSignal what, GError **error);

/* Closes the handle.  Does not reap. */
void mproc_os_child_clear (MprocOsChild *child);

/* POSIX only.  The child of a helper process of ours as one of the calling process, which
 * can signal it and have a sentinel of it.  mproc_os_child_wait finds it only where the
 * system has made it a child of this process, at the helper's end. */
void mproc_os_child_adopt (const MprocOsIdentity *who, MprocOsChild *child);

/* POSIX only, in a helper process of ours that does nothing but fork children: the
 * terminal's interrupt is ignored, and the channel returned is readable when one of them
 * has ended.  To be called once. */
gintptr mproc_os_children_sentinel (GError **error);

/* There: takes any child that has ended.  FALSE: there is none, and the channel will tell
 * of the next. */
gboolean mproc_os_reap_any (gint64 *pid, gint *exit_code);

/* In a child that it has forked: signals are as the helper found them. */
void mproc_os_leave_helper (void);

/* In the starter: what the child has to know to die with it; 0 only if the calling thread
 * lasts as long as its process does, so that the kernel can watch it. */
guint32 mproc_os_lifeline_kind (void);

/* The same for a child that another process will fork for the caller. */
guint32 mproc_os_lifeline_kind_adopted (void);

/* In the child: die when @parent does.  Ends the calling process at once if @parent has
 * ended already.  On Windows the starter's job object has seen to it. */
void mproc_os_die_with (const MprocOsIdentity *parent, guint32 lifeline_kind);

/* In a forked child: standard input becomes the null device. */
void mproc_os_close_stdin (void);

/* In a forked helper process: the signals of the terminal are ignored or back to
 * default. */
void mproc_os_ignore_interrupt (gboolean ignore);

/* From here on the terminal's interrupt (SIGINT; Ctrl-C and Ctrl-Break) does nothing to
 * the calling process. */
void mproc_os_refuse_interrupt (void);

/* Flushes the C library's standard output and standard error. */
void mproc_os_flush_output (void);

/* Ends the process now: no atexit handler, no destructor, nothing flushed. */
MPROC_NORETURN void mproc_os_exit (gint code);

/* Ends the calling process as mproc_os_child_signal with MPROC_OS_KILL does. */
MPROC_NORETURN void mproc_os_kill_self (void);

/* The name of signal @number ("SIGTERM"), NULL if unknown.  Static storage. */
const char *mproc_os_signal_name (gint number);

/* ------------------------------------------------------------------ memory */

/* One region of shared memory.  handle is inherited by children and mapped again there. */
typedef struct
{
  guint8 *base;
  gsize size;
  gintptr handle;
} MprocOsMemory;

gsize mproc_os_page_size (void);

/* Reserves up to @wanted bytes of address space backed by new shared memory, of which
 * nothing is committed or accessible; less where limits demand it (halved until it
 * fits, not under 1 MiB).  Owned by nobody but its handles: it vanishes with the last
 * process. */
gboolean mproc_os_memory_create (gsize wanted, MprocOsMemory *out, GError **error);

/* Maps @size bytes of an inherited handle. */
gboolean
mproc_os_memory_adopt (gintptr handle, gsize size, MprocOsMemory *out, GError **error);

/* Reserves real pages for [offset, offset + size) in all processes, so that touching them
 * cannot fail.  Page-aligned.  Idempotent; zeros where new, or new again since they were
 * given back.  MPROC_ERROR_NO_MEMORY. */
gboolean
mproc_os_memory_commit (MprocOsMemory *memory, gsize offset, gsize size, GError **error);

/* Makes committed pages accessible in this process.  Page-aligned, idempotent, cheap
 * where nothing has to be done. */
gboolean
mproc_os_memory_open (MprocOsMemory *memory, gsize offset, gsize size, GError **error);

/* Gives committed pages back to the system; their contents are lost and they must be
 * committed again before use.  FALSE where the system cannot (Windows). */
gboolean mproc_os_memory_punch (MprocOsMemory *memory, gsize offset, gsize size);

void mproc_os_memory_clear (MprocOsMemory *memory);

/* How many bytes of memory a process (NULL: the calling one) has for itself: pages that no file
 * backs and no other process has.  Neither shared memory counts, nor what a fork has left
 * it in common with its parent and neither has written to since; on Linux only what is in
 * RAM, on Windows what is committed.  A number up to @enough may be too large, by what is
 * in common: that is quick to tell, the rest costs a look at each page.
 * FALSE where it cannot be told. */
gboolean
mproc_os_private_memory (const MprocOsIdentity *who, guint64 enough, guint64 *bytes);

/* min (RAM, the cgroup's limit) in bytes. */
guint64 mproc_os_memory_limit (void);

/* ------------------------------------------------------------------ memory with a name */

/* A block of shared memory that any program of the user may open by its name, all of it
 * mapped.  identity tells it from a later one of the same name, zeros where the system
 * cannot.  What keeps the block open besides the mapping is handle, MPROC_OS_NONE where
 * nothing has to. */
typedef struct
{
  guint8 *base;
  gsize size;
  guint64 identity[2];
  gintptr handle;
} MprocOsShared;

/* How names that are made up begin. */
const char *mproc_os_shared_prefix (void);

/* Makes a block of zeros whose pages are all reserved, so that touching them cannot fail.
 * MPROC_ERROR_EXISTS, MPROC_ERROR_INVALID for what the system does not take for a name.
 * The name goes when the calling process has ended, however it ended; on Windows, when
 * nobody has the block open. */
gboolean
mproc_os_shared_create (const char *name, gsize size, MprocOsShared *out, GError **error);

/* Opens the one of that name, as large as the system says it is, its pages reserved.
 * MPROC_ERROR_NOT_FOUND, also for one without a size: it is being made. */
gboolean mproc_os_shared_open (const char *name, MprocOsShared *out, GError **error);

/* Takes the name away.  MPROC_ERROR_NOT_FOUND if it is gone, or names another block by
 * now.  Does nothing on Windows. */
gboolean
mproc_os_shared_unlink (const char *name, const MprocOsShared *shared, GError **error);

/* Unmaps it.  The name stays; where it is gone, nothing guards it any more.  Without @name
 * that is not looked at, and no lock is taken that a fork holds. */
void mproc_os_shared_clear (const char *name, MprocOsShared *shared);

/* ------------------------------------------------------------------ wait and wake */

/* Whether the two functions below work between processes (a shared futex).  Where they do
 * not, the parking array stands in, built on the semaphores. */
gboolean mproc_os_has_words (void);

/* Sleeps while *word is @value, until @deadline at most.  May return for no reason. */
void mproc_os_word_wait (const MprocAtomic32 *word, guint32 value, gint64 deadline);

/* Wakes up to @n of its sleepers (G_MAXINT32: all).  Returns how many it woke. */
guint mproc_os_word_wake (const MprocAtomic32 *word, guint n);

/* A counting semaphore that lies in shared memory: a sem_t, or the value of an inherited
 * HANDLE.  Usable by every process that maps the memory and inherited the handles. */
typedef union
{
  guint64 handle;
  guint64 bytes[8];
} MprocOsSem;

gboolean mproc_os_sem_init (MprocOsSem *sem, GError **error);
gboolean mproc_os_sem_wait (MprocOsSem *sem, gint64 deadline); /* FALSE: time is up */
void mproc_os_sem_post (MprocOsSem *sem);

/* The handle a child has to inherit to use @sem, MPROC_OS_NONE if none. */
gintptr mproc_os_sem_handle (const MprocOsSem *sem);

/* Registers this process for mproc_os_process_barrier; FALSE where that does not exist.
 * Survives fork, not exec. */
gboolean mproc_os_barrier_register (void);

/* A full barrier in every running thread of every registered process. */
void mproc_os_process_barrier (void);

/* Tells the processor that this is a spin loop. */
void mproc_os_relax (void);

/* ------------------------------------------------------------------ byte channels */

/* A connected pair, close-on-exec.  One-way: only *a reads, only *b writes.  Both ends
 * outlive a fork of either; the reader sees the end when every copy of the other end is
 * closed. */
gboolean mproc_os_channel_pair (gboolean duplex, gintptr *a, gintptr *b, GError **error);

/* Reads at least one byte, at most @size.  0: the other end is closed.  -1: error, of
 * which MPROC_ERROR_TIMED_OUT leaves the channel as it was. */
gssize mproc_os_channel_read (gintptr channel,
                              gpointer buffer,
                              gsize size,
                              gint64 deadline,
                              GError **error);

/* Writes at least one byte, at most @size.  -1: error; a closed peer is
 * MPROC_ERROR_CLOSED and raises no signal.  After MPROC_ERROR_TIMED_OUT a part may have
 * been written on Windows, nobody knows how much: what has to go on afterwards uses
 * mproc_os_channel_write_until. */
gssize mproc_os_channel_write (gintptr channel,
                               gconstpointer buffer,
                               gsize size,
                               gint64 deadline,
                               GError **error);

/* The same without a deadline, but -1 with MPROC_ERROR_CLOSED soon after *@stop is no
 * longer 0: in a tenth of a second.  What is given up may have been written in part. */
gssize mproc_os_channel_write_until (gintptr channel,
                                     gconstpointer buffer,
                                     gsize size,
                                     const MprocAtomic32 *stop,
                                     GError **error);

/* How many handles one message takes along. */
#define MPROC_OS_MOST_PASSED 250

/* POSIX only, over a duplex channel: writes all of @data, and with it copies of @n
 * handles.  FALSE with error; then a part may have been written. */
gboolean mproc_os_channel_pass (gintptr channel,
                                gconstpointer data,
                                gsize size,
                                const gintptr *handles,
                                guint n,
                                gint64 deadline,
                                GError **error);

/* The other side: exactly that message.  handles has room for MPROC_OS_MOST_PASSED; there
 * are fewer than were sent if this process could not have more.  FALSE with error, at the
 * end MPROC_ERROR_CLOSED. */
gboolean mproc_os_channel_take (gintptr channel,
                                gpointer data,
                                gsize size,
                                gintptr *handles,
                                guint *n,
                                GError **error);

/* A second handle for the same end. */
gintptr mproc_os_channel_dup (gintptr channel, GError **error);

/* A channel that this process inherited by spawn: from here on its own children inherit
 * it no more, unless it is handed to them. */
void mproc_os_channel_adopt (gintptr channel);

/* Closes it.  A thread of this process that is blocked on it may be woken by this
 * (Windows) or not (POSIX): callers that must not block wait in slices. */
void mproc_os_channel_close (gintptr channel);

/* ------------------------------------------------------------------ GNU make's jobserver */

/* What @name, of make's option --jobserver-auth, means to any process: for
 * mproc_os_jobserver_open, g_free.  NULL if it is not there for us. */
char *mproc_os_jobserver_find (const char *name);

/* MPROC_OS_NONE if it is not there (any more). */
gintptr mproc_os_jobserver_open (const char *where);

/* What was opened at @where, to be opened by others as long as we have it open, g_free: the program may close
 * what it had inherited of it. */
char *mproc_os_jobserver_name (gintptr jobserver, const char *where);

/* A token; -1: there was none until @deadline. */
gint mproc_os_jobserver_take (gintptr jobserver, gint64 deadline);
void mproc_os_jobserver_give (gintptr jobserver, guint8 token);
void mproc_os_jobserver_close (gintptr jobserver);

/* ------------------------------------------------------------------ waiting on many */

typedef enum
{
  MPROC_OS_WAIT_CHANNEL, /* ready: a read would not block (data or end) */
  MPROC_OS_WAIT_CHILD    /* ready: the sentinel's process has ended */
} MprocOsWaitKind;

typedef struct
{
  gintptr handle;
  MprocOsWaitKind kind;
  gboolean ready;
} MprocOsWait;

/* Any number of them.  Returns how many are ready, 0 when time is up, -1 with error
 * (then ready says nothing). */
gint mproc_os_wait_many (MprocOsWait *waits, guint n, gint64 deadline, GError **error);

/* Whether handles of that kind can be given to g_source_add_poll. */
gboolean mproc_os_can_poll (MprocOsWaitKind kind);

/* ------------------------------------------------------------------ program images */

#define MPROC_OS_IDENTITY_SIZE 32

/* A loaded module: the program, a shared library. */
typedef struct
{
  guintptr base; /* offsets count from here */
  guint8
      identity[MPROC_OS_IDENTITY_SIZE]; /* build id, or a hash of the read-only segments
                                               as loaded; padded with zeros */
  guint identity_size;
  char *path; /* absolute, for messages and loading; g_free */
} MprocOsImage;

/* The image that holds @address. FALSE if none does. */
gboolean mproc_os_image_at (gconstpointer address, MprocOsImage *out);

/* The loaded image of that identity.  FALSE if there is none. */
gboolean mproc_os_image_find (const guint8 *identity, guint size, MprocOsImage *out);

/* The loaded image whose file name (last part) is that of @path; the program itself for
 * the path of the program.  FALSE if there is none. */
gboolean mproc_os_image_named (const char *path, MprocOsImage *out);

/* Loads the library at @path and keeps it loaded. */
gboolean mproc_os_image_load (const char *path, GError **error);

/* Whether [base + offset] lies in an executable segment of a loaded image. */
gboolean mproc_os_image_is_code (guintptr base, guint64 offset);

/* The name of the function that begins at @address, as far as the loaded image or the program's own file
 * tell; NULL if they do not.  g_free. */
char *mproc_os_symbol_at (gconstpointer address);

void mproc_os_image_clear (MprocOsImage *image);

/* ------------------------------------------------------------------ files and terminals */

/* Opens @path to append to; one that is empty, or was not there, begins with @head.  What one call of
 * mproc_os_append writes stands together, whoever else appends at that moment. */
gintptr mproc_os_append_open (const char *path, const char *head, GError **error);
gboolean mproc_os_append (gintptr file, gconstpointer data, gsize size);

/* A file without a name, to read and to append to.  It is gone when nobody has it open any more. */
gintptr mproc_os_file_new (GError **error);

/* A file of mproc_os_file_new that the process @pid has open as @file, open here as well.
 * MPROC_ERROR_NOT_SUPPORTED where that cannot be done. */
gintptr mproc_os_file_borrow (gint64 pid, gintptr file, GError **error);

/* Reads up to @size bytes at @offset; 0 at its end, or where it cannot be read. */
gsize mproc_os_file_read (gintptr file, guint64 offset, gpointer buffer, gsize size);
guint64 mproc_os_file_size (gintptr file);
void mproc_os_file_empty (gintptr file);

/* Gives back the room that all but the last @keep bytes of it take, where the system can: it stays as
 * long as it is. */
void mproc_os_file_trim (gintptr file, guint64 keep);

/* Of mproc_os_append_open as well. */
void mproc_os_file_close (gintptr file);

/* Where standard output and standard error went before. */
typedef struct
{
  gintptr saved[2];
} MprocOsRedirection;

/* From here on they go to @file, also those of children; what the C library had not written yet goes
 * where they went before.  The end does the same the other way round. */
gboolean mproc_os_redirect_output (gintptr file, MprocOsRedirection *out, GError **error);
void mproc_os_restore_output (MprocOsRedirection *redirection);

/* Whether the C library's descriptor @fd is a terminal.  @columns: its width, 0 if that cannot be
 * told. */
gboolean mproc_os_is_terminal (gint fd, guint *columns);

/* Writes all of it there, as far as that can be done. */
void mproc_os_write_text (gint fd, const char *text, gsize size);

/* ------------------------------------------------------------------ random */

/* Fills @buffer from the system's generator.  Aborts if there is none. */
void mproc_os_random (gpointer buffer, gsize size);

G_END_DECLS

#endif
