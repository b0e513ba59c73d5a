/* SPDX-License-Identifier: MIT */
/*
 * path.h - names of files and keys in one form, to be compared.
 *
 * The same file has many names: C:\x for Win32, \??\C:\x for NT. The form
 * they are compared in has
 *
 *   C:\X              for \??\C:\x \DosDevices\C:\x \GLOBAL??\C:\x
 *   UNC\SERVER\SHARE  for \??\UNC\... \Device\Mup\...
 *   PIPE\X            for \??\pipe\x \Device\NamedPipe\x; MAILSLOT\ likewise
 *   all others        as they are: \REGISTRY\MACHINE\X, \DEVICE\AFD
 *
 * without a backslash at the end, and in capitals. Capitals are those of
 * ASCII, Latin, Greek, Cyrillic, Armenian, roman numbers, letters in circles
 * and full-width letters, code unit by code unit, as far as small and capital
 * letter have a code point each; Windows's own table has a few more (Georgian,
 * Cherokee, IPA, ...), and letters outside the BMP have no case in NT.
 *
 * Not seen as the same: short names (PROGRA~1), links of any sort (\SystemRoot,
 * CurrentControlSet, \Device\HarddiskVolume3 for C:, junctions), `.` and `..`.
 *
 * Nothing here allocates but path_patterns, and that is the only thing to
 * fail.
 */
#ifndef FILTER_PATH_H
#define FILTER_PATH_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer names than this (UTF-16 units) equal nothing: NT has none. */
#define PATH_UNITS_MAX 33000

/* Room to build a name in; 64 KiB, so not on the stack. */
struct path_room {
    size_t from;  // where the name begins, once it is path_done
    size_t size;  // units
    bool cut;
    uint16_t units[PATH_UNITS_MAX];
};

void path_begin(struct path_room *room);
void path_add_unit(struct path_room *room, uint16_t unit);
void path_add(struct path_room *room, str wtf8);
/* Brings it into the form to be compared. */
void path_done(struct path_room *room);

enum path_kind {
    PATH_SELF,
    PATH_BELOW,         // or anything below it
    PATH_USER,          // below \REGISTRY\USER\<a user>
    PATH_USER_CLASSES,  // below \REGISTRY\USER\<a user>_CLASSES
};

struct path_pattern {
    uint8_t kind;  // enum path_kind
    size_t size;
    uint16_t *units;  // owned, by malloc
};

/* One path of a user's may be one of several names. */
#define PATH_PATTERNS_MAX 3

enum path_answer {
    PATH_OK,
    PATH_NOT_ABSOLUTE,
    PATH_WILDCARD,  // a file's name with * or ?: no file has it
    PATH_NO_ROOT,   // written as a key, below a root that there is not
    PATH_TOO_LONG,
    PATH_NO_MEMORY,
};

/* Makes out[0 .. *count - 1], to be freed by path_pattern_close, of a path as
 * users write it: C:\x, C:/x, \\server\share\x, \\?\C:\x, \\.\pipe\x, NT's own
 * forms, and keys: HKLM\x or HKEY_LOCAL_MACHINE\x (HKLM:\x and Computer\HK...
 * too), with HKCU, HKCR, HKU, HKCC. */
enum path_answer path_patterns(struct path_room *room, str path,
                               struct path_pattern out[PATH_PATTERNS_MAX],
                               size_t *count);
void path_pattern_close(struct path_pattern *p);

/* True if `path` is not meant to be below the current directory: it is of a
 * form that path_patterns takes, or PATH_NO_ROOT. */
bool path_is_absolute(str path);
/* Where the * or ? of PATH_WILDCARD stands; path.size: there is none. */
size_t path_wildcard(str path);
/* The root of PATH_NO_ROOT; else empty. */
str path_false_root(str path);

/* Brings a path with * and ?, as users write it, into the form that it is
 * compared in: keys by their short roots as well; "/" is "\\". */
void path_add_glob(struct path_room *room, str glob);
/* True if `room`, which is path_done, is such a path; a glob without a folder
 * is one of names alone. */
bool path_matches_glob(const uint16_t *glob, size_t size,
                       const struct path_room *room);

/* `room` is path_done. */
bool path_matches(const struct path_pattern *p, const struct path_room *room);

#endif
