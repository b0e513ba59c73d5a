/* SPDX-License-Identifier: MIT */
/*
 * banned.h - functions that no file of ours calls.
 *
 * Included last, after all system headers, by every .c file under src/ but
 * the agent's, which has no C library to call (tools/check-includes insists).
 * A call then fails to compile, with the function's name in the message.
 *
 * Text without a bound is built in a `buf` (base/str.h). Printing and exiting
 * belong to cmd/main.c, which defines BANNED_BUT_MAY_PRINT first: whatever
 * stands below it says what went wrong in a `struct err`.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#define BANNED(function) function##_is_banned_see_base_banned_h

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(...) BANNED(gets)
/* Some libraries' needs the square of the time for what was made for it;
 * array_sort (base/array.h) does not. */
#undef qsort
#define qsort(...) BANNED(qsort)
#undef alloca
#define alloca(...) BANNED(alloca)

#ifndef BANNED_BUT_MAY_PRINT
#undef printf
#define printf(...) BANNED(printf)
#undef fprintf
#define fprintf(...) BANNED(fprintf)
#undef exit
#define exit(...) BANNED(exit)
#endif

#endif
