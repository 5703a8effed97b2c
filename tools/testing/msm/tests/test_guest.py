# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/kvm.py and guest/main: what a probe boot finds and for how long; a folder that cannot be mounted."""

import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import arch, common, kvm, qemu  # noqa: E402
from lab.common import Failure  # noqa: E402

STAND_IN = """#!/bin/sh
for word; do
	case $word in
	file:*) log=${word#file:} ;;
	*lab.nonce=*) nonce=${word#*lab.nonce=}; nonce=${nonce%% *} ;;
	esac
done
"""
WORKS = 'echo "LAB-EXIT $nonce 0" >> "$log"\n'


class Kvm(unittest.TestCase):
    """The device is a file, QEMU a shell script."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="msm-test-")
        self.addCleanup(holder.cleanup)
        self.folder, self.said = Path(holder.name), []
        (self.folder / "device").touch()
        for where, name, value in ((common, "OUT", self.folder), (kvm, "DEVICE", str(self.folder / "device")),
                                   (kvm, "SECONDS", 1), (kvm, "say", self.said.append)):
            patch = mock.patch.object(where, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        self.arch = dataclasses.replace(arch.get(arch.HOST), qemu=str(self.folder / "qemu"))
        self.answer = self.folder / f"kvm-{self.arch.name}"
        self.next_process()
        self.addCleanup(kvm.hint.cache_clear)

    def next_process(self):
        """The lab is started once more: it knows the file only."""
        kvm.hint.cache_clear()
        self.said.clear()

    def probe(self, script):
        stand_in = Path(self.arch.qemu)
        stand_in.write_text(STAND_IN + script)
        stand_in.chmod(0o755)
        kvm.probe(qemu.Machine(self.arch, Path("k"), Path("i"), Path("d"), self.folder / "log"))

    def knows(self):
        return kvm.known(self.arch), kvm.works(self.arch)

    def test_a_probe_that_works_is_remembered(self):
        self.assertEqual(self.knows(), (False, False))
        self.probe('case "$*" in *"-accel kvm"*) ;; *) exit 1 ;; esac\n' + WORKS)
        self.assertEqual(self.knows(), (True, True))
        kvm.hint(self.arch)
        self.assertEqual(self.said, [])

    def test_a_probe_that_fails_is_told_with_the_way_out(self):
        for script, why in (("echo 'no such CPU' >&2; exit 1", "no-marker: no such CPU"), ("exec sleep 30", "1 s"),
                            (WORKS.replace(" 0", " 1"), "done"), ("kill -9 $$", "killed by signal 9")):
            self.next_process()
            self.probe(script)
            self.assertEqual(self.knows(), (True, False))
            self.assertEqual(len(self.said), 1)
            for text in ("using TCG", why, f"to look again: rm {self.answer}"):
                self.assertIn(text, self.said[0])
            self.answer.unlink()
            self.assertFalse(kvm.known(self.arch))

    def test_a_remembered_failure_is_told_once(self):
        self.probe("exit 1")
        self.next_process()
        for _ in range(2):
            kvm.hint(self.arch)
        self.assertEqual(self.said, [f"kvm: a probe boot failed before; using TCG, which is slower; to look again: rm {self.answer}"])

    def test_a_boot_of_the_host_asks_again(self):
        self.probe(WORKS)
        with mock.patch.object(kvm, "_boot", lambda: "another"):
            self.assertEqual(self.knows(), (False, False))

    def test_a_damaged_answer_asks_again(self):
        self.answer.write_text("yes\n")
        self.assertEqual(self.knows(), (False, False))

    def test_an_interrupted_probe_says_nothing(self):
        process = mock.Mock(ended=True)
        process.return_value.wait.return_value = qemu.Result("no-marker", 1, 0.1)
        with mock.patch.object(kvm, "Process", process), self.assertRaisesRegex(Failure, "interrupted"):
            kvm.probe(types.SimpleNamespace(arch=self.arch))
        self.assertFalse(self.answer.exists())

    def test_another_architecture_is_not_asked(self):
        self.answer.write_text(f"{kvm._boot()} yes\n")
        self.arch = dataclasses.replace(self.arch, name="other")
        self.assertEqual(self.knows(), (True, False))
        kvm.hint(self.arch)
        self.assertEqual(self.said, [])

    def test_no_permission_is_told_once(self):
        with mock.patch.object(os, "access", lambda *words: False):
            self.assertEqual(self.knows(), (True, False))
            for _ in range(2):
                kvm.hint(self.arch)
        self.assertEqual(len(self.said), 1)
        self.assertIn("no permission", self.said[0])


# Of guest/main: how it mounts a folder of the host's, with a busybox that mounts all but one and only says what it does.
BUSYBOX = """#!/bin/sh
echo "$*" >>{calls}
case "$*" in
"mount -t 9p "*" lab /lab") exit {status} ;;
"poweroff -f") kill -9 $PPID ;;
esac
"""


class Folders(unittest.TestCase):
    def mount(self, status):
        """Mount share and lab, the latter with this status; return what busybox was asked for and the console."""
        with tempfile.TemporaryDirectory(prefix="msm-test-") as folder:
            busybox, calls, console = (Path(folder) / name for name in ("busybox", "calls", "console"))
            busybox.write_text(BUSYBOX.format(calls=calls, status=status))
            busybox.chmod(0o755)
            console.touch()
            text = (Path(__file__).resolve().parents[1] / "guest/main").read_text()
            part = re.search(r"^OPTIONS=.*?^}$", text, re.M | re.S)[0].replace("/dev/console", str(console))
            subprocess.run(["sh", "-c", f"B={busybox}\n{part}\nfolder share\nfolder lab\n$B went on"], check=False)
            return calls.read_text().splitlines(), console.read_bytes()

    def test_both_are_mounted(self):
        calls, console = self.mount(0)
        self.assertEqual([call.split()[0] for call in calls], ["mkdir", "mount", "mkdir", "mount", "went"])
        self.assertEqual(console, b"")

    def test_one_that_cannot_be_mounted_ends_the_guest_and_is_named(self):
        calls, console = self.mount(32)
        self.assertEqual(calls[-1], "poweroff -f")
        process = types.SimpleNamespace(started=0, machine=mock.Mock(nonce="1"))
        process.machine.log.read_bytes.return_value = b"[ 1.0] 9p: no channels" + console
        process._last_words = lambda log: qemu.Process._last_words(process, log)
        result = qemu.Process._result(process, ("", ""))
        self.assertEqual((result.verdict, result.reason), ("no-marker", "cannot mount the host's folder lab"))
        self.assertNotEqual(result.status, 0)


if __name__ == "__main__":
    unittest.main()
