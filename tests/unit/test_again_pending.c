/* SPDX-License-Identifier: MIT */
/*
 * test_again_pending - test_pending once more, with checkpoints (again.h).
 */
#include "unit/again.h"

#include "unit/test_pending.c"
