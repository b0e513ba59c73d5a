/* SPDX-License-Identifier: MIT */
/*
 * world.h - what the files of the model share, and nobody else includes.
 *
 *   model.c    life cycles, the merge by time
 *   heap.c     whose turn it is
 *   notice.c   what is told that is no call
 *   journal.c  what the tracer itself tells, until its time comes
 *   stubs.c    system call functions, shared by processes
 *   queue.c    records of one thread, judged and copied, until their time
 *   pair.c     entries and returns to calls, and the memory they bring
 *   pending.c  calls that go on after their return
 *   process.c  stubs and modules
 *   thing.c    objects that handles refer to
 *   handles.c  handle values and what they refer to
 *   watch.c    what calls do to handles
 *   socket.c   what calls say of sockets
 *   archive.c  numbers, texts and objects to bytes and back (archive.h)
 *   checkpoint.c  all of this to bytes and back
 */
#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

#include "base/array.h"
#include "model/call.h"
#include "model/clock.h"
#include "model/model.h"
#include "nt/read.h"
#include "tables/handles.h"
#include "wire/capture.h"
#include "wire/journal.h"
#include "wire/record.h"
#include "wire/section.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every form of stub ends within so many bytes. */
#define STUB_SIZE 0x20
/* Where a stub's `syscall`, or its `int 2e`, returns to; both exist. */
#define STUB_AFTER_SYSCALL 0x14
#define STUB_AFTER_INT 0x17

/* Longest name of a module that is kept. */
#define NAME_MAX_BYTES 1024
/* Longest path of a module's file: longer ones are cut, and lead nowhere. */
#define PATH_MAX_BYTES 4096

struct module {
    uint64_t base;
    uint64_t size;
    str name;       // owned
    uint32_t hash;  // of the name, whatever its case
    bool second;    // another one of this name was there when it came
    struct module_build build;
    str path;  // owned; p NULL: not known
};

/* Records of the journal that are still to be told, a heap: by time, ties by
 * which came first. */
struct journal {
    struct kept {
        uint64_t time;
        uint64_t order;
        struct record_head *record;  // owned
    } * at;                          // owned
    size_t count;
    size_t room;
    uint64_t taken;  // so far
};

/* What was found out of pages outside all modules. */
#define PLACES_KEPT 64
struct known_place {
    uint64_t base;
    uint64_t size;  // bytes; 0: an empty row
    uint64_t origin;
    uint64_t order;  // the greater, the later
    enum place_kind kind;
    str name;  // owned; p NULL: not known
};

/* The system call functions of one module at one address. */
struct stub_table {
    struct stub_table *next;
    uint32_t id;
    uint32_t users;  // processes
    uint64_t base;
    str module;  // owned
    uint32_t count;
    size_t bytes;         // of all that
    struct stub stubs[];  // rising by address
};

/* Such a table in one process. */
struct mapped_stubs {
    struct stub_table *table;  // held
    uint8_t *patched;          // owned, a bit for each stub
};

/* An event as queue_head shows it. */
struct event {
    const uint8_t *bytes;  // in the queue
    uint32_t size;
    uint8_t kind;  // enum record_kind, or JOURNAL_LOST
    uint8_t flags;
    uint16_t number;
    uint64_t time;
};

/* Bytes [begin, end) of `bytes` are whole, well-formed records. */
struct queue {
    uint8_t *bytes;  // owned
    size_t begin;
    size_t end;
    size_t room;
    uint64_t last;  // time of the youngest that was ever put in
};

/* What was found out about a return that no entry explains. */
struct answer {
    struct answer *next;
    struct journal_answer told;
};

/* --- Handles ---------------------------------------------------------- */

/* Sockets of a process that may be about to connect at the same time; of more,
 * the oldest ones' ends are not looked for in completion ports. */
#define SOCKETS_BEGUN 64

/* Room for an address and a port as text. */
#define SOCKET_TEXT 80

