# SPDX-License-Identifier: GPL-2.0-only
"""Lint rules that only read text: no compiler, no kernel tree."""

import ast
import re
import tempfile
from collections import namedtuple
from pathlib import Path

from lab import cbudget, maintainers, plan
from lab.common import Failure, run

Finding = namedtuple("Finding", "path line rule text")

FILE_LINES, FILE_HARD = 600, 800
BODY_LINES, BODY_HARD, BODY_P90 = 60, 80, 45
NESTING = 3
MESSAGE_COLUMNS = 75
NO_SPDX = re.compile(r"^(COPYING|MAINTAINERS|LICENSES/.*|README\.md|\.gitignore|patches/.*\.(patch|txt)|.*\.(md|json|txt))$")
SPDX = re.compile(r"SPDX-License-Identifier: (GPL-2\.0-only|GPL-2\.0-only WITH Linux-syscall-note|MIT|GPL-2\.0 OR MIT)\b")
HOST = re.compile(r"\b(?:deb|ftp|archive|security|snapshot|mirrors?)(?:\.[\w-]+)*\.(?:debian|ubuntu|kernel)\.(?:org|com|net)\b"
                  r"|//[\w.-]*\bmirrors?\b[\w.-]*\.\w+/", re.I)
PLACE = re.compile(r"(?<![\w.$}/-])/(?:work|home)/[\w.-]+|(?<![\w.$}/-])/tmp/[k]\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
KERNEL_DOC = re.compile(r"^\.\. kernel-doc:: (\S+)$((?:\n[ \t]+:.*)*)", re.M)


def text_rules(root, paths):
    """Every rule of this module over the files of the repository (paths relative to root)."""
    root = Path(root)
    for path in paths:
        data = (root / path).read_bytes()
        if b"\0" in data:
            yield Finding(path, 1, "binary", "binary files do not belong into the repository")
            continue
        text = data.decode(errors="replace")
        for rule in (spdx, places, c_budget, python_rules, shell_size, message_width):
            yield from rule(path, text)
    yield from includes(root, [path for path in paths if path.endswith((".c", ".h"))])
    yield from rst_references(root, [path for path in paths if path.endswith(".rst")])
    yield from series_rules(root)


def spdx(path, text):
    if not NO_SPDX.match(path) and not any(SPDX.search(line) for line in text.splitlines()[:3]):
        yield Finding(path, 1, "spdx", "no SPDX-License-Identifier of a licence in LICENSES/ in the first lines")


def places(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if match := HOST.search(line):
            yield Finding(path, number, "host", f"{match[0]}: no mirror's host name belongs here")
        if match := PLACE.search(line):
            yield Finding(path, number, "place", f"{match[0]}: a path of one machine")


def c_budget(path, text):
    if not path.endswith((".c", ".h")):
        return
    yield from _file_size(path, text)
    found = cbudget.functions(text)
    for function in found:
        if function.lines > BODY_LINES:
            hard = " (hard limit)" if function.lines > BODY_HARD else ""
            yield Finding(path, function.line, "function-size",
                          f"{function.name}: {function.lines} lines, at most {BODY_LINES}{hard}")
        if function.nesting > NESTING:
            yield Finding(path, function.line, "nesting", f"{function.name}: {function.nesting} deep, at most {NESTING}")
    tall = cbudget.percentile([function.lines for function in found], 90)
    if tall > BODY_P90:
        yield Finding(path, 1, "function-p90", f"90 % of the functions must stay within {BODY_P90} lines, they need {tall}")


def _file_size(path, text):
    size = text.count("\n")
    if size > FILE_LINES:
        hard = " (hard limit)" if size > FILE_HARD else ""
        yield Finding(path, size, "file-size", f"{size} lines, at most {FILE_LINES}{hard}")


def python_rules(path, text):
    if not (path.endswith(".py") or re.match(r"#!.*\bpython3?\b", text)):
        return
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        yield Finding(path, error.lineno or 1, "python", f"does not compile: {error.msg}")
        return
    yield from _file_size(path, text)
    for node in ast.walk(module):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            size = node.end_lineno - node.body[0].lineno + 1
            if size > BODY_LINES:
                yield Finding(path, node.lineno, "function-size", f"{node.name}: {size} lines, at most {BODY_LINES}")
            if (deep := _python_nesting(node)) > NESTING:
                yield Finding(path, node.lineno, "nesting", f"{node.name}: {deep} deep, at most {NESTING}")


def _python_nesting(node, depth=0):
    """Like the rule for C: blocks inside blocks; with and try hold no decision and do not count."""
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        elif_of = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        step = isinstance(child, (ast.If, ast.For, ast.While, ast.Match)) and not elif_of
        deepest = max(deepest, _python_nesting(child, depth + step))
    return deepest


def shell_size(path, text):
    if is_shell(path, text) and text.count("\n") > 100:
        yield Finding(path, 1, "shell-size", f"{text.count(chr(10))} lines of shell, at most 100: write it in Python")


def message_width(path, text):
    """checkpatch says so too, but only when check-series has the mails, minutes later."""
    if path.startswith("patches/messages/") and not path.endswith("/cover.txt"):
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > MESSAGE_COLUMNS and not line.startswith((" ", "Signed-off-by:")):
                yield Finding(path, number, "message", f"{len(line)} columns, at most {MESSAGE_COLUMNS}")


def is_shell(path, text):
    return path.endswith(".sh") or bool(re.match(r"#!\s*/\S*\b(ba|da|)sh\b", text))


def shellcheck(root, paths):
    scripts = [path for path in paths
               if is_shell(path, (Path(root) / path).read_text(errors="replace"))]
    if not scripts:
        return
    done = run(["shellcheck", "-f", "gcc", "-x", *scripts], cwd=root, check=False)
    for line in done.stdout.splitlines():
        path, number, _, text = line.split(":", 3)
        yield Finding(path, int(number), "shellcheck", text.strip())


def spelling(root, paths):
    """codespell over what we wrote: of a patch the lines that it adds. The list of what is allowed quotes it."""
    whole = [path for path in paths
             if not path.endswith((".patch", "/lint-allow")) and not path.startswith(("COPYING", "LICENSES/"))]
    yield from _codespell(root, whole)
    with tempfile.TemporaryDirectory() as folder:
        patches = [path for path in paths if path.endswith(".patch")]
        for path in patches:
            added = Path(folder, path)
            added.parent.mkdir(parents=True, exist_ok=True)
            lines = (Path(root) / path).read_text(errors="replace").splitlines()
            added.write_text("".join(f"{line if line.startswith('+') else ''}\n" for line in lines))
        yield from _codespell(folder, patches)


def _codespell(folder, paths):
    if not paths:
        return
    done = run(["codespell", *paths], cwd=folder, check=False)
    for line in done.stdout.splitlines():
        path, number, text = line.split(":", 2)
        yield Finding(path, int(number), "spelling", text.strip())


def includes(root, paths):
    """The hardware half sees no driver object; modules of vm/ form no circle."""
    edges = {}
    for path in paths:
        names = INCLUDE.findall((Path(root) / path).read_text(errors="replace"))
        folder, base = path.rpartition("/")[::2]
        if base.startswith("vgpu_hw") and "/vgpu/" in path:
            yield from (Finding(path, 1, "include", f"the hardware half includes {name}")
                        for name in names if Path(name).name.startswith("msm_"))
        if base == "msm_vma.c" and any(Path(name).name == "msm_mmu.h" for name in names):
            yield Finding(path, 1, "include", "msm_vma.c includes msm_mmu.h: it must not touch page tables")
        if folder.endswith("msm/vm"):
            edges.setdefault(Path(base).stem, set()).update(Path(name).stem for name in names if name.endswith(".h"))
    # msm_vm is the object that every module works on, and its constructor calls them all.
    for circle in circles({name: {other for other in others if other in edges and other not in (name, "msm_vm")}
                           for name, others in edges.items()}):
        yield Finding(f"drivers/gpu/drm/msm/vm/{circle[0]}.c", 1, "include-circle", " -> ".join(circle))


def circles(edges):
    """One circle for each back edge of a depth-first walk; none when the graph is acyclic."""
    found, done = [], set()

    def visit(name, trail):
        if name in trail:
            found.append(trail[trail.index(name):] + [name])
        elif name not in done:
            for other in sorted(edges.get(name, ())):
                visit(other, trail + [name])
            done.add(name)

    for name in sorted(edges):
        visit(name, [])
    return found


def rst_references(root, paths):
    """A kernel-doc directive must name a file of ours, and a DOC title that the file has."""
    pulled = set()
    for path in paths:
        for number, source, titles in _directives((Path(root) / path).read_text()):
            pulled.update((source, title) for title in titles)
            known = doc_titles(Path(root) / source)
            if known is None:
                yield Finding(path, number, "rst", f"{source}: no such file in the overlay")
            else:
                yield from (Finding(path, number, "rst", f"{source} has no 'DOC: {title}'")
                            for title in titles if title not in known)
    for path in plan.overlay_files(root):
        if path.endswith((".c", ".h")) and "/msm/" in path:
            yield from (Finding(path, number, "rst", f"no page in Documentation/gpu pulls 'DOC: {title}'")
                        for title, number in doc_titles(Path(root) / path).items() if (path, title) not in pulled)


def _directives(text):
    """(line, source file, [DOC titles]) of each kernel-doc directive."""
    for match in KERNEL_DOC.finditer(text):
        yield (text[:match.start()].count("\n") + 1, match[1],
               [title.strip() for title in re.findall(r":doc: (.+)", match[2])])


def doc_titles(path):
    """{title: line} of the DOC blocks of a source; None when there is no such file."""
    if not path.is_file():
        return None
    return {line[8:].strip(): number for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
            if line.startswith(" * DOC: ")}


def series_rules(root):
    """The plan is complete, and MAINTAINERS answers for each file that we add."""
    try:
        commits = plan.load(root)
        list(plan.patches_of(root, commits))
        ours = (Path(root) / plan.MAINTAINERS).read_text()
    except Failure as failure:
        for line in str(failure).splitlines():
            yield Finding("patches/plan", 1, "plan", line)
        return
    for commit in commits:
        for path in commit.files:
            if not maintainers.covers(ours, path):
                yield Finding(path, 1, "maintainers", "no F: line of MAINTAINERS names this file")
    for number, line in enumerate(ours.splitlines(), 1):
        if line.startswith("F:") and not any(Path(root).glob(line[2:].strip().rstrip("/"))):
            yield Finding(plan.MAINTAINERS, number, "maintainers", f"{line[2:].strip()}: there is no such file")
