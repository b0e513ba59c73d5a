#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nts.py [-c | --json] FILE.nts - the calls in a trace file of ntstrace.

A small reader, made from docs/trace-format.md, whose section "A simple reader"
says what it leaves to `ntstrace replay`. A line for each call, in order of time:
seconds since the start, process.thread, name, arguments and result in
hexadecimal, seconds that it took. --json: an object a line. -c: calls, errors
and time by name. Of a damaged file it shows what is whole, says what is not,
and ends with status 1. As a module: for call in nts.calls("app.nts"): ...
"""

import json
import struct
import sys
import zlib

ENTRY, RETURN, TRANSITION, DATA, COMPLETION = range(2, 7)
OP_THREAD, OP_OPEN, OP_BOUND, OP_RAN = range(16, 20)
OP_PROCESS, OP_JOURNAL, OP_OF_THREAD, OP_CLOCK, OP_SIZED = 32, 33, 34, 35, 64
INFO, STREAM, END, CHUNK_MOST, RECORD_MOST = 1, 2, 5, 1 << 24, 4096
PROCESS_END, THREAD_END, STUBS, ANSWER, CLOCK, LOST = 65, 66, 69, 72, 73, 74
APC, EXCEPTION, RAISE = 1, 2, 4
ORPHAN, WAITS, UNDERWAY, ASKED = 0x40, 0x20, 0x80, 2
NO_RETURN = "NtContinue", "NtContinueEx", "NtCallbackReturn"
NO_STATUS = ("NtGetCurrentProcessorNumber", "NtGetCurrentProcessorNumberEx",
             "NtIsSystemResumeAutomatic", "NtQueryPortInformationProcess",
             "NtWow64IsProcessorFeaturePresent")
NO_FAILURE = 0x80000005, 0x80000006, 0x80000012, 0x8000001A, 0xC0000273


class Damage(Exception):
    """What of the file is not as the document says."""


def unpack(form, data, at=0):
    return struct.unpack_from("<" + form, data, at)


def chunks(path):
    """Kind and contents of each chunk; Damage behind the last whole one."""
    with open(path, "rb") as f:
        head = f.read(32)
        if head[:8] != b"\x89NTS\r\n\x1a\n":
            raise Damage("it is no trace file")
        if len(head) < 32 or zlib.crc32(head[:28]) != unpack("I", head, 28)[0]:
            raise Damage("its head is damaged")
        major, minor, at = unpack("HHI", head, 8)
        if major != 0:
            raise Damage(f"it is of version {major}.{minor}, this reads 0")
        number, kind = 0, None
        while True:
            f.seek(at)
            head = f.read(48)
            if not head and kind == END:
                return
            if not head:
                raise Damage("it was not ended in order: what came last is missing")
            if len(head) < 48:
                raise Damage(f"it is cut off at byte {at}")
            magic, kind, flags, size, raw, count = unpack("IHHIII", head)
            crc, head_crc = unpack("II", head, 40)
            if (magic, count, head_crc) != (0x6373746E, number, zlib.crc32(head[:44])) \
                    or max(size, raw) > CHUNK_MOST:
                raise Damage(f"it is damaged at byte {at}")
            data = f.read(size)
            if len(data) < size:
                raise Damage(f"it is cut off at byte {at}")
            try:
                if zlib.crc32(data) != crc:
                    raise zlib.error
                if flags & 1:
                    data = zlib.decompressobj().decompress(data, raw + 1)
            except zlib.error:
                data = None
            if data is None or len(data) != raw:
                raise Damage(f"it is damaged at byte {at}")
            yield kind, data
            number, at = number + 1, at + 48 + size


def ops(data):
    """The ops of a STREAM: op, whose, what (a record or a number), and the byte
    at which it begins. ValueError or IndexError: it makes no sense."""
    at, thread, time, rsp, number, run, slots = 0, None, 0, 0, 0, 0, {}

    def varint():
        nonlocal at
        n = 0
        for shift in range(0, 70, 7):
            at += 1
            n |= (data[at - 1] & 127) << shift
            if data[at - 1] < 128:
                return n & (1 << 64) - 1
        raise ValueError("a number that does not end")

    def delta(base):
        n = varint()
        return base + (n >> 1 ^ -(n & 1)) & (1 << 64) - 1

    def take(size):
        nonlocal at
        at += size
        if at > len(data):
            raise ValueError("less than was promised")
        return data[at - size:at]

    while at < len(data):
        begin, op = at, data[at]
        at += 1
        if ENTRY <= op <= COMPLETION:
            time = delta(time)
            of = number if op == RETURN else varint()
            slot = (thread * 40503 + op * 7919 + of * 31 + run) % 1024
            words = slots.setdefault(slot, [0] * 24)
            at_rsp = 3 if op in (RETURN, TRANSITION) else 2
            words[at_rsp] = rsp
            mask = varint()
            for i in range(mask.bit_length()):
                if mask >> i & 1:
                    words[i + (i > 0)] = delta(words[i + (i > 0)])
            words[1], rsp = time, words[at_rsp]
            size = words[0] & 0xFFFFFFFF
            if not 40 <= size <= RECORD_MOST or size % 8 or words[0] >> 32 & 255 != op:
                raise ValueError("no record")
            told = 5 if op == DATA else min(size // 8, 24)
            record = struct.pack(f"<{told}Q", *words[:told])
            record += take(words[4] & 0xFFFFFFFF if op == DATA else size - 8 * told)
            run = run + 1 if op == DATA else 0
            number = of if op == ENTRY else number
            yield op, thread, record.ljust(size, b"\0"), begin
        elif op == OP_THREAD:
            thread = varint()
        elif op == OP_OPEN:
            yield op, varint(), [varint() for _ in range(4)], begin
        elif op in (OP_BOUND, OP_RAN):
            yield op, varint() if op == OP_BOUND else None, delta(time), begin
        elif op in (OP_PROCESS, OP_JOURNAL, OP_OF_THREAD, OP_CLOCK) or op >= OP_SIZED:
            whose = None if op >= OP_CLOCK else varint()
            yield op, whose, take(varint()), begin
        else:
            raise ValueError(f"an op {op}")


class Clock:
    """From TSC to nanoseconds since the start."""
    points, hz, wall_ns = [(0, 0)], 1, 0

    def add(self, record):
        tsc, ns, hz, wall_ns = unpack("QqQq", record, 8)
        if hz:
            self.points, self.hz, self.wall_ns = [(tsc, 0)], hz, wall_ns
        elif tsc > self.points[-1][0] and ns > self.points[-1][1]:
            self.points.append((tsc, ns))

    def ns(self, tsc):
        p = self.points
        at = max((i for i in range(len(p)) if p[i][0] <= tsc), default=0)
        a, b = (p[max(at - 8, 0)], p[at]) if at == len(p) - 1 else (p[at], p[at + 1])
        ticks, ns = (b[0] - a[0], b[1] - a[1]) if a != b else (self.hz, 10 ** 9)
        return p[at][1] + (tsc - p[at][0]) * ns // ticks


class Call:
    """entry, end: TSC; result; each None if there is none. start, took: the same
    in nanoseconds, since the start of the trace. how: "", "direct", "indirect".
    args: of a call that was found under way, None for what is not known."""

    def __init__(self, thread, entry, rsp, stack, args):
        self.pid, self.tid, self.entry, self.args = thread.process.pid, thread.tid, entry, args
        self.rsp, self.stack, self.how, self.name = rsp, stack, "", "syscall_?"
        self.number = self.end = self.result = self.start = self.took = None
        self.address = -1

    def call_it(self, number, stub):
        self.number, self.name, self.address = number, f"syscall_0x{number:x}", -1
        if stub:
            self.name, self.address = stub

    def finish(self, time, result=None):
        self.end, self.result = time, result

    def failed(self):
        status = (self.result or 0) & 0xFFFFFFFF
        return (self.number or 0) < 0x1000 and self.name not in NO_STATUS and \
            status >= 1 << 31 and status not in NO_FAILURE


class Process:
    process, open = None, ()

    def __init__(self, record):
        self.pid, self.mode = unpack("I8xB", record, 16)
        self.by_number, self.by_address = {}, {}

    def stubs(self, record):
        base, _, count, size = unpack("QIII", record, 16)
        at, seen = 40 + 8 * count + size, {}
        for i in range(count):
            rva, number, flags, size = unpack("IHBB", record, 40 + 8 * i)
            stub = record[at:at + size].decode(errors="replace"), base + rva
            self.by_address[base + rva] = number & 8191, stub, flags & 1
            if not flags & 2:
                seen.setdefault(number & 8191, stub)
            at += size
        self.by_number.update(seen)


class Thread:
    """Makes calls of the records of one thread."""

    def __init__(self, process, tid):
        self.process, self.tid, self.open, self.orphans = process, tid, [], []

    def end(self, time, calls):
        for call in calls:
            call.finish(time)
        self.open = [call for call in self.open if call not in calls]

    def end_below(self, time, stack, rsp, since=0):
        self.end(time, [c for c in self.open[since:] if c.stack == stack and c.rsp <= rsp])

    def newest(self, rsp, rip=None):
        return next((c for c in reversed(self.open) if c.rsp == rsp and
                     (rip is None or 0x14 <= rip - c.address <= 0x17)), None)

    def returns(self, call, time, result):
        self.end_below(time, call.stack, call.rsp, self.open.index(call) + 1)
        self.open.remove(call)
        call.finish(time, result)

    def on_entry(self, record):
        flags, number, time, rsp, stack, _ = unpack("BHQQQQ", record, 5)
        self.end_below(time, stack, rsp)
        more = 0 if flags & 16 else flags & 15
        args = unpack(f"{4 + more}Q", record, 40)
        if flags & UNDERWAY:
            known, = unpack("Q", record, 40 + 8 * len(args))
            args = [a if known >> i & 1 else None for i, a in enumerate(args)]
        call = Call(self, time, rsp, stack, args)
        call.call_it(number & 8191, self.process.by_number.get(number & 8191))
        self.open.append(call)
        if call.name in NO_RETURN or (call.name == "NtTerminateThread" and
                                      call.args[0] in (0, (1 << 64) - 2)):
            self.end(time, [call])
        return call

    def on_return(self, record):
        flags, _, time, rip, rsp, rax, stack = unpack("BHQQQQQ", record, 5)
        call = self.newest(rsp, rip)
        if not call and self.open and self.open[-1].name == "NtSetContextThread":
            call = self.open[-1]
        if call:
            return self.returns(call, time, rax)
        call = Call(self, None, rsp, stack, ())
        call.finish(time, rax)
        at = self.process.by_address
        number, stub, patched = at.get(rip - 0x14) or at.get(rip - 0x17) or (0, None, 0)
        if stub and self.process.mode != ASKED and not (patched and flags & ORPHAN):
            call.call_it(number, stub)
        else:
            call.how = "indirect" if stub else "direct"
        if flags & ORPHAN and flags & WAITS:
            self.orphans.append(call)
        return call

    def on_answer(self, record):
        argument, number, known = unpack("QHB", record, 16)
        call = self.orphans.pop(0) if self.orphans else None
        if call and call.how and known:
            call.call_it(number & 8191, self.process.by_number.get(number & 8191))
            call.args = (argument,)

    def on_transition(self, record):
        number, time, rip, rsp, result = unpack("HQQQQ", record, 6)
        call = None
        if number == APC and len(record) >= 104:
            rip, rsp, result = unpack("QQQ", record, 80)
            call = self.newest(rsp, rip)
        elif number == RAISE:
            call = self.newest(rsp)
        elif number == EXCEPTION and self.open and self.open[-1].name == "NtRaiseException":
            self.end(time, [self.open[-1]])
        if call:
            self.returns(call, time, result)


class Trace:
    """All of a file: calls in order of time, losses by reason, the lines of INFO
    and END, and what is wrong with it; None: nothing."""

    def __init__(self, path):
        self.calls, self.lost, self.about, self.damage = [], {}, [], None
        self.clock, self.owners = Clock(), {}
        number = 0
        try:
            for number, (kind, data) in enumerate(chunks(path)):
                if kind == STREAM:
                    for op, whose, what, _ in ops(data):
                        self.take(op, whose, what)
                elif kind in (INFO, END):
                    self.about += [line.partition(" ")[::2] for line
                                   in data.decode(errors="replace").splitlines()]
        except Damage as e:
            self.damage = str(e)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error):
            self.damage = f"its chunk {number} makes no sense"
        for call in self.calls:
            call.start = self.clock.ns(call.end if call.entry is None else call.entry)
            if call.entry is not None and call.result is not None:
                call.took = max(self.clock.ns(call.end) - call.start, 0)
        self.calls.sort(key=lambda call: call.start)

    def take(self, op, whose, what):
        owner = self.owners.get(whose)
        kind = what[4] if isinstance(what, bytes) and op < OP_SIZED else None
        if op == OP_OPEN:
            self.owners[whose] = Thread(self.owners[what[0]], what[1])
        elif op == OP_PROCESS:
            self.owners[whose] = Process(what)
        elif kind == CLOCK:
            self.clock.add(what)
        elif kind == LOST:
            count, why = unpack("QI", what, 16)
            self.lost[why] = self.lost.get(why, 0) + count
        elif kind == STUBS:
            owner.stubs(what)
        elif op in (ENTRY, RETURN):
            call = owner.on_entry(what) if op == ENTRY else owner.on_return(what)
            self.calls += [call] if call else []
        elif op == TRANSITION:
            owner.on_transition(what)
        elif kind == ANSWER:
            owner.on_answer(what)
        elif kind in (THREAD_END, PROCESS_END):
            for thread in self.owners.values():
                if thread is owner if kind == THREAD_END else thread.process is owner:
                    thread.end(unpack("Q", what, 8)[0], thread.open)


def calls(path):
    """The calls of a file, in order of time; Damage behind the last one."""
    trace = Trace(path)
    yield from trace.calls
    if trace.damage:
        raise Damage(trace.damage)


def shown(value):
    return "?" if value is None else hex(value)


def seconds(ns):
    return f"{'-' if ns < 0 else ''}{abs(ns) // 10 ** 9}.{abs(ns) % 10 ** 9 // 1000:06}"


def main(arguments):
    options = [a for a in arguments if a in ("-c", "--json")]
    if arguments and arguments[-1] in ("-h", "--help"):
        print(__doc__)
        return
    if len(arguments) != len(options) + 1 or len(options) > 1:
        sys.exit(__doc__)
    trace = Trace(arguments[-1])
    if "-c" in options:
        rows = {}
        for c in trace.calls:
            row = rows.setdefault(c.name, [0, 0, 0])
            row[:] = row[0] + (c.took or 0), row[1] + 1, row[2] + c.failed()
        for name, row in sorted(rows.items(), key=lambda r: (-r[1][0], r[0])):
            print(f"{seconds(row[0]):>11} {row[1]:9} {row[2] or '':9} {name}")
    for c in trace.calls if "-c" not in options else ():
        args, result = list(map(shown, c.args)), shown(c.result)
        if "--json" in options:
            print(json.dumps({
                "time": str(trace.clock.wall_ns + c.start), "pid": c.pid, "tid": c.tid,
                "number": c.number, "name": c.name,
                "args": [None if a is None else hex(a) for a in c.args], "how": c.how,
                "result": None if c.result is None else result, "failed": c.failed(),
                "took": None if c.took is None else str(c.took)}))
        else:
            took = "" if c.took is None else f" <{seconds(c.took)}>"
            print(f"{seconds(c.start)} {c.pid}.{c.tid} {c.name}({', '.join(args)}) = {result}"
                  f"{' (' + c.how.upper() + ')' if c.how else ''}{took}")
    sys.stdout.flush()
    for why, count in sorted(trace.lost.items()):
        print(f"nts.py: {count} records are missing (reason {why})", file=sys.stderr)
    if trace.damage:
        sys.exit(f"nts.py: {arguments[-1]}: {trace.damage}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BrokenPipeError:  # of `| head`
        sys.stderr.close()
    except OSError as e:
        sys.exit(f"nts.py: {e}")
