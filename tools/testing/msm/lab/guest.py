# SPDX-License-Identifier: GPL-2.0-only
"""Boot a kernel with the guest root and run something in it as root."""

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from lab import arch as arches, common, coverage, deps, initrd, kernel, kvm, programs, rootfs
from lab.common import Failure, run, say
from lab.qemu import Machine, Process

TIMEOUT = 3600
IDLE = 300


@dataclass
class Options:
    """How a guest is made; the defaults suit a quick command."""

    memory: int = 2048
    cpus: int = 2
    swap: int = 0
    vgpu: bool = True
    count: bool = False     # count instructions: emulated, whatever the host can do, on one CPU
    timeout: int = TIMEOUT
    idle: int = IDLE
    name: str = "guest"
    words: list = field(default_factory=list)
    extra: dict = field(default_factory=dict)       # more 9p folders


@dataclass
class Outcome:
    """A finished run: the Result of qemu.py and what the guest wrote down about itself."""

    result: object
    state: dict
    dmesg: str
    log: Path
    leaks: str | None = None    # what kmemleak says, where the kernel has it

    def explain(self):
        """One line for a person, or nothing when the command ran."""
        if self.result.verdict == "done":
            return ""
        words = {"panic": "the kernel panicked", "hang": "the guest hangs", "timeout": "the guest took too long",
                 "no-marker": "the guest ended without its marker"}
        return f"{words[self.result.verdict]}: {self.result.reason} (log: {self.log})"


_asking = threading.Lock()      # about KVM: one probe is enough, and its log is one file


