/* SPDX-License-Identifier: MIT */
/*
 * test_again_journal - test_journal once more, with checkpoints (again.h).
 */
#include "unit/again.h"

#include "unit/test_journal.c"
