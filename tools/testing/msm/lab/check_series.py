# SPDX-License-Identifier: GPL-2.0-only
"""check-series: every commit of the series builds on its predecessors, its mail is clean, and git am takes the mails.

For each commit, in order: the tree is switched to it; the msm folder, and the
folder of every other source it touches, is built for x86_64 with W=1; any
warning that the pristine source does not give stops; a symbol that msm.ko needs
must exist by then; checkpatch --strict of the mail must find nothing.

A commit that passed is remembered by its tree, its parent's tree and its mail,
and is not built again.
"""

import argparse
import hashlib
import re
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import checkpatch, common, kbuild, series
from lab.common import Failure, run, say

MSM = "drivers/gpu/drm/msm/"
TESTS = "drivers/gpu/drm/tests/"
# Change this when the rules here change: what passed under other rules is then checked again.
RULES = "2"
# Names that the compiler, the assembler macros and static calls make up.
COMPILER = re.compile(r"__(asan|ubsan|sanitizer|tsan|kcsan|fentry|x86_|stack_chk|[gp]et_user|SC[KT]__|trace)")
# checkpatch findings on a mail that are wrong for this series: type, start of the text, reason.
ACCEPTED = (
    ("FILE_PATH_CHANGES", "", "lint checks that MAINTAINERS names every new file"),
    ("MISSING_FIXES_TAG", "", "the packaged source has no history that could name the commit"),
)
Step = namedtuple("Step", "number commit parent new mail mark")


class Checker:
    def __init__(self, repo, src, root, out):
        self.repo, self.src, self.root, self.out = repo, src, Path(root), out
        self.kbuild, self.known, self.symbols = None, set(), set()

    def start(self, base):
        """Configure and build the pristine source, to know what is not our fault."""
        self.kbuild = kbuild.prepare(self.repo, base, self.src, self.out)
        self.known = {(path, text) for path, _, text in kbuild.warnings(self._build([MSM, TESTS]))}
        self.symbols = self._needed() | exports(self.kbuild.tree, ["."])

    def _build(self, targets):
        return self.kbuild.make("W=1", *targets)

    def commit(self, commit, parent, new):
        """Everything that is wrong with a commit, as lines."""
        kbuild.checkout(self.repo, new, self.kbuild.tree, self.src)
        touched = self.repo.line("diff", "--name-only", parent, new).splitlines()
        if any("Kconfig" in path for path in touched):
            self.kbuild.configure()
        for path in commit.files:       # of a run before, perhaps of a later commit
            (self.kbuild.build / path).with_suffix(".o").unlink(missing_ok=True)
        try:
            output = self._build(targets(touched))
        except Failure as failure:
            return [f"{commit.id}: {failure}"]
        found = [f"{commit.id}: {path}:{line}: {text}" for path, line, text in kbuild.warnings(output)
                 if (path, text) not in self.known]
        found += [f"{commit.id}: {path}: the build does not compile it; its Makefile line belongs to this commit"
                  for path in commit.files if not self._compiled(path)]
        return found + [f"{commit.id}: msm.ko needs {name}, which no file up to here exports"
                        for name in self._undefined("pristine", new)]

    def _compiled(self, path):
        """Userspace and headers are not the kernel build's business."""
        if not path.endswith(".c") or path.startswith("tools/"):
            return True
        return (self.kbuild.build / path).with_suffix(".o").exists()

    def _needed(self):
        """Symbols that msm.ko takes from elsewhere."""
        module = self.kbuild.build / MSM / "msm.o"
        if not module.exists():
            return set()
        return {line.split()[-1] for line in run(["nm", "-u", module]).stdout.splitlines()}

    def _undefined(self, base, new):
        """Symbols that msm.ko needs now and neither the pristine source nor the series so far exports."""
        fresh = {name for name in self._needed() - self.symbols if not COMPILER.match(name)}
        if fresh:
            fresh -= exports(self.kbuild.tree, self.repo.line("diff", "--name-only", "--diff-filter=d", base, new).split())
        return sorted(fresh)


