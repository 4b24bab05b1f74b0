/* SPDX-License-Identifier: MIT */
#include "queues.h"

MprocQueue *
make_queue (guint max_items)
{
  GError *error = NULL;
  MprocQueue *queue = mproc_queue_new (max_items, &error);

  ck_assert_msg (queue != NULL, "%s", error != NULL ? error->message : "no error");
  return queue;
}
