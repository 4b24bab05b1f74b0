/* SPDX-License-Identifier: MIT */
#include "insight/trace.h"

#include "os.h"

#include <stdio.h>
#include <string.h>

/* So much is written at a time, or what has come in so long. */
#define ENOUGH (48 * 1024)
#define INTERVAL (G_USEC_PER_SEC / 2)

/* A worker. */
typedef struct
{
  MprocMember member;
  gint64 tid;
  gboolean is_told; /* who it is; a task of it may have come first */
  gboolean ended;
} Lane;

struct MprocTrace
{
  GMutex mutex; /* tasks may also be settled by those who cancel them */
  gintptr file; /* MPROC_OS_NONE: it could not be written any more */
  gint64 pid;
  char *worker_name;
  GString *text; /* whole lines, not written yet */
  gint64 last_write;
  GHashTable *lanes; /* member -> Lane */
  GHashTable *names; /* function -> name */
  guint n_waiting, n_running;
};

static void
append_text (GString *to, const char *text)
{
  for (; *text != '\0'; text++)
    if (*text == '"' || *text == '\\')
      g_string_append_printf (to, "\\%c", *text);
    else if ((guchar) *text < 0x20)
      g_string_append_printf (to, "\\u%04x", (guchar) *text);
    else
      g_string_append_c (to, *text);
}

static void
begin_event (MprocTrace *self, const char *phase, gint64 tid, const char *name)
{
  g_string_append (self->text, "{\"name\":\"");
  append_text (self->text, name);
  g_string_append_printf (self->text,
                          "\",\"ph\":\"%s\",\"pid\":%" G_GINT64_FORMAT
                          ",\"tid\":%" G_GINT64_FORMAT,
                          phase, self->pid, tid);
}

static void
append_time (MprocTrace *self, const char *key, gint64 time)
{
  g_string_append_printf (self->text, ",\"%s\":%" G_GINT64_FORMAT, key, time);
}

static void
end_event (MprocTrace *self)
{
  g_string_append (self->text, "},\n");
}

/* ------------------------------------------------------------------ the file */

/* Not by g_printerr (), which ends a program on Windows that has no console. */
static void
complain (const char *how_much, const char *why)
{
  char *line = g_strdup_printf ("mproc: %s is written to " MPROC_TRACE_VARIABLE ": %s\n",
                                how_much, why);

  fputs (line, stderr);
  g_free (line);
}

/* A disk that is full leaves a torn line, behind which nothing is to be read: nothing more is
 * written. */
static void
write_out (MprocTrace *self)
{
  if (self->file != MPROC_OS_NONE && self->text->len > 0 &&
      !mproc_os_append (self->file, self->text->str, self->text->len))
    {
      mproc_os_file_close (self->file);
      self->file = MPROC_OS_NONE;
      complain ("nothing more", "the file takes no more, is the disk full?");
    }
  g_string_set_size (self->text, 0);
  self->last_write = g_get_monotonic_time ();
}

static void
name_process (MprocTrace *self, const char *program)
{
  begin_event (self, "M", 0, "process_name");
  g_string_append (self->text, ",\"args\":{\"name\":\"");
  append_text (self->text, program);
  g_string_append (self->text, "\"}");
  end_event (self);
}

static gintptr
open_file (void)
{
  const char *path = g_getenv (MPROC_TRACE_VARIABLE);
  GError *error = NULL;
  gintptr file;

  if (path == NULL || *path == '\0' || mproc_os_is_elevated ())
    return MPROC_OS_NONE;
  file = mproc_os_append_open (path, "[\n", &error);
  if (file != MPROC_OS_NONE)
    return file;
  complain ("nothing", error->message);
  g_error_free (error);
  return MPROC_OS_NONE;
}

