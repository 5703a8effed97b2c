# SPDX-License-Identifier: GPL-2.0-only
"""IGT tests in the guest: the script that runs igt_runner, the live lines, the verdict on its results.json."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lab import expect
from lab.report import FAIL, PASS, SKIP, Case

# What igt_runner says of a program, and of a subtest of it
PROGRAM = re.compile(rb"^\[[^\]]*\] \[\s*(\d+)/(\d+)\] (\S+)")
STARTED = re.compile(rb"^Starting subtest: (\S+)")
ENDED = re.compile(rb"^Subtest (\S+): ([A-Z]+) \(([\d.]+)s\)")
WORDS = {"SUCCESS": PASS, "FAIL": FAIL, "SKIP": SKIP}
STOCK = "/tmp/stock"
SECONDS = 360
# Results of igt_runner that are passes once their kernel messages are explained.
WITH_MESSAGES = {"dmesg-warn": PASS, "dmesg-fail": FAIL}
MESSAGE = re.compile(r"^<\d> \[[\d.]+\] ?(?:\[[^\]]*\] )?")

# igt_runner asks every program of its test root for its subtests, hundreds in the package's own folder:
# a root of six programs makes that seconds instead of minutes under emulation.
STOCK_ROOT = """\
mkdir -p /tmp/stock && ln -s /usr/libexec/igt-gpu-tools/msm /tmp/stock/msm
{ echo TESTLIST; (cd /usr/libexec/igt-gpu-tools && ls msm/msm_*); echo "END TESTLIST"; } > /tmp/stock/test-list.txt
"""
# VMs go in workers and hold the module until they are gone.
SETTLE = """\
for i in $(seq 200); do [ "$(cat /sys/module/msm/refcnt 2>/dev/null || echo 0)" != 0 ] && sleep 0.1 || break; done
"""
REMOVE = SETTLE + """\
echo LAB-REMOVE
modprobe -r msm 2>&1 && echo LAB-REMOVED
"""
# igt_runner writes a lot while a test runs, which costs more than the test where the folder is the host's (9p): so it
# writes to memory, and the host gets all of it at the end. Its own lines say which test runs. Over its socket, which is
# the default, igt_runner 2.5 gives what a test says on stderr to another subtest, or to none.
SCRIPT = """\
export MSM_TIMEOUT_SCALE={scale} IGT_RUNNER_DISABLE_SOCKET_COMMUNICATION=1
for file in /sys/kernel/debug/dri/*/hangcheck_period_ms; do
	[ -w "$file" ] && echo {hangcheck} > "$file"
done
stdbuf -oL igt_runner -o {mode} -l verbose --per-test-timeout {timeout} {filters} {root} /tmp/results 2>&1
cp -r /tmp/results/. /results/{name}
for dump in /sys/class/devcoredump/devcd*/data; do
	[ -e "$dump" ] || continue
	head -c 8192 "$dump" > "/results/{name}/devcoredump-$(basename "$(dirname "$dump")").txt"
	echo 1 > "$dump"
done
""" + REMOVE


@dataclass
class Plan:
    """One call of igt_runner."""

    suite: str
    root: str
    patterns: tuple
    results: Path       # on the host; /results in the guest is its parent
    slow: bool          # TCG
    seconds: int = SECONDS      # for one test, where slow
    # Each subtest in a process of its own: where one may be killed for lack of memory. Else a program is started once,
    # which under emulation takes longer than most subtests.
    apart: bool = False

    def script(self):
        filters = " ".join(f"-t '{pattern}'" for pattern in self.patterns)
        before = STOCK_ROOT if self.root == STOCK else ""
        return before + SCRIPT.format(root=self.root, name=self.results.name, filters=filters,
                                      timeout=self.seconds if self.slow else 150, mode="" if self.apart else "-m",
                                      scale=4 if self.slow else 1, hangcheck=3000 if self.slow else 500)


class Live:
    """Turns igt_runner's lines into one per finished test; also knows whether msm went away."""

    def __init__(self, show):
        self.show = show
        self.program, self.running = None, None
        self.removal, self.removed = [], False

    def line(self, raw):
        program, started, ended = PROGRAM.match(raw), STARTED.match(raw), ENDED.match(raw)
        if ended and self.running == ended[1].decode():
            word = ended[2].decode()
            self._end(WORDS.get(word, word.lower()), float(ended[3]))
        elif started:
            self.finish()
            self.running = started[1].decode()
        elif program:
            self.finish()
            self.program = (int(program[1]), int(program[2]), program[3].decode())
        elif raw.startswith(b"LAB-REMOVE"):
            self.finish()
            self.removed = self.removed or raw == b"LAB-REMOVED"
            self.removal.append(raw.decode(errors="replace"))

    def finish(self):
        """No more lines come from the test that runs: it crashed, or was killed."""
        if self.running:
            self._end("?   ", 0.0)

    def _end(self, word, seconds):
        self.show(*(self.program or (0, 0, "?")), self.running, word, seconds)
        self.running = None


