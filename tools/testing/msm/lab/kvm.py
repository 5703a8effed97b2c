# SPDX-License-Identifier: GPL-2.0-only
"""Does KVM run a real kernel here? Asked by booting ours once; the answer is kept in out/.

/dev/kvm may open and yet be unable to boot a normal kernel, in which case QEMU
either fails at once or runs for ever without a word.
"""

import functools
import os

from lab import common
from lab.common import Failure, say, write_atomic
from lab.qemu import Process

SECONDS = 12
DEVICE = "/dev/kvm"


def _answer(arch):
    return common.OUT / f"kvm-{arch.name}"


def _boot():
    """A word that changes when the host boots."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()


def _possible(arch):
    return arch.native and os.access(DEVICE, os.R_OK | os.W_OK)


@functools.cache
def hint(arch):
    """Say once why there is no KVM although its device is there: its owner keeps it away, or a probe before failed."""
    if arch.native and os.path.exists(DEVICE) and not _possible(arch):
        say(f"kvm: no permission for {DEVICE} (its group is usually kvm); using TCG, which is slower")
    elif _possible(arch) and _remembered(arch) == "no":
        say(f"kvm: a probe boot failed before; using TCG, which is slower; {_again(arch)}")


def _again(arch):
    """A busy host may be too slow for a probe, which says nothing about the next one."""
    return f"to look again: rm {_answer(arch)}"


def _remembered(arch):
    try:
        words = _answer(arch).read_text().split()
    except OSError:
        return None
    return words[1] if len(words) == 2 and words[0] == _boot() else None


def known(arch):
    return not _possible(arch) or _remembered(arch) is not None


def works(arch):
    """The remembered answer; no probe."""
    return _possible(arch) and _remembered(arch) == "yes"


def probe(machine):
    """Boot a machine made ready by the caller under KVM, and remember whether that worked."""
    machine.accel = "kvm"
    result = Process(machine).wait(SECONDS, SECONDS)
    if Process.ended:
        raise Failure("interrupted")
    good = result.verdict == "done" and result.status == 0
    if not good:
        say(f"kvm: {DEVICE} is there, but a probe boot failed; using TCG ({result.verdict}: {result.reason[:60]}); "
            + _again(machine.arch))
    write_atomic(_answer(machine.arch), f"{_boot()} {'yes' if good else 'no'}\n".encode())
