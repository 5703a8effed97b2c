# SPDX-License-Identifier: GPL-2.0-only
"""What the modules of the series share: where things lie, how a command runs, how a failure is told."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
OUT = Path(os.environ.get("MSM_OUT", ROOT / "out"))


class Failure(Exception):
    """Something a person must read: one message, printed without a traceback."""


def say(text):
    print(text, flush=True)


def run(argv, *, cwd=None, env=None, stdin=None, check=True, binary=False):
    """Run a command; return its CompletedProcess with stdout and stderr apart.

    A command that is missing or (with check) fails is a Failure that names it.
    """
    argv = [str(word) for word in argv]
    try:
        done = subprocess.run(argv, cwd=cwd, env=env, input=stdin, check=False,
                              stdin=subprocess.DEVNULL if stdin is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Failure(f"{argv[0]}: no such program; install the package that has it") from None
    if not binary:
        done.stdout = done.stdout.decode(errors="replace")
        done.stderr = done.stderr.decode(errors="replace")
    if check and done.returncode:
        raise Failure(f"{' '.join(argv[:6])} failed: {_tail(done)}")
    return done


def _tail(done):
    text = done.stderr or done.stdout
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    lines = text.strip().splitlines()
    return " / ".join(lines[-3:]) if lines else f"exit status {done.returncode}"


def write_atomic(path, data, mode=None):
    """Replace path by data (bytes) in one step; readers and interruptions see old or new."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".{path.name}.new")
    temp.write_bytes(data)
    if mode is not None:
        temp.chmod(mode)
    os.replace(temp, path)


def source():
    """The pristine kernel source, unpacked: what fetch provides, or KSRC."""
    try:
        from lab import fetch
        return Path(fetch.source())
    except ImportError:
        pass
    path = Path(os.environ.get("KSRC", OUT / "src"))
    if not (path / "Kbuild").is_file():
        raise Failure(f"{path}: no kernel source there; set KSRC to an unpacked 6.12.y tree")
    return path
