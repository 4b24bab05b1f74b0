/* SPDX-License-Identifier: MIT */
/* A shared value is one item.  A single number is one word, which is read and written in one
 * piece, so that nobody sees half of what somebody else writes or adds without the lock. */
#include "family/classes.h"
#include "shared/items.h"

#include <mproc/shared.h>

struct MprocValue
{
  MprocItems items;
};

#define IS_VALUE(self) MPROC_OBJECT_IS (self, MPROC_KIND_VALUE)

static const MprocSlice whole = { 0, 1, 1 };

const MprocClass *
mproc_value_get_class (void)
{
  static const MprocClass value_class = {
    .name = "value",
    .kind = MPROC_KIND_VALUE,
    .open = mproc_items_open,
    .close = mproc_items_close,
    .destroy = mproc_items_destroy,
  };

  return &value_class;
}

/* ------------------------------------------------------------------ numbers */

/* '(' is none. */
static inline char
letter_of (MprocValue *self)
{
  return self->items.type[1];
}

static inline gboolean
is_number (MprocValue *self)
{
  return letter_of (self) != '(' && letter_of (self) != '{';
}

static inline MprocAtomic32 *
word32 (MprocValue *self)
{
  return (MprocAtomic32 *) (gpointer) self->items.data;
}

static inline MprocAtomic64 *
word64 (MprocValue *self)
{
  return (MprocAtomic64 *) (gpointer) self->items.data;
}

/* Numbers of 8 and 16 bits are the first part of a word of 32 bits, of which the rest is nobody's:
 * there are no smaller words that every machine can change in one step. */
static inline guint
part_bits (MprocValue *self)
{
  return (guint) self->items.size * 8;
}

static inline guint
part_shift (MprocValue *self)
{
  return G_BYTE_ORDER == G_LITTLE_ENDIAN ? 0 : 32 - part_bits (self);
}

static inline guint32
get_part (MprocValue *self, guint32 word)
{
  return word >> part_shift (self) & ((1u << part_bits (self)) - 1);
}

static inline guint32
with_part (MprocValue *self, guint32 word, guint32 part)
{
  guint32 mask = (1u << part_bits (self)) - 1;

  return (word & ~(mask << part_shift (self))) | (part & mask) << part_shift (self);
}

static guint64
load (MprocValue *self)
{
  if (self->items.size == 8)
    return mproc_load64 (word64 (self));
  if (self->items.size == 4)
    return mproc_load32 (word32 (self));
  return get_part (self, mproc_load32 (word32 (self)));
}

static void
store_part (MprocValue *self, guint32 part)
{
  guint32 word = mproc_load32 (word32 (self));

  while (!atomic_compare_exchange_weak (word32 (self), &word,
                                        with_part (self, word, part)))
    ;
}

static void
store (MprocValue *self, guint64 number)
{
  if (self->items.size == 8)
    mproc_store64 (word64 (self), number);
  else if (self->items.size == 4)
    mproc_store32 (word32 (self), (guint32) number);
  else
    store_part (self, (guint32) number);
}

static guint32
add_to_part (MprocValue *self, guint32 amount)
{
  guint32 word = mproc_load32 (word32 (self));

  while (!atomic_compare_exchange_weak (word32 (self), &word,
                                        with_part (self, word,
                                                   get_part (self, word) + amount)))
    ;
  return get_part (self, word);
}

typedef union
{
  guint64 bits;
  gdouble number;
} Double;

static GVariant *
to_variant (char letter, guint64 bits)
{
  switch (letter)
    {
    case 'b':
      return g_variant_new_boolean (bits != 0);
    case 'y':
      return g_variant_new_byte ((guint8) bits);
    case 'n':
      return g_variant_new_int16 ((gint16) bits);
    case 'q':
      return g_variant_new_uint16 ((guint16) bits);
    case 'i':
      return g_variant_new_int32 ((gint32) bits);
    case 'u':
      return g_variant_new_uint32 ((guint32) bits);
    case 'x':
      return g_variant_new_int64 ((gint64) bits);
    case 't':
      return g_variant_new_uint64 (bits);
    default:
      return g_variant_new_double ((Double){ .bits = bits }.number);
    }
}

static guint64
from_variant (char letter, GVariant *value)
{
  switch (letter)
    {
    case 'b':
      return g_variant_get_boolean (value) ? 1 : 0;
    case 'y':
      return g_variant_get_byte (value);
    case 'n':
      return (guint64) g_variant_get_int16 (value);
    case 'q':
      return g_variant_get_uint16 (value);
    case 'i':
      return (guint64) g_variant_get_int32 (value);
    case 'u':
      return g_variant_get_uint32 (value);
    case 'x':
      return (guint64) g_variant_get_int64 (value);
    case 't':
      return g_variant_get_uint64 (value);
    default:
      return (Double){ .number = g_variant_get_double (value) }.bits;
    }
}

/* ------------------------------------------------------------------ making */

