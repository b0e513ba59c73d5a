# SPDX-License-Identifier: MIT
#
# ntstrace - strace for Windows x64
#
#   make demo      install what is missing, build, trace a real program
#   make test      install what is missing, build, run every test
#   make soak      try to hang it for half an hour: a table of runs and hangs
#   make bench     measure: a table with the bars of docs/overhead.md
#   make windows   build build/windows/ntstrace.exe and the test targets
#   make linux     build what of it runs on Linux: build/linux/ntstrace, which
#                  traces nothing, the library, tools, tests
#   make asan      unit tests under AddressSanitizer and UBSan
#   make coverage  which lines of src/live the unit tests reach
#   make fuzz      fuzz each reader of foreign bytes for FUZZ_SECONDS (60)
#   make dist      build/ntstrace.zip: program, manual, self-test for Windows
#   make format    clang-format over src/, tests/ and bench/
#   make clean     remove build/
#
# demo, test, soak, bench and dist call tools/setup first, which installs Debian's
# packages (as root; else it says which) and, once, a Wine in the user's cache
# directory. WERROR=1 turns warnings into errors; the tests build so.

SHELL := /bin/bash
# Compilers are found behind Debian's ccache, where it is there: what was compiled
# once, in whatever folder, is not again. Its store is with Wine's root.
export PATH      := /usr/lib/ccache:$(PATH)
export CCACHE_DIR ?= $(shell dirname "$$(tools/wine --root 2>/dev/null)")/ccache
B     := build
BW    := $B/windows
BL    := $B/linux

W64   := x86_64-w64-mingw32
WCC   := $(W64)-gcc
CC    := gcc
RUN   ?= tools/wine

WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla \
         -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
         -Wcast-qual -Wundef -Wswitch-enum -Wimplicit-fallthrough
STD   := -std=c11 -Isrc
# Files are told by where they are in the project, wherever that is.
MAP   := -ffile-prefix-map=$(CURDIR)=.
OPT   := -O2 -g $(MAP)
FLAGS  = $(STD) $(WARN) $(if $(WERROR),-Werror) $(OPT) $(EXTRA)
# Without it windows.h brings in twice as much, which nobody here needs.
LEAN  := -DWIN32_LEAN_AND_MEAN
WFLAGS = $(FLAGS) $(LEAN) -D_WIN32_WINNT=0x0A00
# No word on what gcc 4.3 did with structs (record_of, live/handshake.c).
LINUX_FLAGS = $(FLAGS) -D_POSIX_C_SOURCE=200809L -Wno-psabi

# The agent runs inside other people's programs: no library, no vector
# register, no frame that could skip a guard page, nothing writable.
AGENT_FLAGS = $(STD) $(WARN) $(if $(WERROR),-Werror) -O2 -ffreestanding \
    -fno-builtin -fno-stack-protector -mgeneral-regs-only \
    -mno-stack-arg-probe -Wframe-larger-than=1024 -fno-jump-tables \
    -fno-asynchronous-unwind-tables -fno-ident

# Sources are listed, not globbed: this is the table of contents.

AGENT := \
    agent/amd64/head.S agent/amd64/entry.S agent/amd64/callback.S \
    agent/amd64/start.S agent/amd64/wine.S agent/amd64/nt_call.S \
    agent/call.c agent/chain.c agent/read.c agent/regions.c agent/stack.c agent/ring.c \
    agent/wait.c agent/witness.c agent/capture.c \
    agent/chore.c agent/child.c agent/handshake.c agent/start.c \
    agent/keeper.c agent/threads.c agent/tamper.c

