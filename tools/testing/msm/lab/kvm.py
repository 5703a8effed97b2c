# SPDX-License-Identifier: GPL-2.0-only
"""Does KVM run a real kernel here? Asked by booting ours once; the answer is kept in out/.

/dev/kvm may open and yet be unable to boot a normal kernel, in which case QEMU
either fails at once or runs for ever without a word.
"""

import os

from lab import common
from lab.common import say, write_atomic
from lab.qemu import Process

SECONDS = 12
DEVICE = "/dev/kvm"


def works(machine):
    """Probe with a machine made ready by the caller; remembered per host boot and architecture."""
    if not machine.arch.native or not os.access(DEVICE, os.R_OK | os.W_OK):
        return False
    answer = common.OUT / f"kvm-{machine.arch.name}"
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        boot = stream.read().strip()
    try:
        known = answer.read_text().split()
    except OSError:
        known = []
    if known[:1] != [boot]:
        known = [boot, "yes" if _probe(machine) else "no"]
        write_atomic(answer, (" ".join(known) + "\n").encode())
    return known[1] == "yes"


def _probe(machine):
    machine.accel = "kvm"
    result = Process(machine).wait(SECONDS, SECONDS)
    if result.verdict != "done":
        say(f"kvm: {DEVICE} is there, but a probe boot failed ({result.verdict}: {result.reason}); using TCG")
    return result.verdict == "done" and result.status == 0
