# SPDX-License-Identifier: GPL-2.0-only
"""Break the driver on purpose, one line at a time, and see that a test notices.

mutants.txt says what to break and which tests must fail:

    [name] FILE[:FUNCTION] | TEST ...
    -code as it is, one or more lines, found once in the file or function
    +code instead of it, or nothing

TEST is kunit:SUITE[.CASE], PROGRAM@SUBTEST of our IGT tests or vk_PROGRAM/TEST. All mutants are
built into one msm.ko, a copy of the driver outside of out/tree, and sleep until
the module is loaded with mutant=NUMBER. A mutant is caught when a test fails, the
kernel complains, the module cannot be removed, or the guest dies; a guest whose
kernel has complained is left for a new one. First comes number 0, the driver as
it is, with all tests that are named: they must pass. Guests run side by side, as
those of `make check` do.
"""

import argparse
import itertools
import os
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab import arch as arches, check, common, deps, expect, health, igtrun, kernel, programs, qemu, report, rootfs
from lab.common import Failure, say
from lab.guest import Guest, Options
from lab.report import FAIL, PASS, SKIP, Case

TABLE = Path(__file__).resolve().parents[1] / "mutants.txt"
DRIVER = "drivers/gpu/drm/msm"
HEAD = re.compile(r"^\[([\w-]+)\] ([\w./]+)(?::(\w+))? \| (.+)$")
TEST = re.compile(r"^(kunit:[\w-]+(\.\w+)?|\w+@[\w-]+|vk_\w+/[\w-]+)$")
# A kernel that has complained is not to be trusted with the next mutant, and it is to go quickly.
DIE = ("panic_on_warn=1", "oops=panic", "softlockup_panic=1", "hung_task_panic=1")
CONTROL = "the driver as it is"
BATCH = 16      # mutants for one guest: a boot costs about as much as a mutant
DEFINITION = """
unsigned int msm_mutant;
module_param_named(mutant, msm_mutant, uint, 0444);
"""
# The console is where the kernel's own messages are; the marks tell whose they are.
SCRIPT = """\
export MSM_TIMEOUT_SCALE=2
mark() {{ echo "LAB-MUTANT $*" >/dev/kmsg; }}
unit() {{
	printf %s "$1" >/sys/module/kunit/parameters/filter_glob
	rm -f /tmp/kunit
	timeout -k 10 200 modprobe msm_test && cat /sys/kernel/debug/kunit/*/results >/tmp/kunit
	timeout -k 10 60 rmmod msm_test	# not modprobe -r, which removes msm, too
	[ -s /tmp/kunit ] || {{ mark failed "kunit:$1": no result; return; }}
	! grep -q '^not ok' /tmp/kunit || mark failed "kunit:$1": "$(sed -n 's/^ *not ok [0-9]* \\([^ ]*\\).*/\\1/p' /tmp/kunit | head -n 1)"
}}
igt() {{
	timeout -k 10 90 /tests/${{1%@*}} --run-subtest ${{1#*@}} >/tmp/igt 2>&1
	status=$?
	case $status in
	0) ;;
	77 | 79) mark skipped "$1": "$(grep -m 1 -E 'requirement|Unknown' /tmp/igt)" ;;
	124 | 137) mark failed "$1": no end ;;
	*) mark failed "$1": "$(grep -m 1 -oE 'Failed assertion: .*' /tmp/igt || echo status $status)" ;;
	esac
}}
vk() {{
	# by way of cat: pages of a file in /tmp would count as the program's, some of which look at theirs
	(. /tests/vulkan/turnip.sh; timeout -k 10 180 /tests/vulkan/${{1%/*}} ${{1#*/}}; echo "status $?") 2>&1 | cat >/tmp/vk
	status=$(sed -n 's/^status //p' /tmp/vk)
	case $status in
	0) ;;
	124 | 137) mark failed "$1": no end ;;
	*) mark failed "$1": "$(grep -m 1 '^FAIL' /tmp/vk || echo status $status)" ;;
	esac
}}
for job in {jobs}; do
	number=${{job%%:*}} tests=${{job#*:}}
	mark begin $number
	case $tests in
	*@* | vk_*) modprobe msm vgpu=1 mutant=$number || mark failed load ;;
	*) modprobe msm mutant=$number || mark failed load ;;
	esac
	for file in /sys/kernel/debug/dri/*/hangcheck_period_ms; do
		[ ! -w "$file" ] || echo 3000 >"$file"
	done
	for test in $(echo $tests | tr , ' '); do
		[ $number != 0 ] || echo "LAB-TEST $test"
		case $test in
		kunit:*) unit "${{test#*:}}" ;;
		vk_*) vk "$test" ;;
		*) igt "$test" ;;
		esac
	done
	for dump in /sys/class/devcoredump/devcd*/data; do [ ! -e $dump ] || echo 1 >$dump; done
	{settle}	timeout -k 10 60 modprobe -r msm || mark failed removal of the module
	mark end $number
	echo "LAB-MUTANT end $number"
	# Of what is said without a panic.
	! dmesg | grep -v LAB-MUTANT | grep -qE '{splat}' || exit 0
	[ ! -d /sys/module/msm ] || exit 0
done
"""


