# SPDX-License-Identifier: GPL-2.0-only
"""What CI runs: the README's test command, check-series, lint, and arm64 under emulation.

Each step is a process of its own; its last `N passed, N failed, N skipped`
line is added up, and a step without one counts as one test.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab import common
from lab.common import say
from lab.progress import clock

LAB = Path(__file__).resolve().parents[1] / "lab.py"
STEPS = (
    ("make check", ["make", "--no-print-directory", "check"], {}),
    # In this order: the last commit's objects are then in ccache.
    ("make check-series", ["make", "--no-print-directory", "check-series"], {}),
    ("make lint", ["make", "--no-print-directory", "lint"], {}),
    ("arm64: cross build, boot, KUnit", ["make", "--no-print-directory", "check"],
     {"ARCH": "arm64", "FLAVOUR": "plain", "SUITE": "kunit"}),
)
TOTAL = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


def step(name, argv, extra):
    """Run one step with its output shown; return (passed, failed, skipped)."""
    say(f"\n=== {name}")
    started, last = time.monotonic(), None
    env = dict(os.environ, CI="true", **extra)
    with subprocess.Popen(argv, cwd=common.ROOT, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          start_new_session=True) as child:
        try:
            for line in child.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                last = TOTAL.match(line.rstrip()) or last
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)    # make and all its children, which end at their own pace
            child.communicate()
            raise
    say(f"=== {name}: exit status {child.returncode}, {clock(time.monotonic() - started)}")
    return totals(child.returncode, last)


def totals(status, last):
    """Counts of a step from its exit status and its last line of counts, if there was one."""
    passed, failed, skipped = map(int, last.groups()) if last else (int(status == 0), 0, 0)
    if status and not failed:
        failed = 1
    return passed, failed, skipped


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py ci", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(argv)
    results = [step(*each) for each in STEPS]
    say("")
    for (name, _, _), (passed, failed, skipped) in zip(STEPS, results):
        say(f"{name:34} {passed:5} passed {failed:4} failed {skipped:4} skipped")
    passed, failed, skipped = (sum(column) for column in zip(*results))
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0
