"""Compares the losses of a script on two backends, which run it in separate processes with the same seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..arguments import argument
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .recording import History

BACKENDS = ("theano", "tensorflow")


@dataclass(frozen=True)
class Row:
    """One number of the logs on both backends: where, its name, the values. None where a backend has none."""

    place: str
    name: str
    values: tuple[float | None, float | None]
    equal: bool


@dataclass(frozen=True)
class Comparison:
    """The losses of a script on both backends."""

    script: str
    rtol: float
    rows: tuple[Row, ...]
    # The classes of layers whose random numbers differ between the backends.
    random: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return all(row.equal for row in self.rows)

    @property
    def remarks(self) -> list[str]:
        """Remarks that are needed to interpret the numbers."""
        if not self.random:
            return []
        layers = ", ".join(self.random)
        what = f"The script trains with random layers ({layers}), whose numbers differ between the backends"
        return [f"{what}; {argument('random_layers', False)} trains without them."]

    def to_json(self) -> dict[str, Any]:
        rows = [
            {"place": row.place, "name": row.name, **dict(zip(BACKENDS, row.values, strict=True)), "equal": row.equal}
            for row in self.rows
        ]
        return {
            "script": self.script,
            "rtol": self.rtol,
            "equal": self.equal,
            "random_layers": list(self.random),
            "losses": rows,
        }


def compare_script(path: str, arguments: Sequence[str], options: Sequence[str], seed: int, rtol: float) -> Comparison:
    """Runs a script on both backends and compares what `fit` and `train_on_batch` gave.

    arguments: of the script. options: of `kconvert run`. rtol: relative to the larger value. Raises KconvertError
    where the script fails on a backend, and where it trains nothing.
    """
    with TemporaryDirectory() as folder:
        one, other = (_run(path, arguments, [*options, "--seed", str(seed)], backend, folder) for backend in BACKENDS)
    if not one.logs and not other.logs:
        raise KconvertError(
            "the script trains nothing: there are no losses to compare", path, problem=Problem.UNVERIFIED
        )
    random = tuple(sorted({*one.random, *other.random}))
    return Comparison(path, rtol, tuple(_rows(one, other, rtol)), random)


def _run(path: str, arguments: Sequence[str], options: Sequence[str], backend: str, folder: str) -> History:
    """The losses of the script on one backend, in a process of its own."""
    history = os.path.join(folder, f"{backend}.json")
    command = [
        sys.executable,
        "-m",
        __name__.partition(".")[0],
        "run",
        path,
        "--backend",
        backend,
        "--history",
        history,
        *options,
    ]
    seed = options[options.index("--seed") + 1]
    # Strings have hashes of a seed too, so that sets have the same order in both processes.
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [*command, "--", *arguments], env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode or not Path(history).exists():
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        what = lines[-1].removeprefix("kconvert: ")
        raise KconvertError(
            f"the script fails on {backend}: {what}",
            path,
            f"run it alone with {argument('backend', backend)}, which shows all of it",
            Problem.UNVERIFIED,
        )
    return History.read(history)


def _rows(one: History, other: History, rtol: float) -> Iterator[Row]:
    logs = [dict(zip(history.places, history.logs, strict=True)) for history in (one, other)]
    for place in dict.fromkeys([*one.places, *other.places]):
        values = [log.get(place, {}) for log in logs]
        for name in dict.fromkeys([*values[0], *values[1]]):
            pair = values[0].get(name), values[1].get(name)
            yield Row(place, name, pair, _equal(*pair, rtol))


def _equal(one: float | None, other: float | None, rtol: float) -> bool:
    if one is None or other is None:
        return False
    return bool(np.isclose(one, other, rtol=rtol, atol=1e-7, equal_nan=True))
