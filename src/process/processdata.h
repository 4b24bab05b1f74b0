/* SPDX-License-Identifier: MIT */
/* What a process object consists of, and what the files that make up processes
 * (process, start, spawn, children, run, exit) call of each other. */
#ifndef MPROC_PROCESS_DATA_H
#define MPROC_PROCESS_DATA_H

#include "family/borrow.h"
#include "family/object.h"
#include "process/process.h"

G_BEGIN_DECLS

typedef enum
{
  MPROC_PROCESS_MAIN,  /* the program itself: nobody made an object of it */
  MPROC_PROCESS_CHILD, /* made by mproc_process_new, here or in the starter */
  MPROC_PROCESS_PARENT /* seen from a child */
} MprocProcessRole;

typedef enum
{
  MPROC_PROCESS_INITIAL,
  MPROC_PROCESS_STARTING, /* some thread is just starting it */
  MPROC_PROCESS_STARTED,
  MPROC_PROCESS_ENDED
} MprocProcessState;

/* The fields of the first part are written before the start, by the creator; the others
 * under the local lock, except where a comment says otherwise. */
struct MprocProcess
{
  MprocObject base;
  MprocProcessRole role;
  MprocFunc func;
  GVariant *args; /* NULL: `()` */
  char *name;
  char *path;  /* the numbers of the default name, "1:2"; empty in the main process */
  gint number; /* the last of them */
  GBytes *authkey;
  MprocProcess *parent;    /* seen from itself: whose children it is among */
  gint64 creator;          /* pid of the process that made the object */
  MprocStartMethod method; /* as wanted; after the start, as done */
  gboolean daemon;
  gboolean internal; /* see mproc_process_set_internal */
  gboolean quiet;
  gboolean watches_parent; /* it ends with its parent by its own doing */

  MprocProcessState state;
  gint64 pid;
  MprocMember member;
  MprocMember owner;  /* the member that started it */
  MprocOsChild child; /* used by the one thread that is reaping, without the lock */
  gboolean reaping;
  MprocOsChild
      view; /* the same child for whoever does not reap; shares no POSIX handle */
  MprocBorrowCell *note; /* of the method forkserver: where its end is written */
  MprocMember server;    /* the server that forked it */
  gint64 looked;         /* when the system was last asked whether it lives; as child */
  GThread *thread;       /* of the method thread, until it has been joined */
  gint exit_code;
  gintptr end_reader; /* a channel that ends with the thread, once asked for */
  gintptr end_writer;
  MprocOsIdentity identity; /* of a parent */
  MprocProcess *next;       /* of the children of this process */
  MprocProcess *previous;
  gboolean is_listed;

  /* As the starter of others. */
  gint n_children;                 /* how many have got a number; atomic */
  MprocStartMethod default_method; /* DEFAULT: by the rule */
  gboolean default_is_set;
};

/* ------------------------------------------------------------------ process.c */

MprocProcess *mproc_process_new_bare (MprocProcessRole role, const char *name);

/* What the target is given; not a reference. */
GVariant *mproc_process_peek_args (MprocProcess *self);

/* Made by this process. */
gboolean mproc_process_is_mine (MprocProcess *self);

/* This process itself, or the calling thread where that is one. */
gboolean mproc_process_is_current (MprocProcess *self);

/* The calling process becomes @self, a child of @parent (both taken). */
void mproc_process_become (MprocProcess *self, MprocProcess *parent, gint64 pid);

/* The same for the calling thread, or no longer so (NULL). */
void mproc_process_become_thread (MprocProcess *self);

/* As mproc_process_current of the process, whichever thread asks. */
MprocProcess *mproc_process_get_process (void);

/* ------------------------------------------------------------------ children.c */

/* A reference is kept until it is known to have ended. */
void mproc_children_add (MprocProcess *self);

/* A look at those that may have ended; cheap when there are none. */
void mproc_children_look (void);

/* Daemons (of all, or of one member) are terminated, all are joined.  TRUE if they have
 * ended. */
gboolean mproc_children_end (MprocMember owner, gint64 deadline);

/* In a forked child: they are the parent's. */
void mproc_children_forget (void);

/* Waits until it has ended and is reaped; its state and exit code are set then. */
gboolean mproc_child_wait (MprocProcess *self, gint64 deadline);

/* The thread behind @self is about to end.  Nothing of @self is used by it afterwards. */
void mproc_child_thread_ended (MprocProcess *self, gint exit_code);

/* ------------------------------------------------------------------ start methods */

/* It runs from now on.  Takes @child; NULL for a thread. */
void mproc_start_done (MprocProcess *self, MprocMember member, const MprocOsChild *child);

/* Whether it ends with its parent, however that ends. */
gboolean mproc_start_is_bound (MprocProcess *self);

/* Whether it is a worker: the terminal's interrupt is for its starter.  Not a server that forks others, to
 * whom it may mean something: it puts that aside itself. */
gboolean mproc_start_refuses_interrupt (MprocProcess *self);

/* The start methods: TRUE if it runs; then pid, member, child or thread are set. */
gboolean mproc_start_by_fork (MprocProcess *self, GError **error);
gboolean mproc_start_by_spawn (MprocProcess *self, GError **error);
gboolean mproc_start_by_forkserver (MprocProcess *self, GError **error);
gboolean mproc_start_by_thread (MprocProcess *self, GError **error);

/* Whether spawned children can be had: mproc_init has been passed, or a program has
 * been set. */
gboolean mproc_spawn_is_possible (void);

/* The same, with error. */
gboolean mproc_spawn_check (GError **error);

/* mproc_process_exit in a thread started as a process; returns in any other. */
void mproc_thread_exit (gint code);

/* ------------------------------------------------------------------ run.c and exit.c */

/* Calls the target; the error it fails with is printed.  Its exit code. */
gint mproc_target_run (MprocProcess *self);

/* What is left of a code when it has become an exit status. */
gint mproc_exit_status (gint code);

/* Sees to it that the end of this process is in good order. */
void mproc_exit_prepare (void);

/* In a forked child: its end is its own. */
void mproc_exit_forget (void);

/* Hooks, then children. */
gboolean mproc_exit_tidy (gint64 deadline);

/* The end of a child process. */
MPROC_NORETURN void mproc_exit_child (gint code);

G_END_DECLS

#endif