def exports(tree, paths):
    """Names that EXPORT_SYMBOL and its kin export in these files or folders."""
    done = run(["grep", "-rhoE", "--include=*.[chS]", r"^\s*EXPORT_(TRACEPOINT_)?SYMBOL[A-Z_]*\(\s*\w+", *paths],
               cwd=tree, check=False)
    return {line.partition("(")[2].strip() for line in done.stdout.splitlines()}


def targets(touched):
    """What make must build for these files: folders of msm and its tests, single objects elsewhere."""
    wanted = {MSM, TESTS} if any("include/" in path for path in touched) else {MSM}
    for path in touched:
        if path.startswith(TESTS):
            wanted.add(TESTS)
        elif path.endswith(".c") and not path.startswith((MSM, "tools/")):
            wanted.add(path[:-2] + ".o")
    return sorted(wanted)


def checkpatch_mail(tree, mail):
    """Findings of checkpatch --strict on a mail that are not on the accepted list."""
    return [f"{mail.name}:{found.line}: {found.kind}:{found.type}: {found.text}"
            for found in checkpatch.check(tree, [mail], cwd=tree) if not accepted(found)]


def accepted(found):
    return any(found.type == kind and found.text.startswith(text) for kind, text, _ in ACCEPTED)


def stamp(repo, commit, parent, new, mail):
    """A name for "this commit, here, in this form, checked by this tool"."""
    body = re.sub(r"(?m)^(From [0-9a-f]{40}|Subject: \[PATCH 6\.12 \d+/\d+\]|Date:).*$", "", mail.read_text())
    parts = [commit.id, repo.line("rev-parse", f"{parent}^{{tree}}", f"{new}^{{tree}}"), body,
             kbuild.FRAGMENT.read_text(), RULES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def steps(repo, base, made, mails, passed):
    """The commits in order, each with its parent, its mail and the file that remembers that it passed."""
    parent = base
    for number, ((commit, new), mail) in enumerate(zip(made, mails), 1):
        yield Step(number, commit, parent, new, mail, passed / stamp(repo, commit, parent, new, mail))
        parent = new


def check(src, *, root=common.ROOT, out=common.OUT, fresh=False):
    """Check every commit; return the list of findings."""
    repo, base, made = series.make(src, root=root, out=out)
    passed = out / "cache/check-series"
    passed.mkdir(parents=True, exist_ok=True)
    mails = series.mails(repo, base, made, root=root, out=out)
    series.prove_am(repo, base, made, mails)
    found = list(steps(repo, base, made, mails[1:], passed))
    due = [step for step in found if fresh or not step.mark.exists()]
    for step in found:
        if step not in due:
            say(f"[{step.number}/{len(made)}] {step.commit.id}: ok, checked before")
    return _check(due, Checker(repo, src, root, out), base, len(made)) if due else []


def _check(due, checker, base, total):
    """Findings of the steps that are due; checkpatch, which has one thread, runs ahead beside the compiler."""
    findings, pool = [], ThreadPoolExecutor(1)
    mails = [pool.submit(checkpatch_mail, checker.src, step.mail) for step in due]
    try:
        checker.start(base)
        for step, mail in zip(due, mails):
            started = time.monotonic()
            found = checker.commit(step.commit, step.parent, step.new) + mail.result()
            findings += found
            if not found:
                step.mark.touch()
            note = f"{len(found)} findings" if found else "ok"
            say("\n".join([f"[{step.number}/{total}] {step.commit.id}: {note}, {time.monotonic() - started:.0f} s", *found]))
    finally:
        pool.shutdown(cancel_futures=True)
    return findings


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py check-series", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--src", type=Path, help="pristine source (default: the unpacked package, or KSRC)")
    parser.add_argument("--fresh", action="store_true", help="check commits that passed before, too")
    args = parser.parse_args(argv)
    src = args.src or common.source("lint")
    with common.exclusive(common.OUT):
        findings = check(src, fresh=args.fresh)
    say(f"check-series: {len(findings)} findings")
    return 1 if findings else 0
