/* SPDX-License-Identifier: MIT */
/*
 * path.c - names of files and keys in one form, to be compared.
 *
 * Names come from the target, in any length and with anything in them: a room
 * takes PATH_UNITS_MAX units and says so when there were more.
 */
#include "filter/path.h"

#include "base/glob.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* --- capitals --------------------------------------------------------------- */

enum fold_rule {
    FOLD_ADD,   // `by` less is the capital
    FOLD_EVEN,  // capitals are even, small letters follow them
    FOLD_ODD,
};

struct fold {
    uint16_t first;
    uint16_t last;
    uint8_t rule;
    int16_t by;
};

/* Small letters, sorted: ranges in which a simple rule gives the capital. By
 * our own knowledge of the scripts; tests/check-filters compares them with the
 * simple upper case of the Unicode Character Database. */
static const struct fold folds[] = {
    /* clang-format off */
    { 0x0061, 0x007a, FOLD_ADD,  0x20 },
    { 0x00e0, 0x00f6, FOLD_ADD,  0x20 },
    { 0x00f8, 0x00fe, FOLD_ADD,  0x20 },
    { 0x00ff, 0x00ff, FOLD_ADD,  -0x79 },
    { 0x0101, 0x012f, FOLD_EVEN, 0 },
    { 0x0133, 0x0137, FOLD_EVEN, 0 },
    { 0x013a, 0x0148, FOLD_ODD,  0 },
    { 0x014b, 0x0177, FOLD_EVEN, 0 },
    { 0x017a, 0x017e, FOLD_ODD,  0 },
    { 0x01ce, 0x01dc, FOLD_ODD,  0 },
    { 0x01df, 0x01ef, FOLD_EVEN, 0 },
    { 0x01f9, 0x021f, FOLD_EVEN, 0 },
    { 0x0223, 0x0233, FOLD_EVEN, 0 },
    { 0x03ac, 0x03ac, FOLD_ADD,  0x26 },
    { 0x03ad, 0x03af, FOLD_ADD,  0x25 },
    { 0x03b1, 0x03c1, FOLD_ADD,  0x20 },
    { 0x03c3, 0x03cb, FOLD_ADD,  0x20 },
    { 0x03cc, 0x03cc, FOLD_ADD,  0x40 },
    { 0x03cd, 0x03ce, FOLD_ADD,  0x3f },
    { 0x03d9, 0x03ef, FOLD_EVEN, 0 },
    { 0x0430, 0x044f, FOLD_ADD,  0x20 },
    { 0x0450, 0x045f, FOLD_ADD,  0x50 },
    { 0x0461, 0x0481, FOLD_EVEN, 0 },
    { 0x048b, 0x04bf, FOLD_EVEN, 0 },
    { 0x04c2, 0x04ce, FOLD_ODD,  0 },
    { 0x04d1, 0x0523, FOLD_EVEN, 0 },
    { 0x0561, 0x0586, FOLD_ADD,  0x30 },
    { 0x1e01, 0x1e95, FOLD_EVEN, 0 },
    { 0x1ea1, 0x1eff, FOLD_EVEN, 0 },
    { 0x2170, 0x217f, FOLD_ADD,  0x10 },
    { 0x24d0, 0x24e9, FOLD_ADD,  0x1a },
    { 0xff41, 0xff5a, FOLD_ADD,  0x20 },
    /* clang-format on */
};

static uint16_t capital(uint16_t unit)
{
    if (unit < 0x80) {
        return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 0x20) : unit;
    }
    for (size_t i = 0; i < COUNT_OF(folds) && unit >= folds[i].first; i++) {
        if (unit > folds[i].last) {
            continue;
        }
        switch ((enum fold_rule)folds[i].rule) {
        case FOLD_ADD:
            return (uint16_t)(unit - folds[i].by);
        case FOLD_EVEN:
            return (uint16_t)(unit - (unit & 1));
        case FOLD_ODD:
            return (uint16_t)(unit - !(unit & 1));
        }
    }
    return unit;
}

/* --- names ------------------------------------------------------------------ */

