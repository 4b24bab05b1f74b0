/* SPDX-License-Identifier: MIT */
/* Where addresses belong, and how to find their like in another process. */
#include "module.h"

#include <dlfcn.h>
#include <string.h>

static gboolean
covers (const MprocPosixModule *module, guintptr address, gboolean only_code)
{
  MprocPosixSegment segment;
  guint at = 0;

  while (mproc_posix_module_next_segment (module, &at, &segment))
    if (address >= segment.start && address - segment.start < segment.size &&
        (segment.is_code || !only_code))
      return TRUE;
  return FALSE;
}

/* Tells modules without a build id apart by what they are. */
static guint
hash_constants (const MprocPosixModule *module, guint8 *out)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = MPROC_OS_IDENTITY_SIZE;
  MprocPosixSegment segment;
  guint at = 0;

  while (mproc_posix_module_next_segment (module, &at, &segment))
    if (segment.is_constant)
      g_checksum_update (checksum, (const guchar *) segment.start, (gssize) segment.size);
  g_checksum_get_digest (checksum, out, &length);
  g_checksum_free (checksum);
  return (guint) length;
}

static guint
identify (const MprocPosixModule *module, guint8 *out)
{
  guint length;

  memset (out, 0, MPROC_OS_IDENTITY_SIZE);
  length = mproc_posix_module_copy_build_id (module, out);
  return length > 0 ? length : hash_constants (module, out);
}

/* ---------------------------------------------------------------- searches */

typedef struct Search Search;

struct Search
{
  gboolean (*matches) (const MprocPosixModule *module, const Search *search);
  guintptr base, address;
  const guint8 *identity;
  guint identity_size;
  const char *name;
  MprocOsImage *out; /* NULL: not asked for */
  gboolean found;
};

static int
visit (const MprocPosixModule *module, gpointer data)
{
  Search *search = data;

  search->found = search->matches (module, search);
  if (search->found && search->out != NULL)
    {
      search->out->base = module->base;
      search->out->identity_size = identify (module, search->out->identity);
      search->out->path = mproc_posix_module_get_path (module);
    }
  return search->found;
}

static gboolean
find (Search search)
{
  mproc_posix_visit_modules (visit, &search);
  return search.found;
}

static gboolean
holds_address (const MprocPosixModule *module, const Search *search)
{
  return covers (module, search->address, FALSE);
}

gboolean
mproc_os_image_at (gconstpointer address, MprocOsImage *out)
{
  Search search = { .matches = holds_address, .address = (guintptr) address, .out = out };

  return find (search);
}

static gboolean
has_identity (const MprocPosixModule *module, const Search *search)
{
  guint8 identity[MPROC_OS_IDENTITY_SIZE];

  return identify (module, identity) == search->identity_size &&
         memcmp (identity, search->identity, search->identity_size) == 0;
}

gboolean
mproc_os_image_find (const guint8 *identity, guint size, MprocOsImage *out)
{
  Search search = {
    .matches = has_identity, .identity = identity, .identity_size = size, .out = out
  };

  return size > 0 && find (search);
}

static const char *
last_part (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash == NULL ? path : slash + 1;
}

static gboolean
has_name (const MprocPosixModule *module, const Search *search)
{
  char *path = mproc_posix_module_get_path (module);
  gboolean same = path != NULL && strcmp (last_part (path), search->name) == 0;

  g_free (path);
  return same;
}

gboolean
mproc_os_image_named (const char *path, MprocOsImage *out)
{
  Search search = { .matches = has_name, .name = last_part (path), .out = out };

  return find (search);
}

/* Several may have the same base: those that were linked to fixed places have 0. */
static gboolean
has_code_at (const MprocPosixModule *module, const Search *search)
{
  return module->base == search->base && covers (module, search->address, TRUE);
}

gboolean
mproc_os_image_is_code (guintptr base, guint64 offset)
{
  Search search = { .matches = has_code_at,
                    .base = base,
                    .address = base + (guintptr) offset };

  return offset <= G_MAXSIZE - base && find (search);
}

void
mproc_os_image_clear (MprocOsImage *image)
{
  g_free (image->path);
  memset (image, 0, sizeof *image);
}

/* ---------------------------------------------------------------- loading */

gboolean
mproc_os_image_load (const char *path, GError **error)
{
  const char *why;

  if (dlopen (path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) != NULL)
    return TRUE;
  why = dlerror ();
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_SYSTEM, "%s: %s", path,
               why != NULL ? why : "dlopen");
  return FALSE;
}

/* The program itself, a static one above all, needs no pin, and its name finds nothing. */
void
mproc_os_pin_library (gconstpointer address)
{
  Dl_info about;

  if (dladdr (address, &about) != 0 && about.dli_fname != NULL)
    (void) dlopen (about.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
