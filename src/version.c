/* SPDX-License-Identifier: MIT */
#include <mproc/version.h>

/* In variables: a comparison of an unsigned number with the constant 0 is warned of. */
static const guint our_major = MPROC_MAJOR_VERSION;
static const guint our_minor = MPROC_MINOR_VERSION;
static const guint our_micro = MPROC_MICRO_VERSION;

const char *
mproc_check_version (guint major, guint minor, guint micro)
{
  if (major > our_major)
    return "mproc version too old (major mismatch)";
  if (major < our_major)
    return "mproc version too new (major mismatch)";
  if (minor > our_minor)
    return "mproc version too old (minor mismatch)";
  if (minor < our_minor)
    return "mproc version too new (minor mismatch)";
  if (micro > our_micro)
    return "mproc version too old (micro mismatch)";
  return NULL;
}
