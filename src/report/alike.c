/* SPDX-License-Identifier: MIT */
/*
 * alike.c - what is left out of names before they are compared. Touches nothing
 * but what it adds to, and cannot fail; where there is no room the end is cut.
 */
#include "report/alike.h"

#include "base/compiler.h"

#include <string.h>

#include "base/banned.h"

/* Digits from which on a number counts as made up: of ids in names of objects, in
 * those of temporary files and in command lines, and of ports. */
#define ID_DIGITS 2
#define TEMPORARY_DIGITS 4
#define PORT_DIGITS 5
/* The same where letters alone are enough: a GUID has groups without a digit. */
#define LETTER_DIGITS 4
/* Of decimal numbers in command lines that could be handles. */
#define HANDLE_DIGITS 3

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* How many characters there are at `at` that could be those of a number, decimal
 * or hexadecimal; *digits of them, if not 0, are a number: hexadecimal ones have a
 * digit in them. What is none is passed over as a whole, so that each character of
 * a name is looked at once: names are as long as their makers like. */
static size_t run_at(str s, size_t at, bool hex, size_t *digits)
{
    size_t size = 0;
    bool digit = false;

    while (at + size < s.size &&
           (hex ? is_hex(s.p[at + size]) : is_digit(s.p[at + size]))) {
        digit = digit || is_digit(s.p[at + size]);
        size++;
    }
    *digits = digit ? size : 0;
    return size;
}

/* Adds what is at `at` and no number: the run, or what is in none. */
static size_t add_run(struct buf *b, str s, size_t at, size_t run)
{
    size_t size = run > 0 ? run : 1;

    buf_add(b, str_slice(s, at, at + size));
    return size;
}

/* Numbers of `least` digits or more become #. */
static void add_without_numbers(struct buf *b, str s, size_t least, bool hex)
{
    for (size_t at = 0; at < s.size;) {
        size_t digits;
        size_t run = run_at(s, at, hex, &digits);

        if (digits >= least) {
            buf_add_char(b, '#');
            at += digits;
        } else {
            at += add_run(b, s, at, run);
        }
    }
}

/* --- temporary files ------------------------------------------------------------- */

/* How long the name of a folder of temporary files is that begins at `at`, with
 * what parts names on both sides; 0: none does. */
static size_t temporary_folder_at(str s, size_t at, const char *parts)
{
    static const str names[] = { STR_INIT("temp"), STR_INIT("tmp") };
    str ends = str_of(parts);

    if (at >= s.size || memchr(ends.p, s.p[at], ends.size) == NULL) {
        return 0;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t end = at + 1 + names[i].size;

        if (end < s.size && memchr(ends.p, s.p[end], ends.size) != NULL &&
            str_eq_nocase(str_slice(s, at + 1, end), names[i])) {
            return end + 1 - at;
        }
    }
    return 0;
}

/* Where, in a folder of temporary files, the name begins that is made up anew
 * each time; name.size: it is in none. */
static size_t temporary_at(str name)
{
    for (size_t at = 0; at < name.size; at++) {
        size_t size = temporary_folder_at(name, at, "\\");

        if (size > 0) {
            return at + size;
        }
    }
    return name.size;
}

/* Where the name that begins at `from` ends. */
static size_t end_of_part(str s, size_t from, const char *ends)
{
    str all = str_of(ends);

    while (from < s.size && memchr(all.p, s.p[from], all.size) == NULL) {
        from++;
    }
    return from;
}

/* What is below that keeps its name. */
static void add_file(struct buf *b, str name)
{
    size_t from = temporary_at(name);
    size_t to = end_of_part(name, from, "\\");

    buf_add(b, str_slice(name, 0, from));
    add_without_numbers(b, str_slice(name, from, to), TEMPORARY_DIGITS, true);
    buf_add(b, str_slice(name, to, name.size));
}

/* A name of which its kind alone is left: what stands behind the last dot. */
static void add_made_up(struct buf *b, str part)
{
    size_t dot = part.size;

    while (dot > 0 && part.p[dot - 1] != '.') {
        dot--;
    }
    buf_add_char(b, '#');
    if (dot > 0) {
        add_without_numbers(b, str_slice(part, dot - 1, part.size),
                            TEMPORARY_DIGITS, true);
    }
}

/* --- names ------------------------------------------------------------------------- */

/* Names that are kept though they are no file's by their kind: what is behind a
 * section, and the loader's own sections. */
static bool is_of_file(str name)
{
    static const str prefixes[] = {
        STR_INIT("\\KnownDlls\\"),
        STR_INIT("\\KnownDlls32\\"),
        STR_INIT("\\Device\\Harddisk"),
        STR_INIT("\\\\"),
        STR_INIT("UNC\\"),
    };

    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (str_eq_nocase(str_slice(name, 0, prefixes[i].size), prefixes[i])) {
            return true;
        }
    }
    return name.size > 2 && name.p[1] == ':' && name.p[2] == '\\';
}

/* Ids and what else is made up are in it, whatever it looks like. */
static bool has_ids(str name, enum subject_kind kind)
{
    return kind == SUBJECT_DEVICE ||
           (kind == SUBJECT_OTHER && !is_of_file(name));
}

