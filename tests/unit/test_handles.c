/* SPDX-License-Identifier: MIT */
/*
 * test_handles - model/handles.c, watch.c, socket.c and the rows of
 * tables/handles.def: what a handle refers to, from call to call.
 *
 * Each test makes calls with the memory that an agent would have copied for
 * them. What was heard is compared: for each call that is over, its name and
 * what its handle arguments referred to.
 */
#include "tables/handles.h"
#include "tables/structs.h"

#include "unit/trace.h"

#include "unit/check.h"

#include <time.h>

/* Where the pieces of memory of all calls are. */
#define AT_ATTRIBUTES 0x1000
#define AT_STRING 0x2000
#define AT_TEXT 0x3000
#define AT_OUT 0x5000
#define AT_OUT_2 0x5100
#define AT_BUFFER 0x6000
#define AT_CLIENT 0x7000

static struct chunk c;
static struct trace *t;
static struct model_thread *thread;
static uint64_t now;
static char heard_text[65536];
static struct buf heard;

static void hear_leave(void *ctx, const struct call *call)
{
    (void)ctx;
    buf_add(&heard, call->stub ? call->stub->name : STR("?"));
    for (uint32_t i = 0; i < CALL_ARGS_MAX; i++) {
        if (call->objects[i]) {
            buf_addf(&heard, " %u=%.*s<%.*s>", i,
                     STR_ARGS(call->objects[i]->type),
                     STR_ARGS(call->objects[i]->name));
        }
    }
    buf_add_char(&heard, '\n');
}

static void hear_enter(void *ctx, const struct call *call)
{
    (void)ctx;
    (void)call;
}

static void hear_transition(void *ctx, const struct transition_told *told_of)
{
    (void)ctx;
    (void)told_of;
}

static void hear_notice(void *ctx, const struct notice *n)
{
    (void)ctx;
    (void)n;
}

static void begin(enum model_mode mode)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .hold = 100000 * TICKS };
    struct model_out out = {
        .enter = hear_enter,
        .leave = hear_leave,
        .transition = hear_transition,
        .notice = hear_notice,
    };

    heard = BUF_OVER(heard_text);
    now = 1;
    t = trace_open_with(mode, &options, &config, &out);
    thread = add_thread(t, 36);
}

static void end(void)
{
    tell_thread_end(thread, 0, now * TICKS);
    model_flush(t->m);
    trace_close(t);
    t = NULL;
}

static void run_on(struct model_thread *on)
{
    feed(on, &c);
    model_flush(t->m);
}

/* What was heard since the last time. */
static str news(void)
{
    str s = buf_str(&heard);

    heard.size = 0;
    return s;
}

static void put(uint8_t *to, uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        to[i] = (uint8_t)(n >> (8 * i));
    }
}

/* --- Memory for the next call ----------------------------------------- */

static uint32_t op;

static void before(uint32_t number, uint64_t address, const void *bytes,
                   uint32_t size)
{
    chunk_data(&c, now, number, 0x100, 0, op++, address, bytes, size);
}

static void text_before(uint32_t number, uint64_t address, const char *text)
{
    uint8_t units[2048];
    uint32_t size = 0;

    for (; *text; text++) {
        put(units + size, (uint8_t)*text, 2);
        size += 2;
    }
    before(number, address, units, size);
}

static void string_before(uint32_t number, uint64_t address, const char *text)
{
    uint8_t string[16] = { 0 };

    put(string, strlen(text) * 2, 2);
    put(string + 2, strlen(text) * 2, 2);
    put(string + 8, AT_TEXT, 8);
    before(number, address, string, sizeof(string));
    text_before(number, AT_TEXT, text);
}

static void attributes_before(uint32_t number, uint64_t root, const char *name)
{
    uint8_t attributes[0x30] = { 0x30 };

    put(attributes + 8, root, 8);
    put(attributes + 0x10, name ? AT_STRING : 0, 8);
    before(number, AT_ATTRIBUTES, attributes, sizeof(attributes));
    if (name) {
        string_before(number, AT_STRING, name);
    }
}

static void enter(uint32_t number, uint32_t count, const uint64_t *args)
{
    chunk_call(&c, now, number, 0x100, count, args);
    now += 2;
    op = 0;
}

static void after(uint32_t number, uint64_t address, const void *bytes,
                  uint32_t size)
{
    chunk_data(&c, now, number, 0x100, RECORD_AT_RETURN, op++, address, bytes,
               size);
}

static void word_after(uint32_t number, uint64_t address, uint64_t word)
{
    uint8_t bytes[8];

    put(bytes, word, 8);
    after(number, address, bytes, 8);
}

static void leave(uint32_t number, uint64_t result)
{
    chunk_return(&c, now, number, STACK, 0x100, result);
    now += 2;
    op = 0;
    run_on(thread);
}

/* --- Whole calls ------------------------------------------------------ */

static void open_as(uint32_t number, uint32_t count, uint64_t root,
                    const char *name, uint64_t handle)
{
    const uint64_t args[17] = { AT_OUT, 0x80100000, AT_ATTRIBUTES, 0x5200 };

    attributes_before(number, root, name);
    enter(number, count, args);
    word_after(number, AT_OUT, handle);
    leave(number, 0);
}

static void open_file(uint64_t root, const char *name, uint64_t handle)
{
    open_as(N_OPEN_FILE, 6, root, name, handle);
}

static void call_1(uint32_t number, uint64_t handle, uint64_t result)
{
    enter(number, 1, &handle);
    leave(number, result);
}

static void close_handle(uint64_t handle)
{
    call_1(N_CLOSE, handle, 0);
}

/* The name of a handle; "-" if nothing is known of it. */
static str name_in(struct model_process *p, uint64_t handle)
{
    const struct object *o = handles_find(p->handles, handle);

    return o ? o->name : STR("-");
}

static str name_of(uint64_t handle)
{
    return name_in(t->p, handle);
}

static str path_of(uint64_t handle)
{
    const struct object *o = handles_find(t->p->handles, handle);

    return o ? o->path : STR("-");
}

static str type_of(uint64_t handle)
{
    const struct object *o = handles_find(t->p->handles, handle);

    return o ? o->type : STR("-");
}

/* --- Files, keys ------------------------------------------------------ */

static void a_handle_has_the_name_it_was_opened_by(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\??\\C:\\windows\\win.ini", 0x4c);
    close_handle(0x4c);
    close_handle(0x4c);
    CHECK_STR(news(), STR("NtOpenFile\n"
                          "NtClose 0=File<\\??\\C:\\windows\\win.ini>\n"
                          "NtClose\n"));
    end();
}

/* What was replaced has done nothing, whatever its caller was told; what was
 * changed has done what the kernel says. */
