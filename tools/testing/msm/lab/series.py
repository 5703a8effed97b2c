# SPDX-License-Identifier: GPL-2.0-only
"""The series: branch, mails, and the proof that the mails are the series.

 series          out/series (git) and out/mails; asserts that view 2 equals
                 view 1 and that "git am" of the mails on the pristine tree
                 gives the same tree again
 plan            check patches/plan only
 refresh         rewrite every patch so that it applies without offsets
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from lab import common, gitview, patchfile, plan, tree
from lab.common import Failure, say, write_atomic


def make(src, *, root=common.ROOT, out=common.OUT):
    """Build view 1 and view 2 and compare them; return (repo, base, [(commit, hash)])."""
    tree.apply(src, out / "tree", root=root)
    repo = gitview.Repo(out / "series")
    made = gitview.build(repo, root, src, plan.load(root))
    if not made:
        raise Failure("patches/plan: no commit in it")
    gitview.assert_equal(repo, made[-1][1], out / "tree")
    base = gitview.pristine(repo, src)
    say(f"series: {len(made)} commits on branch {gitview.BRANCH} of {repo.dir}; the last one equals {out / 'tree'}")
    return repo, base, made


def mails(repo, base, made, *, root=common.ROOT, out=common.OUT):
    """git format-patch with our cover letter; return the mail files in order."""
    cover = Path(root) / "patches/messages/cover.txt"
    if not cover.is_file():
        raise Failure("patches/messages/cover.txt: no such file")
    subject, _, body = cover.read_text().partition("\n\n")
    directory = out / "mails"
    shutil.rmtree(directory, ignore_errors=True)
    name, _, mail = gitview.signer(made[-1][0].message).rpartition(" <")
    repo.git("-c", f"user.name={name}", "-c", f"user.email={mail.rstrip('>')}",
             "format-patch", "-q", "--cover-letter", "--subject-prefix=PATCH 6.12",
             "--signature=", "-o", directory, f"{base}..{made[-1][1]}")
    found = sorted(directory.glob("*.patch"))
    letter = found[0].read_text().replace("*** SUBJECT HERE ***", subject.replace("\n", " "))
    found[0].write_text(letter.replace("*** BLURB HERE ***", body.strip()))
    return found


def prove_am(repo, base, made, files):
    """Take the mails with git am on the pristine commit; the result must be our tree.

    The check-out is sparse: only folders that the series touches.
    """
    with tempfile.TemporaryDirectory(prefix="msm-am-") as scratch:
        clone = gitview.Repo(Path(scratch) / ".git")
        common.run(["git", "clone", "-q", "--shared", "--no-checkout", repo.dir, scratch])
        touched = repo.line("diff", "--name-only", base, made[-1][1]).splitlines()
        folders = sorted({str(Path(path).parent) for path in touched} - {"."})
        clone.git("sparse-checkout", "set", *folders, worktree=scratch)
        clone.git("checkout", "-q", "-b", "am", base, worktree=scratch)
        identity = gitview.identity(None, gitview.signer(made[-1][0].message))
        done = clone.git("am", "-q", *files[1:], worktree=scratch, extra=identity, check=False)
        if done.returncode:
            raise Failure(f"git am refuses the mails: {done.stderr.strip() or done.stdout.strip()}")
        result = clone.line("rev-parse", "am^{tree}", worktree=scratch)
    if result != repo.line("rev-parse", f"{made[-1][1]}^{{tree}}"):
        raise Failure("git am of the mails gives another tree than the series")
    say(f"series: git am took the {len(files) - 1} mails on the pristine tree and gave the same tree")


def refresh(src, *, root=common.ROOT):
    """Rewrite every patch against exactly what it meets; return the names that changed."""
    root, changed = Path(root), []
    with tempfile.TemporaryDirectory(prefix="msm-refresh-") as scratch:
        before, after = Path(scratch) / "before", Path(scratch) / "after"
        for _, patch in plan.patches_of(root, plan.load(root)):
            _stage(Path(src), before, after, patch)
            patchfile.apply(patch, after)
            text = patchfile.regenerate(patch.header, before, after, patch.paths())
            if text != (root / "patches" / patch.name).read_text():
                write_atomic(root / "patches" / patch.name, text.encode())
                changed.append(patch.name)
    return changed


def _stage(src, before, after, patch):
    """Bring the files that patch touches, as the patches before left them, into both folders."""
    for path in patch.paths():
        for folder in (before, after):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if not (after / path).exists() and not (before / path).exists() and (src / path).exists():
            shutil.copy(src / path, after / path)
        if (after / path).exists():
            shutil.copy(after / path, before / path)
        else:
            (before / path).unlink(missing_ok=True)


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py series", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", nargs="?", default="series", choices=("series", "plan", "refresh"))
    parser.add_argument("--src", type=Path, help="pristine source (default: the unpacked package, or KSRC)")
    args = parser.parse_args(argv)
    if args.action == "plan":
        commits = plan.load(common.ROOT)
        list(plan.patches_of(common.ROOT, commits))
        say(f"plan: {len(commits)} commits, {sum(len(commit.patches) for commit in commits)} patches, "
            f"{sum(len(commit.files) for commit in commits)} overlay files")
        return 0
    src = args.src or common.source("series")
    with common.exclusive(common.OUT):
        return _act(args, src)


def _act(args, src):
    if args.action == "refresh":
        for name in refresh(src):
            say(f"refreshed patches/{name}")
        return 0
    repo, base, made = make(src)
    files = mails(repo, base, made)
    prove_am(repo, base, made, files)
    say(f"series: mails in {files[0].parent}: {files[0].name} and {len(files) - 1} more")
    return 0
