/* SPDX-License-Identifier: MIT */
/* What a program writes into the block of a list, as libFuzzer calls it:
 *
 *   clang -g -DMPROC_FUZZ -fsanitize=fuzzer,address,undefined ... tests/shared/fuzz-list.c ...
 *
 * test-list.c calls it with inputs of its own. */
#include "fuzz-list.h"

#include "shared/listlayout.h"

#include <string.h>

static void
look_at (const MprocListLayout *layout, gsize i, GString *formats)
{
  GError *error = NULL;
  GVariant *value = mproc_list_layout_get (layout, i, &error);
  MprocItem item;
  gboolean ok;

  g_assert ((value == NULL) == (error != NULL));
  g_clear_error (&error);
  (void) mproc_list_layout_append_format (layout, i, formats, NULL);
  if (value == NULL)
    return;
  /* What was read can be written there again, and is the same then. */
  ok = mproc_item_init (&item, value, NULL);
  g_assert (ok && mproc_list_layout_set (layout, i, &item, NULL));
  mproc_item_clear (&item);
  g_variant_unref (value);
}

static void
write_all (const MprocListLayout *layout)
{
  GVariant *values[] = { g_variant_new_int64 (-1), g_variant_new_string ("0123456789"),
                         g_variant_new_bytestring ("x"), g_variant_new_boolean (TRUE) };

  for (guint v = 0; v < G_N_ELEMENTS (values); v++)
    {
      MprocItem item;

      if (!mproc_item_init (&item, g_variant_ref_sink (values[v]), NULL))
        g_assert_not_reached ();
      for (gsize i = 0; i < layout->n; i++)
        (void) mproc_list_layout_set (layout, i, &item, NULL);
      mproc_item_clear (&item);
      g_variant_unref (values[v]);
    }
}

void
mproc_fuzz_list (guint8 *block, gsize size)
{
  GString *formats = g_string_new (NULL);
  MprocListLayout layout;
  GError *error = NULL;

  if (mproc_list_layout_open (&layout, block, size, &error))
    {
      for (gsize i = 0; i < layout.n; i++)
        look_at (&layout, i, formats);
      write_all (&layout);
    }
  else
    g_assert (g_error_matches (error, MPROC_ERROR, MPROC_ERROR_INVALID));
  g_clear_error (&error);
  g_string_free (formats, TRUE);
}

#ifdef MPROC_FUZZ
int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  guint8 *block = g_malloc (MAX (size, 1));

  memcpy (block, data, size);
  mproc_fuzz_list (block, size);
  g_free (block);
  return 0;
}
#endif
