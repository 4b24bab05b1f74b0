/* SPDX-License-Identifier: MIT */
/* Numbered places in the code where a process of the tests can die.
 *
 *   MPROC_CRASH_POINT (PUT_COUNTED);
 *
 * stands between two steps of a protocol, and is nothing unless the library is compiled with
 * MPROC_CRASH_POINTS.  Then a process that was armed ends there at once, as SIGKILL would end
 * it.  Each place is listed here with the state that a death there leaves; the suites in
 * tests/crash have a test for each, and fail for one that has none.
 *
 * A process is armed by mproc_crash_arm, or by MPROC_CRASH_AT=NAME or NAME:PASSING in its
 * environment. */
#ifndef MPROC_CRASHPOINT_H
#define MPROC_CRASHPOINT_H

#include <glib.h>

G_BEGIN_DECLS

/* clang-format off: tables */

/* Lock words, and who owns a recursive lock. */
#define MPROC_CRASH_LOCK_POINTS(POINT)                                                   \
  POINT (LOCK_ACQUIRED, "a lock is held, and nothing has been done under it")            \
  POINT (LOCK_ACQUIRED_SLOWLY,                                                           \
         "the same after a sleep: the word says that others may wait")                   \
  POINT (LOCK_ANNOUNCED, "the word says that somebody waits, who does not sleep yet")    \
  POINT (LOCK_WOKEN, "one who was perhaps woken for a lock has not taken it")            \
  POINT (LOCK_TAKING_OVER, "a dead owner has been found, its lock not taken over")       \
  POINT (LOCK_TAKEN_OVER,                                                                \
         "a dead owner's lock is held by one who has not repaired anything")             \
  POINT (LOCK_RELEASED, "a lock is free, its waiters asleep: nobody was woken")          \
  POINT (LOCKWORD_RELEASED, "the same of a lock that only its owner releases")           \
  POINT (RLOCK_ACQUIRED, "the word names a member, and the rest none of its threads")    \
  POINT (RLOCK_NAMED, "a thread is named, how often it holds the lock is not stored")    \
  POINT (RLOCK_LEFT, "the thread has let go, the word still names its member")

/* Sleepers, and the objects that are little more than a word with sleepers. */
#define MPROC_CRASH_WAIT_POINTS(POINT)                                                   \
  POINT (SLEEPER_ANNOUNCED, "the flag says that somebody sleeps, who does not")          \
  POINT (SLEEPER_WOKEN, "one who was woken has not set the flag again for the others")   \
  POINT (SLEEPER_CLEARED, "a waker has cleared the flag, and woken nobody")              \
  POINT (EVENT_SET, "an event is set, its waiters have not been woken")                  \
  POINT (EVENT_AWAITED, "an event says that somebody sleeps, who does not")              \
  POINT (SEMAPHORE_TAKEN, "a unit is taken, which its taker never had")                  \
  POINT (SEMAPHORE_GIVEN, "a unit is given, and nobody woken for it")                    \
  POINT (HOLDINGS_LOCKED, "the lock over a semaphore's holdings is held")                \
  POINT (HOLDINGS_INHERITED,                                                             \
         "what the slot's last member had is cleared, not in the value")                 \
  POINT (HOLDINGS_TAKEN, "a unit is noted as taken, and still in the value")             \
  POINT (HOLDINGS_TAKEN_ALL, "noted and out of the value, under the lock")               \
  POINT (HOLDINGS_GIVEN, "a unit is noted as given back, and not in the value")          \
  POINT (HOLDINGS_GIVEN_ALL, "noted and in the value, under the lock")                   \
  POINT (HOLDINGS_RESTORED, "a dead member's units are cleared, and not in the value")

