# SPDX-License-Identifier: GPL-2.0-only
"""The pristine kernel source: KSRC, or Debian's linux-source-6.12 unpacked once into out/src."""

import os
import shutil
import subprocess
from pathlib import Path

from lab import arch as arches, common, deps
from lab.common import Failure, say, write_atomic

TARBALL = Path("/usr/src/linux-source-6.12.tar.xz")
SPACE = 8           # GiB that a first build of everything takes


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
    say(f"source: unpacking {TARBALL.name}")
    new = tree.with_name("src.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    done = subprocess.run(["tar", "-xf", TARBALL, "--strip-components=1", "-C", new],
                          stderr=subprocess.PIPE, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[:1]
        raise Failure(f"unpacking {TARBALL} failed: {' '.join(reason)}")
    shutil.rmtree(tree, ignore_errors=True)
    os.rename(new, tree)


def check_space(needed=SPACE):
    common.OUT.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(common.OUT).free / 2**30
    if free < needed:
        raise Failure(f"{common.OUT}: {free:.1f} GiB of disk space left, the lab needs {needed}")
