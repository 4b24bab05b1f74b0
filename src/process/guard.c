/* SPDX-License-Identifier: MIT */
/* A mark reads
 *
 *   mproc <layout> <module> <place> <arena handle> <size> <nonce> <member> <record> <starter>
 *
 * in hexadecimal.  Module is the identity of the image that holds the starter's copy of this
 * library, place the offset of a function of it: with two copies in one process (a program and
 * its plugin, both linked statically) each knows its own marks and leaves the other's alone.
 * Both are 0 in a mark for another program (mproc_set_executable).
 *
 * The environment is hostile: a mark that is not exactly of this form, that is not ours, or
 * whose arena is not one, is no mark. */
#include "process/guard.h"

#include "os.h"
#include "process/record.h"

#include <mproc/init.h>
#include <string.h>

#define N_FIELDS 10

typedef enum
{
  GUARD_UNSEEN, /* nobody has looked for a mark yet */
  GUARD_CLEAR,  /* there was none for us, and mproc_init has not been called */
  GUARD_PASSED, /* mproc_init has been called in time, or by the program itself */
  GUARD_LATE    /* there was one, and something else came before mproc_init */
} GuardState;

static GMutex guard_mutex;
static gint guard_state;

/* ------------------------------------------------------------------ text */

static void
append_hex (GString *text, const guint8 *bytes, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
}

/* Which copy of the library this is: " <module> <place>". */
static gboolean
append_copy (GString *text)
{
  gconstpointer here = (gconstpointer) (guintptr) mproc_init;
  MprocOsImage image;

  if (!mproc_os_image_at (here, &image))
    return FALSE;
  append_hex (text, image.identity, image.identity_size);
  g_string_append_printf (text, " %" G_GINT64_MODIFIER "x",
                          (guint64) ((guintptr) here - image.base));
  mproc_os_image_clear (&image);
  return TRUE;
}

char *
mproc_mark_format (const MprocMark *mark, gboolean any_program, GError **error)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, "mproc %x ", MPROC_LAYOUT);
  if (any_program)
    g_string_append (text, "0 0");
  else if (!append_copy (text))
    {
      g_string_free (text, TRUE);
      g_set_error_literal (error, MPROC_ERROR, MPROC_ERROR_SYSTEM,
                           "the module that holds this library cannot be identified");
      return NULL;
    }
  g_string_append_printf (text,
                          " %" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER
                          "x %" G_GINT64_MODIFIER "x %x %" G_GINT64_MODIFIER
                          "x %" G_GINT64_MODIFIER "x",
                          (guint64) mark->arena_handle, mark->arena_size,
                          mark->arena_nonce, mark->member, (guint64) mark->record,
                          (guint64) mark->starter);
  return g_string_free (text, FALSE);
}

/* Digits only, and no more than fit. */
static gboolean
parse_hex (const char *text, guint64 most, guint64 *out)
{
  gsize length = strlen (text);

  if (length == 0 || length > 16 || strspn (text, "0123456789abcdef") != length)
    return FALSE;
  *out = g_ascii_strtoull (text, NULL, 16);
  return *out <= most;
}

static gboolean
is_for_this_copy (const char *module, const char *place)
{
  GString *text;
  char *wanted;
  gboolean ours;

  if (strcmp (module, "0") == 0 && strcmp (place, "0") == 0)
    return TRUE;
  text = g_string_new (NULL);
  wanted = g_strconcat (module, " ", place, NULL);
  ours = append_copy (text) && strcmp (text->str, wanted) == 0;
  g_free (wanted);
  g_string_free (text, TRUE);
  return ours;
}