static void a_close_that_was_injected_has_closed_what_the_kernel_closed(void)
{
    size_t at;

    begin(MODE_PATCHED);
    open_file(0, "\\??\\C:\\windows\\win.ini", 0x4c);
    chunk_entry(&c, ++now, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    chunk_return_at(&c, ++now, stub_at(N_CLOSE) + 0x14, STACK, 0x100, 0,
                    RECORD_INJECTED | RECORD_REPLACED);
    run_on(thread);
    CHECK_STR(type_of(0x4c), STR("File"));
    chunk_entry(&c, ++now, N_CLOSE, STACK, 0x100, 0x4c, 0, 0);
    at = c.size;
    chunk_return_at(&c, ++now, stub_at(N_CLOSE) + 0x14, STACK, 0x100,
                    0xc0000008, RECORD_INJECTED);
    chunk_u64(&c, 0);
    c.bytes[at + RECORD_SIZE] = RETURN_SIZE_MOST;
    run_on(thread);
    CHECK_STR(type_of(0x4c), STR("-"));
    end();
}

static void the_access_is_what_was_asked_for(void)
{
    const struct object *o;

    begin(MODE_PATCHED);
    open_file(0, "\\??\\C:\\a", 0x4c);
    o = handles_find(t->p->handles, 0x4c);
    CHECK(o && o->access_known);
    CHECK_U64(o ? o->access : 0, 0x80100000);
    end();
}

static void the_two_lowest_bits_of_a_handle_do_not_count(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\??\\C:\\a", 0x4c);
    CHECK_STR(name_of(0x4f), STR("\\??\\C:\\a"));
    close_handle(0x4d);
    CHECK_STR(name_of(0x4c), STR("-"));
    end();
}

static void a_root_comes_first(void)
{
    static const struct {
        const char *root;
        const char *name;
        const char *want;
    } cases[] = {
        { "\\??\\C:\\dir", "file", "\\??\\C:\\dir\\file" },
        { "\\??\\C:\\", "file", "\\??\\C:\\file" },
        { "\\??\\C:\\dir", "", "\\??\\C:\\dir" },
        { "\\??\\C:\\dir", NULL, "\\??\\C:\\dir" },
        { NULL, "file", "?\\file" },
        { NULL, "", "" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        begin(MODE_PATCHED);
        if (cases[i].root) {
            open_file(0, cases[i].root, 0x40);
        }
        open_file(0x40, cases[i].name, 0x44);
        CHECK_STR(name_of(0x44), str_of(cases[i].want));
        end();
    }
}

static void the_root_is_what_it_was_at_the_entry(void)
{
    const uint64_t args[6] = { AT_OUT, 0, AT_ATTRIBUTES, 0x5200 };
    struct model_thread *other;

    begin(MODE_PATCHED);
    other = add_thread(t, 44);
    open_file(0, "\\??\\C:\\dir", 0x40);
    attributes_before(N_OPEN_FILE, 0x40, "file");
    enter(N_OPEN_FILE, 6, args);
    run_on(thread);
    chunk_entry(&c, now++, N_CLOSE, STACK, 0x100, 0x40, 0, 0);
    chunk_return(&c, now++, N_CLOSE, STACK, 0x100, 0);
    run_on(other);
    word_after(N_OPEN_FILE, AT_OUT, 0x44);
    leave(N_OPEN_FILE, 0);
    CHECK_STR(name_of(0x44), STR("\\??\\C:\\dir\\file"));
    end();
}

static void keys_and_others_have_names_too(void)
{
    begin(MODE_PATCHED);
    open_as(N_OPEN_KEY, 3, 0, "\\Registry\\Machine", 0x10);
    open_as(N_OPEN_KEY, 3, 0x10, "Software", 0x14);
    open_as(N_CREATE_EVENT, 5, 0, "\\BaseNamedObjects\\e", 0x18);
    open_as(N_CREATE_EVENT, 5, 0, NULL, 0x1c);
    CHECK_STR(name_of(0x14), STR("\\Registry\\Machine\\Software"));
    CHECK_STR(path_of(0x14), STR("\\Registry\\Machine\\Software"));
    CHECK_STR(type_of(0x14), STR("Key"));
    CHECK_STR(name_of(0x18), STR("\\BaseNamedObjects\\e"));
    CHECK_STR(path_of(0x18), STR(""));
    CHECK_STR(type_of(0x18), STR("Event"));
    CHECK_STR(name_of(0x1c), STR(""));
    CHECK_STR(type_of(0x1c), STR("Event"));
    end();
}

static void paths_are_without_the_prefix_of_the_object_manager(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\??\\C:\\windows\\win.ini", 0x4c);
    open_file(0, "\\Device\\Null", 0x50);
    open_file(0x999c, "file", 0x54);
    CHECK_STR(path_of(0x4c), STR("C:\\windows\\win.ini"));
    CHECK_STR(path_of(0x50), STR("\\Device\\Null"));
    CHECK_STR(path_of(0x54), STR(""));
    end();
}

static void a_name_that_is_no_name_is_not_shown(void)
{
    uint64_t args[6] = { AT_OUT, 0, AT_ATTRIBUTES, 0x5200, 0, 0x2000 };
    uint8_t string[16] = { 8, 0, 8, 0 };
    uint8_t attributes[0x30] = { 0x30 };

    begin(MODE_PATCHED);
    /* FILE_OPEN_BY_FILE_ID */
    attributes_before(N_OPEN_FILE, 0, "12345678");
    enter(N_OPEN_FILE, 6, args);
    word_after(N_OPEN_FILE, AT_OUT, 0x44);
    leave(N_OPEN_FILE, 0);
    CHECK_STR(type_of(0x44), STR("File"));
    CHECK_STR(name_of(0x44), STR(""));
    /* Only half of it was copied. */
    args[5] = 0;
    put(attributes + 0x10, AT_STRING, 8);
    put(string + 8, AT_TEXT, 8);
    before(N_OPEN_FILE, AT_ATTRIBUTES, attributes, sizeof(attributes));
    before(N_OPEN_FILE, AT_STRING, string, sizeof(string));
    text_before(N_OPEN_FILE, AT_TEXT, "abc");
    enter(N_OPEN_FILE, 6, args);
    word_after(N_OPEN_FILE, AT_OUT, 0x48);
    leave(N_OPEN_FILE, 0);
    CHECK_STR(type_of(0x48), STR("File"));
    CHECK_STR(name_of(0x48), STR(""));
    end();
}

static void names_are_wtf_8(void)
{
    static const uint16_t units[] = { 'a',    0xe9,   0x20ac, 0xd83d,
                                      0xde00, 0xdc01, 0xd801 };
    uint64_t args[6] = { AT_OUT, 0, AT_ATTRIBUTES, 0x5200 };
    uint8_t bytes[sizeof(units)];
    uint8_t string[16] = { sizeof(units), 0, sizeof(units), 0 };
    uint8_t attributes[0x30] = { 0x30 };

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        put(bytes + 2 * i, units[i], 2);
    }
    begin(MODE_PATCHED);
    put(attributes + 0x10, AT_STRING, 8);
    put(string + 8, AT_TEXT, 8);
    before(N_OPEN_FILE, AT_ATTRIBUTES, attributes, sizeof(attributes));
    before(N_OPEN_FILE, AT_STRING, string, sizeof(string));
    before(N_OPEN_FILE, AT_TEXT, bytes, sizeof(bytes));
    enter(N_OPEN_FILE, 6, args);
    word_after(N_OPEN_FILE, AT_OUT, 0x48);
    leave(N_OPEN_FILE, 0);
    CHECK_STR(name_of(0x48), STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
                                 "\xed\xb0\x81\xed\xa0\x81"));
    end();
}

/* Names are read in parts; no pair is taken apart by that. */
static void a_pair_is_one_wherever_it_lies(void)
{
    uint64_t args[6] = { AT_OUT, 0, AT_ATTRIBUTES, 0x5200 };

    for (size_t lead = 120; lead < 136; lead++) {
        size_t size = 2 * (lead + 3);
        uint8_t bytes[2 * 139];
        uint8_t string[16] = { (uint8_t)size, (uint8_t)(size >> 8) };
        uint8_t attributes[0x30] = { 0x30 };
        char want[256];
        struct buf b = BUF_OVER(want);

        for (size_t i = 0; i < lead; i++) {
            put(bytes + 2 * i, 'a', 2);
            buf_add_char(&b, 'a');
        }
        put(bytes + 2 * lead, 0xd83d, 2);
        put(bytes + 2 * lead + 2, 0xde00, 2);
        put(bytes + 2 * lead + 4, 'z', 2);
        buf_add(&b, STR("\xf0\x9f\x98\x80z"));
        begin(MODE_PATCHED);
        put(attributes + 0x10, AT_STRING, 8);
        put(string + 8, AT_TEXT, 8);
        before(N_OPEN_FILE, AT_ATTRIBUTES, attributes, sizeof(attributes));
        before(N_OPEN_FILE, AT_STRING, string, sizeof(string));
        before(N_OPEN_FILE, AT_TEXT, bytes, (uint32_t)size);
        enter(N_OPEN_FILE, 6, args);
        word_after(N_OPEN_FILE, AT_OUT, 0x48);
        leave(N_OPEN_FILE, 0);
        CHECK_STR(name_of(0x48), buf_str(&b));
        end();
    }
}

/* --- When not --------------------------------------------------------- */

static void a_failed_or_pending_call_makes_no_handle(void)
{
    static const uint64_t results[] = { 0xc0000034, 0x80000005 };
    const uint64_t args[6] = { AT_OUT, 0, AT_ATTRIBUTES, 0x5200 };

    for (size_t i = 0; i < COUNT_OF(results); i++) {
        begin(MODE_PATCHED);
        attributes_before(N_OPEN_FILE, 0, "\\a");
        enter(N_OPEN_FILE, 6, args);
        word_after(N_OPEN_FILE, AT_OUT, 0x4c);
        leave(N_OPEN_FILE, results[i]);
        CHECK_STR(name_of(0x4c), STR("-"));
        end();
    }
}

static void a_value_that_is_used_again_has_its_new_name(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\old", 0x4c);
    open_file(0, "\\new", 0x4c);
    CHECK_STR(name_of(0x4c), STR("\\new"));
    close_handle(0x4c);
    open_as(N_CREATE_EVENT, 5, 0, NULL, 0x4c);
    CHECK_STR(name_of(0x4c), STR(""));
    end();
}

