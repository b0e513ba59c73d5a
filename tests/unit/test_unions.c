/* SPDX-License-Identifier: MIT */
/*
 * test_unions - every union of the tables shows the member that its selector
 * selects, and nothing of the others; none is without its row in unions.def.
 */
#include "unit/captured.h"

#include "base/compiler.h"
#include "decode/registry.h"
#include "decode/walk.h"
#include "tables/fields.h"
#include "tables/ioctls.h"
#include "tables/unions.h"

#include "unit/check.h"

#define AT 0x20000ull
#define SIZE 1536u
#define NAMES_MAX 64

static _Alignas(8) uint8_t bytes[SIZE];
static char line[1 << 16];
static size_t line_size;

static size_t layout_count(void)
{
    return struct_count() + ioctl_struct_count();
}

static const struct struct_row *layout_at(size_t i)
{
    return i < struct_count() ? struct_at(i)
                              : ioctl_struct_at(i - struct_count());
}

static void keep_line(void *ctx, str text)
{
    (void)ctx;
    if (text.size > sizeof(line)) {
        abort();
    }
    memcpy(line, text.p, text.size);
    line_size = text.size;
}

/* The structure that lies in `bytes`, as text. */
static str told(const struct struct_row *row, bool verbose)
{
    static struct tell_room room;
    static struct text sink;
    struct text_options look = { .arg_names = true };
    struct decode_options options = { .string_max = 32,
                                      .verbose = verbose,
                                      .handles = HANDLES_NAMED };
    struct stub stub = { .name = STR("X"), .module = STR("") };
    struct call call = { .stub = &stub, .entry_seen = true, .returned = true };
    struct memory_piece piece = { .address = AT, .bytes = bytes, .size = SIZE };
    struct memory memory = { .pieces = &piece, .count = 1 };
    struct tell t = { .sink = &sink.sink,
                      .registry = &decode_registry,
                      .call = &call,
                      .options = &options,
                      .memory = &memory,
                      .room = &room };
    struct sink_head head = { .pid = 4 };
    struct sink_end end = { .took = TOOK_NOTHING };

    room.left = TELL_VALUES_MAX;
    if (!text_init(&sink, &look, keep_line, NULL)) {
        abort();
    }
    sink.sink.ops->call_begin(&sink.sink, &head, STR("X"), PART_WHOLE);
    sink.sink.ops->arg(&sink.sink, STR("A"), NULL);
    walk_struct(&t, row, AT, 0);
    sink.sink.ops->result(&sink.sink, NULL);
    sink.sink.ops->unknown(&sink.sink);
    sink.sink.ops->call_end(&sink.sink, &end);
    text_close(&sink);
    return (str){ line, line_size };
}

/* Names of the structure's own fields in its text, in order. */
static uint32_t names_of(str text, str *names)
{
    uint32_t depth = 0;
    uint32_t count = 0;
    bool quoted = false;
    size_t from = 0;

    for (size_t i = 0; i < text.size && count < NAMES_MAX; i++) {
        char c = text.p[i];

        if (c == '"' && (i == 0 || text.p[i - 1] != '\\')) {
            quoted = !quoted;
        } else if (quoted) {
            continue;
        } else if (c == '{' || c == '[') {
            depth++;
            from = i + 1;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (c == ' ') {
            from = i + 1;
        } else if (c == '=' && depth == 1) {
            names[count++] = str_slice(text, from, i);
        }
    }
    return count;
}

static str last_name(const char *name)
{
    str head = str_of(name);
    str tail = head;

    while (str_cut(tail, '.', &head, &tail)) {
    }
    return head;
}

/* The field begins in the bytes of the union. */
static bool is_inside(const struct struct_row *row, const struct union_row *u,
                      const struct struct_field *f)
{
    uint32_t from;
    uint32_t to;

    union_span(u, row, &from, &to);
    return f->offset >= from && f->offset < to;
}

static void select_value(const struct struct_row *row,
                         const struct union_row *u, uint64_t value)
{
    const struct struct_field *by = field_of(row, u->selector);

    for (uint32_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t)(i % 7 == 0 ? 1 : 0);
    }
    value <<= by->first_bit;
    memcpy(bytes + by->offset, &value,
           by->bits ? (by->first_bit + by->bits + 7u) / 8u : by->size);
}

