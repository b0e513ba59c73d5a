/* SPDX-License-Identifier: MIT */
/*
 * test_tables - what the compiler cannot check about src/tables: sorted,
 * unique, complete, every name found again; and the functions that look
 * things up there. Also for a build with NO_LGPL_ROWS.
 */
#include "tables/amd64/frames.h"
#include "tables/amd64/stubs.h"
#include "tables/calls.h"
#include "tables/status.h"
#include "tables/types.h"
#include "wire/record.h"

#include "unit/check.h"

#include <string.h>

#define NT_CALLS 518
#define WIN32K_CALLS 1024
#ifdef NO_LGPL_ROWS
#define LGPL_CALLS 0
#define BUFFERS (209 + 168 - 11)
#define PARAMETERS (2101 + 2914 - 475)
#else
#define LGPL_CALLS 146
#define BUFFERS (209 + 168)
#define PARAMETERS (2101 + 2914)
#endif

/* The tables once more, in the shape that their checks want. */

/* clang-format off */
struct type_id_row { const char *id; const char *name; };
#define TYPE(id_, class_, size_, to_) { #id_, #id_ },
#define TYPE_P(id_, name_, class_, size_, to_) { #id_, name_ },
static const struct type_id_row id_rows[] = {
#include "tables/types.def"
};
#ifndef NO_LGPL_ROWS
static const struct type_id_row id_rows_lgpl[] = {
#include "tables/types_lgpl.def"
};
#endif

struct status_row { uint32_t value; bool alias; const char *name; };
#define STATUS(value_, name_) { value_, false, #name_ },
#define ALIAS(value_, name_) { value_, true, #name_ },
static const struct status_row statuses[] = {
#include "tables/status.def"
};
#ifndef NO_LGPL_ROWS
static const struct status_row statuses_wine[] = {
#include "tables/status_wine.def"
};
#endif

struct value { uint64_t value; const char *name; };
enum set_kind { SET_ENUM, SET_FLAGS, SET_MASK };
struct set {
    const char *name;
    enum set_kind kind;
    const struct value *values;
    size_t count;
};
#define NAME(value_, name_) { value_, #name_ }
#define NAMES(set_, kind_, ...)                                             \
    { #set_, SET_##kind_, (const struct value[]){ __VA_ARGS__ },            \
      COUNT_OF(((const struct value[]){ __VA_ARGS__ })) },
static const struct set sets[] = {
#include "tables/enums.def"
#ifndef NO_LGPL_ROWS
#include "tables/enums_lgpl.def"
#endif
};

struct param_set { const char *call; const char *param; const char *set; };
#define PARAM_NAMES(call_, param_, set_) { #call_, #param_, #set_ },
static const struct param_set param_sets[] = {
#include "tables/param_enums.def"
};
#ifndef NO_LGPL_ROWS
static const struct param_set param_sets_lgpl[] = {
#include "tables/param_enums_lgpl.def"
};
#endif

enum info_use { QUERY = 1, SET, QUERY_SET };
struct info { const char *set; uint64_t value; const char *name;
              enum info_use use; const char *type; };
