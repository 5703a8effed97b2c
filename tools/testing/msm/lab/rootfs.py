# SPDX-License-Identifier: GPL-2.0-only
"""The guest's root: Debian packages, extracted into a folder, as a read-only ext4 image.

No root rights, no maintainer scripts, no daemon. Result: out/rootfs/ARCH/root
(the folder, for linking against its libraries) and root.img. A stamp that is
written last holds the list of what went in; equal stamp = nothing to do.
"""

import argparse
import json
import os
import shutil
import subprocess

from lab import apt, arch as arches, common, deps
from lab.common import Failure, run, say, write_atomic

SUITE = "forky"
COMMON = ["base-files", "bash", "busybox-static", "coreutils", "dash", "grep", "kmod", "libc-bin",
          "mesa-vulkan-drivers", "procps", "sed", "util-linux", "vulkan-tools"]
ONLY = {"x86_64": ["igt-gpu-tools", "igt-gpu-tools-tests"], "arm64": []}
PINNED = {"igt-gpu-tools": "2.5-1"}
LEFT_OUT = ["./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/info", "./usr/share/zoneinfo"]
VERSION = 3

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\ntty:x:5:\nvideo:x:44:\nrender:x:105:\nnogroup:x:65534:\n",
    "etc/hostname": "guest\n",
    "etc/hosts": "127.0.0.1 localhost guest\n",
}


def folder(arch):
    return common.OUT / "rootfs" / arch.name


def packages(arch):
    return COMMON + ONLY[arch.name]


def wanted(arch):
    return {"version": VERSION, "suite": SUITE, "packages": packages(arch)}


def ready(arch):
    """Is the image there and made of what is wanted now?"""
    try:
        stamp = json.loads((folder(arch) / "stamp.json").read_text())
    except (OSError, ValueError):
        return False
    return stamp.get("wanted") == wanted(arch) and (folder(arch) / "root.img").exists()


def make(arch, *, refresh=False, out=say):
    """Make the guest root unless it is up to date; return the path of the image."""
    base = folder(arch)
    image = base / "root.img"
    if ready(arch) and not refresh:
        return image
    base.mkdir(parents=True, exist_ok=True)
    (base / "stamp.json").unlink(missing_ok=True)
    archive = apt.Archive(SUITE, arch.debian)
    archive.prepare()
    out(f"rootfs: fetching the package list of Debian {SUITE} ({arch.debian})")
    archive.update()
    out(f"rootfs: fetching {len(packages(arch))} packages and what they depend on")
    debs = archive.download(packages(arch))
    _check_pins(debs, out)
    _extract(debs, base / "root", out)
    out("rootfs: making the image")
    _image(base / "root", image)
    write_atomic(base / "stamp.json", json.dumps({"wanted": wanted(arch), "debs": [deb.name for deb in debs]},
                                                 indent=1).encode())
    return image


def _check_pins(debs, out):
    found = dict(deb.name.split("_")[:2] for deb in debs)
    for name, version in PINNED.items():
        if name in found and found[name] != version:
            out(f"warning: {name} is {found[name]}; the tests were written against the library of {version}")


def _extract(debs, root, out):
    new = root.with_name("root.new")
    for leftover in (new, root):
        if leftover.exists():
            shutil.rmtree(leftover)
    new.mkdir()
    first = sorted(debs, key=lambda deb: not deb.name.startswith("base-files_"))
    for number, deb in enumerate(first, 1):
        if number % 25 == 0 or number == len(first):
            out(f"rootfs: unpacked {number} of {len(first)} packages")
        _unpack(deb, new)
    for path, text in FILES.items():
        (new / path).write_text(text)
    for name in ("share", "lab"):
        (new / name).mkdir()
    os.rename(new, root)


def _unpack(deb, root):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as source:
        tar = subprocess.run(["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", root,
                              *(f"--exclude={path}" for path in LEFT_OUT)],
                             stdin=source.stdout, stderr=subprocess.PIPE, check=False)
    if source.returncode or tar.returncode:
        reason = tar.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Failure(f"unpacking {deb.name} failed (no disk space?): {' '.join(reason)}")


def _image(root, image):
    """An ext4 image of the folder, a tenth larger than its contents, without a journal."""
    used = int(run(["du", "-sk", "--apparent-size", root]).stdout.split()[0])
    new = image.with_name("root.img.new")
    new.unlink(missing_ok=True)
    environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", "root_owner=0:0", "-m", "0",
         "-N", "40000", "-d", root, new, f"{used * 5 // 4 + 32768}k"], env=environment)
    os.replace(new, image)


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py rootfs", description="make the guest's root from Debian packages")
    parser.add_argument("--arch", help="x86_64 or arm64 (default: ARCH, else the host's)")
    parser.add_argument("--refresh", action="store_true", help="fetch the packages again")
    args = parser.parse_args(argv)
    arch = arches.get(args.arch)
    with common.exclusive(common.OUT):
        deps.ensure("rootfs", arch)
        say(make(arch, refresh=args.refresh))
    return 0
