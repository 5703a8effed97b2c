# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages that the lab's steps need on the host: find what is missing, install it.

Root is asked for here and nowhere else.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess

from lab import arch as arches, common
from lab.common import Failure, run, say

SOURCE = ["linux-source-6.12", "xz-utils"]
KERNEL = ["gcc", "make", "libc6-dev", "flex", "bison", "bc", "libelf-dev", "libssl-dev", "ccache", "cpio", "kmod", "perl", "rsync",
          "python3"]
GUEST = ["debian-archive-keyring", "erofs-utils", "mmdebstrap", "qemu-system-common"]
QEMU = {"x86_64": ["qemu-system-x86", "seabios"], "arm64": ["qemu-system-arm"]}
CROSS = {"x86_64": ["gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"],
         "arm64": ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"]}
SERIES = ["git", "patch"]
TESTS = ["libpng-dev", "libvulkan-dev"]     # only their headers: the programs are linked with the guest's libraries
CLANG = {"12": "14", "13": "19"}   # of Debian; the sanitizers and libFuzzer are a package of their own
LINT = ["sparse", "shellcheck", "codespell", "python3-sphinx"]
LAB = ["codespell", "cpio", "gcc", "python3-sphinx", "shellcheck"]     # what the lab's own tests run
WAIT = 600      # seconds, for another apt: a fresh Debian installs its security updates by itself
OFFLINE = re.compile(r"Temporary failure resolving|Could not (?:connect|resolve)|[Cc]onnection (?:timed out|refused)|Network is unreachable")


def packages(words, arch):
    """What one or several steps need, names between blanks; later steps include the earlier ones."""
    source = [] if os.environ.get("KSRC") else SOURCE
    build = KERNEL + SERIES + ([] if arch.native else CROSS[arch.name])
    steps = {
        "source": source,
        "series": source + SERIES,
        "kernel": source + build,
        "guest": GUEST + QEMU[arch.name],
        "rootfs": GUEST,
        "lint": source + build + LINT,
        "lab": SERIES + LAB,
        "fuzz": source + SERIES + _fuzz(),
        "all": source + build + TESTS + GUEST + QEMU[arch.name],
    }
    return sorted({name for step in words.split() for name in steps[step]})


def _fuzz():
    """clang and its run-time library, whose name has the version of Debian's clang."""
    try:
        release = platform.freedesktop_os_release().get("VERSION_ID", "")
    except OSError:
        release = ""
    return ["clang", f"libclang-rt-{CLANG.get(release, '19')}-dev", "libc6-dev"]


def missing(names):
    if not shutil.which("dpkg-query"):
        raise Failure("dpkg-query: not found; the lab sets itself up on Debian 12 and 13 only")
    done = run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names], check=False)
    have = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in have]


def ensure(words, arch, out=say):
    """Install what these steps need and the machine lacks."""
    names = missing(packages(words, arch))
    if not names:
        return
    out(f"packages missing: {' '.join(names)}")
    prefix = _privilege(names)
    log = common.OUT / "log" / "apt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    if not _offered(names):
        _apt(prefix, log, "update")
    install = ["install", "-y", "--no-install-recommends", *names]
    out(f"packages: installing (log: {log})")
    if _apt(prefix, log, *install):
        _apt(prefix, log, "update")
        if _apt(prefix, log, *install):
            raise Failure(f"apt-get could not install {' '.join(names)}: {_reason(log)} (log: {log})")


def _privilege(names):
    if os.geteuid() == 0:
        return []
    command = f"apt-get install --no-install-recommends {' '.join(names)}"
    if not shutil.which("sudo"):
        raise Failure(f"not root, and no sudo here; as root run: {command}")
    if run(["sudo", "-n", "true"], check=False).returncode == 0:
        return ["sudo"]
    if not os.isatty(0):
        raise Failure(f"sudo would ask for a password and there is no terminal; run: sudo {command}")
    if subprocess.run(["sudo", "true"], check=False).returncode:        # asks, once
        raise Failure(f"sudo does not let you; as root run: {command}")
    return ["sudo"]


def _offered(names):
    """Does the machine's package list know a version of each?"""
    text = run(["apt-cache", "policy", *names], env=dict(os.environ, LC_ALL="C")).stdout
    return text.count("Candidate: ") - text.count("Candidate: (none)") >= len(names)


def _apt(prefix, log, *words):
    with open(log, "ab") as stream:
        env = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"]
        command = [*prefix, *env, "apt-get", "-q", "-o", f"DPkg::Lock::Timeout={WAIT}", *words]
        child = subprocess.Popen(command, stdin=None if prefix else subprocess.DEVNULL, stdout=stream, stderr=stream,
                                 start_new_session=not prefix)
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.wait()        # a dpkg that is cut off would refuse whatever comes next
            raise


def _reason(log):
    lines = log.read_text(errors="replace").splitlines()
    offline = next((line.strip() for line in lines if OFFLINE.search(line)), None)
    errors = [line for line in lines if line.startswith(("E:", "Err:"))]
    return f"no network? {offline}" if offline else errors[-1] if errors else "see the log"


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py deps", description="install the Debian packages that a step needs")
    parser.add_argument("step", nargs="?", default="all", help="source, series, kernel, rootfs, guest, lab, lint, fuzz, all")
    parser.add_argument("--arch")
    parser.add_argument("--list", action="store_true", help="only list what the step needs")
    args = parser.parse_args(argv)
    arch = arches.get(args.arch)
    try:
        names = packages(args.step, arch)
    except KeyError:
        raise Failure(f"{args.step}: no such step") from None
    if args.list:
        say(" ".join(names))
    else:
        ensure(args.step, arch)
    return 0
