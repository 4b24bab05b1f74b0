/* SPDX-License-Identifier: MIT */
/* Names of functions, for people to read.  The loader knows those that a module exports; those of
 * the program itself, static ones too, are in its own file, unless it was stripped. */
#include "posix.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)

#include <elf.h>
#include <link.h>

typedef ElfW (Ehdr) Header;
typedef ElfW (Shdr) Section;
typedef ElfW (Sym) Symbol;

typedef struct
{
  const guint8 *data;
  gsize size;
} File;

/* NULL if it is not all inside of the file. */
static gconstpointer
part_of (const File *file, guint64 offset, guint64 size)
{
  if (offset > file->size || size > file->size - offset)
    return NULL;
  return file->data + offset;
}

/* The name of the function at @address of the program's own counting. */
static const char *
find_in_table (const File *file,
               const Section *table,
               const Section *names,
               guint64 address)
{
  const Symbol *symbols = part_of (file, table->sh_offset, table->sh_size);
  const char *text = part_of (file, names->sh_offset, names->sh_size);

  if (symbols == NULL || text == NULL || table->sh_entsize != sizeof (Symbol))
    return NULL;
  for (gsize i = 0; i < table->sh_size / sizeof (Symbol); i++)
    if ((symbols[i].st_info & 0xf) == STT_FUNC && symbols[i].st_value == address &&
        symbols[i].st_name < names->sh_size &&
        memchr (text + symbols[i].st_name, 0, names->sh_size - symbols[i].st_name) !=
            NULL)
      return text + symbols[i].st_name;
  return NULL;
}

static const char *
find_in_file (const File *file, guint64 address)
{
  const Header *header = part_of (file, 0, sizeof (Header));
  const Section *sections;

  if (header == NULL || memcmp (header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_shentsize != sizeof (Section))
    return NULL;
  sections = part_of (file, header->e_shoff, header->e_shnum * sizeof (Section));
  for (guint i = 0; sections != NULL && i < header->e_shnum; i++)
    if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link < header->e_shnum)
      return find_in_table (file, &sections[i], &sections[sections[i].sh_link], address);
  return NULL;
}

/* The file that runs, even if it has been replaced since. */
static char *
name_in_program (guint64 address)
{
  int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat about;
  File file = { MAP_FAILED, 0 };
  char *name = NULL;

  if (fd >= 0 && fstat (fd, &about) == 0 && about.st_size > 0)
    {
      file.size = (gsize) about.st_size;
      file.data = mmap (NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
  if (fd >= 0)
    close (fd);
  if (file.data == MAP_FAILED)
    return NULL;
  name = g_strdup (find_in_file (&file, address));
  munmap ((gpointer) file.data, file.size);
  return name;
}

typedef struct
{
  guintptr address;
  guintptr bias;
  gboolean is_program;
} Search;

/* The program is the one without a name. */
static int
look_at_module (struct dl_phdr_info *module, size_t size, void *data)
{
  Search *search = data;

  (void) size;
  for (guint i = 0; i < module->dlpi_phnum; i++)
    {
      guintptr start = module->dlpi_addr + module->dlpi_phdr[i].p_vaddr;

      if (module->dlpi_phdr[i].p_type == PT_LOAD && search->address >= start &&
          search->address - start < module->dlpi_phdr[i].p_memsz)
        {
          search->bias = module->dlpi_addr;
          search->is_program = module->dlpi_name == NULL || *module->dlpi_name == 0;
          return 1;
        }
    }
  return 0;
}

static char *
name_in_file (gconstpointer address)
{
  Search search = { (guintptr) address, 0, FALSE };

  dl_iterate_phdr (look_at_module, &search);
  return search.is_program ? name_in_program (search.address - search.bias) : NULL;
}

#else

static char *
name_in_file (gconstpointer address)
{
  (void) address;
  return NULL;
}

#endif

char *
mproc_os_symbol_at (gconstpointer address)
{
  Dl_info info;

  if (dladdr ((void *) address, &info) != 0 && info.dli_sname != NULL &&
      info.dli_saddr == address)
    return g_strdup (info.dli_sname);
  return name_in_file (address);
}
