/* SPDX-License-Identifier: MIT */
/* What the files of this folder share.  Everything here may be called right after a fork:
 * it allocates nothing, unless an error is made. */
#ifndef MPROC_POSIX_H
#define MPROC_POSIX_H

#include "os.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Sets an error "<what>: <what the system says of @number>". */
void mproc_posix_set_error (GError **error, int number, const char *what);

/* The first part of a file that comes in one read, as those of /proc do, with a zero at
 * its end.  -1 with errno set, else its length. */
gssize mproc_posix_read_once (const char *path, char *text, gsize size);

/* Passes on a new descriptor of ours, moved above the three standard ones: in a program
 * that closed those, our memory would be taken for its standard input.  -1 stays -1. */
int mproc_posix_above_standard (int fd);

/* A new descriptor that becomes readable when process @pid ends, close-on-exec.  -1 with
 * errno set: ESRCH if there is no such process. */
int mproc_posix_watch (pid_t pid);

/* The same for that very process: ESRCH also if the number is another's by now. */
int mproc_posix_watch_same (const MprocOsIdentity *who);

/* Whether the pid of @who means here what it meant there. */
gboolean mproc_posix_in_our_space (const MprocOsIdentity *who);

/* poll () until @deadline.  0: the time is up, -1: errno is set. */
int mproc_posix_poll (struct pollfd *polls, nfds_t n, gint64 deadline);

/* How many threads of this process are ours. */
guint mproc_posix_own_threads (void);

/* Reserves real pages of a file that is memory, in pieces.  Returns an errno. */
int mproc_posix_reserve (int fd, gsize offset, gsize size);

/* ---------------------------------------------------------------- names of memory */

/* With its slash and its zero. */
#define MPROC_POSIX_NAME_SIZE 256

/* What a block is: its device and its number there. */
void mproc_posix_identify_file (const struct stat *about, guint64 *identity);

/* Whether @path names that block, as far as can be seen. */
gboolean mproc_posix_is_named (const char *path, const guint64 *identity);

/* Unlinks @path if it names that block; zeros: if it names one without a size.  Returns
 * an errno: ENOENT if it names no such block (any more).  Somebody else may still put
 * another block there between the look and the deed. */
int mproc_posix_unlink_same (const char *path, const guint64 *identity);

/* names.c: names that go when this process has ended.  To be called before the name is
 * made, so that there is no instant at which it could be left behind.  Returns what the
 * other two call it; 0 with error. */
guint64 mproc_posix_guard (const char *path, GError **error);

/* It is made, and this block. */
void mproc_posix_guard_block (guint64 id, const guint64 *identity);

/* It was not made after all. */
void mproc_posix_unguard (guint64 id);

/* The block has no name any more.  FALSE if it was not guarded by this process. */
gboolean mproc_posix_unguard_block (const guint64 *identity);
gboolean mproc_posix_guards_block (const guint64 *identity);

#endif
