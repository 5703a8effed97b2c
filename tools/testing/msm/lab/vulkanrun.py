# SPDX-License-Identifier: GPL-2.0-only
"""Vulkan programs in the guest: the script that runs them, the live lines, the verdict on what they printed.

A program prints how many tests it has, "1..N", then "ok NAME" or
"FAIL NAME: why" for each; that all N came is part of the verdict.
"""

import re
import time
from dataclasses import dataclass, field

from lab import health, igtrun
from lab.report import FAIL, PASS, Case

PROGRAMS = ("vk_sparse_buffer", "vk_sync", "vk_transfer", "vk_commands", "vk_image", "vk_robust", "vk_lost")
# What `make run` shows; it compares its pictures itself.
DEMO = "vk_demo"
PICTURES = ("demo.png", "va-map.svg")
# These hang the GPU on purpose
UPSETTING = ("vk_robust", "vk_lost")
# With tlb_strict the GPU compares each translation with the tables in memory, and counts those that are stale.
# Its folder is there once somebody has opened the device: vulkaninfo.
SCRIPT = f"""\
. /tests/vulkan/turnip.sh
vulkaninfo > /results/vulkan/vulkaninfo.txt 2>&1
for file in /sys/kernel/debug/dri/*/vgpu/tlb_strict; do
	[ -w "$file" ] && echo 1 > "$file"
done
echo "LAB-PROGRAM {DEMO}"
/tests/vulkan/{DEMO} /results/vulkan > /results/vulkan/{DEMO}.txt 2>&1
echo "LAB-ENDED $?"
for program in {' '.join(PROGRAMS)}; do
	echo "LAB-PROGRAM $program"
	echo "vulkan: $program" > /dev/kmsg
	/tests/vulkan/$program 2> /results/vulkan/$program.stderr.txt
	echo "LAB-ENDED $?"
	for dump in /sys/class/devcoredump/devcd*/data; do
		[ -e "$dump" ] || continue
		echo "LAB-DUMP $(grep -a -m1 '^comm: ' "$dump")"
		echo 1 > "$dump"
	done
done
echo "LAB-STRICT $(sort -u /sys/kernel/debug/dri/*/vgpu/tlb_strict)"
for count in stale_hits faults; do
	echo "LAB-COUNT $count $(cat /sys/kernel/debug/dri/*/vgpu/stats | awk -v c=$count '$1 == c {{ n += $2; seen = 1 }} END {{ print seen ? n : "?" }}')"
done
{igtrun.SETTLE}modprobe -r msm 2>&1 && echo LAB-REMOVED
"""
# What vulkaninfo must say, as it words it
INFO = {"deviceName": "Turnip Adreno (TM) 650", "driverName": "turnip Mesa driver", "sparseBinding": "true",
        "sparseResidencyBuffer": "true", "sparseResidencyAliased": "true"}
VERDICT = re.compile(r"^(ok|FAIL) ([\w-]+)(?:: (.*))?$")
# Messages about the GPU that are no splats: what no program may cause, and what only those may that hang it on purpose
FAULT = re.compile(r"[*]{3} (?:gpu )?fault|stale translation")
HANG = re.compile(r"gpu fault ring|hangcheck|offending task|CP .*error|devcoredump")


@dataclass
class Program:
    """A program that was started, and what it printed."""

    name: str
    total: int = 0
    status: int = -1        # until it ended
    cases: list = field(default_factory=list)
    dumps: list = field(default_factory=list)       # of whom the crash dumps are that it left


