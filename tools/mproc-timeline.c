/* SPDX-License-Identifier: MIT */
/* mproc-timeline TRACE [-o PICTURE]: draws what a program has written that was run with
 * MPROC_TRACE=TRACE, as one SVG document that needs nothing else. */
#include "timeline.h"

#include <stdio.h>
#include <string.h>

#define NARROWEST 400
#define WIDEST 20000

static char *output;
static gint width = 1200;
static char **inputs;

static const GOptionEntry entries[] = {
  { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output,
    "where the picture goes; TRACE with .svg at its end if it is not said, - for "
    "standard "
    "output",
    "PICTURE" },
  { "width", 'w', 0, G_OPTION_ARG_INT, &width, "how wide it is, 1200 if it is not said",
    "N" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs, NULL, "TRACE" },
  { NULL, 0, 0, 0, NULL, NULL, NULL }
};

static int
fail (const char *text)
{
  fprintf (stderr, "mproc-timeline: %s\n", text);
  return 1;
}

/* On Windows GLib asks for the console's code page whenever it makes an error's text.  Where there is no
 * console it warns, asks again to do so, and ends the program.  Nobody has to know, and what is wrong in
 * earnest needs no code page. */
static GLogWriterOutput
log_plainly (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer unused)
{
  (void) unused;
  for (gsize i = 0; i < n; i++)
    if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0 &&
        strcmp (fields[i].key, "MESSAGE") == 0)
      fail (fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

static gboolean
read_options (int *argc, char ***argv, GError **error)
{
  GOptionContext *context = g_option_context_new ("- draws what MPROC_TRACE has written");
  gboolean ok;

  g_option_context_add_main_entries (context, entries, NULL);
  ok = g_option_context_parse (context, argc, argv, error);
  g_option_context_free (context);
  if (!ok)
    return FALSE;
  if (inputs == NULL || inputs[0] == NULL || inputs[1] != NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         "one trace is what it draws; --help tells more");
  else if (width < NARROWEST || width > WIDEST)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "a picture is %d to %d wide", NARROWEST, WIDEST);
  else
    return TRUE;
  return FALSE;
}

/* trace.json becomes trace.svg. */
static char *
name_output (void)
{
  gsize length = strlen (inputs[0]);

  if (output != NULL)
    return g_strdup (output);
  if (g_str_has_suffix (inputs[0], ".json"))
    length -= strlen (".json");
  return g_strdup_printf ("%.*s.svg", (int) MIN (length, G_MAXINT32), inputs[0]);
}

static gboolean
write_picture (const GString *svg, GError **error)
{
  char *name = name_output ();
  gboolean ok;

  if (strcmp (name, "-") == 0)
    {
      ok = fwrite (svg->str, 1, svg->len, stdout) == svg->len && fflush (stdout) == 0;
      if (!ok)
        g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                             "standard output could not be written");
    }
  else
    ok = g_file_set_contents (name, svg->str, (gssize) svg->len, error);
  g_free (name);
  return ok;
}

static void
report (const Timeline *timeline, const TraceSummary *summary)
{
  if (summary->n_broken > 0)
    fprintf (stderr,
             "mproc-timeline: %" G_GUINT64_FORMAT
             " lines are no events, and are left out\n",
             summary->n_broken);
  if (timeline->n_dropped > 0)
    fprintf (stderr,
             "mproc-timeline: %" G_GUINT64_FORMAT
             " tasks are too many, and are left out\n",
             timeline->n_dropped);
}

static gboolean
draw (const char *text, gsize size, GError **error)
{
  TraceSummary summary;
  Timeline *timeline = timeline_new (text, size, &summary);
  gboolean ok = FALSE;
  GString *svg;

  report (timeline, &summary);
  if (summary.n_events == 0 || timeline->lanes->len == 0)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                 "%s tells of no worker: it is no trace, or nothing has run", inputs[0]);
  else
    {
      svg = timeline_draw (timeline, (guint) width);
      ok = write_picture (svg, error);
      g_string_free (svg, TRUE);
    }
  timeline_free (timeline);
  return ok;
}

/* An empty file has no contents to point at. */
static gboolean
draw_file (GError **error)
{
  GMappedFile *file = g_mapped_file_new (inputs[0], FALSE, error);
  gboolean ok;

  if (file == NULL)
    return FALSE;
  ok = draw (g_mapped_file_get_length (file) > 0 ? g_mapped_file_get_contents (file) : "",
             g_mapped_file_get_length (file), error);
  g_mapped_file_unref (file);
  return ok;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  int status = 0;

  g_log_set_writer_func (log_plainly, NULL, NULL);
  if (!read_options (&argc, &argv, &error) || !draw_file (&error))
    {
      status = fail (error->message);
      g_error_free (error);
    }
  g_strfreev (inputs);
  g_free (output);
  return status;
}