#define INFO(set_, value_, name_, use_, type_)                              \
    { #set_, value_, #name_, use_, type_ },
static const struct info infos[] = {
#include "tables/infoclasses.def"
};

struct field { uint32_t first; uint32_t end; const char *name; };  // bits
struct layout {
    const char *name;
    uint32_t size;
    const struct field *fields;
    size_t count;
};
#define FIELD(offset_, size_, type_, name_)                                 \
    { (offset_) * 8, ((offset_) + (size_)) * 8, #name_ }
#define BITS(offset_, bit_, width_, name_)                                  \
    { (offset_) * 8 + (bit_), (offset_) * 8 + (bit_) + (width_), #name_ }
#define STRUCT(name_, size_, ...)                                           \
    { #name_, size_, (const struct field[]){ __VA_ARGS__ },                 \
      COUNT_OF(((const struct field[]){ __VA_ARGS__ })) },
static const struct layout layouts[] = {
#include "tables/structs.def"
};

struct count_step { uint32_t since; int count; };
struct count_row {
    const char *name;
    const struct count_step *steps;
    size_t step_count;
};
#define UNKNOWN (-1)
#define REGISTERS (-2)
#define SINCE(build_, count_) { build_, count_ }
#define COUNT(name_, count_)                                                \
    { #name_, (const struct count_step[]){ SINCE(0, count_) }, 1 },
#define CHANGES(name_, ...)                                                 \
    { #name_, (const struct count_step[]){ __VA_ARGS__ },                   \
      COUNT_OF(((const struct count_step[]){ __VA_ARGS__ })) },
static const struct count_row counts[] = {
#include "tables/win32k_counts.def"
};

#define ARG(...) 0
#define BUF(...) 0
#define CALL(name_, ...) #name_,
#define CALL0(name_, ...) #name_,
#ifndef NO_LGPL_ROWS
static const char *const wine_names[] = {
#include "tables/win32k_wine.def"
};
#endif
static const char *const older_names[] = {
#include "tables/win32k_older.def"
};
/* clang-format on */

/* True, and says nothing, if `a` stands before `b`. */
static bool before(const char *a, const char *b)
{
    if (strcmp(a, b) < 0) {
        return true;
    }
    printf("  %s does not stand before %s\n", a, b);
    return false;
}

static void calls_are_sorted_and_all_there(void)
{
    CHECK_U64(call_count(), NT_CALLS + WIN32K_CALLS + LGPL_CALLS);
    for (size_t i = 1; i < call_count(); i++) {
        if (i == NT_CALLS || i == NT_CALLS + WIN32K_CALLS) {
            continue;  // first of its file
        }
        CHECK(before(call_at(i - 1)->name, call_at(i)->name));
    }
    CHECK(call_at(call_count()) == NULL);
}

static void every_call_is_found_by_its_name_and_by_no_other(void)
{
    for (size_t i = 0; i < call_count(); i++) {
        str name = str_of(call_at(i)->name);

        CHECK(call_find(name) == call_at(i));
        CHECK(call_find(str_slice(name, 0, name.size - 1)) != call_at(i));
    }
    CHECK(call_find(STR("")) == NULL);
    CHECK(call_find(STR("A")) == NULL);
    CHECK(call_find(STR("ntclose")) == NULL);
    CHECK(call_find(STR("NtClose\0")) == NULL);
    CHECK(call_find(STR("~")) == NULL);
}

static void rows_are_complete(void)
{
    size_t parameters = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *call = call_at(i);
        bool ok = call->arg_count <= CALL_ARGS_MAX && call->result != NULL &&
                  (call->args != NULL) == (call->arg_count != 0);

        for (size_t k = 0; k < call->arg_count && ok; k++) {
            const struct call_arg *arg = &call->args[k];

            ok = arg->name[0] != '\0' && arg->type != NULL &&
                 arg->type->size != 0 && (arg->direction & ARG_INOUT);
            for (size_t j = 0; j < k && ok; j++) {
                ok = strcmp(arg->name, call->args[j].name) != 0;
            }
            /* What the call writes to lies behind an address. */
            if ((arg->direction & ARG_OUT) && ok) {
                ok = arg->type->class == CLASS_PTR ||
                     arg->type->class == CLASS_UNKNOWN;
            }
        }
        parameters += call->arg_count;
        if (!ok) {
            printf("  %s\n", call->name);
        }
        CHECK(ok);
        /* NTSTATUS fails as such, nothing else does. */
        CHECK((call->result->class == CLASS_STATUS) ==
              (call->fails == FAILS_STATUS));
    }
    CHECK_U64(parameters, PARAMETERS);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

static bool has_arg(const struct call_facts *call, str name)
{
    for (size_t i = 0; i < call->arg_count; i++) {
        if (str_eq(str_of(call->args[i].name), name)) {
            return true;
        }
    }
    return false;
}

/* True if each name in `size` is a parameter, a field of one, or a word of
 * the language of calls.h. */
static bool size_is_known(const struct call_facts *call, str size)
{
    size_t at = 0;

    while (at < size.size) {
        size_t from = at;
        str word;
        str left;

        while (at < size.size && is_word(size.p[at])) {
            at++;
        }
        if (at == from) {
            at++;
            continue;
        }
        word = str_slice(size, from, at);
        left = str_slice(size, 0, from);
        if ((word.p[0] >= '0' && word.p[0] <= '9') ||
            str_ends(left, STR(".")) || str_ends(left, STR("->")) ||
            str_ends(left, STR("sizeof(")) || str_eq(word, STR("sizeof")) ||
            str_eq(word, STR("return")) || str_eq(word, STR("MAX_PATH"))) {
            continue;
        }
        if (!has_arg(call, word)) {
            return false;
        }
    }
    return size.size > 0;
}

static void every_size_names_a_parameter(void)
{
    const struct call_facts *close = call_find(STR("NtClose"));
    size_t buffers = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *call = call_at(i);

        for (size_t k = 0; k < call->arg_count; k++) {
            const char *size = call->args[k].size;

            bool known = !size || size_is_known(call, str_of(size));

            if (!known) {
                printf("  %s: %s\n", call->name, size);
            }
            CHECK(known);
            buffers += size != NULL;
        }
    }
    CHECK_U64(buffers, BUFFERS);
    CHECK(size_is_known(close, STR("Handle")));
    CHECK(!size_is_known(close, STR("*Handles")));
    CHECK(!size_is_known(close, STR("")));
}

static void well_known_calls_are_as_documented(void)
{
    const struct call_facts *call = call_find(STR("NtCreateFile"));

    CHECK_U64(call->arg_count, 11);
    CHECK(call->result == &type_rows[TYPE_NTSTATUS]);
    CHECK_U64(call->category, CATEGORY_FILE);
    CHECK_U64(call->fails, FAILS_STATUS);
    CHECK_U64(call->note, CALL_PLAIN);
    CHECK_STR(str_of(call->args[0].name), STR("FileHandle"));
    CHECK(call->args[0].type == &type_rows[TYPE_PHANDLE]);
    CHECK_U64(call->args[0].direction, ARG_OUT);
    CHECK_STR(str_of(call->args[9].size), STR("EaLength"));
    CHECK_U64(call->args[9].direction, ARG_IN_OPT);

    CHECK_U64(call_find(STR("NtYieldExecution"))->arg_count, 0);
    CHECK_U64(call_find(STR("NtDelayExecution"))->note, CALL_WAITS);
    CHECK_U64(call_find(STR("NtUserGetMessage"))->note, CALL_WAITS);
    CHECK_U64(call_find(STR("NtReadFile"))->note, CALL_PLAIN);
    CHECK_U64(call_find(STR("NtContinue"))->note, CALL_NEVER_RETURNS);
    CHECK_U64(call_find(STR("NtContinueEx"))->note, CALL_NEVER_RETURNS);
    CHECK_U64(call_find(STR("NtCallbackReturn"))->note, CALL_NEVER_RETURNS);
    CHECK_U64(call_find(STR("NtTerminateThread"))->note, CALL_MAY_NOT_RETURN);
    CHECK_U64(call_find(STR("NtRaiseException"))->note, CALL_MAY_NOT_RETURN);
    CHECK_U64(call_find(STR("NtUserCreateWindowEx"))->arg_count, 17);
    CHECK_U64(call_find(STR("NtSetEventEx"))->arg_count, 3);
    CHECK_U64(call_find(STR("NtCreateCpuPartition"))->arg_count, 5);
    CHECK_U64(call_find(STR("NtManageWobTicket"))->arg_count, 4);
}

static void failure_is_judged_by_the_type_of_the_result(void)
{
    const struct call_facts *status = call_find(STR("NtClose"));
    const struct call_facts *boolean = call_find(STR("NtUserDestroyWindow"));
    const struct call_facts *handle = call_find(STR("NtUserGetDC"));
    const struct call_facts *answer = call_find(STR("NtUserGetMessage"));
    const struct call_facts *number =
        call_find(STR("NtGetCurrentProcessorNumber"));

    CHECK(call_failed(status, 0xC0000008));
    CHECK(call_failed(status, 0xFFFFFFFFC0000008));
    CHECK(!call_failed(status, 0));
    CHECK(!call_failed(status, 0x103));
    CHECK(!call_failed(status, 0x80000005));
    CHECK(call_failed(status, 0x80000002));
    CHECK(call_failed(boolean, 0));
    CHECK(call_failed(boolean, 0xFFFFFFFF00000000));  // rubbish above 4 bytes
    CHECK(!call_failed(boolean, 1));
    CHECK(call_failed(handle, 0));
    CHECK(!call_failed(handle, 0x100000000));
    CHECK(!call_failed(answer, 0));
    CHECK(!call_failed(number, 0));
}

static void stack_arguments_begin_with_the_fifth(void)
{
    CHECK_U64(call_stack_args(0), 0);
    CHECK_U64(call_stack_args(4), 0);
    CHECK_U64(call_stack_args(5), 1);
    CHECK_U64(call_stack_args(17), 13);
    CHECK_U64(call_stack_args(CALL_ARGS_MAX), RECORD_MORE_MAX);
}

static const struct call_system on_wine = { .wine = true };

static struct call_system on_build(uint32_t build)
{
    return (struct call_system){ .build = build };
}

static bool same_shape(const struct call_facts *a, const struct call_facts *b)
{
    bool same = a->arg_count == b->arg_count;

    for (size_t i = 0; same && i < a->arg_count; i++) {
        same = a->args[i].type == b->args[i].type;
    }
    return same;
}

static void wines_shape_of_a_call_comes_first_under_wine(void)
{
#ifdef NO_LGPL_ROWS
    CHECK(call_find_on(STR("NtUserPeekMessage"), on_wine) ==
          call_find(STR("NtUserPeekMessage")));
#else
    CHECK_U64(COUNT_OF(wine_names), 20);
    for (size_t i = 0; i < COUNT_OF(wine_names); i++) {
        str name = str_of(wine_names[i]);
        const struct call_facts *windows = call_find(name);
        const struct call_facts *wine = call_find_on(name, on_wine);

        CHECK(windows != NULL && wine != NULL && windows != wine);
        CHECK(windows && wine && !same_shape(windows, wine));
        CHECK(i == 0 || before(wine_names[i - 1], wine_names[i]));
    }
    CHECK_U64(call_find_on(STR("NtUserPeekMessage"), on_wine)->arg_count, 5);
    CHECK_U64(call_find_on(STR("NtUserReleaseDC"), on_wine)->arg_count, 2);
#endif
    CHECK(call_find_on(STR("NtClose"), on_wine) == call_find(STR("NtClose")));
    CHECK(call_find_on(STR("NtNothing"), on_wine) == NULL);
}

/* Wine has its own functions, whatever version it says it is. */
static void wine_is_never_asked_for_its_build(void)
{
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        str name = str_of(counts[i].name);
        const struct call_facts *found = call_find_on(name, on_wine);

        for (uint32_t build = 10586; build < 26200; build += 1301) {
            struct call_system on = { .wine = true, .build = build };

            CHECK(call_find_on(name, on) == found);
            CHECK(call_arg_count_on(name, on) ==
                  (found ? found->arg_count : -1));
        }
        CHECK(found != NULL || call_find(name) == NULL);
    }
}

static const uint32_t counted[] = { 10586, 14393, 15063, 17134,
                                    17763, 18362, 19041, 22000 };

static bool is_counted(uint32_t build)
{
    bool found = false;

    for (size_t i = 0; i < COUNT_OF(counted); i++) {
        found |= counted[i] == build;
    }
    return found;
}

static void counts_are_sorted_and_all_there(void)
{
    CHECK_U64(COUNT_OF(counts), 1623);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        const struct count_row *row = &counts[i];
        bool ok = row->step_count > 0 && row->steps[0].since == 0;

        for (size_t k = 0; k < row->step_count; k++) {
            const struct count_step *step = &row->steps[k];

            ok = ok && step->count >= REGISTERS && step->count <= CALL_ARGS_MAX;
            ok = ok && (k == 0 || (is_counted(step->since) &&
                                   step[-1].since < step->since &&
                                   step[-1].count != step->count));
        }
        /* What it is now is known. */
        ok = ok && row->steps[row->step_count - 1].count != UNKNOWN;
        if (!ok) {
            printf("  %s\n", row->name);
        }
        CHECK(ok);
        CHECK(call_is_counted(str_of(row->name)));
        CHECK(i == 0 || before(counts[i - 1].name, row->name));
    }
    CHECK(!call_is_counted(STR("NtClose")));
    CHECK(!call_is_counted(STR("")));
}

static int count_of(const struct count_row *row, uint32_t build)
{
    int count = UNKNOWN;

    for (size_t k = 0; k < row->step_count; k++) {
        if (row->steps[k].since <= build) {
            count = row->steps[k].count;
        }
    }
    return count;
}

/* No call is ever shown with more or fewer parameters than were counted. */
static void prototypes_have_as_many_parameters_as_were_counted(void)
{
    size_t with_row = 0;

    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        str name = str_of(counts[i].name);
        const struct call_facts *newest = call_find(name);

        /* The row of the main table is that of the newest build. */
        CHECK(call_find_on(name, on_build(0)) == newest);
        CHECK(call_find_on(name, on_build(22000)) == newest);
        with_row += newest != NULL;
        for (size_t k = 0; k < COUNT_OF(counted); k++) {
            int count = count_of(&counts[i], counted[k]);
            const struct call_facts *found =
                call_find_on(name, on_build(counted[k]));
            int shown = call_arg_count_on(name, on_build(counted[k]));
            bool ok = count >= 0         ? shown == count
                      : count == UNKNOWN ? shown == -1
                      : newest != NULL   ? shown >= 0 && shown <= 4
                                         : shown == -1;

            ok = ok && (!found || found->arg_count == shown);
            if (!ok) {
                printf("  %s on %u: %d, counted %d\n", counts[i].name,
                       (unsigned)counted[k], shown, count);
            }
            CHECK(ok);
        }
    }
#ifdef NO_LGPL_ROWS
    CHECK_U64(with_row, 980);
#else
    CHECK_U64(with_row, 1111);
#endif
}

