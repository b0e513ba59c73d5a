/* SPDX-License-Identifier: MIT */
/*
 * test_again_handles - test_handles once more, with checkpoints (again.h).
 */
#include "unit/again.h"

#include "unit/test_handles.c"