@dataclass
class Mutant:
    number: int
    name: str
    file: str
    function: str
    tests: list
    old: str = ""
    new: str = ""


def load(text):
    """The mutants of a table, numbered from 1."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        head = HEAD.match(line)
        if head:
            found.append(Mutant(len(found) + 1, head[1], head[2], head[3] or "", head[4].split()))
        elif line[:1] in ("-", "+") and found:
            part = "old" if line[0] == "-" else "new"
            setattr(found[-1], part, "\n".join(filter(None, [getattr(found[-1], part), line[1:].strip()])))
        elif line.strip() and not line.startswith("#"):
            raise Failure(f"mutants.txt:{number}: neither a mutant nor a line of one")
    _check(found)
    return found


def _check(mutants):
    names = [mutant.name for mutant in mutants]
    for mutant in mutants:
        bad = [test for test in mutant.tests if not TEST.match(test)]
        if bad or not mutant.old or names.count(mutant.name) > 1:
            raise Failure(f"mutant {mutant.name}: " + (f"{bad[0]} is no test" if bad else
                                                       "its name is there twice" if mutant.old else "no line to break"))


def _body(source, function):
    """(start, end) of a function in source, all of it without a name."""
    if not function:
        return 0, len(source)
    match = re.search(rf"^[a-z][^;{{}}\n]*\b{function}\([^;{{}}]*\)\n{{.*?^}}", source, re.M | re.S)
    if not match:
        raise Failure(f"mutants: no function {function}")
    return match.span()


def _spot(source, mutant):
    """(start, end) of its code, whatever the blanks between the words."""
    start, end = _body(source, mutant.function)
    pattern = r"\s+".join(re.escape(word) for word in mutant.old.split())
    found = [match.span() for match in re.finditer(pattern, source[start:end])]
    if len(found) != 1:
        raise Failure(f"mutant {mutant.name}: its code is {len(found)} times in {mutant.file}")
    return start + found[0][0], start + found[0][1]


def _asleep(mutant, old):
    test = f"msm_mutant == {mutant.number}"
    if mutant.old.endswith(";"):
        return f"{{ if ({test}) {{ {mutant.new} }} else {{ {old} }} }}"
    return f"(({test}) ? ({mutant.new}) : ({old}))"


def _weave(source, start, end, spots):
    """source[start:end] with the mutants of these spots in it; one may lie inside of another."""
    text, at = "", start
    while spots:
        (first, last, mutant), spots = spots[0], spots[1:]
        inner = list(itertools.takewhile(lambda spot: spot[0] < last, spots))
        if any(spot[1] > last for spot in inner):
            raise Failure(f"mutant {mutant.name}: its code overlaps with another one's")
        spots = spots[len(inner):]
        text += source[at:first] + _asleep(mutant, _weave(source, first, last, inner))
        at = last
    return text + source[at:end]


def apply(source, mutants):
    """source with all of these mutants in it, asleep."""
    spots = [(*_spot(source, mutant), mutant) for mutant in mutants]
    spots.sort(key=lambda spot: (spot[0], -spot[1], spot[2].number))
    return _weave(source, 0, len(source), spots)


def plant(mutants, source, target):
    """Copy the driver and plant the mutants in it; a file that stays as it was is not touched."""
    files = [path for path in source.rglob("*") if path.is_file() and path.suffix not in (".o", ".ko", ".cmd", ".mod")]
    wanted = {path.relative_to(source).as_posix(): path.read_bytes() for path in files}
    for name in {mutant.file for mutant in mutants}:
        text = apply(wanted[name].decode(), [mutant for mutant in mutants if mutant.file == name])
        wanted[name] = b"extern unsigned int msm_mutant;\n" + text.encode()
    wanted["msm_drv.c"] += DEFINITION.encode()
    wanted.update({f"../{path.name}": path.read_bytes() for path in source.parent.glob("*.h")})
    for name, data in wanted.items():
        path = target / name
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def build(arch, mutants, out):
    """A build folder that is the checking kernel's, but for msm.ko."""
    base, here = kernel.make(arch, "debug", out), common.OUT / "mutants"
    plant(mutants, common.OUT / "tree" / DRIVER, here / DRIVER)
    out(f"mutants: building msm.ko with {len(mutants)} of them; a minute or two")
    kernel.Builder(arch, "debug").make(f"M={here / DRIVER}", "modules")
    copy = here / "build"
    shutil.rmtree(copy, ignore_errors=True)
    kernel.snapshot(base, arch, copy)
    shutil.copy(here / DRIVER / "msm.ko", copy / DRIVER / "msm.ko")
    return copy