/* The parking array, where there are no words that processes share. */
#define MPROC_CRASH_PARKING_POINTS(POINT)                                                \
  POINT (PARKING_LEASED, "an entry is leased, and may lie beyond what wakers look at")   \
  POINT (PARKING_PUBLISHED, "an entry names a word, and nobody sleeps on its semaphore") \
  POINT (PARKING_POSTED, "one who was posted has not gone on: the token is eaten")       \
  POINT (PARKING_CLEARED, "an entry was cleared by a waker who has not posted")          \
  POINT (PARKING_WOKE, "an entry was posted by a waker who looks for more")

/* Conditions: the list of waiters. */
#define MPROC_CRASH_CONDITION_POINTS(POINT)                                              \
  POINT (WAITER_GUARDED, "the intent names a waiter's block, which is in no list")       \
  POINT (WAITER_NUMBERED, "a waiter is counted, the list's guard held")                  \
  POINT (WAITER_UNGUARDED, "a waiter's block is in nobody's books")                      \
  POINT (WAITER_LINKED, "a waiter is behind the last one, which the list does not know") \
  POINT (WAITER_LISTED, "a waiter is in the list, the guard held")                       \
  POINT (WAITER_JOINED, "the same, the guard is free; the condition's lock is held")     \
  POINT (WAITER_WOKEN, "one who was perhaps notified has not said so to anybody")        \
  POINT (WAITER_UNLINKED, "a waiter's block is in no list, and perhaps the list's last") \
  POINT (WAITER_OUT, "the same, and the list is whole")                                  \
  POINT (WAITER_FREED, "the block is free, the guard held")                              \
  POINT (NOTIFY_LIMITED, "a waiter has a limit, and no notification")                    \
  POINT (NOTIFY_MARKED, "a waiter is notified, and asleep; the guard is held")           \
  POINT (NOTIFY_PASSED_ON, "a dead one's notification is another's as well")             \
  POINT (NOTIFY_DONE, "all are notified, nobody was woken, the guard is held")           \
  POINT (NOTIFY_RELEASED, "the same, and the guard is free")

/* Barriers. */
#define MPROC_CRASH_BARRIER_POINTS(POINT)                                                \
  POINT (ROUND_ARRIVED, "one has an entry, perhaps the last, and has not looked")        \
  POINT (ROUND_FULL, "all have come, and who is to finish the round does nothing")       \
  POINT (ROUND_ACTED, "the action was run, the round is not over")                       \
  POINT (ROUND_TOLD, "those of the round before are told, this one is not over")         \
  POINT (ROUND_MOVED, "the next round has begun, no bell has rung")                      \
  POINT (ROUND_RANG, "a bell's word has changed, nobody was woken")                      \
  POINT (ROUND_PASSED, "one who has seen the end has its entry still")                   \
  POINT (ROUND_LEFT, "an entry is free, nobody who waits for one was told")

/* Memory with a name, where a guardian sees to the end of the name. */
#define MPROC_CRASH_SHARED_POINTS(POINT)                                                 \
  POINT (SHARED_NOTED, "the guardian knows a name that is not there")                    \
  POINT (SHARED_NAMED, "the name is there, its block unknown to the guardian")           \
  POINT (SHARED_KNOWN, "the block is known to the guardian, and has no size")            \
  POINT (SHARED_MAPPED, "the block is mapped, and nobody's object")

/* The producers' side of queues. */
#define MPROC_CRASH_PUT_POINTS(POINT)                                                    \
  POINT (PUT_BLOCK_MADE, "a block for a long item is in nobody's books")                 \
  POINT (PUT_BLOCK_GUARDED,                                                              \
         "the intent names the block of a long item, which is its maker's")              \
  POINT (PUT_LOCKED, "the producers' lock is held")                                      \
  POINT (PUT_ROOM_FOUND, "room has been found, nothing is written")                      \
  POINT (GIVE_NUMBERED, "a record's number is stored as that of a block, and no block")  \
  POINT (GIVE_NOTED, "a block is noted as being given, and is still its maker's")        \
  POINT (GIVE_OWNED, "a block is half given: its maker's sweep does not free it")        \
  POINT (PUT_CLEARED, "payload written, the unit behind it cleared, no header")          \
  POINT (PUT_WRAPPED, "a record at the chunk's start is whole, no SKIP leads there")     \
  POINT (PUT_PUBLISHED, "the record is there, and counted nowhere")                      \
  POINT (PUT_COUNTED, "the record is counted, the tail is before it")                    \
  POINT (GIVE_CLEARED, "a published record's block is named by the intent, too")         \
  POINT (GIVE_FINISHED, "a repairer has freed a half given block, which is noted still") \
  POINT (PUT_DONE, "the record is there, the lock held")                                 \
  POINT (PUT_RELEASED, "the record is there, nobody was woken")                          \
  POINT (PUT_WOKE, "getters were woken, the next putter not")                            \
  POINT (TASK_DONE, "the last task is done, those who join are not woken")

