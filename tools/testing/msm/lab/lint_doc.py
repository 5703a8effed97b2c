# SPDX-License-Identifier: GPL-2.0-only
"""Lint rule that renders our pages of Documentation/ with the kernel's own configuration of Sphinx.

`make htmldocs` would read every page of the folder, a quarter of an hour; ours alone
take seconds. What links to a page that is not ours is not looked at.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

from lab.common import run
from lab.lint_text import Finding

TROUBLE = re.compile(r"^(?P<path>/\S+?):(?:docstring of .*:)?(?P<line>\d+)?:? (?:WARNING|ERROR|CRITICAL): (?P<text>.*)$")
INDEX = "Index\n=====\n\n.. toctree::\n\n"


def rendered(tree, pages):
    """What Sphinx says of these pages, whose text may come from DOC blocks and kernel-doc of any source."""
    tree = Path(tree).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        source, pages = Path(scratch) / "source", [Path(page) for page in pages]
        source.mkdir()
        for page in pages:
            shutil.copy(tree / page, source)
        (source / "index.rst").write_text(INDEX + "".join(f"   {page.stem}\n" for page in pages))
        done = run(["sphinx-build", "-q", "-b", "html", "-c", tree / "Documentation", "-D", "version=6.12", "-D", "release=6.12",
                    "-D", f"kerneldoc_srctree={tree}", "-D", f"kerneldoc_bin={tree}/scripts/kernel-doc", source,
                    Path(scratch) / "html"],
                   cwd=tree, env=dict(os.environ, srctree=str(tree), PYTHONDONTWRITEBYTECODE="1"), check=False)
        yield from _findings(done, tree, source, pages)
        for page in pages:
            if not (Path(scratch) / "html" / f"{page.stem}.html").exists():
                yield Finding(str(page), 1, "sphinx", f"no page came of it: {done.stderr.strip()[-200:]}")


def _findings(done, tree, source, pages):
    ours = {str(source / page.name): str(page) for page in pages}
    for line in done.stderr.splitlines():
        match = TROUBLE.match(line)
        if match:
            path = ours.get(match["path"], match["path"].removeprefix(f"{tree}/"))
            yield Finding(path, int(match["line"] or 1), "sphinx", match["text"])
