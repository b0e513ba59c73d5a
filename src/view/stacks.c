/* SPDX-License-Identifier: MIT */
/*
 * stacks.c - walking through a stack that was copied, by files of modules.
 *
 * Reads files, asks the model what lies where; touches nothing else. A file that
 * cannot be opened, or is another build, is not looked for again.
 */
#include "view/stacks.h"

#include "base/chars.h"
#include "model/model.h"
#include "platform/os.h"
#include "unwind/symbols.h"
#include "unwind/unwind.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PATH_ROOM 8192

struct stack_file {
    struct stack_file *next;
    struct module_build build;
    char *name;  // owned, with the path behind it
    size_t name_size;
    size_t path_size;
    bool there;
    bool ended;  // not there: a walk ended for that
    bool named;  // `symbols` were looked for
    struct os_file file;
    struct modfile module;
    struct symbols symbols;
};

void stacks_open(struct stacks *s, const struct option_list *folders,
                 uint32_t limit)
{
    *s = (struct stacks){ .folders = folders, .limit = limit };
}

static void file_close(struct stack_file *f)
{
    struct err ignored;

    if (f->there) {
        if (f->named) {
            symbols_close(&f->symbols);
        }
        modfile_close(&f->module);
        os_file_close(&f->file, &ignored);
    }
    free(f->name);
    free(f);
}

void stacks_close(struct stacks *s)
{
    while (s->files != NULL) {
        struct stack_file *f = s->files;

        s->files = f->next;
        file_close(f);
    }
    free(s->frames);
    s->frames = NULL;
    s->file_count = 0;
}

/* --- files of modules --- */

static bool read_file(void *ctx, uint64_t offset, void *to, size_t size)
{
    struct err ignored;
    size_t got = 0;

    return os_file_read_at(ctx, offset, to, size, &got, &ignored) &&
           got == size;
}

static bool is_build(const struct modfile *f, const struct module_build *b)
{
    return f->image_size == b->image_size && f->timestamp == b->timestamp &&
           f->checksum == b->checksum;
}

/* Opens the file at `path`, if it is the build that is asked for. */
static bool file_open(struct stack_file *f, str path)
{
    struct modfile_source source = { .read = read_file, .ctx = &f->file };
    struct err e = { 0 };

    if (!os_file_open(&f->file, path, &e)) {
        return false;
    }
    if (os_file_size(&f->file, &source.size, &e) &&
        modfile_open(&f->module, &source) && is_build(&f->module, &f->build)) {
        f->there = true;
        return true;
    }
    modfile_close(&f->module);
    os_file_close(&f->file, &e);
    return false;
}

/* A path that begins with a drive. */
static bool is_on_drive(str path)
{
    return path.size > 3 && path.p[1] == ':' && path.p[2] == '\\' &&
           ((path.p[0] >= 'A' && path.p[0] <= 'Z') ||
            (path.p[0] >= 'a' && path.p[0] <= 'z'));
}

/* A path of a file on a disk of this machine, as it can be opened. False: it is
 * none. A trace is anybody's: nothing is to be asked of a server, or of a device,
 * because it says so. */
static bool add_path(struct buf *b, str path)
{
    const str dos = STR("\\??\\");
    const str disk = STR("\\Device\\HarddiskVolume");

    if (memchr(path.p, 0, path.size) != NULL) {
        return false;
    }
    if (str_starts(path, dos)) {
        path = str_slice(path, dos.size, path.size);
    }
    if (is_on_drive(path)) {
        buf_add(b, STR("\\\\?\\"));
    } else if (str_starts(path, disk)) {
        buf_add(b, STR("\\\\?\\GLOBALROOT"));
    } else {
        return false;
    }
    buf_add(b, path);
    return !b->cut;
}