PORTABLE := \
    base/str.c base/utf.c base/chars.c base/err.c base/reader.c base/arena.c \
    base/array.c base/caret.c base/glob.c base/keyed.c wire/journal.c \
    tables/calls.c tables/classes.c tables/handles.c tables/meanings.c \
    tables/names.c tables/status.c tables/structs.c tables/types.c \
    tables/fields.c tables/ioctls.c tables/unions.c tables/roles.c \
    tables/brief.c tables/deeds.c tables/ctokens.c tables/cwords.c tables/prototypes.c \
    tables/amd64/stubs.c tables/amd64/frames.c \
    wire/walk.c nt/memory.c nt/layout.c nt/read.c \
    unwind/modfile.c unwind/unwind.c unwind/symbols.c \
    model/model.c model/process.c model/queue.c model/pair.c model/pending.c \
    model/clock.c model/handles.c model/watch.c model/socket.c \
    model/journal.c model/stubs.c model/keep.c model/heap.c model/notice.c \
    model/thing.c model/archive.c model/checkpoint.c \
    decode/shape.c decode/tell.c decode/text.c decode/family.c decode/walk.c \
    decode/build.c decode/registry.c decode/capture.c decode/decode.c \
    decode/families/file.c decode/families/io.c decode/families/object.c \
    decode/families/process.c decode/families/registry.c \
    decode/families/security.c decode/families/socket.c \
    decode/families/win32k.c \
    format/line.c format/pieces.c format/text.c format/json.c \
    format/summary.c \
    filter/filter.c filter/parse.c filter/list.c filter/rule.c filter/known.c \
    filter/path.c \
    filter/regex.c \
    plan/plan.c \
    record/ops.c record/chunks.c record/about.c record/recorder.c \
    record/replay.c record/segments.c record/thin.c \
    record/survey.c record/losses.c \
    report/labels.c report/table.c report/subject.c report/answers.c \
    report/tell.c report/text.c report/flat.c report/csv.c report/folded.c \
    report/perfetto.c report/alike.c report/pairs.c report/compare.c report/sha256.c report/html.c report/assets.c \
    report/tally.c report/page.c report/diff_page.c report/picks.c report/tracks.c report/meta.c \
    top/counts.c top/keys.c top/screen.c \
    platform/text.c platform/inputs.c view/output.c view/progress.c view/when.c view/outlet.c \
    view/stacks.c view/declared.c view/tell.c \
    live/pe.c live/syscalls.c live/patch.c live/module.c live/ask.c \
    live/target.c live/spare.c live/known.c live/keeper.c live/leftover.c \
    live/loader.c live/attach.c \
    live/detach.c live/quiet.c live/early.c live/traced.c live/notes.c live/rings.c live/journal.c \
    live/images.c live/places.c live/drain.c live/rendezvous.c live/returns.c live/underway.c live/tampering.c \
    live/callers.c live/missing.c \
    live/handshake.c live/timing.c live/recording.c live/begin.c live/children.c live/session.c \
    cmd/options.c cmd/cmdline.c cmd/help.c cmd/list.c cmd/trace.c \
    cmd/record.c cmd/replay.c cmd/info.c cmd/merge.c cmd/play.c cmd/recorded.c cmd/page.c cmd/report.c cmd/export.c cmd/diff.c cmd/top.c

WINDOWS := \
    platform/win/process.c platform/win/running.c platform/win/asks.c platform/win/handles.c \
    platform/win/memory.c platform/win/thread.c \
    platform/win/sync.c platform/win/console.c platform/win/screen.c platform/win/file.c \
    platform/win/machine.c \
    platform/win/probe.c platform/win/probe_others.c \
    platform/win/probe_words.c \
    platform/win/probe_callback.S \
    cmd/doctor.c cmd/doctor_check.c cmd/doctor_stubs.c \
    cmd/doctor_callback.c cmd/doctor_system.c cmd/doctor_trees.c \
    cmd/database_elsewhere.c cmd/main.c

# Native: what is of use to tests as well, and what a test has its own of.
POSIX  := platform/posix/text.c platform/posix/sync.c \
    platform/posix/console.c platform/posix/screen.c platform/posix/file.c \
    platform/posix/machine.c
NATIVE := platform/posix/target.c cmd/doctor_elsewhere.c cmd/database.c \
    cmd/main.c

.PHONY: all help windows linux clean
# Objects stay, also those that only a rule for all knows.
.SECONDARY:
all: windows

help:
	@sed -n '3,/^# directory/{s/^# \{0,1\}//;p}' Makefile

# --- the agent: one block of bytes --------------------------------------------

AGENT_O := $(addprefix $(BW)/obj/,$(addsuffix .o,$(AGENT)))

