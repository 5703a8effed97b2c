# SPDX-License-Identifier: GPL-2.0-only
"""A kernel build folder of the series' own: the smallest x86_64 kernel that has msm and its tests.

check-series and lint share it: the tree in out/check/tree is switched from
commit to commit, and make rebuilds what a commit touched.
"""

import os
import re
import shutil
from pathlib import Path

from lab import arch, common, fetch
from lab.common import Failure, run, say, write_atomic

FRAGMENT = Path(__file__).resolve().parents[1] / "configs/series.config"
SPACE = 3           # GiB: a second copy of the source, 1.7, and what is built of it
WARNING = re.compile(r"^(?:\S*/)?((?:arch|drivers|include|lib|kernel|usr|tools|Documentation)/[\w./+-]+):(\d+)(?::\d+)?: "
                     r"(warning|error|fatal error|note)?:?\s*(.*)$")


class Kbuild:
    def __init__(self, tree, build, log):
        self.tree, self.build, self.log = Path(tree), Path(build), Path(log)

    def make(self, *words, check=True):
        """Run make in the build folder; return its whole output, which is appended to the log too."""
        env = {key: value for key, value in os.environ.items()
               if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "KBUILD_OUTPUT", "ARCH", "CROSS_COMPILE")}
        env.setdefault("CCACHE_DEPEND", "1")
        env.setdefault("CCACHE_INODECACHE", "1")
        env.update(LC_ALL="C", CCACHE_BASEDIR=str(self.tree.parent), CCACHE_NOHASHDIR="1",
                   KBUILD_BUILD_TIMESTAMP="2026-01-01", KBUILD_BUILD_USER="msm", KBUILD_BUILD_HOST="msm")
        cross = arch.X86_64.cross
        compiler = f"ccache {cross}gcc" if shutil.which("ccache") else f"{cross}gcc"
        done = run(["make", "-C", self.tree, f"O={self.build}", f"CC={compiler}", "ARCH=x86_64", f"CROSS_COMPILE={cross}",
                    f"-j{os.cpu_count()}", *words], env=env, check=False)
        output = done.stdout + done.stderr
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"### make {' '.join(map(str, words))}\n{output}\n")
        if check and done.returncode:
            raise Failure(f"make {' '.join(map(str, words[:4]))} failed: {first_error(output)} (log: {self.log})")
        return output

    def configure(self):
        """Make .config from our fragment; options that a commit does not know yet are dropped."""
        self.build.mkdir(parents=True, exist_ok=True)
        old = self._config()
        fresh = self.build / "series.config"
        text = FRAGMENT.read_text()
        if old is None or not fresh.exists() or fresh.read_text() != text:
            self.make(f"KCONFIG_ALLCONFIG={FRAGMENT}", "allnoconfig")
            fresh.write_text(text)
        else:
            (self.build / ".config").write_text(old + text)
            self.make("olddefconfig")

    def _config(self):
        path = self.build / ".config"
        return path.read_text() if path.exists() else None

    def missing(self, text=None):
        """Options of the fragment that .config lacks."""
        have = set((self.build / ".config").read_text().splitlines())
        wanted = [line for line in (text or FRAGMENT.read_text()).splitlines() if line.startswith("CONFIG_")]
        return [line for line in wanted if line not in have and not line.endswith("=n")]

    def command_of(self, object_file):
        """(argv words as one string, prerequisites) that kbuild saved for an object."""
        path = self.build / object_file
        saved = path.with_name(f".{path.name}.cmd").read_text()
        command = re.search(r"^savedcmd_\S+ := (.*)$", saved, re.M)[1]
        needs = re.search(r"^deps_\S+ := \\\n((?:.*\\\n)*)", saved, re.M)
        return command, re.findall(r"[^\s\\]+", needs[1]) if needs else []


def first_error(output):
    for line in output.splitlines():
        if re.search(r"\berror\b|\*\*\*|undefined reference|No rule", line):
            return line.strip()
    return (output.strip().splitlines() or ["no output"])[-1]


def warnings(output):
    """[(file, line, text)] of compiler, sparse and kernel-doc messages, without repetitions."""
    found = []
    for line in output.splitlines():
        match = WARNING.match(line.strip())
        if match and match[3] != "note":
            item = (match[1], int(match[2]), f"{match[3] or 'sparse'}: {match[4]}")
            if item not in found:
                found.append(item)
    return found


def checkout(repo, commit, tree, src):
    """Bring the files of a commit into tree; only files that differ are written."""
    tree, index = Path(tree), Path(tree).with_name("index")
    index.with_name("index.lock").unlink(missing_ok=True)       # of a git that was killed
    if not (tree / "Kbuild").is_file() or not index.exists():
        fetch.check_space(SPACE)
        say(f"check: copying the source to {tree} (once per source)")
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        run(["cp", "-a", "--reflink=auto", "-t", tree,
             *sorted(str(entry) for entry in Path(src).iterdir() if entry.name != ".git")])
        write_atomic(index, Path(repo.pristine_index).read_bytes())
    repo.git("read-tree", "--reset", "-u", commit, index=index, worktree=tree)


def prepare(repo, commit, src, out=common.OUT):
    """A configured Kbuild on the tree of commit."""
    mark = out / "check/source"
    pristine = repo.line("rev-parse", "pristine")
    if not mark.exists() or mark.read_text() != pristine:
        shutil.rmtree(out / "check", ignore_errors=True)
        (out / "check").mkdir(parents=True)
        mark.write_text(pristine)
    checkout(repo, commit, out / "check/tree", src)
    kbuild = Kbuild(out / "check/tree", out / "check/build", out / "log/check-series.log")
    kbuild.configure()
    return kbuild