struct socket {
    uint32_t type;      // SOCK_*; 0: not known
    uint32_t protocol;  // IPPROTO_*, 0: the usual one
    bool unix_family;
    bool connected;    // to `peer`, or nobody knows whom
    bool begun;        // to connect to `peer`; not told how it ended
    uint64_t context;  // of the call that began it: what its end shows
    bool has_port;     // its ends go to a completion port, with `key`
    uint64_t key;
    bool wildcard;            // `local` is any address of this machine
    char local[SOCKET_TEXT];  // "": not known
    char peer[SOCKET_TEXT];
    uint32_t waiting;  // connection that was waited for, and who it is
    char waiting_peer[SOCKET_TEXT];
};

enum thing_chain {
    CHAIN_IDENTITY,  // all things
    CHAIN_IMAGE,     // processes whose image is known, by pid
    THING_CHAINS,
};

/* An object with what the model alone wants to know of it. It never changes
 * once it is told: what is learned later makes another one of the same
 * identity. */
struct thing {
    struct object object;
    uint64_t identity;  // the same for all handles of one object
    size_t *budget;     // what `bytes` is counted in
    size_t bytes;
    uint32_t tid;           // Thread; 0: not known
    struct socket *socket;  // owned; NULL: it is none
    /* In a table: the handle's key there, and the chains that it is in. */
    uint64_t key;
    struct thing *next[THING_CHAINS];
    struct thing **link[THING_CHAINS];  // what points to it; NULL: not in it
    char text[];
};

/* What a thing is made of; strings are borrowed. */
struct thing_facts {
    str type;
    str name;
    str path;
    bool access_known;
    uint32_t access;
    uint64_t identity;  // 0: a new one
    uint32_t pid;
    uint32_t tid;
    const struct socket *socket;
};

/* Longest name that is kept: 32,767 UTF-16 units, three bytes each. */
#define OBJECT_NAME_MAX 98301

/* What the rules of tables/handles.def say of one stub's call, by indexes of
 * its parameters; -1: it has none such. */
struct watch {
    struct watch *next;  // a call may make two handles
    const struct handle_rule *rule;
    int8_t output;  // WATCH_RESULT: what it returns
    int8_t from;
    int8_t second;
    int8_t access;
};

#define WATCH_RESULT (-2)

/* An open call, and what has to be remembered from its entry. */
struct open_call {
    struct call call;
    void *memory;  // owned: what call.before has
    size_t memory_size;
    struct thing *root;   // held: what its name begins with
    uint64_t generation;  // of the handle that it closes; 0: it had no name
    struct model_process *source;  // whose handle it closes, or copies
};

/* Pieces of memory whose record has not come yet; they lie in `bytes` one
 * after the other. */
struct pieces {
    struct memory_piece *list;  // `bytes` of them are set when they are used
    size_t count;
    size_t list_room;
    uint8_t *bytes;
    size_t size;
    size_t room;
    uint64_t rsp;
    uint16_t number;
    uint8_t at;  // RECORD_AT_*
    bool any;    // a record of it has come; what follows is of the last one
    bool stack;  // the last piece is of the thread's stack
    uint32_t op;
    uint64_t end;  // the address behind it
};

/* A call that has returned STATUS_PENDING, with what the agent copied then. */
struct pending_call {
    struct pending_call *next;   // the one that returned before
    struct open_call open;       // what it holds is ours
    struct memory_piece *after;  // owned, with the bytes behind it
    size_t after_size;           // of all that
};

/* Of one process; as many as the agent knows (wire/pending.h), and some whose
 * completions are under way. Of more, the oldest are given up. */
#define PENDING_CALLS_MAX 128

/* The most pieces of one half of a call that are kept: each operation makes
 * one, or one for each element. Every look into memory goes through all of them. */
#define PIECES_MAX (CAPTURE_OPS_MAX + CAPTURE_EACH_MAX)
/* Bytes of all of them, stack and registers as well. */
#define PIECE_BYTES_MAX \
    (CAPTURE_BYTES_MAX + CAPTURE_STACK_MAX + STACK_REGISTERS)

/* Somebody has begun a call that ends it with `code`. Only the code that it
 * really had shows that it was this one. */