static void a_close_that_fails_closes_nothing(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\a", 0x4c);
    call_1(N_CLOSE, 0x4c, 0xc0000235);  // STATUS_HANDLE_NOT_CLOSABLE
    CHECK_STR(name_of(0x4c), STR("\\a"));
    call_1(N_CLOSE, 0x4c, 0xc0000008);  // STATUS_INVALID_HANDLE
    CHECK_STR(name_of(0x4c), STR("-"));
    end();
}

/* One thread has closed the handle, another one got the value again, and its
 * open returns first. */
static void a_close_takes_only_what_was_there_at_its_entry(void)
{
    static const bool known[] = { true, false };
    const uint64_t handle = 0x4c;

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct model_thread *other;
        struct model_thread *mine;

        begin(MODE_PATCHED);
        mine = thread;
        other = add_thread(t, 44);
        if (known[i]) {
            open_file(0, "\\old", 0x4c);
        }
        enter(N_CLOSE, 1, &handle);
        run_on(mine);
        thread = other;
        open_file(0, "\\new", 0x4c);
        thread = mine;
        leave(N_CLOSE, 0);
        CHECK_STR(name_of(0x4c), STR("\\new"));
        end();
    }
}

static void a_close_that_never_returns_may_have_closed(void)
{
    const uint64_t handle = 0x4c;

    begin(MODE_PATCHED);
    open_file(0, "\\a", 0x4c);
    enter(N_CLOSE, 1, &handle);
    run_on(thread);
    tell_thread_end(thread, 0, now * TICKS);
    model_flush(t->m);
    CHECK_STR(name_of(0x4c), STR("-"));
    thread = add_thread(t, 44);
    end();
}

static void after_a_loss_nothing_is_known(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\a", 0x4c);
    tell_thread_lost(thread, LOST_FULL, 1);
    model_flush(t->m);
    CHECK_STR(name_of(0x4c), STR("-"));
    end();
}

