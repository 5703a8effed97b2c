# SPDX-License-Identifier: GPL-2.0-only
"""The two guest architectures, and what each is called by whom."""

import os
import platform
from dataclasses import dataclass

from lab.common import Failure


@dataclass(frozen=True)
class Arch:
    """One guest architecture.  Names: ours, the kernel's, Debian's, the GNU triplet's."""

    name: str
    kernel: str
    debian: str
    triplet: str
    image: str          # the bootable file, relative to the build folder
    target: str         # the make target that builds it
    qemu: str
    machine: tuple
    console: str

    @property
    def native(self):
        return self.name == HOST

    @property
    def cross(self):
        """CROSS_COMPILE for a kernel of this architecture on this host."""
        return "" if self.native else f"{self.triplet}-"

    @property
    def libdir(self):
        return f"usr/lib/{self.triplet}"


X86_64 = Arch("x86_64", "x86_64", "amd64", "x86_64-linux-gnu", "arch/x86/boot/bzImage", "bzImage",
              "qemu-system-x86_64", ("-machine", "q35,usb=off"), "ttyS0")
ARM64 = Arch("arm64", "arm64", "arm64", "aarch64-linux-gnu", "arch/arm64/boot/Image", "Image",
             "qemu-system-aarch64", ("-machine", "virt,gic-version=3"), "ttyAMA0")
ALL = {arch.name: arch for arch in (X86_64, ARM64)}
HOST = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())


def get(name=None):
    """The named architecture, else ARCH of the environment, else the host's."""
    name = name or os.environ.get("ARCH") or HOST
    name = {"aarch64": "arm64", "amd64": "x86_64"}.get(name, name)
    if name not in ALL:
        raise Failure(f"ARCH={name}: the guest is one of {', '.join(ALL)}")
    return ALL[name]
