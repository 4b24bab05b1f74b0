/* SPDX-License-Identifier: MIT */
/* An anonymous block lies in the arena, behind its body.  One with a name is the system's; its
 * body says which it is, and every process that is handed it opens it by its name. */
#include "shared/sharedmemory.h"

#include "family/classes.h"
#include "family/plain.h"
#include "os.h"

#include <string.h>

#define NAME_SIZE 256
#define LONGEST_NAME 250

/* How often a name is made up before it is given up: there are four thousand million. */
#define ATTEMPTS 100

/* Anonymous blocks start at such a multiple. */
#define ALIGNMENT 64

typedef struct
{
  guint64 size;
  guint64 identity[2];  /* of the block that the name meant when it was put here */
  char name[NAME_SIZE]; /* empty: what follows is the block, and there is no name */
} Body;

G_STATIC_ASSERT (sizeof (Body) == 280);
#define ANONYMOUS_BODY (G_STRUCT_OFFSET (Body, name) + 8)

struct MprocSharedMemory
{
  MprocObject object;
  guint8 *data;
  gsize size;
  char *name; /* NULL: anonymous */
  MprocOsShared shared;
};

#define IS_MEMORY(self) mproc_object_is (self, MPROC_KIND_MEMORY)

/* ------------------------------------------------------------------ the class */

static MprocSharedMemory *
object_new (void)
{
  MprocSharedMemory *self = g_new0 (MprocSharedMemory, 1);

  mproc_object_init (&self->object, MPROC_KIND_MEMORY);
  self->shared.handle = MPROC_OS_NONE;
  return self;
}

static void
close_object (MprocObject *object)
{
  MprocSharedMemory *self = (MprocSharedMemory *) object;

  if (self->name != NULL)
    mproc_os_shared_clear (self->name, &self->shared);
  g_free (self->name);
  g_free (self);
}

/* Under the local lock, where the guardian of names may not be asked: a fork locks that first. */
void
mproc_shared_memory_discard (MprocSharedMemory *self)
{
  mproc_os_shared_clear (NULL, &self->shared);
  g_free (self->name);
  g_free (self);
}

/* The system's block, which is open. */
static void
take_block (MprocSharedMemory *self, const char *name)
{
  self->name = g_strdup (name);
  self->data = self->shared.base;
  self->size = self->shared.size;
}

static gboolean
open_name (MprocSharedMemory *self, const char *name, GError **error)
{
  if (!mproc_os_shared_open (name, &self->shared, error))
    return FALSE;
  take_block (self, name);
  return TRUE;
}

/* The block that was handed over, not a later one of its name. */
static gboolean
open_same (MprocSharedMemory *self, const Body *body, GError **error)
{
  if (!open_name (self, body->name, error))
    return FALSE;
  if (memcmp (self->shared.identity, body->identity, sizeof body->identity) == 0 &&
      self->size >= body->size)
    {
      self->size = (gsize) body->size; /* without what the system rounds up */
      return TRUE;
    }
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_NOT_FOUND,
               "shared memory \"%s\": the name is that of another block by now",
               body->name);
  return FALSE;
}

static void
open_anonymous (MprocSharedMemory *self, MprocOffset offset, const Body *body)
{
  MprocOffset start = (offset + ANONYMOUS_BODY + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

  self->size = (gsize) body->size;
  self->data = mproc_arena_at (start, self->size);
}

/* Under the local lock. */
static MprocObject *
open_object (const MprocClass *class_, MprocOffset offset, GError **error)
{
  const Body *body = mproc_arena_at (offset, ANONYMOUS_BODY);
  MprocSharedMemory *self = object_new ();

  (void) class_;
  if (body->name[0] == '\0')
    open_anonymous (self, offset, body);
  else if (!open_same (self, mproc_arena_at (offset, sizeof (Body)), error))
    {
      mproc_shared_memory_discard (self);
      return NULL;
    }
  return &self->object;
}

const MprocClass *
mproc_shared_memory_get_class (void)
{
  static const MprocClass memory_class = {
    .name = "shared memory",
    .kind = MPROC_KIND_MEMORY,
    .open = open_object,
    .close = close_object,
    .destroy = mproc_arena_free,
  };

  return &memory_class;
}

MprocSharedMemory *
mproc_shared_memory_duplicate (MprocHandle handle, MprocOffset body, GError **error)
{
  MprocObject *object = open_object (mproc_shared_memory_get_class (), body, error);

  if (object != NULL)
    object->handle = handle;
  return (MprocSharedMemory *) object;
}

/* ------------------------------------------------------------------ making one */

static gboolean
check_size (gsize size, GError **error)
{
  if (size > 0)
    return TRUE;
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_INVALID,
                       "shared memory of no bytes at all cannot be made");
  return FALSE;
}

MprocSharedMemory *
mproc_shared_memory_new (gsize size, GError **error)
{
  MprocOffset offset;
  Body *body;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_size (size, error) || !mproc_plain_prepare (error))
    return NULL;
  offset =
      mproc_arena_alloc0 (size + MIN (ANONYMOUS_BODY + ALIGNMENT - 1, G_MAXSIZE - size),
                          error);
  if (offset == 0)
    return NULL;
  body = mproc_arena_at (offset, ANONYMOUS_BODY);
  body->size = size;
  return mproc_plain_new (mproc_shared_memory_get_class (), offset, error);
}

