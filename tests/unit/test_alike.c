/* SPDX-License-Identifier: MIT */
/*
 * test_alike - report/alike.c: what is left out of names before they are compared.
 */
#include "report/alike.h"

#include <stdlib.h>
#include <string.h>

#include "unit/check.h"

static char room[4096];

static str name_of(const char *name, enum subject_kind kind)
{
    struct buf b = BUF_OVER(room);

    alike_name(&b, str_of(name), kind);
    return buf_str(&b);
}

/* The form, and how much of the name must be one run's alone. */
static str form_of(const char *name, enum subject_kind kind, uint32_t pid)
{
    struct buf b = BUF_OVER(room);
    size_t part = SIZE_MAX;

    if (!alike_form(&b, str_of(name), kind, pid, &part)) {
        CHECK_U64(b.size, 0);
        return STR("none");
    }
    buf_add(&b, STR(" of "));
    buf_add(&b, str_slice(str_of(name), 0, part));
    return buf_str(&b);
}

static str command_of(const char *command, uint32_t pid)
{
    struct buf b = BUF_OVER(room);

    alike_command_form(&b, str_of(command), pid);
    return buf_str(&b);
}

static void numbers_of_the_systems_making_are_left_out(void)
{
    CHECK_STR(name_of("C:\\Temp\\x-1a2b.tmp", SUBJECT_FILE),
              STR("C:\\Temp\\x-#.tmp"));
    CHECK_STR(name_of("C:\\TMP\\12345\\67890", SUBJECT_FILE),
              STR("C:\\TMP\\#\\67890"));
    CHECK_STR(name_of("C:\\Temporary\\12345", SUBJECT_FILE),
              STR("C:\\Temporary\\12345"));
    CHECK_STR(name_of("C:\\data\\12345", SUBJECT_FILE), STR("C:\\data\\12345"));
    CHECK_STR(name_of("\\Device\\NamedPipe\\a-4711-0fe", SUBJECT_DEVICE),
              STR("\\Device\\NamedPipe\\a-#-#"));
    CHECK_STR(name_of("TCP 10.0.0.1:443 peer 10.0.0.2:51234", SUBJECT_SOCKET),
              STR("TCP 10.0.0.1:443 peer 10.0.0.2:#"));
    CHECK_STR(name_of("", SUBJECT_FILE), STR(""));
    CHECK_STR(name_of("C:\\Temp\\", SUBJECT_FILE), STR("C:\\Temp\\"));
}

static void forms_leave_out_what_could_be_made_up(void)
{
    CHECK_STR(form_of("C:\\Temp\\abcdef\\in.c", SUBJECT_FILE, 1),
              STR("C:\\Temp\\#\\in.c of C:\\Temp\\abcdef"));
    CHECK_STR(form_of("C:\\Temp\\AbCdEf.tmp", SUBJECT_FILE, 1),
              STR("C:\\Temp\\#.tmp of C:\\Temp\\AbCdEf.tmp"));
    CHECK_STR(form_of("C:\\Temp\\", SUBJECT_FILE, 1), STR("none"));
    CHECK_STR(form_of("C:\\Temp", SUBJECT_FILE, 1), STR("none"));
    CHECK_STR(form_of("C:\\log\\app-32.log", SUBJECT_FILE, 32),
              STR("C:\\log\\app-#.log of C:\\log\\app-32.log"));
    CHECK_STR(form_of("C:\\log\\app-320.log", SUBJECT_FILE, 32), STR("none"));
    CHECK_STR(form_of("C:\\log\\app-32.log", SUBJECT_FILE, 33), STR("none"));
    CHECK_STR(form_of("\\Sessions\\face", SUBJECT_OTHER, 1),
              STR("\\Sessions\\# of \\Sessions\\face"));
    CHECK_STR(form_of("TCP 10.0.0.1:443", SUBJECT_SOCKET, 1), STR("none"));
}

static void forms_of_command_lines(void)
{
    CHECK_STR(command_of("cc -O2 \"C:\\Temp\\abcdef.i\" -o C:/tmp/x y", 1),
              STR("cc -O2 \"C:\\Temp\\#.i\" -o C:/tmp/# y"));
    CHECK_STR(command_of("a --parent=32 --pipe=532 --at=0x7ff1234", 32),
              STR("a --parent=# --pipe=# --at=0x#"));
    CHECK_STR(command_of("a -j32 -O3", 33), STR("a -j32 -O3"));
    CHECK_STR(command_of("", 1), STR(""));
    CHECK_STR(command_of("\\temp\\", 1), STR("\\temp\\#"));
}

/* Of a name that is too long for its room the beginning is left. */
static void long_names_are_cut(void)
{
    char small[8];
    struct buf b = BUF_OVER(small);
    size_t part;

    alike_name(&b, STR("C:\\Temp\\123456789.tmp"), SUBJECT_FILE);
    CHECK_STR(buf_str(&b), STR("C:\\Temp\\"));
    b = BUF_OVER(small);
    CHECK(
        alike_form(&b, STR("C:\\Temp\\abcdefghi.tmp"), SUBJECT_FILE, 1, &part));
    CHECK_STR(buf_str(&b), STR("C:\\Temp\\"));
    b = BUF_OVER(small);
    alike_command_form(&b, STR("123456789 C:\\Temp\\abc"), 1);
    CHECK(b.size <= sizeof(small));
}

/* Letters that are digits as well, and no number: each is looked at once. From each
 * of them on to the end it would be half a million million looks, by every one of
 * these: not to be waited for. */
static void names_of_letters_alone_are_gone_through_once(void)
{
    const size_t count = (size_t)1 << 20;
    char *letters = malloc(count + 8);
    char *to = malloc(count + 8);
    struct buf b = { to, 0, count + 8, false };
    str name = { letters, count };
    size_t part;

    if (letters == NULL || to == NULL) {
        abort();
    }
    memset(letters, 'a', count);
    alike_name(&b, name, SUBJECT_OTHER);
    CHECK_STR(buf_str(&b), name);
    b.size = 0;
    alike_command(&b, name);
    CHECK_STR(buf_str(&b), name);
    b.size = 0;
    alike_command_form(&b, name, 1);
    CHECK_STR(buf_str(&b), name);
    b.size = 0;
    CHECK(alike_form(&b, name, SUBJECT_OTHER, 1, &part));
    CHECK_STR(buf_str(&b), STR("#"));
    memcpy(letters, "C:\\temp\\", 8);
    b.size = 0;
    alike_name(&b, name, SUBJECT_FILE);
    CHECK_STR(buf_str(&b), name);
    free(letters);
    free(to);
}

int main(void)
{
    const struct test tests[] = {
        TEST(numbers_of_the_systems_making_are_left_out),
        TEST(forms_leave_out_what_could_be_made_up),
        TEST(forms_of_command_lines),
        TEST(long_names_are_cut),
        TEST(names_of_letters_alone_are_gone_through_once),
    };

    return check_run(tests, COUNT_OF(tests));
}