/* How much of it is an id: a number, or ? for one that is not known. */
static size_t id_at(str name, size_t at)
{
    size_t size;

    run_at(name, at, false, &size);
    return size == 0 && at < name.size && name.p[at] == '?' ? 1 : size;
}

/* "1234 app64.exe", a process: its program keeps its name. "1234.1240", a thread,
 * is called so. False: it is neither. */
static bool add_process(struct buf *b, str name, enum subject_kind kind)
{
    size_t id = kind == SUBJECT_OTHER ? id_at(name, 0) : 0;
    size_t next = id > 0 ? id_at(name, id + 1) : 0;

    if (id > 0 && id < name.size && name.p[id] == ' ') {
        buf_add_char(b, '#');
        buf_add(b, str_slice(name, id, name.size));
        return true;
    }
    if (next > 0 && name.p[id] == '.' && id + 1 + next == name.size) {
        buf_add(b, STR("thread #"));
        return true;
    }
    return false;
}

void alike_name(struct buf *b, str name, enum subject_kind kind)
{
    if (kind == SUBJECT_SOCKET) {
        add_without_numbers(b, name, PORT_DIGITS, false);
    } else if (add_process(b, name, kind)) {
        return;
    } else if (has_ids(name, kind)) {
        add_without_numbers(b, name, ID_DIGITS, true);
    } else {
        add_file(b, name);
    }
}

/* Letters that may be a number become # as well. */
static bool add_without_letters(struct buf *b, str name)
{
    bool any = false;

    for (size_t at = 0; at < name.size;) {
        size_t digits;
        size_t run = run_at(name, at, true, &digits);

        if (run >= LETTER_DIGITS || digits >= ID_DIGITS) {
            buf_add_char(b, '#');
            at += run;
            any = true;
        } else {
            at += add_run(b, name, at, run);
        }
    }
    return any;
}

static bool is_number(str digits, uint32_t n)
{
    char room[12];
    struct buf b = BUF_OVER(room);

    buf_add_dec(&b, n);
    return str_eq(digits, buf_str(&b));
}

/* The number of the process, where it stands alone, becomes #. */
static bool add_without_pid(struct buf *b, str name, uint32_t pid)
{
    bool any = false;

    for (size_t at = 0; at < name.size;) {
        size_t digits;
        size_t run = run_at(name, at, false, &digits);

        if (digits > 0 && is_number(str_slice(name, at, at + digits), pid)) {
            buf_add_char(b, '#');
            at += digits;
            any = true;
        } else {
            at += add_run(b, name, at, run);
        }
    }
    return any;
}

bool alike_form(struct buf *b, str name, enum subject_kind kind, uint32_t pid,
                size_t *part)
{
    size_t before = b->size;
    size_t from;
    bool any;

    *part = name.size;
    if (kind == SUBJECT_SOCKET) {
        return false;
    }
    if (add_process(b, name, kind)) {
        any = true;
    } else if (has_ids(name, kind)) {
        any = add_without_letters(b, name);
    } else if ((from = temporary_at(name)) < name.size) {
        *part = end_of_part(name, from, "\\");
        buf_add(b, str_slice(name, 0, from));
        add_made_up(b, str_slice(name, from, *part));
        buf_add(b, str_slice(name, *part, name.size));
        any = true;
    } else {
        any = add_without_pid(b, name, pid);
    }
    if (!any) {
        b->size = before;
    }
    return any;
}

/* --- command lines ----------------------------------------------------------------- */

void alike_command(struct buf *b, str command)
{
    add_without_numbers(b, command, TEMPORARY_DIGITS, true);
}

static void add_without_ids(struct buf *b, str s, uint32_t pid)
{
    for (size_t at = 0; at < s.size;) {
        size_t id, digits;
        size_t run = run_at(s, at, true, &id);

        if (id >= TEMPORARY_DIGITS) {
            buf_add_char(b, '#');
            at += id;
            continue;
        }
        if (id > 0) { /* a short one, of which a part may be decimal */
            run = run_at(s, at, false, &digits);
        } else {
            digits = 0;
        }
        if (digits >= HANDLE_DIGITS ||
            (digits > 0 && is_number(str_slice(s, at, at + digits), pid))) {
            buf_add_char(b, '#');
            at += digits;
        } else {
            at += add_run(b, s, at, run);
        }
    }
}

/* Words of a command line are parted by what is in no made-up name. */
void alike_command_form(struct buf *b, str command, uint32_t pid)
{
    size_t done = 0;

    for (size_t at = 0; at < command.size;) {
        size_t size = temporary_folder_at(command, at, "\\/");
        size_t end;

        if (size == 0) {
            at++;
            continue;
        }
        end = end_of_part(command, at + size, "\\/\" '|<>,;");
        add_without_ids(b, str_slice(command, done, at + size), pid);
        add_made_up(b, str_slice(command, at + size, end));
        at = end;
        done = end;
    }
    add_without_ids(b, str_slice(command, done, command.size), pid);
}