static void a_direct_close_closes(void)
{
    struct journal_answer answer = { .number_known = true,
                                     .number = N_CLOSE,
                                     .argument = 0x4c };

    begin(MODE_PATCHED);
    open_file(0, "\\a", 0x4c);
    open_file(0, "\\b", 0x50);
    news();
    tell_answer(thread, &answer);
    chunk_return_at(&c, now++, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    run_on(thread);
    CHECK_STR(news(), STR("NtClose 0=File<\\a>\n"));
    CHECK_STR(name_of(0x4c), STR("-"));
    CHECK_STR(name_of(0x50), STR("\\b"));
    /* It may have been a close, and of anything. */
    chunk_return_at(&c, now++, 0x1f0014, STACK, 0x100, 0, RECORD_ORPHAN);
    run_on(thread);
    CHECK_STR(news(), STR("?\n"));
    CHECK_STR(name_of(0x50), STR("-"));
    end();
}

/* What came after the direct call had begun is not told of it. */
static void a_direct_call_shows_only_what_is_certain(void)
{
    struct journal_answer answer = { .number_known = true,
                                     .number = N_SET_FILE,
                                     .argument = 0x4c };
    struct model_thread *mine;

    begin(MODE_PATCHED);
    mine = thread;
    close_handle(0x9990);
    thread = add_thread(t, 44);
    open_file(0, "\\a", 0x4c);
    thread = mine;
    news();
    tell_answer(thread, &answer);
    chunk_return_at(&c, now++, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    run_on(thread);
    CHECK_STR(news(), STR("NtSetInformationFile\n"));
    end();
}

/* --- Copies ----------------------------------------------------------- */

static void duplicate(uint64_t from, uint64_t handle, uint64_t to,
                      uint64_t made, uint64_t access, uint64_t options,
                      uint64_t result)
{
    const uint64_t args[] = { from, handle, to, AT_OUT, access, 0, options };

    enter(N_DUPLICATE, 7, args);
    word_after(N_DUPLICATE, AT_OUT, made);
    leave(N_DUPLICATE, result);
}

#define SELF UINT64_MAX

static void a_copy_is_the_same_with_its_own_access(void)
{
    const struct object *o;

    begin(MODE_PATCHED);
    open_file(0, "\\a", 0x4c);
    duplicate(SELF, 0x4c, SELF, 0x50, 1, 0, 0);
    duplicate(SELF, 0x4c, SELF, 0x54, 0, 2, 0);
    close_handle(0x4c);
    CHECK_STR(name_of(0x4c), STR("-"));
    CHECK_STR(name_of(0x50), STR("\\a"));
    o = handles_find(t->p->handles, 0x50);
    CHECK_U64(o ? o->access : 0, 1);
    o = handles_find(t->p->handles, 0x54);
    CHECK_U64(o ? o->access : 0, 0x80100000);
    end();
}

static void a_copy_can_close_its_source(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\a", 0x4c);
    duplicate(SELF, 0x4c, SELF, 0x50, 0, 3, 0);
    CHECK_STR(name_of(0x4c), STR("-"));
    CHECK_STR(name_of(0x50), STR("\\a"));
    /* Also if it fails, and when source and copy have the same value. */
    duplicate(SELF, 0x50, SELF, 0x54, 0, 1, 0xc0000022);
    CHECK_STR(name_of(0x50), STR("-"));
    CHECK_STR(name_of(0x54), STR("-"));
    open_file(0, "\\b", 0x4c);
    duplicate(SELF, 0x4c, SELF, 0x4c, 0, 3, 0);
    CHECK_STR(name_of(0x4c), STR("\\b"));
    end();
}

static void a_direct_copy_may_have_closed_any_source(void)
{
    struct journal_answer answer = { .number_known = true,
                                     .number = N_DUPLICATE,
                                     .argument = SELF };

    begin(MODE_PATCHED);
    open_file(0, "\\a", 0x4c);
    open_file(0, "\\b", 0x50);
    /* Its source handle and its options are not known. */
    tell_answer(thread, &answer);
    chunk_return_at(&c, now++, 0x1f0014, STACK, 0x100, 0,
                    RECORD_ORPHAN | RECORD_WAITS);
    run_on(thread);
    CHECK_STR(name_of(0x4c), STR("-"));
    CHECK_STR(name_of(0x50), STR("-"));
    end();
}

static void pseudo_handles_are_copied_to_real_ones(void)
{
    begin(MODE_PATCHED);
    process_set_image(t->p, STR("C:\\x\\demo.exe"));
    duplicate(SELF, SELF, SELF, 0x50, 0, 2, 0);
    duplicate(SELF, SELF - 1, SELF, 0x54, 0, 2, 0);
    CHECK_STR(type_of(0x50), STR("Process"));
    CHECK_STR(name_of(0x50), STR("32 demo.exe"));
    CHECK_STR(type_of(0x54), STR("Thread"));
    CHECK_STR(name_of(0x54), STR("32.36"));
    end();
}

static void open_by_pid(uint64_t pid, uint64_t handle)
{
    const uint64_t args[] = { AT_OUT, 0x1fffff, 0, AT_CLIENT };
    uint8_t client[16] = { 0 };

    put(client, pid, 8);
    before(N_OPEN_PROCESS, AT_CLIENT, client, sizeof(client));
    enter(N_OPEN_PROCESS, 4, args);
    word_after(N_OPEN_PROCESS, AT_OUT, handle);
    leave(N_OPEN_PROCESS, 0);
}

static void copies_reach_other_traced_processes(void)
{
    struct model_process *child;

    begin(MODE_PATCHED);
    child = add_process(t, 64, MODE_PATCHED);
    open_by_pid(64, 0x20);
    open_by_pid(96, 0x24);
    open_file(0, "\\a", 0x4c);
    duplicate(SELF, 0x4c, 0x20, 0x8, 0, 2, 0);
    CHECK_STR(name_in(child, 0x8), STR("\\a"));
    CHECK_STR(name_of(0x8), STR("-"));
    /* And back; the value means another thing here. */
    open_file(0, "\\mine", 0x8);
    news();
    duplicate(0x20, 0x8, SELF, 0x50, 0, 3, 0);
    CHECK_STR(news(), STR("NtDuplicateObject 0=Process<64> 1=File<\\a>\n"));
    CHECK_STR(name_of(0x50), STR("\\a"));
    CHECK_STR(name_of(0x8), STR("\\mine"));
    CHECK_STR(name_in(child, 0x8), STR("-"));
    /* Nothing is known of that one. */
    duplicate(0x24, 0x8, SELF, 0x54, 0, 3, 0);
    CHECK_STR(news(), STR("NtDuplicateObject 0=Process<96>\n"));
    CHECK_STR(name_of(0x54), STR("-"));
    CHECK_STR(name_of(0x8), STR("\\mine"));
    end();
}

/* --- Processes, threads ----------------------------------------------- */

static void create_process(const char *image)
{
    const uint64_t args[] = {
        AT_OUT, AT_OUT_2,  0x1fffff, 0x2000000,    0, 0, 0,
        0,      AT_BUFFER, 0x6800,   AT_ATTRIBUTES
    };
    uint8_t list[8 + 2 * 32] = { sizeof(list) };
    uint8_t parameters[0x80] = { 0 };
    uint8_t client[16] = { 0 };

    put(list + 8, 0x10004, 8);  // PS_ATTRIBUTE_TEB_ADDRESS
    put(list + 40, 0x10003, 8);
    put(list + 48, 16, 8);
    put(list + 56, AT_CLIENT, 8);
    put(parameters + 0x60, strlen(image) * 2, 2);
    put(parameters + 0x68, AT_TEXT, 8);
    before(N_CREATE_PROCESS, AT_ATTRIBUTES, list, sizeof(list));
    before(N_CREATE_PROCESS, AT_BUFFER, parameters, sizeof(parameters));
    text_before(N_CREATE_PROCESS, AT_TEXT, image);
    enter(N_CREATE_PROCESS, 11, args);
    word_after(N_CREATE_PROCESS, AT_OUT, 0x60);
    word_after(N_CREATE_PROCESS, AT_OUT_2, 0x64);
    put(client, 1234, 8);
    put(client + 8, 1240, 8);
    after(N_CREATE_PROCESS, AT_CLIENT, client, sizeof(client));
    leave(N_CREATE_PROCESS, 0);
}

static void a_child_is_known_by_its_id_and_image(void)
{
    const struct object *o;

    begin(MODE_PATCHED);
    create_process("\\??\\C:\\windows\\notepad.exe");
    CHECK_STR(name_of(0x60), STR("1234 notepad.exe"));
    CHECK_STR(name_of(0x64), STR("1234.1240"));
    o = handles_find(t->p->handles, 0x64);
    CHECK_U64(o ? o->access : 0, 0x2000000);
    /* Known as long as a handle keeps the id from being used again. */
    open_by_pid(1234, 0x68);
    CHECK_STR(name_of(0x68), STR("1234 notepad.exe"));
    close_handle(0x60);
    close_handle(0x68);
    open_by_pid(1234, 0x68);
    CHECK_STR(name_of(0x68), STR("1234"));
    end();
}

static void threads_are_known_by_their_ids(void)
{
    const uint64_t args[11] = { AT_OUT, 0, 0, SELF };
    const uint64_t open[] = { AT_OUT, 0, 0, AT_CLIENT };
    uint8_t client[16] = { 0 };

    begin(MODE_PATCHED);
    enter(N_CREATE_THREAD, 11, args);
    word_after(N_CREATE_THREAD, AT_OUT, 0x40);
    leave(N_CREATE_THREAD, 0);
    CHECK_STR(name_of(0x40), STR("32.?"));
    put(client + 8, 52, 8);
    before(N_OPEN_THREAD, AT_CLIENT, client, sizeof(client));
    enter(N_OPEN_THREAD, 4, open);
    word_after(N_OPEN_THREAD, AT_OUT, 0x44);
    leave(N_OPEN_THREAD, 0);
    CHECK_STR(name_of(0x44), STR("?.52"));
    CHECK_STR(type_of(0x44), STR("Thread"));
    /* One of ours, whose process the call does not tell. */
    put(client + 8, 36, 8);
    before(N_OPEN_THREAD, AT_CLIENT, client, sizeof(client));
    enter(N_OPEN_THREAD, 4, open);
    word_after(N_OPEN_THREAD, AT_OUT, 0x48);
    leave(N_OPEN_THREAD, 0);
    CHECK_STR(name_of(0x48), STR("32.36"));
    end();
}

static void a_query_tells_an_id(void)
{
    const uint64_t args[] = { 0x40, 0, AT_BUFFER, 0x30, 0 };
    uint8_t basic[0x30] = { 0 };

    begin(MODE_PATCHED);
    handles_add(t->p->handles, 0x40, STR("Process"), STR(""), STR(""), false,
                0);
    enter(N_QUERY_PROCESS, 5, args);
    put(basic + 0x20, 77, 8);
    after(N_QUERY_PROCESS, AT_BUFFER, basic, sizeof(basic));
    leave(N_QUERY_PROCESS, 0);
    CHECK_STR(news(), STR("NtQueryInformationProcess 0=Process<>\n"));
    CHECK_STR(name_of(0x40), STR("77"));
    end();
}

/* --- Handles in structures --------------------------------------------- */

/* What a debugger is told, with handles 0x70, 0x74 in its state. */
static void wait_for_debug_event(uint32_t state, uint64_t result)
{
    const uint64_t args[] = { 0x3c, 0, 0, AT_BUFFER };
    uint8_t event[184] = { 0 };

    put(event, state, 4);
    put(event + 8, 77, 8);
    put(event + 0x10, 78, 8);
    put(event + 0x18, 0x70, 8);
    put(event + 0x20, 0x74, 8);
    put(event + 0x30, 0x78, 8);
    enter(N_WAIT_DEBUG, 4, args);
    after(N_WAIT_DEBUG, AT_BUFFER, event, sizeof(event));
    leave(N_WAIT_DEBUG, result);
}

static void a_debugger_is_given_handles(void)
{
    begin(MODE_PATCHED);
    wait_for_debug_event(3, 0x102); /* timed out: nothing was written */
    CHECK_STR(type_of(0x70), STR("-"));
    wait_for_debug_event(3, 0);
    CHECK_STR(type_of(0x70), STR("Process"));
    CHECK_STR(name_of(0x70), STR("77"));
    CHECK_STR(name_of(0x74), STR("77.78"));
    CHECK_STR(type_of(0x78), STR("File"));
    wait_for_debug_event(2, 0);
    CHECK_STR(type_of(0x70), STR("Thread"));
    CHECK_STR(name_of(0x70), STR("77.78"));
    wait_for_debug_event(9, 0);
    CHECK_STR(type_of(0x70), STR("File"));
    CHECK_STR(name_of(0x70), STR(""));
    close_handle(0x70);
    wait_for_debug_event(5, 0); /* 0x70 is an exit status there */
    CHECK_STR(type_of(0x70), STR("-"));
    wait_for_debug_event(6, 0); /* or an exception */
    CHECK_STR(type_of(0x70), STR("-"));
    end();
}

static void a_new_process_comes_with_its_image(void)
{
    const uint64_t args[11] = { AT_OUT, AT_OUT + 8, 0, 0,         0,        0,
                                0,      0,          0, AT_BUFFER, AT_CLIENT };
    const char *image = "\\??\\C:\\a\\b.exe";
    uint8_t list[0x28] = { 0x28 };
    uint8_t info[0x58] = { 0x58 };

    begin(MODE_PATCHED);
    put(list + 8, 0x20005, 8);
    put(list + 0x10, strlen(image) * 2, 8);
    put(list + 0x18, AT_TEXT, 8);
    before(N_CREATE_PROCESS, AT_CLIENT, list, sizeof(list));
    text_before(N_CREATE_PROCESS, AT_TEXT, image);
    enter(N_CREATE_PROCESS, 11, args);
    word_after(N_CREATE_PROCESS, AT_OUT, 0x40);
    word_after(N_CREATE_PROCESS, AT_OUT + 8, 0x44);
    put(info + 8, 6, 4);
    put(info + 0x18, 0x48, 8);
    put(info + 0x20, 0x4c, 8);
    after(N_CREATE_PROCESS, AT_BUFFER, info, sizeof(info));
    leave(N_CREATE_PROCESS, 0);
    CHECK_STR(type_of(0x48), STR("File"));
    CHECK_STR(name_of(0x48), STR("\\??\\C:\\a\\b.exe"));
    CHECK_STR(path_of(0x48), STR("C:\\a\\b.exe"));
    CHECK_STR(type_of(0x4c), STR("Section"));
    CHECK_STR(name_of(0x4c), STR("\\??\\C:\\a\\b.exe"));
    end();
}

/* Class `class` of handle 40h; the answer is a handle. */
static void ask_for_handle(uint32_t number, uint64_t class, uint64_t handle)
{
    const uint64_t args[] = { 0x40, class, AT_BUFFER, 8, 0 };

    enter(number, 5, args);
    word_after(number, AT_BUFFER, handle);
    leave(number, 0);
}

static void some_queries_give_handles(void)
{
    begin(MODE_PATCHED);
    ask_for_handle(N_QUERY_PROCESS, 30, 0x70);
    CHECK_STR(type_of(0x70), STR("DebugObject"));
    ask_for_handle(N_QUERY_PROCESS, 20, 0x74); /* a count of handles */
    CHECK_STR(type_of(0x74), STR("-"));
    ask_for_handle(N_QUERY_TOKEN, 19, 0x78);
    CHECK_STR(type_of(0x78), STR("Token"));
    ask_for_handle(N_QUERY_TOKEN, 12, 0x7c);
    CHECK_STR(type_of(0x7c), STR("-"));
    end();
}

static void the_next_thread_is_one_of_its_process(void)
{
    const uint64_t args[] = { SELF, 0, 0, 0, 0, AT_OUT };

    begin(MODE_PATCHED);
    enter(N_NEXT_THREAD, 6, args);
    word_after(N_NEXT_THREAD, AT_OUT, 0x40);
    leave(N_NEXT_THREAD, 0);
    CHECK_STR(type_of(0x40), STR("Thread"));
    CHECK_STR(name_of(0x40), STR("32.?"));
    end();
}

static void query_name(uint64_t handle, const char *name)
{
    const uint64_t args[] = { handle, 1, AT_BUFFER, 0x100, 0 };
    uint8_t string[16] = { 0 };
    uint8_t units[64] = { 0 };

    for (size_t i = 0; name[i]; i++) {
        units[2 * i] = (uint8_t)name[i];
    }
    put(string, strlen(name) * 2, 2);
    put(string + 8, AT_BUFFER + 16, 8);
    enter(N_QUERY_OBJECT, 5, args);
    after(N_QUERY_OBJECT, AT_BUFFER, string, sizeof(string));
    after(N_QUERY_OBJECT, AT_BUFFER + 16, units, (uint32_t)strlen(name) * 2);
    leave(N_QUERY_OBJECT, 0);
}

static void a_query_tells_the_name_of_what_had_none(void)
{
    begin(MODE_PATCHED);
    wait_for_debug_event(9, 0);
    query_name(0x70, "\\Device\\Disk\\a.dll");
    CHECK_STR(name_of(0x70), STR("\\Device\\Disk\\a.dll"));
    CHECK_STR(path_of(0x70), STR("\\Device\\Disk\\a.dll"));
    /* The name that it was opened by is the one that the program knows. */
    open_file(0, "\\??\\C:\\a.txt", 0x4c);
    query_name(0x4c, "\\Device\\Disk\\a.txt");
    CHECK_STR(name_of(0x4c), STR("\\??\\C:\\a.txt"));
    end();
}

/* --- Sections, pipes, renames ----------------------------------------- */

static void a_section_is_named_after_its_file(void)
{
    const uint64_t args[] = { AT_OUT, 0xf, 0, 0, 2, 0x1000000, 0x4c };

    begin(MODE_PATCHED);
    open_file(0, "\\??\\C:\\a.dll", 0x4c);
    enter(N_CREATE_SECTION, 7, args);
    word_after(N_CREATE_SECTION, AT_OUT, 0x50);
    leave(N_CREATE_SECTION, 0);
    CHECK_STR(type_of(0x50), STR("Section"));
    CHECK_STR(name_of(0x50), STR("\\??\\C:\\a.dll"));
    CHECK_STR(path_of(0x50), STR("C:\\a.dll"));
    end();
}

static void both_ends_of_an_anonymous_pipe_have_one_name(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\Device\\NamedPipe\\", 0x40);
    open_as(N_CREATE_PIPE, 14, 0x40, "", 0x44);
    open_file(0x44, "", 0x48);
    open_as(N_CREATE_PIPE, 14, 0x40, NULL, 0x4c);
    open_as(N_CREATE_PIPE, 14, 0x40, "demo", 0x50);
    CHECK_STR(name_of(0x44), STR("pipe:[1]"));
    CHECK_STR(name_of(0x48), STR("pipe:[1]"));
    CHECK_STR(path_of(0x48), STR(""));
    CHECK_STR(name_of(0x4c), STR("pipe:[2]"));
    CHECK_STR(name_of(0x50), STR("\\Device\\NamedPipe\\demo"));
    end();
}

static void rename_to(uint64_t handle, const char *name)
{
    const uint64_t args[] = { handle, 0x5200, AT_BUFFER, 0x100, 10 };
    uint8_t head[0x14] = { 0 };

    put(head + 0x10, strlen(name) * 2, 4);
    before(N_SET_FILE, AT_BUFFER, head, sizeof(head));
    text_before(N_SET_FILE, AT_BUFFER + sizeof(head), name);
    enter(N_SET_FILE, 5, args);
    leave(N_SET_FILE, 0);
}

static void a_rename_renames_all_handles_of_a_file(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\??\\C:\\dir\\a", 0x4c);
    duplicate(SELF, 0x4c, SELF, 0x50, 1, 0, 0);
    rename_to(0x4c, "b");
    CHECK_STR(name_of(0x50), STR("\\??\\C:\\dir\\b"));
    rename_to(0x50, "\\??\\D:\\c");
    CHECK_STR(name_of(0x4c), STR("\\??\\D:\\c"));
    CHECK_STR(path_of(0x4c), STR("D:\\c"));
    CHECK_U64(handles_find(t->p->handles, 0x4c)->access, 0x80100000);
    CHECK_U64(handles_find(t->p->handles, 0x50)->access, 1);
    end();
}

/* --- Sockets ---------------------------------------------------------- */

static void control(uint64_t handle, uint64_t code, const void *in,
                    uint32_t in_size, const void *out, uint32_t out_size)
{
    const uint64_t args[] = { handle, 0,         0,       0,         0x5200,
                              code,   AT_BUFFER, in_size, AT_CLIENT, out_size };

    before(N_CONTROL, AT_BUFFER, in, in_size);
    enter(N_CONTROL, 10, args);
    after(N_CONTROL, AT_CLIENT, out, out_size);
    leave(N_CONTROL, 0);
}

static const uint8_t v4_any[16] = { 2, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t v4_80[16] = { 2, 0, 0, 80, 127, 0, 0, 1 };
static const uint8_t v4_5000[16] = { 2, 0, 0x13, 0x88, 127, 0, 0, 1 };

static void a_socket_is_named_by_its_addresses_under_wine(void)
{
    const uint8_t kind[16] = { 2, 0, 0, 0, 1, 0, 0, 0, 6 };
    const uint8_t made[4] = { 0x50 };
    uint8_t in[24] = { 0 };

    begin(MODE_PATCHED);
    open_file(0, "\\Device\\Afd", 0x4c);
    CHECK_STR(name_of(0x4c), STR("\\Device\\Afd"));
    control(0x4c, 0x120320, kind, sizeof(kind), "", 0);
    CHECK_STR(name_of(0x4c), STR("TCP"));
    CHECK_STR(path_of(0x4c), STR("\\Device\\Afd"));
    memcpy(in + 4, v4_any, 16);
    control(0x4c, 0x12003, in, 20, v4_80, 16);
    CHECK_STR(name_of(0x4c), STR("TCP 127.0.0.1:80"));
    control(0x4c, 0x120324, "", 0, made, 4);
    CHECK_STR(name_of(0x50), STR("TCP 127.0.0.1:80 peer ?"));
    control(0x50, 0x120360, "", 0, v4_5000, 16);
    CHECK_STR(name_of(0x50), STR("TCP 127.0.0.1:80 peer 127.0.0.1:5000"));
    /* Which of the machine's addresses it has is not known. */
    control(0x4c, 0x1202f, "", 0, v4_any, 16);
    CHECK_STR(name_of(0x4c), STR("TCP 0.0.0.0:0"));
    control(0x4c, 0x120324, "", 0, made, 4);
    CHECK_STR(name_of(0x50), STR("TCP peer ?"));
    open_file(0, "\\Device\\Afd", 0x54);
    control(0x54, 0x120320, kind, sizeof(kind), "", 0);
    memcpy(in + 8, v4_80, 16);
    control(0x54, 0x12032c, in, 24, "", 0);
    CHECK_STR(name_of(0x54), STR("TCP peer 127.0.0.1:80"));
    control(0x54, 0x1202f, "", 0, v4_5000, 16);
    CHECK_STR(name_of(0x54), STR("TCP 127.0.0.1:5000 peer 127.0.0.1:80"));
    end();
}

static void a_socket_is_named_by_its_addresses_on_windows(void)
{
    uint64_t args[11] = { AT_OUT, 0, AT_ATTRIBUTES, 0x5200 };
    uint8_t ea[48] = { 0, 0, 0, 0, 0, 15, 30, 0 };
    uint8_t in[40] = { 0 };
    uint8_t accept[16] = { 0 };
    uint8_t waited[20] = { 7 };

    begin(MODE_PATCHED);
    for (uint64_t handle = 0x4c; handle <= 0x50; handle += 4) {
        memcpy(ea + 8, "AfdOpenPacketXX", 16);
        put(ea + 32, 2, 4);
        put(ea + 36, handle == 0x4c ? 1 : 2, 4);
        put(ea + 40, handle == 0x4c ? 6 : 17, 4);
        args[9] = AT_BUFFER;
        args[10] = sizeof(ea);
        attributes_before(N_CREATE_FILE, 0, "\\Device\\Afd\\Endpoint");
        before(N_CREATE_FILE, AT_BUFFER, ea, sizeof(ea));
        enter(N_CREATE_FILE, 11, args);
        word_after(N_CREATE_FILE, AT_OUT, handle);
        leave(N_CREATE_FILE, 0);
    }
    CHECK_STR(name_of(0x4c), STR("TCP"));
    CHECK_STR(name_of(0x50), STR("UDP"));
    memcpy(in + 4, v4_80, 16);
    control(0x4c, 0x12003, in, 20, "", 0);
    CHECK_STR(name_of(0x4c), STR("TCP 127.0.0.1:80"));
    memcpy(in + 24, v4_5000, 16);
    control(0x50, 0x12007, in, 40, "", 0);
    CHECK_STR(name_of(0x50), STR("UDP peer 127.0.0.1:5000"));
    memcpy(waited + 4, v4_5000, 16);
    control(0x4c, 0x1200c, "", 0, waited, 20);
    put(accept + 4, 7, 4);
    put(accept + 8, 0x50, 8);
    control(0x4c, 0x12010, accept, 16, "", 0);
    CHECK_STR(name_of(0x50), STR("TCP 127.0.0.1:80 peer 127.0.0.1:5000"));
    end();
}

/* The same with a result and a context. */
static void control_as(uint64_t handle, uint64_t code, uint64_t result,
                       uint64_t context, const void *in, uint32_t in_size,
                       const void *out, uint32_t out_size)
{
    const uint64_t args[] = { handle, 0,         0,       context,   0x5200,
                              code,   AT_BUFFER, in_size, AT_CLIENT, out_size };

    before(N_CONTROL, AT_BUFFER, in, in_size);
    enter(N_CONTROL, 10, args);
    if (out_size > 0) {
        after(N_CONTROL, AT_CLIENT, out, out_size);
    }
    leave(N_CONTROL, result);
}

#define PENDING 0x103
#define NOT_READY 0xc00000a3

/* A new socket 60h, about to connect to 127.0.0.1:80. */
static void begin_to_connect(bool wine, uint64_t result)
{
    const uint8_t kind[16] = { 2, 0, 0, 0, 1, 0, 0, 0, 6 };
    uint8_t in[40] = { 0 };

    open_file(0, "\\Device\\Afd", 0x60);
    control(0x60, 0x120320, kind, sizeof(kind), "", 0);
    memcpy(in + (wine ? 8 : 24), v4_80, 16);
    control_as(0x60, wine ? 0x12032c : 0x12007, result, 0x9000, in, sizeof(in),
               "", 0);
}

static void poll_says(uint32_t events, uint32_t status)
{
    uint8_t info[32] = { 0 };

    put(info + 8, 1, 4);
    put(info + 16, 0x60, 8);
    put(info + 24, events, 4);
    put(info + 28, status, 4);
    control_as(0x60, 0x12024, 0, 0, info, sizeof(info), info, sizeof(info));
}

static void a_peer_is_one_when_it_is_connected(void)
{
    static const struct {
        bool wine;
        uint64_t result;
    } ways[] = { { true, NOT_READY }, { true, PENDING }, { false, PENDING } };
    uint8_t events[56] = { 0 };

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        bool wine = ways[i].wine;

        begin(MODE_PATCHED);
        begin_to_connect(wine, ways[i].result);
        CHECK_STR(name_of(0x60), STR("TCP connecting 127.0.0.1:80"));
        poll_says(1, 0);
        CHECK_STR(name_of(0x60), STR("TCP connecting 127.0.0.1:80"));
        poll_says(4, 0);
        CHECK_STR(name_of(0x60), STR("TCP peer 127.0.0.1:80"));
        /* A poll does not undo it. */
        poll_says(0x100, 0xc0000236);
        CHECK_STR(name_of(0x60), STR("TCP peer 127.0.0.1:80"));
        begin_to_connect(wine, ways[i].result);
        poll_says(0x104, 0xc0000236);
        CHECK_STR(name_of(0x60), STR("TCP"));
        begin_to_connect(wine, ways[i].result);
        control_as(0x60, wine ? 0x120338 : 0x1201f, PENDING, 0, "", 0, "", 0);
        CHECK_STR(name_of(0x60), STR("TCP connecting 127.0.0.1:80"));
        control_as(0x60, wine ? 0x120338 : 0x1201f, 0, 0, "", 0, "", 0);
        CHECK_STR(name_of(0x60), STR("TCP peer 127.0.0.1:80"));
        begin_to_connect(wine, ways[i].result);
        control_as(0x60, wine ? 0x120334 : 0x12017, 0, 0, "", 0, "", 0);
        CHECK_STR(name_of(0x60), STR("TCP peer 127.0.0.1:80"));
        begin_to_connect(wine, ways[i].result);
        put(events, 0x40, 4);
        put(events + 4 + 4 * 6, 0, 4);
        control_as(0x60, 0x1208b, 0, 0, "", 0, events, sizeof(events));
        CHECK_STR(name_of(0x60), STR("TCP peer 127.0.0.1:80"));
        begin_to_connect(wine, ways[i].result);
        put(events + 4 + 4 * 6, 0xc0000236, 4);
        control_as(0x60, 0x1208b, 0, 0, "", 0, events, sizeof(events));
        CHECK_STR(name_of(0x60), STR("TCP"));
        end();
    }
    /* What fails was no attempt. */
    begin(MODE_PATCHED);
    begin_to_connect(true, 0xc0000236);
    CHECK_STR(name_of(0x60), STR("TCP"));
    begin_to_connect(true, 0);
    CHECK_STR(name_of(0x60), STR("TCP peer 127.0.0.1:80"));
    end();
}

/* The socket's calls end at a port with key 7. */
static void to_port(uint64_t key)
{
    const uint64_t args[] = { 0x60, AT_OUT, AT_BUFFER, 16, 30 };
    uint8_t info[16] = { 0x4c };

    put(info + 8, key, 8);
    before(N_SET_FILE, AT_BUFFER, info, sizeof(info));
    enter(N_SET_FILE, 5, args);
    leave(N_SET_FILE, 0);
}

static void port_says(bool many, uint64_t key, uint64_t context,
                      uint32_t status)
{
    const uint64_t one[] = { 0x4c, AT_BUFFER, AT_BUFFER + 8, AT_BUFFER + 16,
                             0 };
    const uint64_t several[] = { 0x4c, AT_BUFFER, 2, AT_OUT, 0, 0 };
    uint32_t number = many ? N_COMPLETIONS : N_COMPLETION;
    uint8_t entries[64] = { 0 };
    uint8_t *entry = entries + (many ? 32 : 0);

    put(entry, key, 8);
    put(entry + 8, context, 8);
    put(entry + 16, status, 4);
    enter(number, many ? 6 : 5, many ? several : one);
    after(number, AT_BUFFER, entries, sizeof(entries));
    if (many) {
        word_after(number, AT_OUT, 2);
    }
    leave(number, 0);
}

static void a_completion_port_tells_of_a_connection(void)
{
    for (int many = 0; many < 2; many++) {
        begin(MODE_PATCHED);
        begin_to_connect(true, PENDING);
        port_says(many, 7, 0x9000, 0); /* of a file that is not known */
        CHECK_STR(name_of(0x60), STR("TCP connecting 127.0.0.1:80"));
        to_port(7);
        port_says(many, 8, 0x9000, 0);
        port_says(many, 7, 0x9008, 0);
        CHECK_STR(name_of(0x60), STR("TCP connecting 127.0.0.1:80"));
        port_says(many, 7, 0x9000, 0);
        CHECK_STR(name_of(0x60), STR("TCP peer 127.0.0.1:80"));
        begin_to_connect(true, PENDING);
        to_port(7);
        port_says(many, 7, 0x9000, 0xc0000236);
        CHECK_STR(name_of(0x60), STR("TCP"));
        end();
    }
}

static void ipv6_stands_in_brackets(void)
{
    static const struct {
        uint8_t groups[16];
        uint8_t scope;
        const char *want;
    } cases[] = {
        { { [15] = 1 }, 0, "socket [::1]:80" },
        { { 0 }, 0, "socket [::]:80" },
        { { 0xfe, 0x80, [15] = 2 }, 3, "socket [fe80::2%3]:80" },
        { { 0x20, 1, [5] = 1, [15] = 1 }, 0, "socket [2001:0:1::1]:80" },
        { { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7 },
          0,
          "socket [1:2:3:4:5:6:7:0]:80" },
        { { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 },
          0,
          "socket [1:2:3:4:5:6::]:80" },
        { { 0, 1, [9] = 1, [15] = 1 }, 0, "socket [1::1:0:0:1]:80" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t address[28] = { 23, 0, 0, 80 };

        memcpy(address + 8, cases[i].groups, 16);
        address[24] = cases[i].scope;
        begin(MODE_PATCHED);
        /* Nothing was known of the handle, not even that it is a socket. */
        control(0x4c, 0x1202f, "", 0, address, 28);
        CHECK_STR(name_of(0x4c), str_of(cases[i].want));
        end();
    }
}

static void other_devices_are_no_sockets(void)
{
    begin(MODE_PATCHED);
    open_file(0, "\\Device\\Null", 0x4c);
    control(0x4c, 0x1202f, "", 0, v4_80, 16);
    CHECK_STR(name_of(0x4c), STR("\\Device\\Null"));
    control(0x50, 0x1202f, "", 0, "no address is here", 16);
    CHECK_STR(name_of(0x50), STR("-"));
    end();
}

/* --- The table -------------------------------------------------------- */

static void what_was_there_before_does_not_replace_what_is_known(void)
{
    struct handles *h;

    begin(MODE_PATCHED);
    h = t->p->handles;
    CHECK(handles_add(h, 0x4c, STR("File"), STR("\\a"), STR("a"), true, 5));
    CHECK(handles_add(h, 0x4c, STR("Key"), STR("\\b"), STR("b"), true, 6));
    CHECK_STR(name_of(0x4c), STR("\\a"));
    CHECK_STR(path_of(0x4c), STR("a"));
    CHECK(handles_add(h, 3, STR("File"), STR("\\a"), STR("a"), true, 5));
    CHECK(handles_find(h, 3) == NULL);
    CHECK(handles_find(h, 0) == NULL);
    CHECK(handles_find(h, SELF) == NULL);
    CHECK(handles_find(NULL, 0x4c) == NULL);
    end();
}

/* Against a plain array, with values that collide, come and go. */
static void many_handles_come_and_go(void)
{
    static uint32_t kept[4096];
    uint64_t random = 1;
    struct handles *h;

    begin(MODE_PATCHED);
    h = t->p->handles;
    memset(kept, 0, sizeof(kept));
    for (uint32_t i = 1; i <= 200000; i++) {
        uint32_t at;
        uint64_t value;
        const struct object *o;

        random = random * 6364136223846793005u + 1442695040888963407u;
        at = (uint32_t)(random >> 40) % COUNT_OF(kept);
        value = 4ull + 4ull * at * (at % 3 ? 1 : 0x1000003);
        o = handles_find(h, value);
        if ((o != NULL) != (kept[at] != 0) || (o && o->access != kept[at])) {
            check_true(false, "a handle is another one", CHECK_AT);
            break;
        }
        if (o) {
            close_handle(value);
            news();
            kept[at] = 0;
        } else {
            handles_add(h, value, STR("Event"), STR(""), STR(""), true, i);
            kept[at] = i;
        }
    }
    end();
}

/* Among a hundred thousand others; each step below would take seconds if it
 * went through all of them. */
static void what_becomes_of_one_handle_costs_little_among_many(void)
{
    uint8_t in[24] = { 0 };
    clock_t began;

    begin(MODE_PATCHED);
    for (uint64_t i = 1; i <= 100000; i++) {
        handles_add(t->p->handles, 0x1000000 + 4 * i, STR("Event"), STR(""),
                    STR(""), false, 0);
    }
    open_file(0, "\\Device\\Afd", 0x4c);
    memcpy(in + 4, v4_80, 16);
    began = clock();
    for (uint64_t i = 0; i < 10000; i++) {
        open_by_pid(1000 + i, 0x20);
        control(0x4c, 0x12003, in, 20, v4_80, 16);
        news();
    }
    CHECK((double)(clock() - began) / CLOCKS_PER_SEC < 2);
    CHECK_STR(name_of(0x20), STR("10999"));
    end();
}

/* The first ones learn, the rest are not shown by an old name. */
static void of_very_many_handles_of_a_file_some_are_forgotten(void)
{
    const struct object *o;
    size_t learned = 0;

    begin(MODE_PATCHED);
    open_file(0, "\\Device\\Afd", 0x4c);
    for (uint64_t i = 1; i <= 500; i++) {
        duplicate(SELF, 0x4c, SELF, 0x1000 + 4 * i, 0, 2, 0);
        news();
    }
    control(0x1004, 0x12003, v4_80, 16, v4_80, 16);
    for (uint64_t i = 1; i <= 500; i++) {
        o = handles_find(t->p->handles, 0x1000 + 4 * i);
        learned += o != NULL;
        CHECK(!o || str_eq(o->name, STR("socket 127.0.0.1:80")));
    }
    CHECK(learned > 0 && learned <= 64);
    end();
}

static void no_more_handles_than_the_bound_are_kept(void)
{
    struct handles *h;

    begin(MODE_PATCHED);
    h = t->p->handles;
    for (uint64_t i = 1; i <= HANDLES_MAX + 10; i++) {
        handles_add(h, 4 * i, STR("Event"), STR(""), STR(""), false, 0);
    }
    CHECK(handles_find(h, 4ull * HANDLES_MAX) != NULL);
    CHECK(handles_find(h, 4ull * HANDLES_MAX + 4) == NULL);
    end();
}

static void without_handles_nothing_is_kept(void)
{
    struct text_options options = { .always_pid = true };
    struct model_config config = { .no_handles = true };
    struct model_out out = {
        .enter = hear_enter,
        .leave = hear_leave,
        .transition = hear_transition,
        .notice = hear_notice,
    };

    heard = BUF_OVER(heard_text);
    t = trace_open_with(MODE_PATCHED, &options, &config, &out);
    thread = add_thread(t, 36);
    CHECK(t->p->handles == NULL);
    open_file(0, "\\a", 0x4c);
    duplicate(SELF, 0x4c, SELF, 0x50, 0, 2, 0);
    close_handle(0x4c);
    chunk_return_at(&c, now++, 0x1f0014, STACK, 0x100, 0, RECORD_ORPHAN);
    run_on(thread);
    CHECK_STR(news(), STR("NtOpenFile\nNtDuplicateObject\nNtClose\n?\n"));
    end();
}

/* --- tables/handles.def ----------------------------------------------- */

static bool is_handle_pointer(const struct call_arg *arg)
{
    const struct type_row *type = arg->type;

    return (arg->direction & ARG_OUT) && type && type->class == CLASS_PTR &&
           type->to_name && strcmp(type->to_name, "HANDLE") == 0;
}

static bool has_rule(const struct call_facts *call, const char *output)
{
    size_t count;
    const struct handle_rule *rules = handle_rules(str_of(call->name), &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].output, output) == 0) {
            return true;
        }
    }
    return false;
}

