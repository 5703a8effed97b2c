# SPDX-License-Identifier: GPL-2.0-only
"""make bench: what VM_BIND costs, in the plain kernel, counted in instructions.

QEMU emulates one CPU that takes one guest nanosecond per instruction, so the
guest's clock counts instructions and a figure repeats to a fraction of a percent,
whatever else the host does. Targets are ratios within one run, or counts.
"""

import argparse
import json
import re
import time
from dataclasses import dataclass

from lab import arch as arches, common, deps, kernel, programs, rootfs
from lab.common import Failure, say, write_atomic
from lab.guest import Guest, Options
from lab.progress import clock

MEMORY = 3584           # MiB: a gigabyte of memory to map, and room
PROGRAM = "/tests/msm_vm_bench"
# What turnip makes of it, as one of the parts
VULKAN = """\
echo "BENCH-PART vulkan"
(. /tests/vulkan/turnip.sh; TU_DEBUG= /tests/vulkan/vk_bench --figures) || echo "BENCH-FAIL vulkan vk_bench ended with status $?"
"""
LINE = re.compile(r"BENCH (\w+) (-?[\d.]+)$")
# KUnit measures io-pgtable-arm alone; it says so in its log, and not what it says decides whether it passed.
FLOOR = """\
printf msm-vm-floor >/sys/module/kunit/parameters/filter_glob
echo "BENCH-PART floor"
modprobe msm_test
LOG=/sys/kernel/debug/kunit/msm-vm-floor/results
sed -n 's/^.*# floor_cost: BENCH /BENCH /p' $LOG
grep -q '^ok .* msm-vm-floor' $LOG || echo "BENCH-FAIL floor KUnit suite msm-vm-floor did not pass"
rmmod msm_test
"""


@dataclass
class Row:
    """A line of the table: made of raw figures, with a target or without."""

    title: str
    value: object       # a function of the dictionary of raw figures
    unit: str = ""
    target: float | None = None
    exact: bool = False     # the target is to be hit, not just kept

    def verdict(self, value):
        if self.target is None or value is None:
            return ""
        return "met" if (value == self.target if self.exact else value <= self.target) else "missed"

    def wanted(self):
        return "" if self.target is None else f"{'=' if self.exact else '<='} {self.target:g}"


def raw(name, scale=1.0):
    return lambda figures: figures[name] * scale


def ratio(name, base):
    return lambda figures: figures[name] / figures[base]


def per_bind(count, part):
    return raw(f"vk_bind_{count}_{part}", 1 / count)


def slope(name, base, steps):
    return lambda figures: (figures[name] - figures[base]) / steps


