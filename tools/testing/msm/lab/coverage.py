# SPDX-License-Identifier: GPL-2.0-only
"""Line coverage of our part of the driver, from kernels of the flavour gcov.

Each guest leaves its counters in out/results/gcov/NAME when it ends; the report
adds up what the suites of one check left. A line counts when gcov knows it: code,
not comments. expect/coverage.txt gives reasons for lines that no test reaches, by file, function and text.
"""

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import common, expect
from lab.common import Failure, run, write_atomic
from lab.report import FAIL, PASS, Case

OURS = ("vm", "vgpu")                   # folders below drivers/gpu/drm/msm, and single files beside them
FILES = ("msm_pgtable.c", "msm_syncobj.c")
DRIVER = "drivers/gpu/drm/msm"
TARGET = 95.0                           # percent of the lines of drivers/gpu/drm/msm/vm


@dataclass
class Line:
    function: str
    times: int = 0


def _kept():
    return common.OUT / "results" / "gcov"


def words(driver=common.ROOT / DRIVER):
    """Variables for the kernel's make that profile our objects and no others."""
    names = [f"{folder}/{path.stem}" for folder in OURS for path in sorted((driver / folder).glob("*.c"))]
    names += [Path(name).stem for name in FILES if (driver / name).exists()]
    return [f"GCOV_PROFILE_{name}.o=y" for name in names]


def forget():
    """Drop what earlier checks left."""
    shutil.rmtree(_kept(), ignore_errors=True)


def keep(folder, name):
    """Keep the counters that a guest left in its control folder, if it left any."""
    if folder.is_dir():
        target = _kept() / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target)


def counts(build, kept):
    """{file below DRIVER: {line number: Line}}, added up over all guests."""
    total = {}
    for data in sorted(kept.rglob("*.gcda")):
        name = str(data).rpartition(f"/{DRIVER}/")[2]
        with tempfile.TemporaryDirectory() as work:
            shutil.copy(data, Path(work) / data.name)
            shutil.copy((build / DRIVER / name).with_suffix(".gcno"), work)
            done = run(["gcov", "--json-format", "--stdout", data.name], cwd=work)
        add(total, done.stdout)
    return total


def add(total, text):
    """Add one gcov JSON text to total."""
    for line in filter(None, text.splitlines()):
        for entry in json.loads(line)["files"]:
            name = entry["file"].rpartition(f"{DRIVER}/")[2]
            if not _is_ours(entry["file"], name):
                continue
            own = total.setdefault(name, {})
            for row in entry["lines"]:
                own.setdefault(row["line_number"], Line(row.get("function_name", ""))).times += row["count"]


def _is_ours(path, name):
    return f"{DRIVER}/" in path and (name.split("/")[0] in OURS or name in FILES)


def uncovered(total, driver, rules):
    """[(file:line, source text, reason or nothing)]"""
    rows = []
    for name, lines in sorted(total.items()):
        source = (driver / name).read_text().splitlines()
        for number in sorted(number for number, line in lines.items() if not line.times):
            text = source[number - 1].strip() if number <= len(source) else ""
            place = f"{name}:{lines[number].function}"
            reasons = [rule.reason for rule in rules if rule.covers(place) and re.search(rule.what, text)]
            rows.append((f"{name}:{number}", text, (reasons or [""])[0]))
    return rows


def table(total):
    """The report's lines: each file, then each folder."""
    yield f"  {'file':28} {'lines':>6} {'covered':>8} {'':>7}"
    for name in sorted(total):
        yield _row(name, [total[name]])
    for folder in OURS:
        own = [lines for name, lines in total.items() if name.startswith(f"{folder}/")]
        if own:
            yield _row(f"{folder}/, all of it", own)


def _row(name, parts):
    lines, covered = _sum(parts)
    return f"  {name:28} {lines:6} {covered:8} {100 * covered / lines if lines else 0:6.1f}%"


def _sum(parts):
    return sum(map(len, parts)), sum(bool(line.times) for part in parts for line in part.values())


def report(build, out, kept=None, driver=common.ROOT / DRIVER):
    """Print the table, write out/results/coverage.txt; yields the verdict as a case."""
    total = counts(Path(build), kept or _kept())
    lines, covered = _sum([part for name, part in total.items() if name.startswith("vm/")])
    if not lines:
        raise Failure("gcov: no counters of drivers/gpu/drm/msm/vm were left by any guest")
    shown = list(table(total))
    missed = uncovered(total, driver, expect.load("coverage.txt"))
    text = shown + ["", "lines that no test reached:"]
    text += [f"{place}: {source}" + (f"   # {reason}" if reason else "") for place, source, reason in missed]
    path = common.OUT / "results" / "coverage.txt"
    write_atomic(path, ("\n".join(text) + "\n").encode())
    for line in ["", *shown, f"  uncovered lines: {path}"]:
        out(line)
    percent = 100 * covered / lines
    yield Case("coverage", "vm", PASS if percent >= TARGET else FAIL,
               detail="" if percent >= TARGET else f"{percent:.1f} % of drivers/gpu/drm/msm/vm, {TARGET:.0f} are wanted")
