/* SPDX-License-Identifier: MIT */
#ifndef MPROC_SHARED_H
#define MPROC_SHARED_H

#include <mproc/lock.h>

G_BEGIN_DECLS

/**
 * MprocValue:
 *
 * One number, or one structure of fixed size, in shared memory, with or without a lock of its own.
 *
 * What it holds has a GVariant type of fixed size, as `i`, `d` or `(idy)`, and lies in memory as C
 * lays it out: a `gint32` for `i`, and for `(id)` a structure of a `gint32` and a `gdouble` (aligned
 * to 8 bytes, also where the C compiler aligns it to 4).  A boolean is one byte, where all but 0 is
 * true.  There is no `h`: objects are handed over in messages.  A type has 255 letters at most, and
 * tuples lie 64 deep in each other at most.
 *
 * Python's type codes, and what stands for them: `c` and `B`: `y`; `b`, a signed byte: `y` and a cast
 * (`b` is a boolean here); `h`: `n`; `H`: `q`; `i`: `i`; `I`: `u`; `l` and `L`: `i` and `u`, or `x` and
 * `t`, whichever is as long as C's long; `q`: `x`; `Q`: `t`; `d`: `d`; `u`, a wide character: `q` or `u`,
 * whichever is as wide as `wchar_t`.  A `float` (`f`) has no type: `u` and a pointer to `float` will
 * do.  What Python calls `value` and `raw` of an array of `c` is the memory at its data.
 *
 * Functions that hold the lock while they copy wait for it without a bound of time, except for a
 * holder that has died, and do not tell that there was one: who wants to know acquires the lock
 * itself, see %MPROC_LOCK_STATUS_RECOVERED.  In a thread that holds an #MprocRLock, the own lock
 * too, they simply go on; with an #MprocLock that the caller holds already they wait for ever.
 *
 * Without the lock, whoever reads while another one writes may find half of a structure, but never
 * half of a number: a single one is read and written in one piece.
 *
 * Values are handed to other processes in values, see mproc_pack(), and take their lock with them.
 * Any thread of any process that holds a reference may call anything.
 */
typedef struct MprocValue MprocValue;

/**
 * mproc_value_new:
 * @type: a type of fixed size
 * @initial: (nullable): of that type; a floating reference is taken.  %NULL: zeros
 * @lock: (nullable) (transfer none): the #MprocLock or #MprocRLock that guards it, %MPROC_OWN_LOCK for
 *   a new one, or %NULL for none: Python's RawValue
 * @error: return location for an error
 *
 * Makes a shared value.  A type that is none, or not of fixed size, or an @initial of another type is
 * %MPROC_ERROR_INVALID.  A @lock that is none of these is the caller's mistake.
 *
 * Returns: (transfer full): a value, or %NULL with @error set: also %MPROC_ERROR_NO_MEMORY, or
 *   %MPROC_ERROR_BOOTSTRAP in a child that has not passed mproc_init()
 */
MPROC_API MprocValue *
mproc_value_new (const char *type, GVariant *initial, gpointer lock, GError **error);

/**
 * mproc_value_ref:
 * @self: a value
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocValue *mproc_value_ref (MprocValue *self);

/**
 * mproc_value_unref:
 * @self: (transfer full) (nullable): a value
 *
 * Gives up a reference.
 */
MPROC_API void mproc_value_unref (MprocValue *self);

/**
 * mproc_value_get_type_string:
 * @self: a value
 *
 * Returns: (transfer none): its type
 */
MPROC_API const char *mproc_value_get_type_string (MprocValue *self);

/**
 * mproc_value_get_lock:
 * @self: a value
 *
 * Returns: (transfer none) (nullable): its lock, an #MprocLock or #MprocRLock, valid as long as
 *   @self; %NULL if it has none
 */
MPROC_API gpointer mproc_value_get_lock (MprocValue *self);

/**
 * mproc_value_acquire:
 * @self: a value
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Acquires its lock.  A value without one is the caller's mistake.
 *
 * Returns: whether it was acquired, and how
 */