/* What is to be told with `member` (NULL: not known), as the table says it. */
static uint32_t names_wanted(const struct struct_row *row,
                             const struct union_row *u,
                             const struct union_member *member, str *names)
{
    uint32_t count = 0;
    bool bare = false;

    for (uint32_t i = 0; i < row->field_count; i++) {
        const struct struct_field *f = &row->fields[i];

        if (!is_inside(row, u, f) || (member && union_has(member, f->name))) {
            names[count++] = last_name(f->name);
        } else if (!member && !bare) {
            names[count++] = str_of(u->name);
            bare = true;
        }
    }
    return count;
}

static void check_names(const struct struct_row *row, const struct union_row *u,
                        const struct union_member *member, str text)
{
    str want[NAMES_MAX];
    str got[NAMES_MAX];
    uint32_t wanted = names_wanted(row, u, member, want);
    uint32_t count = names_of(text, got);
    bool ok = wanted == count;

    for (uint32_t i = 0; ok && i < count; i++) {
        ok = str_eq(want[i], got[i]);
    }
    if (!ok) {
        printf("%s, %s: %.*s", row->name, member ? member->fields : "?",
               STR_ARGS(text));
    }
    CHECK(ok);
}

static void every_row_names_what_there_is(void)
{
    for (size_t i = 0; i < union_count(); i++) {
        const struct union_row *u = union_at(i);
        const struct struct_row *row = ioctl_struct(str_of(u->structure));

        CHECK(i == 0 || strcmp(union_at(i - 1)->structure, u->structure) <= 0);
        CHECK(row != NULL);
        if (!row || !u->selector) {
            continue;
        }
        CHECK(union_find(str_of(u->structure)) == u);
        CHECK(field_of(row, u->selector) &&
              !is_inside(row, u, field_of(row, u->selector)));
        for (uint32_t k = 0; k < u->member_count; k++) {
            const struct union_member *m = &u->members[k];
            str word;
            str rest = str_of(m->fields);
            struct ctype type;

            CHECK(union_member(u, m->value) == m);
            CHECK(!m->set || fields_names(str_of(m->set)) != NULL);
            CHECK(!m->type || ctype_of(str_of(m->type), &type));
            while (rest.size > 0) {
                bool found = false;

                (void)str_cut(rest, ' ', &word, &rest);
                for (uint32_t n = 0; n < row->field_count; n++) {
                    found |= str_starts(str_of(row->fields[n].name), word);
                }
                CHECK(found);
            }
        }
    }
    CHECK(union_at(union_count()) == NULL);
    CHECK(union_find(STR("FILE_BASIC_INFORMATION")) == NULL);
    CHECK(union_find(STR("WNF_STATE_NAME")) == NULL);
}

static bool has_views(const char *structure)
{
    for (size_t i = 0; i < union_count(); i++) {
        if (!union_at(i)->selector &&
            strcmp(union_at(i)->structure, structure) == 0) {
            return true;
        }
    }
    return false;
}

/* Both count with the same value of the selector. */
static bool together(const struct union_row *u, const char *a, const char *b)
{
    for (uint32_t i = 0; i < u->member_count; i++) {
        if (union_has(&u->members[i], a) && union_has(&u->members[i], b)) {
            return true;
        }
    }
    return false;
}

static void every_union_of_the_structures_has_its_row(void)
{
    size_t unions = 0;

    for (size_t i = 0; i < layout_count(); i++) {
        const struct struct_row *row = layout_at(i);
        const struct union_row *u = union_find(str_of(row->name));
        bool has = false;

        for (uint32_t a = 0; a < row->field_count; a++) {
            for (uint32_t b = a + 1; b < row->field_count; b++) {
                const struct struct_field *f = &row->fields[a];
                const struct struct_field *g = &row->fields[b];

                if (f->bits || g->bits || f->offset >= g->offset + g->size ||
                    g->offset >= f->offset + f->size) {
                    continue;
                }
                has = true;
                if (!has_views(row->name) &&
                    !(u && is_inside(row, u, f) && is_inside(row, u, g) &&
                      !together(u, f->name, g->name))) {
                    printf("%s: which of %s and %s?\n", row->name, f->name,
                           g->name);
                    CHECK(false);
                }
            }
        }
        CHECK(has || !u);
        unions += has;
    }
    printf("%zu unions\n", unions);
    CHECK(unions >= 20);
}

