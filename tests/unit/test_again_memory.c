/* SPDX-License-Identifier: MIT */
/*
 * test_again_memory - test_memory once more, with checkpoints (again.h).
 */
#include "unit/again.h"

#include "unit/test_memory.c"
