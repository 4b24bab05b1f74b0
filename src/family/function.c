/* SPDX-License-Identifier: MIT */
/* Tickets are found in the arena once for each process; after that, in two tables of
 * this process.  Those only grow, so that they are read without a lock: a list for each
 * bucket, new entries go to its head. */
#include "family/function.h"

#include "os.h"

#include <string.h>

#define N_BUCKETS 64

/* What lies in the arena. */
typedef struct
{
  guint64 offset; /* from the image's start */
  guint32 identity_size;
  guint32 path_size; /* with its end */
  guint8 identity[MPROC_OS_IDENTITY_SIZE];
  char path[]; /* of the image, for loading it and for messages */
} Ticket;

typedef struct Known Known;

struct Known
{
  Known *next;
  MprocFunc func;
  MprocHandle ticket;
  char *name; /* for messages; NULL: nobody has asked yet */
};

static Known *by_func[N_BUCKETS];
static Known *by_ticket[N_BUCKETS];

/* ------------------------------------------------------------------ the tables */

static guint
bucket_of_func (MprocFunc func)
{
  guintptr address = (guintptr) func;

  return (guint) (address >> 4 ^ address >> 10) % N_BUCKETS;
}

static guint
bucket_of_ticket (MprocHandle ticket)
{
  return ((guint) ticket ^ (guint) ticket >> 14) % N_BUCKETS;
}

/* Two threads may enter the same function: the older entry is found no more, and does
 * no harm. */
static void
enter (Known **bucket, MprocFunc func, MprocHandle ticket)
{
  Known *fresh = g_new (Known, 1);

  fresh->func = func;
  fresh->ticket = ticket;
  fresh->name = NULL;
  do
    fresh->next = g_atomic_pointer_get (bucket);
  while (!g_atomic_pointer_compare_and_exchange (bucket, fresh->next, fresh));
}

/* ------------------------------------------------------------------ tickets */

static gboolean
is_ticket_for (MprocOffset body, gpointer wanted)
{
  const Ticket *ticket = mproc_arena_at (body, sizeof (Ticket));
  const Ticket *other = wanted;

  return ticket->offset == other->offset &&
         ticket->identity_size == other->identity_size &&
         memcmp (ticket->identity, other->identity, sizeof ticket->identity) == 0;
}

static MprocHandle
make_ticket (const Ticket *contents, const char *path, GError **error)
{
  MprocOffset body = mproc_arena_alloc (sizeof (Ticket) + contents->path_size, error);
  MprocHandle handle;
  Ticket *ticket;

  if (body == 0)
    return 0;
  ticket = mproc_arena_at (body, sizeof (Ticket) + contents->path_size);
  *ticket = *contents;
  memcpy (ticket->path, path, contents->path_size);
  MPROC_CRASH_POINT (TICKET_FILLED);
  handle = mproc_handle_new_permanent (MPROC_KIND_FUNCTION, body, error);
  if (handle == 0)
    mproc_arena_free (body);
  return handle;
}

static MprocHandle
find_ticket (MprocFunc func, GError **error)
{
  gconstpointer address = (gconstpointer) (guintptr) func;
  MprocOsImage image;
  Ticket contents = { 0 };
  MprocHandle handle;

  if (!mproc_os_image_at (address, &image))
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_FUNCTION,
                   "%p lies in no loaded program or library", address);
      return 0;
    }
  contents.offset = (guintptr) func - image.base;
  contents.identity_size = image.identity_size;
  contents.path_size = (guint32) strlen (image.path) + 1;
  memcpy (contents.identity, image.identity, sizeof contents.identity);
  if (!mproc_os_image_is_code (image.base, contents.offset))
    {
      g_set_error (error, MPROC_ERROR, MPROC_ERROR_FUNCTION, "%p in %s is no function",
                   address, image.path);
      handle = 0;
    }
  else
    {
      handle = mproc_handle_find (MPROC_KIND_FUNCTION, is_ticket_for, &contents);
      if (handle == 0)
        handle = make_ticket (&contents, image.path, error);
    }
  mproc_os_image_clear (&image);
  return handle;
}

MprocHandle
mproc_function_get_ticket (MprocFunc func, GError **error)
{
  Known **bucket = &by_func[bucket_of_func (func)];
  MprocHandle ticket;

  for (Known *known = g_atomic_pointer_get (bucket); known != NULL; known = known->next)
    if (known->func == func)
      return known->ticket;

  if (!mproc_family_ensure (error))
    return 0;
  ticket = find_ticket (func, error);
  if (ticket == 0)
    return 0;
  /* The address means this function as long as its library stays where it is. */
  mproc_os_pin_library ((gconstpointer) (guintptr) func);
  enter (bucket, func, ticket);
  return ticket;
}

/* ------------------------------------------------------------------ functions */

