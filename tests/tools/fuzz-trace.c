/* SPDX-License-Identifier: MIT */
/* What mproc-timeline is given as a trace, as libFuzzer calls it:
 *
 *   clang -g -DMPROC_FUZZ -fsanitize=fuzzer,address,undefined ... tests/tools/fuzz-trace.c tools/[dlst]*.c
 *
 * test-timeline.c calls it with inputs of its own. */
#include "fuzz-trace.h"

#include "timeline.h"

#include <math.h>

/* Whatever has been read can be drawn. */
static void
check_event (const TraceEvent *event, gpointer data)
{
  (void) data;
  g_assert (g_utf8_validate (event->name, -1, NULL));
  g_assert (g_utf8_validate (event->label, -1, NULL));
  g_assert (isfinite (event->start) && isfinite (event->duration));
  g_assert (event->duration >= 0 && event->duration <= 1e15);
}

static void
check_picture (const GString *svg)
{
  static const GMarkupParser parser = { NULL, NULL, NULL, NULL, NULL };
  GMarkupParseContext *context =
      g_markup_parse_context_new (&parser, (GMarkupParseFlags) 0, NULL, NULL);
  gboolean ok =
      g_markup_parse_context_parse (context, svg->str, (gssize) svg->len, NULL) &&
      g_markup_parse_context_end_parse (context, NULL);

  g_markup_parse_context_free (context);
  g_assert (ok);
}

void
mproc_fuzz_trace (const char *text, gsize size)
{
  TraceSummary summary, again;
  Timeline *timeline;
  GString *svg;

  trace_read (text, size, check_event, NULL, &summary);
  g_assert (summary.n_events + summary.n_broken <= size);
  timeline = timeline_new (text, size, &again);
  g_assert (summary.n_events == again.n_events);
  svg = timeline_draw (timeline, 400);
  check_picture (svg);
  g_string_free (svg, TRUE);
  timeline_free (timeline);
}

#ifdef MPROC_FUZZ
#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  mproc_fuzz_trace ((const char *) data, size);
  return 0;
}
#endif