OPS = "ops_{}_{}_{}_per_op"
SUBMIT = "submit_{}_{}"
ROWS = [
    *(Row(f"io-pgtable alone, map, calls of {count} pages: per page", raw(f"floor_map_{count}"), "instr")
      for count in (1, 8, 64, 512)),
    *(Row(f"io-pgtable alone, unmap, calls of {count} pages: per page", raw(f"floor_unmap_{count}"), "instr")
      for count in (1, 8, 64, 512)),
    Row("1 GiB in one piece: pages per piece, on average", raw("map_contiguous_pages_per_piece"), "pages"),
    Row("MAP 1 GiB in one piece, job: per page", raw("map_contiguous_run_per_page"), "instr"),
    Row(".. against io-pgtable alone, calls of 512", ratio("map_contiguous_run_per_page", "floor_map_512"), "x", 1.25),
    Row(".. the first time, with its tables: per page", raw("map_contiguous_first_per_page"), "instr"),
    Row("1 GiB here and there: pages per piece, on average", raw("map_scattered_pages_per_piece"), "pages"),
    Row("MAP 1 GiB here and there, job: per page", raw("map_scattered_run_per_page"), "instr"),
    Row(".. against io-pgtable alone, calls of 1", ratio("map_scattered_run_per_page", "floor_map_1"), "x", 1.25),
    Row("MAP_NULL 1 GiB, job: per page", raw("map_null_run_per_page"), "instr"),
    Row(".. against io-pgtable alone, calls of 8", ratio("map_null_run_per_page", "floor_map_8"), "x", 1.0),
    Row("UNMAP 1 GiB, job: per page", raw("unmap_contiguous_run_per_page"), "instr"),
    Row(".. against io-pgtable alone, calls of 512", ratio("unmap_contiguous_run_per_page", "floor_unmap_512"), "x"),
    Row("MAP 1 GiB in one piece, ioctl: per page", raw("map_contiguous_ioctl_per_page"), "instr"),
    Row("VM_BIND without ops: ioctl", raw("ops_none_ioctl"), "instr"),
    Row("VM_BIND without ops: job", raw("ops_none_run"), "instr"),
    *(Row(f"VM_BIND of {count} MAPs of a page, ioctl: per op", raw(OPS.format("sorted", count, "ioctl")), "instr")
      for count in (1, 64, 1024, 10000)),
    Row(".. 10 000 against 64", ratio(OPS.format("sorted", 10000, "ioctl"), OPS.format("sorted", 64, "ioctl")), "x", 1.3),
    *(Row(f".. {count}, shuffled against sorted",
          ratio(OPS.format("shuffled", count, "ioctl"), OPS.format("sorted", count, "ioctl")), "x", 1.3)
      for count in (64, 1024, 10000)),
    *(Row(f"VM_BIND of {count} MAPs of a page, job: per op", raw(OPS.format("sorted", count, "run")), "instr")
      for count in (64, 10000)),
    Row(".. 10 000, shuffled against sorted",
        ratio(OPS.format("shuffled", 10000, "run"), OPS.format("sorted", 10000, "run")), "x"),
    *(Row(f"{count} binds of one page that wait, once they may run: per bind", raw(f"queue_{count}_per_bind"), "instr")
      for count in (100, 1000, 10000)),
    # Not against 100, where it counts whether the worker slept: 4900 or 10 200 each
    Row(".. 10 000 against 1000", ratio("queue_10000_per_bind", "queue_1000_per_bind"), "x", 1.3),
    Row("1000 scattered MAPs: table pages set aside", raw("tables_sorted_reserved"), "pages"),
    Row(".. against those used", ratio("tables_sorted_reserved", "tables_sorted_used"), "x", 1.0, True),
    Row(".. shuffled against sorted", ratio("tables_shuffled_reserved", "tables_sorted_reserved"), "x", 1.0, True),
    Row(".. left when the job is done", raw("tables_sorted_left"), "pages", 0, True),
    Row(".. set aside when bound again", raw("tables_sorted_again"), "pages", 0, True),
    *(Row(f"SUBMIT with {count} private BOs mapped", raw(SUBMIT.format("private", count)), "instr")
      for count in (10, 100, 1000, 10000)),
    *(Row(f".. {count} against 10", ratio(SUBMIT.format("private", count), SUBMIT.format("private", 10)), "x", 1.2)
      for count in (1000, 10000)),
    *(Row(f"SUBMIT with {count} shared BOs mapped", raw(SUBMIT.format("shared", count)), "instr")
      for count in (10, 100, 1000)),
    Row(".. per BO more, from 10 to 100", slope(SUBMIT.format("shared", 100), SUBMIT.format("shared", 10), 90), "instr"),
    Row(".. per BO more, from 100 to 1000", slope(SUBMIT.format("shared", 1000), SUBMIT.format("shared", 100), 900), "instr"),
    Row("UNMAP of a hole of 1 TiB, ioctl and job", raw("unmap_1t_hole", 1e-6), "ms", 1.0),
    Row("TLB invalidations of a job of 1000 UNMAPs", raw("invalidations_per_1000_unmaps"), "", 1.0, True),
    Row("TLB invalidations of a job of 1000 MAPs over others", raw("invalidations_per_1000_maps"), "", 1.0, True),
    *(Row(f"vkQueueBindSparse of {count} binds of a page, until its fence: per bind", per_bind(count, "call"), "instr")
      for count in (1, 64, 1024)),
    *(Row(f".. of {count}, in {what}: per bind", per_bind(count, part), "instr")
      for count in (1, 64, 1024) for part, what in (("turnip", "turnip"), ("ioctl", "the ioctl"))),
    Row("vkQueueSubmit of nothing, until its fence", raw("vk_empty_submit"), "instr"),
    Row("vkCmdFillBuffer: per KiB", raw("vk_fill_per_kib"), "instr"),
    Row("vkCmdCopyBuffer: per KiB", raw("vk_copy_per_kib"), "instr"),
    Row(".. against memcpy() of the CPU", ratio("vk_copy_per_kib", "vk_memcpy_per_kib"), "x"),
    Row("kernel memory per VMA", raw("bytes_per_vma"), "bytes"),
    Row("kernel memory per mapped private BO, VMA and all", raw("bytes_per_mapped_bo"), "bytes"),
    Row("kernel memory per idle VM", raw("bytes_per_idle_vm"), "bytes"),
]