def split(console):
    """({number: [line]}, numbers that ended) of a console log; a mutant that killed the guest has no end."""
    found, ended, current = {}, set(), None
    for line in health.messages(console):
        mark = re.match(r"LAB-MUTANT (begin|end) (\d+)", line)
        if mark and mark[1] == "begin":
            current = found.setdefault(int(mark[2]), [])
        elif mark:
            ended.add(int(mark[2]))
            current = None
        elif current is not None:
            current.append(line)
    return found, ended


def verdict(lines):
    """(what noticed, tests that could not run) of a mutant's part of the console log, each a list of lines."""
    marks = [line.split(" ", 2)[1:] for line in lines if line.startswith("LAB-MUTANT ")]
    splats = health.splats("mutants", "\n".join(lines), expect.load("log.txt"))
    return [text for kind, text in marks if kind == "failed"] + splats[:1], [text for kind, text in marks if kind == "skipped"]


@dataclass
class Hunt:
    """
    A guest, and those that replace it, that tries mutants one after the other, or, as a control, the driver as it is with
    all their tests; done is {number: Case}.
    """

    mutants: list
    control: bool
    say: object
    total: int      # of all hunts
    count: object = field(default_factory=lambda: itertools.count(1))   # the same
    stop: object = field(default_factory=threading.Event)   # set: guests were ended, which is no mutant's doing
    done: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)        # of the lab
    since: float = field(default_factory=time.monotonic)

    def jobs(self):
        """{number: [test]} of what is left to do; 0 is the driver as it is."""
        everything = {mutant.number: mutant.tests for mutant in self.mutants}
        if self.control:
            everything = {0: sorted({test for tests in everything.values() for test in tests})}
        return {number: tests for number, tests in everything.items() if number not in self.done}

    def settle(self, number, lines, death=""):
        """Note how one ended and say so."""
        noticed, skipped = verdict(lines)
        noticed += [death] if death else []
        now = time.monotonic()
        took, self.since = now - self.since, now
        mutant = next((mutant for mutant in self.mutants if mutant.number == number), None)
        if mutant:
            missed = "nobody noticed" + (f"; could not run: {skipped[0]}" if skipped else "")
            case = Case(mutant.file, mutant.name, PASS if noticed else FAIL, took, "" if noticed else missed, (noticed or [""])[0])
        else:
            bad = noticed + skipped
            case = Case(CONTROL, CONTROL, FAIL if bad else PASS, took, " / ".join(bad), "" if bad else "all tests pass")
        self.done[number] = case
        word = ("caught  " if mutant else "ok      ") if case.outcome == PASS else "SURVIVED" if mutant else "FAILED  "
        self.say(f"  [{next(self.count)}/{self.total}] {word} {case.name}: {case.note or case.detail} ({took:.0f} s)")

    def line(self, log, raw):
        """A line that the guest's script prints."""
        end = re.match(rb"LAB-MUTANT end (\d+)", raw)
        if raw.startswith(b"LAB-TEST "):
            self.say(f"    {raw[9:].decode(errors='replace')}")
        if not end:
            return
        number, patience = int(end[1]), time.monotonic() + 5
        while True:     # the console is another device, and may be behind
            found, ended = split(log.read_text(errors="replace"))
            if number in ended or time.monotonic() > patience:
                break
            time.sleep(0.1)
        self.settle(number, found.get(number, []))

    def boot(self, guest):
        """One guest, until it has tried all or one was too much for it."""
        words = " ".join(f"{number}:{','.join(tests)}" for number, tests in self.jobs().items())
        before, self.since = len(self.done), time.monotonic()
        outcome = guest.run(SCRIPT.format(jobs=words, settle=igtrun.SETTLE, splat=health.SPLAT.pattern), lambda raw: self.line(guest.log, raw))
        if self.stop.is_set():
            return
        found, _ = split(guest.log.read_text(errors="replace"))
        for number in [number for number in found if number not in self.done]:
            self.settle(number, found[number], outcome.explain() or "the guest ended")
        if len(self.done) == before:
            raise Failure(f"mutants: the guest ran nothing: {outcome.explain()} (log: {guest.log})")


