/* SPDX-License-Identifier: MIT */
/*
 * test_again_merge - test_merge once more, with checkpoints (again.h).
 */
#include "unit/again.h"

#include "unit/test_merge.c"