static void every_call_that_makes_handles_has_a_rule(void)
{
    static const struct {
        const char *call;
        const char *why;
    } exceptions[] = {
        { "NtAlpcCreatePortSection", "no handle of the handle table" },
        { "NtGdiCreateOPMProtectedOutputs", "handles of drawing" },
        { "NtGdiDdCreateD3DBuffer", "surfaces of DirectDraw" },
        { "NtGdiDdCreateFullscreenSprite", "sprites of DirectDraw" },
        { "NtGdiDdCreateSurface", "surfaces of DirectDraw" },
        { "NtGdiDdDDIGetPresentQueueEvent", "a structure of D3DKMT" },
        { "NtGdiDdDDIShareObjects", "DxgkSharedResource and its like" },
        { "NtGdiDvpAcquireNotification", "video ports of DirectDraw" },
        { "NtGdiGetPhysicalMonitors", "handles of monitors" },
        { "NtGdiGetProcessSessionFonts", "handles of fonts" },
    };
    size_t calls = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *call = call_at(i);
        bool excepted = false;

        for (size_t j = 0; j < COUNT_OF(exceptions); j++) {
            excepted |= strcmp(call->name, exceptions[j].call) == 0;
        }
        for (uint32_t j = 0; j < call->arg_count; j++) {
            if (!is_handle_pointer(&call->args[j])) {
                continue;
            }
            calls++;
            if (!excepted && !has_rule(call, call->args[j].name)) {
                printf("     no rule: %s %s\n", call->name, call->args[j].name);
                check_true(false, "it has a rule", CHECK_AT);
            }
        }
    }
    printf("     %zu handles made\n", calls);
    CHECK(calls > 100);
}