def cases(plan, live):
    """Cases of a finished run, expectations applied."""
    results = expect.load("results.txt")
    messages = expect.load("log.txt")
    try:
        tests = json.loads((plan.results / "results.json").read_text())["tests"]
    except (OSError, ValueError, KeyError):
        yield Case(plan.suite, "igt_runner", FAIL, detail="no results.json: the run was cut short")
        return
    if not tests:
        yield Case(plan.suite, "igt_runner", FAIL, detail="igt_runner found no test to run")
        return
    for full, test in tests.items():
        name = full.removeprefix("igt@").removeprefix("msm/").replace("@", "/")
        outcome, detail = _outcome(name, test, messages)
        outcome, detail, note = expect.judge(name, outcome, detail, results)
        yield Case(plan.suite, name, outcome, _seconds(test), detail, note)
    yield from _dumps(plan)
    yield removal(plan.suite, live)


def removal(suite, live):
    """The case about the module, which must go when its users are gone."""
    return Case(suite, "msm-removal", PASS if live.removed else FAIL,
                detail="" if live.removed else "modprobe -r msm: " + " / ".join(live.removal[-2:]))


def _outcome(name, test, rules):
    result = test.get("result", "incomplete")
    if result in (PASS, FAIL, SKIP):
        return result, _reason(test)
    if result in WITH_MESSAGES:
        lines = [MESSAGE.sub("", line) for line in test.get("dmesg-warnings", "").splitlines()]
        bad = expect.unexplained(name, [line for line in lines if line.strip()], rules)
        if bad:
            return FAIL, "kernel messages: " + " / ".join(bad[:3])
        return WITH_MESSAGES[result], _reason(test)
    return FAIL, f"{result}; the last that it said: {_last(test)}"      # crash, timeout, incomplete, abort


def _lines(test):
    return (test.get("out", "") + "\n" + test.get("err", "")).strip().splitlines()


def _last(test):
    return (_lines(test) or ["nothing"])[-1].strip()


def _reason(test):
    """What the test's own output says of why it failed or was skipped."""
    lines = _lines(test)
    errno = [f" ({line.partition('CRITICAL: ')[2]})" for line in lines if "CRITICAL: Last errno: " in line][:1]
    for mark in ("Failed assertion:", "No known gpu", "Test requirement:", "error:", "Subtest "):
        found = [line.strip() for line in lines if mark in line]
        if found:
            return found[-1 if mark == "Subtest " else 0] + "".join(errno)
    return _last(test)


def _seconds(test):
    span = test.get("time") or {}
    return float(span.get("end", 0.0)) - float(span.get("start", 0.0))


def _dumps(plan):
    """A crash dump that is still there belongs to a test that is known to leave one."""
    rules = expect.load("devcoredump.txt")
    bad = []
    for path in sorted(plan.results.glob("devcoredump-*.txt")):
        text = path.read_text(errors="replace")
        if expect.unexplained(plan.suite, [text], rules):
            bad.append(f"{path.name}: " + " ".join(re.findall(r"comm: .*|iova=\S+", text)))
    yield Case(plan.suite, "devcoredumps-explained", FAIL if bad else PASS, detail=" / ".join(bad))

