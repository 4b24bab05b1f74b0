/* SPDX-License-Identifier: MIT */
#include <mproc/error.h>

GQuark
mproc_error_quark (void)
{
  return g_quark_from_static_string ("mproc-error-quark");
}
