/* SPDX-License-Identifier: MIT */
#ifndef MPROC_ITER_H
#define MPROC_ITER_H

#include <mproc/pool.h>

G_BEGIN_DECLS

/**
 * MprocIter:
 *
 * The outcomes of a function for one item after the other, as they are asked for.
 *
 * There is one outcome for each item of the input, a value or an error.  It belongs to the process that
 * made it, whose threads may share it, and keeps its pool.
 */
typedef struct MprocIter MprocIter;

/**
 * MprocNextFunc:
 * @data: what was given with the function
 * @error: return location for an error
 *
 * Gives an input, item by item.
 *
 * Returns: (transfer full) (nullable): the next item, which may be floating; %NULL without error: there
 *   is none; %NULL with error: there is none, and the iterator gives that error where the item would
 *   have been
 */
typedef GVariant *(*MprocNextFunc) (gpointer data, GError **error);

/**
 * mproc_pool_imap:
 * @self: a pool
 * @func: a function
 * @items: as for mproc_pool_map()
 * @chunk: how many items a worker takes at a time; 0: 1
 * @options: (nullable): how each chunk is to be run; %NULL: as the pool's options say
 * @error: return location for an error
 *
 * Runs @func once for each item; the outcomes come in the order of @items.  All items are handed over
 * at once; with mproc_pool_options_set_max_pending() as many as there is room for, and the others as
 * outcomes are taken.
 *
 * Returns: (transfer full): an iterator, or %NULL with error: %MPROC_ERROR_STATE if the pool takes no
 *   tasks, %MPROC_ERROR_INVALID if @chunk is above %G_MAXINT
 */
MPROC_API MprocIter *mproc_pool_imap (MprocPool *self,
                                      MprocFunc func,
                                      GVariant *items,
                                      guint chunk,
                                      const MprocTaskOptions *options,
                                      GError **error);

/**
 * mproc_pool_imap_unordered:
 * @self: a pool
 * @func: a function
 * @items: as for mproc_pool_map()
 * @chunk: how many items a worker takes at a time; 0: 1
 * @options: (nullable): how each chunk is to be run; %NULL: as the pool's options say
 * @error: return location for an error
 *
 * As mproc_pool_imap(), but chunks come as they are done.
 *
 * Returns: (transfer full): an iterator, or %NULL with error
 */
MPROC_API MprocIter *mproc_pool_imap_unordered (MprocPool *self,
                                                MprocFunc func,
                                                GVariant *items,
                                                guint chunk,
                                                const MprocTaskOptions *options,
                                                GError **error);

/**
 * mproc_pool_imap_from:
 * @self: a pool
 * @func: a function
 * @next: gives the items
 * @data: for @next
 * @destroy: (nullable): for @data, once the iterator is gone, also if this fails
 * @chunk: how many items a worker takes at a time; 0: 1
 * @options: (nullable): how each chunk is to be run; %NULL: as the pool's options say
 * @error: return location for an error
 *
 * As mproc_pool_imap(), for an input that need not be there yet, nor ever end.  @next is called in
 * mproc_iter_next() only, by one thread at a time, and only while fewer chunks are outstanding than
 * mproc_pool_options_set_max_pending() allows, or else four for each worker.  Outstanding is what has
 * been handed over and not been taken from the iterator.
 *
 * When the pool is closed first, the iterator gives %MPROC_ERROR_STATE where the next item would have
 * been, and ends there.
 *
 * Returns: (transfer full): an iterator, or %NULL with error
 */
MPROC_API MprocIter *mproc_pool_imap_from (MprocPool *self,
                                           MprocFunc func,
                                           MprocNextFunc next,
                                           gpointer data,
                                           GDestroyNotify destroy,
                                           guint chunk,
                                           const MprocTaskOptions *options,
                                           GError **error);

/**
 * mproc_pool_imap_unordered_from:
 * @self: a pool
 * @func: a function
 * @next: gives the items
 * @data: for @next
 * @destroy: (nullable): for @data, once the iterator is gone, also if this fails
 * @chunk: how many items a worker takes at a time; 0: 1
 * @options: (nullable): how each chunk is to be run; %NULL: as the pool's options say
 * @error: return location for an error
 *
 * As mproc_pool_imap_from(), but chunks come as they are done, and an error of the input at once.
 *
 * Returns: (transfer full): an iterator, or %NULL with error
 */
MPROC_API MprocIter *mproc_pool_imap_unordered_from (MprocPool *self,
                                                     MprocFunc func,
                                                     MprocNextFunc next,
                                                     gpointer data,
                                                     GDestroyNotify destroy,
                                                     guint chunk,
                                                     const MprocTaskOptions *options,
                                                     GError **error);

/**
 * mproc_iter_ref:
 * @self: an iterator
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocIter *mproc_iter_ref (MprocIter *self);

/**
 * mproc_iter_unref:
 * @self: (nullable): an iterator
 *
 * The last reference gives up what has not been taken: items that no worker has begun with are not
 * run, and the outcomes of the others are dropped.
 */
MPROC_API void mproc_iter_unref (MprocIter *self);

/**
 * mproc_iter_next:
 * @self: an iterator
 * @timeout_us: how long to wait for an outcome, in microseconds, or %MPROC_FOREVER
 * @error: return location for an error
 *
 * Takes the next outcome.
 *
 * |[<!-- language="C" -->
 *   while ((value = mproc_iter_next (iter, MPROC_FOREVER, &error)) != NULL || error != NULL)
 *     if (value != NULL)
 *       {
 *         use (value);
 *         g_variant_unref (value);
 *       }
 *     else
 *       g_clear_error (&error);
 * ]|
 *
 * Returns: (transfer full) (nullable): a value (mproc_is_nothing() where the function gave none); %NULL
 *   without error: that was all, also from now on; %NULL with error: what that item failed with, or
 *   %MPROC_ERROR_TIMED_OUT: nothing is there yet, and nothing has been taken.  No error ends it.
 */
MPROC_API GVariant *mproc_iter_next (MprocIter *self, gint64 timeout_us, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocIter, mproc_iter_unref)

G_END_DECLS

#endif
