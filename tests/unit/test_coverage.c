/* SPDX-License-Identifier: MIT */
/*
 * test_coverage - every row of the tables, decoded: captured by its own
 * program out of memory that is all there, told as text, and read again. Each
 * parameter has its name, none is unknown, and each one with a set shows, for
 * every value of that set, what the set calls it. tests/coverage does the same
 * with real calls, as far as the system at hand has them.
 */
#include "coverage/choice.h"
#include "coverage/told.h"
#include "tables/meanings.h"
#include "tables/structs.h"

#include "unit/captured.h"
#include "unit/check.h"

#define SLOT 0x2000u  // bytes of memory a parameter

struct probe {
    struct world world;
    struct decoder decoder;
    struct clock clock;
    struct text text;
    char line[1 << 16];
    size_t size;
    _Alignas(8) uint8_t program[CAPTURE_PROGRAM_MAX];
};

static struct probe probe;
static size_t rows_told;
static size_t values_told;

static void keep(void *ctx, str line)
{
    struct probe *p = ctx;

    if (line.size <= sizeof(p->line)) {
        memcpy(p->line, line.p, line.size);
        p->size = line.size;
    }
}

static void probe_open(bool wine)
{
    struct decode_options options = { .wine = wine, .string_max = 32 };

    memset(&probe, 0, sizeof(probe));
    CHECK(text_init(
        &probe.text,
        &(struct text_options){ .arg_names = true, .always_pid = true }, keep,
        &probe));
    clock_init(&probe.clock, 1000000000, 0, 0);
    decoder_init(&probe.decoder, &probe.text.sink, &probe.clock, &options);
}

static void probe_close(void)
{
    decoder_close(&probe.decoder);
    text_close(&probe.text);
}

static uint64_t slot(uint32_t i)
{
    return WORLD_BASE + i * (uint64_t)SLOT;
}

/* "A,*B": what says how much was really written. */
static void put_filled(const struct call_facts *facts, str size)
{
    str capacity;
    str filled;

    (void)str_cut(size, ',', &capacity, &filled);
    for (uint32_t i = 0; i < facts->arg_count && filled.size > 1; i++) {
        str name = str_of(facts->args[i].name);
        str rest = str_slice(filled, 1, filled.size);

        if (str_eq(rest, name)) {
            put_u(&probe.world, slot(i), COVERAGE_BYTES,
                  facts->args[i].type->to_size);
        } else if (str_starts(rest, name) &&
                   str_ends(rest, STR(".Information"))) {
            put_u(&probe.world, slot(i) + 8, COVERAGE_BYTES, 8);
        }
    }
}

/* Tells the call with parameter `with` being, or pointing to, `value`; all
 * else is zeros, but for sizes of buffers. */
static str tell(const struct call_facts *facts, bool wine, uint32_t with,
                uint64_t value)
{
    static const uint8_t zeros[SLOT];
    const struct stub stub = { .name = str_of(facts->name),
                               .arg_count = (int8_t)facts->arg_count,
                               .facts = facts };
    struct capture_options options = { .wine = wine, .string_max = 32 };
    struct capture_program *program = (struct capture_program *)probe.program;
    struct taken before = { 0 };
    struct taken after = { 0 };
    struct call call = {
        .id = 1,
        .pid = 4,
        .tid = 8,
        .entry_seen = true,
        .returned = true,
        .stub = &stub,
        .arg_mask = (1u << facts->arg_count) - 1,
        .result = facts->fails == FAILS_ZERO,
    };

    for (uint32_t i = 0; i < facts->arg_count; i++) {
        bool pointer = facts->args[i].type->class == CLASS_PTR;
        uint32_t size = facts->args[i].type->to_size;

        bool elements = false;
        bool sized = coverage_is_size(facts, i, &elements);
        uint64_t word = i == with  ? value
                        : elements ? COVERAGE_ELEMENTS
                        : sized    ? COVERAGE_BYTES
                                   : 0;

        put(&probe.world, slot(i), zeros, SLOT);
        call.args[i] = pointer ? slot(i) : word;
        if (pointer && (i == with || sized)) {
            put_u(&probe.world, slot(i), word, size < 8 ? size : 8);
        }
    }
    for (uint32_t i = 0; i < facts->arg_count; i++) {
        put_filled(facts, str_of(facts->args[i].size));
    }
    probe.size = 0;
    if (capture_compile(facts, &options, program) > 0) {
        take(&probe.world, program, &call, false, &before);
        take(&probe.world, program, &call, true, &after);
        call.before = before.memory;
        call.after = after.memory;
    }
    decoder_whole(&probe.decoder, &call);
    taken_free(&before);
    taken_free(&after);
    return (str){ probe.line, probe.size };
}

/* Says what is wrong with the line, once a row. */
static bool bad(const struct call_facts *facts, const char *why, str line)
{
    printf("  %s: %s\n    %.*s", facts->name, why, STR_ARGS(line));
    CHECK(false);
    return false;
}

static bool is_named(const struct call_facts *facts, str text,
                     struct told_line *line)
{
    if (!line_parse(text, line) || !line->whole) {
        return bad(facts, "is no call", text);
    }
    if (line->count != facts->arg_count || line->more) {
        return bad(facts, "has more or fewer parameters", text);
    }
    for (uint32_t i = 0; i < facts->arg_count; i++) {
        if (!str_eq(line->args[i].name, str_of(facts->args[i].name))) {
            return bad(facts, "has a parameter without its name", text);
        }
        if (str_eq(line->args[i].value, STR("?")) ||
            str_eq(line->args[i].value, STR("[?]"))) {
            return bad(facts, "has an unknown parameter", text);
        }
    }
    return true;
}

