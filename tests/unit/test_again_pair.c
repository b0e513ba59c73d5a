/* SPDX-License-Identifier: MIT */
/*
 * test_again_pair - test_pair once more, with checkpoints (again.h).
 */
#include "unit/again.h"

#include "unit/test_pair.c"
