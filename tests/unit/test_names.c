/* SPDX-License-Identifier: MIT */
/*
 * test_names - what is looked up about calls and values: names of values,
 * structures, information classes, classes of calls, what depends on a call,
 * what a parameter means. Also for a build with NO_LGPL_ROWS.
 */
#include "tables/brief.h"
#include "tables/calls.h"
#include "tables/classes.h"
#include "tables/handles.h"
#include "tables/meanings.h"
#include "tables/names.h"
#include "tables/roles.h"
#include "tables/status.h"
#include "tables/structs.h"
#include "tables/types.h"

#include "coverage/choice.h"
#include "unit/check.h"

#include <string.h>

/* `value` as one text: names, then the rest, with |. */
static str split(const char *set, uint64_t value)
{
    static char room[4096];
    struct buf text = BUF_OVER(room);
    const char *names[NAMES_SPLIT_MAX];
    uint64_t rest;
    size_t count = names_split(names_find(str_of(set)), value, names, &rest);

    for (size_t i = 0; i < count; i++) {
        buf_add(&text, text.size == 0 ? STR("") : STR("|"));
        buf_add(&text, str_of(names[i]));
    }
    if (rest != 0) {
        buf_add(&text, text.size == 0 ? STR("") : STR("|"));
        buf_add_hex(&text, rest);
    }
    CHECK(!text.cut);
    return buf_str(&text);
}

static uint64_t value_of(const struct name_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rows[i].name, name) == 0) {
            return set->rows[i].value;
        }
    }
    return 0;
}

static void every_set_is_found_by_its_name_and_by_no_other(void)
{
    for (size_t i = 0; i < names_count(); i++) {
        const struct name_set *set = names_at(i);
        str name = str_of(set->name);

        CHECK(set->count > 0 && set->rows[0].name != NULL);
        CHECK(names_find(name) == set);
        CHECK(names_find(str_slice(name, 0, name.size - 1)) != set);
    }
    CHECK(names_at(names_count()) == NULL);
    CHECK(names_find(STR("")) == NULL);
    CHECK(names_find(STR("~")) == NULL);
#ifdef NO_LGPL_ROWS
    CHECK_U64(names_count(), 303);
    CHECK(names_find(STR("NLS_SECTION_TYPE")) == NULL);
#else
    CHECK_U64(names_count(), 305);
    CHECK(names_find(STR("NLS_SECTION_TYPE")) != NULL);
#endif
}

static void every_use_is_found_by_call_and_parameter(void)
{
    for (size_t i = 0; i < names_use_count(); i++) {
        struct name_use use = names_use_at(i);

        CHECK(names_of_parameter(str_of(use.call), str_of(use.parameter)) ==
              use.set);
        CHECK(names_of_parameter(str_of(use.call), STR("Nothing")) == NULL);
    }
    CHECK(names_use_at(names_use_count()).call == NULL);
    CHECK(names_of_parameter(STR("NtNothing"), STR("Flags")) == NULL);
    CHECK_STR(
        str_of(names_of_parameter(STR("NtOpenFile"), STR("ShareAccess"))->name),
        STR("FILE_SHARE"));
}

/* Each name of each set alone, then each pair of neighbours together. */
static void every_name_stands_for_its_value(void)
{
    for (size_t i = 0; i < names_count(); i++) {
        const struct name_set *set = names_at(i);

        for (size_t k = 0; k < set->count; k++) {
            uint64_t value = set->rows[k].value;
            uint64_t rest = 1;
            const char *names[NAMES_SPLIT_MAX];
            size_t count = names_split(set, value, names, &rest);

            CHECK_U64(rest, 0);
            CHECK_U64(count, 1);
            CHECK(count == 1 && value_of(set, names[0]) == value);
            if (set->kind == NAMES_ENUM) {
                CHECK(count == 1 && names_value(set, value) == names[0]);
            }
        }
    }
}