static bool open_in_folder(struct stack_file *f, str folder, str name,
                           bool lower)
{
    char room[PATH_ROOM];
    struct buf b = BUF_OVER(room);

    buf_add(&b, folder);
    if (!str_ends(folder, STR("/")) && !str_ends(folder, STR("\\"))) {
        buf_add_char(&b, '/');
    }
    for (size_t i = 0; i < name.size; i++) {
        char c = name.p[i];

        buf_add_char(&b,
                     lower && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    return !b.cut && file_open(f, buf_str(&b));
}

/* A name that leads out of the folder is none. */
static bool is_plain_name(str name)
{
    return name.size > 0 && str_file(name).size == name.size &&
           memchr(name.p, ':', name.size) == NULL &&
           memchr(name.p, 0, name.size) == NULL;
}

static void file_find(const struct stacks *s, struct stack_file *f,
                      const struct module_here *m)
{
    char room[PATH_ROOM];
    struct buf b = BUF_OVER(room);

    if (m->build.image_size == 0) {
        return;
    }
    if (add_path(&b, m->path) && file_open(f, buf_str(&b))) {
        return;
    }
    for (size_t i = 0; i < s->folders->count && is_plain_name(m->name); i++) {
        if (open_in_folder(f, s->folders->at[i], m->name, false) ||
            open_in_folder(f, s->folders->at[i], m->name, true)) {
            return;
        }
    }
}

static bool is_of(const struct stack_file *f, const struct module_here *m)
{
    return memcmp(&f->build, &m->build, sizeof(f->build)) == 0 &&
           str_eq_nocase((str){ f->name, f->name_size }, m->name) &&
           str_eq((str){ f->name + f->name_size, f->path_size }, m->path);
}

/* What is known of the module's file; NULL: there is no room. */
static struct stack_file *entry_of(struct stacks *s,
                                   const struct module_here *m)
{
    struct stack_file *f;

    for (f = s->files; f != NULL; f = f->next) {
        if (is_of(f, m)) {
            return f;
        }
    }
    if (s->file_count >= STACKS_FILES_MOST) {
        return NULL;
    }
    f = calloc(1, sizeof(*f));
    if (f == NULL || !(f->name = malloc(m->name.size + m->path.size + 1))) {
        free(f);
        return NULL;
    }
    f->build = m->build;
    f->name_size = m->name.size;
    f->path_size = m->path.size;
    memcpy(f->name, m->name.p, m->name.size);
    memcpy(f->name + m->name.size, m->path.p, m->path.size);
    f->next = s->files;
    s->files = f;
    s->file_count++;
    file_find(s, f, m);
    return f;
}

/* The file of the module; NULL: it is not at hand. */
static struct stack_file *file_of(struct stacks *s, const struct module_here *m)
{
    struct stack_file *f = entry_of(s, m);

    return f != NULL && f->there ? f : NULL;
}

/* --- a walk --- */

struct walking {
    struct stacks *stacks;
    const struct call *call;
    str file;  // that was not at hand
    struct stack_file *entry;
};

static bool find(void *ctx, uint64_t address, struct unwind_module *out)
{
    struct walking *w = ctx;
    struct module_here m;
    struct stack_file *f;

    if (!model_module(w->call->process, address, &m)) {
        return false;
    }
    w->entry = entry_of(w->stacks, &m);
    f = w->entry != NULL && w->entry->there ? w->entry : NULL;
    *out = (struct unwind_module){ m.base, f != NULL ? &f->module : NULL };
    w->file = f == NULL ? m.name : STR("");
    return true;
}

static uint64_t word(const uint8_t *p)
{
    return (uint64_t)modfile_u32(p) | (uint64_t)modfile_u32(p + 4) << 32;
}

/* The state of the thread when the function that makes the call returns. */
static struct unwind_state state_of(const struct call *call)
{
    static const uint8_t numbers[STACK_REGISTERS / 8] = {
        UNWIND_RBX, UNWIND_RBP, UNWIND_RSI, UNWIND_RDI, 12, 13, 14, 15
    };
    struct unwind_state s = { .rip = call->caller };

    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        s.registers[numbers[i]] = word(call->stack.bytes + 8 * i);
    }
    s.registers[UNWIND_RSP] = call->rsp + 8;
    return s;
}

static struct sink_frame frame_at(struct walking *w, uint64_t address)
{
    struct sink_frame frame = {
        .address = address,
        .place = model_place(w->call->process, address),
        .symbol = STR(""),
    };
    struct module_here m;
    struct stack_file *f;
    uint32_t offset;

    if (address == 0 || !model_module(w->call->process, address - 1, &m)) {
        return frame;
    }
    f = file_of(w->stacks, &m);
    if (f == NULL || address - m.base > UINT32_MAX) {
        return frame;
    }
    if (!f->named) {
        f->named = true;
        symbols_open(&f->symbols, &f->module);
    }
    if (symbols_find(&f->symbols, &f->module, (uint32_t)(address - m.base),
                     &frame.symbol, &offset)) {
        frame.offset = offset;
    }
    return frame;
}

static void say_why(struct walking *w, enum unwind_end end,
                    struct sink_stack *out)
{
    struct buf b = BUF_OVER(w->stacks->words);

    switch (end) {
    case UNWIND_ON:
    case UNWIND_WHOLE:
        break;
    case UNWIND_CUT:
        buf_addf(&b, "%u bytes were copied",
                 (unsigned)(w->call->stack.size - STACK_REGISTERS));
        break;
    case UNWIND_FOREIGN:
        buf_add(&b, STR("code of no module"));
        break;
    case UNWIND_NO_FILE:
        buf_add(&b, STR("no file of"));
        out->file = w->file;
        if (w->entry != NULL) {
            w->entry->ended = true;
        }
        break;
    case UNWIND_BAD:
        buf_add(&b, STR("it does not fit its unwind data"));
        break;
    case UNWIND_LIMIT:
        buf_addf(&b, "%u callers are shown", (unsigned)w->stacks->limit);
        break;
    }
    out->cut = buf_str(&b);
}

static enum unwind_end walk(struct walking *w, uint64_t *callers,
                            uint32_t *count)
{
    const struct call *call = w->call;
    struct unwind_stack stack = {
        .bytes = call->stack.bytes + STACK_REGISTERS,
        .low = call->rsp,
        .size = call->stack.size - STACK_REGISTERS,
        .base = call->rsp < call->stack_base ? call->stack_base : 0,
    };
    struct unwind_state s = state_of(call);
    uint32_t more = 0;
    enum unwind_end end;

    callers[0] = call->caller;
    if (w->stacks->limit == 1) {
        *count = 1;
        return UNWIND_LIMIT;
    }
    end = unwind_walk(&s, &stack, find, w, callers + 1, w->stacks->limit - 1,
                      &more);
    *count = more + 1;
    return end;
}

void stacks_of(void *stacks, const struct call *call, struct sink_stack *out)
{
    struct stacks *s = stacks;
    struct walking w = { .stacks = s, .call = call, .file = STR("") };
    uint64_t callers[STACK_LIMIT_MOST];
    uint32_t count = 0;
    enum unwind_end end = UNWIND_WHOLE;

    *out = (struct sink_stack){ .cut = STR("nothing was copied"),
                                .file = STR("") };
    if (s->frames == NULL) {
        s->frames = calloc(s->limit, sizeof(s->frames[0]));
    }
    if (s->frames == NULL || call->process == NULL || call->caller == 0) {
        return;
    }
    if (call->stack.size >= STACK_REGISTERS) {
        end = walk(&w, callers, &count);
        say_why(&w, end, out);
    } else {
        callers[0] = call->caller;
        count = 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        s->frames[i] = frame_at(&w, callers[i]);
    }
    out->frames = s->frames;
    out->count = count;
}

void stacks_note(const struct stacks *s, struct buf *notes)
{
    const struct stack_file *first = NULL;
    unsigned count = 0;

    /* The newest is the first of the list. */
    for (const struct stack_file *f = s->files; f != NULL; f = f->next) {
        if (f->ended) {
            first = f;
            count++;
        }
    }
    if (first == NULL) {
        return;
    }
    buf_add(notes, STR("no file of "));
    chars_add_visible(notes, (str){ first->name, first->name_size });
    if (count > 1) {
        buf_addf(notes, " and %u other%s", count - 1, count > 2 ? "s" : "");
    }
    buf_add(notes, STR(": the callers behind are not known; --module-path "
                       "says where files are\n"));
}
