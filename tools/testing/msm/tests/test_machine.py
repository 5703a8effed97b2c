# SPDX-License-Identifier: GPL-2.0-only
"""Tests of lab/qemu.py, guest.py, cpio.py, config.py, fetch.py, rootfs.py and deps.py: how a guest is made and how its end is told.

The stand-in for QEMU is a shell script that writes into the console log what a
guest would: the verdicts are about the log, the marker and the clock.
"""

import dataclasses
import io
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab import arch, common, config, cpio, deps, fetch, guest, kbuild, kernel, programs, qemu, rootfs  # noqa: E402
from lab.common import Failure  # noqa: E402
from lab.progress import Progress  # noqa: E402

STAND_IN = """#!/bin/sh
for word; do
	case $word in
	file:*) log=${word#file:} ;;
	*lab.nonce=*) nonce=${word#*lab.nonce=}; nonce=${nonce%% *} ;;
	esac
done
"""


HERE = str(Path(__file__).resolve().parents[1])
CRASH = """
import os, sys
sys.path.insert(0, sys.argv[1])
import importlib.util
from lab import guest
guest.main = lambda argv: eval(sys.argv[2])
spec = importlib.util.spec_from_file_location("entry", sys.argv[1] + "/lab.py")
entry = importlib.util.module_from_spec(spec)
spec.loader.exec_module(entry)
sys.exit(entry.main(["guest"]))
"""


MMDEBSTRAP = """\
I: running apt-get update...
Get:1 file:/debian forky InRelease [151 kB]
Get:2 file:/debian forky/main amd64 Packages [10.1 MB]
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Get:1 file:/debian forky/main amd64 gcc-16-base amd64 16.1 [60 kB]
Get:2 file:/debian forky/main amd64 libc6 amd64 2.42-1 [2800 kB]
I: success in 19 seconds
"""


EXPIRED = "E: Release file for http://example.org/debian/dists/forky/InRelease is expired (invalid since 3d 2h).\n"
NO_NETWORK = """\
I: running apt-get update...
Err:1 http://example.org/debian forky InRelease
  Could not resolve 'example.org'
W: Failed to fetch http://example.org/debian/dists/forky/InRelease  Could not resolve 'example.org'
E: Unable to locate package base-files
E: apt-get --yes install failed
"""
# Origin, label, where
TARGETS = """\
Docker|Docker CE|http://example.org/docker/
Debian|Debian-Security|http://example.org/debian-security/
Debian|Debian|cdrom:[Debian GNU/Linux 13]/
Debian|Debian|http://example.org/debian/
Debian|Debian|http://example.net/debian/
"""


class RootfsTest(unittest.TestCase):
    def test_packages_are_counted_and_all_is_passed_on(self):
        progress = Progress("rootfs", stream=io.StringIO())
        lines = MMDEBSTRAP.splitlines(keepends=True)
        self.assertEqual(list(rootfs._follow(lines, progress)), lines)
        self.assertEqual((progress.count, progress.total), (2, 2))


    def fetch(self, *ends):
        """What _fetch says, and the further words of each mmdebstrap, which end so: (status, complaints)."""
        said, asked, ends = [], [], iter(ends)

        def mmdebstrap(arch, archive, listing, *more):
            asked.append(more)
            return subprocess.CompletedProcess([], *next(ends))
        with mock.patch.object(rootfs, "_mmdebstrap", mmdebstrap):
            try:
                rootfs._fetch(arch.X86_64, Path("a"), Path("l"), said.append)
            except Failure as failure:
                said.append(str(failure))
        return said, asked

    def test_it_is_fetched_strictly(self):
        self.assertEqual(self.fetch((0, "", EXPIRED)), ([], [()]))

    def test_an_expired_release_file_is_accepted_with_a_warning(self):
        said, asked = self.fetch((1, "", EXPIRED), (0, "", ""))
        self.assertEqual(asked, [(), ('--aptopt=Acquire::Check-Valid-Until "false"',)])
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], "^warning: .* without the date check")

    def test_the_date_is_all_that_is_let_go(self):
        said, asked = self.fetch((1, "", EXPIRED), (1, "", "E: The repository is not signed.\n"))
        self.assertEqual((len(asked), len(said)), (2, 2))
        self.assertIn("E: The repository is not signed.", said[1])

    def test_no_network_is_one_line(self):
        said, asked = self.fetch((100, "", NO_NETWORK))
        self.assertEqual((len(asked), len(said), len(said[0].splitlines())), (1, 1, 1))
        self.assertRegex(said[0], "^cannot fetch the guest's packages .*no network.*Could not resolve 'example.org'")

    def test_a_full_disk_is_one_line(self):
        said, _ = self.fetch((1, "", "I: extracting\ntar: root.tar: Wrote only 4096 bytes: No space left on device\nbye\n"))
        self.assertRegex(said[0], "^cannot .*: tar: .*No space left on device$")

    def test_a_failure_without_words(self):
        self.assertRegex(self.fetch((7, "", "I: so far so good\n"))[0][0], "mmdebstrap: exit status 7$")

    def mirror(self, listing):
        with mock.patch.object(rootfs, "run", lambda argv: subprocess.CompletedProcess(argv, 0, listing, "")):
            return rootfs.mirror()

    def test_the_mirror_is_the_hosts(self):
        self.assertEqual(self.mirror(TARGETS), "http://example.org/debian/")

    def test_no_mirror_is_one_line(self):
        for listing in ("", TARGETS.splitlines()[0] + "\nDebian|Debian|cdrom:[Debian]/\n"):
            with self.assertRaisesRegex(Failure, "^no Debian mirror is configured .*apt-get update.*$"):
                self.mirror(listing)


