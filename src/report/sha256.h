/* SPDX-License-Identifier: MIT */
/*
 * sha256.h - FIPS 180-4's hash: a page says by it which scripts and styles are
 * its own.
 */
#ifndef REPORT_SHA256_H
#define REPORT_SHA256_H

#include "base/str.h"

#include <stdint.h>

#define SHA256_SIZE 32

void sha256(str bytes, uint8_t hash[SHA256_SIZE]);

#endif
