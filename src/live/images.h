/* SPDX-License-Identifier: MIT */
/*
 * images.h - the images of one traced process, as the tracer knows them now:
 * where they lie, and the system call functions of those that have some. What
 * the model knows of them at which time the journal tells it.
 */
#ifndef LIVE_IMAGES_H
#define LIVE_IMAGES_H

#include "live/traced.h"

#include <stdbool.h>
#include <stdint.h>

/* Tells of ntdll, and of the program, before it runs. False without memory. */
bool images_begin(struct traced *t, uint64_t time);
/* True if what was found is an image that may be: what is told may be a lie,
 * and an image is no larger than they are, and does not lie over ntdll. */
bool images_may_be(const struct traced *t, const struct region_told *told);
/* There is one at `base`, that the process' loader tells of; `path` empty: where
 * its file is is not known. */
void images_found(struct traced *t, uint64_t time, uint64_t base, uint64_t size,
                  str name, str path);
/* There is an image, of which images_may_be was true. True: it is win32u, whose
 * system calls are known from now on. They are not told yet. */
bool images_add(struct traced *t, uint64_t time,
                const struct region_told *told);
/* The same of the one that the agent calls the `index`th of those it was told of;
 * anything else means nothing. */
void images_known(struct traced *t, uint64_t time, uint32_t index);
/* The one that `base` is in, if there is one, is no more. */
void images_remove(struct traced *t, uint64_t time, uint64_t base);
/* True if `address` is in one of them. */
bool images_have(const struct traced *t, uint64_t address);
/* The same of an image that was found, and told of, in another way. */
bool images_win32u(struct traced *t, uint64_t base);
void images_tell_win32u(struct traced *t, uint64_t time);
/* Tells of the functions of a module, and notes which were left alone. False
 * without memory. */
bool images_tell_stubs(struct traced *t, uint64_t time, const struct module *m,
                       const struct patched *patched, str name);
void images_close(struct traced *t);

#endif
