# SPDX-License-Identifier: GPL-2.0-only
"""Build our IGT tests, the demo, the benchmarks and the Vulkan programs on the host, with the guest's libraries.

A guest reads the programs from the host while it runs. So each build has a folder
of its own, out/tests/ARCH is a link to the last one, and an old one goes away when
no guest uses it any more.
"""

import contextlib
import fcntl
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
    """Build if something changed; return folder()."""
    headers = kernel.headers(arch, out)
    library = rootfs.folder(arch) / "root" / arch.libdir
    mark = _mark(headers, library, arch)
    target = folder(arch).with_name(f"{arch.name}-{mark[:12]}")
    if (target / "stamp").exists() and folder(arch).resolve() == target.resolve():
        return folder(arch)
    out("tests: building")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    log = common.OUT / "log" / f"tests-{arch.name}.log"
    log.write_bytes(b"")
    _build(arch, log, "IGT tests", HERE / "igt/build.sh", target, headers, _library(library))
    _build(arch, log, "Vulkan programs", HERE / "vulkan/build.sh", target / "vulkan", library)
    write_atomic(target / "stamp", mark.encode())
    publish(folder(arch), target)
    return folder(arch)


def publish(link, target):
    """Let link point to target, and remove its neighbours of other builds that no guest uses."""
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target.name)
    os.replace(new, link)
    for path in link.parent.glob(f"{link.name}-*"):
        with contextlib.suppress(BlockingIOError), _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if path.resolve() != target.resolve():
                shutil.rmtree(path)


@contextlib.contextmanager
def in_use(path):
    """The folder that path is or points to, which stays while this lasts."""
    folder_ = path.resolve()
    with _locked(folder_, fcntl.LOCK_SH):
        yield folder_


@contextlib.contextmanager
def _locked(path, how):
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


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