struct blame {
    bool any;
    uint32_t code;
};

struct model_process {
    struct model *model;
    struct model_process *next;
    uint32_t pid;
    uint32_t main_tid;  // of the first thread opened
    enum model_mode mode;
    enum nt_width width;  // of its pointers

    struct mapped_stubs *mapped;  // owned, in the order they came
    size_t mapped_count;
    size_t mapped_room;
    struct stub *by_number[SERVICE_COUNT];

    struct module *modules;  // sorted by base, disjoint
    size_t module_count;
    size_t module_room;

    struct handles *handles;       // owned; NULL: none are kept
    struct pending_call *pending;  // newest first
    size_t pending_count;
    /* The last sockets that have begun to connect. */
    uint64_t begun[SOCKETS_BEGUN];
    uint32_t begun_next;
    str image;  // owned; p NULL: not known

    struct known_place places[PLACES_KEPT];
    size_t places_next;  // to be overwritten
    uint64_t places_told;

    struct journal journal;     // what is still to be told of it
    struct model_thread *self;  // stands for it in the heap
    uint32_t open_threads;      // whose end was not told yet

    bool ending;
    uint32_t end_code;
    uint64_t end_at;
    struct blame own_end;      // a thread was about to end it
    struct blame foreign_end;  // another process was about to end it
    uint32_t end_tid;          // whose line the last one is; 0: main_tid
    bool fault_known;          // a thread has died in an exception
    uint32_t fault;
    bool unheard;  // no callback: no transition is seen
};

struct model_thread {
    struct model *model;
    struct model_process *process;
    struct model_thread *next;  // list of all
    struct model_thread *previous;
    uint32_t tid;
    uint32_t serial;
    uint64_t order;  // threads opened before it
    bool is_self;    // no thread, see model_process

    struct queue queue;
    uint64_t bound;
    uint64_t bound_tapped;  // the last one that the tap has heard of
    uint64_t key;           // time of the next event, when in the heap
    size_t heap_at;         // index + 1, 0: not in it
    uint64_t wait_key;      // its bound, or what that was
    size_t wait_at;         // index + 1 among those waited for, 0: not there

    bool ended;
    bool end_silent;
    bool end_known;  // `end_code` is there
    uint32_t end_code;
    uint64_t end_at;

    struct answer *answers;  // oldest first
    struct answer **answers_end;
    uint32_t answers_owed;  // waited for in vain

    /* pair.c */
    struct pieces pieces;
    uint64_t seen_generation;  // of the handles, when it was last heard of
    struct open_call *open;    // oldest first
    size_t open_count;
    size_t open_room;
    uint64_t in_kernel;            // id of the open call whose entry came last
    const struct stub *gone_stub;  // of the entry that ended itself last
    uint64_t gone_rsp;
    struct blame own_end;      // it has called NtTerminateThread for itself
    struct blame foreign_end;  // another thread has, for this one
    bool exception;
    uint32_t exception_status;
    uint64_t exception_rsp;
    uint64_t exception_stack;
};

struct model {
    struct model_config config;
    struct model_out out;
    struct model_counts counts;
    struct clock clock;
    struct stub_table *stub_tables;
    struct model_process *processes;
    struct model_thread *threads;
    uint64_t thread_order;
    uint64_t call_id;

    struct model_thread **heap;
    size_t heap_count;
    size_t heap_room;
    size_t members;  // threads and processes, all that may be in it at once
    size_t process_count;
    /* Threads that may have nothing to tell, and are waited for: the one with
     * the oldest bound first. Some that are no such threads any more. */
    struct model_thread **waiting;
    size_t waiting_count;
    size_t waiting_room;
    uint64_t told;   // time of the youngest event told
    uint64_t steps;  // events told so far, of any kind
    uint64_t now;
    size_t room;  // bytes of all queues, used or not

