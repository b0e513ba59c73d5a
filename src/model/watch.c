/* SPDX-License-Identifier: MIT */
/*
 * watch.c - what calls do to handles, by the rules of tables/handles.def.
 *
 * At the entry it is written down what each handle argument refers to, and
 * which generation of its value a call is about to close; at the return, what
 * a new handle refers to, from the memory that was copied for the call. An
 * object's name is known whole or not at all: a name that was not copied to
 * its end is none.
 *
 * Memory of the target is believed to be there only as far as memory_read
 * gives it. Fails only for want of memory: then a handle is not known.
 */
#include "model/world.h"

#include "base/utf.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define THIS_PROCESS UINT64_MAX
#define THIS_THREAD (UINT64_MAX - 1)

#define STATUS_PENDING 0x103
#define STATUS_INVALID_HANDLE 0xc0000008

/* NtDuplicateObject: parameters, options */
#define SOURCE_PROCESS 0
#define TARGET_PROCESS 2
#define DUPLICATE_CLOSE_SOURCE 1
#define DUPLICATE_SAME_ACCESS 2
#define FILE_OPEN_BY_FILE_ID 0x2000

/* PS_ATTRIBUTE_LIST */
#define ATTRIBUTES_MAX 64
#define PS_CLIENT_ID 3
#define PS_IMAGE_NAME 5

/* DBGUI_WAIT_STATE_CHANGE.NewState */
enum debug_state {
    STATE_CREATE_THREAD = 2,
    STATE_CREATE_PROCESS = 3,
    STATE_LOAD_DLL = 9,
};

/* PS_CREATE_INFO.State */
#define CREATE_SUCCESS 6

/* Information classes that hand over a handle */
#define PROCESS_DEBUG_OBJECT 30
#define TOKEN_LINKED 19

#define OBJECT_NAME_CLASS 1

/* FILE_INFORMATION_CLASS */
#define FILE_COMPLETION 30
#define FILE_RENAME 10
#define FILE_RENAME_EX 65

/* --- Rules of a stub -------------------------------------------------- */

void watch_drop(struct stub *stub)
{
    while (stub->watch) {
        struct watch *watch = stub->watch;

        stub->watch = watch->next;
        free(watch);
    }
    stub->handle_args = 0;
}

bool watch_stub(struct stub *stub)
{
    const struct call_facts *facts = stub->facts;
    size_t count;
    const struct handle_rule *rules = handle_rules(stub->name, &count);

    stub->handle_args = facts ? handle_parameters(facts) : 0;
    for (size_t i = 0; facts && i < count; i++) {
        struct watch *watch;

        if (rules[i].from[0] != '_' &&
            call_parameter(facts, rules[i].from) < 0) {
            continue;  // the row is for the other shape of the call
        }
        watch = calloc(1, sizeof(*watch));
        if (!watch) {
            return false;
        }
        watch->rule = &rules[i];
        watch->output = strcmp(rules[i].output, "return") == 0
                            ? WATCH_RESULT
                            : (int8_t)call_parameter(facts, rules[i].output);
        watch->from = (int8_t)call_parameter(facts, rules[i].from);
        watch->second = (int8_t)call_parameter(facts, rules[i].second);
        watch->access = (int8_t)call_parameter(facts, rules[i].access);
        watch->next = stub->watch;
        stub->watch = watch;
    }
    return true;
}

/* Argument `i`, if the call has it and it is known. */
static bool arg(const struct call *call, int i, uint64_t *value)
{
    if (i < 0 || !(call->arg_mask & 1u << i)) {
        return false;
    }
    *value = call->args[i];
    return true;
}

/* --- Text ------------------------------------------------------------- */

/* Appends UTF-16 of `size` bytes as WTF-8; false if not all of it is known. */
static bool add_utf16(struct buf *b, const struct memory *m, uint64_t address,
                      uint64_t size)
{
    uint16_t units[128];

    size &= ~1ull;
    for (uint64_t done = 0; done < size;) {
        size_t part =
            size - done < sizeof(units) ? (size_t)(size - done) : sizeof(units);
        size_t count = part / 2;

        if (memory_read(m, address + done, units, part) != part) {
            return false;
        }
        /* Its other half may be in the next part. */
        if (done + part < size && utf_is_high(units[count - 1])) {
            count--;
        }
        for (size_t at = 0; at < count;) {
            utf_add(b, utf_next16(units, count, &at));
        }
        done += 2 * count;
    }
    return true;
}

/* What the UNICODE_STRING at `address` says. */
static bool add_string(struct buf *b, const struct memory *m,
                       enum nt_width width, uint64_t address)
{
    struct nt_string s;

    return nt_string_read(m, width, address, &s) &&
           add_utf16(b, m, s.buffer, s.length);
}

/* The last component of a path. */
static str file_part(str path)
{
    for (size_t i = path.size; i-- > 0;) {
        if (path.p[i] == '\\' || path.p[i] == '/') {
            return str_slice(path, i + 1, path.size);
        }
    }
    return path;
}

/* A file's or key's name as filters want it. */
static str path_of(str name)
{
    if (name.size > 0 && name.p[0] != '\\') {
        return STR("");  // what it is below is not known; or no path
    }
    if (str_starts(name, STR("\\??\\"))) {
        return str_slice(name, 4, name.size);
    }
    return name;
}

/* --- Processes and threads -------------------------------------------- */

/* The image of a process that has this id now; empty: not known. */
static str image_of(struct model *m, uint32_t pid)
{
    struct model_process *p = process_by_pid(m, pid);

    return p && p->image.p ? file_part(p->image) : STR("");
}