class Programs(unittest.TestCase):
    def test_a_folder_in_use_stays(self):
        with tempfile.TemporaryDirectory() as base:
            link, builds = Path(base) / "x", [Path(base) / f"x-{number}" for number in range(3)]
            link.mkdir()        # as it once was
            for build in builds:
                build.mkdir()
            programs.publish(link, builds[0])
            with programs.in_use(link) as folder:
                self.assertEqual(folder, builds[0].resolve())
                builds[1].mkdir(exist_ok=True)
                programs.publish(link, builds[1])
                self.assertTrue(builds[0].is_dir())
            programs.publish(link, builds[1])
            self.assertEqual([build.is_dir() for build in builds], [False, True, False])
            self.assertEqual(link.resolve(), builds[1].resolve())


class Verdict(unittest.TestCase):
    def end(self, script, timeout=20, idle=20, on_line=None):
        with tempfile.TemporaryDirectory() as folder:
            stand_in = Path(folder) / "qemu"
            stand_in.write_text(STAND_IN + script)
            stand_in.chmod(0o755)
            machine = qemu.Machine(dataclasses.replace(arch.X86_64, qemu=str(stand_in)), Path("k"), Path("i"),
                                   Path("d"), Path(folder) / "log")
            lines = []
            result = qemu.Process(machine, on_line or lines.append).wait(timeout, idle)
            return result, lines

    def test_marker_and_status(self):
        result, lines = self.end('echo hello; echo "LAB-EXIT $nonce 7" >> "$log"')
        self.assertEqual((result.verdict, result.status, lines), ("done", 7, [b"hello"]))

    def test_another_runs_marker_does_not_count(self):
        result, _ = self.end('echo "LAB-EXIT 0123456789abcdef 0" >> "$log"')
        self.assertEqual(result.verdict, "no-marker")
        self.assertNotEqual(result.status, 0)

    def test_panic_wins(self):
        result, _ = self.end('echo "LAB-EXIT $nonce 0" >> "$log"; echo "Kernel panic - not syncing: ouch" >> "$log"')
        self.assertEqual((result.verdict, result.reason), ("panic", "ouch"))

    def test_hang(self):
        self.assertEqual(self.end("exec sleep 30", idle=1)[0].verdict, "hang")

    def test_output_is_no_hang_but_a_timeout(self):
        result, _ = self.end("while :; do echo busy; sleep 0.2; done", timeout=3, idle=2)
        self.assertEqual(result.verdict, "timeout")

    def test_an_error_of_the_reader_is_raised(self):
        def closed(line):
            raise BrokenPipeError("nobody reads on")
        with self.assertRaises(BrokenPipeError):
            self.end("while :; do echo busy; done", on_line=closed)

    def test_ended_while_it_starts(self):
        self.addCleanup(setattr, qemu.Process, "ended", False)
        begun = qemu.Process.__init__

        def start(process, *args):
            begun(process, *args)
            qemu.Process.end_all()      # before wait()
        with mock.patch.object(qemu.Process, "__init__", start):
            self.assertEqual(self.end("exec sleep 30")[0].verdict, "no-marker")

    def test_qemu_complains(self):
        result, _ = self.end("echo 'qemu: no such machine' >&2; exit 1")
        self.assertEqual((result.verdict, result.reason), ("no-marker", "qemu: no such machine"))

    def test_qemu_is_killed(self):
        result, _ = self.end("kill -9 $$")
        self.assertEqual((result.verdict, result.reason), ("no-marker", "QEMU was killed by signal 9 (Killed)"))
        self.assertNotEqual(result.status, 0)
        result, _ = self.end("echo 'qemu: cannot go on' >&2; kill -9 $$")
        self.assertEqual(result.reason, "QEMU was killed by signal 9 (Killed): qemu: cannot go on")

    def test_a_marker_counts_though_qemu_is_killed(self):
        result, _ = self.end('echo "LAB-EXIT $nonce 0" >> "$log"; kill -9 $$')
        self.assertEqual((result.verdict, result.status), ("done", 0))

    def test_each_end_has_its_own_sentence(self):
        no_marker = "the guest ended without its marker: QEMU "
        for script, limits, sentence in (
                ('echo "Kernel panic - not syncing: ouch" >> "$log"', {}, "the kernel panicked: ouch"),
                ("exec sleep 30", {"idle": 1}, "the guest hangs: no output for 1 s"),
                ("exec sleep 30", {"timeout": 1}, "the guest took too long: not finished after 1 s"),
                ("exit 0", {}, no_marker + "ended with status 0 before the guest said how it went"),
                ("kill -9 $$", {}, no_marker + "was killed by signal 9 (Killed)")):
            outcome = guest.Outcome(self.end(script, **limits)[0], {}, "", Path("console.log"))
            self.assertEqual(outcome.explain(), f"{sentence} (log: console.log)")

    def test_a_command_that_ran_is_not_explained(self):
        outcome = guest.Outcome(self.end('echo "LAB-EXIT $nonce 7" >> "$log"')[0], {}, "", Path("console.log"))
        self.assertEqual(outcome.explain(), "")

    def test_qemu_missing(self):
        machine = qemu.Machine(dataclasses.replace(arch.X86_64, qemu="qemu-that-is-not-there"), Path("k"), Path("i"),
                               Path("d"), Path(tempfile.mkdtemp()) / "log")
        with self.assertRaises(Failure):
            qemu.Process(machine)

    def test_command_line(self):
        machine = qemu.Machine(arch.X86_64, Path("k"), Path("i"), Path("a,b"), Path("log"))
        words = machine.argv()
        self.assertIn("-no-reboot", words)
        self.assertTrue(any("file=a,,b" in word and "readonly=on" in word for word in words))