    size_t memory;         // bytes of pieces, waiting or of open calls
    size_t object_bytes;   // bytes of all objects
    size_t slot_bytes;     // of all tables of handles
    size_t open_bytes;     // of all room for open calls, and of pending ones
    size_t stub_bytes;     // of all tables of functions
    size_t journal_bytes;  // of records of the journal that are kept
    size_t text_bytes;     // of names of modules and places
    size_t answers;        // kept
    uint64_t identities;   // given to objects so far
    uint64_t pipes;        // anonymous pipes made so far
    char *text;            // OBJECT_NAME_MAX bytes, to build a name in
};

/* Numbers in records, which are little-endian. */
static inline uint16_t u16_at(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)u16_at(p) | (uint32_t)u16_at(p + 2) << 16;
}

static inline uint64_t u64_at(const uint8_t *p)
{
    return (uint64_t)u32_at(p) | (uint64_t)u32_at(p + 4) << 32;
}

/* model.c: nothing has happened yet. Tells nothing. */
void model_forget(struct model *m);
/* A process, a thread of `p`, of which nothing is known, in no list; counted. NULL
 * without memory, or if there are as many as there may be. */
struct model_process *process_make(struct model *m);
struct model_thread *thread_make(struct model_process *p);

/* keep.c */
/* A copy that the caller owns, and gives back; p is NULL without memory. */
str str_keep(str s);
void str_drop(str s);

/* notice.c: tells a notice of the process, or of a thread. */
void tell_notice(struct model_thread *t, struct notice *n, uint64_t time);
/* The same of thread `tid` of the process, 0: of none that is known. */
void tell_notice_by(struct model_process *p, uint32_t tid, struct notice *n,
                    uint64_t time);

/* heap.c. Room in the heap for one more; false without memory. */
bool heap_reserve(struct model *m);
/* Puts `t` into the heap if it has something to tell and is not there. Room
 * was made when it was opened. */
void announce(struct model_thread *t);
void heap_sift_down(struct model *m, size_t at);
void heap_remove(struct model *m, struct model_thread *t);
/* `t` may have nothing to tell; room was made when it was opened. */
void wait_for(struct model_thread *t);
/* The thread with the oldest bound of those that are waited for, NULL: none
 * is. `skip`: threads that are not waited for, until their bounds rise. */
const struct model_thread *
wait_first(struct model *m, bool (*skip)(const struct model_thread *t));
void wait_remove(struct model *m, struct model_thread *t);

/* queue.c */
size_t queue_feed(struct model_thread *t, const uint8_t *bytes, size_t size,
                  uint64_t now);
/* Puts a LOST among the records, at the time of the last one. */
bool queue_lost(struct model_thread *t, uint32_t why, uint64_t count);
/* Puts a PAD there, as large as a head, that is told nothing of. */
bool queue_passed(struct model_thread *t, uint64_t time);
void queue_drop(struct model_thread *t, uint32_t size);
void queue_close(struct model_thread *t);

/* journal.c */
/* A copy of what somebody handed over, aligned, judged; to be freed. NULL: it is
 * no record of the journal, or says what cannot be, or there is no memory. */
struct record_head *journal_copy(const void *record, size_t size);
/* Keeps a record, judged, until its time comes; false without memory. */
bool journal_keep(struct model_process *p, const struct record_head *r);
/* A PROCESS of which it is told that it begins. */
bool journal_is_start(const struct record_head *r);
/* The next one; NULL: there is none. */
const struct record_head *journal_next(const struct model_process *p);
/* It takes effect, and is gone. */
void journal_step(struct model_process *p);
void journal_close(struct model_process *p);

/* stubs.c */
/* A table by a STUBS, with one user; NULL without memory. */
struct stub_table *stub_table_open(struct model *m,
                                   const struct journal_stubs *r);
/* One user less. */
void stub_table_release(struct model *m, struct stub_table *table);
/* The process uses it too, as its newest one, nothing in it being patched; NULL
 * without memory. */
struct mapped_stubs *stubs_map(struct model_process *p,
                               struct stub_table *table);
/* NULL: the process does not have it. */
struct mapped_stubs *stubs_mapped(const struct model_process *p,
                                  const struct stub_table *table);
