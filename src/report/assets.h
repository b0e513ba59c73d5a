/* SPDX-License-Identifier: MIT */
/*
 * assets.h - the files of report/page/, as they are: the page's style and its
 * scripts.
 */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

#include "base/str.h"

str asset_style(void);
str asset_script(void);

#endif