/* All names or'ed with the rest are the value, whatever it is. */
static void nothing_is_lost_or_added_when_a_value_is_split(void)
{
    const struct name_set *standard = names_find(STR("STANDARD_ACCESS"));
    const struct name_set *generic = names_find(STR("GENERIC_ACCESS"));
    uint64_t random = 88172645463325252u;

    for (size_t i = 0; i < names_count() * 200; i++) {
        const struct name_set *set = names_at(i % names_count());
        const char *names[NAMES_SPLIT_MAX];
        uint64_t sum;
        size_t count;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (set->kind == NAMES_ENUM) {
            continue;
        }
        count = names_split(set, random, names, &sum);
        CHECK(count <= NAMES_SPLIT_MAX);
        for (size_t k = 0; k < count; k++) {
            uint64_t bits = value_of(set, names[k]);

            if (bits == 0) {
                bits = value_of(standard, names[k]);
            }
            if (bits == 0) {
                bits = value_of(generic, names[k]);
            }
            CHECK(bits != 0 && (set->kind == NAMES_MASK || !(sum & bits)));
            sum |= bits;
        }
        CHECK_U64(sum, random);
    }
}

static void values_are_split_as_people_write_them(void)
{
    CHECK_STR(split("FILE_ACCESS", 0x80100000),
              STR("GENERIC_READ|SYNCHRONIZE"));
    CHECK_STR(split("FILE_ACCESS", 0xC0100080),
              STR("GENERIC_READ|GENERIC_WRITE|FILE_READ_ATTRIBUTES|"
                  "SYNCHRONIZE"));
    CHECK_STR(split("FILE_ACCESS", 0x12019F),
              STR("FILE_GENERIC_READ|FILE_GENERIC_WRITE"));
    CHECK_STR(split("FILE_ACCESS", 0x1F01FF), STR("FILE_ALL_ACCESS"));
    CHECK_STR(split("FILE_ACCESS", 0x80100200),
              STR("GENERIC_READ|SYNCHRONIZE|0x200"));
    CHECK_STR(split("KEY_ACCESS", 0x2001F), STR("KEY_READ|KEY_WRITE"));
    CHECK_STR(split("KEY_ACCESS", 0x2000000), STR("MAXIMUM_ALLOWED"));
    CHECK_STR(split("FILE_ACCESS", 0), STR(""));
    CHECK_STR(split("FILE_SHARE", 3), STR("FILE_SHARE_READ|FILE_SHARE_WRITE"));
    CHECK_STR(split("PAGE_PROTECTION", 0x104),
              STR("PAGE_READWRITE|PAGE_GUARD"));
    CHECK_STR(split("ALPC_CANCEL_FLAGS", 0), STR("ALPC_CANCELFLG_NONE"));
    CHECK_STR(split("WINDOW_MESSAGE", 0x0F), STR("WM_PAINT"));
    CHECK_STR(split("KEY_INFORMATION_CLASS", 0x63), STR("0x63"));
}

static void every_structure_is_found_with_its_fields(void)
{
    const struct struct_row *row = struct_find(STR("CLIENT_ID"));

    for (size_t i = 0; i < struct_count(); i++) {
        const struct struct_row *s = struct_at(i);

        CHECK(struct_find(str_of(s->name)) == s);
        CHECK(s->field_count > 0);
        for (size_t k = 0; k < s->field_count; k++) {
            const struct struct_field *f = &s->fields[k];

            CHECK((f->bits == 0) == (f->type != NULL));
            CHECK((f->bits == 0) == (f->size != 0));
        }
    }
    CHECK(struct_at(struct_count()) == NULL);
    CHECK(struct_find(STR("NOTHING")) == NULL);
    CHECK_U64(row->size, 16);
    CHECK_STR(str_of(row->fields[1].name), STR("UniqueThread"));
    CHECK_STR(str_of(row->fields[1].type), STR("HANDLE"));
    CHECK_U64(row->fields[1].offset, 8);
}

