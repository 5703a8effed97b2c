# SPDX-License-Identifier: GPL-2.0-only
"""KTAP, what KUnit writes (Documentation/dev-tools/ktap.rst), into flat results.

Only leaves count: a line that sums up a subtest repeats them. A plan that was
not fulfilled is a failure, so a test that took the kernel down is not lost.

Why not the kernel's own tools/testing/kunit/kunit_parser.py: it drops the reason
of a skip, which the report must show.
"""

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^(ok|not ok) (\d+) ?-? ?([^#]*?)\s*(?:# (.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)$")
SUBTEST = re.compile(r"^# Subtest: (.+)$")


@dataclass
class _Level:
    indent: int
    name: str = ""
    planned: int = -1
    seen: int = 0
    failed: bool = False
    notes: list = field(default_factory=list)


def parse(text):
    """[(name, outcome, detail)]; name is suite.test[.parameter]."""
    levels, found = [], []
    for raw in text.splitlines():
        line = raw.strip()
        indent = len(raw) - len(raw.lstrip(" "))
        if line.startswith(("KTAP version", "TAP version")):
            levels.append(_Level(indent))
        elif levels:
            _line(levels, found, indent, line)
    while levels:
        _close(levels, found)
    return found


def _line(levels, found, indent, line):
    plan, subtest, result = PLAN.match(line), SUBTEST.match(line), RESULT.match(line)
    if result:
        _result(levels, found, indent, result)
    elif plan:
        levels[-1].planned = int(plan[1])
    elif subtest:
        levels[-1].name = subtest[1]
    elif line.startswith("#") or line:
        levels[-1].notes.append(line.lstrip("# "))


def _result(levels, found, indent, result):
    inner = None
    while len(levels) > 1 and levels[-1].indent > indent:
        inner = _close(levels, found)
    level = levels[-1]
    level.seen += 1
    word, _, name, comment = result.groups()
    if inner and (inner.seen or inner.planned > 0):
        if word == "not ok" and not inner.failed:
            found.append((f"{name}", "fail", "failed outside its tests: " + " / ".join(inner.notes[-3:])))
        level.failed = level.failed or word == "not ok"
        return
    path = ".".join([entry.name for entry in levels if entry.name] + [name])
    found.append((path, *_verdict(word, comment or "", level.notes)))
    level.failed = level.failed or word == "not ok"
    level.notes = []


def _verdict(word, comment, notes):
    if comment.upper().startswith("SKIP"):
        return "skip", comment[4:].strip() or "no reason given"
    if word == "ok":
        return "pass", ""
    return "fail", " / ".join(notes[-6:]) or comment or "not ok"


def _close(levels, found):
    level = levels.pop()
    if level.planned >= 0 and level.seen < level.planned:
        found.append((level.name or "KTAP", "fail", f"{level.planned} tests planned, {level.seen} reported"))
        level.failed = True
    return level