/* Links between the chunks of a queue, and what repairs them. */
#define MPROC_CRASH_LINK_POINTS(POINT)                                                   \
  POINT (LINK_CHUNK_MADE, "a new chunk is in nobody's books")                            \
  POINT (LINK_GUARDED, "the intent names the new chunk")                                 \
  POINT (LINK_NOTED, "link_at says where the LINK will be, the tail is there")           \
  POINT (LINK_UNGUARDED, "the new chunk is in nobody's books again")                     \
  POINT (LINK_MOVED, "the tail is in the new chunk, no LINK leads there")                \
  POINT (LINK_PUBLISHED, "the LINK is there, link_at not cleared")                       \
  POINT (LINK_DONE, "the link is whole, the record that wanted room is not there")       \
  POINT (LINK_REPAIRED, "a repairer has published the LINK, link_at is not cleared")     \
  POINT (LINK_FORGOTTEN, "a repairer has cleared link_at, and not walked")               \
  POINT (PUT_RECOUNTED, "a repairer has stored the count, the tail is behind it")        \
  POINT (PUT_REPAIRED, "a repairer has stored count and tail")                           \
  POINT (FOLLOW_MOVED, "the head is in the next chunk, the old one in nobody's books")   \
  POINT (FOLLOW_SPARED, "the old chunk is the spare, the old spare in nobody's books")

/* The consumers' side. */
#define MPROC_CRASH_GET_POINTS(POINT)                                                    \
  POINT (GET_LOCKED, "the consumers' lock is held")                                      \
  POINT (GET_PEEKED, "an item has been seen")                                            \
  POINT (GET_COPIED, "an item has been copied, the head is before it")                   \
  POINT (GET_CLAIMED, "a task is claimed, the head is before it")                        \
  POINT (GET_COUNTED, "an item is counted as taken, the head is before it")              \
  POINT (TAKE_OWNED, "a block is a consumer's, and its record at the head")              \
  POINT (TAKE_NOTED, "a block is noted as being taken, its record is at the head")       \
  POINT (TAKE_MOVED, "the head is behind the record, only the note names the block")     \
  POINT (TAKE_GUARDED, "the note names the block, and so does the intent or a loan")     \
  POINT (TAKE_CLEARED, "the intent or a loan alone names the block")                     \
  POINT (TAKE_FINISHED, "a repairer has freed the block, which is noted still")          \
  POINT (GET_MOVED, "an item is taken, the lock held")                                   \
  POINT (GET_RELEASED, "an item is taken, putters and other getters not woken")          \
  POINT (GET_BLOCK_COPIED, "a block has been copied, and is not free")                   \
  POINT (GET_BLOCK_DISOWNED, "a block that was copied is no one's, and not free")        \
  POINT (LOAN_CELLS_MADE, "a segment of cells for loans is in nobody's books")           \
  POINT (LOAN_CELLS_LISTED, "a segment is in its process's list, and has no loan")       \
  POINT (LOAN_DISOWNED, "a block that was lent is no one's, and not free")               \
  POINT (GET_REPAIRED, "a repairer has counted again")