/* Of structures: what is an id, or is the caller's to give. */
static bool is_given(const char *structure, const char *field)
{
    static const struct {
        const char *structure;
        const char *field;
        const char *why;
    } rows[] = {
        { "CLIENT_ID", "UniqueProcess", "an id" },
        { "CLIENT_ID", "UniqueThread", "an id" },
        { "PORT_VIEW", "SectionHandle", "the caller's" },
        { "MEM_EXTENDED_PARAMETER", "Handle", "the caller's" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].structure, structure) == 0 &&
            strcmp(rows[i].field, field) == 0) {
            return true;
        }
    }
    return false;
}

/* A field of `name`, however deep, that is a handle; NULL: none. */
static const struct struct_field *handle_in(str name, int depth)
{
    const struct struct_row *row = struct_find(name);

    for (size_t i = 0; row && depth > 0 && i < row->field_count; i++) {
        const struct struct_field *field = &row->fields[i];
        const struct struct_field *found =
            field->type ? handle_in(str_of(field->type), depth - 1) : NULL;

        if (field->type && strcmp(field->type, "HANDLE") == 0 &&
            !is_given(row->name, field->name)) {
            return field;
        }
        if (found) {
            return found;
        }
    }
    return NULL;
}

static bool hands_over(const struct call_facts *call, const char *parameter)
{
    size_t count;
    const struct handle_rule *rules = handle_rules(str_of(call->name), &count);

    for (size_t i = 0; i < count; i++) {
        if (rules[i].does == HANDLE_HANDS &&
            strcmp(rules[i].from, parameter) == 0) {
            return true;
        }
    }
    return false;
}