def table(cases):
    """The report, line by line."""
    yield ""
    yield f"{'file':24} {'caught':>7} {'survived':>9} {'not run':>8} {'time':>7}"
    for file in dict.fromkeys(case.suite for case in cases if case.suite != CONTROL):
        own = [case for case in cases if case.suite == file]
        yield "{:24} {:7} {:9} {:8} {:>7}".format(file, *report.count(own), report.clock(sum(case.seconds for case in own)))
    for case in cases:
        if case.outcome == FAIL:
            yield f"{'FAILED' if case.suite == CONTROL else 'SURVIVED'} {case.name} ({case.suite}): {case.detail}"


def setup(arch, mutants):
    """All that a guest needs; returns the build folder."""
    with common.exclusive(common.OUT):
        deps.ensure("all", arch, say)
        rootfs.make(arch, out=say)
        programs.make(arch, say)
        return build(arch, mutants, say)


def _to_the_end(arch, folder, hunt_, name):
    """Boot guests until all of a hunt is done, or one could do nothing, which is a failure of its own."""
    options = Options(name=name, vgpu=False, swap=256, timeout=0, idle=300, extra={"tests": programs.folder(arch)},
                      words=["kunit.filter=speed>slow", *DIE])
    guest = Guest(arch, folder, options)
    try:
        while hunt_.jobs() and not hunt_.stop.is_set():
            hunt_.boot(guest)
    except Failure as failure:
        say(f"  {name}: {failure}")
        hunt_.failures.append(Case("mutants", name, FAIL, detail=str(failure)))


def hunts(chosen, control):
    """All that is to be done, in batches; the driver as it is comes first, as it has the most tests."""
    parts = [chosen[at:at + BATCH] for at in range(0, len(chosen), BATCH)]
    shared = len(chosen) + control, itertools.count(1), threading.Event()
    found = [Hunt(part, False, say, *shared) for part in parts]
    return [Hunt(chosen, True, say, *shared), *found] if control else found


def hunt(arch, folder, chosen, control, at_once):
    """Cases of all that were chosen; those that an interruption left out are skipped."""
    batches = hunts(chosen, control)
    pool = ThreadPoolExecutor(at_once or check.lanes(range(len(batches)), len(os.sched_getaffinity(0)), check.free_memory()))
    try:
        for running in [pool.submit(_to_the_end, arch, folder, batch, f"mutants-{number}") for number, batch in enumerate(batches)]:
            running.result()
    except BaseException as error:
        batches[0].stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        qemu.Process.end_all()
        if not isinstance(error, KeyboardInterrupt):
            raise
        say("mutants: interrupted")
    finally:
        pool.shutdown()
    done = {number: case for batch in batches for number, case in batch.done.items()}
    rest = [Case(mutant.file, mutant.name, SKIP, detail="not run") for mutant in chosen if mutant.number not in done]
    return [*(done[number] for number in sorted(done)), *(case for batch in batches for case in batch.failures), *rest]


def _words(mutant):
    return f"{mutant.name:30} {mutant.file:24} {' '.join(mutant.tests)}"


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch")
    parser.add_argument("--only", default="", help="regular expression: mutants whose line in --list has it")
    parser.add_argument("--no-control", action="store_true", help="leave out the run without a mutant")
    parser.add_argument("--list", action="store_true", help="name the mutants and their tests, run nothing")
    parser.add_argument("--at-once", type=int, default=os.environ.get("GUESTS") or 0, help="guests at a time "
                        "(default: as CPUs and memory allow)")
    args = parser.parse_args(argv)
    arch, mutants = arches.get(args.arch), load(TABLE.read_text())
    chosen = [mutant for mutant in mutants if re.search(args.only, _words(mutant))]
    if args.at_once < 0:
        raise Failure(f"GUESTS={args.at_once}: how many at a time, 1 or more; 0: as CPUs and memory allow")
    if args.list:
        for mutant in chosen:
            say(_words(mutant))
        return 0
    if not chosen:
        raise Failure(f"no mutant has {args.only}")
    started = time.monotonic()
    cases = hunt(arch, setup(arch, mutants), chosen, not args.no_control, args.at_once)
    for line in table(cases):
        say(line)
    path = common.OUT / "results" / "mutants.xml"
    report.junit(cases, {case.suite: (0.0, "") for case in cases}, path)
    say(f"junit: {path}; consoles of the guests: {common.OUT / 'log'}/mutants-*.console.log; "
        f"all of it took {report.clock(time.monotonic() - started)}")
    say(report.last_line(cases))
    return 0 if report.succeeded(cases) else 1
