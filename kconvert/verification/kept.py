"""Runs in a folder: kept once, judged as often as one likes.

The folder holds `runs.json` and one `.npy` file an array. It is data alone: nothing in it is code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import KconvertError, Problem
from .matching import Finding
from .runs import Pair, Runs
from .value import Side

SCHEMA = 1
INDEX = "runs.json"


def keep(runs: Runs, folder: str | PathLike[str]) -> None:
    """Writes `runs` into `folder`, which is made, and must hold nothing or runs that were kept before.

    Raises KconvertError where it cannot be written.
    """
    place = Path(folder)
    check_folder(place)
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / INDEX).unlink(missing_ok=True)  # it is written last: without it the folder holds no runs
        index = {
            "schema": SCHEMA,
            "source": asdict(runs.source),
            "target": asdict(runs.target),
            "inputs": [_write(place, f"input-{i}", x) for i, x in enumerate(runs.inputs)],
            "given": runs.given,
            "layers": [_pair(place, f"layer-{i}", pair) for i, pair in enumerate(runs.layers)],
            "outputs": [_pair(place, f"output-{i}", pair) for i, pair in enumerate(runs.outputs)],
            "arrays": runs.arrays,
            "odd": list(runs.odd),
            "plan": runs.plan,
            "environment": runs.environment,
        }
        (place / INDEX).write_text(json.dumps(index), encoding="utf-8")
    except OSError as error:
        raise KconvertError(f"the runs cannot be kept ({error.strerror})", where=str(place)) from error


def check_folder(folder: str | PathLike[str]) -> None:
    """Refuses to keep runs in a folder that holds anything else."""
    place = Path(folder)
    if place.exists() and (not place.is_dir() or (any(place.iterdir()) and not (place / INDEX).exists())):
        raise KconvertError(
            "holds something else than runs that were kept", str(place), "give a new folder", Problem.USAGE
        )


def kept(folder: str | PathLike[str]) -> Runs:
    """The runs in `folder`; their arrays are read when they are compared. Raises KconvertError where there are none."""
    place = Path(folder)
    try:
        index = json.loads((place / INDEX).read_text(encoding="utf-8"))
        if index["schema"] != SCHEMA:
            raise KconvertError("the runs were kept by another release of kconvert", str(place), "run them again")
        return Runs(
            source=Side(**index["source"]),
            target=Side(**index["target"]),
            layers=[_read_pair(place, entry) for entry in index["layers"]],
            outputs=[_read_pair(place, entry) for entry in index["outputs"]],
            inputs=[_read(place, name) for name in index["inputs"]],
            given=index["given"],
            arrays=index["arrays"],
            odd=index["odd"],
            plan=index["plan"],
            environment=index["environment"],
        )
    except FileNotFoundError:
        fix = "give a folder that kconvert verify --keep has written"
        raise KconvertError("there are no runs in it", str(place), fix, Problem.USAGE) from None
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise KconvertError("the runs in it are damaged", str(place), "run them again", Problem.UNREADABLE) from error


_SIDES = ("source", "target", "alone")


def _pair(folder: Path, stem: str, pair: Pair) -> dict[str, Any]:
    arrays = {side: getattr(pair, side) for side in _SIDES}
    return {
        "name": pair.name,
        "target_name": pair.target_name,
        "layer": pair.layer,
        "classes": pair.classes,
        "findings": [asdict(finding) for finding in pair.findings],
        **{side: None if x is None else _write(folder, f"{stem}-{side}", x) for side, x in arrays.items()},
    }


def _read_pair(folder: Path, entry: dict[str, Any]) -> Pair:
    arrays = {side: None if entry[side] is None else _read(folder, entry[side]) for side in _SIDES}
    findings: Sequence[Finding] = [Finding(**finding) for finding in entry["findings"]]
    return Pair(**{**entry, **arrays, "findings": findings})


def _write(folder: Path, stem: str, array: np.ndarray) -> str:
    np.save(folder / f"{stem}.npy", array, allow_pickle=False)
    return f"{stem}.npy"


def _read(folder: Path, name: str) -> np.ndarray:
    array: np.ndarray = np.load(folder / Path(name).name, mmap_mode="r", allow_pickle=False)
    return array
