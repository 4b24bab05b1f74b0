/* SPDX-License-Identifier: MIT */
#ifndef MPROC_POOL_MAP_H
#define MPROC_POOL_MAP_H

#include <mproc/pool.h>
#include <mproc/shared.h>

G_BEGIN_DECLS

/**
 * MprocBytesFunc:
 * @item: an item, as it was handed over
 * @size: its bytes
 * @result: where its result is to be written
 * @result_size: how many bytes that is
 * @error: return location for an error
 *
 * A function that makes one block of bytes from another, each of a size that is known before: a
 * structure, or a number.  Nothing is wrapped and nothing is allocated, so that it costs little more
 * than a call.  Neither pointer is valid after it; both are aligned as in an array of such items.
 *
 * Returns: %TRUE, or %FALSE with @error set
 */
typedef gboolean (*MprocBytesFunc) (gconstpointer item,
                                    gsize size,
                                    gpointer result,
                                    gsize result_size,
                                    GError **error);

/**
 * mproc_pool_apply_bytes:
 * @self: a pool
 * @func: a function
 * @item: (array length=size) (element-type guint8): what it is given
 * @size: the bytes of @item, at least 1
 * @result: (out caller-allocates) (nullable): filled in with what it has made
 * @result_size: how many bytes that is; may be 0
 * @error: return location for an error
 *
 * Runs @func in a worker and waits for its result.
 *
 * Returns: %FALSE with @error set: as mproc_pool_apply()
 */
MPROC_API gboolean mproc_pool_apply_bytes (MprocPool *self,
                                           MprocBytesFunc func,
                                           gconstpointer item,
                                           gsize size,
                                           gpointer result,
                                           gsize result_size,
                                           GError **error);

/**
 * mproc_pool_map_bytes:
 * @self: a pool
 * @func: a function
 * @items: the items, one after the other: an array of C
 * @n: how many
 * @size: the bytes of each, at least 1
 * @results: (out caller-allocates) (nullable): an array with room for the results, in the order of
 *   @items
 * @result_size: the bytes of each result; may be 0
 * @chunk: how many items a worker takes at a time; 0: as suits the time they take; above %G_MAXINT:
 *   %MPROC_ERROR_INVALID
 * @error: return location for an error
 *
 * Runs @func once for each item, and waits for all of them.  An item that fails loses the rest of its
 * chunk, as one that its worker dies of; the others are run all the same, and the error seen first is
 * returned.  @results is filled in only where all have succeeded.
 *
 * |[<!-- language="C" -->
 * static gboolean
 * root (gconstpointer item, gsize size, gpointer result, gsize result_size, GError **error)
 * {
 *   *(double *) result = sqrt (*(const double *) item);
 *   return TRUE;
 * }
 *
 *   mproc_pool_map_bytes (pool, root, numbers, n, sizeof *numbers, roots, sizeof *roots, 0, &error);
 * ]|
 *
 * Returns: %FALSE with @error set
 */
MPROC_API gboolean mproc_pool_map_bytes (MprocPool *self,
                                         MprocBytesFunc func,
                                         gconstpointer items,
                                         gsize n,
                                         gsize size,
                                         gpointer results,
                                         gsize result_size,
                                         guint chunk,
                                         GError **error);

/**
 * mproc_pool_map_bytes_async:
 * @self: a pool
 * @func: a function
 * @items: the items, one after the other; they are copied
 * @n: how many
 * @size: the bytes of each, at least 1
 * @result_size: the bytes of each result; may be 0
 * @chunk: as for mproc_pool_map_bytes()
 *
 * Hands the items to the pool and returns at once.
 *
 * Returns: (transfer full): the result to come, of type `ay`: all results, one after the other; never
 *   %NULL
 */
MPROC_API MprocResult *mproc_pool_map_bytes_async (MprocPool *self,
                                                   MprocBytesFunc func,
                                                   gconstpointer items,
                                                   gsize n,
                                                   gsize size,
                                                   gsize result_size,
                                                   guint chunk);

/**
 * MprocArrayFunc:
 * @items: the first item of a slice, in shared memory
 * @n: how many items the slice has
 * @first: the number of the first one in its array
 * @args: (nullable): what mproc_pool_map_array() was given for all slices
 * @error: return location for an error
 *
 * A function that works on a part of a shared array, where it lies.
 *
 * Returns: %TRUE, or %FALSE with @error set
 */
typedef gboolean (*MprocArrayFunc) (gpointer items,
                                    gsize n,
                                    gsize first,
                                    GVariant *args,
                                    GError **error);

/**
 * mproc_pool_map_array:
 * @self: a pool
 * @func: a function
 * @array: an array
 * @chunk: how many items a slice has; 0: a sixteenth of an even share; above %G_MAXSSIZE:
 *   %MPROC_ERROR_INVALID
 * @args: (nullable): for all slices, of any type; a floating reference is sunk
 * @error: return location for an error
 *
 * Runs @func once for each slice of @array, in the workers, and waits for all of them.  Nothing is
 * copied: the workers read and write the array itself, and each has slices of its own.  The array's
 * lock is not acquired.  Slices that fail do not keep the others from being run, and the error seen
 * first is returned.
 *
 * Returns: %FALSE with @error set
 */
MPROC_API gboolean mproc_pool_map_array (MprocPool *self,
                                         MprocArrayFunc func,
                                         MprocArray *array,
                                         gsize chunk,
                                         GVariant *args,
                                         GError **error);

/**
 * mproc_pool_map_array_async:
 * @self: a pool
 * @func: a function
 * @array: an array
 * @chunk: as for mproc_pool_map_array()
 * @args: (nullable): as for mproc_pool_map_array()
 *
 * Returns: (transfer full): the result to come, which is mproc_is_nothing(); never %NULL
 */
MPROC_API MprocResult *mproc_pool_map_array_async (MprocPool *self,
                                                   MprocArrayFunc func,
                                                   MprocArray *array,
                                                   gsize chunk,
                                                   GVariant *args);

G_END_DECLS

#endif