static void
append_identity (GString *text, const guint8 *identity, guint size)
{
  for (guint i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", identity[i]);
}

static void
refuse_build (const Ticket *ticket, const MprocOsImage *here, GError **error)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, "a function of %s, build ", ticket->path);
  append_identity (text, ticket->identity, ticket->identity_size);
  g_string_append_printf (text, ", cannot be run by this process: its %s is build ",
                          here->path);
  append_identity (text, here->identity, here->identity_size);
  g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_FUNCTION, text->str);
  g_string_free (text, TRUE);
}

/* The image is not loaded under its identity: perhaps another build of it is, or it is
 * a library that this process has had no use for so far. */
static gboolean
load_image (const Ticket *ticket, MprocOsImage *image, GError **error)
{
  GError *reason = NULL;

  if (!mproc_os_image_named (ticket->path, image))
    {
      if (!mproc_os_image_load (ticket->path, &reason))
        {
          g_set_error (
              error, MPROC_ERROR, MPROC_ERROR_FUNCTION,
              "a function of %s cannot be run by this process, which cannot load it: %s",
              ticket->path, reason->message);
          g_error_free (reason);
          return FALSE;
        }
      if (mproc_os_image_find (ticket->identity, ticket->identity_size, image))
        return TRUE;
      if (!mproc_os_image_named (ticket->path, image))
        {
          g_set_error (error, MPROC_ERROR, MPROC_ERROR_FUNCTION,
                       "%s was loaded, but cannot be found in this process",
                       ticket->path);
          return FALSE;
        }
    }
  refuse_build (ticket, image, error);
  mproc_os_image_clear (image);
  return FALSE;
}

static MprocFunc
find_function (const Ticket *ticket, GError **error)
{
  MprocOsImage image;
  MprocFunc func = NULL;

  if (!mproc_os_image_find (ticket->identity, ticket->identity_size, &image) &&
      !load_image (ticket, &image, error))
    return NULL;
  if (mproc_os_image_is_code (image.base, ticket->offset))
    func = (MprocFunc) (image.base + (guintptr) ticket->offset);
  else
    g_set_error (error, MPROC_ERROR, MPROC_ERROR_FUNCTION,
                 "offset %" G_GINT64_MODIFIER "x of %s is no function", ticket->offset,
                 image.path);
  mproc_os_image_clear (&image);
  return func;
}

MprocFunc
mproc_function_resolve (MprocHandle handle, GError **error)
{
  Known **bucket = &by_ticket[bucket_of_ticket (handle)];
  MprocOffset body;
  const Ticket *ticket;
  MprocFunc func;

  for (Known *known = g_atomic_pointer_get (bucket); known != NULL; known = known->next)
    if (known->ticket == handle)
      return known->func;

  if (!mproc_family_ensure (error))
    return NULL;
  body = mproc_handle_get_body (handle, MPROC_KIND_FUNCTION, error);
  if (body == 0)
    return NULL;
  ticket = mproc_arena_at (body, sizeof (Ticket));
  ticket = mproc_arena_at (body, sizeof (Ticket) + ticket->path_size);
  func = find_function (ticket, error);
  if (func != NULL)
    enter (bucket, func, handle);
  return func;
}

static char *
describe_place (MprocHandle handle)
{
  MprocOffset body = mproc_handle_get_body (handle, MPROC_KIND_FUNCTION, NULL);
  const Ticket *ticket;
  char *module;
  char *text;

  if (body == 0)
    return g_strdup ("an unknown function");
  ticket = mproc_arena_at (body, sizeof (Ticket));
  ticket = mproc_arena_at (body, sizeof (Ticket) + ticket->path_size);
  module = g_path_get_basename (ticket->path);
  text =
      g_strdup_printf ("%s+0x%" G_GINT64_MODIFIER "x", module, (guint64) ticket->offset);
  g_free (module);
  return text;
}

/* To look it up takes a walk through the program's file. */
static const char *
learn_name (Known *known)
{
  char *name = mproc_os_symbol_at ((gconstpointer) (guintptr) known->func);

  if (name == NULL)
    name = describe_place (known->ticket);
  if (!g_atomic_pointer_compare_and_exchange (&known->name, NULL, name))
    g_free (name);
  return g_atomic_pointer_get (&known->name);
}

char *
mproc_function_describe (MprocHandle handle)
{
  Known *known = NULL;
  const char *name;

  if (mproc_function_resolve (handle, NULL) != NULL)
    known = g_atomic_pointer_get (&by_ticket[bucket_of_ticket (handle)]);
  while (known != NULL && known->ticket != handle)
    known = known->next;
  if (known == NULL)
    return describe_place (handle);
  name = g_atomic_pointer_get (&known->name);
  return g_strdup (name != NULL ? name : learn_name (known));
}

gboolean
mproc_function_call (MprocFunc func, GVariant *args, GError **error)
{
  GError *failure = NULL;
  GVariant *value = func != NULL ? func (args, &failure) : NULL;

  if (value != NULL)
    g_variant_unref (g_variant_take_ref (value));
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}