MprocTrace *
mproc_trace_new (const char *name)
{
  gintptr file = open_file ();
  MprocTrace *self;

  if (file == MPROC_OS_NONE)
    return NULL;
  self = g_new0 (MprocTrace, 1);
  g_mutex_init (&self->mutex);
  self->file = file;
  self->pid = mproc_os_pid ();
  self->worker_name = g_strdup (name);
  self->text = g_string_new (NULL);
  self->lanes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (g_get_prgname () != NULL && g_utf8_validate (g_get_prgname (), -1, NULL))
    name_process (self, g_get_prgname ());
  return self;
}

void
mproc_trace_flush (MprocTrace *self, gboolean now)
{
  g_mutex_lock (&self->mutex);
  if (now || self->text->len >= ENOUGH ||
      g_get_monotonic_time () - self->last_write >= INTERVAL)
    write_out (self);
  g_mutex_unlock (&self->mutex);
}

/* ------------------------------------------------------------------ workers */

/* Threads share a pid. */
static Lane *
new_lane (MprocTrace *self, MprocMember member)
{
  Lane *lane = g_new0 (Lane, 1);
  MprocOsIdentity who;

  mproc_member_get_identity (member, &who);
  lane->member = member;
  lane->tid = who.pid != self->pid && who.pid > 0 ? who.pid : (gint64) member;
  g_hash_table_insert (self->lanes, GUINT_TO_POINTER (member), lane);
  return lane;
}

static Lane *
find_lane (MprocTrace *self, MprocMember member)
{
  Lane *lane = g_hash_table_lookup (self->lanes, GUINT_TO_POINTER (member));

  return lane != NULL ? lane : new_lane (self, member);
}

static void
tell_worker (MprocTrace *self, Lane *lane, const MprocSeat *seat)
{
  char *name = g_strdup_printf ("%s-%u", self->worker_name, seat->number);

  begin_event (self, "M", lane->tid, "thread_name");
  g_string_append (self->text, ",\"args\":{\"name\":\"");
  append_text (self->text, name);
  g_string_append (self->text, "\"}");
  end_event (self);
  begin_event (self, "B", lane->tid, name);
  append_time (self, "ts", (gint64) mproc_load64 (&seat->born));
  g_string_append_printf (self->text, ",\"cat\":\"worker\",\"args\":{\"number\":%u}",
                          seat->number);
  end_event (self);
  lane->is_told = TRUE;
  g_free (name);
}

void
mproc_trace_worker (MprocTrace *self, const MprocSeat *seat)
{
  MprocMember member = mproc_load32 (&seat->member);
  Lane *lane;

  if (member == 0)
    return;
  g_mutex_lock (&self->mutex);
  lane = find_lane (self, member);
  if (!lane->is_told)
    tell_worker (self, lane, seat);
  g_mutex_unlock (&self->mutex);
}

static void
tell_end (MprocTrace *self, Lane *lane, const char *how)
{
  gint64 now = g_get_monotonic_time ();

  if (how != NULL)
    {
      begin_event (self, "i", lane->tid, how);
      append_time (self, "ts", now);
      g_string_append (self->text, ",\"s\":\"t\",\"cat\":\"death\"");
      end_event (self);
    }
  begin_event (self, "E", lane->tid, "");
  append_time (self, "ts", now);
  end_event (self);
  lane->ended = TRUE;
}

void
mproc_trace_worker_end (MprocTrace *self, MprocMember member, const char *how)
{
  Lane *lane;

  g_mutex_lock (&self->mutex);
  lane = g_hash_table_lookup (self->lanes, GUINT_TO_POINTER (member));
  if (lane != NULL && !lane->ended)
    tell_end (self, lane, how);
  g_mutex_unlock (&self->mutex);
}

static void
end_all (MprocTrace *self)
{
  GHashTableIter iter;
  gpointer lane;

  g_hash_table_iter_init (&iter, self->lanes);
  while (g_hash_table_iter_next (&iter, NULL, &lane))
    if (!((Lane *) lane)->ended)
      tell_end (self, lane, NULL);
}

