/* SPDX-License-Identifier: MIT */
/* The file is emptied before its task is told to be done: so whatever it holds when its worker is found
 * dead was written by the task that was running. */
#include "insight/capture.h"

#include "arena/word.h"

#include <string.h>

/* How long a worker waits for the pool to open its file: once in its life. */
#define PATIENCE G_USEC_PER_SEC

/* The most that a note of what was cut takes. */
#define NOTE_SIZE 96

/* How far to look for the end of a line that was cut in two. */
#define LINE 4096

/* A worker's file, as the pool has it open. */
typedef struct
{
  MprocOffset seat;
  gintptr file;
} Output;

gboolean
mproc_capture_plan (const MprocTaskOptions *options,
                    gconstpointer result,
                    MprocStartMethod method,
                    MprocTaskPlan *plan,
                    GError **error)
{
  if (options == NULL || !options->captures_output || result == NULL)
    return TRUE;
  if (method == MPROC_START_METHOD_THREAD)
    {
      g_set_error_literal (
          error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
          "a task's output can be captured only where each worker is a process: threads "
          "share one standard output");
      return FALSE;
    }
  plan->flags |= MPROC_TASK_CAPTURED;
  return TRUE;
}

/* ------------------------------------------------------------------ reading */

static gsize
read_all (gintptr file, guint64 offset, char *to, gsize size)
{
  gsize done = 0, n = 1;

  for (; done < size && n > 0; done += n)
    n = mproc_os_file_read (file, offset + done, to + done, size - done);
  return done;
}

/* How much of what begins in the middle of a line belongs to that line. */
static gsize
torn_part (const char *text, gsize size)
{
  const char *end = memchr (text, '\n', MIN (size, LINE));

  return end != NULL ? (gsize) (end + 1 - text) : 0;
}

/* The last of it to @to, which has room for the limit and a note.  Returns how much that is. */
static gsize
read_end (gintptr file, guint64 size, char *to)
{
  guint64 from = size > MPROC_CAPTURE_LIMIT ? size - MPROC_CAPTURE_LIMIT : 0;
  gsize n, torn, length;

  if (from == 0)
    return read_all (file, 0, to, (gsize) size);
  n = read_all (file, from, to + NOTE_SIZE, MPROC_CAPTURE_LIMIT);
  torn = torn_part (to + NOTE_SIZE, n);
  g_snprintf (to, NOTE_SIZE,
              "[the first %" G_GUINT64_FORMAT " bytes of the output are cut off]\n",
              from + torn);
  length = strlen (to);
  memmove (to + length, to + NOTE_SIZE + torn, n - torn);
  return length + n - torn;
}

static gsize
room_for (guint64 size)
{
  return (gsize) MIN (size, MPROC_CAPTURE_LIMIT) + NOTE_SIZE;
}

/* ------------------------------------------------------------------ the worker */

static void
tell_pool (MprocWorker *self)
{
  MprocPoolEvent event = { .kind = MPROC_EVENT_OUTPUT, .seat = self->seat_offset };
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  event.pid = mproc_os_pid ();
  mproc_store64 (&self->seat->output, 1 + (guint64) self->output);
  mproc_pool_event_post (self->events, &event);
  while (mproc_load32 (&self->seat->output_seen) == 0 &&
         g_get_monotonic_time () < deadline)
    mproc_word_wait (&self->seat->output_seen, 0, deadline);
}

static gboolean
have_file (MprocWorker *self, GError **error)
{
  if (self->has_output)
    return TRUE;
  self->output = mproc_os_file_new (error);
  if (self->output == MPROC_OS_NONE)
    return FALSE;
  self->has_output = TRUE;
  tell_pool (self);
  return TRUE;
}

gboolean
mproc_capture_begin (MprocWorker *self, MprocOsRedirection *before, GError **error)
{
  if (have_file (self, error))
    {
      /* A child of an earlier task may have written since. */
      mproc_os_file_empty (self->output);
      if (mproc_os_redirect_output (self->output, before, error))
        return TRUE;
    }
  g_prefix_error (error, "the task's output cannot be captured: ");
  return FALSE;
}

/* Without shared memory for it the output is lost, and the task is not. */
void
mproc_capture_end (MprocWorker *self, MprocOsRedirection *before, MprocOffset task)
{
  guint64 size;
  MprocOffset block;
  gsize length;
  gboolean guarded;

  mproc_os_restore_output (before);
  size = mproc_os_file_size (self->output);
  block = mproc_arena_alloc (room_for (size), NULL);
  if (block != 0)
    {
      guarded = mproc_intent_begin (block);
      length = read_end (self->output, size, mproc_arena_at (block, room_for (size)));
      if (guarded)
        mproc_intent_end (block);
      mproc_task_set_output (task, block, length);
    }
  mproc_os_file_empty (self->output);
}

void
mproc_capture_drop (MprocWorker *self)
{
  if (self->has_output)
    mproc_os_file_close (self->output);
  self->has_output = FALSE;
}

/* ------------------------------------------------------------------ the pool */

static Output *
find_output (MprocInsight *self, MprocOffset seat)
{
  for (guint i = 0; self->outputs != NULL && i < self->outputs->len; i++)
    if (g_array_index (self->outputs, Output, i).seat == seat)
      return &g_array_index (self->outputs, Output, i);
  return NULL;
}

/* The worker waits: whether or not there is anything to be had. */
void
mproc_capture_note (MprocInsight *self, const MprocPoolEvent *event)
{
  MprocSeat *seat = mproc_seat_at (event->seat);
  gintptr file = (gintptr) (mproc_load64 (&seat->output) - 1);
  Output output = { event->seat, mproc_os_file_borrow (event->pid, file, NULL) };

  if (self->outputs == NULL)
    self->outputs = g_array_new (FALSE, FALSE, sizeof (Output));
  if (output.file != MPROC_OS_NONE)
    g_array_append_val (self->outputs, output);
  mproc_store32 (&seat->output_seen, 1);
  mproc_word_wake (&seat->output_seen, 1);
}

GBytes *
mproc_capture_rescue (MprocInsight *self,
                      MprocOffset seat,
                      const MprocTaskOptions *options)
{
  Output *output = find_output (self, seat);
  guint64 size;
  char *text;

  if (output == NULL || options == NULL || !options->captures_output)
    return NULL;
  size = mproc_os_file_size (output->file);
  text = g_malloc (room_for (size));
  return g_bytes_new_take (text, read_end (output->file, size, text));
}

void
mproc_capture_forget (MprocInsight *self, MprocOffset seat)
{
  Output *output = find_output (self, seat);

  if (output == NULL)
    return;
  mproc_os_file_close (output->file);
  g_array_remove_index_fast (self->outputs,
                             (guint) (output -
                                      &g_array_index (self->outputs, Output, 0)));
}

void
mproc_capture_trim (MprocInsight *self)
{
  for (guint i = 0; i < self->outputs->len; i++)
    mproc_os_file_trim (g_array_index (self->outputs, Output, i).file,
                        2 * MPROC_CAPTURE_LIMIT);
}

void
mproc_capture_clear (MprocInsight *self)
{
  if (self->outputs == NULL)
    return;
  for (guint i = 0; i < self->outputs->len; i++)
    mproc_os_file_close (g_array_index (self->outputs, Output, i).file);
  g_array_unref (self->outputs);
  self->outputs = NULL;
}
