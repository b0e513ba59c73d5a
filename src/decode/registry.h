/* SPDX-License-Identifier: MIT */
/*
 * registry.h - all families (family.h).
 */
#ifndef DECODE_REGISTRY_H
#define DECODE_REGISTRY_H

#include "decode/family.h"

extern const struct registry decode_registry;

#endif
