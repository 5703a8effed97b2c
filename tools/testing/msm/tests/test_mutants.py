# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/mutants.py: the table, planting, and the verdict on a console log."""

import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import common, mutants, report  # noqa: E402
from lab.common import Failure  # noqa: E402

TABLE = """\
# a comment
[first] a.c:two | kunit:msm-vma msm_vm_bind@basic
-x > 1
+x > 2
[second] a.c | kunit:msm-vma.vma_pairs
-call(x,
-     1);
"""
SOURCE = """\
static int one(int x)
{
	return x > 1;
}

int two(struct a *a,
	int x)
{
	if (x > 1)
		call(x, 1);
	return x;
}
"""
LOG = """\
[    1.0] LAB-MUTANT begin 0
[    2.0] LAB-MUTANT end 0
[    3.0] LAB-MUTANT begin 1
[    4.0] LAB-MUTANT failed kunit:msm-vma: vma_pairs
[    5.0] LAB-MUTANT end 1
[    5.5] WARNING: of nobody
[    6.0] LAB-MUTANT begin 2
[    7.0] WARNING: CPU: 0 PID: 1 at drivers/a.c:1 two+0x1/0x2
[    8.0] LAB-MUTANT end 2
[    9.0] LAB-MUTANT begin 3
[    9.5] LAB-MUTANT skipped msm_vm_bind@basic: Test requirement not met
[   10.0] something
"""


def planted(table, source=SOURCE):
    return mutants.apply(source, mutants.load(table))


class Table(unittest.TestCase):
    def test_mutants_are_numbered(self):
        first, second = mutants.load(TABLE)
        self.assertEqual((first.number, first.name, first.file, first.function), (1, "first", "a.c", "two"))
        self.assertEqual(first.tests, ["kunit:msm-vma", "msm_vm_bind@basic"])
        self.assertEqual((second.number, second.function, second.old, second.new), (2, "", "call(x,\n1);", ""))

    def test_what_is_no_mutant(self):
        for text, why in (("what is this\n", "mutants.txt:1"), ("[a] a.c | nothing\n-x\n", "nothing is no test"),
                          ("[a] a.c | kunit:a\n", "no line to break"), ("[a] a.c | kunit:a\n-x\n" * 2, "twice")):
            with self.assertRaisesRegex(Failure, why):
                mutants.load(text)


class RealTable(unittest.TestCase):
    def setUp(self):
        self.mutants = mutants.load(mutants.TABLE.read_text())

    def test_it_fits_the_driver(self):
        ours = {mutant.file for mutant in self.mutants if (common.ROOT / mutants.DRIVER / mutant.file).exists()}
        for file in ours:       # the others are files of the kernel
            text = (common.ROOT / mutants.DRIVER / file).read_text()
            mutants.apply(text, [mutant for mutant in self.mutants if mutant.file == file])
        self.assertGreater(len(ours), 10)

    def test_its_tests_exist(self):
        units = "".join(path.read_text() for path in (common.ROOT / mutants.DRIVER / "tests").glob("*.c"))
        igt = {path.stem: path.read_text() for path in (common.ROOT / "tools/testing/msm/igt").glob("*.c")}
        helpers = "".join(text for name, text in igt.items() if name.startswith("vm_"))
        for test in {test for mutant in self.mutants for test in mutant.tests}:
            with self.subTest(test):
                if test.startswith("kunit:"):
                    suite, _, case = test[6:].partition(".")
                    self.assertIn(f'.name = "{suite}"', units)
                    self.assertTrue(not case or f"KUNIT_CASE({case})" in units or f"KUNIT_CASE_PARAM({case}," in units)
                elif test.startswith("vk_"):
                    program, subtest = test.split("/")
                    source = (common.ROOT / f"tools/testing/msm/vulkan/{program}.c").read_text()
                    self.assertRegex(source, r'\{ ?"' + re.escape(subtest) + '"')
                else:
                    program, subtest = test.split("@")
                    self.assertRegex(igt[program] + helpers, r'\{ "' + re.escape(subtest) + '"')


