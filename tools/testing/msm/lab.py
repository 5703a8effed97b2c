#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The lab's one entry point: lab.py VERB [ARGUMENTS]; every verb has --help."""

import errno
import importlib
import os
import signal
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.common import OUT, Failure  # noqa: E402

LAB = "tools/testing/msm/lab.py"
VERBS = {
    "run": "everything: set up, build, boot, and show the virtual GPU and VM_BIND at work",
    "check": "run the suites in the guest and report",
    "bench": "measure in the plain kernel, in instructions; a table and out/results/bench.json",
    "deps": "install the Debian packages that a step needs",
    "kernel": "build the guest kernel",
    "guest": "boot the guest: a shell, or a command that runs as root",
    "rootfs": "the guest's root, from Debian packages",
    "tree": "make out/tree: the kernel source with the series applied",
    "series": "make out/series and out/mails; the words plan and refresh check the plan and rewrite the patches",
    "check_series": "build and checkpatch every commit on its predecessors; git am of the mails",
    "lint": "checkpatch, W=1, sparse, kernel-doc, size budgets, shellcheck",
    "clean": "remove all that was made, except out/share",
    "ci": "what .ci/run runs",
    "mutants": "break the driver on purpose, line by line, and see that a test notices",
    "save": "bring edits made in out/tree back into the repository",
}
NO_MAKE = {"deps", "ci"}    # verbs that the Makefile does not have

# Of `guest`, whose other statuses are those of the command in it; as env(1) and timeout(1) have it
LAB_FAILED = {"guest": 125}


def _help():
    """What make has, and then what it has not."""
    for title, names in ((f"make VERB, or {LAB} VERB, which has more words and --help", set(VERBS) - NO_MAKE),
                         (f"{LAB} VERB only", NO_MAKE)):
        print(f"{title}:")
        for name in filter(names.__contains__, VERBS):
            print(f"  {name.replace('_', '-'):12}  {VERBS[name]}")


def _interrupt(number, frame):
    """A closed terminal, or kill: end as with Ctrl-C, children and terminal put right."""
    raise KeyboardInterrupt


def _crashed(error):
    """A bug of the lab: one line, and the rest in a file."""
    log = OUT / "log" / "lab-crash.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("".join(traceback.format_exception(error)))
    return f"a bug of the lab: {type(error).__name__}: {error} (where: {log})"


def _of_system(error):
    """An OSError as one line; one of a write names no file, so tell where the lab writes."""
    if error.errno == errno.ENOSPC:
        return f"no disk space left: {error.filename or '{} or {}'.format(OUT, os.environ.get('TMPDIR') or '/tmp')}"
    return f"{error.filename or 'system'}: {error.strerror or error}"


def main(argv):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    verb = argv[0].replace("-", "_") if argv else "help"
    failed = LAB_FAILED.get(verb, 1)
    if verb not in VERBS:
        _help()
        return 0 if verb in ("help", "__help", "_h") else 2
    try:
        return importlib.import_module(f"lab.{verb}").main(argv[1:])
    except Failure as failure:
        print(f"{verb.replace('_', '-')}: {failure}", file=sys.stderr)
        return failed
    except KeyboardInterrupt:
        print(f"\n{verb.replace('_', '-')}: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:     # `lab.py … | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        print(f"{verb.replace('_', '-')}: {_of_system(error)}", file=sys.stderr)
        return failed
    except Exception as error:      # pylint: disable=broad-except
        print(f"{verb.replace('_', '-')}: {_crashed(error)}", file=sys.stderr)
        return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
