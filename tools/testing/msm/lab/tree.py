# SPDX-License-Identifier: GPL-2.0-only
"""View 1, out/tree: the pristine source with the whole plan applied, ready to build and to edit.

Promises:
 - a patch that does not apply exactly stops here, with patch, file and hunk;
 - a file that did not change keeps its time stamp, so a kernel build stays small;
 - an edit made in out/tree is never overwritten silently;
 - an interruption at any point leaves a state from which the next run goes on.

The state file beside the tree (out/tree.json) remembers which source the tree
was copied from and the digest of each file that we put there. Before the first
write it is saved with the new digests added ("pending"), so that a file counts
as ours whether or not an interrupted run got to it.
"""

import argparse
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from lab import common, maintainers, patchfile, plan
from lab.common import Failure, run, write_atomic

SKIP = {".git"}
OLDEST = "6.12.115"     # Debian's packages from that one on were looked at, 6.12.113 is too old


def digest(data):
    return hashlib.sha256(data).hexdigest()


def fingerprint(src):
    """A digest of names, sizes and times of the whole source: half a second, no file is read."""
    total = hashlib.sha256()
    for line in listing(str(src)):
        total.update(line.encode(errors="surrogateescape"))
    return total.hexdigest()


def listing(base, relative=""):
    """"PATH SIZE MTIME\n" of each file, in order."""
    for entry in sorted(os.scandir(os.path.join(base, relative)), key=lambda entry: entry.name):
        path = f"{relative}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in SKIP:
                yield from listing(base, path + "/")
        else:
            stat = entry.stat(follow_symlinks=False)
            yield f"{path} {stat.st_size} {stat.st_mtime_ns}\n"


