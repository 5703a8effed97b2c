# SPDX-License-Identifier: GPL-2.0-only
"""The suites of `make check`: each is a function from a Context to its cases."""

import contextlib
import io
import shutil
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab import arch as arches, common, deps, expect, fuzzrun, health, igtrun, initrd, kernel, ktap, qemu, vulkanrun
from lab.common import Failure
from lab.guest import Guest, Options
from lab.report import FAIL, PASS, SKIP, Case

RESULTS = common.OUT / "results"
MARK = {PASS: "ok  ", FAIL: "FAIL", SKIP: "skip"}
# msm_shrink fills memory and a quarter of swap, per subtest, whatever their size. Its time is spent in page faults and
# swapping under the checking kernel, so it grows with that size. But jobs in flight pin up to half of its buffers at
# once, and these must fit beside the kernel: with 256 MiB the OOM killer comes. It also came with 224 MiB of swap, all of
# it in use, since a page that was swapped in keeps its slot.
SHRINK = {"memory": 384, "swap": 384}       # MiB
SHRINK_SECONDS = 1800                       # for one subtest, where the CPU is emulated


@dataclass
class Context:
    """What the suites run on."""

    arch: object
    flavour: str
    build: Path
    tests: Path         # built IGT tests and demo
    lockdep: bool
    say: object = common.say
    slots: object = field(default_factory=lambda: threading.Semaphore(1))   # guests that may run at a time, of all suites
    busy: list = field(default_factory=list)        # seconds that each guest of this suite ran

    def guest(self, suite, **options):
        extra = {"results": RESULTS}
        if self.tests.is_dir():
            extra["tests"] = self.tests
        return Guest(self.arch, self.build, Options(name=f"check-{suite}", extra=extra, **options))

    @contextlib.contextmanager
    def turn(self):
        """Wait for one of the slots; what follows is what the suite's time counts."""
        with self.slots:
            if qemu.Process.ended:
                raise Failure("interrupted")
            started = time.monotonic()
            try:
                yield
            finally:
                self.busy.append(time.monotonic() - started)

    def boot(self, guest, script, on_line):
        """Run a script in a guest when it is its turn; return the Outcome."""
        with self.turn():
            return guest.run(script, on_line)

    def ask_kvm(self):
        """Find out about KVM now, not in several guests at once."""
        self.guest("kvm").fast()

    def show(self, number, total, name, word, seconds):
        took = f" {seconds:.1f} s" if seconds >= 1 else ""
        rule = expect.known(name.replace(" ", "/"), word, expect.load("results.txt"))
        mark = "known" if word == FAIL and rule else MARK.get(word, word)
        self.say(f"  [{number}/{total}] {mark} {name}{took}")


def log_of(suite):
    if suite == "fuzz":
        return common.OUT / "log" / "check-fuzz-vma.log"
    return common.OUT / "log" / (f"check-{suite}.console.log" if suite in BOOTED else f"check-{suite}.log")


class _Result(unittest.TextTestResult):
    """Remembers what passed and how long each test took."""

    def __init__(self, *args):
        super().__init__(*args)
        self.times, self.good = {}, []

    def startTest(self, test):
        self.times[test.id()] = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        self.times[test.id()] = time.monotonic() - self.times[test.id()]
        super().stopTest(test)

    def addSuccess(self, test):
        self.good.append(test)
        super().addSuccess(test)


def lab(context):
    """The lab's own tests, on the host."""
    here = Path(__file__).resolve().parents[1]
    found = unittest.defaultTestLoader.discover(str(here / "tests"))
    stream = io.StringIO()
    result = unittest.TextTestRunner(stream=stream, resultclass=_Result, verbosity=2, buffer=True).run(found)
    log_of("lab").write_text(stream.getvalue())
    for test in result.good:
        yield Case("lab", _name(test), PASS, result.times.get(test.id(), 0.0))
    for test, text in result.failures + result.errors:
        yield Case("lab", _name(test), FAIL, result.times.get(test.id(), 0.0), text.strip().splitlines()[-1])
    for test, reason in result.skipped:
        yield Case("lab", _name(test), SKIP, detail=reason)
    context.say(f"  {result.testsRun} tests of the lab, {len(result.good)} passed")


def fuzz(context):
    """The VMA core of the driver on the host, under libFuzzer, ASan and UBSan."""
    deps.ensure("fuzz", arches.get(arches.HOST), context.say)
    with context.turn():
        with common.exclusive(common.OUT):
            kernel.make_tree()
            fuzzrun.build(common.OUT / "tree", context.say)
        yield from fuzzrun.run(context.say)


def _name(test):
    return test.id().removeprefix("test_")


KUNIT = """\
file=/sys/kernel/debug/failslab/ignore-gfp-wait
[ -e "$file" ] && echo N > "$file"
for module in {modules}; do
	echo "LAB-MODULE $module"
	modprobe "$module" || echo "LAB-NOLOAD $module"
	for file in /sys/kernel/debug/kunit/*/results; do
		[ -e "$file" ] && cat "$file"
	done
	modprobe -r "$module" || echo "LAB-NOREMOVE $module"
done
"""


