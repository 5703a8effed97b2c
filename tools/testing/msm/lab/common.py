# SPDX-License-Identifier: GPL-2.0-only
"""What the modules of the series share: where things lie, how a command runs, how a failure is told."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
OUT = Path(os.environ.get("MSM_OUT", ROOT / "out"))
GONE = ".gone-"     # begins the name of what is being removed


class Failure(Exception):
    """Something a person must read: one message, printed without a traceback."""


def say(text):
    sys.stdout.write(f"{text}\n")       # in one piece: guests say something side by side
    sys.stdout.flush()


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


def remove(path):
    """Remove a folder or file: away in one step, for a program that is interrupted, and then its contents."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        gone = Path(tempfile.mkdtemp(prefix=GONE, dir=path.parent))
        os.rename(path, gone / path.name)
        for old in path.parent.glob(f"{GONE}*"):        # those that an interruption left, too
            shutil.rmtree(old)
    elif path.is_symlink() or path.exists():
        path.unlink()


def source(step="source"):
    """The pristine kernel source, unpacked: KSRC, or the package's; what step needs is installed."""
    from lab import arch, deps, fetch
    deps.ensure(step, arch.X86_64)
    with exclusive(OUT):
        return Path(fetch.source())


_held = {}


@contextlib.contextmanager
def exclusive(folder):
    """Only one process at a time changes what lies in folder; a second one waits and says so."""
    name = str(Path(folder) / ".lock")
    if name in _held:
        yield
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(name, "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is at work in {folder}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        _held[name] = lock
        try:
            yield
        finally:
            del _held[name]