def check_source(src):
    """The source must be a clean 6.12.y tree; return its version."""
    words = dict(line.split(" = ", 1) for line in (Path(src) / "Makefile").read_text().splitlines()[:8]
                 if " = " in line)
    version = ".".join(words.get(key, "?").strip() for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
    if not version.startswith("6.12."):
        raise Failure(f"{src}: this is Linux {version}; the series is for 6.12.y")
    _check_needed(Path(src), version)
    for dirt in (".config", "include/config"):
        if (Path(src) / dirt).exists():
            raise Failure(f"{src}: a kernel was built inside ({dirt}); run 'make mrproper' there or use a clean tree")
    return version


def _check_needed(src, version):
    """What the series calls and point releases before OLDEST do not have."""
    header = src / "include/drm/gpu_scheduler.h"
    if header.is_file() and "struct drm_sched_init_args" not in header.read_text():
        raise Failure(f"{src}: this is Linux {version}, whose drm_sched_init() takes no struct; the series needs {OLDEST} "
                      "or newer, which Debian 12 and 13 have in their security suites ('apt-get update', then install "
                      "linux-source-6.12 again)")


def compose(root, src, commits, say=common.say):
    """Apply the plan to copies; return {path: (bytes, mode)}, bytes None = the file is deleted."""
    with tempfile.TemporaryDirectory(prefix="msm-compose-") as scratch:
        touched, shifted = _apply_plan(Path(root), Path(src), commits, Path(scratch))
        if shifted:
            files = ", ".join(f"{path} ({count})" for path, count in Counter(shifted).items())
            say(f"warning: {len(shifted)} hunks apply at another line than in the source they were made for: {files}")
        return {path: _content(Path(scratch) / path) for path in touched}


def _content(path):
    if not path.exists():
        return None, 0
    return path.read_bytes(), path.stat().st_mode & 0o777


def _apply_plan(root, src, commits, scratch):
    touched, shifted = set(), []
    for commit in commits:
        for name in commit.patches:
            shifted += _apply_patch(patchfile.load(root, name), src, scratch, touched)
        for path in commit.files:
            if (src / path).exists():
                raise Failure(f"{path}: the kernel has this file already; a change to it is a patch, not an overlay file")
            _copy(root / path, scratch / path)
            touched.add(path)
        if commit.maintainers:
            touched.add(plan.MAINTAINERS)
            _merge_maintainers(root, src, scratch)
    return touched, shifted


def _apply_patch(patch, src, scratch, touched):
    for path in patch.paths():
        if path not in touched and (src / path).is_file():
            _copy(src / path, scratch / path)
        touched.add(path)
    return patchfile.apply(patch, scratch)


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(file_mode(target))


def file_mode(path):
    """The two modes that git knows."""
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _merge_maintainers(root, src, scratch):
    base = scratch / plan.MAINTAINERS
    if not base.exists():
        _copy(src / plan.MAINTAINERS, base)
    base.write_text(maintainers.merge(base.read_text(), (root / plan.MAINTAINERS).read_text()))


def _word(data):
    """How the state names the contents of a file."""
    return "absent" if data is None else digest(data)


class State:
    """out/tree.json: {"source": fingerprint, "copied": when, in seconds, "files": {path: [digest, ...]}}."""

    def __init__(self, path):
        self.path = Path(path)
        self.source, self.copied, self.files = None, 0, {}
        if self.path.is_file():
            try:
                raw = json.loads(self.path.read_text())
                self.source, self.copied, self.files = raw["source"], raw.get("copied", 0), raw["files"]
            except (ValueError, KeyError):
                pass

    def save(self):
        write_atomic(self.path, json.dumps({"source": self.source, "copied": self.copied, "files": self.files},
                                           indent=1).encode())

    def knows(self, path, data):
        return _word(data) in self.files.get(path, [])


def state_of(tree):
    return State(Path(tree).with_name(Path(tree).name + ".json"))


def edited(tree, state):
    """Files that we put into the tree and somebody changed since."""
    return sorted(path for path in state.files if not state.knows(path, _content(Path(tree) / path)[0]))


def apply(src, tree, *, root=common.ROOT, force=False, say=common.say):
    """Make tree the source plus the whole plan; return the number of files written."""
    src, tree = Path(src), Path(tree)
    check_source(src)
    commits = plan.load(root)
    list(plan.patches_of(root, commits))
    wanted = compose(root, src, commits, say)
    with common.exclusive(tree.parent):
        return _apply(src, tree, wanted, force, say)


def _apply(src, tree, wanted, force, say):
    state, mark = state_of(tree), fingerprint(src)
    if tree.is_dir() and state.source:
        _refuse_edits(tree, state, wanted, force)
    if not tree.is_dir() or state.source != mark:
        if tree.is_dir() and not force:
            _keep_strangers(tree, state, say)
        _copy_source(src, tree, state, mark, say)
    elif force:
        _restore(src, tree, wanted)
    written = _sync(src, tree, state, wanted)
    say(f"tree: {tree}: {len(wanted)} files of the series, {written} written")
    return written


def _refuse_edits(tree, state, wanted, force):
    lost = [path for path in edited(tree, state)
            if _content(tree / path)[0] != wanted.get(path, (None, 0))[0]]
    if lost and not force:
        raise Failure("\n".join(f"{tree}/{path}: edited there" for path in lost)
                      + "\ntree: keep the edits with 'make save', or drop them with 'make tree FORCE=1'")


def _keep_strangers(tree, state, say):
    """Files beside the series that are newer than the copy are somebody's work, and their source is gone: keep all."""
    if state.source:
        theirs = [line.split(" ", 1)[0] for line in listing(str(tree)) if int(line.rsplit(" ", 1)[1]) > state.copied * 1e9]
        theirs = [path for path in theirs if path not in state.files and not plan.JUNK.search(path)]
        why = f"{len(theirs)} files beside the series were edited there, {theirs[0]} for one" if theirs else ""
    else:
        why = f"{state.path.name} is lost, so nobody knows what was edited there"
    if why:
        old = tree.with_name(f"{tree.name}.old-{int(time.time())}")
        os.rename(tree, old)
        say(f"tree: the source is another one now; kept the old tree as {old}: {why}")


def _copy_source(src, tree, state, mark, say):
    """Interrupted anywhere, it leaves the old tree with its state, no tree, or the new one with its state."""
    say(f"tree: copying {src} (once per source)")
    new = tree.with_name(tree.name + ".new")
    common.remove(new)
    tree.parent.mkdir(parents=True, exist_ok=True)
    new.mkdir()
    run(["cp", "-a", "--reflink=auto", "-t", new,
         *sorted(str(entry) for entry in src.iterdir() if entry.name not in SKIP)])
    common.remove(tree)
    state.source, state.copied, state.files = mark, time.time(), {}
    state.save()
    os.rename(new, tree)


def _restore(src, tree, wanted):
    """Put back files of the source that were edited or deleted, though the series does not touch them; make sees them as new."""
    here = set(listing(str(tree)))
    for line in listing(str(src)):
        path = line.rsplit(" ", 2)[0]
        if line in here or path in wanted:
            continue
        if (src / path).is_symlink():
            run(["cp", "-a", "--remove-destination", src / path, tree / path])
        else:
            _put(tree / path, *_content(src / path))


def _sync(src, tree, state, wanted):
    """Write what differs; put back what no longer belongs to the series."""
    gone = [path for path in state.files if path not in wanted]
    targets = dict(wanted, **{path: _content(src / path) for path in gone})
    for path, (data, _) in targets.items():
        state.files.setdefault(path, [_word(_content(src / path)[0])]).append(_word(data))
    state.save()
    written = sum(_put(tree / path, data, mode) for path, (data, mode) in targets.items())
    state.files = {path: [_word(data)] for path, (data, _) in wanted.items()}
    state.save()
    return written


def _put(path, data, mode):
    current, current_mode = _content(path)
    if current == data and (data is None or current_mode & 0o100 == mode & 0o100):
        return 0
    if data is None:
        path.unlink()
    else:
        write_atomic(path, data, 0o755 if mode & 0o100 else 0o644)
    return 1


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py tree", description="make out/tree: the kernel source with the series applied")
    parser.add_argument("--src", type=Path, help="pristine source (default: the unpacked package, or KSRC)")
    parser.add_argument("--tree", type=Path, default=common.OUT / "tree")
    parser.add_argument("--force", action="store_true", default=bool(os.environ.get("FORCE")),
                        help="drop edits made in the tree")
    args = parser.parse_args(argv)
    apply(args.src or common.source("series"), args.tree, force=args.force)
    return 0
