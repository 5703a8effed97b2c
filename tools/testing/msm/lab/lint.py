# SPDX-License-Identifier: GPL-2.0-only
"""lint: everything about our files that a machine can judge.

One line per finding, "file:line: rule: text", and a count at the end; the exit
status is 1 when there is any. tools/testing/msm/lint-allow lists findings that
are right to stay, each with its reason; an entry that matches nothing is a
finding itself.
"""

import argparse
import fnmatch
from pathlib import Path

from lab import arch as arches, common, deps, kbuild, lint_doc, lint_kernel, lint_text, plan, series
from lab.common import run, say
from lab.lint_text import Finding

ALLOW = "tools/testing/msm/lint-allow"


def repository_files(root):
    """What git tracks or would track."""
    done = run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    return sorted({path for path in done.stdout.split("\0")
                   if path and (Path(root) / path).is_file() and not plan.JUNK.search(path)})


def kernel_rules(src, root, out, paths, say=say):
    """The rules that need the tree with the series applied."""
    overlay = [path for path in plan.overlay_files(root) if path.startswith(("drivers/", "include/"))]
    sources = [path for path in overlay if path.endswith(".c")]
    headers = [path for path in overlay if path.endswith(".h")]
    repo, _, made = series.make(src, root=root, out=out)
    build = kbuild.prepare(repo, made[-1][1], src, out)
    say("lint: checkpatch")
    checked = [path for path in paths if path.endswith((".c", ".h", ".rst")) or Path(path).name.startswith("Kconfig")]
    yield from lint_kernel.checkpatch_files(root, build.tree, checked)
    say("lint: kernel-doc")
    yield from lint_kernel.kernel_doc(build.tree, sources + headers)
    say("lint: documentation")
    yield from lint_doc.rendered(build.tree, [path for path in plan.overlay_files(root) if path.endswith(".rst")])
    say("lint: W=1, sparse")
    yield from lint_kernel.objects(build, sources)
    yield from lint_kernel.headers_alone(build, [path for path in headers if not path.endswith("_trace.h")], sources)
    yield from lint_kernel.seen_headers(build, sources)
    for option in build.missing():
        yield Finding("tools/testing/msm/configs/series.config", 1, "config", f"{option} does not survive configuration")


def allowances(root):
    """[(line number, path pattern, rule, text pattern)] of the allow list."""
    path = Path(root) / ALLOW
    lines = path.read_text().splitlines() if path.is_file() else []
    return [_allowance(number, line) for number, line in enumerate(lines, 1)
            if line.strip() and not line.startswith("#")]


def _allowance(number, line):
    entry, _, reason = line.partition(" # ")
    fields = [field.strip() for field in entry.split(":", 2)]
    if len(fields) != 3 or not reason.strip():
        raise common.Failure(f"{ALLOW}:{number}: want 'path: rule: text # reason'")
    return (number, *fields)


def judge(findings, entries):
    """Drop what the list allows; report entries that allow nothing. A hard limit is never allowed."""
    used, kept = set(), []
    for finding in findings:
        hits = [entry for entry in entries if _allows(entry, finding)]
        used.update(entry[0] for entry in hits)
        if not hits:
            kept.append(finding)
    stale = [Finding(ALLOW, entry[0], "allow", "matches no finding any more: remove it")
             for entry in entries if entry[0] not in used]
    return kept, stale


def _allows(entry, finding):
    _, path, rule, text = entry
    return (fnmatch.fnmatchcase(finding.path, path) and finding.rule == rule
            and fnmatch.fnmatchcase(finding.text, text) and "(hard limit)" not in finding.text)


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py lint", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--src", type=Path, help="pristine source (default: the unpacked package, or KSRC)")
    parser.add_argument("--quick", action="store_true", help="text rules, shellcheck and codespell only: no kernel tree, seconds")
    parser.add_argument("paths", nargs="*", help="report findings in these files or folders only")
    args = parser.parse_args(argv)
    deps.ensure("lint", arches.X86_64)
    root, entries = common.ROOT, allowances(common.ROOT)
    paths = repository_files(root)
    findings = [*lint_text.text_rules(root, paths), *lint_text.shellcheck(root, paths), *lint_text.spelling(root, paths)]
    if not args.quick:
        src = args.src or common.source("lint")
        with common.exclusive(common.OUT):
            findings += kernel_rules(src, root, common.OUT, paths)
    kept, stale = judge(sorted(set(findings)), entries)
    kept += [] if args.quick or args.paths else stale
    shown = [finding for finding in kept
             if not args.paths or any(finding.path.startswith(path) for path in args.paths)]
    for finding in shown:
        say(f"{finding.path}:{finding.line}: {finding.rule}: {finding.text}")
    say(f"lint: {len(shown)} findings in {len(paths)} files")
    return 1 if shown else 0
