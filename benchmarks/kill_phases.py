"""Kills conversions and batches with SIGKILL in each of their phases, and runs them again.

A seed decides the call of the phase, and whether the process dies before it, within it or after it; of a batch, its
worker process dies alone or all die at once. The sources stay as they were, targets are absent or whole, and the run
after leaves the targets and nothing else, neither beside them nor among the temporary files. Exits with code 1 where
that does not hold.
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
from collections.abc import Sequence
from pathlib import Path

LENET = Path(__file__).parent.parent / "tests" / "fixtures" / "1.2.2-theano" / "lenet_th" / "model.h5"
JOURNAL = "kconvert-journal.jsonl"
FILES = 4
"""How many files a batch has."""

PHASES = {
    "read": ("kconvert.formats.hdf5.safely:StoredArray.read", 30),
    "transform": ("kconvert.kernels.base:Chain.apply", 30),
    "write": ("kconvert.formats.hdf5.parts:NewFile.array", 30),
    "fsync": ("kconvert.formats.atomic:_sync", 2),
    "rename": ("kconvert.formats.atomic:_put", 1),
    "journal": ("kconvert.batches.journal:_File.add", 1),
}
"""A function that is called in each phase, and how often for one file at most."""

WATCH = """
import importlib, os, signal, sys, threading

def watch(place, number, moment, processes):
    module, _, names = place.partition(":")
    *owners, name = names.split(".")
    owner = importlib.import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    function, calls = getattr(owner, name), []

    def kill():
        for process in processes:
            os.kill(process, signal.SIGKILL)

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
"""
RUN = "from kconvert.cli import main; main()"
IN_WORKER = """
import os
from kconvert.batches import local
code = CODE.replace("PARENT", str(os.getpid()))
local._MAIN = f"exec({code!r}); {local._MAIN}"
"""


def killed_run(place: str, number: int, moment: str, in_worker: bool, whole: bool) -> str:
    """The code of a run that is killed at a call; whole: with the worker, the main process is killed, too."""
    processes = "[PARENT, os.getpid()]" if in_worker and whole else "[os.getpid()]"
    watching = f"{WATCH}\nwatch({place!r}, {number}, {moment!r}, {processes})\n"
    return (IN_WORKER.replace("CODE", repr(watching)) if in_worker else watching) + RUN


def command(folder: Path, batch: bool, jobs: int = 1) -> list[str]:
    words = ["--from", "theano", "--to", "tensorflow"]
    if batch:
        more = ["--verify", "none", "--jobs", str(jobs), "-q"]
        return ["batch", str(folder / "in"), "--out", str(folder / "out"), *words, *more]
    return [str(folder / "in" / "0.h5"), *words, "--no-verify", "-o", str(folder / "out" / "0.h5")]


def run(folder: Path, batch: bool, code: str = RUN) -> int:
    environment = {**os.environ, "TMPDIR": str(folder / "temporary")}
    words = [sys.executable, "-c", code, *command(folder, batch)]
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment).returncode


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != JOURNAL}


def killed_once(folder: Path, batch: bool, phase: str, chance: random.Random, expected: dict[str, bytes]) -> list[str]:
    """What is wrong; an empty list where all is well. Raises LookupError where nothing was killed."""
    out, sources = folder / "out", contents(folder / "in")
    shutil.rmtree(out)
    out.mkdir()
    place, most = PHASES[phase]
    calls = most * (FILES if batch else 1)
    number, moment = chance.randint(1, calls), chance.choice(("before", "within", "after"))
    whole = phase == "journal" or not batch or chance.random() < 0.5
    in_worker = batch and phase != "journal"
    code = run(folder, batch, killed_run(place, number, moment, in_worker, whole))
    if code == 0 or (code != -signal.SIGKILL and whole):
        raise LookupError
    where = f"{phase} of a {'batch' if batch else 'conversion'}, call {number}, {moment}"
    wrong = [
        f"{where}: {name} is not whole"
        for name, data in contents(out).items()
        if not name.startswith(".") and data != expected.get(name)
    ]
    wrong += [f"{where}: the source was changed"] * (contents(folder / "in") != sources)
    if not batch and (out / "0.h5").exists():  # what is there is whole, and stays; the next run clears the rest away
        (out / "0.h5").unlink()
    if code_after := run(folder, batch):
        wrong.append(f"{where}: the run after ends with {code_after}")
    if (left := contents(out)) != expected:
        wrong.append(f"{where}: {sorted(left)} are there in the end, not {sorted(expected)}")
    if batch and (left_there := os.listdir(folder / "temporary")):
        wrong.append(f"{where}: temporary files are left: {sorted(left_there)}")
    return wrong


def killed_often(batch: bool, phase: str, given: argparse.Namespace) -> list[str]:
    """Kills as often as asked; returns what was wrong after each kill."""
    chance, wrong, done = random.Random(f"{given.seed} {phase} {batch}"), list[str](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, FILES if batch else 1)
        assert run(folder, batch) == 0
        expected = contents(folder / "out")
        for _ in range(10 * given.kills):
            if done == given.kills:
                break
            try:
                wrong += killed_once(folder, batch, phase, chance, expected)
                done += 1
            except LookupError:
                pass  # the call never came
    print(f"{done:5d} killed in the phase {phase} of a {'batch' if batch else 'conversion'}", flush=True)
    return wrong + [f"{phase}: killed {done} times alone"] * (done < given.kills)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="in each phase")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    cases = [(batch, phase) for batch in (False, True) for phase in PHASES if batch or phase != "journal"]
    wrong = [one for batch, phase in cases for one in killed_often(batch, phase, given)]
    print("\n".join(wrong) or "sources are as they were, targets were absent or whole, and nothing else was left")
    return 1 if wrong else 0


def prepare(folder: Path, count: int) -> None:
    for name in ("in", "out", "temporary"):
        (folder / name).mkdir()
    for i in range(count):
        shutil.copy(LENET, folder / "in" / f"{i}.h5")


if __name__ == "__main__":
    sys.exit(main())