$(BW)/obj/agent/%.c.o: src/agent/%.c
	@mkdir -p $(@D)
	$(WCC) $(AGENT_FLAGS) -MMD -MP -c -o $@ $<

$(BW)/obj/agent/%.S.o: src/agent/%.S
	@mkdir -p $(@D)
	$(WCC) $(STD) -MMD -MP -c -o $@ $<

$(BW)/agent.pe: $(AGENT_O) src/agent/agent.ld
	$(W64)-ld -T src/agent/agent.ld --image-base 0 -o $@ $(AGENT_O)

$(BW)/agent.bin: $(BW)/agent.pe
	$(W64)-objcopy -O binary -j .image $< $@

# --- the product ---------------------------------------------------------------

PRODUCT_O := $(addprefix $(BW)/obj/,$(addsuffix .o,$(PORTABLE) $(WINDOWS))) \
             $(BW)/obj/live/agent_image.S.o $(BW)/obj/report/asset_files.S.o

$(BW)/obj/live/agent_image.S.o: src/live/agent_image.S $(BW)/agent.bin
	@mkdir -p $(@D)
	$(WCC) -DAGENT_IMAGE='"$(BW)/agent.bin"' \
	    -DREAD_ONLY='.section .rdata, "dr"' -c -o $@ $<

