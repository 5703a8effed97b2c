# SPDX-License-Identifier: GPL-2.0-only
"""The guest's root: Debian packages, extracted by mmdebstrap, as a read-only EROFS image.

No root rights, no maintainer scripts, no daemon; mirror and keyring are the
host's, so nothing here names a server. Result: out/rootfs/ARCH/root (the
folder, for linking against its libraries) and root.img. A stamp that is
written last holds the list of what went in; equal stamp = nothing to do.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess

from lab import arch as arches, common, deps, fetch
from lab.common import Failure, run, say, write_atomic
from lab.progress import Progress

SUITE = "forky"
COMMON = ["base-files", "bash", "busybox-static", "coreutils", "dash", "grep", "kmod", "libc-bin",
          "mesa-vulkan-drivers", "procps", "sed", "util-linux", "vulkan-tools"]
# igt-gpu-tools brings libpng, too
ONLY = {"x86_64": ["igt-gpu-tools", "igt-gpu-tools-tests"], "arm64": ["libpng16-16t64"]}
PINNED = {"igt-gpu-tools": "2.5-1"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LEFT_OUT = ["./dev/*", "./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/info", "./usr/share/zoneinfo"]
VERSION = 5
SPACE = 2           # GiB: what is fetched, the archive, the folder and the image

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


# What apt says under mmdebstrap --verbose
TOTAL = re.compile(r"(\d+) newly installed")
PACKAGE = re.compile(r"Get:\d+ \S+ \S+/\S+ \S+ (?!Packages)(\S+)")
EXPIRED = re.compile(r"is expired|is not valid yet|Valid-Until")


def make(arch, *, refresh=False, out=say):
    """Make the guest root unless it is up to date; return the path of the image."""
    base = folder(arch)
    image = base / "root.img"
    if ready(arch) and not refresh:
        return image
    fetch.check_space(SPACE)
    base.mkdir(parents=True, exist_ok=True)
    out(f"rootfs: fetching and unpacking Debian {SUITE} ({arch.debian}): {len(packages(arch))} packages "
        "and what they depend on; a minute")
    archive, listing = base / "root.tar", base / "debs.txt"
    for leftover in base.glob("mmdebstrap.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    _fetch(arch, archive, listing, out)
    debs = listing.read_text().split()
    _check_pins(debs, out)
    (base / "stamp.json").unlink(missing_ok=True)       # not before: without a network the old image is still good
    _extract(archive, base / "root")
    archive.unlink()
    out("rootfs: making the image")
    _image(base / "root", image)
    write_atomic(base / "stamp.json", json.dumps({"wanted": wanted(arch), "debs": debs}, indent=1).encode())
    return image


def mirror():
    """The URI from which this machine gets Debian's main archive."""
    listing = run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)",
                   "Created-By: Packages"]).stdout
    rows = [line.split("|") for line in listing.splitlines()]
    uris = [uri for origin, label, uri in rows if (origin, label) == ("Debian", "Debian") and not uri.startswith("cdrom:")]
    if not uris:
        raise Failure("no Debian mirror is configured on this machine; run 'apt-get update' and look at /etc/apt/sources.list")
    return uris[0]


def _fetch(arch, archive, listing, out):
    """All packages extracted into one tar archive, strictly first; an expired Release file is accepted with a warning."""
    done = _mmdebstrap(arch, archive, listing)
    if done.returncode and EXPIRED.search(done.stderr):
        out(f"warning: the mirror's Release file of {SUITE} is past its validity date; "
            "going on without the date check (signatures are still checked)")
        done = _mmdebstrap(arch, archive, listing, "--aptopt=Acquire::Check-Valid-Until \"false\"")
    if done.returncode:
        raise Failure(f"cannot fetch the guest's packages from {SUITE} (no network, no disk space?): {_reason(done)}")


def _mmdebstrap(arch, archive, listing, *more):
    """In this mode it needs no rights, and any architecture will do: nothing that it unpacks is ever run.

    Debian 13's asks root for a chroot or fakeroot in this mode, since it might run something: hence the skip.
    """
    argv = ["mmdebstrap", "--verbose", "--mode=chrootless", "--skip=check/chrootless", "--variant=extract", f"--architectures={arch.debian}",
            "--aptopt=APT::Install-Recommends \"false\"", "--aptopt=Acquire::Retries \"3\"",
            f"--include={','.join(packages(arch))}", *more,
            f"--extract-hook=ls \"$1/var/cache/apt/archives\" | grep '[.]deb$' >{shlex.quote(str(listing))}",
            SUITE, str(archive), f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main"]
    # In a session of its own: when it fails it ends its whole process group.
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          errors="replace", env=dict(os.environ, LC_ALL="C", TMPDIR=str(archive.parent)),
                          start_new_session=True) as child:
        progress = Progress("rootfs: packages")
        try:
            errors = "".join(_follow(child.stderr, progress))
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            raise
        if child.wait():
            progress.clear()
        else:
            progress.done(f"{progress.count} fetched and unpacked")
    return subprocess.CompletedProcess(argv, child.returncode, "", errors)


def _follow(lines, progress):
    """Pass on what mmdebstrap says, and show which package it is at."""
    for line in lines:
        total, package = TOTAL.search(line), PACKAGE.match(line)
        if total:
            progress.total = int(total[1])
        if package:
            progress.step(package[1])
        yield line


def _reason(done):
    lines = [line.strip() for line in done.stderr.splitlines()
             if line.startswith(("E:", "Err:")) or "No space" in line or deps.OFFLINE.search(line)]
    return " / ".join(lines[:2]) or f"mmdebstrap: exit status {done.returncode}"


def _check_pins(debs, out):
    found = dict(deb.split("_")[:2] for deb in debs)
    for name, version in PINNED.items():
        if name in found and found[name] != version:
            out(f"warning: {name} is {found[name]}; the tests were written against the library of {version}")


def _extract(archive, root):
    new = root.with_name("root.new")
    for leftover in (new, root):
        if leftover.exists():
            shutil.rmtree(leftover)
    new.mkdir()
    done = run(["tar", "-x", "--no-same-owner", "-f", archive, "-C", new, *(f"--exclude={path}" for path in LEFT_OUT)],
               check=False)
    if done.returncode:
        raise Failure(f"unpacking {archive} failed (no disk space?): {done.stderr.strip().splitlines()[-1:]}")
    for path, text in FILES.items():
        (new / path).write_text(text)
    for name in ("share", "lab"):
        (new / name).mkdir()
    os.rename(new, root)


def _image(root, image):
    """An EROFS image of the folder: made for reading, and its driver is a sixth of ext4's to compile."""
    new = image.with_name("root.img.new")
    new.unlink(missing_ok=True)
    run(["mkfs.erofs", "--quiet", "--all-root", "-x-1", new, root])
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
