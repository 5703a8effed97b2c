# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/vulkanrun.py: how the lines of Vulkan programs and of vulkaninfo become cases."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import vulkanrun  # noqa: E402

INFO = """\
	deviceName        = Turnip Adreno (TM) 650
	driverName                                           = turnip Mesa driver
	sparseBinding                           = true
	sparseResidencyBuffer                   = true
	sparseResidencyAliased                  = true
"""
DEMO = ["LAB-PROGRAM vk_demo", "LAB-ENDED 0"]
GOOD = ["LAB-PROGRAM vk_sparse_buffer", "1..2", "ok bind", "ok unbind", "LAB-ENDED 0",
        "LAB-PROGRAM vk_sync", "1..1", "ok host-gate", "LAB-ENDED 0",
        "LAB-PROGRAM vk_transfer", "1..1", "ok update", "LAB-ENDED 0",
        "LAB-PROGRAM vk_commands", "1..1", "ok threads", "LAB-ENDED 0",
        "LAB-PROGRAM vk_image", "1..1", "ok plain", "LAB-ENDED 0",
        "LAB-PROGRAM vk_robust", "1..1", "ok killed", "LAB-ENDED 0",
        "LAB-PROGRAM vk_lost", "1..1", "ok draw", "LAB-ENDED 0", "LAB-DUMP comm: vk_lost",
        "LAB-STRICT 1", "LAB-COUNT stale_hits 0", "LAB-COUNT faults 0", "LAB-REMOVED"]


class Vulkan(unittest.TestCase):
    def cases(self, lines, info=INFO, console="[    1.0] quiet\n", demo=DEMO, pictures=vulkanrun.PICTURES):
        self.shown = []
        with tempfile.TemporaryDirectory() as folder:
            results, log = Path(folder), Path(folder) / "log"
            if info is not None:
                (results / "vulkaninfo.txt").write_text(info)
            log.write_text(console)
            live = vulkanrun.Live(lambda *words: self.shown.append(words[:4]), clock=lambda: 0.0)
            for name in pictures:
                (results / name).touch()
            for line in [*demo, *lines]:
                live.line(line.encode())
            return {case.name: case for case in vulkanrun.cases(live, results, log)}

    def failed(self, *args, **words):
        return {name: case.detail for name, case in self.cases(*args, **words).items() if case.outcome != "pass"}

    def test_all_is_well(self):
        self.assertEqual(self.failed(GOOD), {})
        self.assertEqual(self.shown[1], (2, 2, "vk_sparse_buffer/unbind", "pass"))

    def test_a_failed_test_says_why(self):
        lines = [*GOOD[:3], "FAIL unbind: byte 0x0 is 1", "LAB-ENDED 1", *GOOD[5:]]
        self.assertEqual(self.failed(lines), {"vk_sparse_buffer/unbind": "byte 0x0 is 1"})

    def test_a_test_that_never_ended(self):
        lines = [*GOOD[:3], "LAB-ENDED 139", *GOOD[5:]]
        self.assertEqual(self.failed(lines), {"vk_sparse_buffer/complete": "1 of 2 tests ended",
                                              "vk_sparse_buffer/exit-status": "it is 139"})

    def test_a_program_that_never_started(self):
        found = self.failed(GOOD[:5])
        self.assertEqual(found["vk_transfer/complete"], "0 of ? tests ended")
        self.assertIn("msm-removal", found)

    def test_an_exit_status_that_contradicts(self):
        lines = [*GOOD[:4], "LAB-ENDED 1", *GOOD[5:]]
        self.assertEqual(list(self.failed(lines)), ["vk_sparse_buffer/exit-status"])

    def test_the_demo(self):
        self.assertIn("exit status 1;", self.failed(GOOD, demo=[DEMO[0], "LAB-ENDED 1"])["vk_demo/pictures"])
        self.assertIn("without demo.png and va-map.svg;", self.failed(GOOD, pictures=())["vk_demo/pictures"])
        self.assertIn("exit status -1;", self.failed(GOOD, demo=())["vk_demo/pictures"])

    def test_a_feature_that_is_missing(self):
        found = self.failed(GOOD, info=INFO.replace("sparseResidencyBuffer                   = true",
                                                    "sparseResidencyBuffer                   = false"))
        self.assertEqual(found, {"vulkaninfo/sparseResidencyBuffer": "is 'false' instead of 'true'"})

    def test_no_device(self):
        found = self.failed(GOOD, info="ERROR: vkEnumeratePhysicalDevices failed\n")
        self.assertEqual(found["vulkaninfo/deviceName"], "not reported: ERROR: vkEnumeratePhysicalDevices failed")
        self.assertEqual(len(self.failed(GOOD, info=None)), len(vulkanrun.INFO))

    def test_a_gpu_fault_fails(self):
        found = self.failed(GOOD, console="[    5.2] msm msm: *** gpu fault: ttbr0=0 iova=1\n")
        self.assertEqual(list(found), ["no-gpu-fault"])

    def test_a_page_fault_is_never_on_purpose(self):
        fault = "[    5.1] vulkan: vk_lost\n[    5.2] msm msm: *** gpu fault: ttbr0=0 iova=1\n"
        self.assertEqual(list(self.failed(GOOD, console=fault)), ["no-gpu-fault"])

    def test_a_hang_on_purpose(self):
        hang = "[    5.2] msm msm: gpu fault ring 2 fence 8b status 00000001\n"
        self.assertEqual(self.failed(GOOD, console="[    5.1] vulkan: vk_lost\n" + hang), {})
        self.assertEqual(list(self.failed(GOOD, console="[    5.1] vulkan: vk_lost\n[    5.1] vulkan: vk_sync\n" + hang)),
                         ["no-gpu-fault"])

    def without(self, line, other=None):
        return [text for text in [other if text == line else text for text in GOOD] if text]

    def test_a_stale_translation(self):
        for lines in (self.without("LAB-COUNT stale_hits 0", "LAB-COUNT stale_hits 3"), self.without("LAB-COUNT stale_hits 0"),
                      self.without("LAB-STRICT 1", "LAB-STRICT 0"), self.without("LAB-STRICT 1")):
            self.assertEqual(list(self.failed(lines)), ["no-stale-translation"])

    def test_a_fault_that_no_message_tells(self):
        for lines in (self.without("LAB-COUNT faults 0", "LAB-COUNT faults 1"), self.without("LAB-COUNT faults 0")):
            self.assertEqual(list(self.failed(lines)), ["no-gpu-fault"])

    def test_a_crash_dump_of_another_program(self):
        self.assertEqual(self.failed([*GOOD[:5], "LAB-DUMP comm: vk_sparse_buffe", *GOOD[5:]]),
                         {"devcoredumps-explained": "vk_sparse_buffer: of vk_sparse_buffe"})


if __name__ == "__main__":
    unittest.main()