void
mproc_trace_free (MprocTrace *self)
{
  if (self == NULL)
    return;
  end_all (self);
  write_out (self);
  if (self->file != MPROC_OS_NONE)
    mproc_os_file_close (self->file);
  g_hash_table_unref (self->lanes);
  g_hash_table_unref (self->names);
  g_string_free (self->text, TRUE);
  g_free (self->worker_name);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* ------------------------------------------------------------------ tasks */

/* The program's file name, made UTF-8. */
static char *
name_module (const char *path)
{
  char *base = g_path_get_basename (path);
  char *name = g_filename_display_name (base);

  g_free (base);
  return name;
}

/* A program that does not say what it is called is called as the first module that a task is of. */
static char *
make_name (MprocTrace *self, MprocFunc func)
{
  gconstpointer address = (gconstpointer) (guintptr) func;
  char *name = mproc_os_symbol_at (address);
  MprocOsImage image;
  char *module;

  if (!mproc_os_image_at (address, &image))
    return name != NULL ? name : g_strdup_printf ("%p", address);
  module = name_module (image.path);
  if (name == NULL)
    name = g_strdup_printf ("%s+0x%" G_GINT64_MODIFIER "x", module,
                            (guint64) ((guintptr) func - image.base));
  if (g_hash_table_size (self->names) == 0 && g_get_prgname () == NULL)
    name_process (self, module);
  g_free (module);
  mproc_os_image_clear (&image);
  return name;
}

const char *
mproc_trace_name_function (MprocTrace *self, MprocFunc func)
{
  gpointer key = (gpointer) (guintptr) func;
  char *name;

  g_mutex_lock (&self->mutex);
  name = g_hash_table_lookup (self->names, key);
  if (name == NULL)
    {
      name = make_name (self, func);
      g_hash_table_insert (self->names, key, name);
    }
  g_mutex_unlock (&self->mutex);
  return name;
}

static void
append_args (GString *text, const MprocTraceTask *task)
{
  g_string_append_printf (text,
                          ",\"cat\":\"task\",\"args\":{\"task\":%u,\"attempt\":%u,"
                          "\"outcome\":\"%s\"",
                          task->serial, task->attempt, task->outcome);
  if (task->item != 0)
    g_string_append_printf (text, ",\"item\":%u", task->item);
  if (task->n_items > 1)
    g_string_append_printf (text, ",\"items\":%u", task->n_items);
  if (task->handed != 0)
    g_string_append_printf (text, ",\"waited\":%" G_GINT64_FORMAT,
                            MAX (0, task->started - task->handed));
  g_string_append_c (text, '}');
}

void
mproc_trace_task (MprocTrace *self, const MprocTraceTask *task)
{
  gint64 ended = task->ended != 0 ? task->ended : g_get_monotonic_time ();

  g_mutex_lock (&self->mutex);
  begin_event (self, "X", find_lane (self, task->member)->tid, task->name);
  append_time (self, "ts", task->started);
  append_time (self, "dur", MAX (0, ended - task->started));
  append_args (self->text, task);
  end_event (self);
  if (self->text->len >= ENOUGH)
    write_out (self);
  g_mutex_unlock (&self->mutex);
}

void
mproc_trace_count (MprocTrace *self, guint n_waiting, guint n_running)
{
  if (n_waiting == self->n_waiting && n_running == self->n_running)
    return;
  g_mutex_lock (&self->mutex);
  self->n_waiting = n_waiting;
  self->n_running = n_running;
  begin_event (self, "C", 0, "tasks");
  append_time (self, "ts", g_get_monotonic_time ());
  g_string_append_printf (self->text, ",\"args\":{\"waiting\":%u,\"running\":%u}",
                          n_waiting, n_running);
  end_event (self);
  g_mutex_unlock (&self->mutex);
}

const char *
mproc_trace_outcome (const GError *error)
{
  if (error == NULL)
    return "done";
  if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_WORKER_DIED))
    return "died";
  if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_TIMED_OUT))
    return "timed out";
  if (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_CANCELLED))
    return "cancelled";
  return "failed";
}