/* The end of a queue. */
#define MPROC_CRASH_SHUTDOWN_POINTS(POINT)                                               \
  POINT (SHUTDOWN_ENDED, "no more puts, the producers' lock held")                       \
  POINT (SHUTDOWN_RELEASED, "no more puts, nobody was told")                             \
  POINT (SHUTDOWN_KEPT, "how many were taken before is stored, dropping is not")         \
  POINT (SHUTDOWN_DROPPING, "dropping is stored, all items are there")                   \
  POINT (SHUTDOWN_MOVED,                                                                 \
         "an item is behind the head, and what it held in nobody's books")               \
  POINT (SHUTDOWN_DROPPED, "all is dropped, the lock held")                              \
  POINT (SHUTDOWN_WOKE_SOME, "getters were woken, putters and joiners not")

/* The allocator. */
#define MPROC_CRASH_ALLOC_POINTS(POINT)                                                  \
  POINT (ALLOC_POPPED, "a free block is off its stack, in nobody's books")               \
  POINT (ALLOC_RESERVED, "pages are there, the watermark does not say so")               \
  POINT (ALLOC_COMMITTED, "the watermark is raised, the bump pointer is not moved")      \
  POINT (ALLOC_CARVED, "the bump pointer is moved, the block in nobody's books")         \
  POINT (ALLOC_UNKEPT, "a large block is counted as kept no more, and still free")       \
  POINT (ALLOC_RECOMMITTED, "a punched block has its pages again, and is still punched") \
  POINT (ALLOC_CLASSED, "the block knows its class, and not that it is used")            \
  POINT (FREE_DISOWNED, "a block has no owner, and is not free")                         \
  POINT (FREE_MARKED, "a block is free, on no stack")                                    \
  POINT (FREE_LINKED, "a free block names the next one, and is on no stack")             \
  POINT (PUNCH_DONE, "a free block's pages are given back, its state does not say so")   \
  POINT (PUNCH_MARKED, "a punched block is on no stack, and counted as kept")

/* Objects: their entries, their holders, what is in flight, function tickets. */
#define MPROC_CRASH_OBJECT_POINTS(POINT)                                                 \
  POINT (ENTRY_CLAIMED, "an entry is being made by nobody")                              \
  POINT (ENTRY_FILLED, "an entry has its body, and no holder")                           \
  POINT (ENTRY_HELD, "an entry has a holder, and is not live")                           \
  POINT (ENTRY_LIVE, "an entry is live, its creator does not know")                      \
  POINT (HOLDER_SET, "a member's bit is set, and the count of moves not raised")         \
  POINT (HOLDER_TAKEN,                                                                   \
         "a member's bit is set, it has not looked whether the entry lives")             \
  POINT (HOLDER_DROPPED, "the last bit is cleared, nobody has destroyed the object")     \
  POINT (SEND_COUNTED, "a message is counted that is nowhere")                           \
  POINT (SEND_MOVED, "the same, and the count of moves raised")                          \
  POINT (MESSAGE_OPENED, "a value's objects are open, and counted as in flight still")   \
  POINT (MESSAGE_DROPPED, "in flight no more, and open")                                 \
  POINT (DROP_COUNTED, "the last message is gone, nobody has destroyed the object")      \
  POINT (DESTROY_BEGUN, "an entry is being destroyed by nobody")                         \
  POINT (DESTROY_FREED, "the body is free, the entry still names it")                    \
  POINT (DESTROY_CLEARED, "the entry names no body, and is not free")                    \
  POINT (TICKET_FILLED, "a function's ticket is in nobody's books")                      \
  POINT (TICKET_COUNTED, "its entry is held for ever, and not live")                     \
  POINT (TICKET_LIVE, "its entry is live, its maker does not know")

