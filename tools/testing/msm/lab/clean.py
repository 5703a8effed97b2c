# SPDX-License-Identifier: GPL-2.0-only
"""Remove what the lab made: all of out/ except out/share, which is the user's."""

import argparse

from lab import common
from lab.common import Failure, say

KEPT = {"share", ".lock"}


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py clean", description=__doc__)
    parser.parse_args(argv)
    if not common.OUT.is_dir():
        return 0
    with common.exclusive(common.OUT):
        for path in sorted(common.OUT.iterdir()):       # out/tree before out/tree.json
            if path.name not in KEPT:
                _remove(path)
    say(f"clean: {common.OUT} holds only share/ now")
    return 0


def _remove(path):
    try:
        common.remove(path)
    except OSError as error:
        raise Failure(f"cannot remove {error.filename}: {error.strerror}; was it made by another user?") from None
