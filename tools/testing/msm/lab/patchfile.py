# SPDX-License-Identifier: GPL-2.0-only
"""A patch file: which files it touches, and how it is applied without fuzz.

A patch is text, then sections that begin with "diff --git a/OLD b/NEW". The
text before the first section is the patch's own explanation and is kept by
everything that rewrites the patch.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from lab.common import Failure, run

SECTION = re.compile(r"^diff --git a/(\S+) b/(\S+)$")
OFFSET = re.compile(r"^Hunk #\d+ succeeded at \d+ \(offset -?\d+ lines?\)")
FUZZ = re.compile(r"^Hunk #(\d+) succeeded at .* with fuzz (\d+)")
FAILED = re.compile(r"^Hunk #(\d+) FAILED at (\d+)")
PATCHING = re.compile(r"^(?:patching|checking) file (\S+)")


@dataclass(frozen=True)
class Section:
    """The part of a patch that is about one file. old or new is None: created or deleted."""
    old: str
    new: str
    text: str

    @property
    def path(self):
        return self.new or self.old


@dataclass(frozen=True)
class Patch:
    name: str
    header: str
    sections: tuple

    def paths(self):
        return [section.path for section in self.sections]

    def text(self):
        return self.header + "".join(section.text for section in self.sections)


def parse(name, text):
    """Split the text of a patch into its sections; name is for messages."""
    header, groups = [], []
    for line in text.splitlines(keepends=True):
        if SECTION.match(line.rstrip("\n")):
            groups.append([])
        (groups[-1] if groups else header).append(line)
    if not groups:
        raise Failure(f"patches/{name}: no 'diff --git a/FILE b/FILE' line, so it changes nothing")
    return Patch(name, "".join(header), tuple(_section(name, group) for group in groups))


def _section(name, lines):
    old, new = SECTION.match(lines[0].rstrip("\n")).groups()
    body = _without_signature(lines)
    for line in body:
        if line.startswith(("rename ", "copy ", "Binary ", "GIT binary")):
            raise Failure(f"patches/{name}: {new}: renames, copies and binary patches are not supported")
        if line.startswith("@@"):
            break
        if line.startswith("--- /dev/null"):
            old = None
        if line.startswith("+++ /dev/null"):
            new = None
    return Section(old, new, "".join(body))


def _without_signature(lines):
    """Drop the "-- " and version lines that git format-patch puts at the end of a mail."""
    for index in range(max(len(lines) - 4, 0), len(lines)):
        if lines[index] == "-- \n":
            return lines[:index]
    return lines


def load(root, name):
    path = Path(root) / "patches" / name
    return parse(name, path.read_text())


def apply(patch, directory):
    """Apply patch in directory with fuzz 0; return the path of each hunk that applied with an offset.

    A reject is a Failure that names patch, file and hunk. The directory is
    scratch: after a Failure its content is undefined.
    """
    for section in patch.sections:
        _check_presence(patch, section, Path(directory))
    done = run(["patch", "-p1", "-F0", "--batch", "--forward", "--no-backup-if-mismatch",
                "--reject-file=-", "-d", directory], stdin=patch.text().encode(), check=False,
               env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    return _judge(patch, done)


def _check_presence(patch, section, directory):
    if section.old and not (directory / section.old).is_file():
        raise Failure(f"patches/{patch.name}: {section.old}: no such file in the kernel source")
    if not section.old and (directory / section.new).exists():
        raise Failure(f"patches/{patch.name}: {section.new}: creates a file that is there already")


def _judge(patch, done):
    shifted, rejects, path = [], [], "?"
    for line in done.stdout.splitlines():
        if match := PATCHING.match(line):
            path = match[1]
        elif match := FAILED.match(line):
            rejects.append(f"patches/{patch.name}: {path}: hunk #{match[1]} at line {match[2]} does not apply")
        elif match := FUZZ.match(line):
            rejects.append(f"patches/{patch.name}: {path}: hunk #{match[1]} needs fuzz {match[2]}")
        elif "previously applied" in line:
            rejects.append(f"patches/{patch.name}: {path}: the source has it already")
        elif OFFSET.match(line):
            shifted.append(path)
    if rejects:
        raise Failure("\n".join(rejects))
    if done.returncode:
        raise Failure(f"patches/{patch.name}: {path}: {(done.stdout + done.stderr).strip()}")
    return shifted


def regenerate(header, before, after, paths):
    """The text of a patch that turns directory before into directory after, for these paths."""
    parts = [header]
    for path in paths:
        parts.append(diff_file(Path(before) / path, Path(after) / path, path))
    return "".join(parts)


def diff_file(old, new, path):
    """One section, as git writes it but without index line; empty when nothing differs."""
    left = str(old) if old.exists() else "/dev/null"
    right = str(new) if new.exists() else "/dev/null"
    done = run(["git", "-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "diff",
                "--no-index", "--no-ext-diff", "--no-color", left, right], check=False)
    lines = done.stdout.splitlines(keepends=True)
    return "".join(_renamed(lines, path))


def _renamed(lines, path):
    in_hunks = False
    for line in lines:
        in_hunks = in_hunks or line.startswith("@@")
        if in_hunks or line.startswith(("new file", "deleted file", "old mode", "new mode")):
            yield line
        elif line.startswith("diff --git"):
            yield f"diff --git a/{path} b/{path}\n"
        elif line.startswith(("--- ", "+++ ")):
            side = "a" if line.startswith("---") else "b"
            yield line if "/dev/null" in line else f"{line[:3]} {side}/{path}\n"
