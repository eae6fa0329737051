"""Kills a batch with SIGKILL at random moments, and runs it again.

Each target is absent or whole, the run after ends with the same bytes, and nothing else is left. Exits with code 1
where that does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from measure import KCONVERT

LENET = Path(__file__).parent.parent / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
JOURNAL = "kconvert-journal.jsonl"
FILES = 24


def start(folder: Path, out: Path) -> subprocess.Popen[bytes]:
    words = ["batch", folder, "--out", out, "--from", "theano", "--to", "tensorflow", "--verify", "none", "--jobs", "2"]
    return subprocess.Popen([*KCONVERT, *words, "-q"], stdout=subprocess.DEVNULL, start_new_session=True)


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name != JOURNAL} if out.exists() else {}


def phase(out: Path) -> str:
    """How far a killed run was."""
    if not (out / JOURNAL).exists():
        return "before the journal"
    lines = (out / JOURNAL).read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        return "within a line of the journal"
    hidden = any(name.startswith(".") for name in files(out))
    if hidden:
        return "while a file was written"
    done, there = max(0, len(lines) - 1), len(files(out))
    if there > done:
        return "between a file and its line"
    return "all done" if done == FILES else "between files" if done else "before the first file"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance, phases, wrong = random.Random(given.seed), Counter[str](), []
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name, "in"), Path(name, "out")
        folder.mkdir()
        for i in range(FILES):
            shutil.copy(LENET, folder / f"{i:03d}.h5")
        began = time.perf_counter()
        assert start(folder, out).wait() == 0
        took, expected = time.perf_counter() - began, files(out)
        for _ in range(given.kills):
            shutil.rmtree(out)
            process = start(folder, out)
            time.sleep(chance.uniform(0.3, 1.0) * took)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            time.sleep(0.1)  # in which its workers end
            phases[phase(out)] += 1
            wrong += [f"{n} is not whole" for n, data in files(out).items() if n in expected and data != expected[n]]
            code = start(folder, out).wait()
            if code or files(out) != expected:
                wrong.append(f"the run after ended with {code}; {sorted(set(files(out)) ^ set(expected))} differ")
    for what, count in phases.most_common():
        print(f"{count:5d} killed {what}")
    print("\n".join(wrong) or "each target was absent or whole, and each run after ended with the same bytes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