/* An object of a process that is not traced keeps its id from being used
 * again; so what a handle says of it still holds. */
static str image_by_handles(struct model *m, uint32_t pid)
{
    for (struct model_process *p = m->processes; p; p = p->next) {
        str image = p->handles ? handles_image(p->handles, pid) : STR("");

        if (image.size > 0) {
            return image;
        }
    }
    return STR("");
}

/* "1234 notepad.exe" */
static str process_name(struct buf *b, uint32_t pid, str image)
{
    if (pid == 0 && image.size == 0) {
        return STR("");
    }
    if (pid != 0) {
        buf_add_dec(b, pid);
    } else {
        buf_add_char(b, '?');
    }
    if (image.size > 0) {
        buf_add_char(b, ' ');
        buf_add(b, image);
    }
    return buf_str(b);
}

/* "1234.1240" */
static str thread_name(struct buf *b, uint32_t pid, uint32_t tid)
{
    if (pid == 0 && tid == 0) {
        return STR("");
    }
    if (pid != 0) {
        buf_add_dec(b, pid);
    } else {
        buf_add_char(b, '?');
    }
    buf_add_char(b, '.');
    if (tid != 0) {
        buf_add_dec(b, tid);
    } else {
        buf_add_char(b, '?');
    }
    return buf_str(b);
}

/* The process of a living thread that is traced; 0: it is none. Thread ids
 * are unique in the system. */
static uint32_t pid_of_thread(const struct model *m, uint32_t tid)
{
    for (const struct model_thread *t = m->threads; tid && t; t = t->next) {
        if (t->tid == tid) {
            return t->process->pid;
        }
    }
    return 0;
}

/* The id of the process that a handle argument means; 0: not known. */
static uint32_t pid_of_arg(const struct call *call, int i)
{
    uint64_t value;

    if (!arg(call, i, &value)) {
        return 0;
    }
    if (value == THIS_PROCESS) {
        return call->pid;
    }
    return call->objects[i] ? call->objects[i]->pid : 0;
}

/* The traced process that a handle argument means; NULL: none, or unknown. */
static struct model_process *process_of_arg(struct model_thread *t,
                                            const struct call *call, int i)
{
    uint32_t pid = pid_of_arg(call, i);

    if (pid == call->pid) {
        return t->process;
    }
    return pid ? process_by_pid(t->model, pid) : NULL;
}

/* Where the value of PS_ATTRIBUTE `number` is, and its size. */
static bool find_attribute(const struct call *call, int list, uint32_t number,
                           uint64_t *value, uint64_t *size)
{
    struct nt_attribute attribute;
    uint64_t at;

    if (!arg(call, list, &at)) {
        return false;
    }
    for (uint32_t i = 0; i < ATTRIBUTES_MAX; i++) {
        if (!nt_attribute_read(&call->before, call->width, at, i, &attribute)) {
            return false;
        }
        if ((attribute.attribute & NT_ATTRIBUTE_NUMBER) == number) {
            *size = attribute.size;
            *value = attribute.value;
            return true;
        }
    }
    return false;
}

/* --- Naming ----------------------------------------------------------- */

/* The name that an OBJECT_ATTRIBUTES gives; false if it is not known. */
static bool attributes_name(struct buf *b, const struct open_call *open, int i)
{
    const struct call *call = &open->call;
    struct nt_attributes said;
    uint64_t at;
    size_t root_size;

    if (!arg(call, i, &at)) {
        return false;
    }
    if (at == 0) {
        return true;
    }
    if (!nt_attributes_read(&call->before, call->width, at, &said) ||
        !said.name_known) {
        return false;
    }
    if (said.root != 0 && open->root && open->root->object.name.size > 0) {
        buf_add(b, open->root->object.name);
    } else if (said.root != 0) {
        buf_add_char(b, '?');
    }
    root_size = b->size;
    if (root_size > 0 && b->p[root_size - 1] != '\\') {
        buf_add_char(b, '\\');
    }
    if (said.named) {
        size_t before = b->size;

        if (!add_utf16(b, &call->before, said.name.buffer, said.name.length)) {
            return false;
        }
        root_size = b->size > before ? b->size : root_size;
    }
    b->size = root_size;
    if (b->size == 1 && b->p[0] == '?') {
        b->size = 0;
    }
    return true;
}

static void name_process(struct model_thread *t, const struct watch *watch,
                         const struct call *call, struct thing_facts *facts,
                         struct buf *b)
{
    char room[1024];
    struct buf image = BUF_OVER(room);
    struct nt_client client = { .pid = facts->pid };
    uint64_t at;
    uint64_t size;
    uint32_t flags;
    struct model_process *child;

    if (find_attribute(call, watch->from, PS_CLIENT_ID, &at, &size)) {
        nt_client_read(&call->after, call->width, at, &client);
        facts->pid = client.pid;
    }
    if (find_attribute(call, watch->from, PS_IMAGE_NAME, &at, &size) &&
        size <= 0xffff) {
        if (!add_utf16(b, &call->before, at, size)) {
            b->size = 0;
        }
    }
    if (b->size == 0 && arg(call, watch->second, &at) && at != 0 &&
        nt_read32(&call->before, call->width, at,
                  NT_RTL_USER_PROCESS_PARAMETERS_Flags, &flags) &&
        !add_string(b, &call->before, call->width,
                    at + nt_offset(NT_RTL_USER_PROCESS_PARAMETERS_ImagePathName,
                                   call->width))) {
        b->size = 0;
    }
    if (b->cut) {
        b->size = 0;
    }
    /* A file's name has no more than 255 units. */
    buf_add(&image, file_part(buf_str(b)));
    if (image.cut) {
        image.size = 0;
    }
    child = facts->pid ? process_by_pid(t->model, facts->pid) : NULL;
    if (child && !child->image.p && image.size > 0) {
        process_set_image(child, buf_str(&image));
    }
    b->size = 0;
    b->cut = false;
    facts->name = process_name(b, facts->pid, buf_str(&image));
}

