# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/report.py, lab/expect.py, lab/health.py, lab/igtrun.py and lab/ci.py: how a result is judged and told."""

import itertools
import json
import signal
import sys
import tempfile
import threading
import time
import types
import unittest
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import check, ci, coverage, expect, health, igtrun, qemu, report, suites  # noqa: E402
from lab.common import Failure  # noqa: E402
from lab.report import Case  # noqa: E402

RULES = [expect.Rule("msm_bo/flags", "fail: a == b", "stock kernel"), expect.Rule("msm_mapping/*", "skip", "no buffer")]


class Report(unittest.TestCase):
    def test_last_line(self):
        cases = [Case("a", "x", "pass"), Case("a", "y", "skip", detail="why"), Case("b", "z", "fail", detail="bad")]
        self.assertEqual(report.last_line(cases), "1 passed, 1 failed, 1 skipped")

    def test_nothing_run_is_a_failure(self):
        self.assertFalse(report.succeeded([]))
        self.assertFalse(report.succeeded([Case("a", "x", "skip")]))
        self.assertTrue(any("no test ran" in line for line in report.lines([], {})))

    def test_skip_reason_is_shown(self):
        text = "\n".join(report.lines([Case("a", "x", "skip", detail="no swap")], {"a": (1, "log")}))
        self.assertIn("no swap", text)

    def test_junit(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "junit.xml"
            report.junit([Case("a", "x", "fail", detail="a\x1b[0m & <b>")], {"a": (1.0, "log")}, path)
            suite = ElementTree.parse(path).getroot()[0]
            self.assertEqual(suite.get("failures"), "1")
            self.assertIn("& <b>", suite[0][0].text)


class Expect(unittest.TestCase):
    def test_expected_failure_passes_with_its_reason(self):
        self.assertEqual(expect.judge("msm_bo/flags", "fail", "assertion: a == b", RULES)[::2],
                         ("pass", "fails as expected: stock kernel"))

    def test_another_failure_is_not_expected(self):
        self.assertEqual(expect.judge("msm_bo/flags", "fail", "timeout; the last that it said: x", RULES)[0], "fail")

    def test_unexpected_pass_fails(self):
        self.assertEqual(expect.judge("msm_bo/flags", "pass", "", RULES)[0], "fail")
        self.assertEqual(expect.judge("msm_mapping/ring", "pass", "", RULES)[0], "fail")

    def test_unforeseen_skip_fails(self):
        self.assertEqual(expect.judge("msm_shrink/a", "skip", "no swap", RULES)[0], "fail")
        self.assertEqual(expect.judge("msm_mapping/a", "skip", "", RULES)[:2], ("skip", "no buffer"))

    def test_a_program_that_lost_tests(self):
        rules = [expect.Rule("igt/msm_a", "2", "why"), expect.Rule("igt/msm_b", "1", "why"), expect.Rule("other/msm_c", "9", "")]
        self.assertEqual(list(expect.too_few("igt", ["msm_a/x", "msm_ab/y", "msm_b/z"], rules)),
                         [("msm_a", "1 tests ran, of at least 2: why")])

    def test_a_kunit_module_that_lost_cases(self):
        rules = [expect.Rule("kunit/msm_test", "2", "why")]
        self.assertFalse(list(expect.too_few("kunit", ["msm_test.vm.a", "msm_test.vm.b"], rules)))
        self.assertTrue(list(expect.too_few("kunit", ["msm_test.vm.a", "msm_tests.vm.b"], rules)))

    def test_a_rule_needs_a_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "results.txt").write_text("a | fail |\n")
            with self.assertRaises(Failure):
                expect.load("results.txt", Path(folder))

    def test_the_lists_in_the_repository_are_well_formed(self):
        for name in ("results.txt", "log.txt", "devcoredump.txt"):
            expect.load(name)


class Health(unittest.TestCase):
    def test_splats_are_found_behind_time_stamps(self):
        console = "[    1.0] fine\n[   12.345678] WARNING: CPU: 0 PID: 1 at a.c:1 f\n[  2.0][ T12] BUG: KASAN: x in y\n"
        self.assertEqual(len(health.splats("kunit", console, [])), 2)

    def test_a_rule_allows_its_own_suite_only(self):
        console = "WARNING: CPU: 0 PID: 1 at a.c:1 f\n"
        rules = [expect.Rule("kunit", "at a.c:1", "tested")]
        self.assertEqual(health.splats("kunit", console, rules), [])
        self.assertEqual(len(health.splats("igt", console, rules)), 1)

    def test_lockdep_and_taint(self):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            log.write_text("quiet\n")
            sick = types.SimpleNamespace(log=log, leaks=None, explain=lambda: "", state={"lockdep": "0", "taint": "512"})
            found = {case.name: case.outcome for case in health.check("igt", sick, True)}
            self.assertEqual(found["lockdep-still-on"], "fail")
            self.assertEqual(found["taint"], "fail")
            well = types.SimpleNamespace(log=log, leaks=None, explain=lambda: "", state={"lockdep": "1", "taint": "4096"})
            self.assertEqual({case.outcome for case in health.check("igt", well, True)}, {"pass"})