static void each_selector_shows_its_member_and_no_other(void)
{
    size_t shown = 0;

    for (size_t i = 0; i < union_count(); i++) {
        const struct union_row *u = union_at(i);
        const struct struct_row *row = ioctl_struct(str_of(u->structure));
        const struct family_type *type =
            family_type_of(&decode_registry, str_of(u->structure));

        /* PORT_MESSAGE is told by code: below. */
        if (!row || !u->selector || (type && type->tell)) {
            continue;
        }
        for (uint32_t k = 0; k < u->member_count; k++) {
            select_value(row, u, u->members[k].value);
            check_names(row, u, &u->members[k], told(row, true));
            shown++;
        }
        if (u->mask > 1) {
            CHECK(union_member(u, 0x77) == NULL);
            select_value(row, u, 0x77);
            check_names(row, u, NULL, told(row, true));
        }
    }
    CHECK(shown > 50);
}

static void check_told(const char *structure, const char *want, const char *at)
{
    const struct struct_row *row = struct_find(str_of(structure));
    char room[1024];
    struct buf b = BUF_OVER(room);

    buf_addf(&b, "X(A=%s) = ?\n", want);
    check_str(told(row, false), buf_str(&b), at);
}

#define CHECK_TOLD(structure_, want_) \
    check_told((structure_), (want_), CHECK_AT)

static void set(uint32_t offset, uint64_t value, size_t size)
{
    memcpy(bytes + offset, &value, size);
}

/* The exit status of a process is no handle of a file. */
static void a_debug_event_is_told_by_its_kind(void)
{
    memset(bytes, 0, sizeof(bytes));
    set(0, 5, 4);
    set(8, 32, 8);
    set(16, 36, 8);
    set(24, 0x44, 4);
    CHECK_TOLD("DBGUI_WAIT_STATE_CHANGE",
               "{NewState=DbgExitProcessStateChange, "
               "AppClientId={UniqueProcess=32, UniqueThread=36}, "
               "ExitProcess={ExitStatus=68}}");
    set(0, 3, 4);
    set(24, 0x48, 8);
    set(32, 0x4c, 8);
    set(48, 0x50, 8);
    set(56, 0x140000000, 8);
    CHECK_TOLD("DBGUI_WAIT_STATE_CHANGE",
               "{NewState=DbgCreateProcessStateChange, "
               "AppClientId={UniqueProcess=32, UniqueThread=36}, "
               "CreateProcessInfo={HandleToProcess=0x48, "
               "HandleToThread=0x4c, NewProcess={SubSystemKey=0, "
               "FileHandle=0x50, BaseOfImage=0x140000000, "
               "DebugInfoFileOffset=0, DebugInfoSize=0, "
               "InitialThread={SubSystemKey=0, StartAddress=NULL}}}}");
    set(0, 0, 4);
    CHECK_TOLD("DBGUI_WAIT_STATE_CHANGE",
               "{NewState=DbgIdle, "
               "AppClientId={UniqueProcess=32, UniqueThread=36}}");
}

static void an_unknown_kind_is_bytes(void)
{
    memset(bytes, 0, sizeof(bytes));
    set(0, 9, 4);
    set(8, 0x44, 8);
    CHECK_TOLD("MEM_EXTENDED_PARAMETER", "{Type=9, u=0x44}");
    set(0, 0x101, 8);
    set(8, AT, 8);
    set(0x10, 0, 8);
    CHECK_TOLD("MEM_EXTENDED_PARAMETER",
               "{Type=MemExtendedParameterAddressRequirements, "
               "Pointer={LowestStartingAddress=0x101, "
               "HighestEndingAddress=0x20000, Alignment=0}}");
}

int main(void)
{
    const struct test tests[] = {
        TEST(every_row_names_what_there_is),
        TEST(every_union_of_the_structures_has_its_row),
        TEST(each_selector_shows_its_member_and_no_other),
        TEST(a_debug_event_is_told_by_its_kind),
        TEST(an_unknown_kind_is_bytes),
    };

    return check_run(tests, COUNT_OF(tests));
}