static void every_older_shape_is_of_a_build(void)
{
    CHECK_U64(COUNT_OF(older_names), 3);
    for (size_t i = 0; i < COUNT_OF(older_names); i++) {
        str name = str_of(older_names[i]);
        const struct call_facts *newest = call_find(name);
        const struct call_facts *oldest = call_find_on(name, on_build(10586));

        CHECK(newest != NULL && oldest != NULL && newest != oldest);
        CHECK(oldest && str_eq(str_of(oldest->name), name));
        CHECK(newest && oldest && newest->category == oldest->category &&
              newest->result == oldest->result &&
              newest->fails == oldest->fails && newest->note == oldest->note);
        CHECK(i == 0 || before(older_names[i - 1], older_names[i]));
    }
}

static void numbers_of_parameters_are_those_of_the_build(void)
{
    static const uint32_t builds[] = {
        10240, 10586, 14393, 15063, 16299, 17763,
        18363, 19041, 19045, 20348, 22000, 26100
    };
    static const struct {
        const char *name;
        int counts[COUNT_OF(builds)];
    } rows[] = {
        /* As they are everywhere. */
        { "NtUserCreateWindowEx",
          { 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17, 17 } },
        { "NtUserReleaseDC", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } },
        { "NtBindCompositionSurface", { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 } },
        { "NtGdiEngCreateBitmap", { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 } },
        { "NtUserWindowFromPoint", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } },
        /* That have changed: with a row of each shape, ... */
        { "NtUserPeekMessage", { 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6 } },
        { "NtUserQueryDisplayConfig", { 6, 6, 6, 7, -1, 5, 5, 5, 5, 5, 5, 5 } },
        { "NtUserGetDisplayConfigBufferSizes",
          { 3, 3, 3, -1, -1, -1, -1, 2, 2, 2, 2, 2 } },
        /* of one of them, ... */
        { "NtUserBitBltSysBmp", { 8, 8, 8, 8, -1, 5, 5, 5, 5, 5, 5, 5 } },
        { "NtUserSetDisplayConfig", { 5, 5, 5, 6, -1, 5, 5, 5, 5, 5, 5, 5 } },
        { "NtUserEnableIAMAccess", { 3, 3, 3, -1, -1, -1, -1, 2, 2, 2, 2, 2 } },
        { "NtUserProcessConnect", { 2, 2, 2, 2, 2, 2, 2, 2, 2, -1, 3, 3 } },
        /* without any. */
        { "NtDCompositionCommitChannel",
          { 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5 } },
        { "NtMinQPeekForInput",
          { 10, 10, 10, 10, 10, 10, 10, 10, 10, -1, 9, 9 } },
        { "NtUserReportInertia", { 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6 } },
        { "NtUserSetManipulationInputTarget",
          { 4, 4, 4, 5, -1, 4, 4, 4, 4, -1, 6, 6 } },
        { "NtUserRegisterDManipHook",
          { 4, 4, 4, -1, -1, -1, -1, 0, 0, 0, 0, 0 } },
        /* At most four, but that is all. */
        { "NtDCompositionBoostCompositorClock",
          { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 } },
        { "NtNothing", { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 } },
        { "NtCreateFile", { 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11 } },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str name = str_of(rows[i].name);

        for (size_t k = 0; k < COUNT_OF(builds); k++) {
            const struct call_facts *found =
                call_find_on(name, on_build(builds[k]));
            int count = call_arg_count_on(name, on_build(builds[k]));

            if (count != rows[i].counts[k]) {
                printf("  %s on %u\n", rows[i].name, (unsigned)builds[k]);
            }
            CHECK(count == rows[i].counts[k]);
            CHECK(!found || found->arg_count == count);
        }
        /* Newer than all that we know, and not told. */
        CHECK(call_arg_count_on(name, on_build(0)) ==
              rows[i].counts[COUNT_OF(builds) - 1]);
        CHECK(call_arg_count_on(name, on_build(65535)) ==
              rows[i].counts[COUNT_OF(builds) - 1]);
    }
    CHECK(call_find_on(STR("NtUserSetDisplayConfig"), on_build(15063)) == NULL);
    CHECK(call_find_on(STR("NtUserSetDisplayConfig"), on_build(14393)) ==
          call_find(STR("NtUserSetDisplayConfig")));
}

