/* SPDX-License-Identifier: MIT */
/* Two processes wait for an event: one for as long as it takes, one for a tenth of a second, which is
 * not long enough. */
#include <mproc.h>
#include <stdio.h>

static GVariant *
wait_for_it (GVariant *args, GError **error)
{
  MprocEvent *event;
  MprocQueue *said;
  gint64 timeout;
  gboolean set;

  if (!mproc_unpack (args, error, "(&h&hx)", &event, &said, &timeout))
    return NULL;
  set = mproc_event_wait (event, timeout);
  printf ("%s: %s\n", timeout == MPROC_FOREVER ? "patient" : "impatient",
          set ? "it is set" : "it is not set");
  fflush (stdout);
  mproc_queue_put (said, g_variant_new_boolean (set), MPROC_FOREVER, error);
  return NULL;
}

int
main (int argc, char **argv)
{
  const gint64 timeouts[] = { MPROC_FOREVER, MPROC_SECONDS (0.1) };
  MprocProcess *processes[G_N_ELEMENTS (timeouts)];
  GError *error = NULL;
  MprocEvent *event;
  MprocQueue *said;

  mproc_init (&argc, &argv);
  event = mproc_event_new (&error);
  said = mproc_queue_new (0, &error);
  if (event == NULL || said == NULL)
    g_error ("%s", error->message);
  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      processes[i] =
          mproc_process_new (wait_for_it, mproc_pack ("(hhx)", event, said, timeouts[i]));
      if (!mproc_process_start (processes[i], &error))
        g_error ("%s", error->message);
    }
  g_variant_unref (mproc_queue_get (said, MPROC_FOREVER, NULL)); /* the impatient one */
  mproc_event_set (event);
  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      mproc_process_join (processes[i], MPROC_FOREVER);
      mproc_process_unref (processes[i]);
    }
  mproc_queue_unref (said);
  mproc_event_unref (event);
  return 0;
}