static void name_client(struct model_thread *t, const struct watch *watch,
                        const struct call *call, struct thing_facts *facts,
                        struct buf *b)
{
    bool is_thread = str_eq(facts->type, STR("Thread"));
    struct nt_client client = { facts->pid, facts->tid };
    uint64_t at;

    if (watch->rule->naming == NAMING_THREAD) {
        uint64_t size;

        if (find_attribute(call, watch->from, PS_CLIENT_ID, &at, &size)) {
            nt_client_read(&call->after, call->width, at, &client);
        }
    } else if (arg(call, watch->from, &at)) {
        /* IN for those that open, OUT for those that create. */
        nt_client_read(&call->before, call->width, at, &client);
        nt_client_read(&call->after, call->width, at, &client);
    }
    facts->pid = client.pid;
    facts->tid = client.tid;
    if (facts->pid == 0) {
        facts->pid = pid_of_arg(call, watch->second);
    }
    if (is_thread && facts->pid == 0) {
        facts->pid = pid_of_thread(t->model, facts->tid);
    }
    if (is_thread) {
        facts->name = thread_name(b, facts->pid, facts->tid);
    } else {
        str image = image_of(t->model, facts->pid);

        if (image.size == 0 && facts->pid != 0) {
            image = image_by_handles(t->model, facts->pid);
        }
        facts->tid = 0;
        facts->name = process_name(b, facts->pid, image);
    }
}

static void name_file(struct model_thread *t, const struct watch *watch,
                      const struct open_call *open, struct thing_facts *facts,
                      struct buf *b)
{
    uint64_t options;

    if (watch->rule->naming == NAMING_FILE &&
        (!arg(&open->call, watch->second, &options) ||
         (options & FILE_OPEN_BY_FILE_ID))) {
        return;  // then the name is a number
    }
    if (!attributes_name(b, open, watch->from)) {
        return;
    }
    facts->name = buf_str(b);
    facts->path = path_of(facts->name);
    if (watch->rule->naming == NAMING_PIPE &&
        (b->size == 0 || b->p[b->size - 1] == '\\' ||
         (open->root && str_eq(facts->name, open->root->object.name)))) {
        b->size = 0;
        buf_add(b, STR("pipe:["));
        buf_add_dec(b, ++t->model->pipes);
        buf_add_char(b, ']');
        facts->name = buf_str(b);
        facts->path = STR("");
    }
}

/* Fills in what a new handle refers to. The text is built in `b`. */
static void name_it(struct model_thread *t, const struct watch *watch,
                    const struct open_call *open, struct thing_facts *facts,
                    struct buf *b)
{
    const struct call *call = &open->call;
    const struct object *other;
    uint64_t value;

    switch ((enum handle_naming)watch->rule->naming) {
    case NAMING_ATTRIBUTES:
        if (attributes_name(b, open, watch->from)) {
            facts->name = buf_str(b);
        }
        if (str_eq(facts->type, STR("Key")) ||
            str_eq(facts->type, STR("File"))) {
            facts->path = path_of(facts->name);
        }
        break;
    case NAMING_FILE:
    case NAMING_PIPE:
        name_file(t, watch, open, facts, b);
        break;
    case NAMING_SECTION:
        if (attributes_name(b, open, watch->from)) {
            facts->name = buf_str(b);
        }
        other = watch->second >= 0 ? call->objects[watch->second] : NULL;
        if (other) {
            facts->name = facts->name.size > 0 ? facts->name : other->name;
            facts->path = other->path;
        }
        break;
    case NAMING_STRING:
        if (arg(call, watch->from, &value) && value != 0 &&
            add_string(b, &call->before, call->width, value)) {
            facts->name = buf_str(b);
        }
        break;
    case NAMING_HANDLE:
        other = watch->from >= 0 ? call->objects[watch->from] : NULL;
        facts->name = other ? other->name : STR("");
        break;
    case NAMING_PROCESS:
        name_process(t, watch, call, facts, b);
        break;
    case NAMING_CLIENT:
    case NAMING_THREAD:
        name_client(t, watch, call, facts, b);
        break;
    case NAMING_IMAGE:
        other = watch->from >= 0 ? call->objects[watch->from] : NULL;
        facts->name =
            process_name(b, 0, file_part(other ? other->path : STR("")));
        break;
    case NAMING_RESERVE:
        if (!arg(call, watch->from, &value)) {
            facts->type = STR("");
        } else if ((uint32_t)value == 1) {
            facts->type = STR("IoCompletionReserve");
        }
        break;
    case NAMING_NONE:
    case NAMING_SOCKET:
    case NAMING_PROCESS_ID:
    case NAMING_THREAD_ID:
    case NAMING_RENAME:
    case NAMING_OBJECT_NAME:
    case NAMING_PORT:
    case NAMING_COMPLETION:
    case NAMING_COMPLETIONS:
    case NAMING_DEBUG_EVENT:
    case NAMING_CREATE_INFO:
    case NAMING_DEBUG_PORT:
    case NAMING_LINKED_TOKEN:
        break;
    }
}

/* --- What calls do ---------------------------------------------------- */

static bool succeeded(const struct call *call)
{
    const struct call_facts *facts = call->stub->facts;

    return call->returned &&
           (facts->fails == FAILS_STATUS ? (int32_t)call->result >= 0
                                         : (uint32_t)call->result != 0);
}

