/* SPDX-License-Identifier: MIT */
/*
 * cmdline [ANYTHING] - tells its command line as Windows has it, before
 * anybody takes it apart: UTF-16 units in hexadecimal, then as UTF-8.
 */
#include "target.h"

int main(void)
{
    const wchar_t *line = GetCommandLineW();
    size_t units = wcslen(line);
    char *utf8 = malloc(units * 3 + 1);
    int size;

    target_begin();
    printf("units");
    for (size_t i = 0; i < units; i++) {
        printf(" %04x", (unsigned)line[i]);
    }
    size = WideCharToMultiByte(CP_UTF8, 0, line, (int)units, utf8,
                               (int)(units * 3), NULL, NULL);
    printf("\ntext %.*s\n", size, utf8);
    return target_end();
}