def kunit_modules(build):
    """Test modules of the series that this kernel has, in the order of modules.order."""
    order = (build / "modules.order").read_text().split()
    return [Path(line).stem for line in order if _is_ours(line)]


def _is_ours(line):
    path = Path(line)
    return "test" in path.stem and ("msm" in path.parts or path.stem.startswith("drm_gpuvm"))


def kunit(context):
    """KUnit suites of the series, as modules; each is loaded, read and removed."""
    guest = context.guest("kunit", vgpu=False)
    if guest.fast():
        yield from _complete("kunit", list(_kunit(context, "kunit", guest)))
        return
    guest.options.words.append("kunit.filter=speed>slow")
    yield from _complete("kunit", list(_kunit(context, "kunit", guest)))
    yield Case("kunit", "cases marked slow", SKIP,
               detail="1.2 million requests to drm_gpuvm, minutes where the CPU is emulated; SUITE=kunit-slow runs them")


def kunit_slow(context):
    """The same with the cases that are marked slow, as kunit runs them where there is KVM."""
    yield from _kunit(context, "kunit-slow", context.guest("kunit-slow", vgpu=False, idle=SHRINK_SECONDS))


def _kunit(context, suite, guest):
    modules = kunit_modules(context.build)
    if not modules:
        yield Case(suite, "modules", FAIL, detail=f"{initrd.release(context.build)} has no test module of the series")
        return
    lines = []
    outcome = context.boot(guest, KUNIT.format(modules=" ".join(modules)), lines.append)
    text = [line.decode(errors="replace") for line in lines]
    for module in modules:
        found = list(_module_cases(suite, module, text, outcome))
        passed = sum(case.outcome == PASS for case in found)
        context.say(f"  {module}: {passed} of {len(found)} passed")
        yield from found
    yield from health.check(suite, outcome, context.lockdep)


def _module_cases(suite, module, text, outcome):
    part = _between(text, f"LAB-MODULE {module}")
    results = ktap.parse("\n".join(part))
    for name, verdict, detail in results:
        yield Case(suite, f"{module}.{name}", verdict, detail=detail)
    if not results:
        yield Case(suite, module, FAIL, detail=outcome.explain() or "the module reported no result")
    for word, complaint in (("LAB-NOLOAD", "cannot be loaded"), ("LAB-NOREMOVE", "cannot be removed")):
        if f"{word} {module}" in part:
            yield Case(suite, f"{module}.{word[4:].lower()}", FAIL, detail=f"{module} {complaint}")


def _between(text, mark):
    """Lines after mark up to the next LAB-MODULE."""
    if mark not in text:
        return []
    rest = text[text.index(mark) + 1:]
    ends = [index for index, line in enumerate(rest) if line.startswith("LAB-MODULE ")]
    return rest[:ends[0]] if ends else rest


def _igt(context, suite, root, patterns, part="", seconds=igtrun.SECONDS, apart=False, **options):
    """Cases of one guest run of igt_runner; part tells two guests of one suite apart; seconds, apart: see igtrun.Plan."""
    results = RESULTS / (suite + part)
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    guest = context.guest(suite + part, idle=max(600, 2 * seconds), **options)
    plan = igtrun.Plan(suite, root, patterns, results, slow=not guest.fast(), seconds=seconds, apart=apart)
    live = igtrun.Live(lambda number, total, program, subtest, word, seconds:
                       context.show(number, total, f"{program.removeprefix('msm/')} {subtest}", word, seconds))
    outcome = context.boot(guest, plan.script(), live.line)
    live.finish()
    for case in [*igtrun.cases(plan, live), *health.check(suite, outcome, context.lockdep)]:
        if part and "/" not in case.name:
            case.name += f" ({part[1:]})"
        yield case


def _beside(suite, *parts):
    """The cases of several guests of a suite, which run side by side as far as there are slots."""
    with ThreadPoolExecutor(len(parts)) as pool:
        try:
            return [case for cases in pool.map(lambda part: _part(suite, part), parts) for case in cases]
        except KeyboardInterrupt:
            qemu.Process.end_all()      # or the parts that wait would begin
            raise


def _part(suite, part):
    """What could not run is a failure beside the results of the other parts."""
    found = []
    try:
        for case in part:
            found.append(case)
    except Failure as failure:
        found.append(Case(suite, "guest", FAIL, detail=str(failure)))
    return found


def _complete(suite, found, *more):
    """The cases of a suite, and one for each program that lost tests; more names what else of counts.txt was run."""
    yield from found
    if found and all(case.outcome == FAIL for case in found):
        return      # the guest itself, and that is told
    for name in (suite, *more):
        for program, why in expect.too_few(name, [case.name for case in found], expect.load("counts.txt")):
            yield Case(suite, f"{program}/count", FAIL, detail=why)