bool stubs_tell(struct model_process *p, const struct journal_stubs *r);
void stubs_close(struct model_process *p);
/* NULL if there is none. By address: of any byte in it; *patched: its entries
 * are recorded. */
const struct stub *stub_by_number(const struct model_process *p,
                                  uint16_t number);
const struct stub *stub_by_address(const struct model_process *p,
                                   uint64_t address, bool *patched);

/* process.c */
/* What a program tells of may be no module: there is an end to them. */
#define MODULES_MOST 8192
/* The image that it runs, a path or a file's name, copied; it is called by it
 * in other processes. False without memory. */
bool process_set_image(struct model_process *p, str image);
/* What it covers of older ones is forgotten. False without memory. */
bool process_module_add(struct model_process *p, uint64_t base, uint64_t size,
                        str name);
/* Of the module at `base`: which build it is, where its file is. */
void process_module_build(struct model_process *p, uint64_t base,
                          const struct module_build *build);
void process_module_file(struct model_process *p, uint64_t base, str path);
/* A copy of a name, of which there is an end as well; p is NULL without
 * memory. It is given back by the other. */
str process_name_keep(struct model_process *p, str name);
void process_name_drop(struct model_process *p, str name);
/* Of a module's name, whatever its case. */
uint32_t process_name_hash(str name);
/* Names of modules, of places, and the image: all are given back. */
void process_names_drop(struct model_process *p);
void process_module_remove(struct model_process *p, uint64_t base);
void process_place_add(struct model_process *p, const struct journal_place *r);
/* True if both addresses are in one module. */
bool process_one_module(const struct model_process *p, uint64_t a, uint64_t b);
/* The living process of this id; NULL: it is not one of ours. */
struct model_process *process_by_pid(struct model *m, uint32_t pid);

/* pair.c; `answer` NULL: there is none. */
void pair_entry(struct model_thread *t, const struct event *e, bool late);
void pair_return(struct model_thread *t, const struct event *e, bool late,
                 const struct journal_answer *answer);
void pair_transition(struct model_thread *t, const struct event *e, bool late);
/* Keeps the piece for the record that it belongs to. */
void pair_data(struct model_thread *t, const struct event *e);
void pair_completion(struct model_thread *t, const struct event *e, bool late);
/* Records are missing here: what waits for one is forgotten. */
void pair_lost(struct model_thread *t);
/* The thread is gone, its open calls with it. */
void pair_end(struct model_thread *t, uint64_t time, bool late);
void pair_close(struct model_thread *t);

/* pending.c */
/* It has returned, and may come to an end later. */
bool pending_is(const struct call *call);
/* The call was told of, and is about to be let go of: keeps it, and what it
 * holds, if it is pending. */
void pending_keep(struct model_thread *t, struct open_call *open);
/* The call of thread `tid` that returned at `began`; taken out of the list.
 * NULL: it is not known. */
struct pending_call *pending_find(struct model_process *p, uint32_t tid,
                                  uint64_t began);
void pending_release(struct model *m, struct pending_call *call);
void pending_close(struct model_process *p);

/* handles.c. A struct handles keeps `model`. */
struct handles *handles_open(struct model *m);
void handles_close(struct handles *h);
/* Nothing is known any more. */
void handles_clear(struct handles *h);
/* Grows with every handle that is set. */
uint64_t handles_generation(const struct handles *h);
/* As handles_find; *generation gets the value's own, 0 if it is not known. */
struct thing *handles_look(const struct handles *h, uint64_t value,
                           uint64_t *generation);
/* Makes `value` refer to `thing`, which it takes over, NULL too (then there
 * was no memory). What it referred to before is forgotten in any case. */
void handles_set(struct handles *h, uint64_t value, struct thing *thing);
void handles_remove(struct handles *h, uint64_t value);
/* The image in the name of a process of this id; empty: none has one. */
str handles_image(struct handles *h, uint32_t pid);
/* Gives all handles of the same identity what the facts say, but for their
 * access; of very many, some are forgotten instead. The facts' strings must not be kept by these handles alone. */
void handles_learn(struct handles *h, const struct thing_facts *facts);