static void every_information_class_is_found(void)
{
    for (size_t i = 0; i < info_count(); i++) {
        const struct info_row *row = info_at(i);
        const struct name_set *set = names_find(str_of(row->set));

        for (int use = INFO_QUERY; use <= INFO_SET; use <<= 1) {
            const struct info_row *found =
                info_find(str_of(row->set), row->value, (enum info_use)use);

            CHECK(found && found->value == row->value);
            CHECK((found == row) ==
                  ((row->use & use) != 0 || (found->use & use) == 0));
        }
        CHECK(set && names_value(set, row->value) != NULL);
    }
    CHECK(info_at(info_count()) == NULL);
    CHECK(info_find(STR("KEY_INFORMATION_CLASS"), 99, INFO_QUERY) == NULL);
    CHECK(info_find(STR("NOTHING"), 0, INFO_QUERY) == NULL);
    CHECK_STR(
        str_of(info_find(STR("FILE_INFORMATION_CLASS"), 5, INFO_QUERY)->type),
        STR("FILE_STANDARD_INFORMATION,FILE_STANDARD_INFORMATION_EX"));
    CHECK_STR(
        str_of(info_find(STR("KEY_INFORMATION_CLASS"), 3, INFO_QUERY)->type),
        STR("KEY_NAME_INFORMATION"));
    CHECK_STR(
        str_of(
            info_find(STR("SYSTEM_INFORMATION_CLASS"), 0x1C, INFO_QUERY)->type),
        STR("SYSTEM_QUERY_TIME_ADJUST_INFORMATION"));
    CHECK_STR(
        str_of(
            info_find(STR("SYSTEM_INFORMATION_CLASS"), 0x1C, INFO_SET)->type),
        STR("SYSTEM_SET_TIME_ADJUST_INFORMATION"));
}

static bool in_class(const char *name, const char *call)
{
    const struct class_row *row = class_find(str_of(name));

    return row && class_has(row, call_find(str_of(call)), str_of(call));
}

static void classes_have_the_calls_that_one_expects(void)
{
    CHECK(in_class("file", "NtCreateFile"));
    CHECK(in_class("FILE", "NtCreateFile"));
    CHECK(!in_class("file", "NtOpenKey"));
    CHECK(in_class("ipc", "NtAlpcSendWaitReceivePort"));
    CHECK(in_class("ipc", "NtCreateNamedPipeFile"));
    CHECK(in_class("network", "NtDeviceIoControlFile"));
    CHECK(!in_class("network", "NtOpenKey"));
    CHECK_STR(str_of(class_find(STR("network"))->object), STR("\\Device\\Afd"));
    CHECK(class_find(STR("file"))->object == NULL);
    CHECK(in_class("desc", "NtClose"));
    CHECK(in_class("desc", "NtCreateEvent"));
    CHECK(!in_class("desc", "NtDelayExecution"));
    CHECK(!in_class("desc", "NtUserShowWindow"));
    CHECK(in_class("wait", "NtDelayExecution"));
    CHECK(!in_class("wait", "NtClose"));
    CHECK(in_class("signal", "NtQueueApcThreadEx2"));
    CHECK(in_class("win32k", "NtUserShowWindow"));
    CHECK(!in_class("win32k", "NtClose"));
    /* Without a row. */
    CHECK(in_class("win32k", "NtUserfnDWORD"));
    CHECK(in_class("win32k", "NtDCompositionCreateChannel"));
    CHECK(!in_class("nt", "NtUserfnDWORD"));
    CHECK(in_class("nt", "NtSomethingQuiteNew"));
    CHECK(!in_class("file", "NtSomethingQuiteNew"));
    CHECK(class_find(STR("nothing")) == NULL);
    CHECK(class_find(STR("")) == NULL);
}