def not_here(context, suite):
    """The reason why a suite of IGT tests cannot run on this architecture."""
    if context.arch.name != "x86_64":
        yield Case(suite, "igt", SKIP, detail="Debian builds the IGT tests for amd64 only")


def igt_stock(context):
    """Debian's six msm tests, unmodified; of msm_shrink the four that copy by GPU only, in the small."""
    missing = list(not_here(context, "igt-stock"))
    if missing:
        yield from missing
        return
    found = _beside("igt-stock",
                    _igt(context, "igt-stock", igtrun.STOCK, ("^msm/msm_(bo|mapping|recovery|submit|submitoverhead)$",),
                         memory=1536),
                    _igt(context, "igt-stock", igtrun.STOCK, ("msm_shrink@copy-gpu.*-8$",), part="-shrink", apart=True, **SHRINK))
    yield from _complete("igt-stock", found)


def igt_shrink(context):
    """Debian's msm_shrink, all of it; an hour where the CPU is emulated, so only when asked for."""
    missing = list(not_here(context, "igt-shrink"))
    if missing:
        yield from missing
        return
    found = _beside("igt-shrink", *(
        _igt(context, "igt-shrink", igtrun.STOCK, (f"msm_shrink@.*-{bos}$",), part=part, seconds=SHRINK_SECONDS,
             apart=True, timeout=12 * SHRINK_SECONDS, **SHRINK)
        for bos, part in ((8, ""), (32, "-32"))))       # BOs per submit: 12 subtests each
    yield from _complete("igt-shrink", found)


# All of ours, in guests of about the same length; one wants an SMMU without PRR.
SWEEP = "^msm_vm_sweep$"
MEMORY = "^msm_vm_(evict|memcg)$"
INPUT = "msm_vm_bind_uapi@(?!map-null$)"
WITHOUT_PRR = "msm_vm_bind_uapi@map-null$"
REST = "^msm_(?!vm_(sweep|fuzz|evict|memcg|bind_uapi)$)"


def _can_fail(context):
    """Can allocations of this kernel be made to fail?"""
    return "CONFIG_FAIL_PAGE_ALLOC=y" in (context.build / ".config").read_text().splitlines()


def igt(context):
    """Our tests in IGT style."""
    missing = list(not_here(context, "igt"))
    if missing:
        yield from missing
        return
    if not (context.tests / "test-list.txt").exists():
        yield Case("igt", "build", FAIL, detail=f"{context.tests}: no tests were built")
        return
    found = _beside("igt",
                    _igt(context, "igt", "/tests", (REST, SWEEP) if _can_fail(context) else (REST,), swap=256),
                    _igt(context, "igt", "/tests", (MEMORY,), part="-memory", swap=256),
                    _igt(context, "igt", "/tests", (INPUT,), part="-input"),
                    _igt(context, "igt", "/tests", (WITHOUT_PRR,), part="-no-prr", words=["msm.vgpu_prr=0"]))
    yield from _complete("igt", found, *(["sweep"] if _can_fail(context) else []))


def vulkan(context):
    """Vulkan programs on Debian's unmodified turnip."""
    if not (context.tests / "vulkan").is_dir():
        yield Case("vulkan", "build", FAIL, detail=f"{context.tests}/vulkan: no programs were built")
        return
    results = RESULTS / "vulkan"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    live = vulkanrun.Live(context.show)
    outcome = context.boot(context.guest("vulkan", idle=300), vulkanrun.SCRIPT, live.line)
    yield from _complete("vulkan", list(vulkanrun.cases(live, results, outcome.log)))
    yield from health.check("vulkan", outcome, context.lockdep)


def sweep(context):
    """Every allocation on the path of a sequence fails once; with FLAVOUR=fault copies to and from user space too."""
    missing = list(not_here(context, "sweep"))
    if missing:
        yield from missing
        return
    if not _can_fail(context):
        yield Case("sweep", "flavour", FAIL, detail="this kernel cannot fail allocations; run with FLAVOUR=debug or fault")
        return
    yield from _complete("sweep", list(_igt(context, "sweep", "/tests", (SWEEP,), swap=256)))


SUITES = {"lab": lab, "fuzz": fuzz, "kunit": kunit, "kunit-slow": kunit_slow, "igt-stock": igt_stock, "igt": igt,
          "vulkan": vulkan, "igt-shrink": igt_shrink, "sweep": sweep}
BOOTED = set(SUITES) - {"lab", "fuzz"}
# Suites that take long, the longest first: where suites run side by side these begin.
LONGEST = ("igt-shrink", "kunit-slow", "vulkan", "igt", "igt-stock", "kunit")
GUESTS = {"igt": 4, "igt-stock": 2, "igt-shrink": 2}     # how many a suite has, if more than one
DEFAULT = ("lab", "fuzz", "kunit", "igt-stock", "igt", "vulkan")