/* The process table, and the sweep of the dead. */
#define MPROC_CRASH_FAMILY_POINTS(POINT)                                                 \
  POINT (SLOT_CLAIMED, "a slot is STARTING, and has no starter")                         \
  POINT (SLOT_RESERVED, "a slot is STARTING, nobody was started")                        \
  POINT (SLOT_LEFT_CODE, "the exit code is there, the member LIVE")                      \
  POINT (SLOT_LEFT, "the member is LEAVING, its process has not ended by itself")        \
  POINT (BURY_MARKED, "a slot is DEAD, and nobody sweeps it")                            \
  POINT (SWEEP_CLAIMED, "a slot is DEAD, its sweeper too")                               \
  POINT (SWEEP_BIT_DROPPED,                                                              \
         "the dead one's bit is off an entry, nobody has looked at that")                \
  POINT (SWEEP_HELD, "the dead one holds nothing any more, its intent is there")         \
  POINT (SWEEP_INTENT_FREED, "the intent's block is free, and named still")              \
  POINT (SWEEP_LOANS_OF_SEGMENT, "what a segment's loans named is free")                 \
  POINT (SWEEP_SEGMENT_TAKEN, "a segment is off the list, in nobody's books")            \
  POINT (SWEEP_LOANS_FREED, "there are no more loans, the slot is not empty")            \
  POINT (SWEEP_EMPTIED, "the slot names nobody, and is still DEAD")                      \
  POINT (SWEEP_FREED, "the slot is free, its sweeper still noted")                       \
  POINT (START_RECORDED, "a start record that no child knows")                           \
  POINT (START_SPAWNED, "a child is about to read a record, its starter is dead")

/* Those that a child passes before it runs its target. */
#define MPROC_CRASH_BIRTH_POINTS(POINT)                                                  \
  POINT (BIRTH_FORKED, "a forked child has not entered its slot")                        \
  POINT (BIRTH_ENTERED, "its slot is LIVE, and names no process")                        \
  POINT (BIRTH_NAMED, "its slot is LIVE and names it, nobody was woken")                 \
  POINT (BIRTH_LOADED, "a spawned child knows its part, and has not reported")           \
  POINT (BIRTH_REPORTED, "it has reported, and woken nobody")

/* Notes of how a forkserver's children have ended. */
#define MPROC_CRASH_NOTE_POINTS(POINT)                                                   \
  POINT (NOTE_MADE, "a note is in nobody's books")                                       \
  POINT (NOTE_TAKEN, "a note is the server's, and says nothing")                         \
  POINT (NOTE_WRITTEN, "a note says it all, and is the server's")                        \
  POINT (NOTE_PASSED_ON, "a note is its owner's again, whom nobody has woken")

/* Batches: what workers do with parts of maps. */
#define MPROC_CRASH_BATCH_POINTS(POINT)                                                  \
  POINT (BATCH_ENTERED, "a seat names a batch, whose record is still in the queue")      \
  POINT (BATCH_JOINED, "a region is a worker's, who has claimed nothing there")          \
  POINT (PART_CLAIMED, "a part is a worker's, the region's hint does not say so")        \
  POINT (PART_HINTED, "a part is a worker's, and not in its seat")                       \
  POINT (PART_BEGUN, "a part is in the seat, the function has not been called")          \
  POINT (SHARE_ANNOUNCED, "parts may be anywhere, and nothing is shared out")            \
  POINT (SHARE_BEGUN,                                                                    \
         "a part's last words are parts of their own, others still its own")             \
  POINT (SHARE_DONE, "all behind a part's first words is shared out, nobody was told")   \
  POINT (TAPE_MADE, "a block for results is in nobody's books")                          \
  POINT (TAPE_LINKED, "a block for results is the batch's, and nothing is in it")        \
  POINT (VALUES_COPIED, "a part's results are on the tape, and not its outcome")         \
  POINT (VALUES_STORED, "a part has its outcome, the seat says it runs still")           \
  POINT (PART_LEFT, "the function has come back for all of a part, which is not done")   \
  POINT (PART_ERROR_MADE, "a part's error is in nobody's books")                         \
  POINT (PART_ERROR_KEPT, "a part's error is the batch's, the part is not done")         \
  POINT (PART_FINISHED, "a part is done, which is not counted")                          \
  POINT (BATCH_COUNTED, "what a worker has done is counted, its seat names the batch")   \
  POINT (BATCH_LEFT, "a seat names no batch any more, nobody was told")