static gboolean
parse_fields (char **fields, MprocMark *mark)
{
  guint64 layout, handle, member, starter;

  if (g_strv_length (fields) != N_FIELDS || strcmp (fields[0], "mproc") != 0 ||
      !parse_hex (fields[1], G_MAXUINT32, &layout) || layout != MPROC_LAYOUT ||
      !parse_hex (fields[4], (guint64) G_MAXSSIZE, &handle) ||
      !parse_hex (fields[5], G_MAXSIZE, &mark->arena_size) ||
      !parse_hex (fields[6], G_MAXUINT64, &mark->arena_nonce) ||
      !parse_hex (fields[7], G_MAXUINT32, &member) ||
      !parse_hex (fields[8], G_MAXSIZE, &mark->record) ||
      !parse_hex (fields[9], G_MAXINT64, &starter) ||
      !is_for_this_copy (fields[2], fields[3]))
    return FALSE;
  mark->arena_handle = (gintptr) handle;
  mark->member = (MprocMember) member;
  mark->starter = (gint64) starter;
  return TRUE;
}

static gboolean
parse (const char *text, MprocMark *mark)
{
  char **fields;
  gboolean ok;

  if (strlen (text) > 1024)
    return FALSE;
  fields = g_strsplit (text, " ", N_FIELDS + 1);
  ok = parse_fields (fields, mark);
  g_strfreev (fields);
  return ok;
}

/* ------------------------------------------------------------------ the guard itself */

/* Takes our mark out of the environment, so that no other program gets it from us;
 * someone else's stays.  Then the arena: what no starter of ours made is none. */
static gboolean
take_mark (MprocMark *mark)
{
  const char *text = g_getenv (MPROC_MARK_NAME);
  GError *error = NULL;
  gboolean ok;

  if (text == NULL || mproc_os_is_elevated () || !parse (text, mark))
    return FALSE;
  g_unsetenv (MPROC_MARK_NAME);
  ok =
      mproc_arena_adopt (mark->arena_handle, mark->arena_size, mark->arena_nonce, &error);
  /* A real child that cannot map the memory, or whose starter has lost it (a program that closes all its
   * descriptors), must not go on as if it were the program: it would start itself again. */
  if (!ok && (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_NO_MEMORY) ||
              mproc_os_is_child_of (mark->starter)))
    mproc_os_exit (1);
  g_clear_error (&error);
  return ok && mproc_record_is_valid (mark->record, mark->member);
}

static gboolean
refuse (GError **error)
{
  g_set_error_literal (
      error, MPROC_ERROR, MPROC_ERROR_BOOTSTRAP,
      "this spawned process used the library before mproc_init() was called: "
      "in the program, " MPROC_GUARD_ADVICE);
  return FALSE;
}

static void
report_late (const MprocMark *mark)
{
  GError *error = NULL;

  refuse (&error);
  mproc_record_report_error (mark->record, error);
  g_error_free (error);
}

gboolean
mproc_guard_check (GError **error)
{
  GuardState state = (GuardState) g_atomic_int_get (&guard_state);
  MprocMark mark;

  if (G_UNLIKELY (state == GUARD_UNSEEN))
    {
      g_mutex_lock (&guard_mutex);
      state = (GuardState) g_atomic_int_get (&guard_state);
      if (state == GUARD_UNSEEN)
        {
          state = take_mark (&mark) ? GUARD_LATE : GUARD_CLEAR;
          if (state == GUARD_LATE)
            report_late (&mark);
          g_atomic_int_set (&guard_state, state);
        }
      g_mutex_unlock (&guard_mutex);
    }
  return state != GUARD_LATE || refuse (error);
}

gboolean
mproc_guard_pass (MprocMark *mark)
{
  gboolean is_child;

  g_mutex_lock (&guard_mutex);
  /* Its starter has been told and is about to kill it. */
  if (guard_state == GUARD_LATE)
    mproc_os_exit (1);
  is_child = guard_state == GUARD_UNSEEN && take_mark (mark);
  g_atomic_int_set (&guard_state, GUARD_PASSED);
  g_mutex_unlock (&guard_mutex);
  return is_child;
}

gboolean
mproc_guard_is_passed (void)
{
  return g_atomic_int_get (&guard_state) == GUARD_PASSED;
}
