# SPDX-License-Identifier: GPL-2.0-only
"""What is known beforehand, with reasons: tools/testing/msm/expect/*.txt.

Three columns between bars: `test pattern | what | reason`. results.txt says
which tests fail ("fail: " and a regular expression that the failure must match)
or are skipped ("skip"); log.txt which kernel messages (a regular expression) a
test may cause; counts.txt how many tests a program of a suite has at least. A
line without a reason is an error.
"""

import fnmatch
import re
from dataclasses import dataclass

from lab import common
from lab.common import Failure

FOLDER = common.ROOT / "tools/testing/msm/expect"


@dataclass
class Rule:
    test: str
    what: str
    reason: str

    def covers(self, name):
        return fnmatch.fnmatchcase(name, self.test)


def load(name, folder=FOLDER):
    path = folder / name
    rules = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = [word.strip() for word in line.split(" | ")]
        if len(words) != 3 or not all(words):
            raise Failure(f"{path}:{number}: want 'test pattern | what | reason'")
        rules.append(Rule(*words))
    return rules


def known(name, outcome, rules):
    """The rule that may explain an outcome other than pass, or None; whether it does, judge() says at the end."""
    return next((rule for rule in rules if rule.covers(name) and rule.what.partition(": ")[0] == outcome), None)


def judge(name, outcome, detail, rules):
    """(outcome, detail, note) after the list of expected results has been asked.

    Only the failure that a rule describes is expected: not a crash, not a timeout, not another assertion.
    """
    for rule in rules:
        if not rule.covers(name):
            continue
        want, _, text = rule.what.partition(": ")
        if outcome == want == "fail" and re.search(text, detail):
            return "pass", "", f"fails as expected: {rule.reason}"
        if outcome == want == "skip":
            return "skip", rule.reason, ""
        if outcome == "pass":
            return "fail", f"passed, but expect/results.txt says {rule.what}: {rule.reason}", ""
    if outcome == "skip":
        return "fail", f"skipped, which expect/results.txt does not foresee: {detail}", ""
    return outcome, detail, ""


def too_few(suite, names, rules):
    """[(program, what is wrong)] of programs of a suite that have fewer tests among names than a rule says."""
    for rule in rules:
        program = rule.test.removeprefix(f"{suite}/")
        there = sum(name.startswith((f"{program}/", f"{program}.")) for name in names)     # the latter of a KUnit module
        if rule.test.startswith(f"{suite}/") and there < int(rule.what):
            yield program, f"{there} tests ran, of at least {rule.what}: {rule.reason}"


def unexplained(name, messages, rules):
    """Those kernel messages that no rule allows this test."""
    allowed = [re.compile(rule.what) for rule in rules if rule.covers(name)]
    return [line for line in messages if not any(pattern.search(line) for pattern in allowed)]
