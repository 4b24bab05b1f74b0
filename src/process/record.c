/* SPDX-License-Identifier: MIT */
/* A record is one block: a head, then what has no fixed size, each part 8-aligned.  It
 * belongs to the starter, but from the moment that the child runs until it has
 * reported, the child may read it, and write its answer. */
#include "process/record.h"

#include "arena/word.h"

#include <string.h>

#define MAGIC G_GUINT64_CONSTANT (0x6d70726f63526563) /* "mprocRec" */

#define DOMAIN_SIZE 64
#define TEXT_SIZE 2048

typedef enum
{
  PART_NAME,
  PART_PATH,
  PART_PARENT_NAME,
  PART_AUTHKEY,
  PART_CONNECTIONS,
  PART_ARGS,
  N_PARTS
} Part;

typedef struct
{
  guint32 offset; /* from the record's start */
  guint32 size;
} Place;

enum
{
  FLAG_DAEMON = 1,
  FLAG_INTERNAL = 2,
  FLAG_QUIET = 4,
  FLAG_WATCHES_PARENT = 8
};

typedef struct
{
  guint64 magic;
  MprocAtomic32 status; /* MprocRecordStatus; the answer is written before it */
  guint32 size;
  guint32 member;
  guint32 flags;
  guint32 lifeline_kind;
  gint32 function;
  gint64 parent_pid;
  guint64 parent_start_time;
  guint64 parent_space;
  Place parts[N_PARTS];
  gint32 error_code;
  guint32 method;
  gint64 pid; /* of the child, once it runs */
  guint64 start_time;
  guint64 space;
  char error_domain[DOMAIN_SIZE];
  char error_text[TEXT_SIZE];
} Record;

static Record *
record_at (MprocOffset offset)
{
  Record *self = mproc_arena_at (offset, sizeof (Record));

  return mproc_arena_at (offset, self->size);
}

static gpointer
part_of (Record *self, Part part, guint *size)
{
  *size = self->parts[part].size;
  return (guint8 *) self + self->parts[part].offset;
}

/* ------------------------------------------------------------------ making it */

static gsize
lay_out (Record *head, const gsize sizes[N_PARTS])
{
  gsize end = sizeof (Record);

  for (guint i = 0; i < N_PARTS; i++)
    {
      end = (end + 7) / 8 * 8;
      head->parts[i].offset = (guint32) end;
      head->parts[i].size = (guint32) sizes[i];
      end += sizes[i];
    }
  head->size = (guint32) end;
  return end;
}

static void
fill_head (Record *head, const MprocRecordSource *source)
{
  const MprocProcess *process = source->process;

  head->magic = MAGIC;
  head->member = source->member;
  head->flags = (process->daemon ? FLAG_DAEMON : 0) |
                (process->internal ? FLAG_INTERNAL : 0) |
                (process->quiet ? FLAG_QUIET : 0) |
                (process->watches_parent ? FLAG_WATCHES_PARENT : 0);
  head->method = (guint32) process->method;
  head->lifeline_kind = source->lifeline_kind;
  head->function = source->function;
  head->parent_pid = source->parent_identity.pid;
  head->parent_start_time = source->parent_identity.start_time;
  head->parent_space = source->parent_identity.space;
}

MprocOffset
mproc_record_new (const MprocRecordSource *source,
                  const GArray *connections,
                  GError **error)
{
  const char *names[] = { source->process->name, source->process->path,
                          source->parent->name };
  gconstpointer key = g_bytes_get_data (source->process->authkey, NULL);
  gsize key_size = g_bytes_get_size (source->process->authkey);
  gsize sizes[N_PARTS] = { strlen (names[0]) + 1,
                           strlen (names[1]) + 1,
                           strlen (names[2]) + 1,
                           key_size,
                           connections->len * sizeof (MprocRecordConnection),
                           source->message->size };
  Record head = { 0 };
  MprocOffset offset;
  Record *self;
  guint size;

  if (key_size > G_MAXINT32 || source->message->size > G_MAXINT32)
    {
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_TOO_LARGE,
                           "arguments of a process must be under 2 GiB: use a queue");
      return 0;
    }
  offset = mproc_arena_alloc0 (lay_out (&head, sizes), error);
  if (offset == 0)
    return 0;
  fill_head (&head, source);
  self = mproc_arena_at (offset, head.size);
  *self = head;
  for (Part i = PART_NAME; i <= PART_PARENT_NAME; i++)
    memcpy (part_of (self, i, &size), names[i], sizes[i]);
  if (key_size > 0)
    memcpy (part_of (self, PART_AUTHKEY, &size), key, key_size);
  if (connections->len > 0)
    memcpy (part_of (self, PART_CONNECTIONS, &size), connections->data,
            sizes[PART_CONNECTIONS]);
  mproc_message_store (source->message, part_of (self, PART_ARGS, &size));
  return offset;
}

void
mproc_record_free (MprocOffset record)
{
  Record *self = record_at (record);
  guint size;
  gpointer args = part_of (self, PART_ARGS, &size);

  mproc_message_discard (args, size);
  self->magic = 0;
  mproc_arena_free (record);
}

