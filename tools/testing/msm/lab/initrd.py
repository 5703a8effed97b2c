# SPDX-License-Identifier: GPL-2.0-only
"""The initramfs of one guest run: busybox, the two guest scripts and the modules of one kernel build."""

import shutil
import tempfile
from pathlib import Path

from lab import common, cpio
from lab.common import Failure, run

SCRIPTS = common.ROOT / "tools" / "testing" / "msm" / "guest"
LISTS = ("modules.builtin", "modules.builtin.modinfo", "modules.order")


def release(build):
    path = Path(build) / "include" / "config" / "kernel.release"
    if not path.is_file():
        raise Failure(f"{build}: no kernel was built there")
    return path.read_text().strip()


def write(path, build, root):
    """Write the initramfs for the kernel in build; busybox comes from the guest root."""
    with tempfile.TemporaryDirectory(prefix="msm-modules-") as staging:
        version = release(build)
        _modules(Path(build), Path(staging), version)
        with open(path, "wb") as stream:
            archive = cpio.Writer(stream)
            archive.device("dev/console", 5, 1)
            archive.file("bin/busybox", (Path(root) / "usr/bin/busybox").read_bytes(), 0o755)
            archive.file("init", (SCRIPTS / "init").read_bytes(), 0o755)
            archive.file("main", (SCRIPTS / "main").read_bytes(), 0o755)
            archive.tree(Path(staging) / "lib" / "modules", "modules")
            archive.close()


def _modules(build, staging, version):
    """What modules_install does, without stripping, signing or root."""
    target = staging / "lib" / "modules" / version
    target.mkdir(parents=True)
    for name in LISTS:
        if (build / name).is_file():
            shutil.copy(build / name, target)
    order = build / "modules.order"
    for line in order.read_text().split() if order.is_file() else []:
        module = Path(line).with_suffix(".ko")
        if not (build / module).is_file():
            raise Failure(f"{build / module}: listed in modules.order, but not built")
        place = target / "kernel" / module
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(build / module, place)
    run([_depmod(), "-b", staging, version])


def _depmod():
    return shutil.which("depmod") or shutil.which("depmod", path="/usr/sbin:/sbin") or "depmod"
