# SPDX-License-Identifier: GPL-2.0-only
"""Build a guest kernel from out/tree: one folder per architecture and flavour in out/build."""

import argparse
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from lab import arch as arches, common, config, coverage, deps, fetch, initrd, tree
from lab.common import Failure, run, say, write_atomic
from lab.progress import Progress

OBJECTS = 2050      # of a first build, about
STEP = re.compile(r"^  (CC|AS|LD|AR|HOSTCC|HOSTLD|CC \[M\]|LD \[M\]|GEN|OBJCOPY|MODPOST)\s+(\S+)")
TROUBLE = re.compile(r"\berror: |\bError \d|\*\*\*|No space left|undefined (reference|!)|ERROR: ")


def folder(arch, flavour):
    return common.OUT / "build" / f"{arch.name}-{flavour}"


class Builder:
    """The kernel's make, for one build folder."""

    def __init__(self, arch, flavour):
        self.arch, self.flavour = arch, flavour
        self.tree, self.build = common.OUT / "tree", folder(arch, flavour)
        self.log = common.OUT / "log" / f"kernel-{arch.name}-{flavour}.log"
        self.build.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")

    def make(self, *words, on_step=None):
        """Run make; its output goes to the log, each step's file name to on_step."""
        with open(self.log, "ab") as log, subprocess.Popen(
                [str(word) for word in self._argv(words)], env=_environment(self.tree), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as child:
            try:
                self._follow(child, log, on_step)
            except BaseException:
                os.killpg(child.pid, signal.SIGTERM)    # make and all its children
                raise
        if child.returncode:
            raise Failure(f"the kernel does not build: {self._cause()} (log: {self.log})")

    @staticmethod
    def _follow(child, log, on_step):
        for line in child.stdout:
            log.write(line)
            step = STEP.match(line.decode(errors="replace"))
            if step and on_step:
                on_step(step[2])

    def _argv(self, words):
        compiler = self.arch.cross + "gcc"
        if shutil.which("ccache"):
            compiler = "ccache " + compiler
        return ["make", "-C", self.tree, f"O={self.build}", f"ARCH={self.arch.kernel}",
                f"CROSS_COMPILE={self.arch.cross}", f"CC={compiler}", f"-j{os.cpu_count()}",
                *(coverage.words() if self.flavour == "gcov" else ()), *words]

    def _cause(self):
        lines = self.log.read_text(errors="replace").splitlines()
        found = [line for line in lines if TROUBLE.search(line)]
        return found[0].strip() if found else (lines or ["no output"])[-1]


def _environment(source):
    env = {key: value for key, value in os.environ.items()
           if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "KBUILD_OUTPUT", "ARCH",
                          "CROSS_COMPILE", "V", "CMD", "SUITE", "FLAVOUR", "KSRC")}
    env.update(LC_ALL="C", CCACHE_BASEDIR=str(source.parent), CCACHE_NOHASHDIR="1",
               KBUILD_BUILD_TIMESTAMP="2026-01-01", KBUILD_BUILD_USER="msm", KBUILD_BUILD_HOST="lab")
    env.setdefault("CCACHE_MAXSIZE", "10G")
    env.setdefault("CCACHE_DEPEND", "1")        # a miss costs 8 % instead of 22 % of a compilation
    env.setdefault("CCACHE_INODECACHE", "1")
    return env


def make_tree():
    """out/tree, up to date."""
    source = common.source()
    tree.apply(source, common.OUT / "tree", force=bool(os.environ.get("FORCE")))


def make(arch, flavour, out=say):
    """Build kernel and modules of out/tree; return the build folder."""
    config.flavours() and config.wanted(arch, flavour)
    deps.ensure("kernel", arch, out)
    if not (folder(arch, flavour) / ".config").exists():
        fetch.check_space()
    make_tree()
    _seed(arch, flavour, out)
    builder = Builder(arch, flavour)
    first = config.configure(arch, flavour, builder.build, builder.make)
    total = OBJECTS if first else 0
    progress = Progress(f"kernel {arch.name} {flavour}", total)
    builder.make(arch.target, "modules", on_step=progress.step)
    progress.done(f"{progress.count} objects built")
    config.check(arch, flavour, builder.build)
    return builder.build


def snapshot(build, arch, copy):
    """Copy what a guest needs of a build folder, so that the next build does not change it; return copy."""
    order = (build / "modules.order").read_text().split()
    files = [".config", *initrd.LISTS, "include/config/kernel.release", arch.image, *(line[:-2] + ".ko" for line in order)]
    for name in filter(lambda name: (build / name).exists(), files):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(build / name, copy / name)
    return copy


def _seed(arch, flavour, out):
    """Start a flavour that is another one and something more from that one's folder: make rebuilds what differs."""
    target = folder(arch, flavour)
    below = [folder(arch, name) for name in reversed(config.stack(flavour)[:-1])]
    source = next((place for place in below if (place / arch.image).exists()), None)
    if not source or (target / ".config").exists():
        return
    out(f"kernel {arch.name} {flavour}: starting from {source.name}")
    shutil.rmtree(target, ignore_errors=True)
    new = target.with_name(f"{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    run(["cp", "-a", "--reflink=auto", source, new])
    (new / "wanted.stamp").unlink(missing_ok=True)
    os.rename(new, target)


def headers(arch, out=say):
    """Userspace headers of out/tree, in out/headers/ARCH/include."""
    target = common.OUT / "headers" / arch.name
    stamp, mark = target / "stamp", (common.OUT / "tree/include/uapi/drm/msm_drm.h").read_bytes()
    if not stamp.exists() or stamp.read_bytes() != mark:
        out("headers: installing")
        builder = Builder(arch, "headers")
        builder.make("headers_install", f"INSTALL_HDR_PATH={target}")
        write_atomic(stamp, mark)
    return target / "include"


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py kernel", description="build the guest kernel")
    parser.add_argument("--arch")
    parser.add_argument("--flavour", default=os.environ.get("FLAVOUR") or "plain", help=", ".join(config.flavours()))
    args = parser.parse_args(argv)
    with common.exclusive(common.OUT):
        say(Path(make(arches.get(args.arch), args.flavour)))
    return 0
