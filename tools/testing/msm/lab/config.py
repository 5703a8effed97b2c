# SPDX-License-Identifier: GPL-2.0-only
"""Kernel configuration: fragments over allnoconfig; an option that does not survive is an error."""

import os
import re
from pathlib import Path

from lab import common
from lab.common import Failure, write_atomic

FOLDER = Path(__file__).resolve().parents[1] / "configs"
NOT_FLAVOURS = {"base", "series", "x86_64", "arm64"}
# Flavours that are another one and something more; ccache then has most of their objects.
ON_TOP = {"fault": "debug", "kmemleak": "debug", "gcov": "debug", "display": "plain"}
LINE = re.compile(r"^(CONFIG_\w+)=(.+)$")


def flavours():
    return sorted(path.stem for path in FOLDER.glob("*.config") if path.stem not in NOT_FLAVOURS and "-" not in path.stem)


def wanted(arch, flavour):
    """{option: value} of the fragments; a later one may change an earlier one's. ARCH-FLAVOUR.config need not be there."""
    if flavour not in flavours():
        raise Failure(f"FLAVOUR={flavour}: the kernel is one of {', '.join(flavours())}")
    options = {}
    for name in ("base", arch.name, *stack(flavour)):
        options.update(parse((FOLDER / f"{name}.config").read_text()))
        special = FOLDER / f"{arch.name}-{name}.config"
        options.update(parse(special.read_text()) if special.exists() else {})
    return options


def stack(flavour):
    """The flavour behind those that it is on top of."""
    return [*(stack(ON_TOP[flavour]) if flavour in ON_TOP else []), flavour]


def parse(text):
    return dict(match.groups() for match in map(LINE.match, text.splitlines()) if match)


def lost(options, config_text):
    """Options whose wish did not survive: [(option, wanted, got)]."""
    got = parse(config_text)
    return [(name, value, got.get(name, "n")) for name, value in options.items()
            if got.get(name, "n") != value]


def configure(arch, flavour, build, make):
    """Write build/.config; make(*words) runs the kernel's make. True when .config changed."""
    options = wanted(arch, flavour)
    text = "".join(f"{name}={value}\n" for name, value in options.items())
    fragment, config = Path(build) / "wanted.config", Path(build) / ".config"
    key = text + _kconfig_mark()
    stamp = Path(build) / "wanted.stamp"
    if config.exists() and stamp.exists() and stamp.read_text() == key and not lost(options, config.read_text()):
        return False
    stamp.unlink(missing_ok=True)
    write_atomic(fragment, text.encode())
    make(f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig")
    check(arch, flavour, build)
    write_atomic(stamp, key.encode())
    return True


def check(arch, flavour, build):
    """A Failure names the options that were asked for and that build/.config does not have."""
    missing = lost(wanted(arch, flavour), (Path(build) / ".config").read_text())
    if missing:
        raise Failure("kernel options that do not survive the config step: "
                      + ", ".join(f"{name}={value} (got {got})" for name, value, got in missing))


def _kconfig_mark():
    """Changes when a Kconfig file of the tree does: our own are the only ones that do."""
    path = common.OUT / "tree" / "drivers/gpu/drm/msm/Kconfig"
    return f"# {os.stat(path).st_mtime_ns}\n" if path.exists() else ""
