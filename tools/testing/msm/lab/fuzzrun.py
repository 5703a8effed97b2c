# SPDX-License-Identifier: GPL-2.0-only
"""The VMA core of the driver in userspace, under libFuzzer, ASan and UBSan, for a bounded time.

The programs start from fuzz/corpus and from what they found interesting in
earlier runs, which stays in out/fuzz. An input that fails is kept in
out/results/fuzz; the report has the command that repeats it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import common
from lab.common import Failure, write_atomic
from lab.report import FAIL, PASS, Case

HERE = Path(__file__).resolve().parents[1] / "fuzz"
FOLDER = common.OUT / "fuzz"
KEPT = common.OUT / "results" / "fuzz"
# Seconds for each, and bytes of an input at most
PROGRAMS = {"vma": (25, 256), "tables": (10, 256), "request": (10, 768)}
# What is freed is not kept for long: an input is over in a millisecond, and memory that was used just now is in the cache.
ASAN = "quarantine_size_mb=16:malloc_context_size=8"
# What of the tree is compiled or included, beside headers that every change of the source replaces
SOURCES = ("drivers/gpu/drm/msm/vm", "drivers/gpu/drm/drm_gpuvm.c", "drivers/gpu/drm/msm/msm_pgtable.h", "lib/rbtree.c",
           "lib/xarray.c", "include/drm/drm_gpuvm.h", "include/drm/drm_gem.h", "include/uapi/drm/msm_drm.h")
RUNS = re.compile(r"^Done (\d+) runs", re.M)
UNITS = re.compile(r"Test unit written to (\S+)")
WHY = re.compile(r"^\S+:\d+: .*|.*runtime error: .*|.*ERROR: (?:Address|Leak)Sanitizer.*|.*ERROR: libFuzzer: .*", re.M)


def build(tree, out):
    """Build the programs if anything that they are made of has changed."""
    mark = _mark(tree)
    stamp = FOLDER / "stamp"
    if stamp.exists() and stamp.read_text() == mark:
        return
    out("fuzz: building")
    log = common.OUT / "log" / "fuzz-build.log"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as stream:
        done = subprocess.run([HERE / "build.sh", FOLDER, tree], stdout=stream, stderr=stream, check=False)
    if done.returncode:
        lines = [line for line in log.read_text(errors="replace").splitlines() if "error" in line or "build.sh" in line]
        raise Failure(f"the fuzz programs do not build: {(lines or ['see the log'])[0]} (log: {log})")
    write_atomic(stamp, mark.encode())


def _mark(tree):
    total = hashlib.sha256()
    files = [path for path in HERE.iterdir() if path.is_file()]
    for name in SOURCES:
        path = tree / name
        files += [path] if path.is_file() else path.glob("*.[ch]")
    for path in sorted(files):
        total.update(path.name.encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def inputs(text):
    """{name: bytes} of a corpus file: "NAME: HEX…", lines that start with a blank go on, # is a comment."""
    found, name = {}, None
    for line in text.splitlines():
        line = line.split("#")[0]
        if not line.strip():
            continue
        if not line[0].isspace():
            name, _, line = line.partition(":")
            found[name] = b""
        found[name] += bytes.fromhex(line)
    return found


def _corpus(program):
    """The folder with the inputs of fuzz/corpus, and that for new ones."""
    given, found = FOLDER / f"{program}.given", FOLDER / f"{program}.found"
    shutil.rmtree(given, ignore_errors=True)
    for folder in (given, found):
        folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs((HERE / f"corpus/{program}.txt").read_text()).items():
        (given / name).write_bytes(data)
    return found, given


def command(program, seconds, seed):
    """The command of one program; it prints all that is needed to run it again."""
    _, size = PROGRAMS[program]
    return [FOLDER / f"fuzz_{program}", f"-seed={seed}", f"-max_total_time={seconds}", f"-max_len={size}", "-timeout=10",
            "-len_control=0", "-print_final_stats=1", "-reload=0", f"-artifact_prefix={KEPT}/{program}-", *_corpus(program)]


def run(say):
    """Cases of all programs, as many at once as there are CPUs.

    MSM_FUZZ_SECONDS: for each, instead of its own time; MSM_FUZZ_SEED: 1 by default.
    """
    seed = os.environ.get("MSM_FUZZ_SEED") or "1"
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir(parents=True)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for number, (case, log) in enumerate(pool.map(lambda program: _run_one(program, seed), PROGRAMS), 1):
            say(f"  [{number}/{len(PROGRAMS)}] {'ok  ' if case.outcome == PASS else 'FAIL'} {case.name} -seed={seed}: "
                f"{case.note or case.detail} (log: {log})")
            yield Case("fuzz", case.name, case.outcome, case.seconds, case.detail)


def _run_one(program, seed):
    """(case, log) of one program."""
    wanted = os.environ.get("MSM_FUZZ_SECONDS") or str(PROGRAMS[program][0])
    if not wanted.isdecimal():
        raise Failure(f"MSM_FUZZ_SECONDS={wanted}: a number of seconds")
    seconds = int(wanted)
    log, started = common.OUT / "log" / f"check-fuzz-{program}.log", time.monotonic()
    with open(log, "wb") as stream:
        done = subprocess.run(list(map(str, command(program, seconds, seed))), stdout=stream, stderr=stream, check=False,
                              env=dict(os.environ, ASAN_OPTIONS=ASAN))
    return verdict(program, done.returncode, log.read_text(errors="replace"), time.monotonic() - started), log


def verdict(program, status, text, seconds):
    """A Case; its note says how much was done, its detail what went wrong and how to see it again."""
    runs, kept = RUNS.search(text), UNITS.search(text)
    name = f"fuzz_{program}"
    if not status and runs:
        return Case("fuzz", name, PASS, seconds, note=f"{runs[1]} inputs in {seconds:.0f} s")
    why = WHY.search(text)
    why = why[0].strip() if why else f"exit status {status} and no result"
    again = f"; again: {FOLDER}/{name} {kept[1]}" if kept else ""
    return Case("fuzz", name, FAIL, seconds, why + again)
