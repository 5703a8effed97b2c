# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/ktap.py."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import ktap  # noqa: E402

GOOD = """\
KTAP version 1
1..1
    KTAP version 1
    # Subtest: pages
    # module: msm_test
    1..3
    ok 1 first
        KTAP version 1
        # Subtest: sizes
        ok 1 small
        ok 2 large # SKIP no room
    # sizes: pass:1 fail:0 skip:1 total:2
    ok 2 sizes
    ok 3 last
# pages: pass:3 fail:0 skip:1 total:4
ok 1 pages
"""

BAD = """\
KTAP version 1
1..1
    KTAP version 1
    # Subtest: pages
    1..2
    # first: EXPECTATION FAILED at a.c:1
    not ok 1 first
    ok 2 second
not ok 1 pages
"""

CUT = """\
KTAP version 1
1..1
    KTAP version 1
    # Subtest: pages
    1..3
    ok 1 first
"""

INIT = """\
KTAP version 1
1..1
    KTAP version 1
    # Subtest: pages
    1..1
    ok 1 first
not ok 1 pages
"""


class Ktap(unittest.TestCase):
    def test_leaves_only(self):
        found = ktap.parse(GOOD)
        self.assertEqual([(name, outcome) for name, outcome, _ in found],
                         [("pages.first", "pass"), ("pages.sizes.small", "pass"), ("pages.sizes.large", "skip"),
                          ("pages.last", "pass")])
        self.assertEqual(found[2][2], "no room")

    def test_failure_has_its_message(self):
        found = ktap.parse(BAD)
        self.assertEqual([outcome for _, outcome, _ in found], ["fail", "pass"])
        self.assertIn("EXPECTATION FAILED", found[0][2])

    def test_a_cut_log_is_a_failure(self):
        found = ktap.parse(CUT)
        self.assertIn(("pages", "fail", "3 tests planned, 1 reported"), found)

    def test_a_suite_that_fails_outside_its_tests(self):
        self.assertIn("fail", [outcome for _, outcome, _ in ktap.parse(INIT)])

    def test_nothing(self):
        self.assertEqual(ktap.parse("modprobe: not found\n"), [])


if __name__ == "__main__":
    unittest.main()
