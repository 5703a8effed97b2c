# SPDX-License-Identifier: GPL-2.0-only
"""Our MAINTAINERS entries: merging them into the kernel's file, and what they cover.

An entry is a title line followed by lines "X:<tab>value"; entries are separated
by empty lines. The repository's MAINTAINERS holds entries only.
"""

import fnmatch
import re

from lab.common import Failure

FIELD = re.compile(r"^[A-Z]:\t")
START = "Maintainers List\n"


def entries(text):
    """[(title, text)] of a list of entries."""
    found = []
    for block in re.split(r"\n{2,}", text.strip("\n")):
        lines = block.splitlines()
        if len(lines) < 2 or FIELD.match(lines[0]) or not all(FIELD.match(line) for line in lines[1:]):
            raise Failure(f"MAINTAINERS: {lines[0]!r}: want a title and then lines 'X:<tab>value'")
        found.append((lines[0], block + "\n"))
    return found


def merge(kernel, ours):
    """The kernel's file with our entries where the alphabet wants them."""
    head, mark, body = kernel.partition("\n" + START)
    if not mark:
        raise Failure("MAINTAINERS: the kernel's file has no 'Maintainers List'")
    blocks = body.split("\n\n")
    for title, text in entries(ours):
        if any(block.startswith(title + "\n") for block in blocks):
            raise Failure(f"MAINTAINERS: {title!r} is in the kernel's file already")
        blocks.insert(_place(blocks, title), text.rstrip("\n"))
    return head + mark + "\n\n".join(blocks)


def _place(blocks, title):
    """Where the fewest entries stand on the wrong side: the kernel's list is not quite sorted."""
    names = {index: block.partition("\n")[0].upper() for index, block in enumerate(blocks)
             if FIELD.match(block.partition("\n")[2])}
    wrong = sum(name < title.upper() for name in names.values())
    best, place = wrong, min(names, default=len(blocks))
    for index, name in names.items():
        wrong += 1 if name > title.upper() else -1
        if wrong <= best:
            best, place = wrong, index + 1
    return place


def covers(ours, path):
    """Does an F: line of our entries name this file?"""
    patterns = [line[3:].strip() for line in ours.splitlines() if line.startswith("F:\t")]
    return any(_match(pattern, path) for pattern in patterns)


def _match(pattern, path):
    if pattern.endswith("/"):
        return path.startswith(pattern)
    return pattern.count("/") == path.count("/") and fnmatch.fnmatchcase(path, pattern)
