"""Kills a conversion and a batch with SIGKILL in each of their phases, and runs them again.

A seed decides the call of the phase, and whether the process dies before it, within it or after it. The source stays
as it was, the target is absent or whole, and the run after leaves the target and nothing else. Exits with code 1 where
that does not hold.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

LENET = Path(__file__).parent.parent / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
JOURNAL = "kconvert-journal.jsonl"
PHASES = {
    "read": "kconvert.formats.hdf5.safely:StoredArray.read",
    "transform": "kconvert.kernels.base:Chain.apply",
    "write": "kconvert.formats.hdf5.parts:NewFile.array",
    "fsync": "kconvert.formats.atomic:_sync",
    "rename": "kconvert.formats.atomic:_put",
    "journal": "kconvert.batches.journal:_File.add",
}
"""A function that is called in each phase."""

KILLED = """
import importlib, os, signal, sys, threading
place, number, moment = sys.argv.pop(1), int(sys.argv.pop(1)), sys.argv.pop(1)
module, _, names = place.partition(":")
*owners, name = names.split(".")
owner = importlib.import_module(module)
for one in owners:
    owner = getattr(owner, one)
function, calls = getattr(owner, name), []

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def call(*args, **kwargs):
    calls.append(None)
    if len(calls) == number and moment == "before":
        kill()
    if len(calls) == number and moment == "within":
        threading.Timer(0.0001, kill).start()
    result = function(*args, **kwargs)
    if len(calls) == number:
        kill()
    return result

setattr(owner, name, call)
from kconvert.batches import worker
from kconvert.cli import main
main()
"""


def command(folder: Path, batch: bool) -> list[str]:
    words = ["--from", "theano", "--to", "tensorflow"]
    if batch:
        return ["batch", str(folder / "in"), "--out", str(folder / "out"), *words, "--verify", "none", "-q"]
    return [str(folder / "in" / "0.h5"), *words, "--no-verify", "-o", str(folder / "out" / "0.h5")]


def run(folder: Path, batch: bool, *killed: str) -> int:
    code = KILLED if killed else "from kconvert.cli import main; main()"
    words = [sys.executable, "-c", code, *killed, *command(folder, batch)]
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != JOURNAL}


def killed_once(folder: Path, phase: str, chance: random.Random, expected: dict[str, bytes]) -> tuple[bool, list[str]]:
    """Whether the process was killed, and what is wrong."""
    out, sources = folder / "out", contents(folder / "in")
    shutil.rmtree(out)
    out.mkdir()
    batch = phase == "journal"
    most = {"fsync": 2, "rename": 1, "journal": len(expected)}.get(phase, 30)
    number, moment = chance.randint(1, most), chance.choice(("before", "within", "after"))
    code = run(folder, batch, PHASES[phase], str(number), moment)
    where = f"{phase}, call {number}, {moment}"
    wrong = [
        f"{where}: {name} is not whole" for name, data in contents(out).items() if data != expected.get(name, data)
    ]
    wrong += [f"{where}: the source was changed"] * (contents(folder / "in") != sources)
    there = (out / "0.h5").exists()
    if batch or not there:
        code_after = run(folder, batch)
        wrong += [f"{where}: the run after ends with {code_after}"] * bool(code_after)
    else:  # what is there is whole: a run for another target in the directory clears the rest away
        (out / "0.h5").unlink()
        wrong += [f"{where}: the run after fails"] * bool(run(folder, batch))
    if (left := contents(out)) != expected:
        wrong.append(f"{where}: {sorted(left)} are there in the end, not {sorted(expected)}")
    return code == -signal.SIGKILL, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="in each phase")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    wrong: list[str] = []
    for phase in PHASES:
        with tempfile.TemporaryDirectory() as name:
            folder, chance = Path(name), random.Random(f"{given.seed} {phase}")
            prepare(folder, 4 if phase == "journal" else 1)
            assert run(folder, phase == "journal") == 0
            expected = contents(folder / "out")
            done = 0
            for _ in range(10 * given.kills):
                if done == given.kills:
                    break
                killed, found = killed_once(folder, phase, chance, expected)
                done += killed
                wrong += found
            print(f"{done:5d} killed in the phase {phase}", flush=True)
            wrong += [f"{phase}: killed {done} times alone"] * (done < given.kills)
    print("\n".join(wrong) or "sources are as they were, targets were absent or whole, and nothing else was left")
    return 1 if wrong else 0


def prepare(folder: Path, count: int) -> None:
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    for i in range(count):
        shutil.copy(LENET, folder / "in" / f"{i}.h5")


if __name__ == "__main__":
    sys.exit(main())