static void every_structure_with_handles_that_is_filled_has_a_rule(void)
{
    size_t structures = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *call = call_at(i);

        for (uint32_t j = 0; j < call->arg_count; j++) {
            const struct type_row *type = call->args[j].type;
            const struct struct_field *field;

            if (!(call->args[j].direction & ARG_OUT) || !type->to_name) {
                continue;
            }
            field = handle_in(str_of(type->to_name), 4);
            structures += field != NULL;
            if (field && !hands_over(call, call->args[j].name)) {
                printf("     no rule: %s %s %s\n", call->name,
                       call->args[j].name, field->name);
                check_true(false, "it has a rule", CHECK_AT);
            }
        }
    }
    CHECK(structures >= 2);
}

static void every_rule_is_of_a_call_that_there_is(void)
{
    for (size_t i = 0; i < handle_rule_count(); i++) {
        const struct handle_rule *rule = handle_rule_at(i);
        const struct call_facts *shapes[] = {
            call_find(str_of(rule->call)),
            call_find_on(str_of(rule->call),
                         (struct call_system){ .wine = true }),
        };
        const char *names[] = { rule->output, rule->from, rule->second,
                                rule->access };
        bool found = false;

        if (i > 0 && strcmp(handle_rule_at(i - 1)->call, rule->call) > 0) {
            printf("     not sorted: %s\n", rule->call);
            check_true(false, "sorted", CHECK_AT);
        }
        for (size_t s = 0; s < COUNT_OF(shapes); s++) {
            bool all = shapes[s] != NULL;

            for (size_t n = 0; all && n < COUNT_OF(names); n++) {
                all = strcmp(names[n], "_") == 0 ||
                      strcmp(names[n], "return") == 0 ||
                      call_parameter(shapes[s], names[n]) >= 0;
            }
            found |= all;
        }
        if (!found) {
            printf("     not as in the tables: %s\n", rule->call);
            check_true(false, "found", CHECK_AT);
        }
    }
}