/* thing.c */
/* With one reference; NULL without memory. Strings that are too long, or
 * there is no room for, are left out. */
struct thing *thing_new(struct model *m, const struct thing_facts *facts);
/* The same, all of it. */
struct thing *thing_copy(struct model *m, const struct thing_facts *facts);
struct thing_facts thing_facts(const struct thing *thing);
struct thing *thing_of(const struct object *object);  // NULL for NULL
struct thing *thing_hold(struct thing *thing);        // NULL is fine
void thing_release(struct thing *thing);              // NULL is fine

/* watch.c */
/* What is watched of a stub's calls; false without memory. */
bool watch_stub(struct stub *stub);
void watch_drop(struct stub *stub);
/* At the entry: fills call.objects. */
void watch_enter(struct model_thread *t, struct open_call *open);
/* At the end of a call whose entry was not seen: what is certain of it. */
void watch_orphan(struct model_thread *t, struct open_call *open);
/* Before `leave` is told: what the call did to handles. */
void watch_leave(struct model_thread *t, struct open_call *open);
/* A pending call is over: what its outputs say of sockets. */
void watch_completion(struct model_thread *t, struct open_call *open);
/* After: lets go of what was held. */
void watch_release(struct open_call *open);

/* socket.c */
struct socket_news {
    bool same;  // `socket` is what is known now of the call's own
    struct socket socket;
    uint64_t accepted;  // handle of another one, `other`; 0: there is none
    bool made;          // it is a new handle
    struct socket other;
};

/* What a device control call that has succeeded says of the socket `thing`,
 * NULL: of a handle of which nothing is known. False: nothing. */
bool socket_learn(const struct call *call, const struct thing *thing,
                  struct socket_news *news);
/* The handle that entry `i` of what NtDeviceIoControlFile has polled is about,
 * and how an attempt to connect it has ended; false: there is no such entry,
 * or it was no poll. */
enum socket_attempt {
    ATTEMPT_OPEN,  // nothing is said of it
    ATTEMPT_DONE,
    ATTEMPT_FAILED,
};
bool socket_polled(const struct call *call, uint32_t i, uint64_t *handle,
                   enum socket_attempt *attempt);
/* What becomes of `s`, which has begun to connect; false: nothing. */
bool socket_attempted(struct socket *s, enum socket_attempt attempt);
/* What the extended attributes of NtCreateFile say; false: it is no socket. */
bool socket_created(const struct call *call, str name, struct socket *out);
/* "TCP 127.0.0.1:80 peer 127.0.0.1:5000", in `b`. */
str socket_name(const struct socket *s, struct buf *b);

/* --- What is asked for each record --------------------------------------- */

static inline void tell_enter(const struct model *m, const struct call *call)
{
    if (m->out.enter) {
        m->out.enter(m->out.ctx, call);
    }
}

static inline bool queue_empty(const struct queue *q)
{
    return q->begin == q->end;
}

static inline struct event queue_head(const struct queue *q)
{
    const uint8_t *p = q->bytes + q->begin;

    return (struct event){
        .bytes = p,
        .size = u32_at(p + RECORD_SIZE),
        .kind = p[RECORD_KIND],
        .flags = p[RECORD_FLAGS],
        .number = u16_at(p + RECORD_NUMBER),
        .time = u64_at(p + RECORD_TIME),
    };
}

/* Whose turn it is. */
static inline bool heap_before(const struct model_thread *a,
                               const struct model_thread *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

/* Has a thread, or a process as `self`, something to tell, and when? */
static inline bool has_record(const struct model_thread *t)
{
    return t->is_self ? journal_next(t->process) != NULL
                      : !queue_empty(&t->queue);
}

static inline bool has_event(const struct model_thread *t)
{
    return has_record(t) || t->ended;
}

static inline void heap_set_key(struct model_thread *t)
{
    if (has_record(t)) {
        t->key = t->is_self ? journal_next(t->process)->time
                            : queue_head(&t->queue).time;
    } else {
        t->key = t->end_at > t->queue.last ? t->end_at : t->queue.last;
    }
}

#endif