MPROC_API MprocLockStatus mproc_value_acquire (MprocValue *self, gint64 timeout_us);

/**
 * mproc_value_release:
 * @self: a value
 * @error: return location for an error
 *
 * Releases its lock, as mproc_lock_release() or mproc_rlock_release(), with their errors.
 *
 * Returns: %TRUE if it was released
 */
MPROC_API gboolean mproc_value_release (MprocValue *self, GError **error);

/**
 * mproc_value_get:
 * @self: a value
 *
 * Copies it out, with its lock held if it has one.
 *
 * Returns: (transfer full): what it holds, in normal form whatever lies there
 */
MPROC_API GVariant *mproc_value_get (MprocValue *self);

/**
 * mproc_value_set:
 * @self: a value
 * @value: of its type; a floating reference is taken
 * @error: return location for an error
 *
 * Copies @value in, with the lock held if there is one.  A value of another type is
 * %MPROC_ERROR_INVALID.
 *
 * Returns: %TRUE if it is set
 */
MPROC_API gboolean mproc_value_set (MprocValue *self, GVariant *value, GError **error);

/**
 * mproc_value_get_data:
 * @self: a value
 *
 * Where it lies.  Nothing guards what is read and written there but what the caller does.
 *
 * Returns: (transfer none): aligned to 16 bytes, valid as long as @self
 */
MPROC_API gpointer mproc_value_get_data (MprocValue *self);

/**
 * mproc_value_add:
 * @self: a value of one of the types `y`, `n`, `q`, `i`, `u`, `x`, `t`
 * @amount: what to add
 *
 * Adds in one indivisible step, without the lock: wraps around as unsigned numbers do.  Only for values
 * that everybody changes by this function.  Another type is the caller's mistake.
 *
 * Returns: what it was before; of a `t` above %G_MAXINT64, the same bits
 */
MPROC_API gint64 mproc_value_add (MprocValue *self, gint64 amount);

/**
 * MprocArray:
 *
 * Many numbers or structures of one type, in shared memory, with or without a lock of its own.
 * Otherwise as #MprocValue, but that its numbers are read and written in any pieces.
 *
 * It is where its items are: no process that it is handed to gets a copy, and on POSIX the memory of a
 * large one goes back to the system when nobody holds it any more.
 */
typedef struct MprocArray MprocArray;

/**
 * mproc_array_new:
 * @type: the type of one item, of fixed size
 * @length: how many items, at least 1; with @items it may be 0: as many as those
 * @items: (nullable): an array of that type, copied to the front; a floating reference is taken.
 *   What it does not fill is zeros
 * @lock: (nullable) (transfer none): as for mproc_value_new(); %NULL is Python's RawArray
 * @error: return location for an error
 *
 * Makes a shared array.  No item at all, more @items than @length, or a wrong type is
 * %MPROC_ERROR_INVALID.
 *
 * Returns: (transfer full): an array, or %NULL with @error set: as mproc_value_new()
 */
MPROC_API MprocArray *mproc_array_new (const char *type,
                                       gsize length,
                                       GVariant *items,
                                       gpointer lock,
                                       GError **error);

/**
 * mproc_array_ref:
 * @self: an array
 *
 * Returns: (transfer full): @self
 */
MPROC_API MprocArray *mproc_array_ref (MprocArray *self);

/**
 * mproc_array_unref:
 * @self: (transfer full) (nullable): an array
 *
 * Gives up a reference.
 */
MPROC_API void mproc_array_unref (MprocArray *self);

/**
 * mproc_array_get_type_string:
 * @self: an array
 *
 * Returns: (transfer none): the type of one item
 */
MPROC_API const char *mproc_array_get_type_string (MprocArray *self);

/**
 * mproc_array_get_length:
 * @self: an array
 *
 * Returns: how many items it has
 */
MPROC_API gsize mproc_array_get_length (MprocArray *self);

/**
 * mproc_array_get_lock:
 * @self: an array
 *
 * Returns: (transfer none) (nullable): its lock, valid as long as @self; %NULL if it has none
 */