void path_begin(struct path_room *room)
{
    room->from = 0;
    room->size = 0;
    room->cut = false;
}

void path_add_unit(struct path_room *room, uint16_t unit)
{
    if (room->size < COUNT_OF(room->units)) {
        room->units[room->size++] = capital(unit);
    } else {
        room->cut = true;
    }
}

/* The code point at s.p[*at], and *at behind it; U+FFFD and one byte on for
 * what is no WTF-8. */
static uint32_t code_point(str s, size_t *at)
{
    uint8_t first = (uint8_t)s.p[(*at)++];
    uint32_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t code;

    if (first < 0x80) {
        return first;
    }
    if (first < 0xc2 || first > 0xf4 || s.size - *at < more) {
        return 0xfffd;
    }
    code = first & (0x3fu >> more);
    for (uint32_t i = 0; i < more; i++) {
        uint8_t byte = (uint8_t)s.p[*at + i];

        if ((byte & 0xc0) != 0x80) {
            return 0xfffd;
        }
        code = code << 6 | (byte & 0x3f);
    }
    if (code > 0x10ffff) {
        return 0xfffd;
    }
    *at += more;
    return code;
}

void path_add(struct path_room *room, str wtf8)
{
    for (size_t at = 0; at < wtf8.size;) {
        uint32_t code = code_point(wtf8, &at);

        if (code >= 0x10000) {
            code -= 0x10000;
            path_add_unit(room, (uint16_t)(0xd800 | code >> 10));
            path_add_unit(room, (uint16_t)(0xdc00 | (code & 0x3ff)));
        } else {
            path_add_unit(room, (uint16_t)code);
        }
    }
}

/* True if the name from `at` on begins with `prefix`, in capitals. */
static bool starts(const struct path_room *room, size_t at, str prefix)
{
    if (room->size - at < prefix.size) {
        return false;
    }
    for (size_t i = 0; i < prefix.size; i++) {
        if (room->units[at + i] != (uint8_t)prefix.p[i]) {
            return false;
        }
    }
    return true;
}

/* The same, and it ends there or a backslash follows. */
static bool starts_part(const struct path_room *room, size_t at, str prefix)
{
    return starts(room, at, prefix) && (room->size - at == prefix.size ||
                                        room->units[at + prefix.size] == '\\');
}

void path_done(struct path_room *room)
{
    static const str dropped[] = {
        STR_INIT("\\??\\"), STR_INIT("\\DOSDEVICES\\"),
        STR_INIT("\\GLOBAL??\\"),
        STR_INIT("GLOBALROOT"),  // \??\GLOBALROOT\Device\...
    };
    static const struct {
        str nt;
        str dos;
    } renamed[] = {
        { STR_INIT("\\DEVICE\\NAMEDPIPE"), STR_INIT("PIPE") },
        { STR_INIT("\\DEVICE\\MAILSLOT"), STR_INIT("MAILSLOT") },
        { STR_INIT("\\DEVICE\\MUP"), STR_INIT("UNC") },
    };

    while (room->size > room->from + 1 && room->units[room->size - 1] == '\\') {
        room->size--;
    }
    for (size_t i = 0; i < COUNT_OF(dropped); i++) {
        if (i + 1 == COUNT_OF(dropped)
                ? starts_part(room, room->from, dropped[i])
                : starts(room, room->from, dropped[i])) {
            room->from += dropped[i].size;
        }
    }
    for (size_t i = 0; i < COUNT_OF(renamed); i++) {
        if (starts_part(room, room->from, renamed[i].nt)) {
            room->from += renamed[i].nt.size - renamed[i].dos.size;
            for (size_t k = 0; k < renamed[i].dos.size; k++) {
                room->units[room->from + k] = (uint8_t)renamed[i].dos.p[k];
            }
            break;
        }
    }
}

/* --- what users write --------------------------------------------------------- */

