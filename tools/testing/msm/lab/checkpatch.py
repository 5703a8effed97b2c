# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's checkpatch --strict on a mail or on a whole file, as findings."""

import re
from collections import namedtuple
from pathlib import Path

from lab.common import Failure, run

Report = namedtuple("Report", "line kind type text")
REPORT = re.compile(r"^[^:]+:(\d+): (ERROR|WARNING|CHECK):(\w+): (.*)$")
DICTIONARIES = ("/usr/share/codespell/dictionary.txt",
                "/usr/lib/python3/dist-packages/codespell_lib/data/dictionary.txt")


def _spelling():
    """codespell's words, where Debian's package puts them; without it the kernel's own list is used."""
    for path in DICTIONARIES:
        if Path(path).is_file():
            return ["--codespell", "--codespellfile", path]
    return []


def check(tree, target, *words, cwd):
    """Every report of checkpatch about target."""
    done = run([Path(tree) / "scripts/checkpatch.pl", "--strict", "--terse", "--show-types", "--no-summary",
                *_spelling(), *words, target], cwd=cwd, check=False)
    found = parse(done.stdout)
    if done.returncode and not found:
        raise Failure(f"checkpatch failed on {target}: {(done.stderr or done.stdout).strip()[:300]}")
    return found


def parse(output):
    matches = filter(None, map(REPORT.match, output.splitlines()))
    return [Report(int(match[1]), match[2], match[3], match[4]) for match in matches]
