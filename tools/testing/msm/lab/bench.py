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

MEMORY = 3072           # MiB: a buffer of 1 GiB, and room
PROGRAM = "/tests/msm_vm_bench"
LINE = re.compile(r"BENCH (\w+) (-?[\d.]+)$")


@dataclass
class Row:
    """A line of the table: made of raw figures, with a target or without."""

    title: str
    value: object       # a function of the dictionary of raw figures
    unit: str
    target: float = 0.0


def raw(name, scale=1.0):
    return lambda figures: figures[name] * scale


def ratio(name, base):
    return lambda figures: figures[name] / figures[base]


def slope(name, base, steps):
    return lambda figures: (figures[name] - figures[base]) / steps


OPS = "ops_{}_{}_ioctl_per_op"
ROWS = [
    Row("MAP of 1 GiB: ioctl, per page", raw("map_1g_ioctl_per_page"), "instr"),
    Row("MAP of 1 GiB: page table, per page", raw("map_1g_run_per_page"), "instr"),
    Row("UNMAP of 1 GiB: page table, per page", raw("unmap_1g_run_per_page"), "instr"),
    *(Row(f"ioctl with {count} MAPs of a page, per op", raw(OPS.format("sorted", count)), "instr")
      for count in (1, 64, 1024, 10000)),
    Row("per op: 10 000 MAPs against 64", ratio(OPS.format("sorted", 10000), OPS.format("sorted", 64)), "x", 1.3),
    Row("per op: 1024 MAPs shuffled against sorted",
        ratio(OPS.format("shuffled", 1024), OPS.format("sorted", 1024)), "x", 1.3),
    Row("per op: 10 000 MAPs shuffled against sorted",
        ratio(OPS.format("shuffled", 10000), OPS.format("sorted", 10000)), "x", 1.3),
    Row("SUBMIT with 10 shared BOs mapped", raw("submit_shared_10"), "instr"),
    Row("SUBMIT: per shared BO more, up to 1000", slope("submit_shared_1000", "submit_shared_10", 990), "instr"),
    Row("SUBMIT with 10 private BOs mapped", raw("submit_private_10"), "instr"),
    Row("SUBMIT: 10 000 private BOs against 10", ratio("submit_private_10000", "submit_private_10"), "x", 1.2),
    Row("UNMAP of a hole of 1 TiB", raw("unmap_1t_hole_done", 1e-6), "ms", 1.0),
    Row("TLB invalidations of a job of 1000 UNMAPs", raw("invalidations_per_1000_unmaps"), "", 1.0),
    Row("kernel memory per VMA", raw("bytes_per_vma"), "bytes"),
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
        verdict = "" if not row.target else "met" if value <= row.target else "missed"
        rows.append((row, value, verdict))
    return rows


def lines(rows):
    yield f"\n  {'figure':48} {'value':>12} {'':6} {'target':>8}"
    for row, value, verdict in rows:
        shown = "not there" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0f}"
        target = f"<= {row.target:g}" if row.target else ""
        yield f"  {row.title:48} {shown:>12} {row.unit:6} {target:>8}  {verdict}".rstrip()


def last_line(rows):
    words = [verdict for _, _, verdict in rows]
    return f"{sum(value is not None for _, value, _ in rows)} figures, {words.count('met')} targets met, " \
           f"{words.count('missed')} missed, {sum(value is None for _, value, _ in rows)} not there"


def record(path, rows, figures):
    named = [{"figure": row.title, "value": value, "unit": row.unit, "target": row.target or None, "verdict": verdict}
             for row, value, verdict in rows]
    write_atomic(path, json.dumps({"figures": named, "raw": figures}, indent=1).encode())


def measure(arch, parts, out=say):
    """Boot and run; return the Listener."""
    with common.exclusive(common.OUT):
        deps.ensure("all", arch, out)
        build = kernel.make(arch, "plain", out)
        rootfs.make(arch, out=out)
        tests = programs.make(arch, out)
    guest = Guest(arch, build, Options(memory=MEMORY, count=True, name="bench", idle=900, extra={"tests": tests}))
    listener = Listener(out)
    outcome = guest.run(" ".join([PROGRAM, *parts]), listener.line)
    if outcome.explain():
        raise Failure(outcome.explain())
    if outcome.result.status and not listener.failed:
        raise Failure(f"{PROGRAM} ended with status {outcome.result.status} (log: {outcome.log})")
    return listener


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch")
    parser.add_argument("parts", nargs="*", help="map-1g, ops, submit, hole, flushes, memory; without any: all")
    args = parser.parse_args(argv)
    started = time.monotonic()
    listener = measure(arches.get(args.arch), args.parts)
    rows = judge(listener.figures)
    for line in lines(rows):
        say(line)
    for name, reason in listener.absent.items():
        say(f"  {name}: {reason}")
    for text in listener.failed:
        say(f"FAILED {text}")
    path = common.OUT / "results" / "bench.json"
    record(path, rows, listener.figures)
    say(f"figures: {path}; all of it took {clock(time.monotonic() - started)}")
    say(last_line(rows))
    missed = any(verdict == "missed" for _, _, verdict in rows)
    return 1 if missed or listener.failed or not listener.figures else 0
