/* SPDX-License-Identifier: MIT */
#ifndef MPROC_VERSION_H
#define MPROC_VERSION_H

#include <mproc/macros.h>

G_BEGIN_DECLS

/* The version that the program was compiled against. */
#define MPROC_MAJOR_VERSION (0)
#define MPROC_MINOR_VERSION (1)
#define MPROC_MICRO_VERSION (0)

/**
 * MPROC_CHECK_VERSION:
 * @major: major version
 * @minor: minor version
 * @micro: micro version
 *
 * %TRUE if the headers are of this version or a later one.
 */
#define MPROC_CHECK_VERSION(major, minor, micro)                                         \
  (MPROC_MAJOR_VERSION > (major) ||                                                      \
   (MPROC_MAJOR_VERSION == (major) && MPROC_MINOR_VERSION > (minor)) ||                  \
   (MPROC_MAJOR_VERSION == (major) && MPROC_MINOR_VERSION == (minor) &&                  \
    MPROC_MICRO_VERSION >= (micro)))

/**
 * mproc_check_version:
 * @major: major version that is needed
 * @minor: minor version that is needed
 * @micro: micro version that is needed
 *
 * Checks the library that runs, as MPROC_CHECK_VERSION() checks the headers.  Before 1.0 each
 * minor version has an interface of its own, so it has to be the very one.
 *
 * Returns: (nullable): %NULL if the library will do, else a text that says why not; it belongs
 *   to the library
 */
MPROC_API const char *mproc_check_version (guint major, guint minor, guint micro);

G_END_DECLS

#endif