/* With or without HKEY_, each is the same key. */
static const struct root {
    str name;
    str key;       // in NT's form
    uint8_t kind;  // enum path_kind
} roots[] = {
    /* clang-format off */
    { STR_INIT("HKEY_LOCAL_MACHINE"), STR_INIT("\\Registry\\Machine"),
      PATH_SELF },
    { STR_INIT("HKLM"), STR_INIT("\\Registry\\Machine"), PATH_SELF },
    { STR_INIT("HKEY_USERS"), STR_INIT("\\Registry\\User"), PATH_SELF },
    { STR_INIT("HKU"), STR_INIT("\\Registry\\User"), PATH_SELF },
    { STR_INIT("HKEY_CURRENT_USER"), STR_INIT(""), PATH_USER },
    { STR_INIT("HKCU"), STR_INIT(""), PATH_USER },
    { STR_INIT("HKEY_CLASSES_ROOT"),
      STR_INIT("\\Registry\\Machine\\Software\\Classes"), PATH_USER_CLASSES },
    { STR_INIT("HKCR"),
      STR_INIT("\\Registry\\Machine\\Software\\Classes"), PATH_USER_CLASSES },
    { STR_INIT("HKEY_CURRENT_CONFIG"),
      STR_INIT("\\Registry\\Machine\\System\\CurrentControlSet"
               "\\Hardware Profiles\\Current"), PATH_SELF },
    { STR_INIT("HKCC"),
      STR_INIT("\\Registry\\Machine\\System\\CurrentControlSet"
               "\\Hardware Profiles\\Current"), PATH_SELF },
    /* clang-format on */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_slash(char c)
{
    return c == '\\' || c == '/';
}

/* The root that `path` begins with, *rest what follows it: empty, or with a
 * backslash in front. */
static const struct root *find_root(str path, str *rest)
{
    str computer = STR("Computer\\");

    if (path.size > computer.size &&
        str_eq_nocase(str_slice(path, 0, computer.size), computer)) {
        path = str_slice(path, computer.size, path.size);
    }
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        size_t size = roots[i].name.size;

        if (!str_eq_nocase(str_slice(path, 0, size), roots[i].name)) {
            continue;
        }
        if (size < path.size && path.p[size] == ':') {
            size++;  // PowerShell's
        }
        *rest = str_slice(path, size, path.size);
        if (rest->size == 0 || rest->p[0] == '\\') {
            return &roots[i];
        }
    }
    return NULL;
}

static bool is_drive(str path)
{
    return path.size >= 2 && is_letter(path.p[0]) && path.p[1] == ':' &&
           (path.size == 2 || is_slash(path.p[2]));
}

static bool is_unc(str path)
{
    return path.size > 2 && is_slash(path.p[0]) && is_slash(path.p[1]);
}

str path_false_root(str path)
{
    bool is_long = str_eq_nocase(str_slice(path, 0, 5), STR("HKEY_"));
    size_t size = 0;
    str name;
    str rest;

    while (size < path.size &&
           (is_letter(path.p[size]) || (is_long && path.p[size] == '_'))) {
        size++;
    }
    name = str_slice(path, 0, size);
    rest = str_slice(path, size, path.size);
    if (str_starts(rest, STR(":"))) {
        rest = str_slice(rest, 1, rest.size);
    }
    if (!str_starts(rest, STR("\\")) ||
        !str_eq_nocase(str_slice(name, 0, 2), STR("HK")) ||
        (!is_long && size != 3 && size != 4) || find_root(path, &rest)) {
        return STR("");
    }
    return name;
}

bool path_is_absolute(str path)
{
    str rest;

    return find_root(path, &rest) || is_drive(path) || is_unc(path) ||
           (path.size > 1 && path.p[0] == '\\') ||
           path_false_root(path).size > 0;
}

size_t path_wildcard(str path)
{
    bool is_dos = str_starts(path, STR("\\??\\")) ||
                  (is_unc(path) && path.size > 3 && path.p[2] == '?' &&
                   is_slash(path.p[3]));
    str rest;

    if (!find_root(path, &rest) && (is_dos || is_drive(path) || is_unc(path))) {
        for (size_t i = is_dos ? 4 : 0; i < path.size; i++) {
            if (path.p[i] == '*' || path.p[i] == '?') {
                return i;
            }
        }
    }
    return path.size;
}

