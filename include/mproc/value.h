/* SPDX-License-Identifier: MIT */
#ifndef MPROC_VALUE_H
#define MPROC_VALUE_H

#include <mproc/macros.h>

#include <stdarg.h>

G_BEGIN_DECLS

/**
 * mproc_pack:
 * @format: a GVariant format string, in which `h` and `f` have a meaning of their own
 * @...: arguments, as per @format
 *
 * Makes a value that may carry objects and functions to other processes of the family:
 * g_variant_new() with two more letters.
 *
 * - `h` takes a shareable object: a queue, a connection, a lock of either kind, a semaphore, an event,
 *   a condition, a barrier, a shared value or array, a block of shared memory or a list in one; the
 *   value holds it as long as it lives, and so does every message that is made of it;
 * - `f` takes an #MprocFunc.
 *
 * Both stand alone or inside tuples and dictionary entries; in the value both have the type `h`.
 * Everything else is g_variant_new()'s.  A connection can be carried by the arguments of
 * mproc_process_start() only.
 *
 * |[<!-- language="C" -->
 * mproc_process_new (work, mproc_pack ("(hi)", queue, 42));
 * ]|
 *
 * An object or function that cannot be carried (no shared memory left, an address outside of
 * any loaded module) is reported where the value is sent, as %MPROC_ERROR_HANDLE.
 *
 * Any thread of any process may call it.
 *
 * Returns: (transfer floating): a new value
 */
MPROC_API GVariant *mproc_pack (const char *format, ...);

/**
 * mproc_pack_va:
 * @format: as for mproc_pack()
 * @arguments: the arguments
 *
 * Returns: (transfer floating): a new value
 */
MPROC_API GVariant *mproc_pack_va (const char *format, va_list *arguments);

/**
 * mproc_unpack:
 * @value: a value, as a target's arguments or from a queue
 * @error: return location for an error
 * @format: a GVariant format string, in which `h`, `&h` and `f` have a meaning of their own
 * @...: where to put the parts, as per @format
 *
 * Takes a value apart: g_variant_get() with
 *
 * - `h`: a new reference to the object (transfer full);
 * - `&h`: the object, borrowed while @value lives;
 * - `f`: the #MprocFunc in this process.
 *
 * Unlike g_variant_get() it checks: a value of another type is %MPROC_ERROR_INVALID, a handle that is
 * stale, garbage or of a connection that was not handed to this process %MPROC_ERROR_HANDLE, a
 * function of another build %MPROC_ERROR_FUNCTION.  On failure nothing is written.  Whether an
 * object is of the class that the caller takes it for is checked by the functions it is passed to.
 *
 * Returns: %TRUE if everything has been written
 */
MPROC_API gboolean mproc_unpack (GVariant *value,
                                 GError **error,
                                 const char *format,
                                 ...);

/**
 * mproc_unpack_va:
 * @value: a value
 * @error: return location for an error
 * @format: as for mproc_unpack()
 * @arguments: the locations
 *
 * Returns: %TRUE if everything has been written
 */
MPROC_API gboolean mproc_unpack_va (GVariant *value,
                                    GError **error,
                                    const char *format,
                                    va_list *arguments);

/**
 * mproc_is_nothing:
 * @value: (nullable): a value
 *
 * Whatever receives a value gives %NULL only together with an error: what a function that returned
 * %NULL without error gave arrives as a value of its own, the nothing of type `mv`.
 *
 * Returns: whether @value is that nothing
 */
MPROC_API gboolean mproc_is_nothing (GVariant *value);

G_END_DECLS

#endif