static void check_types(const struct type_id_row *rows, size_t count,
                        uint32_t first)
{
    for (size_t i = 0; i < count; i++) {
        const struct type_row *type = type_row(first + (uint32_t)i);
        bool fits = type->size == 1 || type->size == 2 || type->size == 4 ||
                    type->size == 8;

        CHECK_STR(str_of(type->name), str_of(rows[i].name));
        CHECK(i == 0 || before(rows[i - 1].id, rows[i].id));
        CHECK(fits || (type->class == CLASS_VOID && type->size == 0));
        CHECK((type->class == CLASS_PTR) == (type->to_name != NULL));
        if (type->class == CLASS_HANDLE || type->class == CLASS_PTR ||
            type->class == CLASS_FNPTR || type->class == CLASS_UNKNOWN) {
            CHECK_U64(type->size, 8);
        }
    }
}

static void types_are_sorted_and_have_widths(void)
{
    check_types(id_rows, COUNT_OF(id_rows), 0);
    CHECK_U64(COUNT_OF(id_rows), 652);
#ifndef NO_LGPL_ROWS
    check_types(id_rows_lgpl, COUNT_OF(id_rows_lgpl), COUNT_OF(id_rows));
    CHECK_U64(TYPE_COUNT, 682);
#endif
    /* A type is the same behind a pointer. */
    for (uint32_t i = 0; i < TYPE_COUNT; i++) {
        const struct type_row *to = type_row(i);

        for (uint32_t k = 0; to->to_size != 0 && k < TYPE_COUNT; k++) {
            if (strcmp(type_row(k)->name, to->to_name) == 0) {
                CHECK_U64(to->to_class, type_row(k)->class);
                CHECK_U64(to->to_size, type_row(k)->size);
            }
        }
    }
    CHECK(type_row(TYPE_COUNT) == NULL);
    CHECK_U64(type_size(TYPE_COUNT), 8);
    CHECK_U64(type_class(TYPE_COUNT), CLASS_UNKNOWN);
    CHECK_U64(type_size(TYPE_VOID), 0);
    CHECK_U64(type_size(TYPE_BOOLEAN), 1);
    CHECK_U64(type_size(TYPE_USHORT), 2);
    CHECK_U64(type_size(TYPE_ULONG), 4);
    CHECK_U64(type_size(TYPE_SIZE_T), 8);
    CHECK_U64(type_size(TYPE_POINT), 8);
    CHECK_U64(type_class(TYPE_POINT), CLASS_STRUCT);
    CHECK_U64(type_class(TYPE_NTSTATUS), CLASS_STATUS);
    CHECK_U64(type_class(TYPE_HANDLE), CLASS_HANDLE);
    CHECK_U64(type_class(TYPE_LONG), CLASS_INT);
    CHECK_STR(str_of(type_row(TYPE_PVOID_p)->name), STR("PVOID*"));
    CHECK_STR(str_of(type_row(TYPE_PHANDLE)->to_name), STR("HANDLE"));
    CHECK_U64(type_row(TYPE_PUNICODE_STRING)->to_size, 16);
}