/* Win32's way to write a name: slashes of both sorts, and several for one. */
static void add_win32(struct path_room *room, str path)
{
    char last = '\0';

    for (size_t i = 0; i < path.size; i++) {
        char c = path.p[i] == '/' ? '\\' : path.p[i];

        if (c != '\\' || last != '\\') {
            if ((uint8_t)c < 0x80) {
                path_add_unit(room, (uint8_t)c);
            } else {
                size_t end = i + 1;

                while (end < path.size && (path.p[end] & 0xc0) == 0x80) {
                    end++;
                }
                path_add(room, str_slice(path, i, end));
                i = end - 1;
            }
        }
        last = c;
    }
}

static enum path_answer pattern_from(struct path_room *room,
                                     enum path_kind kind,
                                     struct path_pattern *out)
{
    size_t size = room->size - room->from;
    uint16_t *units;

    if (room->cut) {
        return PATH_TOO_LONG;
    }
    units = malloc(size * sizeof(*units) + 1);
    if (!units) {
        return PATH_NO_MEMORY;
    }
    memcpy(units, room->units + room->from, size * sizeof(*units));
    *out = (struct path_pattern){ (uint8_t)kind, size, units };
    return PATH_OK;
}

static enum path_answer pattern_of(struct path_room *room, enum path_kind kind,
                                   str head, str rest, struct path_pattern *out)
{
    path_begin(room);
    path_add(room, head);
    path_add(room, rest);
    path_done(room);
    /* The key of the user itself. */
    if (kind != PATH_SELF && room->size - room->from == 1 &&
        room->units[room->from] == '\\') {
        room->size = room->from;
    }
    return pattern_from(room, kind, out);
}

static enum path_answer key_patterns(struct path_room *room,
                                     const struct root *root, str rest,
                                     struct path_pattern *out, size_t *count)
{
    str classes = STR("\\Software\\Classes");
    enum path_answer answer = PATH_OK;

    if (root->key.size > 0) {
        answer = pattern_of(room, PATH_SELF, root->key, rest, &out[0]);
        *count += answer == PATH_OK;
    }
    if (answer == PATH_OK && root->kind != PATH_SELF) {
        answer = pattern_of(room, (enum path_kind)root->kind, STR(""), rest,
                            &out[*count]);
        *count += answer == PATH_OK;
    }
    /* HKCU\Software\Classes is a link to the key of the user's classes. */
    if (answer == PATH_OK && root->kind == PATH_USER &&
        str_eq_nocase(str_slice(rest, 0, classes.size), classes) &&
        (rest.size == classes.size || rest.p[classes.size] == '\\')) {
        answer =
            pattern_of(room, PATH_USER_CLASSES, STR(""),
                       str_slice(rest, classes.size, rest.size), &out[*count]);
        *count += answer == PATH_OK;
    }
    return answer;
}

enum path_answer path_patterns(struct path_room *room, str path,
                               struct path_pattern out[PATH_PATTERNS_MAX],
                               size_t *count)
{
    struct path_pattern made[PATH_PATTERNS_MAX] = { { 0 } };
    size_t made_count = 0;
    enum path_answer answer;
    const struct root *root;
    str rest;

    root = find_root(path, &rest);
    path_begin(room);
    if (root) {
        answer = key_patterns(room, root, rest, made, &made_count);
    } else if (path_false_root(path).size > 0) {
        return PATH_NO_ROOT;
    } else if (!path_is_absolute(path)) {
        return PATH_NOT_ABSOLUTE;
    } else if (path_wildcard(path) < path.size) {
        return PATH_WILDCARD;
    } else {
        if (is_drive(path)) {
            add_win32(room, path);
        } else if (is_unc(path) && path.size > 3 && is_slash(path.p[3]) &&
                   path.p[2] == '?') {
            path_add(room, str_slice(path, 4, path.size));
        } else if (is_unc(path) && path.size > 3 && is_slash(path.p[3]) &&
                   path.p[2] == '.') {
            add_win32(room, str_slice(path, 4, path.size));
        } else if (is_unc(path)) {
            path_add(room, STR("UNC"));
            add_win32(room, str_slice(path, 1, path.size));
        } else {
            path_add(room, path);
        }
        path_done(room);
        answer = pattern_from(room, PATH_SELF, &made[0]);
        made_count = answer == PATH_OK;
    }
    if (answer != PATH_OK) {
        for (size_t i = 0; i < made_count; i++) {
            path_pattern_close(&made[i]);
        }
        return answer;
    }
    memcpy(out, made, made_count * sizeof(*made));
    *count = made_count;
    return PATH_OK;
}