class Igt(unittest.TestCase):
    def cases(self, tests, removed=True):
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder)
            if tests is not None:
                (results / "results.json").write_text(json.dumps({"tests": tests}))
            plan = igtrun.Plan("igt-stock", "/", (), results, False)
            live = types.SimpleNamespace(removed=removed, removal=[])
            return {case.name: case for case in igtrun.cases(plan, live)}

    def test_words(self):
        found = self.cases({"igt@msm/msm_x@a": {"result": "pass"}, "igt@msm/msm_x@b": {"result": "timeout", "out": "t"},
                            "igt@msm/msm_x@c": {"result": "incomplete"}})
        self.assertEqual([found[f"msm_x/{name}"].outcome for name in "abc"], ["pass", "fail", "fail"])

    def test_a_warning_of_the_test_counts(self):
        found = self.cases({"igt@msm/msm_x@a": {"result": "warn", "err": "(msm_x:7) igt_msm-WARNING: odd\n"}})
        self.assertEqual(found["msm_x/a"].outcome, "fail")

    def test_only_the_known_assertion_is_expected(self):
        own = {"result": "fail", "err": "(msm_bo:1) igt_msm-CRITICAL: Failed assertion: igt_ioctl(struct drm_msm_gem_new) == 0\n"
                                        "(msm_bo:1) igt_msm-CRITICAL: Last errno: 22, Invalid argument\n"}
        for test, outcome in ((own, "pass"), (dict(own, result="crash"), "fail"),
                              (dict(own, err=own["err"].replace("22", "12")), "fail")):
            found = self.cases({"igt@msm/msm_bo@bo-alloc-basic": test})["msm_bo/bo-alloc-basic"]
            self.assertEqual(found.outcome, outcome)

    def test_kernel_messages_need_a_rule(self):
        message = "<4> [1.5] msm: *** gpu fault: iova\n"
        test = {"result": "dmesg-warn", "dmesg-warnings": message}
        found = self.cases({"igt@msm/msm_mapping@ring": test, "igt@msm/msm_submit@valid-submit": test})
        self.assertEqual(found["msm_mapping/ring"].outcome, "pass")
        self.assertEqual(found["msm_submit/valid-submit"].outcome, "fail")

    def test_live_lines(self):
        shown = []
        live = igtrun.Live(lambda *words: shown.append(words))
        for line in (b"[1.5] [ 1/2] msm_x", b"Starting subtest: a", b"(msm_x:7) noise",
                     b"Subtest a: SUCCESS (1.000s)", b"Starting subtest: b", b"[3.0] [ 2/2] msm_y (c)",
                     b"Starting subtest: c", b"Subtest c: FAIL (0.100s)", b"LAB-REMOVE", b"LAB-REMOVED"):
            live.line(line)
        self.assertEqual(shown, [(1, 2, "msm_x", "a", "pass", 1.0), (1, 2, "msm_x", "b", "?   ", 0.0),
                                 (2, 2, "msm_y", "c", "fail", 0.1)])
        self.assertTrue(live.removed)

    def test_no_results_is_a_failure(self):
        self.assertEqual({case.outcome for case in self.cases(None).values()}, {"fail"})
        self.assertEqual({case.outcome for case in self.cases({}).values()}, {"fail"})

    def test_a_module_that_stays_is_a_failure(self):
        found = self.cases({"igt@msm/msm_x@a": {"result": "pass"}}, removed=False)
        self.assertEqual(found["msm-removal"].outcome, "fail")