static void check_statuses(const struct status_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = status_name(rows[i].value);

        CHECK(name && (rows[i].alias == (strcmp(name, rows[i].name) != 0)));
        CHECK(i == 0 || rows[i - 1].value < rows[i].value ||
              (rows[i - 1].value == rows[i].value && rows[i].alias));
    }
}

static void every_status_is_found_under_its_usual_name(void)
{
    size_t values = 0;

    check_statuses(statuses, COUNT_OF(statuses));
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        values += !statuses[i].alias;
    }
    CHECK_U64(COUNT_OF(statuses), 1803);
    CHECK_U64(values, 1800);
    CHECK_STR(str_of(status_name(0)), STR("STATUS_SUCCESS"));
    CHECK_STR(str_of(status_name(0xC0000005)), STR("STATUS_ACCESS_VIOLATION"));
    CHECK(status_name(0xDEADBEEF) == NULL);
    CHECK(status_name(0xFFFFFFFF) == NULL);

    /* Misprinted in the source of status.def, see there. */
    CHECK_STR(str_of(status_name(0xC000042F)),
              STR("STATUS_PKU2U_CERT_FAILURE"));
    CHECK(status_name(0xC000042E) == NULL);
    CHECK_STR(str_of(status_name(0xC01E0009)),
              STR("STATUS_GRAPHICS_DRIVER_MISMATCH"));
    CHECK(status_name(0x401E0117) == NULL);
#ifdef NO_LGPL_ROWS
    CHECK(status_name(0xC00004BD) == NULL);
#else
    CHECK_STR(str_of(status_name(0xC00004BD)),
              STR("STATUS_HAS_SYSTEM_CRITICAL_FILES"));
    check_statuses(statuses_wine, COUNT_OF(statuses_wine));
    CHECK_U64(COUNT_OF(statuses_wine), 1052);
#endif
}

static void no_status_name_stands_for_two_values(void)
{
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        for (size_t k = 0; k < i; k++) {
            CHECK(strcmp(statuses[i].name, statuses[k].name) != 0);
        }
#ifndef NO_LGPL_ROWS
        for (size_t k = 0; k < COUNT_OF(statuses_wine); k++) {
            CHECK(strcmp(statuses[i].name, statuses_wine[k].name) != 0);
        }
#endif
    }
}

static const struct set *set_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        if (strcmp(sets[i].name, name) == 0) {
            return &sets[i];
        }
    }
    return NULL;
}

static void every_set_of_names_is_sorted_for_its_kind(void)
{
    size_t names = 0;

    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        const struct set *set = &sets[i];

        CHECK(set_find(set->name) == set);
        names += set->count;
        for (size_t k = 1; k < set->count; k++) {
            uint64_t last = set->values[k - 1].value;
            uint64_t value = set->values[k].value;

            if (set->kind == SET_ENUM) {
                CHECK(last <= value);
            } else {
                /* A name that holds all bits of an earlier one would never
                 * be taken; zero is the last resort. */
                CHECK(last != 0 && ((last & value) != last || last == value));
            }
        }
    }
#ifdef NO_LGPL_ROWS
    CHECK_U64(COUNT_OF(sets), 303);
    CHECK_U64(names, 5003);
#else
    CHECK_U64(COUNT_OF(sets), 305);
    CHECK_U64(names, 5012);
#endif
    for (size_t i = 1; i < 302; i++) {
        CHECK(before(sets[i - 1].name, sets[i].name));
    }
}

