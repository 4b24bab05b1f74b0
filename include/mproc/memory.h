/* SPDX-License-Identifier: MIT */
#ifndef MPROC_MEMORY_H
#define MPROC_MEMORY_H

#include <mproc/init.h>

G_BEGIN_DECLS

/**
 * MprocSharedMemory:
 *
 * A block of bytes in shared memory: an anonymous one, for the processes of the family, or one with a
 * name, which any process of the user may open, a Python program among them
 * (`multiprocessing.shared_memory`).
 *
 * A name belongs to the process that made it.  It goes when mproc_shared_memory_unlink() says so, or
 * else when that process has ended, however it ended; who has the block open keeps it.  A process that
 * opens a block by its name has no part in that.  On Windows a name lasts as long as somebody has
 * the block open.
 *
 * Blocks are handed to other processes in values, see mproc_pack(); one with a name is opened by its
 * name there.  Once the name is gone, or is that of another block, the call that receives the value
 * fails with %MPROC_ERROR_NOT_FOUND, and the value is lost; who has the block open already gets it.
 *
 * Whatever another program may have written into a block with a name is not to be trusted.
 *
 * On POSIX systems a process that has made a name has a guardian, a small process that is not its
 * child, as long as one of its names is there.  It takes the names away when the process has ended.
 * A process that replaces itself (exec) or closes descriptors that are not its own keeps the names
 * that it had until it ends.
 *
 * Python up to 3.12 takes away the name of a block that it has only opened, when it ends, unless told
 * not to: `resource_tracker.unregister ("/" + name, "shared_memory")`.
 */
typedef struct MprocSharedMemory MprocSharedMemory;

/**
 * mproc_shared_memory_new:
 * @size: how many bytes, at least 1
 * @error: return location for an error
 *
 * Makes an anonymous block of zeros.
 *
 * Returns: (transfer full): a block, or %NULL with @error set, as mproc_lock_new(); %MPROC_ERROR_INVALID
 *   for no bytes
 */
MPROC_API MprocSharedMemory *mproc_shared_memory_new (gsize size, GError **error);

/**
 * mproc_shared_memory_create:
 * @name: (nullable): a name without slashes, `psm_` and eight letters being Python's own (it cannot
 *   have a NUL in it, which Python refuses: there it ends); %NULL: one is made up
 * @size: how many bytes, at least 1
 * @error: return location for an error
 *
 * Makes a block of zeros with a name, which only this user may open.
 *
 * %MPROC_ERROR_EXISTS: there is a block of that name.  %MPROC_ERROR_INVALID: no size, or a name that is
 * empty, not UTF-8, has a slash in it, or more than 250 bytes (on some systems less).
 * %MPROC_ERROR_NO_MEMORY: the system has no room, or this process no addresses, for it; what is made
 * can be touched without fear.
 *
 * Returns: (transfer full): a block, or %NULL with @error set
 */
MPROC_API MprocSharedMemory *
mproc_shared_memory_create (const char *name, gsize size, GError **error);

/**
 * mproc_shared_memory_open:
 * @name: the name
 * @min_size: how many bytes it has to have; 0: any number
 * @error: return location for an error
 *
 * Opens a block that some process has made.
 *
 * %MPROC_ERROR_NOT_FOUND: there is none of that name, or it has no size yet.  %MPROC_ERROR_INVALID: it
 * is smaller than @min_size, or the name cannot be one.  %MPROC_ERROR_NO_MEMORY: the system has no
 * room, or this process no addresses, for all of it.  %MPROC_ERROR_SYSTEM: among others, it belongs to
 * another user.
 *
 * Returns: (transfer full): a block, or %NULL with @error set
 */
MPROC_API MprocSharedMemory *
mproc_shared_memory_open (const char *name, gsize min_size, GError **error);

/**
 * mproc_shared_memory_ref:
 * @self: a block
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocSharedMemory *mproc_shared_memory_ref (MprocSharedMemory *self);

/**
 * mproc_shared_memory_unref:
 * @self: (transfer full) (nullable): a block
 *
 * Gives up a reference; the last one closes the block in this process.  Its name stays.
 */
MPROC_API void mproc_shared_memory_unref (MprocSharedMemory *self);

/**
 * mproc_shared_memory_get_name:
 * @self: a block
 *
 * Returns: (transfer none) (nullable): its name; %NULL if it has none
 */
MPROC_API const char *mproc_shared_memory_get_name (MprocSharedMemory *self);

/**
 * mproc_shared_memory_get_size:
 * @self: a block
 *
 * Returns: how many bytes it has; that of a block that was opened on Windows is rounded up to whole
 *   pages
 */
MPROC_API gsize mproc_shared_memory_get_size (MprocSharedMemory *self);

/**
 * mproc_shared_memory_get_data:
 * @self: a block
 * @size: (out) (optional): how many bytes
 *
 * Returns: (transfer none): where it lies, valid as long as @self
 */
MPROC_API gpointer mproc_shared_memory_get_data (MprocSharedMemory *self, gsize *size);

/**
 * mproc_shared_memory_unlink:
 * @self: a block
 * @error: return location for an error
 *
 * Takes its name away.  Any process may.  A name that is gone already, or is that of another block by
 * now, is %MPROC_ERROR_NOT_FOUND, a block that never had one %MPROC_ERROR_STATE.  On Windows it does
 * nothing.
 *
 * Returns: %TRUE if the name is gone by this call
 */
MPROC_API gboolean mproc_shared_memory_unlink (MprocSharedMemory *self, GError **error);

