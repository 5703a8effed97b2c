# SPDX-License-Identifier: GPL-2.0-only
"""save: bring edits made in out/tree back into overlay and patches.

 - a file of the overlay is copied back;
 - a new file in a folder of the overlay is copied too, and must then be named
   in patches/plan;
 - a file of the kernel that one patch changes: that patch is rewritten;
 - a file of the kernel that several patches change: the last of them in the plan
   takes the edit when --into names it; else they are listed;
 - a file of the kernel that no patch changes: --into NAME makes a new patch.

A file that changed on both sides is refused: nothing is merged here.
"""

import argparse
import tempfile
from pathlib import Path

from lab import common, patchfile, plan, tree
from lab.common import Failure, run, say, write_atomic


def _ignored(folder, paths):
    """Those of paths that are products: the kernel's own .gitignore files name them."""
    with tempfile.TemporaryDirectory(prefix="msm-save-") as scratch:
        run(["git", "init", "-q", scratch])
        done = run(["git", "-c", "core.excludesFile=/dev/null", f"--git-dir={scratch}/.git", f"--work-tree={folder.resolve()}",
                    "check-ignore", "--stdin", "-z"], cwd=folder, stdin="\0".join(paths).encode(), check=False)
    if done.returncode > 1:     # 1: none is
        raise Failure(f"git check-ignore: {done.stderr.strip()}")
    return set(done.stdout.split("\0"))


class Edits:
    """What differs between the tree and what was put there, sorted by what it means."""

    def __init__(self, root, src, folder):
        self.root, self.src, self.folder = Path(root), Path(src), Path(folder)
        self.state = tree.state_of(folder)
        if self.state.source is None:
            raise Failure(f"{folder}: there is no tree yet; 'make tree' makes it")
        self.overlay = set(plan.overlay_files(root))
        self.commits = plan.load(root)
        self.changed = tree.edited(folder, self.state) + sorted(self._beside_the_series())

    def _beside_the_series(self):
        """Files of the kernel, or new ones, that were touched although the series does not have them."""
        pristine = set(tree.listing(self.src))
        touched = {line.rsplit(" ", 2)[0] for line in tree.listing(self.folder) if line not in pristine}
        touched = {path for path in touched if path not in self.state.files and not plan.JUNK.search(path)}
        made = {path for path in touched if not (self.src / path).exists()}
        made -= _ignored(self.folder, made)
        return made | {path for path in touched if (self.src / path).exists() and self.data(path) != (self.src / path).read_bytes()}

    def data(self, path):
        return (self.folder / path).read_bytes() if (self.folder / path).exists() else None

    def is_new(self, path):
        return path not in self.overlay and not (self.src / path).exists()

    def patches_of(self, path):
        return [patch.name for _, patch in plan.patches_of(self.root, self.commits) if path in patch.paths()]


def save_overlay(edits, path):
    """Copy one overlay file back; return what to say."""
    target, data = edits.root / path, edits.data(path)
    if target.exists() and not edits.state.knows(path, target.read_bytes()) and target.read_bytes() != data:
        raise Failure(f"{path}: edited in the tree and in the repository; merge by hand, then 'make tree FORCE=1'")
    if data is None:
        raise Failure(f"{path}: gone from the tree; if it is to go from the series, remove it from the repository (git rm)")
    write_atomic(target, data, tree.file_mode(edits.folder / path))
    return f"{path}: copied back"


def save_kernel_file(edits, path, into):
    """Put the edit of an existing file into its patch; return what to say."""
    names = edits.patches_of(path)
    wanted = _patch_name(into) if into else None
    if not names and not wanted:
        raise Failure(f"{path}: no patch changes this file yet; name one: --into seam/NAME")
    if len(names) > 1 and wanted != names[-1]:
        raise Failure(f"{path}: several patches change it ({', '.join(names)}); "
                      f"--into {names[-1]} puts the edit into the last one")
    if names and wanted and wanted != names[-1]:
        raise Failure(f"{path}: patches/{names[-1]} changes this file already; the edit belongs there")
    name = names[-1] if names else wanted
    rewrite(edits, name, path)
    return f"{path}: patches/{name} rewritten"


def _patch_name(text):
    return text if text.endswith(".patch") else text + ".patch"


def rewrite(edits, name, path):
    """Make patch NAME lead, for this file, to what the tree has."""
    file = edits.root / "patches" / name
    patch = patchfile.load(edits.root, name) if file.exists() else patchfile.Patch(name, "", ())
    with tempfile.TemporaryDirectory(prefix="msm-save-") as scratch:
        before = Path(scratch) / "before"
        _state_before(edits, name, path, before)
        section = patchfile.diff_file(before, edits.folder / path, path)
    kept = [old.text if old.path != path else section for old in patch.sections]
    if path not in patch.paths():
        kept.append(section)
    write_atomic(file, (patch.header + "".join(kept)).encode())


def _state_before(edits, name, path, target):
    """Write to target what the patches before NAME make of one file."""
    with tempfile.TemporaryDirectory(prefix="msm-save-") as scratch:
        place = Path(scratch) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if (edits.src / path).exists():
            place.write_bytes((edits.src / path).read_bytes())
        for _, patch in plan.patches_of(edits.root, edits.commits):
            if patch.name == name:
                break
            parts = tuple(section for section in patch.sections if section.path == path)
            if parts:
                patchfile.apply(patchfile.Patch(patch.name, "", parts), scratch)
        if place.exists():
            target.write_bytes(place.read_bytes())


def save(root, src, folder, into=None):
    """Save every edit; return (lines said, lines of what could not be saved)."""
    edits, done, refused = Edits(root, src, folder), [], []
    for path in edits.changed:
        try:
            done.append(_save_one(edits, path, into))
        except Failure as failure:
            refused.append(str(failure))
    return done, refused


def _save_one(edits, path, into):
    if path == plan.MAINTAINERS:
        raise Failure("MAINTAINERS: edit the one in the repository, it holds our entries only")
    if path in edits.overlay:
        return save_overlay(edits, path)
    if edits.is_new(path):
        if not path.startswith(plan.OVERLAY):
            raise Failure(f"{path}: a new file outside of {', '.join(plan.OVERLAY)} is not part of the series")
        return save_overlay(edits, path) + "; name it in patches/plan"
    return save_kernel_file(edits, path, into)


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py save", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--src", type=Path, help="pristine source (default: the unpacked package, or KSRC)")
    parser.add_argument("--tree", type=Path, default=common.OUT / "tree")
    parser.add_argument("--into", metavar="KIND/NAME", help="the patch that takes edits of files of the kernel")
    args = parser.parse_args(argv)
    done, refused = save(common.ROOT, args.src or common.source("series"), args.tree, args.into)
    for line in done + refused:
        say(f"save: {line}")
    say(f"save: {len(done)} saved, {len(refused)} not")
    if done:
        say("save: run 'make tree' to check that the series gives the same tree")
    return 1 if refused else 0