static void check_param_sets(const struct param_set *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct call_facts *call = call_find(str_of(rows[i].call));
        const struct call_facts *wine =
            call_find_on(str_of(rows[i].call), on_wine);

        CHECK(call && (has_arg(call, str_of(rows[i].param)) ||
                       has_arg(wine, str_of(rows[i].param))));
        CHECK(set_find(rows[i].set) != NULL);
        CHECK(i == 0 || strcmp(rows[i - 1].call, rows[i].call) == 0 ||
              before(rows[i - 1].call, rows[i].call));
    }
}

static void parameters_with_names_are_parameters_and_have_names(void)
{
    check_param_sets(param_sets, COUNT_OF(param_sets));
    CHECK_U64(COUNT_OF(param_sets), 400);
#ifndef NO_LGPL_ROWS
    check_param_sets(param_sets_lgpl, COUNT_OF(param_sets_lgpl));
    CHECK_U64(COUNT_OF(param_sets_lgpl), 39);
#endif
}

static void every_information_class_is_a_value_of_its_set(void)
{
    CHECK_U64(COUNT_OF(infos), 782);
    for (size_t i = 0; i < COUNT_OF(infos); i++) {
        const struct set *set = set_find(infos[i].set);
        bool found = false;

        for (size_t k = 0; set && k < set->count; k++) {
            found = found || (set->values[k].value == infos[i].value &&
                              strcmp(set->values[k].name, infos[i].name) == 0);
        }
        if (!found) {
            printf("  %s %s\n", infos[i].set, infos[i].name);
        }
        CHECK(found && infos[i].type[0] != '\0');
        CHECK(infos[i].use >= QUERY && infos[i].use <= QUERY_SET);
    }
}

static const struct layout *layout_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        if (strcmp(layouts[i].name, name) == 0) {
            return &layouts[i];
        }
    }
    return NULL;
}

static uint32_t offset_of(const char *name, const char *field)
{
    const struct layout *layout = layout_find(name);

    for (size_t i = 0; layout && i < layout->count; i++) {
        if (strcmp(layout->fields[i].name, field) == 0) {
            return layout->fields[i].first / 8;
        }
    }
    return UINT32_MAX;
}

static void what_fills_is_a_row_of_a_call_that_cannot_fail(void)
{
    static const char *const names[] = {
#define FILLS(call_, kind_) #call_,
#include "tables/fills.def"
#undef FILLS
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct call_facts *call = call_find(str_of(names[i]));

        CHECK(i == 0 || before(names[i - 1], names[i]));
#ifndef NO_LGPL_ROWS
        CHECK(call != NULL);
#endif
        CHECK(!call ||
              (call->fails == FAILS_NONE && call_fills(call) != FILLS_COUNT));
    }
}

static void owners_are_handles_of_their_calls(void)
{
    static const struct {
        const char *call;
        enum call_owned what;
    } rows[] = {
#define OWNER(call_, what_, parameter_) { #call_, OWNED_##what_ },
#include "tables/owners.def"
#undef OWNER
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct call_facts *call = call_find(str_of(rows[i].call));
        const char *owner = call ? call_owner(call, rows[i].what) : NULL;
        bool found = owner && owner[0] == '\0';

        CHECK(i == 0 || strcmp(rows[i - 1].call, rows[i].call) <= 0);
        for (size_t k = 0; owner && k < call->arg_count; k++) {
            found |= strcmp(call->args[k].name, owner) == 0 &&
                     call->args[k].type->class == CLASS_HANDLE;
        }
        CHECK(found);
    }
}

static void a_result_that_may_mean_nothing_has_filled_nothing(void)
{
    static const struct {
        const char *call;
        uint64_t result;
        bool filled;
    } rows[] = {
        { "NtQueryKey", 0, true },
        { "NtQueryKey", 0x80000005, true },  // STATUS_BUFFER_OVERFLOW
        { "NtQueryKey", 0x103, false },      // STATUS_PENDING
        { "NtQueryKey", 0xc0000023, false },
        { "NtWaitForDebugEvent", 0x102, false },  // STATUS_TIMEOUT
        { "NtUserPeekMessage", 0, false },
        { "NtUserPeekMessage", 1, true },
        { "NtUserPeekMessage", 0xffffffff, false },
        { "NtUserPeekMessage", 0x100000000, false },  // a ULONG
        { "NtUserGetMessage", 0, true },              // WM_QUIT
        { "NtUserGetMessage", 0xffffffff, false },
        { "NtUserGetCursorPos", 0, false },
        { "NtUserGetCursorPos", 1, true },
        { "NtGdiGetFontData", 0xffffffff, false },  // an error
        { "NtGdiGetFontData", 12, true },
        { "NtUserBeginPaint", 0, false },
        { "NtUserBeginPaint", 0x100000000, true },
        { "NtGetCurrentProcessorNumberEx", 0, true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct call_facts *call = call_find(str_of(rows[i].call));

        if (!call || call_filled(call, call_fills(call), rows[i].result) !=
                         rows[i].filled) {
            printf("  %s = %#llx\n", rows[i].call,
                   (unsigned long long)rows[i].result);
            CHECK(false);
        }
    }
}

static void fields_lie_inside_their_structures(void)
{
    CHECK_U64(COUNT_OF(layouts), 235);
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        CHECK(i == 0 || before(layouts[i - 1].name, layouts[i].name));
        for (size_t k = 0; k < layouts[i].count; k++) {
            const struct field *field = &layouts[i].fields[k];

            CHECK(field->first < field->end);
            CHECK(field->end <= layouts[i].size * 8);
        }
    }
}