/* The handle that the call has made. */
static bool new_handle(const struct watch *watch, const struct call *call,
                       uint64_t *value)
{
    const struct call_facts *facts = call->stub->facts;
    uint64_t at;

    if (!succeeded(call) ||
        !call_filled(facts, call_fills(facts), call->result)) {
        return false;
    }
    if (watch->output == WATCH_RESULT) {
        *value = call->result;
        return call->stub->facts->result->class == CLASS_HANDLE;
    }
    return arg(call, watch->output, &at) && at != 0 &&
           nt_pointer_read(&call->after, call->width, at, value);
}

static struct buf text_room(struct model *m)
{
    return (struct buf){ m->text, 0, OBJECT_NAME_MAX, false };
}

static void make_handle(struct model_thread *t, const struct watch *watch,
                        const struct open_call *open)
{
    const struct call *call = &open->call;
    struct thing_facts facts = {
        .type = str_of(watch->rule->type),
        .name = STR(""),
        .path = STR(""),
    };
    struct buf b = text_room(t->model);
    struct socket socket;
    char room[4 * SOCKET_TEXT];
    struct buf name = BUF_OVER(room);
    uint64_t access;
    uint64_t value;

    if (!new_handle(watch, call, &value)) {
        return;
    }
    if (arg(call, watch->access, &access)) {
        facts.access_known = true;
        facts.access = (uint32_t)access;
    }
    name_it(t, watch, open, &facts, &b);
    if (b.cut) {
        facts.name = STR("");
        facts.path = STR("");
    }
    if (watch->rule->naming == NAMING_FILE &&
        socket_created(call, facts.name, &socket)) {
        facts.socket = &socket;
        facts.name = socket_name(&socket, &name);
    }
    handles_set(t->process->handles, value, thing_new(t->model, &facts));
}

/* What NtDuplicateObject makes of its source: a thing with one reference, or
 * NULL. */
static struct thing *copy_of(struct model_thread *t, const struct watch *watch,
                             const struct open_call *open)
{
    const struct call *call = &open->call;
    struct thing_facts facts = { .type = STR("Process"), .path = STR("") };
    struct buf b = text_room(t->model);
    uint64_t value = 0;
    uint64_t options;
    uint64_t access;

    arg(call, watch->from, &value);
    if (open->root) {
        facts = thing_facts(open->root);
    } else if (value == THIS_PROCESS && open->source) {
        facts.pid = open->source->pid;
        facts.name = process_name(&b, facts.pid, image_of(t->model, facts.pid));
    } else if (value == THIS_THREAD && open->source == t->process) {
        facts.type = STR("Thread");
        facts.pid = call->pid;
        facts.tid = call->tid;
        facts.name = thread_name(&b, facts.pid, facts.tid);
    } else {
        return NULL;
    }
    if (!arg(call, watch->second, &options) ||
        !arg(call, watch->access, &access)) {
        facts.access_known = false;
    } else if (!(options & DUPLICATE_SAME_ACCESS)) {
        facts.access_known = true;
        facts.access = (uint32_t)access;
    }
    return thing_new(t->model, &facts);
}

static void copy_handle(struct model_thread *t, const struct watch *watch,
                        const struct open_call *open)
{
    const struct call *call = &open->call;
    struct model_process *target = process_of_arg(t, call, TARGET_PROCESS);
    uint64_t value;

    if (!target || !target->handles || !new_handle(watch, call, &value)) {
        return;
    }
    handles_set(target->handles, value, copy_of(t, watch, open));
}

/* The handle `value` of `p` is, or may be, closed. */
static void close_handle(struct model_process *p, const struct open_call *open,
                         uint64_t value)
{
    uint64_t generation;

    handles_look(p->handles, value, &generation);
    if (!open->call.entry_seen || generation == open->generation) {
        handles_remove(p->handles, value);
    }
}

static void close_source(struct model_thread *t, const struct watch *watch,
                         const struct open_call *open)
{
    const struct call *call = &open->call;
    uint64_t options;
    uint64_t value;

    if (arg(call, watch->second, &options) &&
        !(options & DUPLICATE_CLOSE_SOURCE)) {
        return;
    }
    if (!arg(call, watch->from, &value)) {
        handles_clear(t->process->handles);
    } else if (open->source && open->source->handles) {
        close_handle(open->source, open, value);
    }
}

static void close_argument(struct model_thread *t, const struct watch *watch,
                           const struct open_call *open)
{
    const struct call *call = &open->call;
    uint64_t value;

    if (!arg(call, watch->from, &value)) {
        handles_clear(t->process->handles);
    } else if (!call->returned || succeeded(call) ||
               (uint32_t)call->result == STATUS_INVALID_HANDLE) {
        close_handle(t->process, open, value);
    }
}

/* The handle at `address`, which the call has written there, refers to what
 * the facts say; 0 is none. */
static void hand_over(struct model_thread *t, const struct call *call,
                      uint64_t address, const struct thing_facts *facts)
{
    uint64_t value;

    if (nt_pointer_read(&call->after, call->width, address, &value) &&
        value != 0) {
        handles_set(t->process->handles, value, thing_new(t->model, facts));
    }
}

static void hand_process(struct model_thread *t, const struct call *call,
                         uint64_t address, uint32_t pid)
{
    struct thing_facts facts = { .type = STR("Process"), .pid = pid };
    struct buf b = text_room(t->model);
    str image = image_of(t->model, pid);

    if (image.size == 0 && pid != 0) {
        image = image_by_handles(t->model, pid);
    }
    facts.path = STR("");
    facts.name = process_name(&b, pid, image);
    hand_over(t, call, address, &facts);
}