/* ------------------------------------------------------------------ the answer */

MprocRecordStatus
mproc_record_get_status (MprocOffset record)
{
  return (MprocRecordStatus) mproc_load32 (&record_at (record)->status);
}

void
mproc_record_wait (MprocOffset record, gint64 deadline)
{
  mproc_word_wait (&record_at (record)->status, MPROC_RECORD_WAITING, deadline);
}

void
mproc_record_get_error (MprocOffset record, GError **error)
{
  Record *self = record_at (record);

  /* A child that was started is trusted, but it may have run wild. */
  self->error_domain[DOMAIN_SIZE - 1] = '\0';
  self->error_text[TEXT_SIZE - 1] = '\0';
  g_set_error_literal (error, g_quark_from_string (self->error_domain), self->error_code,
                       self->error_text);
}

void
mproc_record_get_identity (MprocOffset record, MprocOsIdentity *out)
{
  const Record *self = record_at (record);

  out->pid = self->pid;
  out->start_time = self->start_time;
  out->space = self->space;
}

static void
report (Record *self, MprocRecordStatus status)
{
  mproc_store32 (&self->status, status);
  MPROC_CRASH_POINT (BIRTH_REPORTED);
  mproc_word_wake (&self->status, 1);
}

void
mproc_record_report_running (MprocOffset record)
{
  Record *self = record_at (record);
  MprocOsIdentity who;

  mproc_member_get_identity (mproc_process_self (), &who);
  self->pid = who.pid;
  self->start_time = who.start_time;
  self->space = who.space;
  report (self, MPROC_RECORD_RUNNING);
}

/* Not in the middle of a character. */
static void
copy_text (char *to, gsize size, const char *text)
{
  const char *end;

  g_strlcpy (to, text, size);
  if (!g_utf8_validate (to, -1, &end) && strlen (text) >= size)
    to[end - to] = '\0';
}

void
mproc_record_report_error (MprocOffset record, const GError *error)
{
  Record *self = record_at (record);

  g_strlcpy (self->error_domain, g_quark_to_string (error->domain), DOMAIN_SIZE);
  self->error_code = error->code;
  copy_text (self->error_text, TEXT_SIZE, error->message);
  report (self, MPROC_RECORD_FAILED);
}

/* ------------------------------------------------------------------ in the child */

/* The mark came from outside: it may lead anywhere. */
gboolean
mproc_record_is_valid (MprocOffset record, MprocMember member)
{
  guint64 committed = mproc_arena_get_committed ();
  const Record *self;

  if (record == 0 || record % 16 != 0 || record >= committed ||
      committed - record < sizeof (Record))
    return FALSE;
  self = mproc_arena_at (record, sizeof (Record));
  return self->magic == MAGIC && self->member == member &&
         self->size >= sizeof (Record) && self->size <= committed - record &&
         mproc_load32 (&self->status) == MPROC_RECORD_WAITING;
}

void
mproc_record_load (MprocOffset record, MprocProcess **process, MprocProcess **parent)
{
  Record *self = record_at (record);
  guint size;
  gconstpointer key = part_of (self, PART_AUTHKEY, &size);

  *process = mproc_process_new_bare (MPROC_PROCESS_CHILD, NULL);
  (*process)->authkey = g_bytes_new (key, size);
  (*process)->name = g_strdup (part_of (self, PART_NAME, &size));
  (*process)->path = g_strdup (part_of (self, PART_PATH, &size));
  (*process)->daemon = (self->flags & FLAG_DAEMON) != 0;
  (*process)->internal = (self->flags & FLAG_INTERNAL) != 0;
  (*process)->quiet = (self->flags & FLAG_QUIET) != 0;
  (*process)->watches_parent = (self->flags & FLAG_WATCHES_PARENT) != 0;
  (*process)->method = (MprocStartMethod) self->method;
  (*process)->default_method = (*process)->method;
  (*process)->default_is_set = TRUE;

  *parent = mproc_process_new_bare (MPROC_PROCESS_PARENT,
                                    part_of (self, PART_PARENT_NAME, &size));
  (*parent)->pid = self->parent_pid;
  (*parent)->identity.pid = self->parent_pid;
  (*parent)->identity.start_time = self->parent_start_time;
  (*parent)->identity.space = self->parent_space;
}

guint32
mproc_record_get_lifeline_kind (MprocOffset record)
{
  return record_at (record)->lifeline_kind;
}

MprocHandle
mproc_record_get_function (MprocOffset record)
{
  return record_at (record)->function;
}

const MprocRecordConnection *
mproc_record_get_connections (MprocOffset record, guint *n)
{
  guint size;
  gpointer connections = part_of (record_at (record), PART_CONNECTIONS, &size);

  *n = size / (guint) sizeof (MprocRecordConnection);
  return connections;
}

GVariant *
mproc_record_get_args (MprocOffset record, GError **error)
{
  guint size;
  gpointer args = part_of (record_at (record), PART_ARGS, &size);

  return mproc_message_peek (args, size, error);
}