/**
 * MprocShareableList:
 *
 * A list of a fixed number of numbers, booleans, texts, bytes and nothings in a block of shared memory
 * with a name, laid out byte for byte as Python's `ShareableList`, so that Python programs can share it.
 *
 * Its items are values of the types `x` (Python's int), `d`, `b`, `s`, `ay` (Python's bytes) and `mv`
 * without content (Python's None, see mproc_is_nothing()).  An item may be replaced by one of another
 * type.  A text or bytes must fit where the first one lay: its length in bytes rounded up to the next
 * multiple of 8 that is larger, and less than 10 million.  As in Python, zero bytes at the end of texts
 * and bytes are lost.  A text of Python's with a zero byte within is %MPROC_ERROR_INVALID here.
 *
 * Where a text has letters outside of ASCII, Python makes room for as many bytes as it has letters, and
 * cuts off what does not fit; here there is room for all.  So such a list may be laid out otherwise than
 * Python does it, which both can read, and a text that Python has cut within a letter is
 * %MPROC_ERROR_INVALID.
 *
 * Nothing guards it: two processes that write one item at a time need a lock.  A list that another
 * program has made wrong, or cut short before it was opened, is told apart: %MPROC_ERROR_INVALID, and
 * nothing outside of the block is touched.  (A block that is cut short while it is open here is beyond
 * help on POSIX: the system ends whoever touches what is gone.)
 */
typedef struct MprocShareableList MprocShareableList;

/**
 * mproc_shareable_list_new:
 * @items: a tuple or an array of values, boxed (`v`) or not; any type of integer will do.  A floating
 *   reference is taken
 * @name: (nullable): as for mproc_shared_memory_create()
 * @error: return location for an error
 *
 * Makes a list.  A value of another type, or an integer beyond `x`, is %MPROC_ERROR_INVALID.
 *
 * Returns: (transfer full): a list, or %NULL with @error set
 */
MPROC_API MprocShareableList *
mproc_shareable_list_new (GVariant *items, const char *name, GError **error);

/**
 * mproc_shareable_list_open:
 * @name: the name of its block
 * @error: return location for an error
 *
 * Opens a list that some process has made, be it a Python program.  One that is still being made may
 * seem to have no items: its name is to be told when it is done.  Errors are those of
 * mproc_shared_memory_open(), and %MPROC_ERROR_INVALID for a block that holds no list.
 *
 * Returns: (transfer full): a list, or %NULL with @error set
 */
MPROC_API MprocShareableList *mproc_shareable_list_open (const char *name,
                                                         GError **error);

/**
 * mproc_shareable_list_ref:
 * @self: a list
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocShareableList *mproc_shareable_list_ref (MprocShareableList *self);

/**
 * mproc_shareable_list_unref:
 * @self: (transfer full) (nullable): a list
 *
 * Gives up a reference.
 */
MPROC_API void mproc_shareable_list_unref (MprocShareableList *self);

/**
 * mproc_shareable_list_get_memory:
 * @self: a list
 *
 * Returns: (transfer none): the block that it lies in, which has its name
 */
MPROC_API MprocSharedMemory *mproc_shareable_list_get_memory (MprocShareableList *self);

/**
 * mproc_shareable_list_get_length:
 * @self: a list
 *
 * Returns: how many items it has
 */
MPROC_API gsize mproc_shareable_list_get_length (MprocShareableList *self);

/**
 * mproc_shareable_list_get:
 * @self: a list
 * @index: which item; negative numbers count from the end
 * @error: return location for an error
 *
 * Copies one item out.  An index out of range is %MPROC_ERROR_INVALID.
 *
 * Returns: (transfer full): the item, or %NULL with @error set
 */
MPROC_API GVariant *
mproc_shareable_list_get (MprocShareableList *self, gssize index, GError **error);

/**
 * mproc_shareable_list_set:
 * @self: a list
 * @index: which item; negative numbers count from the end
 * @value: an item; a floating reference is taken
 * @error: return location for an error
 *
 * Replaces one item.  A text or bytes that do not fit are %MPROC_ERROR_TOO_LARGE; nothing is changed.
 *
 * Returns: %TRUE if it is replaced
 */
MPROC_API gboolean mproc_shareable_list_set (MprocShareableList *self,
                                             gssize index,
                                             GVariant *value,
                                             GError **error);

/**
 * mproc_shareable_list_count:
 * @self: a list
 * @value: an item; a floating reference is taken
 * @error: return location for an error
 *
 * Counts the items that are equal to @value; numbers and booleans are compared as Python does, so that
 * 1, 1.0 and true are the same.
 *
 * Returns: how many; -1 with @error set
 */
MPROC_API gssize mproc_shareable_list_count (MprocShareableList *self,
                                             GVariant *value,
                                             GError **error);

/**
 * mproc_shareable_list_index:
 * @self: a list
 * @value: an item; a floating reference is taken
 * @error: return location for an error
 *
 * Finds the first item equal to @value.  %MPROC_ERROR_NOT_FOUND: there is none.
 *
 * Returns: which one it is; -1 with @error set
 */
MPROC_API gssize mproc_shareable_list_index (MprocShareableList *self,
                                             GVariant *value,
                                             GError **error);

/**
 * mproc_shareable_list_get_format:
 * @self: a list
 * @error: return location for an error
 *
 * Tells how the items are packed, as Python's `format` does: `q`, `d`, `xxxxxxx?`, `xxxxxx?x` and
 * `8s`, `16s` and so on, one after the other.
 *
 * Returns: (transfer full): the formats, or %NULL with @error set
 */
MPROC_API char *mproc_shareable_list_get_format (MprocShareableList *self,
                                                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocSharedMemory, mproc_shared_memory_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocShareableList, mproc_shareable_list_unref)

G_END_DECLS

#endif