static void offsets_of_frames_are_those_of_the_structures(void)
{
    CHECK_U64(CONTEXT_AT_P1HOME, offset_of("CONTEXT", "P1Home"));
    CHECK_U64(CONTEXT_AT_P4HOME, offset_of("CONTEXT", "P4Home"));
    CHECK_U64(CONTEXT_AT_FLAGS, offset_of("CONTEXT", "ContextFlags"));
    CHECK_U64(CONTEXT_AT_RAX, offset_of("CONTEXT", "Rax"));
    CHECK_U64(CONTEXT_AT_RCX, offset_of("CONTEXT", "Rcx"));
    CHECK_U64(CONTEXT_AT_RDX, offset_of("CONTEXT", "Rdx"));
    CHECK_U64(CONTEXT_AT_RSP, offset_of("CONTEXT", "Rsp"));
    CHECK_U64(CONTEXT_AT_RIP, offset_of("CONTEXT", "Rip"));
    CHECK_U64(CONTEXT_BYTES, layout_find("CONTEXT")->size);
    CHECK_U64(EXCEPTION_AT_CODE,
              offset_of("EXCEPTION_RECORD", "ExceptionCode"));
    CHECK_U64(EXCEPTION_AT_ADDRESS,
              offset_of("EXCEPTION_RECORD", "ExceptionAddress"));
    CHECK_U64(EXCEPTION_AT_COUNT,
              offset_of("EXCEPTION_RECORD", "NumberParameters"));
    CHECK_U64(EXCEPTION_AT_PARAMETERS,
              offset_of("EXCEPTION_RECORD", "ExceptionInformation"));
    CHECK_U64(EXCEPTION_BYTES, layout_find("EXCEPTION_RECORD")->size);
}

static void frames_give_their_words_in_the_order_of_the_records(void)
{
    const struct frame_row *apc = frame_row(FRAME_APC);
    const struct frame_row *exception = frame_row(FRAME_EXCEPTION);
    const struct frame_row *start = frame_row(FRAME_THREAD_START);
    const struct frame_row *callback = frame_row(FRAME_CALLBACK);

    CHECK_U64(FRAME_THREAD_START, TRANSITION_THREAD_START);
    CHECK_U64(FRAME_APC, TRANSITION_APC);
    CHECK_U64(FRAME_EXCEPTION, TRANSITION_EXCEPTION);
    CHECK_U64(FRAME_CALLBACK, TRANSITION_CALLBACK);
    CHECK_U64(FRAME_RAISE, TRANSITION_RAISE);
    CHECK_U64(FRAME_COUNT, TRANSITION_COUNT);
    CHECK_U64(FRAME_WORDS_MAX, TRANSITION_WORDS_MAX);

    CHECK(start->from_rcx && !apc->from_rcx && !exception->from_rcx);
    CHECK_U64(start->offset[START_ROUTINE], 0x80);
    CHECK_U64(start->offset[START_PARAMETER], 0x88);
    CHECK_U64(apc->offset[APC_ROUTINE_WORDS], 0);
    CHECK_U64(apc->offset[APC_ROUTINE_WORDS + 3], 0x18);
    CHECK_U64(apc->offset[APC_CONTEXT_RIP], 0xF8);
    CHECK_U64(apc->offset[APC_CONTEXT_RSP], 0x98);
    CHECK_U64(apc->offset[APC_CONTEXT_RAX], 0x78);
    CHECK_U64(apc->count, APC_CONTEXT_RAX + 1);
    CHECK_U64(exception->offset[EXCEPTION_CODE_FLAGS], 0x4F0);
    CHECK_U64(exception->offset[EXCEPTION_NESTED], 0x4F8);
    CHECK_U64(exception->offset[EXCEPTION_ADDRESS], 0x500);
    CHECK_U64(exception->offset[EXCEPTION_COUNT], 0x508);
    CHECK_U64(exception->offset[EXCEPTION_PARAMETERS], 0x510);
    CHECK_U64(exception->offset[EXCEPTION_PARAMETERS + 1], 0x518);
    CHECK_U64(exception->offset[EXCEPTION_CONTEXT_RIP], 0xF8);
    CHECK_U64(exception->offset[EXCEPTION_CONTEXT_RSP], 0x98);
    CHECK_U64(exception->count, EXCEPTION_CONTEXT_RSP + 1);
    CHECK_U64(callback->offset[CALLBACK_INPUT], 0x20);
    CHECK_U64(callback->offset[CALLBACK_LENGTH_INDEX], 0x28);
    for (int kind = 0; kind < FRAME_COUNT; kind++) {
        const struct frame_row *row = frame_row((enum frame_kind)kind);

        CHECK(row->function && row->count <= FRAME_WORDS_MAX);
    }
}

/* Good stubs, with service number 1055h. */
static const uint8_t windows_stub[0x20] = {
    0x4c, 0x8b, 0xd1, 0xb8, 0x55, 0x10, 0,    0,     //
    0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01,  //
    0x75, 0x03, 0x0f, 0x05, 0xc3, 0xcd, 0x2e, 0xc3,  //
    0x0f, 0x1f, 0x84, 0,    0,    0,    0,    0,
};
static const uint8_t old_stub[0x10] = {
    0x4c, 0x8b, 0xd1, 0xb8, 0x55, 0x10, 0,    0,  //
    0x0f, 0x05, 0xc3, 0x66, 0x0f, 0x1f, 0x44, 0,
};
static const uint8_t wine_stub[0x20] = {
    0x4c, 0x8b, 0xd1, 0xb8, 0x55, 0x10, 0,    0,     //
    0xf6, 0x04, 0x25, 0x08, 0x03, 0xfe, 0x7f, 0x01,  //
    0x75, 0x03, 0x0f, 0x05, 0xc3, 0xeb, 0x01, 0xc3,  //
    0xff, 0x14, 0x25, 0x00, 0x10, 0xfe, 0x7f, 0xc3,
};