static void check_row(const struct call_facts *facts, bool wine)
{
    static struct told_line line;
    bool ok = is_named(facts, tell(facts, wine, UINT32_MAX, 0), &line);

    for (uint32_t i = 0; i < facts->arg_count && ok; i++) {
        const struct name_set *set = names_of_parameter(
            str_of(facts->name), str_of(facts->args[i].name));
        uint32_t size = facts->args[i].type->size;
        bool pointer = facts->args[i].type->class == CLASS_PTR;

        if (pointer) {
            size = facts->args[i].type->to_size;
        }
        for (size_t k = 0; set && k < set->count && ok; k++) {
            uint64_t value = set->rows[k].value;
            char room[512];
            struct buf words = BUF_OVER(room);
            str text = tell(facts, wine, i, value);
            str got;

            if (size < 8 && value >> size * 8 != 0) {
                ok = bad(facts, "has a set that is wider than itself", text);
                continue;
            }
            ok = is_named(facts, text, &line);
            got = line.args[i].value;
            if (ok && !line_contains(got, line_words(set, value, &words))) {
                ok = bad(facts, "does not name a value of a set", text);
                printf("    %.*s of %s\n", STR_ARGS(buf_str(&words)),
                       set->name);
            }
            values_told += ok;
        }
    }
    rows_told += ok;
}

static void every_row_is_told_in_full(void)
{
    rows_told = 0;
    values_told = 0;
    probe_open(false);
    for (size_t i = 0; i < call_count(); i++) {
        check_row(call_at(i), false);
    }
    probe_close();
    CHECK_U64(rows_told, call_count());
    CHECK(values_told > 4000);
    printf("known %zu, decoded %zu, with %zu values of sets\n", call_count(),
           rows_told, values_told);
}

static void every_row_in_wines_shape_is_told_in_full(void)
{
    size_t rows = 0;

    rows_told = 0;
    probe_open(true);
    for (size_t i = 0; i < call_count(); i++) {
        str name = str_of(call_at(i)->name);

        if (call_find_on(name, (struct call_system){ .wine = true }) !=
            call_at(i)) {
            check_row(call_find_on(name, (struct call_system){ .wine = true }),
                      true);
            rows++;
        }
    }
    probe_close();
    CHECK_U64(rows_told, rows);
}

static int index_of(const struct call_facts *facts, const char *name)
{
    for (int i = 0; i < facts->arg_count; i++) {
        if (strcmp(facts->args[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* The layout of the first type that an information class names, if it is told
 * field by field. */
static const struct struct_row *layout_of(const struct info_row *info)
{
    str first;
    str rest;

    (void)str_cut(str_of(info->type), ',', &first, &rest);
    if (str_ends(first, STR("[]"))) {
        first = str_slice(first, 0, first.size - 2);
    }
    if (str_eq(first, STR("UNICODE_STRING")) || str_eq(first, STR("LUID")) ||
        str_eq(first, STR("LARGE_INTEGER"))) {
        return NULL;  // is a text, a number
    }
    return struct_find(first);
}

/* Each buffer whose type an information class tells, for each class: as a
 * structure, if its layout is known, and never as an address. */
static void every_information_class_is_told_by_its_type(void)
{
    static struct told_line line;
    size_t told = 0;
    size_t layouts = 0;

    probe_open(false);
    for (size_t i = 0; i < meaning_count(); i++) {
        const struct meaning_row *row = meaning_at(i);
        const struct call_facts *facts = call_find(str_of(row->call));
        int at = facts ? index_of(facts, row->parameter) : -1;
        int by = at >= 0 && row->by ? index_of(facts, row->by) : -1;

        if (row->kind != MEANING_INFO || by < 0) {
            continue;
        }
        for (size_t k = 0; k < info_count(); k++) {
            const struct info_row *info = info_at(k);
            bool out = (facts->args[at].direction & ARG_OUT) != 0;
            const struct struct_row *layout = layout_of(info);
            str text;
            str value;

            if (strcmp(info->set, row->set) != 0 ||
                !(info->use & (out ? INFO_QUERY : INFO_SET))) {
                continue;
            }
            text = tell(facts, false, (uint32_t)by, info->value);
            if (!is_named(facts, text, &line)) {
                continue;
            }
            value = line.args[at].value;
            if (layout && layout->size <= COVERAGE_BYTES) {
                layouts++;
                if (!line_contains(value, STR("{"))) {
                    bad(facts, "does not tell a structure", text);
                    printf("    %s: %s\n", info->name, info->type);
                }
            } else if (str_starts(value, STR("0x1"))) {
                bad(facts, "tells a buffer as an address", text);
                printf("    %s: %s\n", info->name, info->type);
            }
            told++;
        }
    }
    probe_close();
    CHECK(told > 600 && layouts > 150);
    printf("information classes told: %zu, %zu of them with a layout\n", told,
           layouts);
}

int main(void)
{
    const struct test tests[] = {
        TEST(every_row_is_told_in_full),
        TEST(every_row_in_wines_shape_is_told_in_full),
        TEST(every_information_class_is_told_by_its_type),
    };

    return check_run(tests, COUNT_OF(tests));
}