MPROC_API gpointer mproc_array_get_lock (MprocArray *self);

/**
 * mproc_array_acquire:
 * @self: an array
 * @timeout_us: how long to wait, in microseconds, or %MPROC_FOREVER
 *
 * Acquires its lock.  An array without one is the caller's mistake.
 *
 * Returns: whether it was acquired, and how
 */
MPROC_API MprocLockStatus mproc_array_acquire (MprocArray *self, gint64 timeout_us);

/**
 * mproc_array_release:
 * @self: an array
 * @error: return location for an error
 *
 * Releases its lock, as mproc_lock_release() or mproc_rlock_release(), with their errors.
 *
 * Returns: %TRUE if it was released
 */
MPROC_API gboolean mproc_array_release (MprocArray *self, GError **error);

/**
 * mproc_array_get_data:
 * @self: an array
 * @length: (out) (optional): how many items
 *
 * Where the items lie, one after the other.  Nothing guards what is read and written there but what
 * the caller does.
 *
 * Returns: (transfer none): aligned to 16 bytes, to 64 if they are as many, and to a page if they are
 *   16 pages; valid as long as @self
 */
MPROC_API gpointer mproc_array_get_data (MprocArray *self, gsize *length);

/**
 * mproc_array_get:
 * @self: an array
 * @index: which item; negative numbers count from the end
 * @error: return location for an error
 *
 * Copies one item out, with the lock held if there is one, in normal form whatever lies there.  An
 * index out of range is %MPROC_ERROR_INVALID.
 *
 * Returns: (transfer full): the item, or %NULL with @error set
 */
MPROC_API GVariant *mproc_array_get (MprocArray *self, gssize index, GError **error);

/**
 * mproc_array_set:
 * @self: an array
 * @index: which item; negative numbers count from the end
 * @value: of the items' type; a floating reference is taken
 * @error: return location for an error
 *
 * Copies one item in, with the lock held if there is one.  An index out of range, or a value of another
 * type, is %MPROC_ERROR_INVALID.
 *
 * Returns: %TRUE if it is set
 */
MPROC_API gboolean mproc_array_set (MprocArray *self,
                                    gssize index,
                                    GVariant *value,
                                    GError **error);

/**
 * MPROC_SLICE_END:
 *
 * As the end of a slice: that of the array.
 */
#define MPROC_SLICE_END G_MAXSSIZE

/**
 * mproc_array_get_slice:
 * @self: an array
 * @start: the first item
 * @stop: the one behind the last, or %MPROC_SLICE_END
 * @step: the distance from one to the next, not 0
 * @error: return location for an error
 *
 * Copies items out, with the lock held if there is one: Python's `array[start:stop:step]`, with its
 * rules for negative numbers and for what lies outside.  For a negative @step that goes down to the
 * first item, @stop is %G_MINSSIZE.  A @step of 0 is %MPROC_ERROR_INVALID; no memory for the copy is
 * %MPROC_ERROR_NO_MEMORY.
 *
 * Returns: (transfer full): an array of the items' type, or %NULL with @error set
 */
MPROC_API GVariant *mproc_array_get_slice (MprocArray *self,
                                           gssize start,
                                           gssize stop,
                                           gssize step,
                                           GError **error);

/**
 * mproc_array_set_slice:
 * @self: an array
 * @start: the first item
 * @stop: the one behind the last, or %MPROC_SLICE_END
 * @step: the distance from one to the next, not 0
 * @items: an array of the items' type, with as many items as the slice; a floating reference is taken
 * @error: return location for an error
 *
 * Copies items in, with the lock held if there is one.  Another number of items, another type, or a
 * @step of 0 is %MPROC_ERROR_INVALID, and nothing is changed.
 *
 * Returns: %TRUE if they are set
 */
MPROC_API gboolean mproc_array_set_slice (MprocArray *self,
                                          gssize start,
                                          gssize stop,
                                          gssize step,
                                          GVariant *items,
                                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocValue, mproc_value_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MprocArray, mproc_array_unref)

G_END_DECLS

#endif
