# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's checkpatch --strict on a mail or on a whole file, as findings.

It is not told of codespell's dictionary, which makes it six times slower:
lint has a rule that runs codespell itself.
"""

import re
from collections import namedtuple
from pathlib import Path

from lab.common import Failure, run

Report = namedtuple("Report", "path line kind type text")
REPORT = re.compile(r"^([^:]+):(\d+): (ERROR|WARNING|CHECK):(\w+): (.*)$")


def check(tree, targets, *words, cwd):
    """Every report of checkpatch about the targets, mails or files, that one process looks at."""
    done = run([Path(tree) / "scripts/checkpatch.pl", "--strict", "--terse", "--show-types", "--no-summary",
                *words, *targets], cwd=cwd, check=False)
    found = parse(done.stdout)
    if done.returncode > 1 or (done.returncode and not found):
        raise Failure(f"checkpatch failed on {' '.join(map(str, targets))}: {(done.stderr or done.stdout).strip()[:300]}")
    return found


def parse(output):
    matches = filter(None, map(REPORT.match, output.splitlines()))
    return [Report(match[1], int(match[2]), match[3], match[4], match[5]) for match in matches]
