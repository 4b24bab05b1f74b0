/* SPDX-License-Identifier: MIT */
/* What is loaded, as the loader sees it.  Files are never asked: the one of that name
 * may be newer than what runs. */
#include "posix.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <mach-o/dyld.h>
#include <mach-o/loader.h>
#else
#include <elf.h>
#include <link.h>
#endif

#if defined(__linux__)
#include <sys/auxv.h>
#endif

/* A loaded module, as long as the loader's lock is held or nobody unloads it. */
typedef struct
{
  guintptr base;
  const char *name;
  gboolean is_program;
  const void *headers; /* of its segments */
  guint n_headers;
} Module;

/* One piece of a module in memory. */
typedef struct
{
  guintptr start;
  gsize size;
  gboolean is_code;
  gboolean is_constant; /* readable, not writable: the same in every process */
} Segment;

/* Not 0: enough seen. */
typedef int (*VisitFunc) (const Module *module, gpointer data);

/* ---------------------------------------------------------------- the loader's view */

#if defined(__APPLE__)

/* Goes to the next segment.  FALSE after the last. */
static gboolean
next_segment (const Module *module, guint *at, Segment *segment)
{
  const struct mach_header_64 *header = module->headers;
  const char *command = (const char *) (header + 1);
  guintptr slide = 0;
  guint i;

  for (i = 0; i < module->n_headers; i++)
    {
      const struct segment_command_64 *found = (const void *) command;

      if (found->cmd == LC_SEGMENT_64 && strcmp (found->segname, SEG_TEXT) == 0)
        slide = module->base - found->vmaddr;
      if (found->cmd == LC_SEGMENT_64 && i >= *at)
        {
          *at = i + 1;
          segment->start = slide + found->vmaddr;
          segment->size = found->vmsize;
          segment->is_code = (found->initprot & VM_PROT_EXECUTE) != 0;
          segment->is_constant =
              (found->initprot & (VM_PROT_READ | VM_PROT_WRITE)) == VM_PROT_READ;
          return TRUE;
        }
      command += found->cmdsize;
    }
  return FALSE;
}

/* Copies the linker's id of the module, LC_UUID.  0 if it has none. */
static guint
copy_build_id (const Module *module, guint8 *out)
{
  const struct mach_header_64 *header = module->headers;
  const char *command = (const char *) (header + 1);
  guint i;

  for (i = 0; i < module->n_headers; i++)
    {
      const struct uuid_command *found = (const void *) command;

      if (found->cmd == LC_UUID)
        {
          memcpy (out, found->uuid, sizeof found->uuid);
          return sizeof found->uuid;
        }
      command += found->cmdsize;
    }
  return 0;
}

static void
visit_modules (VisitFunc visit, gpointer data)
{
  uint32_t i;

  for (i = 0; i < _dyld_image_count (); i++)
    {
      const struct mach_header_64 *header = (const void *) _dyld_get_image_header (i);
      Module module = { (guintptr) header, _dyld_get_image_name (i), i == 0, header,
                        header == NULL ? 0 : header->ncmds };

      if (header != NULL && header->magic == MH_MAGIC_64 && visit (&module, data))
        return;
    }
}

static char *
program_path (void)
{
  char path[PATH_MAX];
  uint32_t size = sizeof path;

  return _NSGetExecutablePath (path, &size) == 0 ? g_strdup (path) : NULL;
}

#else

static gboolean
next_segment (const Module *module, guint *at, Segment *segment)
{
  const ElfW (Phdr) *headers = module->headers;

  while (*at < module->n_headers)
    {
      const ElfW (Phdr) *header = &headers[(*at)++];

      if (header->p_type != PT_LOAD)
        continue;
      segment->start = module->base + header->p_vaddr;
      segment->size = header->p_memsz;
      segment->is_code = (header->p_flags & PF_X) != 0;
      segment->is_constant = (header->p_flags & (PF_R | PF_W)) == PF_R;
      return TRUE;
    }
  return FALSE;
}

/* Notes may be there for the linker only, outside of what is loaded. */
static gboolean
is_loaded (const Module *module, guintptr start, gsize size)
{
  Segment segment;
  guint at = 0;

  while (next_segment (module, &at, &segment))
    if (start >= segment.start && size <= segment.size &&
        start - segment.start <= segment.size - size)
      return TRUE;
  return FALSE;
}

/* Looks for the build id among the notes of one segment. */
static guint
find_build_id (const guint8 *notes, gsize size, gsize alignment, guint8 *out)
{
  gsize at = 0;

  while (size - at >= sizeof (ElfW (Nhdr)))
    {
      const ElfW (Nhdr) *note = (const void *) (notes + at);
      guint64 name = at + sizeof *note;
      guint64 id = name + note->n_namesz;
      guint64 end;

      id = (id + alignment - 1) & ~(guint64) (alignment - 1);
      end = id + note->n_descsz;
      if (end > size)
        return 0;
      if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof ELF_NOTE_GNU &&
          memcmp (notes + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0)
        {
          guint length = MIN (note->n_descsz, MPROC_OS_IDENTITY_SIZE);

          memcpy (out, notes + id, length);
          return length;
        }
      at = MIN ((end + alignment - 1) & ~(guint64) (alignment - 1), size);
    }
  return 0;
}

