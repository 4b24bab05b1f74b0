/* SPDX-License-Identifier: MIT */
/* What the tests of connections share. */
#ifndef MPROC_TEST_PIPES_H
#define MPROC_TEST_PIPES_H

#include "processes.h"

typedef struct
{
  MprocConnection *a;
  MprocConnection *b;
} Pipe;

Pipe make_pipe (gboolean duplex);
void free_pipe (Pipe *pipe);

void expect_bytes (MprocConnection *connection, const char *text);
void send_text (MprocConnection *connection, const char *text);

/* Past the framing: what a peer gone mad, or killed, leaves on the channel. */
void write_raw (MprocConnection *connection, const void *data, gsize size);

/* A target `(h)`: waits until the other end of its connection is closed. */
GVariant *stay_open (GVariant *args, GError **error);

#endif
