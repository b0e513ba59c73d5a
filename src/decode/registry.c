/* SPDX-License-Identifier: MIT */
/*
 * registry.c - the list of families: a new one gets one line here.
 */
#include "decode/registry.h"

#include "decode/families/families.h"

#include "base/banned.h"

static const struct family *const families[] = {
    &family_file,     &family_io,       &family_object, &family_process,
    &family_registry, &family_security, &family_socket, &family_win32k,
};

const struct registry decode_registry = { families, COUNT_OF(families) };