class Guest:
    """One kernel build and one guest root, ready to boot any number of times."""

    def __init__(self, arch, build, options):
        self.arch, self.build, self.options = arch, Path(build), options
        self.kernel = self.build / arch.image
        if not self.kernel.is_file():
            raise Failure(f"{self.kernel}: no kernel there; build it first")
        self.disk = rootfs.make(arch)
        self.share = common.OUT / "share"
        self.share.mkdir(parents=True, exist_ok=True)
        self.log = common.OUT / "log" / f"{options.name}.console.log"

    def fast(self):
        """Is it KVM? (Asks by booting, once per host boot.)"""
        with self._control() as control:
            return self._accel(control, None) == "kvm"

    def _accel(self, control, image):
        kvm.hint(self.arch)
        with _asking:
            if not kvm.known(self.arch):
                image = image or self._initrd(control)
                kvm.probe(self._machine(control, image, "true", probe=True))
        return "kvm" if kvm.works(self.arch) else "tcg"

    def _initrd(self, control):
        image = control.parent / "initrd"
        initrd.write(image, self.build, rootfs.folder(self.arch) / "root")
        return image

    def run(self, command=None, on_line=None):
        """Run a shell command (None: an interactive shell); return the Outcome."""
        with self._control() as control, contextlib.ExitStack() as used:
            used.enter_context(self._own_log())
            shares = {name: used.enter_context(programs.in_use(path)) for name, path in self.options.extra.items()}
            image = self._initrd(control)
            accel = "tcg" if self.options.count else self._accel(control, image)
            machine = self._machine(control, image, command)
            machine.accel = accel
            machine.shares |= shares
            result = Process(machine, on_line).wait(self.options.timeout, self.options.idle)
            coverage.keep(control / "gcov", self.options.name)
            leaks = _text(control / "kmemleak") if (control / "kmemleak").exists() else None
            return Outcome(result, _state(control / "state"), _text(control / "dmesg"), self.log, leaks)

    @contextlib.contextmanager
    def _control(self):
        _sweep(common.OUT / "tmp")
        folder = scratch("guest")
        try:
            (folder / "lab").mkdir()
            yield folder / "lab"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _own_log(self):
        """The console log is for this run alone; where another one writes to it, this run's name gets a number."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.log = self.log.with_name(f"{self.options.name}-{os.getpid()}.console.log")
            yield

    def _machine(self, control, image, command, probe=False):
        options = self.options
        if command is None:
            (control / "command").unlink(missing_ok=True)
        else:
            (control / "command").write_text(command + "\n")
        words = [*options.words, f"lab.vgpu={int(options.vgpu and not probe)}"]
        words += [f"lab.swap={options.swap}"] if options.swap and not probe else []
        words += [f"lab.mounts={','.join(options.extra)}"] if options.extra and not probe else []
        log = self.log.with_name("kvm-probe.console.log") if probe else self.log
        return Machine(self.arch, self.kernel, image, self.disk, log, cpus=1 if options.count else options.cpus,
                       memory=options.memory, count=options.count, words=words, shares={"share": self.share, "lab": control, **options.extra},
                       interactive=command is None)


def _sweep(base):
    """Remove what killed runs left."""
    for path in base.glob("*"):
        owner = path.name.split("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(path, ignore_errors=True)


def scratch(name):
    """A folder of this process's own, which a later guest's start removes when the process is gone."""
    base = common.OUT / "tmp"
    base.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-{name}-", dir=base))


def _state(path):
    return dict(line.split("=", 1) for line in _text(path).splitlines() if "=" in line)


def _text(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _show(line):
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()


@contextlib.contextmanager
def raw_terminal():
    """Keys go to the guest as they are; the terminal is put right again whatever happens."""
    if not sys.stdin.isatty():
        yield
        return
    saved = run(["stty", "-F", "/dev/tty", "-g"]).stdout.strip()
    run(["stty", "-F", "/dev/tty", "raw", "-echo"])
    try:
        yield
    finally:
        run(["stty", "-F", "/dev/tty", saved])


def parser_():
    parser = argparse.ArgumentParser(prog="lab.py guest", description="boot the guest; without --cmd: a shell in it")
    parser.add_argument("--cmd", default=os.environ.get("CMD") or None, help="shell command to run as root")
    parser.add_argument("--build", type=Path, help="kernel build folder (default: the one that 'make kernel' makes)")
    parser.add_argument("--arch")
    parser.add_argument("--flavour", default=os.environ.get("FLAVOUR") or "plain")
    parser.add_argument("--memory", type=int, default=2048, help="MiB")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--swap", type=int, default=0, help="MiB of zram swap")
    parser.add_argument("--no-vgpu", action="store_true", help="do not load msm with the virtual GPU")
    parser.add_argument("--append", default="", help="more words for the kernel command line")
    parser.add_argument("--name", default="guest", help="name of the console log in out/log")
    parser.add_argument("--timeout", type=int, default=os.environ.get("TIMEOUT") or TIMEOUT, help="seconds for all of it")
    parser.add_argument("--idle", type=int, default=os.environ.get("IDLE") or IDLE,
                        help="seconds without output that count as a hang")
    return parser


def _prepare(arch, flavour):
    """Kernel, root and our programs, up to date."""
    with common.exclusive(common.OUT):
        deps.ensure("all", arch)
        build = kernel.make(arch, flavour)
        rootfs.make(arch)
        programs.make(arch)
    return build


def main(argv):
    args = parser_().parse_args(argv)
    arch = arches.get(args.arch)
    if not re.fullmatch(r"[\w.-]+", args.name):
        raise Failure(f"--name {args.name}: letters, digits, dots and dashes only")
    if args.cmd is None and not sys.stdin.isatty():
        args.cmd = sys.stdin.read().strip() or None
        if args.cmd is None:
            raise Failure("no terminal for a shell; give a command with CMD='...' or on standard input")
    interactive = args.cmd is None
    build = args.build or _prepare(arch, args.flavour)
    tests = programs.folder(arch)
    options = Options(memory=args.memory, cpus=args.cpus, swap=args.swap, vgpu=not args.no_vgpu, name=args.name,
                      timeout=0 if interactive else args.timeout, idle=0 if interactive else args.idle,
                      words=args.append.split(), extra={"tests": tests} if tests.is_dir() else {})
    guest = Guest(arch, build, options)
    if interactive:
        say(f"guest: booting; kernel log: {guest.log}; /share is {guest.share}; leave with 'exit'")
    with raw_terminal() if interactive else contextlib.nullcontext():
        outcome = guest.run(args.cmd, _show)
    if outcome.explain():
        raise Failure(outcome.explain())
    return outcome.result.status
