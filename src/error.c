/* SPDX-License-Identifier: MIT */
#include <mproc/error.h>

G_DEFINE_QUARK (mproc-error-quark, mproc_error)
