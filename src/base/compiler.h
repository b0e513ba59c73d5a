/* SPDX-License-Identifier: MIT */
/*
 * compiler.h - the few things that C11 does not say and we need from gcc and
 * clang, the two compilers that build ntstrace.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

/* mingw's own printf family instead of Microsoft's: %zu, %llu and C99's return
 * values. Works only ahead of the first system header, so every file includes
 * its own header, hence this one, first. */
#if defined(__MINGW32__) && !defined(__USE_MINGW_ANSI_STDIO)
#define __USE_MINGW_ANSI_STDIO 1
#endif

/* mingw's plain `printf` archetype means Microsoft's and rejects %zu. */
#if defined(__MINGW32__) && !defined(__clang__)
#define PRINTF_LIKE(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#else
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#endif

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