static void every_category_is_a_class_and_every_call_in_one(void)
{
    static const char *const categories[] = {
#define CATEGORY(id_, name_) name_,
#include "tables/categories.def"
#undef CATEGORY
    };

    for (size_t c = 0; c < CATEGORY_COUNT; c++) {
        size_t count = 0;

        CHECK(class_find(str_of(categories[c])) != NULL);
        for (size_t i = 0; i < call_count(); i++) {
            bool in = in_class(categories[c], call_at(i)->name);

            CHECK(in == (call_at(i)->category == c));
            count += in;
        }
        CHECK(count > 0);
    }
    for (size_t i = 0; i < call_count(); i++) {
        const char *name = call_at(i)->name;

        CHECK(in_class("nt", name) == (i < 518));
        CHECK(in_class("win32k", name) == (i >= 518));
    }
    for (size_t i = 0; i < class_count(); i++) {
        const struct class_row *row = class_at(i);

        CHECK(class_find(str_of(row->name)) == row);
        CHECK(row->part_count > 0 && strlen(row->help) > 0);
        CHECK(strlen(row->help) <= 60 && strlen(row->name) <= 12);
    }
    CHECK(class_at(class_count()) == NULL);
}

static uint32_t roles(const char *call)
{
    return call_roles(str_of(call));
}

static bool gives_handles(const char *call)
{
    return call_gives_handles(call_find(str_of(call)));
}

static void what_we_do_about_a_call_is_known(void)
{
    static const char *const rows[] = {
#define ROLE(call_, role_) #call_,
#include "tables/roles.def"
#undef ROLE
    };

    CHECK(gives_handles("NtClose") && gives_handles("NtOpenFile"));
    CHECK(gives_handles("NtCreateUserProcess"));
    CHECK(gives_handles("NtCreateThreadEx") && !gives_handles("NtReadFile"));
    CHECK_U64(roles("NtCreateUserProcess"), ROLE_MAKES_PROCESS);
    CHECK_U64(roles("NtCreateThreadEx"),
              ROLE_MAKES_THREAD | ROLE_CHANGES_MEMORY);
    CHECK_U64(roles("NtMapViewOfSection"), ROLE_MAPS | ROLE_CHANGES_MEMORY);
    CHECK_U64(roles("NtUnmapViewOfSectionEx"),
              ROLE_UNMAPS | ROLE_CHANGES_MEMORY);
    CHECK_U64(roles("NtSetInformationProcess"),
              ROLE_SETS_CALLBACK | ROLE_CHANGES_MEMORY);
    CHECK_U64(roles("NtContinueEx"), ROLE_CONTINUES);
    CHECK_U64(roles("NtReadFile"), ROLE_READS);
    CHECK_U64(roles("NtReadFil"), 0);
    CHECK_U64(roles("NtReadFileScatter"), 0);
    CHECK_U64(roles("NtAaa"), 0);
    CHECK_U64(roles("NtZzz"), 0);
    CHECK_U64(roles(""), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(call_find(str_of(rows[i])) != NULL);
        CHECK(roles(rows[i]) != 0);
        CHECK(i == 0 || strcmp(rows[i - 1], rows[i]) <= 0);
    }
    /* What the handles are kept by is recorded. */
    for (size_t i = 0; i < handle_rule_count(); i++) {
        const char *name = handle_rule_at(i)->call;
        const struct call_facts *call = call_find(str_of(name));

        if (call && !call_gives_handles(call)) {
            printf("  %s\n", name);
        }
        CHECK(!call || call_gives_handles(call));
    }
}

static const struct call_arg *find_arg(const struct call_facts *call,
                                       const char *name)
{
    for (size_t i = 0; call && i < call->arg_count; i++) {
        if (strcmp(call->args[i].name, name) == 0) {
            return &call->args[i];
        }
    }
    return NULL;
}

