/* SPDX-License-Identifier: MIT */
/* The loader's view of what is loaded. */
#include "module.h"

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

#if defined(__APPLE__)

gboolean
mproc_posix_module_next_segment (const MprocPosixModule *module,
                                 guint *at,
                                 MprocPosixSegment *segment)
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

/* LC_UUID. */
guint
mproc_posix_module_copy_build_id (const MprocPosixModule *module, guint8 *out)
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

void
mproc_posix_visit_modules (MprocPosixVisitFunc visit, gpointer data)
{
  uint32_t i;

  for (i = 0; i < _dyld_image_count (); i++)
    {
      const struct mach_header_64 *header = (const void *) _dyld_get_image_header (i);
      MprocPosixModule module = { (guintptr) header, _dyld_get_image_name (i), i == 0,
                                  header, header == NULL ? 0 : header->ncmds };

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

gboolean
mproc_posix_module_next_segment (const MprocPosixModule *module,
                                 guint *at,
                                 MprocPosixSegment *segment)
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
is_loaded (const MprocPosixModule *module, guintptr start, gsize size)
{
  MprocPosixSegment segment;
  guint at = 0;

  while (mproc_posix_module_next_segment (module, &at, &segment))
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

guint
mproc_posix_module_copy_build_id (const MprocPosixModule *module, guint8 *out)
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
  MprocPosixVisitFunc visit;
  gpointer data;
  guint count;
} Walk;

static int
visit_one (struct dl_phdr_info *info, size_t size, void *data)
{
  Walk *walk = data;
  MprocPosixModule module = { info->dlpi_addr, info->dlpi_name, walk->count++ == 0,
                              info->dlpi_phdr, info->dlpi_phnum };

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
void
mproc_posix_visit_modules (MprocPosixVisitFunc visit, gpointer data)
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

/* ---------------------------------------------------------------- where it came from */

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
char *
mproc_posix_module_get_path (const MprocPosixModule *module)
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