class Listener:
    """Collects figures; tells which part is running."""

    def __init__(self, out):
        self.out, self.figures, self.absent, self.failed = out, {}, {}, []

    def line(self, raw_line):
        text = raw_line.decode(errors="replace")
        found = LINE.match(text)
        if found:
            self.figures[found[1]] = float(found[2])
        elif text.startswith("BENCH-PART "):
            self.out(f"bench: {text[11:]}")
        elif text.startswith("BENCH-ABSENT "):
            name, reason = text[13:].split(" ", 1)
            self.absent[name] = reason
        elif text.startswith("BENCH-FAIL "):
            self.failed.append(text[11:])
        elif text.strip():
            self.out(f"  {text}")


def judge(figures):
    """[(row, value or None, verdict)]; verdict: met, missed, or nothing without a target or a value."""
    rows = []
    for row in ROWS:
        try:
            value = row.value(figures)
        except KeyError:
            rows.append((row, None, ""))
            continue
        rows.append((row, value, row.verdict(value)))
    return rows


def lines(rows):
    yield f"  {'figure':52} {'value':>12} {'':6} {'target':>8}"
    for row, value, verdict in rows:
        shown = "not there" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"
        yield f"  {row.title:52} {shown:>12} {row.unit:6} {row.wanted():>8}  {verdict}".rstrip()


def last_line(rows):
    words = [verdict for _, _, verdict in rows]
    return f"{sum(value is not None for _, value, _ in rows)} figures, {words.count('met')} targets met, " \
           f"{words.count('missed')} missed, {sum(value is None for _, value, _ in rows)} not there"


def record(path, rows, figures):
    """The figures for programs, and the table beside it for people."""
    named = [{"figure": row.title, "value": value, "unit": row.unit, "target": row.target, "verdict": verdict}
             for row, value, verdict in rows]
    write_atomic(path, json.dumps({"figures": named, "raw": figures}, indent=1).encode())
    write_atomic(path.with_suffix(".txt"), "\n".join([*lines(rows), last_line(rows), ""]).encode())


def script(parts):
    """What the guest runs: all, or the parts that are named."""
    own = [part for part in parts if part != "vulkan"]
    return "\n".join([FLOOR, *([" ".join([PROGRAM, *own]), "status=$?"] if own or not parts else ["status=0"]),
                      *([VULKAN] if not parts or "vulkan" in parts else []), "exit $status"])


def measure(arch, parts, out=say):
    """Boot and run; return the Listener."""
    with common.exclusive(common.OUT):
        deps.ensure("all", arch, out)
        build = kernel.make(arch, "plain", out)
        rootfs.make(arch, out=out)
        tests = programs.make(arch, out)
    guest = Guest(arch, build, Options(memory=MEMORY, count=True, name="bench", idle=900, extra={"tests": tests}))
    listener = Listener(out)
    outcome = guest.run(script(parts), listener.line)
    if outcome.explain():
        raise Failure(outcome.explain())
    if outcome.result.status and not listener.failed:
        raise Failure(f"{PROGRAM} ended with status {outcome.result.status} (log: {outcome.log})")
    return listener


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch")
    parser.add_argument("parts", nargs="*", help="map, ops, queue, tables, submit, hole, flushes, memory, vulkan; without any: all")
    args = parser.parse_args(argv)
    started = time.monotonic()
    listener = measure(arches.get(args.arch), args.parts)
    rows = judge(listener.figures)
    say("")
    for line in lines(rows):
        say(line)
    for name, reason in listener.absent.items():
        say(f"  {name}: {reason}")
    for text in listener.failed:
        say(f"FAILED {text}")
    path = common.OUT / "results" / ("-".join(["bench", *args.parts]) + ".json")    # a part leaves the whole alone
    record(path, rows, listener.figures)
    say(f"figures: {path}; all of it took {clock(time.monotonic() - started)}")
    say(last_line(rows))
    missed = any(verdict == "missed" for _, _, verdict in rows)
    return 1 if missed or listener.failed or not listener.figures else 0