static void meanings_are_of_real_parameters(void)
{
    for (size_t i = 0; i < meaning_count(); i++) {
        const struct meaning_row *row = meaning_at(i);
        const struct call_facts *call = call_find(str_of(row->call));
        const struct call_arg *arg = find_arg(call, row->parameter);

#ifdef NO_LGPL_ROWS
        if (!call) {
            continue;
        }
#endif
        if (!arg) {
            printf("  %s %s\n", row->call, row->parameter);
        }
        CHECK(arg != NULL);
        CHECK(meaning_of(str_of(row->call), str_of(row->parameter)) == row);
        CHECK(i == 0 || strcmp(meaning_at(i - 1)->call, row->call) <= 0);
        CHECK((row->by != NULL) == (row->set != NULL));
        if (row->by) {
            CHECK(find_arg(call, row->by + (row->by[0] == '*')) != NULL);
            CHECK(names_find(str_of(row->set)) != NULL);
        }
        if (row->kind == MEANING_TIMEOUT) {
            CHECK(arg && arg->type == &type_rows[TYPE_PLARGE_INTEGER]);
        }
        if (row->kind == MEANING_INFO || row->kind == MEANING_CONTROL) {
            CHECK(arg && arg->size != NULL && row->by);
        }
    }
    CHECK(meaning_at(meaning_count()) == NULL);
    CHECK(meaning_of(STR("NtClose"), STR("Handle")) == NULL);
    CHECK(meaning_of(STR("NtNothing"), STR("Timeout")) == NULL);
}

/* A buffer without a type beside an information class. */
static void every_buffer_beside_an_information_class_has_its_meaning(void)
{
    size_t buffers = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *call = call_at(i);
        bool classed = false;
        size_t found = 0;

        for (size_t k = 0; k < call->arg_count; k++) {
            const struct name_set *set = names_of_parameter(
                str_of(call->name), str_of(call->args[k].name));

            classed = classed ||
                      (set &&
                       (str_ends(str_of(set->name), STR("INFORMATION_CLASS")) ||
                        str_ends(str_of(set->name), STR("INFOCLASS")) ||
                        str_ends(str_of(set->name), STR("INFO_CLASS"))));
        }
        for (size_t k = 0; classed && k < call->arg_count; k++) {
            const struct call_arg *arg = &call->args[k];
            const struct meaning_row *row =
                meaning_of(str_of(call->name), str_of(arg->name));

            if (!arg->size || arg->type != &type_rows[TYPE_PVOID]) {
                continue;
            }
            /* Its other buffer is no answer to the class. */
            if (strcmp(arg->name, "InputBuffer") == 0) {
                continue;
            }
            if (!row) {
                printf("  %s %s\n", call->name, arg->name);
            }
            CHECK(row && row->kind == MEANING_INFO);
            found++;
        }
        buffers += found;
    }
    CHECK(buffers >= 60);
}

/* A parameter that says how long to wait is one. */
static void every_wait_has_its_timeout(void)
{
    size_t count = 0;

    for (size_t i = 0; i < call_count(); i++) {
        const struct call_facts *call = call_at(i);

        for (size_t k = 0; k < call->arg_count; k++) {
            const struct meaning_row *row =
                meaning_of(str_of(call->name), str_of(call->args[k].name));

            if (strcmp(call->args[k].name, "Timeout") == 0 &&
                call->args[k].type == &type_rows[TYPE_PLARGE_INTEGER]) {
                CHECK(row && row->kind == MEANING_TIMEOUT);
                count++;
            }
        }
    }
    CHECK(count >= 15);
    CHECK(meaning_of(STR("NtDelayExecution"), STR("DelayInterval"))->kind ==
          MEANING_TIMEOUT);
}

/* What the coverage target does not do, or does otherwise. */
static void exceptions_of_the_coverage_target_are_real_calls(void)
{
    for (size_t i = 0; i < COUNT_OF(coverage_excluded); i++) {
        const struct coverage_exclusion *row = &coverage_excluded[i];

#ifndef NO_LGPL_ROWS
        CHECK(call_find(str_of(row->call)) != NULL);
#endif
        CHECK(strlen(row->why) > 10);
        CHECK(i == 0 || strcmp(coverage_excluded[i - 1].call, row->call) < 0);
    }
    for (size_t i = 0; i < COUNT_OF(coverage_chosen); i++) {
        const struct coverage_choice *row = &coverage_chosen[i];

        CHECK(find_arg(call_find(str_of(row->call)), row->parameter) != NULL);
        CHECK(coverage_why_not(row->call) == NULL);
    }
}