static void hand_thread(struct model_thread *t, const struct call *call,
                        uint64_t address, const struct nt_client *client)
{
    struct thing_facts facts = { .type = STR("Thread"),
                                 .pid = client->pid,
                                 .tid = client->tid };
    struct buf b = text_room(t->model);

    facts.path = STR("");
    facts.name = thread_name(&b, client->pid, client->tid);
    hand_over(t, call, address, &facts);
}

static void hand_debug_event(struct model_thread *t, const struct call *call,
                             uint64_t at)
{
    const struct thing_facts file = { .type = STR("File"),
                                      .name = STR(""),
                                      .path = STR("") };
    enum nt_width w = call->width;
    uint64_t info = at + nt_offset(NT_DBGUI_WAIT_STATE_CHANGE_StateInfo, w);
    struct nt_client client = { 0, 0 };
    uint32_t state;

    /* A wait that has timed out is no failure, and has written nothing. */
    if ((uint32_t)call->result != 0 ||
        !nt_read32(&call->after, w, at, NT_DBGUI_WAIT_STATE_CHANGE_NewState,
                   &state)) {
        return;
    }
    nt_client_read(&call->after, w,
                   at + nt_offset(NT_DBGUI_WAIT_STATE_CHANGE_AppClientId, w),
                   &client);
    switch ((enum debug_state)state) {
    case STATE_CREATE_THREAD:
        hand_thread(t, call,
                    info + nt_offset(NT_DBGUI_CREATE_THREAD_HandleToThread, w),
                    &client);
        break;
    case STATE_CREATE_PROCESS:
        hand_process(t, call,
                     info +
                         nt_offset(NT_DBGUI_CREATE_PROCESS_HandleToProcess, w),
                     client.pid);
        hand_thread(t, call,
                    info + nt_offset(NT_DBGUI_CREATE_PROCESS_HandleToThread, w),
                    &client);
        hand_over(t, call,
                  info + nt_offset(NT_DBGUI_CREATE_PROCESS_NewProcess, w) +
                      nt_offset(NT_DBGKM_CREATE_PROCESS_FileHandle, w),
                  &file);
        break;
    case STATE_LOAD_DLL:
        hand_over(t, call, info + nt_offset(NT_DBGKM_LOAD_DLL_FileHandle, w),
                  &file);
        break;
    default:
        break;
    }
}

/* The image of a new process, as file and as section. */
static void hand_create_info(struct model_thread *t, const struct watch *watch,
                             const struct call *call, uint64_t at)
{
    struct thing_facts facts = { .name = STR(""), .path = STR("") };
    struct buf b = text_room(t->model);
    uint64_t name;
    uint64_t size;
    uint32_t state;

    if (!nt_read32(&call->after, call->width, at, NT_PS_CREATE_INFO_State,
                   &state) ||
        state != CREATE_SUCCESS) {
        return;
    }
    if (find_attribute(call, watch->second, PS_IMAGE_NAME, &name, &size) &&
        size <= 0xffff && add_utf16(&b, &call->before, name, size) && !b.cut) {
        facts.name = buf_str(&b);
        facts.path = path_of(facts.name);
    }
    facts.type = STR("File");
    hand_over(t, call,
              at + nt_offset(NT_PS_CREATE_INFO_FileHandle, call->width),
              &facts);
    facts.type = STR("Section");
    hand_over(t, call,
              at + nt_offset(NT_PS_CREATE_INFO_SectionHandle, call->width),
              &facts);
}

static void hand_handles(struct model_thread *t, const struct watch *watch,
                         const struct call *call)
{
    struct thing_facts facts = { .name = STR(""), .path = STR("") };
    uint64_t class = 0;
    uint64_t at;

    if (!succeeded(call) || !arg(call, watch->from, &at) || at == 0) {
        return;
    }
    arg(call, watch->second, &class);
    if (watch->rule->naming == NAMING_DEBUG_EVENT) {
        hand_debug_event(t, call, at);
    } else if (watch->rule->naming == NAMING_CREATE_INFO) {
        hand_create_info(t, watch, call, at);
    } else if (watch->rule->naming == NAMING_DEBUG_PORT &&
               (uint32_t) class == PROCESS_DEBUG_OBJECT) {
        facts.type = STR("DebugObject");
        hand_over(t, call, at, &facts);
    } else if (watch->rule->naming == NAMING_LINKED_TOKEN &&
               (uint32_t) class == TOKEN_LINKED) {
        facts.type = STR("Token");
        hand_over(t, call, at, &facts);
    }
}

static void show_handle(struct model_thread *t, const struct watch *watch,
                        const struct call *call)
{
    if (succeeded(call)) {
        handles_add(t->process->handles, call->result,
                    str_of(watch->rule->type), STR(""), STR(""), false, 0);
    }
}

