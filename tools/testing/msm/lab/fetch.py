# SPDX-License-Identifier: GPL-2.0-only
"""The pristine kernel source: KSRC, or Debian's linux-source-6.12 unpacked once into out/src."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab import arch as arches, common, deps
from lab.common import Failure, write_atomic
from lab.progress import Progress

TARBALL = Path("/usr/src/linux-source-6.12.tar.xz")
SPACE = 8           # GiB that a first build of everything takes
FILES = 92800       # and folders in the archive, about


def source():
    """Path of the source; its version is checked by whoever applies the series."""
    if os.environ.get("KSRC"):
        return _given(Path(os.environ["KSRC"]))
    deps.ensure("source", arches.get())
    if not TARBALL.is_file():
        raise Failure(f"{TARBALL}: missing although its package is installed; reinstall linux-source-6.12")
    tree, stamp = common.OUT / "src", common.OUT / "src.stamp"
    stat = TARBALL.stat()
    mark = f"{stat.st_size} {stat.st_mtime_ns}\n"
    if not (stamp.exists() and stamp.read_text() == mark and (tree / "Kbuild").is_file()):
        stamp.unlink(missing_ok=True)
        _unpack(tree)
        write_atomic(stamp, mark.encode())
    return tree


def _given(path):
    if not (path / "Kbuild").is_file():
        raise Failure(f"KSRC={path}: no kernel source there; it must be an unpacked Linux 6.12.y")
    return path.resolve()


def _unpack(tree):
    check_space()
    new = tree.with_name("src.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    progress = Progress(f"source: unpacking {TARBALL.name}", FILES)
    reason = _tar(["-xvf", TARBALL, "--strip-components=1", "-C", new], progress.step)
    if reason:
        progress.clear()
        raise Failure(f"unpacking {TARBALL} failed: {reason}")
    progress.done(f"{progress.count} files")
    shutil.rmtree(tree, ignore_errors=True)
    os.rename(new, tree)


def _tar(words, on_file):
    """Run tar; return what it complains of when it fails."""
    with tempfile.TemporaryFile() as errors, \
            subprocess.Popen(["tar", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
                             env=dict(os.environ, XZ_OPT="-T0")) as child:      # the archive has 62 blocks
        try:
            for _ in child.stdout:
                on_file()
        except BaseException:
            child.kill()
            raise
        if child.wait() == 0:
            return ""
        errors.seek(0)
        return errors.readline().decode(errors="replace").strip() or f"exit status {child.returncode}"


def check_space(needed=SPACE):
    common.OUT.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(common.OUT).free / 2**30
    if free < needed:
        raise Failure(f"{common.OUT}: {free:.1f} GiB of disk space left, the lab needs {needed}")
