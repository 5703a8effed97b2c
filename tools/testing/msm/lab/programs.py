# SPDX-License-Identifier: GPL-2.0-only
"""Build our IGT tests, the demo, the benchmarks and the Vulkan programs on the host, with the guest's libraries."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from lab import common, kernel, rootfs
from lab.common import Failure, say, write_atomic

HERE = Path(__file__).resolve().parents[1]
SOURCES = ("igt", "demo", "bench", "vulkan")


def folder(arch):
    return common.OUT / "tests" / arch.name


def make(arch, out=say):
    """Build what changed; return the folder."""
    headers = kernel.headers(arch, out)
    library = rootfs.folder(arch) / "root" / arch.libdir
    target = folder(arch)
    mark = _mark(headers, library, arch)
    stamp = target / "stamp"
    if stamp.exists() and stamp.read_text() == mark:
        return target
    out("tests: building")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    log = common.OUT / "log" / f"tests-{arch.name}.log"
    log.write_bytes(b"")
    _build(arch, log, "IGT tests", HERE / "igt/build.sh", target, headers, _library(library))
    _build(arch, log, "Vulkan programs", HERE / "vulkan/build.sh", target / "vulkan", library)
    write_atomic(stamp, mark.encode())
    return target


def _build(arch, log, what, *command):
    with open(log, "ab") as stream:
        done = subprocess.run(command, stdout=stream, stderr=stream, env=dict(os.environ, CC=f"{arch.cross}gcc"), check=False)
    if done.returncode:
        lines = [line for line in log.read_text(errors="replace").splitlines() if "error" in line or "build.sh" in line]
        raise Failure(f"our {what} do not build: {(lines or ['see the log'])[0]} (log: {log})")


def _library(library):
    """Without a libigt for the architecture only the demo is built."""
    return library if (library / "libigt.so.0").exists() else "-"


def _mark(headers, library, arch):
    total = hashlib.sha256(arch.name.encode())
    files = [path for name in SOURCES for path in (HERE / name).rglob("*") if path.is_file()]
    for path in sorted(files) + [headers / "drm/msm_drm.h", library / "libigt.so.0", library / "libvulkan.so.1", library / "libpng16.so.16"]:
        total.update(path.name.encode())
        if path.exists():
            total.update(path.read_bytes())
    return total.hexdigest()
