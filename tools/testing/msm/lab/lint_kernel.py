# SPDX-License-Identifier: GPL-2.0-only
"""Lint rules that need the kernel tree: checkpatch, kernel-doc, W=1, sparse, headers that compile alone."""

import os
import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import checkpatch, kbuild
from lab.common import run
from lab.lint_text import Finding

KDOC = re.compile(r"^(?:\./)?(?P<path>\S+?):(?P<line>\d+): (?:warning|error): (?P<text>.*)$")
# One file alone says nothing about these: the commit's mail and our own rules do.
FILE_IGNORE = "FILE_PATH_CHANGES,COMMIT_MESSAGE,MISSING_SIGN_OFF,LINUX_VERSION_CODE"
FILES_AT_ONCE = 10


def checkpatch_files(root, tree, paths):
    """checkpatch --strict -f over our C, header, Kconfig and rst files; to start it costs as much as a file."""
    groups = [paths[at:at + FILES_AT_ONCE] for at in range(0, len(paths), FILES_AT_ONCE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for findings in pool.map(lambda group: _checkpatch(root, tree, group), groups):
            yield from findings


def _checkpatch(root, tree, paths):
    return [Finding(found.path, found.line, "checkpatch", f"{found.kind}:{found.type}: {found.text}")
            for found in checkpatch.check(tree, paths, "--no-tree", "--ignore", FILE_IGNORE, "-f", cwd=root)]


def kernel_doc(tree, paths):
    """scripts/kernel-doc -Wall; paths lie in the tree."""
    if not paths:
        return
    done = run([Path(tree) / "scripts/kernel-doc", "-none", "-Wall", *paths], cwd=tree, check=False)
    for line in (done.stdout + done.stderr).splitlines():
        match = KDOC.match(line)
        # A file without any comment block is allowed: its header may hold them.
        if match and "no structured comments found" not in match["text"]:
            yield Finding(match["path"], int(match["line"]), "kernel-doc", match["text"])


def objects(build, sources):
    """W=1 and sparse on the objects of our sources; what no Makefile names is a finding."""
    wanted = [path[:-2] + ".o" for path in sources]
    for path in wanted:     # an object that is up to date would keep its warnings for itself
        (build.build / path).unlink(missing_ok=True)
    output = build.make("W=1", "-k", *kbuild_folders(wanted), check=False)
    missing = [path for path in wanted if not (build.build / path).exists()]
    present = [path for path in wanted if path not in missing]
    if present:
        output += build.make("W=1", "C=2", "-k", *present, check=False)
    yield from (Finding(path[:-2] + ".c", 1, "build", "was not compiled: no Makefile names it, or it has errors")
                for path in missing)
    ours = set(sources) | {path for path, _, _ in kbuild.warnings(output) if path.endswith(".h")}
    for path, line, text in kbuild.warnings(output):
        if path in ours:
            yield Finding(path, line, "build", text)


def kbuild_folders(wanted):
    """Folders that make must enter; vm/ and vgpu/ are built from the msm Makefile."""
    folders = {str(Path(path).parent) + "/" for path in wanted}
    return sorted({re.sub(r"^(drivers/gpu/drm/msm/).*", r"\1", folder) for folder in folders})


def headers_alone(build, headers, sources):
    """Each header compiles as the only include, with the flags of a source beside it."""
    present = [source for source in sources if (build.build / _object(source)).exists()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for findings in pool.map(lambda path: _header_alone(build, path, present), headers):
            yield from findings


def _header_alone(build, path, present):
    near = sorted(present, key=lambda source: Path(source).parent != Path(path).parent)
    if not near:
        return [Finding(path, 1, "header", "no object to take the compiler flags from")]
    done = run(["sh", "-c", alone_command(build.command_of(_object(near[0]))[0], near[0], path, build.tree)],
               cwd=build.build, check=False)
    found = [re.match(r"\S*?([\w-]+\.h):(\d+):(?:\d+:)? (?:fatal )?(error|warning): (.*)", line)
             for line in done.stderr.splitlines()]
    return [Finding(path, int(match[2]), "header", f"does not compile alone: {match[4]}")
            for match in found if match and match[1] == Path(path).name]


def _object(source):
    return source[:-2] + ".o"


def alone_command(command, source, header, tree):
    """Turn the saved compile command of source into a syntax check of header."""
    words = shlex.split(command.split(" ; ")[0])
    kept = [word for word in words[:-1] if not word.startswith(("-Wp,-MMD", "-o", "-c")) and not word.endswith(".o")]
    text = f'#include "{tree}/{header}"\n'
    stop = [index for index, word in enumerate(kept) if word.endswith(Path(source).name)]
    kept = [word for index, word in enumerate(kept) if index not in stop]
    quoted = " ".join(shlex.quote(word) for word in kept)
    return f"printf %s {shlex.quote(text)} | {quoted} -fsyntax-only -x c -"


def seen_headers(build, sources):
    """What a source sees through any chain of includes, by the compiler's own account."""
    for source in sources:
        name = Path(source).name
        if not (build.build / _object(source)).exists():
            continue
        seen = {Path(word).name for word in build.command_of(_object(source))[1] if "/drm/msm/" in word}
        if name == "msm_vma.c" and "msm_mmu.h" in seen:
            yield Finding(source, 1, "include", "sees msm_mmu.h through another header: it must not touch page tables")
        if name.startswith("vgpu_hw"):
            for other in sorted(header for header in seen if header.startswith("msm_")):
                yield Finding(source, 1, "include", f"the hardware half sees {other} through another header")