static void learn_ids(struct model_thread *t, const struct watch *watch,
                      const struct call *call, const struct thing *thing)
{
    struct thing_facts facts = thing_facts(thing);
    struct buf b = text_room(t->model);
    uint64_t class;
    uint64_t at;
    uint64_t id;

    /* The buffer is the parameter behind the class. */
    if (!arg(call, watch->second, &class) || (uint32_t) class != 0 ||
        !arg(call, watch->second + 1, &at) || !succeeded(call)) {
        return;
    }
    if (watch->rule->naming == NAMING_THREAD_ID) {
        struct nt_client client = { facts.pid, facts.tid };

        nt_client_read(
            &call->after, call->width,
            at + nt_offset(NT_THREAD_BASIC_INFORMATION_ClientId, call->width),
            &client);
        facts.pid = client.pid;
        facts.tid = client.tid;
        facts.name = thread_name(&b, facts.pid, facts.tid);
    } else if (nt_read(&call->after, call->width, at,
                       NT_PROCESS_BASIC_INFORMATION_UniqueProcessId, &id)) {
        str image = image_of(t->model, (uint32_t)id);

        if (image.size == 0 && str_starts(facts.name, STR("? "))) {
            image = str_slice(facts.name, 2, facts.name.size);
        }
        facts.pid = (uint32_t)id;
        facts.name = process_name(&b, facts.pid, image);
    }
    if (facts.pid != thing->object.pid || facts.tid != thing->tid) {
        handles_learn(t->process->handles, &facts);
    }
}

/* The kernel's own name of an object that had none here. */
static void learn_name(struct model_thread *t, const struct watch *watch,
                       const struct call *call, const struct thing *thing)
{
    struct thing_facts facts = thing_facts(thing);
    struct buf b = text_room(t->model);
    uint64_t class;
    uint64_t at;

    /* The buffer is the parameter behind the class. */
    if (facts.name.size > 0 || !succeeded(call) ||
        !arg(call, watch->second, &class) ||
        (uint32_t) class != OBJECT_NAME_CLASS ||
        !arg(call, watch->second + 1, &at) ||
        !add_string(&b, &call->after, call->width, at) || b.cut ||
        b.size == 0) {
        return;
    }
    facts.name = buf_str(&b);
    if (str_eq(facts.type, STR("File")) || str_eq(facts.type, STR("Key"))) {
        facts.path = path_of(facts.name);
    }
    handles_learn(t->process->handles, &facts);
}

static void learn_rename(struct model_thread *t, const struct watch *watch,
                         const struct open_call *open,
                         const struct thing *thing)
{
    const struct call *call = &open->call;
    struct thing_facts facts = thing_facts(thing);
    struct buf b = text_room(t->model);
    uint64_t class;
    uint64_t at;
    uint64_t root;
    uint32_t size;

    if (!arg(call, watch->second, &class) || !arg(call, 2, &at) ||
        !succeeded(call) ||
        ((uint32_t) class != FILE_RENAME &&
         (uint32_t) class != FILE_RENAME_EX)) {
        return;
    }
    facts.name = STR("");
    facts.path = STR("");
    if (nt_read(&call->before, call->width, at,
                NT_FILE_RENAME_INFORMATION_RootDirectory, &root) &&
        nt_read32(&call->before, call->width, at,
                  NT_FILE_RENAME_INFORMATION_FileNameLength, &size) &&
        size <= 0xffff) {
        str old = thing->object.name;
        uint16_t first = 0;

        at += nt_offset(NT_FILE_RENAME_INFORMATION_FileName, call->width);
        memory_u16(&call->before, at, &first);
        if (root != 0 && open->root && open->root->object.name.size > 0) {
            buf_add(&b, open->root->object.name);
            buf_add_char(&b, '\\');
        } else if (root != 0) {
            buf_add(&b, STR("?\\"));
        } else if (first != '\\') {
            /* It stays in its folder. */
            buf_add(&b, str_slice(old, 0, old.size - file_part(old).size));
        }
        if (add_utf16(&b, &call->before, at, size) && !b.cut) {
            facts.name = buf_str(&b);
            facts.path = path_of(facts.name);
        }
    }
    handles_learn(t->process->handles, &facts);
}

static void set_socket(struct model_thread *t, uint64_t value,
                       const struct socket *socket, str path)
{
    char room[4 * SOCKET_TEXT];
    struct buf b = BUF_OVER(room);
    struct thing_facts facts = {
        .type = STR("File"),
        .path = path,
        .socket = socket,
    };

    facts.name = socket_name(socket, &b);
    handles_set(t->process->handles, value, thing_new(t->model, &facts));
}

static void learn_as_socket(struct model_thread *t, const struct thing *thing,
                            const struct socket *socket)
{
    char room[4 * SOCKET_TEXT];
    struct buf b = BUF_OVER(room);
    struct thing_facts facts = thing_facts(thing);

    facts.socket = socket;
    facts.name = socket_name(socket, &b);
    handles_learn(t->process->handles, &facts);
}

/* An attempt to connect the socket `value` has come to an end, if it is the
 * same since `since`. */
static void learn_attempt(struct model_thread *t, uint64_t value,
                          uint64_t since, enum socket_attempt attempt)
{
    uint64_t generation;
    struct thing *thing = handles_look(t->process->handles, value, &generation);
    struct socket socket;

    if (thing && thing->socket && generation <= since) {
        socket = *thing->socket;
        if (socket_attempted(&socket, attempt)) {
            thing_hold(thing);
            learn_as_socket(t, thing, &socket);
            thing_release(thing);
        }
    }
}

static void learn_poll(struct model_thread *t, const struct call *call)
{
    enum socket_attempt attempt;
    uint64_t handle;

    for (uint32_t i = 0; socket_polled(call, i, &handle, &attempt); i++) {
        /* Not of what its number was given to while the poll waited. */
        learn_attempt(t, handle, t->seen_generation, attempt);
    }
}

/* FileCompletionInformation: where the ends of its calls go. */
static void learn_port(struct model_thread *t, const struct watch *watch,
                       const struct call *call, const struct thing *thing)
{
    struct socket socket;
    uint64_t class;
    uint64_t at;

    if (!thing->socket || !succeeded(call) ||
        !arg(call, watch->second, &class) ||
        (uint32_t) class != FILE_COMPLETION || !arg(call, 2, &at)) {
        return;
    }
    socket = *thing->socket;
    socket.has_port = nt_read(&call->before, call->width, at,
                              NT_FILE_COMPLETION_INFORMATION_Key, &socket.key);
    learn_as_socket(t, thing, &socket);
}