static MprocValue *
make (const char *type, GVariant *initial, gpointer lock, GError **error)
{
  GVariant *normal = NULL;
  MprocValue *self;
  gsize size;

  if (!mproc_fixed_check (type, &size, error))
    return NULL;
  if (initial != NULL)
    normal = mproc_fixed_normal (initial, (const GVariantType *) type, error);
  if (initial != NULL && normal == NULL)
    return NULL;
  self = mproc_items_new (mproc_value_get_class (), type, 1, lock, error);
  if (self != NULL && normal != NULL)
    mproc_items_fill (&self->items, normal);
  g_clear_pointer (&normal, g_variant_unref);
  return self;
}

MprocValue *
mproc_value_new (const char *type, GVariant *initial, gpointer lock, GError **error)
{
  MprocValue *self;

  g_return_val_if_fail (type != NULL, NULL);
  g_return_val_if_fail (mproc_lockref_is_valid (lock), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (initial != NULL)
    g_variant_ref_sink (initial);
  self = make (type, initial, lock, error);
  g_clear_pointer (&initial, g_variant_unref);
  return self;
}

MprocValue *
mproc_value_ref (MprocValue *self)
{
  g_return_val_if_fail (IS_VALUE (self), NULL);

  return (MprocValue *) mproc_object_ref (&self->items.plain.object);
}

void
mproc_value_unref (MprocValue *self)
{
  g_return_if_fail (self == NULL || IS_VALUE (self));

  if (self != NULL)
    mproc_object_unref (&self->items.plain.object);
}

const char *
mproc_value_get_type_string (MprocValue *self)
{
  g_return_val_if_fail (IS_VALUE (self), NULL);

  return self->items.type + 1;
}

/* ------------------------------------------------------------------ the lock */

gpointer
mproc_value_get_lock (MprocValue *self)
{
  g_return_val_if_fail (IS_VALUE (self), NULL);

  return mproc_items_get_lock (&self->items);
}

MprocLockStatus
mproc_value_acquire (MprocValue *self, gint64 timeout_us)
{
  g_return_val_if_fail (IS_VALUE (self), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (MPROC_IS_TIMEOUT (timeout_us), MPROC_LOCK_STATUS_TIMED_OUT);
  g_return_val_if_fail (self->items.lock != 0, MPROC_LOCK_STATUS_TIMED_OUT);

  return mproc_items_acquire (&self->items, timeout_us);
}

gboolean
mproc_value_release (MprocValue *self, GError **error)
{
  g_return_val_if_fail (IS_VALUE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);
  g_return_val_if_fail (self->items.lock != 0, FALSE);

  return mproc_items_release (&self->items, error);
}

/* ------------------------------------------------------------------ reading and writing */

GVariant *
mproc_value_get (MprocValue *self)
{
  guint64 bits;

  g_return_val_if_fail (IS_VALUE (self), NULL);

  if (!is_number (self))
    return mproc_items_read (&self->items, &whole, mproc_items_item_type (&self->items),
                             NULL);
  mproc_items_hold (&self->items);
  bits = load (self);
  mproc_items_let_go (&self->items);
  return g_variant_ref_sink (to_variant (letter_of (self), bits));
}

static void
set (MprocValue *self, GVariant *normal)
{
  if (!is_number (self))
    {
      mproc_items_write (&self->items, &whole, normal);
      return;
    }
  mproc_items_hold (&self->items);
  store (self, from_variant (letter_of (self), normal));
  mproc_items_let_go (&self->items);
}

gboolean
mproc_value_set (MprocValue *self, GVariant *value, GError **error)
{
  GVariant *normal;

  g_return_val_if_fail (IS_VALUE (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_variant_ref_sink (value);
  normal = mproc_fixed_normal (value, mproc_items_item_type (&self->items), error);
  g_variant_unref (value);
  if (normal == NULL)
    return FALSE;
  set (self, normal);
  g_variant_unref (normal);
  return TRUE;
}

gpointer
mproc_value_get_data (MprocValue *self)
{
  g_return_val_if_fail (IS_VALUE (self), NULL);

  return self->items.data;
}

/* What it was before, as its type has it. */
static inline gint64
extend (char letter, guint32 number)
{
  if (letter == 'i')
    return (gint32) number;
  return letter == 'n' ? (gint16) number : (gint64) number;
}

gint64
mproc_value_add (MprocValue *self, gint64 amount)
{
  char letter;

  g_return_val_if_fail (IS_VALUE (self), 0);

  letter = letter_of (self);
  switch (letter)
    {
    case 'x':
    case 't':
      return (gint64) atomic_fetch_add_explicit (word64 (self), (guint64) amount,
                                                 memory_order_acq_rel);
    case 'i':
    case 'u':
      return extend (letter, mproc_add32 (word32 (self), (guint32) amount));
    case 'y':
    case 'n':
    case 'q':
      return extend (letter, add_to_part (self, (guint32) amount));
    default:
      g_return_val_if_fail (!"the value is a whole number", 0);
      return 0;
    }
}
