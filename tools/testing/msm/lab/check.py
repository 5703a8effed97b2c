# SPDX-License-Identifier: GPL-2.0-only
"""All suites in the guest under the checking kernel: progress, a table, JUnit, one last line.

A guest keeps one CPU busy most of the time, so guests run side by side, as many as
there are CPUs and memory for; then each line of progress begins with the name of its
suite.
"""

import argparse
import os
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from lab import arch as arches, common, config, coverage, deps, guest, kernel, programs, qemu, report, rootfs, suites
from lab.common import Failure, say
from lab.progress import clock


def setup(arch, flavour, names=suites.DEFAULT, out=say):
    """Everything that must be there before a guest runs; returns a Context."""
    booted = set(names) & suites.BOOTED
    deps.ensure(" ".join([*sorted(set(names) - booted), *(["all"] if booted else [])]), arch, out)    # asks for root once
    if not booted:
        return suites.Context(arch, flavour, kernel.folder(arch, flavour), programs.folder(arch), False, out)
    build = kernel.snapshot(kernel.make(arch, flavour, out), arch, guest.scratch("kernel"))
    rootfs.make(arch, out=out)
    tests = programs.folder(arch)
    if {"igt", "sweep", "vulkan"} & set(names):
        programs.make(arch, out)
    lockdep = "CONFIG_PROVE_LOCKING=y" in (build / ".config").read_text().splitlines()
    return suites.Context(arch, flavour, build, tests, lockdep, out)


GUEST_MEMORY = 3 << 30      # a guest and the QEMU around it, in bytes
MOST = 4                    # guests at a time


def lanes(names, cpus, memory):
    """How many guests of these suites to run at a time, with so many CPUs and so many bytes of free memory."""
    return max(1, min(sum(suites.GUESTS.get(name, 1) for name in names), cpus, memory // GUEST_MEMORY, MOST))


def free_memory():
    """Bytes that this machine can give to guests."""
    with open("/proc/meminfo", encoding="ascii") as stream:
        return next(int(line.split()[1]) << 10 for line in stream if line.startswith("MemAvailable:"))


def run(context_, names, at_once=None):
    """Run suites; return (cases, {suite: (seconds, log)}), both in the order of names."""
    # The lab's tests replace parts of the lab while they run.
    done = {name: _suite(context_, name) for name in names if name == "lab"}
    others = [name for name in names if name not in done]
    at_once = at_once or lanes(others, len(os.sched_getaffinity(0)), free_memory())
    if at_once == 1 or not suites.BOOTED & set(others):
        done |= {name: _suite(context_, name) for name in others}
    else:
        done |= _side_by_side(context_, others, at_once)
    return [case for name in names for case in done[name][0]], {name: done[name][1] for name in names}


def _side_by_side(context_, names, at_once):
    """The longest first, so that none of them is the last to start; a suite may have several guests."""
    width = max(map(len, names))
    first = sorted(names, key=lambda name: suites.LONGEST.index(name) if name in suites.LONGEST else len(suites.LONGEST))
    context_.ask_kvm()
    slots = threading.Semaphore(at_once)
    pool = ThreadPoolExecutor(len(names))
    try:
        running = {name: pool.submit(_suite, replace(context_, say=_prefixed(context_.say, f"{name:{width}} "), slots=slots), name)
                   for name in first}
        return {name: future.result() for name, future in running.items()}
    except BaseException:
        # Interrupted: begin no further guest, and do not wait for those that run.
        pool.shutdown(wait=False, cancel_futures=True)
        qemu.Process.end_all()
        raise
    finally:
        pool.shutdown()


def _prefixed(out, prefix):
    return lambda text: out("\n".join(prefix + line for line in text.splitlines()))


def _suite(context_, name):
    """Run one suite; return (cases, (seconds that its guests ran, log))."""
    started, context_ = time.monotonic(), replace(context_, busy=[])
    context_.say(f"{name}: {(suites.SUITES[name].__doc__ or '').splitlines()[0]}")
    try:
        found = list(suites.SUITES[name](context_))
    except Failure as failure:
        found = [report.Case(name, name, report.FAIL, detail=str(failure))]
    except Exception as error:      # a bug of the lab, which is not to take the other suites along
        found = [report.Case(name, name, report.FAIL, detail=_crashed(error))]
    return found, (sum(context_.busy) or time.monotonic() - started, suites.log_of(name))


def _crashed(error):
    """The first line is what the report shows; JUnit has the traceback, too."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}\n{''.join(traceback.format_exception(error))}"


def covered(context_, build, times):
    """The case about line coverage, and its table."""
    started = time.monotonic()
    try:
        cases = list(coverage.report(build, context_.say))
    except Failure as failure:
        cases = [report.Case("coverage", "gcov", report.FAIL, detail=str(failure))]
    except Exception as error:      # which is not to take the suites' results along
        cases = [report.Case("coverage", "gcov", report.FAIL, detail=_crashed(error))]
    times["coverage"] = (time.monotonic() - started, common.OUT / "results" / "coverage.txt")
    return cases


def chosen(text):
    names = list(dict.fromkeys(text.replace(",", " ").split())) or list(suites.DEFAULT)
    unknown = [name for name in names if name not in suites.SUITES]
    if unknown:
        raise Failure(f"SUITE={','.join(unknown)}: the suites are {', '.join(suites.SUITES)}")
    return names


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py check", description=__doc__)
    parser.add_argument("--suite", default=os.environ.get("SUITE", ""), help=", ".join(suites.SUITES))
    parser.add_argument("--flavour", default=os.environ.get("FLAVOUR") or "debug", help=", ".join(config.flavours()))
    parser.add_argument("--arch")
    parser.add_argument("--at-once", type=int, default=os.environ.get("GUESTS") or 0, help="guests at a time "
                        "(default: as CPUs and memory allow)")
    parser.add_argument("--build", help="a kernel build folder instead of the lab's own")
    args = parser.parse_args(argv)
    if args.at_once < 0:
        raise Failure(f"GUESTS={args.at_once}: how many at a time, 1 or more; 0: as CPUs and memory allow")
    arch, names, started = arches.get(args.arch), chosen(args.suite), time.monotonic()
    context_ = context(arch, args, names)
    path = suites.RESULTS / "junit.xml"
    with common.exclusive(suites.RESULTS):
        coverage.forget()
        cases, times = run(context_, names, args.at_once)
        if args.flavour == "gcov":
            cases += covered(context_, args.build or kernel.folder(arch, "gcov"), times)
        report.junit(cases, times, path)
    for line in report.lines(cases, times):
        say(line)
    say(f"junit: {path}; all of it took {clock(time.monotonic() - started)}")
    say(report.last_line(cases))
    return 0 if report.succeeded(cases) else 1


def context(arch, args, names):
    """The Context that the command line asks for: the lab's own build, made now, or somebody's folder."""
    config.wanted(arch, args.flavour)       # a wrong name is told before anything is done
    for folder in ("log", "results"):
        (common.OUT / folder).mkdir(parents=True, exist_ok=True)
    if not args.build:
        with common.exclusive(common.OUT):
            return setup(arch, args.flavour, names)
    build = common.Path(args.build)
    lockdep = "CONFIG_PROVE_LOCKING=y" in (build / ".config").read_text().splitlines()
    return suites.Context(arch, args.flavour, build, programs.folder(arch), lockdep)
