# SPDX-License-Identifier: GPL-2.0-only
"""View 2, out/series: a bare git repository with the branch "series", one commit per plan entry.

It is made without a working tree: patches go into an index with git apply,
overlay files become blobs. That is a second, independent way from the same
inputs to the same tree as view 1, so comparing the two means something.

The import of the pristine source takes half a minute; it is kept as long as
the source's fingerprint stays. The index of that import is kept too: with it,
git can compare a whole kernel tree in a second.
"""

import json
import os
import shutil
from pathlib import Path

from lab import maintainers, plan, tree
from lab.common import Failure, run, say, write_atomic

BRANCH = "series"
CONFIG = {"core.checkStat": "minimal", "core.trustctime": "false", "core.compression": "1",
          "core.autocrlf": "false", "gc.auto": "0",
          "core.logAllRefUpdates": "false", "core.excludesFile": "/dev/null", "core.attributesFile": "/dev/null",
          "core.fsync": "none", "commit.gpgSign": "false", "am.threeWay": "false"}


class Repo:
    """The bare repository and its private index files."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.index = self.dir / "msm-work.index"
        self.pristine_index = self.dir / "msm-pristine.index"
        self.stamp = self.dir / "msm-source.json"

    def git(self, *argv, index=None, worktree=None, extra=None, **kwargs):
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        env.update(GIT_DIR=str(self.dir), GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null", LC_ALL="C")
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        if worktree:
            env["GIT_WORK_TREE"] = str(worktree)
        env.update(extra or {})
        env["GIT_CONFIG_COUNT"] = str(len(CONFIG))
        for number, (key, value) in enumerate(CONFIG.items()):
            env.update({f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value})
        return run(["git", *argv], env=env, cwd=worktree or self.dir, **kwargs)

    def line(self, *argv, **kwargs):
        return self.git(*argv, **kwargs).stdout.strip()


def pristine(repo, src):
    """The commit of the pristine source; imported when the source is new."""
    mark, version = tree.fingerprint(src), tree.check_source(src)
    for lock in repo.dir.glob("**/*.lock"):     # of a git that was killed: we hold the lock of out/
        lock.unlink()
    if repo.stamp.is_file():
        known = json.loads(repo.stamp.read_text())
        if known["source"] == mark:
            return known["commit"]
    say(f"series: importing the source of Linux {version} into git (once per source, half a minute)")
    repo.stamp.unlink(missing_ok=True)
    shutil.rmtree(repo.dir, ignore_errors=True)
    run(["git", "init", "-q", "--bare", "-b", BRANCH, repo.dir])
    # With this threshold blobs stream into one pack: three times as fast as loose objects.
    repo.git("-c", "core.bigFileThreshold=1", "add", "-A", "-f", ".", index=repo.pristine_index, worktree=src)
    written = repo.line("write-tree", index=repo.pristine_index)
    commit = repo.line("commit-tree", written, stdin=f"Linux {version} as packaged\n".encode(),
                       extra=identity(None, "Linux <linux@localhost>"))
    repo.git("tag", "pristine", commit)
    write_atomic(repo.stamp, json.dumps({"source": mark, "commit": commit, "version": version}).encode())
    return commit


def build(repo, root, src, commits):
    """Make branch "series"; return [(commit of the plan, hash)] in order."""
    root, base = Path(root), pristine(repo, src)
    shutil.copy(repo.pristine_index, repo.index)
    repo.git("read-tree", base, index=repo.index)
    parent, made = base, []
    for commit in commits:
        _fill_index(repo, root, commit)
        written = repo.line("write-tree", index=repo.index)
        if written == repo.line("rev-parse", f"{parent}^{{tree}}"):
            raise Failure(f"patches/plan: {commit.id}: this commit changes nothing")
        author, message = plan.split_author(commit.message)
        who = signer(message)
        parent = repo.line("commit-tree", written, "-p", parent, stdin=message.encode(),
                           extra=identity(author, who))
        made.append((commit, parent))
    repo.git("update-ref", f"refs/heads/{BRANCH}", parent)
    return made


def signer(message):
    """Who commits: the last Signed-off-by. No identity of the machine gets into the series."""
    return [line for line in message.splitlines() if line.startswith("Signed-off-by: ")][-1].partition(": ")[2]


def identity(author, who):
    """Environment for commit-tree. The date is fixed, so that the same inputs give the same hashes."""
    env = {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
    for role, text in (("AUTHOR", author or who), ("COMMITTER", who)):
        name, _, mail = text.rpartition(" <")
        env.update({f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": mail.rstrip(">")})
    return env


def _fill_index(repo, root, commit):
    for name in commit.patches:
        done = repo.git("apply", "--cached", "--whitespace=nowarn", root / "patches" / name,
                        index=repo.index, check=False)
        if done.returncode:
            raise Failure(f"patches/{name}: {done.stderr.strip()}")
    lines = []
    for path in commit.files:
        blob = repo.line("hash-object", "-w", "--no-filters", root / path)
        lines.append(f"100{tree.file_mode(root / path):o} {blob}\t{path}\n")
    if commit.maintainers:
        lines.append(_maintainers_line(repo, root))
    if lines:
        repo.git("update-index", "--add", "--index-info", index=repo.index, stdin="".join(lines).encode())


def _maintainers_line(repo, root):
    kernel = repo.git("cat-file", "blob", ":MAINTAINERS", index=repo.index, binary=True).stdout.decode()
    merged = maintainers.merge(kernel, (root / plan.MAINTAINERS).read_text())
    blob = repo.line("hash-object", "-w", "--stdin", stdin=merged.encode())
    return f"100644 {blob}\t{plan.MAINTAINERS}\n"


def assert_equal(repo, tip, worktree):
    """The tree of commit tip and the files in worktree must be the same, byte for byte."""
    index = repo.dir / "msm-compare.index"
    shutil.copy(repo.pristine_index, index)
    repo.git("read-tree", "--reset", tip, index=index, worktree=worktree)
    repo.git("add", "-u", ".", index=index, worktree=worktree)
    repo.git("add", ".", index=index, worktree=worktree)
    differing = repo.line("diff-index", "--cached", "--name-status", tip, index=index).splitlines()
    if differing:
        shown = "\n".join(f"  {line}" for line in differing[:20])
        raise Failure(f"the series and {worktree} are not equal:\n{shown}\n"
                      "an edit there? 'make save' keeps it, 'make tree FORCE=1' drops it")
