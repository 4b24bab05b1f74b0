/* SPDX-License-Identifier: MIT */
#include "worker/setup.h"

#include "family/family.h"
#include "os.h"

#include <errno.h>
#include <glib/gstdio.h>

/* ------------------------------------------------------------------ the pool's side */

/* What belongs to a whole process is not a thread's to change. */
gboolean
mproc_setup_check (const MprocPoolOptions *options,
                   MprocStartMethod method,
                   GError **error)
{
  const char *what = NULL;

  if (method != MPROC_START_METHOD_THREAD)
    return TRUE;
  if (options->niceness != 0)
    what = "niceness";
  else if (options->directory != NULL)
    what = "working directory";
  else if (options->environment->len > 0)
    what = "environment";
  if (what != NULL)
    g_set_error (
        error, MPROC_ERROR, MPROC_ERROR_NOT_SUPPORTED,
        "a worker that is a thread has no %s of its own: use another start method", what);
  return what == NULL;
}

/* As it is seen from here and now: a replacement may be started when this process is elsewhere. */
static void
pack_directory (const char *directory, GVariantBuilder *setup)
{
  char *here = g_get_current_dir ();
  char *path = g_path_is_absolute (directory) ? g_strdup (directory)
                                              : g_build_filename (here, directory, NULL);

  g_variant_builder_add (setup, "{sv}", "directory", g_variant_new_bytestring (path));
  g_free (path);
  g_free (here);
}

static void
pack_environment (const GPtrArray *environment, GVariantBuilder *setup)
{
  GVariantBuilder list;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(bayay)"));
  for (guint i = 0; i + 1 < environment->len; i += 2)
    {
      const char *value = environment->pdata[i + 1];

      g_variant_builder_add (&list, "(b^ay^ay)", value != NULL, environment->pdata[i],
                             value != NULL ? value : "");
    }
  g_variant_builder_add (setup, "{sv}", "environment", g_variant_builder_end (&list));
}

void
mproc_setup_pack (const MprocPoolOptions *options, GVariantBuilder *setup)
{
  if (options->cpus->len > 0)
    g_variant_builder_add (setup, "{sv}", "cpus",
                           g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32,
                                                      options->cpus->data,
                                                      options->cpus->len,
                                                      sizeof (guint32)));
  if (options->niceness != 0)
    g_variant_builder_add (setup, "{sv}", "niceness",
                           g_variant_new_int32 (options->niceness));
  if (options->directory != NULL)
    pack_directory (options->directory, setup);
  if (options->environment->len > 0)
    pack_environment (options->environment, setup);
}

/* ------------------------------------------------------------------ the worker's */

static gboolean
choose_processor (GVariant *cpus, guint place, GError **error)
{
  gsize n;
  const guint32 *list = g_variant_get_fixed_array (cpus, &n, sizeof (guint32));

  return mproc_os_set_processor (list[place % n], mproc_self () == mproc_process_self (),
                                 error);
}

static gboolean
set_niceness (GVariant *niceness, guint place, GError **error)
{
  (void) place;
  return mproc_os_add_niceness (g_variant_get_int32 (niceness), error);
}

static gboolean
enter_directory (GVariant *directory, guint place, GError **error)
{
  const char *path = g_variant_get_bytestring (directory);
  char *name;
  gint code;

  (void) place;
  if (g_chdir (path) == 0)
    return TRUE;
  code = errno;
  name = g_filename_display_name (path);
  g_set_error (error, MPROC_ERROR, MPROC_ERROR_SYSTEM, "working directory %s: %s", name,
               g_strerror (code));
  g_free (name);
  return FALSE;
}

static gboolean
change_environment (GVariant *environment, guint place, GError **error)
{
  const char *name, *value;
  gboolean is_set, ok = TRUE;
  GVariantIter iter;

  (void) place;
  g_variant_iter_init (&iter, environment);
  while (ok && g_variant_iter_next (&iter, "(b^&ay^&ay)", &is_set, &name, &value))
    if (!is_set)
      g_unsetenv (name);
    else if (!g_setenv (name, value, TRUE))
      {
        g_set_error (error, MPROC_ERROR, MPROC_ERROR_SYSTEM,
                     "environment variable %s: cannot be set", name);
        ok = FALSE;
      }
  return ok;
}

static const struct
{
  const char *key;
  const char *type;
  gboolean (*apply) (GVariant *value, guint place, GError **error);
} steps[] = {
  { "cpus", "au", choose_processor },
  { "niceness", "i", set_niceness },
  { "directory", "ay", enter_directory },
  { "environment", "a(bayay)", change_environment },
};

gboolean
mproc_setup_apply (GVariant *setup, guint place, GError **error)
{
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < G_N_ELEMENTS (steps); i++)
    {
      GVariant *value =
          g_variant_lookup_value (setup, steps[i].key, G_VARIANT_TYPE (steps[i].type));

      if (value == NULL)
        continue;
      ok = steps[i].apply (value, place, error);
      g_variant_unref (value);
    }
  return ok;
}