static guint
copy_build_id (const Module *module, guint8 *out)
{
  const ElfW (Phdr) *headers = module->headers;
  guint i, length = 0;

  for (i = 0; i < module->n_headers && length == 0; i++)
    {
      guintptr start = module->base + headers[i].p_vaddr;

      if (headers[i].p_type == PT_NOTE && is_loaded (module, start, headers[i].p_memsz))
        length = find_build_id ((const guint8 *) start, headers[i].p_memsz,
                                headers[i].p_align == 8 ? 8 : 4, out);
    }
  return length;
}

typedef struct
{
  VisitFunc visit;
  gpointer data;
  guint count;
} Walk;

static int
visit_one (struct dl_phdr_info *info, size_t size, void *data)
{
  Walk *walk = data;
  Module module = { info->dlpi_addr, info->dlpi_name, walk->count++ == 0, info->dlpi_phdr,
                    info->dlpi_phnum };

  (void) size;
#if defined(__linux__)
  /* The kernel's own page differs from boot to boot and cannot be loaded. */
  {
    guintptr kernel = getauxval (AT_SYSINFO_EHDR);

    if (kernel != 0 && is_loaded (&module, kernel, 1))
      return 0;
  }
#endif
  return walk->visit (&module, walk->data);
}

/* The program itself is the first. */
static void
visit_modules (VisitFunc visit, gpointer data)
{
  Walk walk = { visit, data, 0 };

  dl_iterate_phdr (visit_one, &walk);
}

/* In a buffer no longer than it need be: the pages of a stack that a forked child writes to are its own
 * ever after.  NULL: there is none. */
static char *
read_program_link (void)
{
  for (gsize size = 256;; size *= 2)
    {
      char *path = g_malloc (size);
      gssize length = readlink ("/proc/self/exe", path, size);

      if (length >= 0 && (gsize) length < size)
        {
          path[length] = '\0';
          return path;
        }
      g_free (path);
      if (length < 0)
        return NULL;
    }
}

static char *
program_path (void)
{
  static const char gone[] = " (deleted)";
  char *path = read_program_link ();

  if (path != NULL && g_str_has_suffix (path, gone) && access (path, F_OK) != 0)
    path[strlen (path) + 1 - sizeof gone] = '\0';
  return path;
}

#endif

/* ---------------------------------------------------------------- what follows from it */

static gboolean
covers (const Module *module, guintptr address, gboolean only_code)
{
  Segment segment;
  guint at = 0;

  while (next_segment (module, &at, &segment))
    if (address >= segment.start && address - segment.start < segment.size &&
        (segment.is_code || !only_code))
      return TRUE;
  return FALSE;
}

/* Tells modules without a build id apart by what they are. */
static guint
hash_constants (const Module *module, guint8 *out)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = MPROC_OS_IDENTITY_SIZE;
  Segment segment;
  guint at = 0;

  while (next_segment (module, &at, &segment))
    if (segment.is_constant)
      g_checksum_update (checksum, (const guchar *) segment.start, (gssize) segment.size);
  g_checksum_get_digest (checksum, out, &length);
  g_checksum_free (checksum);
  return (guint) length;
}

static guint
identify (const Module *module, guint8 *out)
{
  guint length;

  memset (out, 0, MPROC_OS_IDENTITY_SIZE);
  length = copy_build_id (module, out);
  return length > 0 ? length : hash_constants (module, out);
}

#if defined(__linux__)

/* The file that is mapped at @address, as the kernel sees it.  NULL if there is none. */
static char *
mapped_path (guintptr address)
{
  char *maps, *line, *path = NULL;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    return NULL;
  for (line = maps; line != NULL && path == NULL; line = strchr (line + 1, '\n'))
    {
      char *slash = line + strcspn (line + 1, "/\n") + 1;
      char *at;
      guint64 start = g_ascii_strtoull (line, &at, 16);
      guint64 end = *at == '-' ? g_ascii_strtoull (at + 1, NULL, 16) : 0;

      if (address >= start && address < end && *slash == '/')
        path = g_strndup (slash, strcspn (slash, "\n"));
    }
  g_free (maps);
  return path;
}

#else

static char *
mapped_path (guintptr address)
{
  (void) address;
  return NULL;
}

#endif

/* The loader keeps the name that it was given, which may be relative to a folder that is
 * no longer the current one. */
static char *
path_of (const Module *module)
{
  char *path = NULL, *real;

  if (module->is_program)
    path = program_path ();
  else if (module->name != NULL && *module->name != '/')
    path = mapped_path ((guintptr) module->headers);
  if (path != NULL || module->name == NULL || *module->name == '/')
    return path != NULL ? path : g_strdup (module->name);

  real = realpath (module->name, NULL);
  path = g_strdup (real != NULL ? real : module->name);
  free (real);
  return path;
}

/* ---------------------------------------------------------------- searches */

typedef struct Search Search;

struct Search
{
  gboolean (*matches) (const Module *module, const Search *search);
  guintptr base, address;
  const guint8 *identity;
  guint identity_size;
  const char *name;
  MprocOsImage *out; /* NULL: not asked for */
  gboolean found;
};

static int
visit (const Module *module, gpointer data)
{
  Search *search = data;

  search->found = search->matches (module, search);
  if (search->found && search->out != NULL)
    {
      search->out->base = module->base;
      search->out->identity_size = identify (module, search->out->identity);
      search->out->path = path_of (module);
    }
  return search->found;
}

static gboolean
find (Search search)
{
  visit_modules (visit, &search);
  return search.found;
}

static gboolean
holds_address (const Module *module, const Search *search)
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
has_identity (const Module *module, const Search *search)
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
has_name (const Module *module, const Search *search)
{
  char *path = path_of (module);
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
has_code_at (const Module *module, const Search *search)
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
