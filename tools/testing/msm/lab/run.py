# SPDX-License-Identifier: GPL-2.0-only
"""make run: all set-up, then the guest shows what the series does, in two screens."""

import argparse
import os
import re
import shutil
import textwrap
import time

from lab import arch as arches, check, common, expect, health, igtrun, report, suites, vulkanrun
from lab.common import Failure, say
from lab.progress import clock

# A quick part of Debian's 60 subtests; `make check` runs them all.
PATTERNS = ("^igt@msm/msm_submit@", "^igt@msm/msm_bo@", "^igt@msm/msm_mapping@(ring|shadow|memptrs)$",
            "^igt@msm/msm_recovery@(gpu-fault|iova-fault)$")
ABOUT = """\
echo "LAB-ABOUT kernel: $(uname -srm)"
for node in /sys/class/drm/card*; do
	[ -e "$node/device/driver" ] || continue
	echo "LAB-ABOUT device: /dev/dri/${node##*/}, driver $(basename "$(readlink -f "$node/device/driver")"), $(cat "$node/device/modalias")"
done
dmesg | grep -E '\\[drm\\] Initialized msm|vgpu' | grep -v 'ommand line' | sed 's/^\\[[^]]*\\] */LAB-ABOUT log:    /' | head -3
"""
SHOWS = """
show() {
	echo "LAB-SHOW $1"
	shift
	"$@"
	echo "LAB-SHOWN $?"
}
show vm_walk /tests/vm_walk
. /tests/vulkan/turnip.sh
show vk_demo /tests/vulkan/vk_demo /results 2> /results/run/vk_demo.stderr.txt
"""


class Show:
    """Sorts the guest's lines to where a person expects them."""

    def __init__(self, plan, started):
        self.live = igtrun.Live(self._test)
        self.started, self.showing = started, None
        self.shown = dict.fromkeys(("vm_walk", "vk_demo"))      # exit statuses
        self.found = {}

    def line(self, raw):
        text = raw.decode(errors="replace")
        if text.startswith("LAB-ABOUT "):
            say(f"  {text[10:]}")
        elif text.startswith("LAB-SHOWN "):
            self.shown[self.showing], self.showing = int(text.split()[1]), None
        elif text.startswith("LAB-SHOW "):
            self.showing = text.split()[1]
            self.live.finish()
            say("")
        elif self.showing:
            say(text)
        else:
            self.live.line(raw)

    def _test(self, number, total, program, subtest, word, seconds):
        name = f"{program.removeprefix('msm/')}/{subtest}"
        rule = expect.known(name, word, expect.load("results.txt"))
        mark = "known" if rule else suites.MARK.get(word, word)
        why = ": " + re.split(r"[:(]", rule.reason)[0].strip() if rule else ""
        say("  " + textwrap.shorten(f"[{number:2}/{total}] {mark:5} {name}{why}", 96, placeholder=" ..."))


def _script(plan, with_igt):
    """The plan's own script with our parts before its runner and before the removal of msm."""
    tests = plan.script().removesuffix(igtrun.REMOVE) if with_igt else ""
    return ABOUT + tests + SHOWS + igtrun.REMOVE


def run(context, started):
    """Boot, show; return the cases."""
    results = suites.RESULTS / "run"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    for name in vulkanrun.PICTURES:
        (suites.RESULTS / name).unlink(missing_ok=True)
    guest = context.guest("run", memory=1024, idle=300)
    plan = igtrun.Plan("run", igtrun.STOCK, PATTERNS, results, slow=not guest.fast())
    how = "KVM" if guest.fast() else "TCG, emulated"
    say(f"guest: {context.arch.name}, {context.flavour} kernel, {how}; ready {clock(time.monotonic() - started)} after the start")
    show, missing = Show(plan, started), list(suites.not_here(context, "run"))
    outcome = guest.run(_script(plan, not missing), show.line)
    if outcome.explain():
        raise Failure(outcome.explain())
    cases = [*missing, igtrun.removal("run", show.live)] if missing else list(igtrun.cases(plan, show.live))
    for name, status in show.shown.items():
        cases.append(report.Case("run", name, report.PASS if status == 0 else report.FAIL,
                                 detail="" if status == 0 else f"it ended with status {status}"))
    return cases + list(health.check("run", outcome, context.lockdep)), outcome


def summary(cases):
    """A line per program: how many passed of how many, and what was expected to fail."""
    programs = {}
    for case in cases:
        programs.setdefault(re.split("/", case.name)[0] if "/" in case.name else "guest", []).append(case)
    yield f"\n  {'program':18} {'passed':>7} {'failed':>7} {'skipped':>8}  of these, failing for a known reason"
    for name, own in programs.items():
        passed, failed, skipped = report.count(own)
        known = sum(bool(case.note) for case in own)
        yield f"  {name:18} {passed:7} {failed:7} {skipped:8}  {known or '-'}"
    for case in cases:
        if case.outcome == report.FAIL:
            yield f"  FAILED {case.name}: {case.detail.splitlines()[0] if case.detail else ''}"


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py run", description=__doc__)
    parser.add_argument("--flavour", default=os.environ.get("FLAVOUR") or "plain")
    parser.add_argument("--arch")
    parser.add_argument("--build", help="a kernel build folder instead of the lab's own")
    args = parser.parse_args(argv)
    started, arch = time.monotonic(), arches.get(args.arch)
    context = check.context(arch, args, ("igt", "igt-stock"))
    with common.exclusive(suites.RESULTS):
        cases, outcome = run(context, started)
    for line in summary(cases):
        say(line)
    say("\n" + "\n".join(f"picture: {suites.RESULTS / name}" for name in vulkanrun.PICTURES if (suites.RESULTS / name).exists()))
    say(f"kernel log: {outcome.log}; a shell in this guest: make guest; all tests: make check")
    return 0 if report.succeeded(cases) else 1
