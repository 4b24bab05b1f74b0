/* SPDX-License-Identifier: MIT */
/* What the suites about lists share: a list that Python has made, and how to make it. */
#ifndef MPROC_TEST_LISTS_H
#define MPROC_TEST_LISTS_H

#include "processes.h"

#define MPROC_LIST_N_ITEMS 12
#define MPROC_LIST_SIZE 332
#define MPROC_LIST_FORMAT "qqdxxxxxxx?xxxxxxx?xxxxxx?x8s16s8s8s16s8s"
#define MPROC_LIST_CHANGED_FORMAT "8sxxxxxx?x8sqdxxxxxx?xxxxxxxx?16s8s8s16s8s"

/* The list, the same list after changes that lists.c tells of, and one without items. */
extern const guint8 mproc_list_python[MPROC_LIST_SIZE];
extern const guint8 mproc_list_python_changed[MPROC_LIST_SIZE];
extern const guint8 mproc_list_python_empty[16];

/* Whether these are right for this machine: another arrangement of bytes has vectors of its
 * own, which nobody has made. */
gboolean mproc_list_has_vectors (void);

/* Values, all of them floating: bytes, nothing, the @i-th item of the list, all of them. */
GVariant *mproc_list_bytes (const char *data, gsize size);
GVariant *mproc_list_nothing (void);
GVariant *mproc_list_item (guint i);
GVariant *mproc_list_items (void);

MprocShareableList *mproc_list_create (GVariant *items);

/* Unlinks it too. */
void mproc_list_drop (MprocShareableList *list);

/* The item is @wanted, or the integer of type x that is as large. */
void mproc_list_expect_item (MprocShareableList *list, gssize index, GVariant *wanted);
void mproc_list_expect_format (MprocShareableList *list, const char *wanted);

/* Its block is these bytes. */
void mproc_list_expect_bytes (MprocShareableList *list, gconstpointer wanted, gsize size);

#endif