static void stubs_of_every_form_are_recognised(void)
{
    static const struct {
        const char *why;
        const uint8_t *bytes;
        size_t room;
        size_t needs;
        uint8_t size;
        uint8_t syscall_return;
        uint8_t int_return;
    } cases[] = {
        /* clang-format off */
        { "windows",     windows_stub, 0x20, 0x18, 0x20, 0x14, 0x17 },
        { "windows-old", old_stub,     0x10, 0x0b, 0x10, 0x0a, 0 },
        { "wine",        wine_stub,    0x20, 0x20, 0x20, 0x14, 0 },
        /* clang-format on */
    };

    CHECK_U64(COUNT_OF(cases), STUB_FORMS);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stub_match match = { 0 };

        CHECK(stub_decode(cases[i].bytes, cases[i].room, &match));
        CHECK(match.form == &stub_forms[i]);
        CHECK_STR(str_of(match.form->name), str_of(cases[i].why));
        CHECK_U64(match.number, 0x1055);
        CHECK_U64(match.form->size, cases[i].size);
        CHECK_U64(match.form->syscall_return, cases[i].syscall_return);
        CHECK_U64(match.form->int_return, cases[i].int_return);
        CHECK_U64(match.form->pattern_size, cases[i].needs);
        CHECK(stub_decode(cases[i].bytes, cases[i].needs, &match));
        CHECK(!stub_decode(cases[i].bytes, cases[i].needs - 1, &match));
    }
}

static void a_stub_with_any_other_byte_is_none(void)
{
    const uint8_t *const good[] = { windows_stub, old_stub, wine_stub };

    for (size_t form = 0; form < COUNT_OF(good); form++) {
        size_t size = stub_forms[form].pattern_size;

        for (size_t at = 0; at < size * 8; at++) {
            struct stub_match match = { .number = 99 };
            uint8_t bytes[STUB_PATTERN_MAX];
            bool in_number = at / 8 >= 4 && at / 8 < 8;

            memcpy(bytes, good[form], size);
            bytes[at / 8] ^= (uint8_t)(1 << at % 8);
            CHECK(stub_decode(bytes, size, &match) == in_number);
            CHECK(in_number || (match.number == 99 && match.form == NULL));
        }
    }
}

static void hooked_heads_are_no_stubs(void)
{
    static const struct {
        const char *why;
        uint8_t head[8];
        size_t size;
    } cases[] = {
        /* clang-format off */
        { "jmp rel32",         { 0xe9, 0x78, 0x56, 0x34, 0x12 }, 5 },
        { "jmp rel8",          { 0xeb, 0x10 }, 2 },
        { "jmp [rip+0]",       { 0xff, 0x25, 0, 0, 0, 0 }, 6 },
        { "push imm32; ret",   { 0x68, 0x78, 0x56, 0x34, 0x12, 0xc3 }, 6 },
        { "mov rax, imm64",    { 0x48, 0xb8, 1, 2, 3, 4, 5, 6 }, 8 },
        { "int3",              { 0xcc }, 1 },
        { "mov r10, rcx; jmp", { 0x4c, 0x8b, 0xd1, 0xe9, 1, 2, 3, 4 }, 8 },
        { "all zero",          { 0 }, 8 },
        /* clang-format on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stub_match match = { .number = 99 };
        uint8_t bytes[0x20];

        memcpy(bytes, windows_stub, sizeof(bytes));
        memcpy(bytes, cases[i].head, cases[i].size);
        if (stub_decode(bytes, sizeof(bytes), &match)) {
            printf("  %s\n", cases[i].why);
        }
        CHECK(!stub_decode(bytes, sizeof(bytes), &match));
        CHECK_U64(match.number, 99);
    }
    CHECK(!stub_decode(windows_stub, 0, &(struct stub_match){ 0 }));
}

static void a_number_loses_the_bits_that_the_kernel_ignores(void)
{
    uint8_t bytes[0x20];
    struct stub_match match;

    memcpy(bytes, windows_stub, sizeof(bytes));
    bytes[5] = 0xff;
    bytes[7] = 0x80;
    CHECK(stub_decode(bytes, sizeof(bytes), &match));
    CHECK_U64(match.number, 0x3f55);
}

int main(void)
{
    const struct test tests[] = {
        TEST(calls_are_sorted_and_all_there),
        TEST(every_call_is_found_by_its_name_and_by_no_other),
        TEST(rows_are_complete),
        TEST(every_size_names_a_parameter),
        TEST(well_known_calls_are_as_documented),
        TEST(failure_is_judged_by_the_type_of_the_result),
        TEST(stack_arguments_begin_with_the_fifth),
        TEST(wines_shape_of_a_call_comes_first_under_wine),
        TEST(wine_is_never_asked_for_its_build),
        TEST(counts_are_sorted_and_all_there),
        TEST(prototypes_have_as_many_parameters_as_were_counted),
        TEST(every_older_shape_is_of_a_build),
        TEST(numbers_of_parameters_are_those_of_the_build),
        TEST(types_are_sorted_and_have_widths),
        TEST(every_status_is_found_under_its_usual_name),
        TEST(no_status_name_stands_for_two_values),
        TEST(every_set_of_names_is_sorted_for_its_kind),
        TEST(parameters_with_names_are_parameters_and_have_names),
        TEST(every_information_class_is_a_value_of_its_set),
        TEST(what_fills_is_a_row_of_a_call_that_cannot_fail),
        TEST(owners_are_handles_of_their_calls),
        TEST(a_result_that_may_mean_nothing_has_filled_nothing),
        TEST(fields_lie_inside_their_structures),
        TEST(offsets_of_frames_are_those_of_the_structures),
        TEST(frames_give_their_words_in_the_order_of_the_records),
        TEST(stubs_of_every_form_are_recognised),
        TEST(a_stub_with_any_other_byte_is_none),
        TEST(hooked_heads_are_no_stubs),
        TEST(a_number_loses_the_bits_that_the_kernel_ignores),
    };

    return check_run(tests, COUNT_OF(tests));
}