class SideBySide(unittest.TestCase):
    """The suites of make check, several at a time."""

    def setUp(self):
        self.said, self.began = [], []
        self.context = suites.Context(None, "debug", Path("/nowhere"), Path("/nowhere"), True, self.said.append)
        self.kept, suites.Context.ask_kvm = suites.Context.ask_kvm, lambda context: None
        self.suites = dict(suites.SUITES)
        for name in ("kunit", "igt", "igt-stock"):
            suites.SUITES[name] = self.fake(name)

    def tearDown(self):
        suites.Context.ask_kvm = self.kept
        suites.SUITES.clear()
        suites.SUITES.update(self.suites)

    def fake(self, name, error=None):
        def suite(context):
            """What it does."""
            self.began.append(name)
            context.say(f"line of {name}")
            if name == "igt-stock":
                raise Failure("no guest")
            if error:
                raise error
            yield Case(name, "case", report.PASS)
        return suite

    def test_cpus_and_memory_decide(self):
        self.assertEqual(check.lanes(["a"] * 5, 2, 24 << 30), 2)
        self.assertEqual(check.lanes(["igt"], 3, 24 << 30), 3)
        self.assertEqual(check.lanes(["a"] * 5, 16, 24 << 30), 4)
        self.assertEqual(check.lanes(["a"] * 5, 16, 7 << 30), 2)
        self.assertEqual(check.lanes(["a"], 16, 24 << 30), 1)
        self.assertEqual(check.lanes([], 1, 1 << 30), 1)

    def test_results_come_in_the_order_asked_for(self):
        cases, times = check.run(self.context, ["kunit", "igt-stock", "igt"], 2)
        self.assertEqual([(case.suite, case.outcome) for case in cases],
                         [("kunit", "pass"), ("igt-stock", "fail"), ("igt", "pass")])
        self.assertEqual(list(times), ["kunit", "igt-stock", "igt"])
        self.assertEqual(self.began[-1], "kunit")

    def interrupted(self, at_once):
        """Run a suite of four guests, interrupted in the first as by ctrl-C."""
        numbers = itertools.count()

        class Fake:
            def run(fake, script, on_line):
                number, end = next(numbers), time.monotonic() + 10
                self.began.append(number)
                if number == 0:
                    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                while not qemu.Process.ended and time.monotonic() < end:     # until it is killed
                    time.sleep(0.01)

        def part(context, number):
            context.boot(Fake(), "", None)
            yield Case("igt", str(number), report.PASS)

        def suite(context):
            """One of four guests."""
            yield from suites._beside("igt", *(part(context, number) for number in range(4)))

        suites.SUITES["igt"] = suite
        self.addCleanup(setattr, qemu.Process, "ended", False)
        # A job in the background of a shell begins with the signal ignored.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        with self.assertRaises(KeyboardInterrupt):
            check.run(self.context, ["igt"], at_once)
        self.assertTrue(qemu.Process.ended)

    def test_an_interruption_begins_no_other_guest(self):
        self.interrupted(2)
        self.assertLessEqual(len(self.began), 2)

    def test_one_guest_at_a_time_is_interrupted_too(self):
        self.interrupted(1)
        self.assertEqual(len(self.began), 1)

    def test_a_guest_that_fails_leaves_the_others(self):
        def part(number):
            if number:
                raise Failure("no guest")
            yield Case("igt", "case", report.PASS)
        found = suites._beside("igt", part(1), part(0))
        self.assertEqual([case.outcome for case in found], [report.FAIL, report.PASS])

    def test_a_bug_in_a_suite_leaves_the_others(self):
        for at_once in (1, 2):
            for error in (TypeError("None\nof it"), IndexError("gone"), OSError(28, "No space left on device")):
                suites.SUITES["igt"] = self.fake("igt", error)
                cases, times = check.run(self.context, ["igt", "kunit"], at_once)
                self.assertEqual([(case.suite, case.outcome) for case in cases], [("igt", "fail"), ("kunit", "pass")])
                first, _, rest = cases[0].detail.partition("\n")
                self.assertEqual(first, f"{type(error).__name__}: {' '.join(str(error).split())}")
                self.assertIn("in suite", rest)
                self.assertEqual(list(times), ["igt", "kunit"])

    def test_a_bug_in_the_coverage_leaves_the_suites(self):
        with mock.patch.object(coverage, "report", side_effect=TypeError("no file")):
            cases = check.covered(self.context, Path("/nowhere"), {})
        self.assertEqual([(case.outcome, case.detail.splitlines()[0]) for case in cases], [("fail", "TypeError: no file")])

    def test_an_end_that_was_asked_for_is_no_result(self):
        for error in (KeyboardInterrupt, SystemExit):
            suites.SUITES["igt"] = self.fake("igt", error)
            with self.assertRaises(error):
                check.run(self.context, ["igt", "kunit"], 1)

    def test_a_suite_named_twice_runs_once(self):
        self.assertEqual(check.chosen("igt, igt kunit"), ["igt", "kunit"])

    def test_each_line_names_its_suite(self):
        check.run(self.context, ["kunit", "igt"], 2)
        self.assertIn("igt   line of igt", self.said)
        self.said.clear()
        check.run(self.context, ["kunit", "igt"], 1)
        self.assertIn("line of igt", self.said)


class Ci(unittest.TestCase):
    def test_a_failed_step_without_failed_tests_counts(self):
        line = ci.TOTAL.match("5 passed, 0 failed, 1 skipped")
        self.assertEqual(ci.totals(1, line), (5, 1, 1))
        self.assertEqual(ci.totals(0, line), (5, 0, 1))
        self.assertEqual(ci.totals(1, None), (0, 1, 0))
        self.assertEqual(ci.totals(0, None), (1, 0, 0))


if __name__ == "__main__":
    unittest.main()
