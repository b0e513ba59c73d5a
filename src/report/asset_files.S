/* SPDX-License-Identifier: MIT */
/*
 * asset_files.S - the files of report/page/, as bytes of ours. The build says what
 * the system calls a section that is only read (READ_ONLY).
 */
    READ_ONLY
    .balign 64
    .globl  asset_css
asset_css:
    .incbin "src/report/page/page.css"
    .globl  asset_css_end
asset_css_end:
    .byte   0
    .globl  asset_js
asset_js:
    .incbin "src/report/page/page.js"
    .incbin "src/report/page/timeline.js"
    .incbin "src/report/page/list.js"
    .globl  asset_js_end
asset_js_end:
    .byte   0