/* A completion port has given out the end of a call: was it the connecting of
 * a socket? Key and context, of a call that had not ended, say so. */
static void learn_completion(struct model_thread *t, uint64_t key,
                             uint64_t context, uint32_t status)
{
    struct model_process *p = t->process;

    for (size_t i = 0; i < SOCKETS_BEGUN; i++) {
        uint64_t generation;
        const struct thing *thing =
            handles_look(p->handles, p->begun[i], &generation);
        const struct socket *s = thing ? thing->socket : NULL;

        if (s && s->begun && s->has_port && s->key == key &&
            s->context == context && context != 0) {
            learn_attempt(t, p->begun[i], UINT64_MAX,
                          (int32_t)status >= 0 ? ATTEMPT_DONE : ATTEMPT_FAILED);
            break;
        }
    }
}

static void learn_completions(struct model_thread *t, const struct watch *watch,
                              const struct call *call)
{
    const struct memory *m = &call->after;
    enum nt_width w = call->width;
    uint32_t block =
        nt_offset(NT_FILE_IO_COMPLETION_INFORMATION_IoStatusBlock, call->width);
    uint32_t count = 1;
    uint64_t key;
    uint64_t context;
    uint64_t at;
    uint32_t status;

    if ((uint32_t)call->result != 0) {
        return;
    }
    if (watch->rule->naming == NAMING_COMPLETION) {
        if (arg(call, 1, &at) && nt_pointer_read(m, w, at, &key) &&
            arg(call, 2, &at) && nt_pointer_read(m, w, at, &context) &&
            arg(call, 3, &at) &&
            nt_read32(m, w, at, NT_IO_STATUS_BLOCK_Status, &status)) {
            learn_completion(t, key, context, status);
        }
        return;
    }
    if (!arg(call, 3, &at) || !memory_u32(m, at, &count) ||
        !arg(call, 1, &at)) {
        return;
    }
    for (; count > 0 &&
           nt_read(m, w, at, NT_FILE_IO_COMPLETION_INFORMATION_KeyContext,
                   &key) &&
           nt_read(m, w, at, NT_FILE_IO_COMPLETION_INFORMATION_ApcContext,
                   &context) &&
           nt_read32(m, w, at + block, NT_IO_STATUS_BLOCK_Status, &status);
         count--, at += nt_size(NT_FILE_IO_COMPLETION_INFORMATION, w)) {
        learn_completion(t, key, context, status);
    }
}

/* `thing` NULL: nothing was known of the handle. */
static void learn_socket(struct model_thread *t, const struct call *call,
                         const struct thing *thing)
{
    struct handles *h = t->process->handles;
    str path = thing ? thing->object.path : STR("");
    struct socket_news news;
    uint64_t generation;
    uint64_t value;

    if (!call->entry_seen || !call->returned || !arg(call, 0, &value)) {
        return;
    }
    learn_poll(t, call);
    if (!socket_learn(call, thing, &news)) {
        return;
    }
    if (news.same && news.socket.begun) {
        t->process->begun[t->process->begun_next++ % SOCKETS_BEGUN] = value;
    }
    if (news.same && thing) {
        learn_as_socket(t, thing, &news.socket);
    } else if (news.same && !handles_look(h, value, &generation)) {
        set_socket(t, value, &news.socket, path);
    }
    if (news.accepted != 0 && news.made) {
        set_socket(t, news.accepted, &news.other, path);
    } else if (news.accepted != 0) {
        struct thing *other =
            thing_hold(handles_look(h, news.accepted, &generation));

        if (other) {
            learn_as_socket(t, other, &news.other);
        }
        thing_release(other);
    }
}

/* --- Entry and end ---------------------------------------------------- */

/* Where the call says that the name of a file begins. */
static uint64_t root_of(const struct call *call, const struct watch *watch)
{
    uint64_t class;
    uint64_t root = 0;
    uint64_t at;

    switch ((enum handle_naming)watch->rule->naming) {
    case NAMING_ATTRIBUTES:
    case NAMING_FILE:
    case NAMING_PIPE:
    case NAMING_SECTION:
        if (arg(call, watch->from, &at) && at != 0) {
            nt_read(&call->before, call->width, at,
                    NT_OBJECT_ATTRIBUTES_RootDirectory, &root);
        }
        break;
    case NAMING_RENAME:
        if (arg(call, watch->second, &class) && arg(call, 2, &at) &&
            ((uint32_t) class == FILE_RENAME ||
             (uint32_t) class == FILE_RENAME_EX)) {
            nt_read(&call->before, call->width, at,
                    NT_FILE_RENAME_INFORMATION_RootDirectory, &root);
        }
        break;
    case NAMING_NONE:
    case NAMING_STRING:
    case NAMING_HANDLE:
    case NAMING_CLIENT:
    case NAMING_PROCESS:
    case NAMING_THREAD:
    case NAMING_IMAGE:
    case NAMING_RESERVE:
    case NAMING_SOCKET:
    case NAMING_PROCESS_ID:
    case NAMING_THREAD_ID:
    case NAMING_OBJECT_NAME:
    case NAMING_PORT:
    case NAMING_COMPLETION:
    case NAMING_COMPLETIONS:
    case NAMING_DEBUG_EVENT:
    case NAMING_CREATE_INFO:
    case NAMING_DEBUG_PORT:
    case NAMING_LINKED_TOKEN:
        break;
    }
    return root;
}

