# SPDX-License-Identifier: GPL-2.0-only
"""One QEMU process: its command line, its life, and how it ended, in one of the Verdict words.

Three things decide how a run ended, in this order: a kernel panic in the
console log, the marker line with this run's nonce, the clock. That QEMU
exited says nothing.
"""

import ctypes
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lab.common import Failure

PANIC = re.compile(rb"Kernel panic - not syncing: ([^\r\n]*)")
POLL = 0.2
LIBC = ctypes.CDLL(None)        # loaded here: between fork and exec there is little that one may do
# An emulated CPU may be starved by the host for long: that is no stall of the guest's own making.
PATIENCE = ("rcupdate.rcu_cpu_stall_timeout=240", "watchdog_thresh=60")


@dataclass
class Machine:
    """What to boot; everything but the disks is a number or a word."""

    arch: object
    kernel: Path
    initrd: Path
    disk: Path
    log: Path
    accel: str = "tcg"
    cpus: int = 2
    memory: int = 2048                              # MiB
    words: list = field(default_factory=list)       # of the kernel command line
    shares: dict = field(default_factory=dict)      # 9p tag -> host folder
    interactive: bool = False
    count: bool = False                             # one guest nanosecond is one instruction; TCG with one CPU
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    def argv(self):
        words = [f"console={self.arch.console}", "panic=-1", "no_hash_pointers", f"lab.nonce={self.nonce}",
                 "lab.io=hvc0", *(() if self.accel == "kvm" else PATIENCE), *self.words]
        argv = [self.arch.qemu, *self.arch.machine, "-accel", self._accel(), "-cpu", self._cpu(),
                *(("-icount", "shift=0,sleep=off") if self.count else ()), "-smp", str(self.cpus), "-m", f"{self.memory}M", "-no-reboot", "-nodefaults", "-display", "none",
                "-kernel", self.kernel, "-initrd", self.initrd, "-append", " ".join(words),
                "-serial", f"file:{self.log}", "-device", "virtio-rng-pci",
                "-drive", f"if=none,id=root,format=raw,readonly=on,file.locking=off,file={_quoted(self.disk)}",
                "-device", "virtio-blk-pci,drive=root",
                "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=io",
                "-chardev", f"stdio,id=io,signal={'off' if self.interactive else 'on'}"]
        for tag, folder in self.shares.items():
            argv += ["-virtfs", f"local,path={_quoted(folder)},mount_tag={tag},security_model=none,multidevs=remap"]
        return [str(word) for word in argv]

    def _accel(self):
        return "kvm" if self.accel == "kvm" else f"tcg,thread={'single' if self.count else 'multi'}"

    def _cpu(self):
        return "host" if self.accel == "kvm" else "max,pauth-impdef=on" if self.arch.name == "arm64" else "max"


def _quoted(path):
    return str(path).replace(",", ",,")


@dataclass
class Result:
    """How a run ended. verdict: done, panic, hang, timeout, no-marker."""

    verdict: str
    status: int
    seconds: float
    reason: str = ""


class Process:
    """A running machine. on_line gets each line the command prints (bytes, no newline)."""

    running = set()     # all that this process has, of any thread
    ended = False       # no other one is to begin

    @classmethod
    def end_all(cls):
        """Kill what runs, in any thread, and let no other machine begin."""
        cls.ended = True
        for process in list(cls.running):
            process.kill()

    def __init__(self, machine, on_line=None):
        if self.ended:
            raise Failure("interrupted")
        self.machine = machine
        self.on_line, self.error = on_line, None
        self.last = self.started = time.monotonic()
        machine.log.parent.mkdir(parents=True, exist_ok=True)
        machine.log.write_bytes(b"")
        pipe = None if machine.interactive else subprocess.PIPE
        try:
            self.child = subprocess.Popen(machine.argv(), stdin=None if machine.interactive else subprocess.DEVNULL,
                                          stdout=pipe, stderr=pipe, preexec_fn=partial(_die_with_parent, os.getpid()))
        except FileNotFoundError:
            raise Failure(f"{machine.arch.qemu}: not installed; 'apt-get install qemu-system'") from None
        self.errors = b""
        self.readers = []
        if not machine.interactive:
            self.readers = [threading.Thread(target=self._read_lines, daemon=True),
                            threading.Thread(target=self._read_errors, daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read_lines(self):
        for line in self.child.stdout:
            self.last = time.monotonic()
            self._tell(line.rstrip(b"\r\n"))

    def _tell(self, line):
        """An error of on_line ends the machine and is raised by wait(), as the thread that reads must go on."""
        try:
            if self.on_line and not self.error:
                self.on_line(line)
        except Exception as error:      # of any kind: it is not for us
            self.error = error

    def _read_errors(self):
        self.errors = self.child.stderr.read()

    def wait(self, timeout, idle):
        """Wait for the end; at most timeout seconds in all and idle seconds without any output."""
        self.running.add(self)
        try:
            cause = ("", "") if self.ended else self._watch(timeout, idle)
        finally:
            self.running.discard(self)
            self.kill()
        for reader in self.readers:
            reader.join(5)
        for pipe in (self.child.stdout, self.child.stderr):
            if pipe:
                pipe.close()
        if self.error:
            raise self.error
        return self._result(cause)

    def _watch(self, timeout, idle):
        size = 0
        while self.child.poll() is None and not self.error:
            time.sleep(POLL)
            now, length = time.monotonic(), self.machine.log.stat().st_size
            if length != size:
                size, self.last = length, now
            if timeout and now - self.started > timeout:
                return "timeout", f"not finished after {timeout} s"
            if idle and now - self.last > idle:
                return "hang", f"no output for {idle} s"
        return "", ""

    def kill(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def _result(self, cause):
        seconds = time.monotonic() - self.started
        log = self.machine.log.read_bytes()
        panic = PANIC.search(log)
        if panic:
            return Result("panic", 1, seconds, panic.group(1).decode(errors="replace"))
        marker = re.search(rb"LAB-EXIT %s (\d+)" % self.machine.nonce.encode(), log)
        if marker:
            return Result("done", int(marker.group(1)), seconds)
        if cause[0]:
            return Result(cause[0], 1, seconds, cause[1])
        return Result("no-marker", 1, seconds, self._last_words(log))

    def _last_words(self, log):
        found = re.search(rb"LAB-INIT: ([^\r\n]*)", log)
        if found:
            return found.group(1).decode(errors="replace")
        errors, status = self.errors.decode(errors="replace").strip().splitlines(), self.child.returncode
        if status < 0:      # by the OOM killer, or by QEMU's own abort(), whose reason is in errors
            return ": ".join([f"QEMU was killed by signal {-status} ({signal.strsignal(-status)})", *errors[-1:]])
        if errors:
            return errors[-1]
        return f"QEMU ended with status {status} before the guest said how it went"


def _die_with_parent(parent):
    """QEMU must not outlive the lab, even when the lab is killed."""
    if sys.platform == "linux":
        LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)     # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
