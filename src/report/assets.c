/* SPDX-License-Identifier: MIT */
/*
 * assets.c - from the labels of asset_files.S to texts.
 */
#include "report/assets.h"

#include "base/banned.h"

extern const char asset_css[];
extern const char asset_css_end[];
extern const char asset_js[];
extern const char asset_js_end[];

str asset_style(void)
{
    return (str){ asset_css, (size_t)(asset_css_end - asset_css) };
}

str asset_script(void)
{
    return (str){ asset_js, (size_t)(asset_js_end - asset_js) };
}
