/* SPDX-License-Identifier: MIT */
/*
 * work.h - how work.c says that it came to its end, with all results right.
 */
#ifndef WORK_H
#define WORK_H

#define WORK_DONE 33

#endif
