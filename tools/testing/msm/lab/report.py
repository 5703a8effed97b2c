# SPDX-License-Identifier: GPL-2.0-only
"""Results of tests as values, and what a person and a CI read of them.

The last line is always `N passed, N failed, N skipped`. Nothing run is a failure.
"""

from dataclasses import dataclass
from xml.etree import ElementTree

from lab.common import write_atomic
from lab.progress import clock

PASS, FAIL, SKIP = "pass", "fail", "skip"
SLOWEST = 5


@dataclass
class Case:
    """One test. detail: why it failed or was skipped; note: said of a test that passed as expected."""

    suite: str
    name: str
    outcome: str
    seconds: float = 0.0
    detail: str = ""
    note: str = ""


def count(cases):
    return [sum(case.outcome == outcome for case in cases) for outcome in (PASS, FAIL, SKIP)]


def last_line(cases):
    return "{} passed, {} failed, {} skipped".format(*count(cases))


def succeeded(cases):
    passed, failed, _ = count(cases)
    return passed > 0 and failed == 0


def lines(cases, suites):
    """The report, line by line. suites: {name: (seconds, log)}."""
    yield ""
    yield f"{'suite':12} {'passed':>7} {'failed':>7} {'skipped':>8} {'time':>7}  log"
    for suite, (seconds, log) in suites.items():
        numbers = count([case for case in cases if case.suite == suite])
        yield "{:12} {:7} {:7} {:8} {:>7}  {}".format(suite, *numbers, clock(seconds), log)
    yield from _grouped("skipped, and why", [case for case in cases if case.outcome == SKIP])
    yield from _grouped("passed as expected by a listed reason", [case for case in cases if case.note], "note")
    slow = sorted((case for case in cases if case.seconds >= 1), key=lambda case: -case.seconds)[:SLOWEST]
    if slow:
        yield "slowest: " + ", ".join(f"{case.name} {case.seconds:.0f} s" for case in slow)
    for case in cases:
        if case.outcome == FAIL:
            yield f"FAILED {case.suite}: {case.name}: {_first(case.detail)}"
    if not any(count(cases)):
        yield "no test ran at all, which is a failure"


def _grouped(title, cases, field="detail"):
    """Tests with one reason share a line."""
    reasons = {}
    for case in cases:
        reasons.setdefault((case.suite, _first(getattr(case, field))), []).append(case.name)
    if reasons:
        yield f"{title}:"
    for (suite, reason), names in reasons.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        yield f"  {suite}: {shown}: {reason}"


def _first(text):
    return (text.strip().splitlines() or ["no reason given"])[0]


def junit(cases, suites, path):
    """Write JUnit XML."""
    root = ElementTree.Element("testsuites")
    for suite, (seconds, _) in suites.items():
        own = [case for case in cases if case.suite == suite]
        _, failed, skipped = count(own)
        node = ElementTree.SubElement(root, "testsuite", name=suite, tests=str(len(own)), failures=str(failed),
                                      skipped=str(skipped), time=f"{seconds:.3f}")
        for case in own:
            _junit_case(node, case)
    write_atomic(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _junit_case(node, case):
    entry = ElementTree.SubElement(node, "testcase", classname=case.suite, name=case.name, time=f"{case.seconds:.3f}")
    if case.outcome != PASS:
        child = ElementTree.SubElement(entry, "failure" if case.outcome == FAIL else "skipped",
                                       message=_clean(_first(case.detail)))
        child.text = _clean(case.detail)
    elif case.note:
        ElementTree.SubElement(entry, "system-out").text = _clean(case.note)


def _clean(text):
    """XML 1.0 knows no control characters."""
    return "".join(char for char in text if char in "\t\n" or ord(char) >= 32)
