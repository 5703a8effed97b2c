# SPDX-License-Identifier: GPL-2.0-only
"""Is the guest's kernel well after a run? Each question is a test of its own.

The whole console log is read, not only what the tests looked at: a splat that
no rule of expect/log.txt allows fails the suite even when every test passed.
"""

import re

from lab import expect
from lab.report import FAIL, PASS, Case

SPLAT = re.compile(
    r"BUG: |WARNING: |WARNING at|KASAN: |UBSAN: |KCSAN: |Oops: |Oops:|Internal error|general protection|refcount_t: |"
    r"ODEBUG: |list_(add|del) corruption|possible (circular|irq|recursive) lock|inconsistent lock state|"
    r"suspicious RCU usage|Bad page state|soft lockup|hard LOCKUP|rcu: INFO: rcu|INFO: task .* blocked|"
    r"INFO: trying to register non-static|memory leaks?\)|unreferenced object|DEBUG_LOCKS_WARN_ON|"
    r"leaked|Unbalanced|held lock freed|sleeping function called")
STAMP = re.compile(r"^(<\d+>)?\s*\[\s*\d+\.\d+\](\[[^\]]*\])?\s?")


def messages(console):
    """The kernel's lines without their time stamps."""
    return [STAMP.sub("", line).rstrip() for line in console.splitlines()]


def splats(suite, console, rules):
    """[line] of reports that no rule allows."""
    lines = messages(console)
    found = [line for line in lines if SPLAT.search(line) and "[IGT]" not in line]
    return expect.unexplained(suite, found, rules)


def leaks(suite, text, rules):
    """kmemleak's objects that no rule allows, each as one line: size, owner, and who allocated it."""
    found = []
    for block in re.split(r"^(?=unreferenced object)", text, flags=re.M)[1:]:
        size = re.search(r"\(size (\d+)\)", block)
        owner = re.search(r'comm "([^"]*)"', block)
        calls = re.findall(r"^ +(?:\[<[0-9a-f]+>\] )?([\w.]+\+\S+(?: \[\w+\])?)$", block, re.M)
        found.append(f"{size[1] if size else '?'} bytes of {owner[1] if owner else '?'}: {' < '.join(calls)}")
    return expect.unexplained(suite, found, rules)


def check(suite, outcome, lockdep):
    """Cases about the kernel of a run. lockdep: does this flavour have it?"""
    console = outcome.log.read_text(errors="replace")
    rules = expect.load("log.txt")
    bad = splats(suite, console, rules)
    yield _case(suite, "kernel-log", not bad, f"{len(bad)} unexplained: " + " / ".join(bad[:3]) + f" (log: {outcome.log})")
    problem = outcome.explain()
    yield _case(suite, "guest-finished", not problem, problem)
    if problem:
        return
    state = outcome.state
    if outcome.leaks is not None:
        found = leaks(suite, outcome.leaks, rules)
        yield _case(suite, "no-leaks", not found, f"{len(found)} unreferenced objects: " + " / ".join(found[:2]))
    if lockdep:
        yield _case(suite, "lockdep-still-on", state.get("lockdep") == "1", f"debug_locks is {state.get('lockdep')!r}")
    taint = state.get("taint", "")
    known = taint.isdigit() and not int(taint) & BAD_TAINT
    yield _case(suite, "taint", known, f"/proc/sys/kernel/tainted says {taint!r}")


# proprietary, forced, out of spec, bad page, died, overridden ACPI, warned, soft lockup; not user, staging, out-of-tree, test (18)
BAD_TAINT = 0b1111111111 & ~0b0001000000 | 1 << 14


def _case(suite, name, good, detail):
    return Case(suite, name, PASS if good else FAIL, detail="" if good else detail)
