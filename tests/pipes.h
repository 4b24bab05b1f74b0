/* SPDX-License-Identifier: MIT */
/* What the tests of connections share. */
#ifndef MPROC_TEST_PIPES_H
#define MPROC_TEST_PIPES_H

#include "mproc-test.h"

typedef struct
{
  MprocConnection *a;
  MprocConnection *b;
} Pipe;

Pipe make_pipe (gboolean duplex);
void free_pipe (Pipe *pipe);

/* @error, which is cleared, has that code and @text in it. */
void expect_error (GError **error, gint code, const char *text);

void expect_bytes (MprocConnection *connection, const char *text);
void send_text (MprocConnection *connection, const char *text);

/* Past the framing: what a peer gone mad, or killed, leaves on the channel. */
void write_raw (MprocConnection *connection, const void *data, gsize size);

/* Started with that method; the test fails if it cannot be.  @args are mproc_pack ()'s. */
MprocProcess *start_child (MprocStartMethod method, MprocFunc func, GVariant *args);

/* Joined, and freed; its exit code was 0. */
void end_child (MprocProcess *child);

/* A target `(h)`: waits until the other end of its connection is closed. */
GVariant *stay_open (GVariant *args, GError **error);

#endif