/* Pools: workers, and the crew in its nursery. */
#define MPROC_CRASH_POOL_POINTS(POINT)                                                   \
  POINT (TASK_CLAIMED, "a task is a worker's, and its record still in the queue")        \
  POINT (TASK_TAKEN, "the record is gone, the task has not been begun")                  \
  POINT (TASK_BEGUN, "an attempt is counted, the function has not been called")          \
  POINT (TASK_LEFT, "the function has come back, nothing of that is in the task")        \
  POINT (OUTCOME_STORED, "the outcome is in the task, which is not done")                \
  POINT (TASK_TOLD, "the task is done, no event says so")                                \
  POINT (SEAT_MADE, "a seat is in nobody's books")                                       \
  POINT (SEAT_TOLD, "a seat is the pool's, there is no worker for it")                   \
  POINT (WORKER_STARTED, "a worker has been started, the crew does not know it")         \
  POINT (CONDEMNED_KILLED, "a worker that lost its task is killed, nobody has told")     \
  POINT (DEATH_TOLD, "a death is told, the crew has the worker still")                   \
  POINT (SPARE_STARTED, "a spare has been forked, the crew does not know it")            \
  POINT (SPARE_SEATED, "a seat is the spare's, which has not been called")               \
  POINT (SPARE_CALLED, "a spare is called, and neither woken nor a worker to the crew")

#define MPROC_CRASH_ALL_POINTS(POINT)                                                    \
  MPROC_CRASH_LOCK_POINTS (POINT)                                                        \
  MPROC_CRASH_WAIT_POINTS (POINT)                                                        \
  MPROC_CRASH_PARKING_POINTS (POINT)                                                     \
  MPROC_CRASH_CONDITION_POINTS (POINT)                                                   \
  MPROC_CRASH_BARRIER_POINTS (POINT)                                                     \
  MPROC_CRASH_SHARED_POINTS (POINT)                                                      \
  MPROC_CRASH_PUT_POINTS (POINT)                                                         \
  MPROC_CRASH_LINK_POINTS (POINT)                                                        \
  MPROC_CRASH_GET_POINTS (POINT)                                                         \
  MPROC_CRASH_SHUTDOWN_POINTS (POINT)                                                    \
  MPROC_CRASH_ALLOC_POINTS (POINT)                                                       \
  MPROC_CRASH_OBJECT_POINTS (POINT)                                                      \
  MPROC_CRASH_FAMILY_POINTS (POINT)                                                      \
  MPROC_CRASH_BIRTH_POINTS (POINT)                                                       \
  MPROC_CRASH_NOTE_POINTS (POINT)                                                        \
  MPROC_CRASH_BATCH_POINTS (POINT)                                                       \
  MPROC_CRASH_POOL_POINTS (POINT)

/* clang-format on */

#define MPROC_CRASH_NUMBER(name, state) MPROC_CRASH_##name,

typedef enum
{
  MPROC_CRASH_NOWHERE,
  MPROC_CRASH_ALL_POINTS (MPROC_CRASH_NUMBER) MPROC_N_CRASHES
} MprocCrash;

#ifdef MPROC_CRASH_POINTS

#define MPROC_CRASH_POINT(name) mproc_crash_pass (MPROC_CRASH_##name)

/* The calling process dies when it passes @at for the @passing-th time from now on, the first
 * being 1.  NOWHERE: it does not. */
void mproc_crash_arm (MprocCrash at, guint passing);

void mproc_crash_pass (MprocCrash at);

const char *mproc_crash_get_name (MprocCrash at);
const char *mproc_crash_get_state (MprocCrash at);

#else
#define MPROC_CRASH_POINT(name) ((void) 0)
#endif

G_END_DECLS

#endif
