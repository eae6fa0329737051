"""Measures `kconvert batch` on files of the size of LeNet: files per second, processor time, and memory.

Without verification, and with it on both frameworks. The processor time of a file bounds the rate: N processors give at
most N files in that time. Other load lowers the rate on the clock. Exits with code 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measure import KCONVERT, MB, show
from rich.table import Table

LENET = Path(__file__).parent.parent / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
BOUNDS = {"none": 200.0, "all": 10.0}  # files per second
GROWTH = 1.2  # of the memory, from a tenth of the files to all


@dataclass
class Batch:
    """The measurements of one batch."""

    rate: float  # files per second on the clock, start included
    processor: float  # seconds on all processors for each file
    first: int  # bytes of resident memory of all processes, after a tenth of the files
    last: int  # the same, at most after that
    largest: int  # the peak of the largest process


def processes(process: int) -> set[int]:
    """A process and all that it started."""
    found = {process}
    for thread in Path(f"/proc/{process}/task").iterdir():
        for child in (thread / "children").read_text(encoding="ascii").split():
            found |= processes(int(child))
    return found


def in_bytes(process: int, field: str) -> int:
    """A field of the status of a process that counts kilobytes: VmRSS, or its peak VmHWM."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)


def processor_time() -> float:
    """The processor time of all processes that have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def batch(count: int, verify: str, jobs: int, folder: Path) -> Batch:
    out = folder / "out"
    for i in range(count):
        path = folder / "in" / f"{i // 100:03d}" / f"{i:05d}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(LENET, path)
    words = ["--from", "theano", "--to", "tensorflow", "--verify", verify, "--jobs", str(jobs), "--json"]
    journal = out / "kconvert-journal.jsonl"
    before, start, first, last, largest = processor_time(), time.perf_counter(), 0, 0, 0
    report = folder / "report.json"
    with report.open("wb") as printed:
        process = subprocess.Popen([*KCONVERT, "batch", folder / "in", "--out", out, *words], stdout=printed)
    while process.poll() is None:
        time.sleep(0.2)
        try:
            alive = processes(process.pid)
            now = sum(in_bytes(one, "VmRSS") for one in alive)
            largest = max(largest, *(in_bytes(one, "VmHWM") for one in alive))
        except OSError:  # one of them has ended
            continue
        done = journal.read_bytes().count(b"\n") if journal.exists() else 0
        first = max(first, now) if done <= count // 10 else first
        last = max(last, now)
    seconds = time.perf_counter() - start
    if process.returncode:
        print(report.read_text(encoding="utf-8")[:2000])  # failures come first
        raise subprocess.CalledProcessError(process.returncode, "kconvert batch")
    return Batch(count / seconds, (processor_time() - before) / count, first, last, largest)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="how many files without verification")
    parser.add_argument("--verified", type=int, default=500, help="how many files with verification")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    given = parser.parse_args()
    table = Table("--verify", title=f"kconvert batch --jobs {given.jobs}", title_justify="left")
    for heading in ("files", "files / s", "bound", "CPU / file", "memory after a tenth", "at most", "largest process"):
        table.add_column(heading, justify="right")
    failures = []
    for verify, count in (("none", given.files), ("all", given.verified)):
        with tempfile.TemporaryDirectory() as name:
            one = batch(count, verify, given.jobs, Path(name))
        sizes = [f"{size / MB:.0f} MB" for size in (one.first, one.last, one.largest)]
        rates = f"{one.rate:.1f}", f"> {BOUNDS[verify]:g}", f"{one.processor * 1000:.1f} ms"
        table.add_row(verify, str(count), *rates, *sizes)
        if one.rate < BOUNDS[verify]:
            failures.append(f"--verify {verify}: {one.rate:.1f} files per second")
        if one.first and one.last > GROWTH * one.first:
            failures.append(f"--verify {verify}: the memory grows from {sizes[0]} to {sizes[1]}")
    return show(table, failures)


if __name__ == "__main__":
    sys.exit(main())
