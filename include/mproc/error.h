/* SPDX-License-Identifier: MIT */
#ifndef MPROC_ERROR_H
#define MPROC_ERROR_H

#include <mproc/macros.h>

G_BEGIN_DECLS

/**
 * MPROC_ERROR:
 *
 * The error domain of everything in this library.
 */
#define MPROC_ERROR (mproc_error_quark ())

/**
 * MprocError:
 * @MPROC_ERROR_FAILED: for programs' own use
 * @MPROC_ERROR_INVALID: an argument that can never be right
 * @MPROC_ERROR_STATE: not possible in the object's present state
 * @MPROC_ERROR_BOOTSTRAP: the child never passed mproc_init(), or too late
 * @MPROC_ERROR_FUNCTION: no such function here, or the child is of another build
 * @MPROC_ERROR_HANDLE: a handle that is stale, of the wrong kind, or garbage
 * @MPROC_ERROR_NO_MEMORY: no shared memory left
 * @MPROC_ERROR_TOO_MANY_FILES: the limit of descriptors is reached
 * @MPROC_ERROR_SYSTEM: a system call failed, the message says which and why
 * @MPROC_ERROR_NOT_SUPPORTED: this platform or start method cannot do that
 * @MPROC_ERROR_TIMED_OUT: the time was up
 * @MPROC_ERROR_EMPTY: nothing in the queue, or not in time
 * @MPROC_ERROR_FULL: no room in the queue, or not in time
 * @MPROC_ERROR_CLOSED: closed, shut down, or the other end is gone
 * @MPROC_ERROR_CANCELLED: cancelled before it ran, or while it did
 * @MPROC_ERROR_PROTOCOL: the peer sent what is no message
 * @MPROC_ERROR_TOO_LARGE: more than can be sent
 * @MPROC_ERROR_BUFFER_TOO_SHORT: the message is longer than the buffer; it is kept
 * @MPROC_ERROR_AUTHENTICATION: the keys differ
 * @MPROC_ERROR_NOT_OWNER: released by one who does not hold it
 * @MPROC_ERROR_OVER_RELEASE: released, or said to be done, more often than acquired
 * @MPROC_ERROR_BROKEN_BARRIER: the barrier is broken
 * @MPROC_ERROR_EXISTS: there is one of that name
 * @MPROC_ERROR_NOT_FOUND: there is none such, mostly none of that name
 * @MPROC_ERROR_WORKER_DIED: the worker that ran this task died
 * @MPROC_ERROR_VERSION: the peer is of another version
 * @MPROC_ERROR_REMOTE: an error of a domain unknown here, from outside the family
 *
 * Codes of %MPROC_ERROR.
 */
typedef enum
{
  MPROC_ERROR_FAILED,
  MPROC_ERROR_INVALID,
  MPROC_ERROR_STATE,
  MPROC_ERROR_BOOTSTRAP,
  MPROC_ERROR_FUNCTION,
  MPROC_ERROR_HANDLE,
  MPROC_ERROR_NO_MEMORY,
  MPROC_ERROR_TOO_MANY_FILES,
  MPROC_ERROR_SYSTEM,
  MPROC_ERROR_NOT_SUPPORTED,
  MPROC_ERROR_TIMED_OUT,
  MPROC_ERROR_EMPTY,
  MPROC_ERROR_FULL,
  MPROC_ERROR_CLOSED,
  MPROC_ERROR_CANCELLED,
  MPROC_ERROR_PROTOCOL,
  MPROC_ERROR_TOO_LARGE,
  MPROC_ERROR_BUFFER_TOO_SHORT,
  MPROC_ERROR_AUTHENTICATION,
  MPROC_ERROR_NOT_OWNER,
  MPROC_ERROR_OVER_RELEASE,
  MPROC_ERROR_BROKEN_BARRIER,
  MPROC_ERROR_EXISTS,
  MPROC_ERROR_NOT_FOUND,
  MPROC_ERROR_WORKER_DIED,
  MPROC_ERROR_VERSION,
  MPROC_ERROR_REMOTE
} MprocError;

MPROC_API GQuark mproc_error_quark (void);

G_END_DECLS

#endif
