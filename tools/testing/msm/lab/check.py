# SPDX-License-Identifier: GPL-2.0-only
"""All suites in the guest under the checking kernel: progress, a table, JUnit, one last line."""

import argparse
import os
import time

from lab import arch as arches, common, config, coverage, deps, kernel, programs, report, rootfs, suites
from lab.common import Failure, say
from lab.progress import clock


def setup(arch, flavour, names=suites.DEFAULT, out=say):
    """Everything that must be there before a guest runs; returns a Context."""
    if not set(names) & suites.BOOTED:
        return suites.Context(arch, flavour, kernel.folder(arch, flavour), programs.folder(arch), False, out)
    deps.ensure("all", arch, out)
    build = kernel.make(arch, flavour, out)
    rootfs.make(arch, out=out)
    tests = programs.folder(arch)
    if {"igt", "sweep", "vulkan"} & set(names):
        programs.make(arch, out)
    lockdep = "CONFIG_PROVE_LOCKING=y" in (build / ".config").read_text().splitlines()
    return suites.Context(arch, flavour, build, tests, lockdep, out)


def run(context, names):
    """Run suites; return (cases, {suite: (seconds, log)})."""
    cases, times = [], {}
    for name in names:
        started = time.monotonic()
        context.say(f"{name}: {(suites.SUITES[name].__doc__ or '').splitlines()[0]}")
        try:
            found = list(suites.SUITES[name](context))
        except Failure as failure:
            found = [report.Case(name, name, report.FAIL, detail=str(failure))]
        cases += found
        times[name] = (time.monotonic() - started, suites.log_of(name))
    return cases, times


def covered(context_, times):
    """The case about line coverage, and its table."""
    started = time.monotonic()
    try:
        cases = list(coverage.report(context_.build, context_.say))
    except Failure as failure:
        cases = [report.Case("coverage", "gcov", report.FAIL, detail=str(failure))]
    times["coverage"] = (time.monotonic() - started, common.OUT / "results" / "coverage.txt")
    return cases


def chosen(text):
    names = [name for name in text.replace(",", " ").split() if name] or list(suites.DEFAULT)
    unknown = [name for name in names if name not in suites.SUITES]
    if unknown:
        raise Failure(f"SUITE={','.join(unknown)}: the suites are {', '.join(suites.SUITES)}")
    return names


def main(argv):
    parser = argparse.ArgumentParser(prog="lab.py check", description=__doc__)
    parser.add_argument("--suite", default=os.environ.get("SUITE", ""), help=", ".join(suites.SUITES))
    parser.add_argument("--flavour", default=os.environ.get("FLAVOUR") or "debug", help=", ".join(config.flavours()))
    parser.add_argument("--arch")
    parser.add_argument("--build", help="a kernel build folder instead of the lab's own")
    args = parser.parse_args(argv)
    arch, names, started = arches.get(args.arch), chosen(args.suite), time.monotonic()
    context_ = context(arch, args, names)
    coverage.forget()
    cases, times = run(context_, names)
    if args.flavour == "gcov":
        cases += covered(context_, times)
    for line in report.lines(cases, times):
        say(line)
    path = common.OUT / "results" / "junit.xml"
    report.junit(cases, times, path)
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