class Live:
    """Reads the guest's lines."""

    def __init__(self, show, clock=time.monotonic):
        self.show, self.clock = show, clock
        self.programs, self.removed, self.strict = [], False, ""
        self.counts = {}        # of the virtual GPU, by their names
        self.since = clock()

    def line(self, raw):
        text = raw.decode(errors="replace").rstrip()
        if text.startswith("LAB-PROGRAM "):
            self.programs.append(Program(text.split()[1]))
            self.since = self.clock()
        elif text == "LAB-REMOVED":
            self.removed = True
        elif text.startswith("LAB-STRICT "):
            self.strict = text.removeprefix("LAB-STRICT ")
        elif re.fullmatch(r"LAB-COUNT \w+ \S+", text):
            self.counts[text.split()[1]] = text.split()[2]
        elif self.programs:
            self._of_program(self.programs[-1], text)

    def _of_program(self, program, text):
        verdict = VERDICT.match(text)
        if verdict:
            self._ended(program, *verdict.groups())
        elif re.fullmatch(r"1\.\.\d+", text):
            program.total = int(text[3:])
        elif re.fullmatch(r"LAB-ENDED \d+", text):
            program.status = int(text.split()[1])
        elif text.startswith("LAB-DUMP "):
            program.dumps.append(text.removeprefix("LAB-DUMP ").removeprefix("comm: "))

    def _ended(self, program, word, test, why):
        now = self.clock()
        outcome = PASS if word == "ok" else FAIL
        name = f"{program.name}/{test}"
        program.cases.append(Case("vulkan", name, outcome, now - self.since, why or ""))
        self.show(len(program.cases), program.total, name, outcome, now - self.since)
        self.since = now


def cases(live, results, log):
    """Cases of a finished run."""
    yield from _info(results / "vulkaninfo.txt")
    yield from _demo([program for program in live.programs if program.name == DEMO], results)
    for name in PROGRAMS:
        found = [program for program in live.programs if program.name == name]
        yield from _program(found[0] if found else Program(name))
    upset = list(_upset(health.messages(log.read_text(errors="replace"))))
    faults, stale = live.counts.get("faults", "?"), live.counts.get("stale_hits", "?")
    yield _case("no-gpu-fault", not upset and faults == "0", " / ".join([f"the GPU counted {faults}", *upset[:3]]))
    yield _case("no-stale-translation", stale == "0" and live.strict == "1",
                f"the GPU used {stale} translations that the tables had no more (it looks for them: {live.strict or '?'})")
    dumps = [f"{program.name}: of {comm or '?'}" for program in live.programs for comm in program.dumps
             if program.name not in UPSETTING or comm != program.name]
    yield _case("devcoredumps-explained", not dumps, " / ".join(dumps[:3]))
    yield _case("msm-removal", live.removed, "modprobe -r msm failed, or the run was cut short")


def _upset(messages):
    """Messages about the GPU that the program running at that time must not cause."""
    running = ""
    for line in messages:
        start = re.fullmatch(r"vulkan: (\w+)", line)
        if start:
            running = start[1]
        elif FAULT.search(line) or HANG.search(line) and running not in UPSETTING:
            yield line


def _info(path):
    """A case for each thing that vulkaninfo must say."""
    text = path.read_text(errors="replace") if path.exists() else ""
    said = dict(re.findall(r"^\s*(\w+)\s+= (.*?)\s*$", text, re.M))
    errors = [line.strip() for line in text.splitlines() if "ERROR" in line or "TU: error" in line]
    for name, wanted in INFO.items():
        reason = f"is {said[name]!r} instead of {wanted!r}" if name in said else f"not reported: {(errors or ['no output'])[-1]}"
        yield _case(f"vulkaninfo/{name}", said.get(name) == wanted, reason)


def _demo(started, results):
    status = started[0].status if started else -1
    missing = [name for name in PICTURES if not (results / name).exists()]
    yield _case(f"{DEMO}/pictures", status == 0 and not missing,
                f"exit status {status}{', without ' if missing else ''}{' and '.join(missing)}; {results}/{DEMO}.txt has its words")


def _program(program):
    yield from program.cases
    count = len(program.cases)
    complete = program.total > 0 and count == program.total
    yield _case(f"{program.name}/complete", complete, f"{count} of {program.total or '?'} tests ended")
    bad = any(case.outcome == FAIL for case in program.cases)
    yield _case(f"{program.name}/exit-status", program.status == int(bad), f"it is {program.status}")


def _case(name, good, detail):
    return Case("vulkan", name, PASS if good else FAIL, detail="" if good else detail)