/* A filter that wants none of their lines leaves them in the trace. */
static void every_rule_that_names_handles_is_recorded(void)
{
    for (size_t i = 0; i < handle_rule_count(); i++) {
        const struct handle_rule *rule = handle_rule_at(i);
        const struct call_facts *call = call_find(str_of(rule->call));

        if (rule->does != HANDLE_LEARNS && call && !call_gives_handles(call)) {
            printf("     not needed: %s\n", rule->call);
            check_true(false, "needed", CHECK_AT);
        }
    }
}

static void handles_of_windows_are_not_looked_up(void)
{
    const struct call_facts *call = call_find(STR("NtUserSetParent"));

    CHECK(call && handle_parameters(call) == 0);
    call = call_find(STR("NtUserCloseDesktop"));
    CHECK(call && handle_parameters(call) == 1);
    call = call_find(STR("NtDuplicateObject"));
    CHECK(call && handle_parameters(call) == 7);
}

int main(void)
{
    const struct test tests[] = {
        TEST(a_handle_has_the_name_it_was_opened_by),
        TEST(a_close_that_was_injected_has_closed_what_the_kernel_closed),
        TEST(the_access_is_what_was_asked_for),
        TEST(the_two_lowest_bits_of_a_handle_do_not_count),
        TEST(a_root_comes_first),
        TEST(the_root_is_what_it_was_at_the_entry),
        TEST(keys_and_others_have_names_too),
        TEST(paths_are_without_the_prefix_of_the_object_manager),
        TEST(a_name_that_is_no_name_is_not_shown),
        TEST(names_are_wtf_8),
        TEST(a_pair_is_one_wherever_it_lies),
        TEST(a_failed_or_pending_call_makes_no_handle),
        TEST(a_value_that_is_used_again_has_its_new_name),
        TEST(a_close_that_fails_closes_nothing),
        TEST(a_close_takes_only_what_was_there_at_its_entry),
        TEST(a_close_that_never_returns_may_have_closed),
        TEST(after_a_loss_nothing_is_known),
        TEST(a_direct_close_closes),
        TEST(a_direct_call_shows_only_what_is_certain),
        TEST(a_copy_is_the_same_with_its_own_access),
        TEST(a_copy_can_close_its_source),
        TEST(a_direct_copy_may_have_closed_any_source),
        TEST(pseudo_handles_are_copied_to_real_ones),
        TEST(copies_reach_other_traced_processes),
        TEST(a_child_is_known_by_its_id_and_image),
        TEST(threads_are_known_by_their_ids),
        TEST(a_query_tells_an_id),
        TEST(a_debugger_is_given_handles),
        TEST(a_new_process_comes_with_its_image),
        TEST(some_queries_give_handles),
        TEST(the_next_thread_is_one_of_its_process),
        TEST(a_query_tells_the_name_of_what_had_none),
        TEST(a_section_is_named_after_its_file),
        TEST(both_ends_of_an_anonymous_pipe_have_one_name),
        TEST(a_rename_renames_all_handles_of_a_file),
        TEST(a_socket_is_named_by_its_addresses_under_wine),
        TEST(a_socket_is_named_by_its_addresses_on_windows),
        TEST(a_peer_is_one_when_it_is_connected),
        TEST(a_completion_port_tells_of_a_connection),
        TEST(ipv6_stands_in_brackets),
        TEST(other_devices_are_no_sockets),
        TEST(what_was_there_before_does_not_replace_what_is_known),
        TEST(many_handles_come_and_go),
        TEST(what_becomes_of_one_handle_costs_little_among_many),
        TEST(of_very_many_handles_of_a_file_some_are_forgotten),
        TEST(no_more_handles_than_the_bound_are_kept),
        TEST(without_handles_nothing_is_kept),
        TEST(every_call_that_makes_handles_has_a_rule),
        TEST(every_structure_with_handles_that_is_filled_has_a_rule),
        TEST(every_rule_is_of_a_call_that_there_is),
        TEST(every_rule_that_names_handles_is_recorded),
        TEST(handles_of_windows_are_not_looked_up),
    };

    return check_run(tests, COUNT_OF(tests));
}
