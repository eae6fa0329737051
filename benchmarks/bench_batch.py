"""Measures `kconvert batch` on files of the size of LeNet: files per second, and the memory of all processes.

Without verification, and with it on both frameworks. Exits with code 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import KCONVERT, MB, show
from rich.table import Table

LENET = Path(__file__).parent.parent / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
BOUNDS = {"none": 200.0, "all": 10.0}  # files per second
GROWTH = 1.2  # of the memory, from a tenth of the files to all


def memory(process: int) -> int:
    """The resident memory of a process and all that it started, in bytes."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    threads = Path(f"/proc/{process}/task")
    for thread in threads.iterdir():
        children += (thread / "children").read_text(encoding="ascii").split()
    own = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * 4096
    return own + sum(memory(int(child)) for child in set(children))


def batch(count: int, verify: str, jobs: int, folder: Path) -> tuple[float, int, int]:
    """Files per second, start included, and the memory after a tenth of the files and at the end."""
    out = folder / "out"
    for i in range(count):
        path = folder / "in" / f"{i // 100:03d}" / f"{i:05d}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(LENET, path)
    words = ["--from", "theano", "--to", "tensorflow", "--verify", verify, "--jobs", str(jobs), "-q"]
    journal = out / "kconvert-journal.jsonl"
    start, first, last = time.perf_counter(), 0, 0
    process = subprocess.Popen([*KCONVERT, "batch", folder / "in", "--out", out, *words])
    while process.poll() is None:
        time.sleep(0.2)
        try:
            now = memory(process.pid)
        except OSError:
            continue
        done = journal.read_bytes().count(b"\n") if journal.exists() else 0
        first = max(first, now) if done <= count // 10 else first
        last = max(last, now)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "kconvert batch")
    return count / seconds, first, last


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="how many files without verification")
    parser.add_argument("--verified", type=int, default=500, help="how many files with verification")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes")
    given = parser.parse_args()
    table = Table("--verify", title="kconvert batch", title_justify="left")
    for heading in ("files", "files / s", "bound", "memory after a tenth", "at the end"):
        table.add_column(heading, justify="right")
    failures = []
    for verify, count in (("none", given.files), ("all", given.verified)):
        with tempfile.TemporaryDirectory() as name:
            rate, first, last = batch(count, verify, given.jobs, Path(name))
        sizes = f"{first / MB:.0f} MB", f"{last / MB:.0f} MB"
        table.add_row(verify, str(count), f"{rate:.1f}", f"> {BOUNDS[verify]:g}", *sizes)
        if rate < BOUNDS[verify]:
            failures.append(f"--verify {verify}: {rate:.1f} files per second")
        if first and last > GROWTH * first:
            failures.append(f"--verify {verify}: the memory grows from {sizes[0]} to {sizes[1]}")
    return show(table, failures)


if __name__ == "__main__":
    sys.exit(main())
