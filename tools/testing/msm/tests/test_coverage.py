# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/coverage.py, with a small program that really runs under gcov, and of the leak part of lab/health.py."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import common, coverage, expect, health  # noqa: E402
from lab.common import Failure  # noqa: E402

SOURCE = """\
int half(int x)
{
	if (x & 1)
		return -1;
	return x / 2;
}
#ifdef MAIN
int main(void)
{
	return half(4) != 2;
}
#endif
"""

LEAK = """\
unreferenced object 0xffff888003a7c000 (size 192):
  comm "msm_vm_bind", pid 311, jiffies 4294901234
  hex dump (first 32 bytes):
    00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  ................
  backtrace (crc 0):
    kmem_cache_alloc_noprof+0x260/0x2f0
    msm_vm_reserve_vmas+0x50/0x110 [msm]
unreferenced object 0xffff888003a7d000 (size 8):
  comm "modprobe", pid 12, jiffies 4294900000
  backtrace (crc 1):
    [<ffffffff81234567>] kstrdup+0x30/0x60
"""


class Gcov(unittest.TestCase):
    """A kernel in small: a build folder with .gcno, a guest's folder with .gcda, a driver folder with sources."""

    def setUp(self):
        self.base = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.base)
        self.driver = self.base / coverage.DRIVER
        self.kept = self.base / "kept"
        (self.driver / "vm").mkdir(parents=True)
        (self.driver / "vm/half.c").write_text(SOURCE)
        for words in (["-c", "-DMAIN", "-o", f"{coverage.DRIVER}/vm/half.o", f"{coverage.DRIVER}/vm/half.c"],
                      ["-o", "half", f"{coverage.DRIVER}/vm/half.o"]):
            subprocess.run(["gcc", "--coverage", *words], cwd=self.base, check=True)
        for guest in ("check-kunit", "check-igt"):
            subprocess.run(["./half"], cwd=self.base, check=True)
            self.guest = self.kept / guest / str(self.base)[1:] / coverage.DRIVER / "vm"
            self.guest.mkdir(parents=True)
            shutil.move(self.driver / "vm/half.gcda", self.guest)

    def report(self):
        self.lines = []
        with mock.patch.object(common, "OUT", self.base / "out"):
            return list(coverage.report(self.base, self.lines.append, self.kept, self.driver))

    def test_counts_of_all_guests_are_added(self):
        lines = coverage.counts(self.base, self.kept)["vm/half.c"]
        self.assertEqual([lines[number].times for number in (3, 4, 5)], [2, 0, 2])
        self.assertEqual({line.function for line in lines.values()}, {"half", "main"})

    def test_too_little_fails_and_lists_the_line(self):
        case, = self.report()
        self.assertEqual(case.outcome, "fail")
        self.assertIn("83.3 %", case.detail)
        self.assertIn("vm/half.c:4: return -1;", (self.base / "out/results/coverage.txt").read_text())

    def test_enough_passes(self):
        with mock.patch.object(coverage, "TARGET", 83.0):
            self.assertEqual(self.report()[0].outcome, "pass")

    def test_nothing_left_by_the_guests_is_told(self):
        shutil.rmtree(self.kept)
        self.kept.mkdir()
        with self.assertRaises(Failure):
            self.report()

    def test_a_reason_is_shown_with_its_line(self):
        rules = [expect.Rule("vm/half.c:main", "", "another function"), expect.Rule("vm/*:half", "return -1", "never odd")]
        total = coverage.counts(self.base, self.kept)
        self.assertEqual(coverage.uncovered(total, self.driver, rules), [("vm/half.c:4", "return -1;", "never odd")])


class Ours(unittest.TestCase):
    def test_only_our_files_count(self):
        total = {}
        files = [{"file": f"/x/{name}", "lines": [{"line_number": 1, "count": 3}]} for name in
                 ("include/linux/slab.h", f"{coverage.DRIVER}/msm_gem.c", f"{coverage.DRIVER}/vm/msm_vm.c",
                  f"{coverage.DRIVER}/msm_pgtable.c")]
        coverage.add(total, json.dumps({"files": files}))
        self.assertEqual(sorted(total), ["msm_pgtable.c", "vm/msm_vm.c"])

    def test_our_objects_are_named_to_make(self):
        words = coverage.words()
        self.assertIn("GCOV_PROFILE_vm/msm_vm.o=y", words)
        self.assertFalse([word for word in words if "msm_gem" in word])


class Leaks(unittest.TestCase):
    def test_each_object_is_a_line(self):
        self.assertEqual(health.leaks("igt", LEAK, []), [
            "192 bytes of msm_vm_bind: kmem_cache_alloc_noprof+0x260/0x2f0 < msm_vm_reserve_vmas+0x50/0x110 [msm]",
            "8 bytes of modprobe: kstrdup+0x30/0x60"])

    def test_a_rule_allows_one(self):
        rules = [expect.Rule("*", "of modprobe: kstrdup", "known")]
        self.assertEqual(len(health.leaks("igt", LEAK, rules)), 1)

    def test_nothing_is_no_leak(self):
        self.assertEqual(health.leaks("igt", "", []), [])


if __name__ == "__main__":
    unittest.main()
