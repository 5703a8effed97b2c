# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/fuzzrun.py: the corpus as text, and how what libFuzzer prints becomes a verdict."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import fuzzrun  # noqa: E402

GOOD = "#2\tINITED cov: 3\nDone 1234 runs in 5 second(s)\n"
BAD = """\
fuzz_model.c:93: page 0: invalidated 0
==11== ERROR: libFuzzer: deadly signal
artifact_prefix='./'; Test unit written to ./vma-crash-1234
"""
ASAN = """\
==11==ERROR: AddressSanitizer: heap-use-after-free on address 0x1
artifact_prefix='./'; Test unit written to ./vma-crash-1234
"""


class Fuzz(unittest.TestCase):
    def test_corpus_text(self):
        found = fuzzrun.inputs("# a remark\none: 00ff 01\n    02 # more\ntwo:\n")
        self.assertEqual(found, {"one": b"\x00\xff\x01\x02", "two": b""})

    def test_corpus_is_in_the_repository(self):
        for program, (_, size) in fuzzrun.PROGRAMS.items():
            found = fuzzrun.inputs((fuzzrun.HERE / f"corpus/{program}.txt").read_text())
            self.assertTrue(found)
            for name, data in found.items():
                self.assertLessEqual(len(data), size, name)

    def test_all_is_well(self):
        case = fuzzrun.verdict("vma", 0, GOOD, 5.0)
        self.assertEqual((case.outcome, case.note), ("pass", "1234 inputs in 5 s"))

    def test_a_failure_says_why_and_how_to_see_it_again(self):
        case = fuzzrun.verdict("vma", 77, BAD, 1.0)
        self.assertEqual(case.outcome, "fail")
        self.assertIn("page 0: invalidated 0; again: ", case.detail)
        self.assertTrue(case.detail.endswith("fuzz_vma ./vma-crash-1234"))

    def test_a_report_of_a_sanitizer(self):
        self.assertIn("heap-use-after-free", fuzzrun.verdict("vma", 1, ASAN, 1.0).detail)

    def test_an_end_without_a_result_is_no_pass(self):
        self.assertEqual(fuzzrun.verdict("vma", 0, "", 1.0).outcome, "fail")
        self.assertEqual(fuzzrun.verdict("vma", 127, "", 1.0).outcome, "fail")


if __name__ == "__main__":
    unittest.main()