# The page of `report`: its style and scripts, as they are.
PAGE := $(wildcard src/report/page/*)

$(BW)/obj/report/asset_files.S.o: src/report/asset_files.S $(PAGE)
	@mkdir -p $(@D)
	$(WCC) -DREAD_ONLY='.section .rdata, "dr"' -c -o $@ $<

$(BW)/obj/platform/%.S.o: src/platform/%.S
	@mkdir -p $(@D)
	$(WCC) $(STD) -MMD -MP -c -o $@ $<

$(BW)/obj/%.c.o: src/%.c
	@mkdir -p $(@D)
	$(WCC) $(WFLAGS) -MMD -MP -c -o $@ $<

# Sections begin on pages in the file as well: so Wine maps them, as Windows does
# in any case, and need not read all of the tables, and what is there for
# debuggers, at each start.
$(BW)/ntstrace.exe: $(PRODUCT_O)
	$(WCC) -static -Wl,--file-alignment,4096 -o $@ $(PRODUCT_O) -lntdll -lz

TARGETS := $(patsubst tests/targets/%.c,%,$(wildcard tests/targets/*.c))

$(BW)/tests/%.c.o: tests/%.c
	@mkdir -p $(@D)
	$(WCC) -std=c11 -O1 -Wall -Wextra $(LEAN) -Isrc -MMD -MP -c -o $@ $<

$(BW)/targets/%.exe: $(BW)/tests/targets/%.c.o
	@mkdir -p $(@D)
	$(WCC) -o $@ $< -lntdll -luser32 -lgdi32 -lws2_32

$(BW)/bench/%.exe: bench/%.c
	@mkdir -p $(@D)
	$(WCC) -std=c11 -O2 -Wall -Wextra -o $@ $< -lntdll

# Programs that try to hang tracer and program; they follow src/wire.
SOAK := $(patsubst tests/soak/%.c,%,$(wildcard tests/soak/*.c))

$(BW)/soak/%.exe: $(BW)/tests/soak/%.c.o
	@mkdir -p $(@D)
	$(WCC) -o $@ $< -lntdll -luser32

# Calls all that the tables know; it is made of their rows.
COVERAGE_O := $(addprefix $(BW)/obj/,$(addsuffix .o,base/str.c tables/calls.c \
    tables/handles.c tables/names.c tables/status.c tables/types.c))

$(BW)/coverage.exe: tests/coverage/target.c $(COVERAGE_O) \
                    $(wildcard tests/coverage/*.h tests/coverage/*.def)
	$(WCC) $(WFLAGS) -Itests -o $@ $< $(COVERAGE_O)

# Of tests/check-stacks: with frames of all kinds, and so nothing is inlined away.
$(BW)/stacks/points.exe: tests/stacks/points.c
	@mkdir -p $(@D)
	$(WCC) -std=c11 -O2 -fno-optimize-sibling-calls -fno-inline -Wall -Wextra \
	    -o $@ $< -lntdll -luser32

# Of tests/check-report.
$(BW)/report/%.exe: $(BW)/tests/report/%.c.o
	@mkdir -p $(@D)
	$(WCC) -o $@ $< -lntdll -ladvapi32 -lws2_32

# Of tests/check-top.
$(BW)/top/%.exe: tests/top/%.c
	@mkdir -p $(@D)
	$(WCC) -std=c11 -O1 -Wall -Wextra $(LEAN) -o $@ $< -lntdll

STACKS_O := $(addprefix $(BW)/obj/,$(addsuffix .o,base/str.c base/array.c \
    base/reader.c unwind/modfile.c unwind/unwind.c unwind/symbols.c))

$(BW)/stacks/compare.exe: tests/stacks/compare.c $(STACKS_O)
	@mkdir -p $(@D)
	$(WCC) $(WFLAGS) -o $@ $< $(STACKS_O) -lntdll

$(BW)/compare.exe: tests/compare.c
	@mkdir -p $(@D)
	$(WCC) -std=c11 -O2 -Wall -Wextra -o $@ $<

windows: $(BW)/ntstrace.exe $(TARGETS:%=$(BW)/targets/%.exe) \
         $(SOAK:%=$(BW)/soak/%.exe)

# --- native --------------------------------------------------------------------

LINUX_O := $(addprefix $(BL)/obj/,$(addsuffix .o,$(PORTABLE) $(POSIX))) \
           $(BL)/obj/live/agent_image.S.o $(BL)/obj/report/asset_files.S.o
UNIT    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
TOOLS   := compare grammar recut nts_example make_trace

$(BL)/obj/%.c.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) -MMD -MP -c -o $@ $<

$(BL)/obj/live/agent_image.S.o: src/live/agent_image.S $(BW)/agent.bin
	@mkdir -p $(@D)
	$(CC) -DAGENT_IMAGE='"$(BW)/agent.bin"' -DREAD_ONLY='.section .rodata' \
	    -Wa,--noexecstack -c -o $@ $<

$(BL)/obj/report/asset_files.S.o: src/report/asset_files.S $(PAGE)
	@mkdir -p $(@D)
	$(CC) -DREAD_ONLY='.section .rodata' -Wa,--noexecstack -c -o $@ $<

$(BL)/ntstrace: $(NATIVE:%=$(BL)/obj/%.o) $(BL)/library.a
	$(CC) -pthread -o $@ $^ -lz -lsqlite3

$(BL)/library.a: $(LINUX_O)
	@rm -f $@
	ar rcs $@ $^

# The library is as it ships; to optimise what asks it would take five times as
# long as to run it.
$(BL)/tests/%.c.o: private OPT := -O0 -g $(MAP)

$(BL)/tests/%.c.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) $(SYSTEM) -Werror -Itests -MMD -MP -c -o $@ $<

$(BL)/unit/%: $(BL)/tests/unit/%.c.o $(BL)/library.a
	@mkdir -p $(@D)
	$(CC) -o $@ $(filter %.o %.a,$^) -lz $(UNIT_LINK)

# What counts the library's work is handed its calls of these.
$(BL)/unit/test_work $(BL)/asan/test_work $B/coverage/test_work: UNIT_LINK := \
    -Wl,--wrap=nt_layout_of,--wrap=str_of,--wrap=str_cmp_z \
    -Wl,--wrap=str_cmp,--wrap=str_eq

# What asks a system about a program asks one that does not exist: the library's
# calls of these are handed to tests/fake, which counts and makes them.
FAKE      := fake/fake.c fake/clock.c
FAKE_WRAP := malloc calloc realloc os_event_open os_event_close os_event_set \
    os_wait os_sleep os_yield os_relax os_tsc os_clock_read \
    os_thread_run os_thread_join
FAKE_LINK := -pthread $(FAKE_WRAP:%=-Wl,--wrap=%)

$(BL)/unit/test_live_%: $(BL)/tests/unit/test_live_%.c.o \
                        $(FAKE:%=$(BL)/tests/%.o) $(BL)/library.a
	@mkdir -p $(@D)
	$(CC) -o $@ $(filter %.o %.a,$^) $(FAKE_LINK) -lz

# These ask for more of a system than POSIX has.
$(foreach d,$(BL)/tests $(BL)/asan-tests,$d/fake/%.c.o \
    $d/unit/test_live_%.c.o): private SYSTEM := -D_GNU_SOURCE

$(TOOLS:%=$(BL)/%): $(BL)/%: tests/%.c $(BL)/library.a
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) -Itests -o $@ $< $(BL)/library.a -lz

$(BL)/coverage_check: tests/coverage/check.c $(BL)/library.a \
                      $(wildcard tests/coverage/*.h tests/coverage/*.def)
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) -Itests -o $@ $< $(BL)/library.a -lz

$(BL)/reader: bench/reader.c tests/unit/captured.h $(BL)/library.a
	$(CC) $(LINUX_FLAGS) -Itests -o $@ $< $(BL)/library.a -lz

$(BL)/sequence $(BL)/native: $(BL)/%: bench/%.c
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) -o $@ $<

$(BL)/agent_property: tests/property/agent_property.c \
                      $(wildcard tests/property/*.S) \
                      src/tables/amd64/frames.c $(BW)/agent.bin
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) -D_GNU_SOURCE -Itests -o $@ \
	    $(filter %.c %.S,$^)

$(BL)/sink_property: tests/property/sink_property.c $(BL)/library.a
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) -Itests -MMD -MP -o $@ $< $(BL)/library.a -lz

# What only `make bench` runs is built as well: it is to build on any day.
linux: $(BL)/ntstrace $(UNIT:%=$(BL)/unit/%) $(TOOLS:%=$(BL)/%) \
       $(addprefix $(BL)/,reader sequence native)

# Unit tests once more, by another compiler, under its sanitizers.
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all \
       -gline-tables-only -O1 $(MAP)
asan: $(UNIT:%=$(BL)/asan/%)
	@for t in $^; do $$t || exit 1; done

CLANG := clang $(STD) -D_POSIX_C_SOURCE=200809L

$(BL)/asan-obj/%.c.o: src/%.c
	@mkdir -p $(@D)
	$(CLANG) $(WARN) -Werror $(SAN) -MMD -MP -c -o $@ $<

$(BL)/library-asan.a: $(addprefix $(BL)/asan-obj/,$(addsuffix .o,$(PORTABLE) \
                         $(POSIX))) $(BL)/obj/live/agent_image.S.o \
                         $(BL)/obj/report/asset_files.S.o
	@rm -f $@
	ar rcs $@ $^

$(BL)/asan/ntstrace: $(NATIVE:%=$(BL)/asan-obj/%.o) $(BL)/library-asan.a
	@mkdir -p $(@D)
	$(CLANG) $(SAN) -pthread -o $@ $^ -lz -lsqlite3

# The library is what is watched; to optimise the tests as well takes longer than
# it saves, but where the system is a fake one, which works hard.
$(BL)/asan-tests/unit/%.c.o: private SAN := $(patsubst -O%,-O0,$(SAN))

$(BL)/asan-tests/%.c.o: tests/%.c
	@mkdir -p $(@D)
	$(CLANG) $(SYSTEM) $(WARN) -Werror $(SAN) -Itests -MMD -MP -c -o $@ $<

$(BL)/asan/%: $(BL)/asan-tests/unit/%.c.o $(BL)/library-asan.a
	@mkdir -p $(@D)
	$(CLANG) $(SAN) -fuse-ld=lld -o $@ $(filter %.o %.a,$^) -lz $(UNIT_LINK)

$(BL)/asan/test_live_%: $(BL)/asan-tests/unit/test_live_%.c.o \
                        $(FAKE:%=$(BL)/asan-tests/%.o) $(BL)/library-asan.a
	@mkdir -p $(@D)
	$(CLANG) $(SAN) -fuse-ld=lld -o $@ $(filter %.o %.a,$^) $(FAKE_LINK) -lz

# Which lines of src/live the unit tests reach, by file: a table.
COVER_O := $(addprefix $B/coverage/obj/,$(addsuffix .o,$(PORTABLE) $(POSIX)))
COVER   := $(UNIT:%=$B/coverage/%)

coverage: $(COVER)
	@tools/coverage $B/coverage $(COVER)

$B/coverage/obj/%.c.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(LINUX_FLAGS) -O0 --coverage -MMD -MP -c -o $@ $<

$B/coverage/library.a: $(COVER_O) $(BL)/obj/live/agent_image.S.o \
                       $(BL)/obj/report/asset_files.S.o
	@rm -f $@
	ar rcs $@ $^

$B/coverage/test_live_%: tests/unit/test_live_%.c $(FAKE:%=tests/%) \
                         $B/coverage/library.a
	$(CC) $(LINUX_FLAGS) -D_GNU_SOURCE -Itests -o $@ $(filter %.c %.a,$^) \
	    --coverage $(FAKE_LINK) -lz

$B/coverage/test_%: tests/unit/test_%.c $B/coverage/library.a
	$(CC) $(LINUX_FLAGS) -Itests -o $@ $^ --coverage -pthread -lz $(UNIT_LINK)

FUZZ         := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
fuzz: $(FUZZ:%=$(BL)/fuzz/%)
	@for f in $(FUZZ); do mkdir -p $B/fuzz/$$f; \
	    echo "fuzz: $$f for $(FUZZ_SECONDS) s"; \
	    $(BL)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 \
	        $B/fuzz/$$f tests/corpus/$$f || exit 1; done

$(BL)/fuzz-obj/%.c.o: src/%.c
	@mkdir -p $(@D)
	$(CLANG) -fsanitize=fuzzer-no-link,address,undefined \
	    -gline-tables-only -O1 $(MAP) \
	    -MMD -MP -c -o $@ $<

# No fuzzer comes to the rest; one that does is not linked.
FUZZED := $(filter-out live/% cmd/% view/% plan/% record/recorder.c \
    record/survey.c record/losses.c format/summary.c,$(PORTABLE)) \
    live/pe.c live/syscalls.c cmd/cmdline.c cmd/options.c

$(BL)/library-fuzz.a: $(addprefix $(BL)/fuzz-obj/,$(addsuffix .o,$(FUZZED))) \
                      $(BL)/obj/report/asset_files.S.o
	@rm -f $@
	ar rcs $@ $^

$(BL)/fuzz/%: tests/fuzz/%.c $(BL)/library-fuzz.a
	@mkdir -p $(@D)
	$(CLANG) -fsanitize=fuzzer,address,undefined -gline-tables-only -O1 -Itests \
	    -fuse-ld=lld -MMD -MP -o $@ $< $(BL)/library-fuzz.a -lz

# --- what a user calls ---------------------------------------------------------

.PHONY: setup demo test soak bench dist format asan fuzz coverage

setup:
	@tools/setup

demo: setup
	@$(MAKE) -s --no-print-directory -j2 $(BW)/ntstrace.exe
	@echo 'demo: ntstrace cmd.exe /c "dir C:\windows & type C:\windows\win.ini"'
	@$(RUN) $(BW)/ntstrace.exe \
	    cmd.exe /c 'dir C:\windows & type C:\windows\win.ini'

test: setup
	@tests/run

soak: setup
	@$(MAKE) -s --no-print-directory -j2 windows linux $(BL)/asan/ntstrace
	@tests/soak/run
	@tests/check-attach --all
	@REPLAY=$(BL)/asan/ntstrace tests/check-programs replays
	@REPLAY=$(BL)/asan/ntstrace tests/check-filters --all forms paths
	@COMPARE=$(BL)/compare REPLAY=$(BL)/asan/ntstrace REPLAY_TOO=all \
	    tests/run-targets

BENCH := $(BW)/bench/loop.exe $(BW)/bench/empty.exe $(BW)/bench/gap.exe $(BW)/targets/tree.exe \
         $(addprefix $(BL)/,reader sequence native make_trace ntstrace)
bench: setup
	@$(MAKE) -s --no-print-directory -j2 $(BW)/ntstrace.exe $(BENCH)
	@tools/workloads fetch
	@bench/run

dist: setup
	@$(MAKE) -s --no-print-directory -j2 windows
	@tools/dist

format:
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

clean:
	rm -rf $B

-include $(shell find $B -name '*.d' 2>/dev/null)