class Planting(unittest.TestCase):
    def test_an_expression_of_one_function_and_a_statement_whatever_its_blanks(self):
        text = planted(TABLE)
        self.assertIn("return x > 1;", text)
        self.assertIn("if (((msm_mutant == 1) ? (x > 2) : (x > 1)))", text)
        self.assertIn("{ if (msm_mutant == 2) {  } else { call(x, 1); } }", text)

    def test_one_inside_of_another(self):
        text = planted("[a] a.c:two | kunit:a\n-x > 1\n+x > 2\n[b] a.c:two | kunit:a\n-if (x > 1)\n-call(x, 1);\n"
                       "[c] a.c:two | kunit:a\n-x > 1\n+x\n")
        self.assertIn("{ if (msm_mutant == 2) {  } else { if (((msm_mutant == 1) ? (x > 2) : "
                      "(((msm_mutant == 3) ? (x) : (x > 1)))))\n\t\tcall(x, 1); } }\n\treturn x;", text)

    def test_two_that_overlap(self):
        with self.assertRaisesRegex(Failure, "overlaps"):
            planted("[a] a.c:two | kunit:a\n-if (x > 1)\n[b] a.c:two | kunit:a\n-> 1) call(x, 1);\n")

    def test_code_must_be_there_once(self):
        with self.assertRaisesRegex(Failure, "2 times"):
            planted("[a] a.c | kunit:a\n-x > 1\n+x\n")
        with self.assertRaisesRegex(Failure, "no function three"):
            planted("[a] a.c:three | kunit:a\n-x > 1\n+x\n")

    def test_only_what_changed_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "drm/msm", Path(folder) / "copy/msm"
            source.mkdir(parents=True)
            for name, text in (("a.c", SOURCE), ("msm_drv.c", ""), ("b.h", ""), ("b.o", "")):
                (source / name).write_text(text)
            (source.parent / "core.h").write_text("")
            mutants.plant(mutants.load(TABLE), source, target)
            self.assertEqual(sorted(path.name for path in target.iterdir()), ["a.c", "b.h", "msm_drv.c"])
            self.assertTrue((target.parent / "core.h").exists())
            self.assertIn("module_param_named(mutant,", (target / "msm_drv.c").read_text())
            before = {path: path.stat().st_mtime_ns for path in target.iterdir()}
            (source / "b.h").write_text("int b;")
            mutants.plant(mutants.load(TABLE), source, target)
            self.assertEqual([path.name for path, when in before.items() if path.stat().st_mtime_ns != when], ["b.h"])


class Verdict(unittest.TestCase):
    def hunt(self):
        said = []
        hunt = mutants.Hunt(mutants.load(TABLE), False, said.append, 3)
        return hunt, said

    def test_each_kind(self):
        found, ended = mutants.split(LOG)
        words = {number: mutants.verdict(lines) for number, lines in found.items()}
        self.assertEqual(words[0], ([], []))
        self.assertEqual(words[1], (["kunit:msm-vma: vma_pairs"], []))
        self.assertIn("WARNING: CPU", words[2][0][0])
        self.assertEqual(words[3], ([], ["msm_vm_bind@basic: Test requirement not met"]))
        self.assertEqual(ended, {0, 1, 2})

    def test_what_is_left(self):
        hunt, said = self.hunt()
        self.assertEqual(list(hunt.jobs()), [1, 2])
        hunt.settle(1, ["LAB-MUTANT failed a: b"])
        self.assertEqual(hunt.jobs(), {2: ["kunit:msm-vma.vma_pairs"]})
        self.assertRegex(said[0], r"\[1/3\] caught   first: a: b \(\d+ s\)")

    def test_the_control_has_all_tests(self):
        control, *batches = mutants.hunts(mutants.load(TABLE), True)
        self.assertEqual(control.jobs(), {0: ["kunit:msm-vma", "kunit:msm-vma.vma_pairs", "msm_vm_bind@basic"]})
        self.assertEqual([list(batch.jobs()) for batch in batches], [[1, 2]])
        self.assertEqual([batch.total for batch in batches], [3])

    def test_a_test_that_could_not_run_has_noticed_nothing(self):
        hunt, said = self.hunt()
        hunt.settle(1, ["LAB-MUTANT skipped a: b"])
        hunt.settle(0, ["LAB-MUTANT skipped a: b"])
        self.assertIn("SURVIVED first: nobody noticed; could not run: a: b", said[0])
        self.assertEqual([case.outcome for case in hunt.done.values()], [report.FAIL, report.FAIL])

    def test_a_dead_guest(self):
        hunt, said = self.hunt()
        hunt.settle(2, ["something"], "the kernel panicked: hung_task")
        self.assertIn("caught   second: the kernel panicked: hung_task", said[0])

    def test_the_report(self):
        hunt, _ = self.hunt()
        hunt.settle(0, [])
        hunt.settle(1, [])
        lines = list(mutants.table(list(hunt.done.values())))
        self.assertRegex(lines[2], r"^a\.c +0 +1 +0 ")
        self.assertEqual(lines[3], "SURVIVED first (a.c): nobody noticed")


if __name__ == "__main__":
    unittest.main()