class Cpio(unittest.TestCase):
    def test_cpio_reads_it_back(self):
        stream = io.BytesIO()
        archive = cpio.Writer(stream)
        archive.file("bin/tool", b"12345", 0o755)
        archive.link("bin/alias", "tool")
        archive.file("bin/other", b"")
        archive.close()
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cpio", "-i", "--quiet"], input=stream.getvalue(), cwd=folder, check=True)
            tool = Path(folder) / "bin/tool"
            self.assertEqual((tool.read_bytes(), tool.stat().st_mode & 0o777), (b"12345", 0o755))
            self.assertEqual(os.readlink(Path(folder) / "bin/alias"), "tool")


class Config(unittest.TestCase):
    def test_lost_options(self):
        text = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\n"
        wanted = {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_C": "y", "CONFIG_D": "y", "CONFIG_E": "n"}
        self.assertEqual([name for name, _, _ in config.lost(wanted, text)], ["CONFIG_C", "CONFIG_D"])

    def configure(self, build, lose=""):
        """Configure the plain kernel with a stand-in for make that loses an option; return what make was asked for."""
        asked = []

        def make(*words):
            asked.append(words)
            lines = (build / "wanted.config").read_text().splitlines()
            (build / ".config").write_text("".join(f"{line}\n" for line in lines if line.split("=")[0] != lose))
        with mock.patch.object(common, "OUT", build / "out"):
            return config.configure(arch.X86_64, "plain", build, make), asked

    def test_it_is_configured_once(self):
        with tempfile.TemporaryDirectory() as folder:
            build = Path(folder)
            changed, asked = self.configure(build)
            self.assertEqual((changed, asked), (True, [(f"KCONFIG_ALLCONFIG={build}/wanted.config", "allnoconfig")]))
            self.assertEqual(self.configure(build), (False, []))
            (build / ".config").write_text("# an edit\n")
            self.assertTrue(self.configure(build)[0])

    def test_a_lost_option_is_an_error_that_names_it(self):
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(2):      # nor does a second run take the build folder as it is
                with self.assertRaisesRegex(Failure, r"do not survive.*: CONFIG_DRM_MSM=m \(got n\)$"):
                    self.configure(Path(folder), lose="CONFIG_DRM_MSM")
            self.assertTrue(self.configure(Path(folder))[0])

    def test_an_option_that_a_build_lost_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            self.configure(Path(folder))
            config.check(arch.X86_64, "plain", folder)
            path = Path(folder) / ".config"
            path.write_text(path.read_text().replace("CONFIG_DRM_MSM=m", "CONFIG_DRM_MSM=y"))
            with self.assertRaisesRegex(Failure, r"CONFIG_DRM_MSM=m \(got y\)"):
                config.check(arch.X86_64, "plain", folder)

    def test_options_that_the_series_kernel_lacks(self):
        with tempfile.TemporaryDirectory() as folder:
            build = kbuild.Kbuild(folder, folder, Path(folder) / "log")
            (Path(folder) / ".config").write_text("CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n")
            self.assertEqual(build.missing("# words\nCONFIG_A=y\nCONFIG_B=y\nCONFIG_C=n\nCONFIG_D=y\n"),
                             ["CONFIG_B=y", "CONFIG_D=y"])
            self.assertIn("CONFIG_DRM_MSM=m", build.missing())

    def test_every_flavour_parses(self):
        for name in arch.ALL:
            for flavour in config.flavours():
                self.assertEqual(config.wanted(arch.get(name), flavour)["CONFIG_DRM_MSM"], "m")

    def test_a_flavour_on_top_of_others_has_all_of_them(self):
        options = config.wanted(arch.X86_64, "gcov")
        for name in ("CONFIG_PROVE_LOCKING", "CONFIG_DEBUG_VM", "CONFIG_GCOV_KERNEL"):
            self.assertEqual(options[name], "y")

    def test_a_flavour_may_differ_between_architectures(self):
        self.assertEqual(config.wanted(arch.X86_64, "gcov")["CONFIG_UNWINDER_FRAME_POINTER"], "y")
        for name, flavour in ((arch.X86_64, "plain"), (arch.ARM64, "debug")):
            self.assertNotIn("CONFIG_UNWINDER_FRAME_POINTER", config.wanted(name, flavour))

    def test_it_starts_from_the_nearest_that_is_built(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(common, "OUT", Path(folder)):
            image = kernel.folder(arch.X86_64, "debug") / arch.X86_64.image
            image.parent.mkdir(parents=True)
            image.write_text("built")
            kernel._seed(arch.X86_64, "plain", lambda text: None)
            self.assertFalse(kernel.folder(arch.X86_64, "plain").exists())
            kernel._seed(arch.X86_64, "gcov", lambda text: None)
            self.assertEqual((kernel.folder(arch.X86_64, "gcov") / arch.X86_64.image).read_text(), "built")

    def test_unknown_flavour(self):
        with self.assertRaises(Failure):
            config.wanted(arch.X86_64, "fast")

    def test_unknown_architecture(self):
        with self.assertRaises(Failure):
            arch.get("riscv")


class Setup(unittest.TestCase):
    def test_wrong_ksrc(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, KSRC=folder):
            with self.assertRaisesRegex(Failure, "no kernel source"):
                fetch.source()

    def test_no_disk_space(self):
        with self.assertRaisesRegex(Failure, "disk space"):
            fetch.check_space(1 << 30)

    def asks_for_space(self, step):
        """A step must ask before it does anything."""
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(common, "OUT", Path(folder) / "out"), \
                mock.patch.object(fetch, "check_space", side_effect=Failure("no disk space")), \
                mock.patch.object(deps, "ensure"), mock.patch.object(rootfs, "_fetch"), \
                mock.patch.object(kernel, "make_tree", side_effect=Failure("went on")):
            with self.assertRaisesRegex(Failure, "^no disk space$"):
                step()
            self.assertFalse(common.OUT.exists())

    def test_big_steps_ask_for_disk_space(self):
        self.asks_for_space(lambda: fetch._unpack(common.OUT / "src"))
        self.asks_for_space(lambda: kernel.make(arch.X86_64, "plain", lambda text: None))
        self.asks_for_space(lambda: kbuild.checkout(None, "commit", common.OUT / "check/tree", "/nowhere"))
        self.asks_for_space(lambda: rootfs.make(arch.X86_64, out=lambda text: None))

    def test_no_network(self):
        with tempfile.NamedTemporaryFile("w+") as log:
            log.write("Err:1 x InRelease\n  Temporary failure resolving 'deb.example.org'\nE: Unable to locate package sparse\n")
            log.flush()
            self.assertEqual(deps._reason(Path(log.name)), "no network? Temporary failure resolving 'deb.example.org'")
            Path(log.name).write_text("E: Unable to locate package sparse\n")
            self.assertEqual(deps._reason(Path(log.name)), "E: Unable to locate package sparse")

    def test_several_steps_ask_once(self):
        both = deps.packages("lab fuzz", arch.X86_64)
        self.assertLess({"shellcheck", "clang"}, set(both))
        self.assertEqual(len(both), len(set(both)))

    def crash(self, folder, what):
        """Run lab.py with a verb that does what; return the one line that it says."""
        done = subprocess.run([sys.executable, "-c", CRASH, HERE, what], text=True, stdout=subprocess.PIPE,
                              env=dict(os.environ, MSM_OUT=folder, TMPDIR=folder), stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (125, 1), done.stderr)
        return done.stderr.strip()

    def test_a_bug_is_one_line_and_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            self.crash(folder, "1 // 0")
            self.assertIn("ZeroDivisionError", (Path(folder) / "log/lab-crash.log").read_text())

    def test_an_error_of_the_system_is_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            full = 'os.write(os.open("/dev/full", os.O_WRONLY), b"x")'
            self.assertEqual(self.crash(folder, full), f"guest: no disk space left: {folder} or {folder}")
            self.assertEqual(self.crash(folder, 'open("/nowhere/x")'), "guest: /nowhere/x: No such file or directory")
            self.assertEqual(self.crash(folder, '(_ for _ in ()).throw(OSError("odd"))'), "guest: system: odd")
            self.assertFalse((Path(folder) / "log").exists())

    def test_help_says_what_make_knows(self):
        text = subprocess.run([f"{HERE}/lab.py", "help"], text=True, stdout=subprocess.PIPE, check=True).stdout
        told, more = (set(re.findall(r"^  (\S+)  ", part, re.M)) for part in re.split(r"^\S.* only:$", text, flags=re.M))
        targets = re.search(r"^\.PHONY: help (.*)$", (common.ROOT / "Makefile").read_text(), re.M)[1].split()
        self.assertEqual(told, set(targets))
        self.assertEqual(more, {"deps", "ci"})

    def test_missing_packages_are_found(self):
        self.assertEqual(deps.missing(["dpkg", "no-such-package-msm"]), ["no-such-package-msm"])

    def test_apt_waits_for_another_one(self):
        with tempfile.TemporaryDirectory() as folder:
            apt, log = Path(folder) / "apt-get", Path(folder) / "log"
            apt.write_text('#!/bin/sh\necho "$DEBIAN_FRONTEND: $*"\nexit 3\n')
            apt.chmod(0o755)
            with mock.patch.dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}"):
                self.assertEqual(deps._apt([], log, "install", "-y", "sparse"), 3)
            self.assertEqual(log.read_text(), "noninteractive: -q -o DPkg::Lock::Timeout=600 install -y sparse\n")

    def sudo(self, *, terminal, allowed):
        """What _privilege says to somebody who is not root and has a sudo that allows or refuses."""
        with tempfile.TemporaryDirectory() as folder:
            sudo = Path(folder) / "sudo"
            sudo.write_text(f"#!/bin/sh\nexit {0 if allowed else 1}\n")
            sudo.chmod(0o755)
            with mock.patch.dict(os.environ, PATH=folder), mock.patch.object(os, "geteuid", lambda: 1000), \
                    mock.patch.object(os, "isatty", lambda fd: terminal):
                return deps._privilege(["sparse"])

    def test_sudo(self):
        for terminal in (True, False):
            self.assertEqual(self.sudo(terminal=terminal, allowed=True), ["sudo"])
            with self.assertRaisesRegex(Failure, "run: (sudo )?apt-get install .*sparse"):
                self.sudo(terminal=terminal, allowed=False)


if __name__ == "__main__":
    unittest.main()
