/* SPDX-License-Identifier: MIT */
/* Lets a process die at a point of src/crashpoint.h, and looks at what the others find.
 *
 * Each suite here has a list of points and a table of plans, one for each of them.  A plan names
 * a scene: what is made, what the doomed process does, what survivors do beside it, and what is
 * looked at when it is dead.  A new point is a line in the list, a line in the code, and a plan
 * here; a point without a plan, or one that the doomed process does not come to, fails. */
#ifndef MPROC_TEST_CRASH_H
#define MPROC_TEST_CRASH_H

#include "mproc-test.h"

#include "arena/arena.h"
#include "crashpoint.h"
#include "family/family.h"
#include "process/process.h"

#define CRASH_N_SURVIVORS 2
#define CRASH_N_BLOCKS 256

/* What those who live and those who die have in common, in the arena. */
typedef struct
{
  MprocAtomic32 stop;
  MprocAtomic32 armed; /* somebody is to die: this is no rehearsal */
  MprocAtomic32 go;
  MprocAtomic32 n_torn;
  MprocAtomic32 n_told; /* how often somebody was told of a death */
  MprocAtomic32 sent;   /* operations that came back */
  MprocAtomic32 taken;
  MprocAtomic32 waits;  /* how often somebody began to wait */
  MprocAtomic32 member; /* somebody else who is dead */
  MprocAtomic32 progress[CRASH_N_SURVIVORS];
  MprocAtomic64 deadline; /* when a doomed one gives up that never came to its point */
  MprocAtomic64 a, b;     /* equal, unless somebody is between the two */
  MprocAtomic64 blocks[CRASH_N_BLOCKS];
} CrashStage;

/* What is in use in the arena. */
typedef struct
{
  guint64 bytes; /* in blocks that are on no stack of free ones */
  guint n_entries;
  guint n_slots;
} CrashFigures;

typedef struct CrashTrial CrashTrial;

typedef struct
{
  void (*set_up) (CrashTrial *trial);    /* makes trial->object */
  MprocFunc doomed;                      /* ends by itself if it is not armed */
  MprocFunc survivor;                    /* NULL; ends once stop is set */
  void (*meanwhile) (CrashTrial *trial); /* NULL; when the doomed one has been started */
  void (*check) (CrashTrial *trial);
  gboolean at_birth; /* it is armed before it runs its target, and may not come to that */
} CrashScene;

/* What the dead one was doing has happened, as seen by others. */
typedef enum
{
  CRASH_NOTHING_MOVED,
  CRASH_PUT_MOVED, /* what it put is there */
  CRASH_GET_MOVED, /* what it got is gone */
  CRASH_OTHER_MOVED
} CrashMoved;

typedef enum
{
  CRASH_BY_ANY,
  CRASH_BY_FORK, /* or forkserver */
  CRASH_BY_SPAWN,
  CRASH_BY_RECORD /* spawn, forkserver */
} CrashMethod;

/* Which slot it gets, compared with the one who died first. */
typedef enum
{
  CRASH_ANY_SLOT,
  CRASH_SAME_SLOT,
  CRASH_OTHER_SLOT
} CrashSlot;

typedef struct
{
  MprocCrash at;
  const CrashScene *scene;
  guint passings;   /* dies at the first, the second, ... passing; 0: at the first only */
  MprocCrash first; /* somebody else dies there before, in the same scene */
  CrashMoved moved;
  guint lost_blocks;  /* of the arena, at most */
  guint lost_entries; /* of the object table, at most */
  guint lost_slots;   /* of the process table, at most */
  guint told;
  CrashMethod by;
  gboolean (*is_here) (void); /* NULL: on every system */
  CrashSlot slot;
} CrashPlan;

struct CrashTrial
{
  const CrashPlan *plan;
  int method; /* as mproc_test_method has it */
  guint passing;
  CrashFigures before;
  gpointer object; /* what all of them get; unreferenced at the end */
  MprocOffset offset;
  CrashStage *stage;
  MprocProcess *doomed; /* for what is done meanwhile */
  MprocProcess *other;  /* for the scene */
  guint more_blocks;    /* made in this trial, and there for good */
  guint more_entries;
  gint64 died;
  gint64 needed; /* from the death to when the others had gone on */
};

/* The test of the point @at, by every start method and at every passing. */
void crash_try (const CrashPlan *plans, guint n_plans, MprocCrash at);

/* What one of the processes has to do with. */
typedef struct
{
  CrashStage *stage;
  gpointer object;
  gint32 number; /* of a survivor, or -1 */
} CrashPart;

/* The first thing a doomed process or a survivor does; from here on it may die. */
gboolean crash_begin (GVariant *args, CrashPart *part, GError **error);

/* For the check: the others have gone on, from now on the clock does not count. */
void crash_has_gone_on (CrashTrial *trial);

/* Waits until @condition holds, some seconds at most; then as crash_has_gone_on. */
void crash_wait_until (CrashTrial *trial, gboolean (*condition) (CrashTrial *));

/* Says stop, and waits until the survivors have ended in good order. */
void crash_end_survivors (CrashTrial *trial);

/* Another process of the scene, armed or not. */
MprocProcess *crash_start (CrashTrial *trial,
                           MprocFunc func,
                           MprocCrash at,
                           guint passing,
                           gint number);

/* Whether to do the @round-th of equal rounds: until stop, and if doomed not for ever. */
gboolean crash_goes_on (const CrashPart *part, guint round);

/* In a process of the scene: yields until *word has one of the bits, or nobody cares any more;
 * or at most for an instant. */
void crash_wait_for_bits (CrashStage *stage, const MprocAtomic32 *word, guint32 bits);
void crash_wait_a_little (CrashStage *stage, const MprocAtomic32 *word, guint32 bits);

/* ------------------------------------------------------------------ figures.c */

/* Exact only while nobody does anything. */
CrashFigures crash_count (void);

/* Whether @bytes is what up to @n blocks have. */
gboolean crash_is_size_of_blocks (guint64 bytes, guint n);

/* Looks at every member, as others do in the course of time, and sweeps the dead. */
void crash_sweep (void);

/* After a sweep: slots and entries are as before, and no more than so many blocks are lost. */
void crash_check_figures (const CrashFigures *before, guint lost_blocks);

/* ------------------------------------------------------------------ a suite */

#define CRASH_TEST(name, state)                                                          \
  START_TEST (name) { crash_try (plans, G_N_ELEMENTS (plans), MPROC_CRASH_##name); }     \
  END_TEST

#define CRASH_ADD(name, state)                                                           \
  tcase_add_test (tcase, name);                                                          \
  crash_n_points++;

/* How many points have a test. */
extern guint crash_n_points;

/* A test for each point of the list @points, by the table `plans`. */
#define CRASH_SUITE(underscored, dashed, points)                                         \
  points (CRASH_TEST)                                                                    \
                                                                                         \
      Suite *mproc_test_##underscored##_suite (void)                                     \
  {                                                                                      \
    Suite *suite = suite_create (dashed);                                                \
    TCase *tcase = mproc_test_case (suite, dashed);                                      \
                                                                                         \
    points (CRASH_ADD) return suite;                                                     \
  }

#endif