static void statuses_are_found_by_name(void)
{
    static const struct {
        str name;
        uint32_t value;
    } cases[] = {
        { STR_INIT("STATUS_ACCESS_DENIED"), 0xC0000022 },
        { STR_INIT("ACCESS_DENIED"), 0xC0000022 },
        { STR_INIT("status_access_denied"), 0xC0000022 },
        { STR_INIT("Access_Denied"), 0xC0000022 },
        { STR_INIT("SUCCESS"), 0 },
        { STR_INIT("STATUS_WAIT_0"), 0 },  // an alias
        { STR_INIT("DBG_CONTINUE"), 0x00010002 },
        { STR_INIT("rpc_nt_invalid_binding"), 0xC0020003 },
    };
    uint32_t value = 99;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK(status_find(cases[i].name, &value));
        CHECK_U64(value, cases[i].value);
    }
    value = 99;
    CHECK(!status_find(STR("STATUS_"), &value));
    CHECK(!status_find(STR(""), &value));
    CHECK(!status_find(STR("STATUS_STATUS_SUCCESS"), &value));
    CHECK(!status_find(STR("STATUS_DBG_CONTINUE"), &value));
    CHECK(!status_find(STR("NOTHING"), &value));
    CHECK_U64(value, 99);
    CHECK_STR(str_of(status_name(0x00010002)), STR("DBG_CONTINUE"));
    CHECK_STR(str_of(status_name(0xC0020003)), STR("RPC_NT_INVALID_BINDING"));
}

static bool any_call_has(const char *parameter)
{
    for (size_t i = 0; i < call_count(); i++) {
        if (find_arg(call_at(i), parameter) != NULL) {
            return true;
        }
    }
    return false;
}

static void each_mark_of_short_lines_is_of_a_parameter(void)
{
    for (uint32_t i = 0; brief_at(i) != NULL; i++) {
        const struct brief_row *row = brief_at(i);
        bool found = row->call == NULL ? any_call_has(row->parameter)
                                       : find_arg(call_find(str_of(row->call)),
                                                  row->parameter) != NULL;

        if (!found) {
            printf("  %s\n", row->parameter);
        }
        CHECK(found);
        CHECK(brief_find(str_of(row->call), str_of(row->parameter)) == row);
        CHECK((row->value_count > 0) == (row->kind == BRIEF_USUAL));
    }
    CHECK(brief_find(STR("NtClose"), STR("Handle")) == NULL);
    CHECK(brief_is_usual(brief_find(STR(""), STR("ShareAccess")), 3));
    CHECK(!brief_is_usual(brief_find(STR(""), STR("ShareAccess")), 2));
}

int main(void)
{
    const struct test tests[] = {
        TEST(every_set_is_found_by_its_name_and_by_no_other),
        TEST(every_use_is_found_by_call_and_parameter),
        TEST(every_name_stands_for_its_value),
        TEST(nothing_is_lost_or_added_when_a_value_is_split),
        TEST(values_are_split_as_people_write_them),
        TEST(every_structure_is_found_with_its_fields),
        TEST(every_information_class_is_found),
        TEST(classes_have_the_calls_that_one_expects),
        TEST(every_category_is_a_class_and_every_call_in_one),
        TEST(what_we_do_about_a_call_is_known),
        TEST(meanings_are_of_real_parameters),
        TEST(every_buffer_beside_an_information_class_has_its_meaning),
        TEST(every_wait_has_its_timeout),
        TEST(exceptions_of_the_coverage_target_are_real_calls),
        TEST(statuses_are_found_by_name),
        TEST(each_mark_of_short_lines_is_of_a_parameter),
    };

    return check_run(tests, COUNT_OF(tests));
}
