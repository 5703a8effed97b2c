# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/bench.py: which figures are made of what the guest prints, and how targets are judged."""

import json
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import arch, bench, common, qemu  # noqa: E402

SUBMIT = {"submit_private_10": 1000.0, "submit_private_10000": 1100.0}


def row(rows, title):
    return next(entry for entry in rows if entry[0].title == title)


class Listener(unittest.TestCase):
    def listen(self, *lines):
        said = []
        listener = bench.Listener(said.append)
        for line in lines:
            listener.line(line)
        return listener, said

    def test_figures_parts_and_what_is_not_there(self):
        listener, said = self.listen(b"BENCH-PART submit", b"BENCH submit_shared_10 1234.50",
                                     b"BENCH-ABSENT submit_private no NO_SHARE", b"oops")
        self.assertEqual(listener.figures, {"submit_shared_10": 1234.5})
        self.assertEqual(listener.absent, {"submit_private": "no NO_SHARE"})
        self.assertEqual(said, ["bench: submit", "  oops"])

    def test_a_failed_part_is_kept(self):
        self.assertEqual(self.listen(b"BENCH-FAIL hole Invalid argument")[0].failed, ["hole Invalid argument"])


class Judge(unittest.TestCase):
    TITLE = ".. 10000 against 10"

    def test_ratio_and_target(self):
        self.assertEqual(row(bench.judge(SUBMIT), self.TITLE)[1:], (1.1, "met"))
        slow = dict(SUBMIT, submit_private_10000=2000.0)
        self.assertEqual(row(bench.judge(slow), self.TITLE)[1:], (2.0, "missed"))

    def test_a_target_may_have_to_be_hit(self):
        title = ".. against those used"
        tables = {"tables_sorted_reserved": 1037.0, "tables_sorted_used": 1037.0}
        self.assertEqual(row(bench.judge(tables), title)[1:], (1.0, "met"))
        few = dict(tables, tables_sorted_reserved=1036.0)
        self.assertEqual(row(bench.judge(few), title)[2], "missed")

    def test_zero_is_a_target(self):
        title = ".. set aside when bound again"
        self.assertEqual(row(bench.judge({"tables_sorted_again": 0.0}), title)[1:], (0.0, "met"))
        self.assertEqual(row(bench.judge({"tables_sorted_again": 1.0}), title)[2], "missed")

    def test_a_missing_figure_is_not_met(self):
        rows = bench.judge({})
        self.assertEqual({entry[1:] for entry in rows}, {(None, "")})
        self.assertEqual(bench.last_line(rows), f"0 figures, 0 targets met, 0 missed, {len(rows)} not there")

    def test_table_shows_all(self):
        text = "\n".join(bench.lines(bench.judge(SUBMIT)))
        self.assertRegex(text, re.escape(self.TITLE) + r" +1\.10 x +<= 1\.2  met")
        self.assertIn("not there", text)

    def test_json(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.json"
            bench.record(path, bench.judge(SUBMIT), SUBMIT)
            kept = json.loads(path.read_text())
        self.assertEqual(kept["raw"], SUBMIT)
        self.assertEqual([entry["verdict"] for entry in kept["figures"] if entry["verdict"]], ["met"])


class Names(unittest.TestCase):
    def test_every_figure_has_a_source(self):
        """A row whose raw figure the program never prints would be 'not there' for ever."""
        sources = [*(common.ROOT / "tools/testing/msm/bench").glob("*.c"),
                   common.ROOT / "tools/testing/msm/vulkan/vk_bench.c",
                   common.ROOT / "drivers/gpu/drm/msm/tests/msm_vm_test_floor.c"]
        text = "\n".join(path.read_text() for path in sources)
        names = re.findall(r'"(?:BENCH )?(\w[\w%]*)[^"]*"', text)
        formats = [re.sub(r"%(zu|s|u)", r"\\w+", name) for name in names]

        class Asked(dict):
            def __missing__(self, name):
                self[name] = 1.0
                return 1.0
        asked = Asked()
        bench.judge(asked)
        for name in asked:
            self.assertTrue(any(re.fullmatch(text, name) for text in formats), name)

    def test_parts(self):
        self.assertIn("/tests/msm_vm_bench\nstatus=$?", bench.script([]))
        self.assertIn("vk_bench", bench.script([]))
        self.assertNotIn("vk_bench", bench.script(["map"]))
        self.assertNotIn("msm_vm_bench", bench.script(["vulkan"]))


class Machine(unittest.TestCase):
    def test_one_cpu_that_counts(self):
        machine = qemu.Machine(arch.X86_64, Path("k"), Path("i"), Path("d"), Path("log"), cpus=1, count=True)
        text = " ".join(machine.argv())
        self.assertIn("-accel tcg,thread=single", text)
        self.assertIn("-icount shift=0,sleep=off -smp 1", text)


if __name__ == "__main__":
    unittest.main()