void path_pattern_close(struct path_pattern *p)
{
    free(p->units);
    *p = (struct path_pattern){ 0 };
}

/* Where the name goes on behind \REGISTRY\USER\<a user>, `classes` or not; 0:
 * it is none of theirs. A user's SID is of a domain or machine (S-1-5-21-...)
 * or of Azure AD (S-1-12-1-...); services have others. */
static size_t behind_user(const struct path_room *room, bool classes)
{
    str users = STR("\\REGISTRY\\USER\\");
    str ending = STR("_CLASSES");
    size_t at = room->from + users.size;
    size_t end;
    bool has_ending;

    if (!starts(room, room->from, users) ||
        (!starts(room, at, STR("S-1-5-21-")) &&
         !starts(room, at, STR("S-1-12-1-")))) {
        return 0;
    }
    for (end = at; end < room->size && room->units[end] != '\\';) {
        end++;
    }
    has_ending =
        end - at > ending.size && starts_part(room, end - ending.size, ending);
    return has_ending == classes ? end : 0;
}

bool path_matches(const struct path_pattern *p, const struct path_room *room)
{
    size_t at = room->from;
    size_t size;

    if (room->cut) {
        return false;
    }
    if (p->kind == PATH_USER || p->kind == PATH_USER_CLASSES) {
        at = behind_user(room, p->kind == PATH_USER_CLASSES);
        if (at == 0) {
            return false;
        }
    }
    size = room->size - at;
    if (size < p->size ||
        memcmp(p->units, room->units + at, p->size * sizeof(*p->units)) != 0) {
        return false;
    }
    return size == p->size ||
           (p->kind == PATH_BELOW && room->units[at + p->size] == '\\');
}

/* --- globs ------------------------------------------------------------------ */

void path_add_glob(struct path_room *room, str glob)
{
    str below;
    const struct root *root = find_root(glob, &below);

    path_begin(room);
    if (root != NULL) {
        path_add(room,
                 root->key.size > 0 ? root->key : STR("\\Registry\\User\\*"));
        glob = below;
    } else if (is_unc(glob) && !str_starts(glob, STR("\\\\?\\"))) {
        path_add(room, STR("\\??\\UNC"));
        glob = str_slice(glob, 1, glob.size);
    }
    path_add(room, glob);
    for (size_t i = 0; i < room->size; i++) {
        if (room->units[i] == '/') {
            room->units[i] = '\\';
        }
    }
    path_done(room);
}

struct units {
    const uint16_t *glob;
    size_t size;
    const struct path_room *room;
};

static enum glob_unit look_at_units(const void *both, size_t g, size_t n)
{
    const struct units *u = both;

    if (u->glob[g] == '*') {
        return GLOB_STAR;
    }
    return n < u->room->size &&
                   (u->glob[g] == '?' || u->glob[g] == u->room->units[n])
               ? GLOB_SAME
               : GLOB_OTHER;
}

bool path_matches_glob(const uint16_t *glob, size_t size,
                       const struct path_room *room)
{
    struct units both = { glob, size, room };
    size_t n = room->from;
    bool folders = false;

    for (size_t i = 0; i < size; i++) {
        folders |= glob[i] == '\\';
    }
    for (size_t i = room->size; !folders && i > n; i--) {
        if (room->units[i - 1] == '\\') {
            n = i;
        }
    }
    return !room->cut && glob_holds(size, n, room->size, look_at_units, &both);
}