/* What argument `i` refers to, held, if that is so since `since`. */
static void fill_object(const struct handles *h, struct call *call, uint32_t i,
                        uint64_t since)
{
    uint64_t generation;
    struct thing *thing;

    if (!(call->arg_mask & 1u << i)) {
        return;
    }
    thing = handles_look(h, call->args[i], &generation);
    if (thing && generation <= since) {
        call->objects[i] = &thing_hold(thing)->object;
    }
}

/* The source handle of a copy is one of the process that argument 0 means. */
static void enter_copy(struct model_thread *t, const struct watch *watch,
                       struct open_call *open)
{
    struct call *call = &open->call;
    uint64_t value;

    open->source = process_of_arg(t, call, SOURCE_PROCESS);
    if (open->source != t->process && call->objects[watch->from]) {
        thing_release(thing_of(call->objects[watch->from]));
        call->objects[watch->from] = NULL;
    }
    if (open->source && open->source->handles &&
        arg(call, watch->from, &value)) {
        open->root = thing_hold(
            handles_look(open->source->handles, value, &open->generation));
        if (open->root && !call->objects[watch->from]) {
            call->objects[watch->from] = &thing_hold(open->root)->object;
        }
    }
}

void watch_enter(struct model_thread *t, struct open_call *open)
{
    struct handles *h = t->process->handles;
    struct call *call = &open->call;
    uint64_t value;

    if (!h || !call->stub) {
        return;
    }
    for (uint32_t mask = call->stub->handle_args; mask; mask &= mask - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(mask);

        fill_object(h, call, i, UINT64_MAX);
    }
    for (const struct watch *w = call->stub->watch; w; w = w->next) {
        uint64_t generation;

        switch ((enum handle_does)w->rule->does) {
        case HANDLE_CLOSES:
            if (arg(call, w->from, &value)) {
                handles_look(h, value, &open->generation);
            }
            break;
        case HANDLE_COPIES:
            enter_copy(t, w, open);
            break;
        case HANDLE_HANDS:
        case HANDLE_SHOWS:
            break;
        case HANDLE_MAKES:
        case HANDLE_LEARNS:
            value = root_of(call, w);
            if (value != 0 && !open->root) {
                open->root = thing_hold(handles_look(h, value, &generation));
            }
            break;
        }
    }
}

void watch_orphan(struct model_thread *t, struct open_call *open)
{
    struct handles *h = t->process->handles;
    struct call *call = &open->call;

    if (!h) {
        return;
    }
    if (!call->number_known) {
        handles_clear(h);
        return;
    }
    for (uint32_t i = 0; call->stub && i < CALL_ARGS_MAX; i++) {
        if (call->stub->handle_args & 1u << i) {
            /* Only what was so before the thread went into the kernel. */
            fill_object(h, call, i, t->seen_generation);
        }
    }
}

void watch_leave(struct model_thread *t, struct open_call *open)
{
    const struct call *call = &open->call;

    if (!t->process->handles || !call->stub) {
        return;
    }
    for (const struct watch *w = call->stub->watch; w; w = w->next) {
        const struct object *object =
            w->from >= 0 ? call->objects[w->from] : NULL;

        switch ((enum handle_does)w->rule->does) {
        case HANDLE_MAKES:
            make_handle(t, w, open);
            break;
        case HANDLE_COPIES:
            close_source(t, w, open);
            copy_handle(t, w, open);
            break;
        case HANDLE_CLOSES:
            close_argument(t, w, open);
            break;
        case HANDLE_HANDS:
            hand_handles(t, w, call);
            break;
        case HANDLE_SHOWS:
            show_handle(t, w, call);
            break;
        case HANDLE_LEARNS:
            if (w->rule->naming == NAMING_SOCKET) {
                learn_socket(t, call, thing_of(object));
            } else if (w->rule->naming == NAMING_COMPLETION ||
                       w->rule->naming == NAMING_COMPLETIONS) {
                learn_completions(t, w, call);
            } else if (!object) {
                break;
            } else if (w->rule->naming == NAMING_RENAME) {
                learn_rename(t, w, open, thing_of(object));
            } else if (w->rule->naming == NAMING_PORT) {
                learn_port(t, w, call, thing_of(object));
            } else if (w->rule->naming == NAMING_OBJECT_NAME) {
                learn_name(t, w, call, thing_of(object));
            } else {
                learn_ids(t, w, call, thing_of(object));
            }
            break;
        }
    }
}

void watch_completion(struct model_thread *t, struct open_call *open)
{
    const struct call *call = &open->call;
    const struct thing *then = thing_of(call->objects[0]);
    uint64_t generation;
    struct thing *now;

    if (!t->process->handles || !then || !(call->arg_mask & 1)) {
        return;
    }
    /* What is known of it by now counts, if the handle is still its own. */
    now = thing_hold(
        handles_look(t->process->handles, call->args[0], &generation));
    for (const struct watch *w = call->stub->watch; w; w = w->next) {
        if (w->rule->does == HANDLE_LEARNS &&
            w->rule->naming == NAMING_SOCKET && now &&
            now->identity == then->identity) {
            learn_socket(t, call, now);
        }
    }
    thing_release(now);
}

void watch_release(struct open_call *open)
{
    for (uint32_t i = 0; i < CALL_ARGS_MAX; i++) {
        if (open->call.objects[i]) {
            thing_release(thing_of(open->call.objects[i]));
            open->call.objects[i] = NULL;
        }
    }
    thing_release(open->root);
    open->root = NULL;
}