static const char *
find_fault (const char *name)
{
  if (name[0] == '\0')
    return "is empty";
  if (strlen (name) > LONGEST_NAME)
    return "is too long, 250 bytes are the limit";
  if (strchr (name, '/') != NULL)
    return "has a slash in it";
  if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0)
    return "is that of a folder";
  return g_utf8_validate (name, -1, NULL) ? NULL : "is not in UTF-8";
}

static gboolean
check_name (const char *name, GError **error)
{
  const char *fault = find_fault (name);
  char *text;

  if (fault == NULL)
    return TRUE;
  text = g_utf8_make_valid (name, -1);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "shared memory: the name \"%s\" %s", text, fault);
  g_free (text);
  return FALSE;
}

/* Gives @self, which has its block, an entry in the table, so that values can carry it. */
static gboolean
publish (MprocSharedMemory *self, GError **error)
{
  MprocOffset offset = mproc_arena_alloc0 (sizeof (Body), error);
  Body *body;

  if (offset == 0)
    return FALSE;
  body = mproc_arena_at (offset, sizeof (Body));
  body->size = self->size;
  memcpy (body->identity, self->shared.identity, sizeof body->identity);
  g_strlcpy (body->name, self->name, sizeof body->name);
  if (mproc_object_publish (&self->object, offset, error))
    return TRUE;
  mproc_arena_free (offset);
  return FALSE;
}

static gboolean
create (MprocSharedMemory *self, const char *name, gsize size, GError **error)
{
  if (!mproc_os_shared_create (name, size, &self->shared, error))
    return FALSE;
  take_block (self, name);
  return TRUE;
}

/* Eight letters, as Python does: more is too long for some systems. */
static gboolean
create_somewhere (MprocSharedMemory *self, gsize size, GError **error)
{
  GError *problem = NULL;

  for (guint i = 0; i < ATTEMPTS; i++)
    {
      guint32 number = 0;
      char name[32];

      mproc_os_random (&number, sizeof number);
      g_snprintf (name, sizeof name, "%s%08x", mproc_os_shared_prefix (), number);
      g_clear_error (&problem);
      if (create (self, name, size, &problem))
        return TRUE;
      if (!g_error_matches (problem, MPROC_ERROR, MPROC_ERROR_EXISTS))
        break;
    }
  g_propagate_error (error, problem);
  return FALSE;
}

/* Not published means not made: then there is no name either. */
static MprocSharedMemory *
finish (MprocSharedMemory *self, gboolean ok, gboolean is_new, GError **error)
{
  if (ok && publish (self, error))
    return self;
  if (ok && is_new)
    mproc_os_shared_unlink (self->name, &self->shared, NULL);
  close_object (&self->object);
  return NULL;
}

MprocSharedMemory *
mproc_shared_memory_create (const char *name, gsize size, GError **error)
{
  MprocSharedMemory *self;
  gboolean ok;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if ((name != NULL && !check_name (name, error)) || !check_size (size, error) ||
      !mproc_plain_prepare (error))
    return NULL;
  self = object_new ();
  ok = name != NULL ? create (self, name, size, error)
                    : create_somewhere (self, size, error);
  return finish (self, ok, TRUE, error);
}

static gboolean
check_large_enough (MprocSharedMemory *self, gsize min_size, GError **error)
{
  if (self->size >= min_size)
    return TRUE;
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_INVALID,
               "shared memory \"%s\": it has %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT
               " are wanted",
               self->name, self->size, min_size);
  return FALSE;
}

MprocSharedMemory *
mproc_shared_memory_open (const char *name, gsize min_size, GError **error)
{
  MprocSharedMemory *self;
  gboolean ok;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_name (name, error) || !mproc_plain_prepare (error))
    return NULL;
  self = object_new ();
  ok = open_name (self, name, error) && check_large_enough (self, min_size, error);
  return finish (self, ok, FALSE, error);
}

MprocSharedMemory *
mproc_shared_memory_ref (MprocSharedMemory *self)
{
  g_return_val_if_fail (IS_MEMORY (self), NULL);

  return (MprocSharedMemory *) mproc_object_ref (&self->object);
}

void
mproc_shared_memory_unref (MprocSharedMemory *self)
{
  g_return_if_fail (self == NULL || IS_MEMORY (self));

  if (self != NULL)
    mproc_object_unref (&self->object);
}

/* ------------------------------------------------------------------ using it */

const char *
mproc_shared_memory_get_name (MprocSharedMemory *self)
{
  g_return_val_if_fail (IS_MEMORY (self), NULL);

  return self->name;
}

gsize
mproc_shared_memory_get_size (MprocSharedMemory *self)
{
  g_return_val_if_fail (IS_MEMORY (self), 0);

  return self->size;
}

gpointer
mproc_shared_memory_get_data (MprocSharedMemory *self, gsize *size)
{
  g_return_val_if_fail (IS_MEMORY (self), NULL);

  if (size != NULL)
    *size = self->size;
  return self->data;
}

gboolean
mproc_shared_memory_unlink (MprocSharedMemory *self, GError **error)
{
  g_return_val_if_fail (IS_MEMORY (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->name != NULL)
    return mproc_os_shared_unlink (self->name, &self->shared, error);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_STATE,
                       "an anonymous block of shared memory has no name to take away");
  return FALSE;
}
