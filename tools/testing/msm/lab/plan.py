# SPDX-License-Identifier: GPL-2.0-only
"""patches/plan: the one order in which patches and overlay files become commits.

One line per commit of the series, three columns:

    commit-id | patches | overlay files

Patches are named relative to patches/, with or without ".patch". Overlay files
are repository paths; "DIR/" means everything below DIR, and *, ? and [] are
wildcards that do not cross a "/". Names are separated by commas or blanks, an
empty column or "-" means none, "#" starts a comment. "MAINTAINERS" among the
overlay files is the commit that merges our entries into the kernel's file.

The promise of load(): each patch and each overlay file belongs to exactly one
commit, every commit has a message, and nothing is left over.
"""

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

from lab import patchfile
from lab.common import Failure

OVERLAY = ("drivers", "include", "Documentation", "tools/gpu")
KINDS = ("backport", "seam", "fix")
MAINTAINERS = "MAINTAINERS"
JUNK = re.compile(r"(^|/)(\.[^/]*\.(sw.|new)|[^/]*(~|\.orig|\.rej|\.pyc)|__pycache__(/.*)?)$")


@dataclass(frozen=True)
class Commit:
    """One commit of the series: everything it is made from."""
    id: str
    patches: tuple
    files: tuple
    maintainers: bool
    message: str

    @property
    def subject(self):
        return split_author(self.message)[1].splitlines()[0]


def overlay_files(root):
    """Every file of the repository that is meant for the kernel tree, sorted."""
    root, found = Path(root), []
    for top in OVERLAY:
        found += [path.relative_to(root).as_posix() for path in (root / top).rglob("*")
                  if path.is_file() or path.is_symlink()]
    return sorted(path for path in found if not JUNK.search(path))


def patch_files(root):
    base = Path(root) / "patches"
    return sorted(path.relative_to(base).as_posix() for path in base.rglob("*.patch"))


def load(root):
    """The commits of patches/plan in order; a Failure lists everything that is wrong."""
    root = Path(root)
    rows, errors = _rows(root)
    errors += _once("patch", patch_files(root), rows, lambda row: row.patches)
    errors += _once("overlay file", overlay_files(root), rows, lambda row: row.files)
    errors += _symlinks(root)
    commits = [_commit(root, row, errors) for row in rows]
    if sum(commit.maintainers for commit in commits) != (root / MAINTAINERS).exists():
        errors.append("patches/plan: MAINTAINERS must stand in exactly one line")
    if errors:
        raise Failure("\n".join(errors))
    return commits


@dataclass(frozen=True)
class _Row:
    id: str
    line: int
    patches: tuple
    files: tuple
    maintainers: bool


def _rows(root):
    path, rows, errors = root / "patches/plan", [], []
    if not path.is_file():
        raise Failure("patches/plan: no such file")
    overlay = overlay_files(root)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if line:
            try:
                rows.append(_row(number, line, root, overlay))
            except Failure as failure:
                errors.append(str(failure))
    errors += [f"patches/plan:{row.line}: {row.id}: this commit id is there twice"
               for index, row in enumerate(rows) if row.id in [r.id for r in rows[:index]]]
    return rows, errors


def _row(number, line, root, overlay):
    where = f"patches/plan:{number}"
    columns = [column.strip() for column in line.split("|")]
    if len(columns) != 3:
        raise Failure(f"{where}: want 'commit-id | patches | overlay files'")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", columns[0]):
        raise Failure(f"{where}: {columns[0]!r}: a commit id has a-z, 0-9 and - only")
    names, patterns = _words(columns[1]), _words(columns[2])
    maintainers = MAINTAINERS in patterns
    patches = tuple(_patch_name(where, root, name) for name in names)
    files = [path for pattern in patterns if pattern != MAINTAINERS
             for path in _expand(where, pattern, overlay)]
    if not (patches or files or maintainers):
        raise Failure(f"{where}: {columns[0]}: neither patch nor file")
    return _Row(columns[0], number, patches, tuple(files), maintainers)


def _words(column):
    return [word for word in re.split(r"[,\s]+", column) if word not in ("", "-")]


def _patch_name(where, root, name):
    name = name if name.endswith(".patch") else name + ".patch"
    if name.split("/")[0] not in KINDS:
        raise Failure(f"{where}: {name}: patches lie in {', '.join(KINDS)}")
    if not (root / "patches" / name).is_file():
        raise Failure(f"{where}: patches/{name}: no such file")
    return name


def _expand(where, pattern, overlay):
    if pattern.endswith("/"):
        found = [path for path in overlay if path.startswith(pattern)]
    else:
        depth = pattern.count("/")
        found = [path for path in overlay
                 if path.count("/") == depth and fnmatch.fnmatchcase(path, pattern)]
    if not found:
        raise Failure(f"{where}: {pattern}: no such overlay file")
    return found


def _once(what, existing, rows, pick):
    """Errors for names that no row or more than one place names."""
    places = {}
    for row in rows:
        for name in pick(row):
            places.setdefault(name, []).append(row.id)
    prefix = "patches/" if what == "patch" else ""
    for name in existing:
        owners = places.get(name, [])
        if not owners:
            yield f"{prefix}{name}: this {what} is not in patches/plan"
        elif len(owners) > 1:
            yield f"{prefix}{name}: this {what} is named more than once in patches/plan: {', '.join(owners)}"


def _symlinks(root):
    return [f"{path}: a symbolic link cannot be an overlay file"
            for path in overlay_files(root) if (root / path).is_symlink()]


def _commit(root, row, errors):
    path = root / "patches/messages" / f"{row.id}.txt"
    message = path.read_text() if path.is_file() else ""
    errors += [f"patches/messages/{row.id}.txt: {text}" for text in _message_errors(message)]
    return Commit(row.id, row.patches, row.files, row.maintainers, message or row.id)


def _message_errors(message):
    if not message:
        return ["no such file, or empty"]
    errors, (_, body) = [], split_author(message)
    lines = body.splitlines()
    if len(lines) < 3 or lines[1]:
        errors.append("want a subject line, an empty line and a body")
    if not any(line.startswith("Signed-off-by: ") for line in lines):
        errors.append("no Signed-off-by")
    return errors


def split_author(message):
    """("Name <mail>" or None, rest): a first line "From: Name <mail>" says who wrote the change."""
    first, _, rest = message.partition("\n")
    if first.startswith("From: "):
        return first[6:].strip(), rest.lstrip("\n")
    return None, message


def patches_of(root, commits):
    """(commit, Patch) for every patch in order; a new file in a seam or fix is an error."""
    for commit in commits:
        for name in commit.patches:
            patch = patchfile.load(root, name)
            created = [section.new for section in patch.sections if not section.old]
            if created and not name.startswith("backport/"):
                raise Failure(f"patches/{name}: {created[0]}: a new file belongs into the overlay, not into a patch")
            yield commit, patch
