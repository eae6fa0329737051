"""Saves runs in a folder, so that they can be compared again without being computed again.

The folder holds `runs.json` and one `.npy` file for each array. It is data only: nothing in it is code.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any

from ..arguments import argument
from ..conventions.words.values import check_schema, parse_json
from ..errors import KconvertError, Problem
from ..formats.atomic import check_directory, is_hidden, replacing, write_text, writing
from ..formats.holes import stored_size
from ..formats.limits import LONG_JSON, Budget, check_limit, limits
from ..formats.regular import open_regular
from .faults import Fault
from .runs import Omitted, Runs, TensorPair
from .tensors import StoredTensor, Tensor, write
from .value import Side

SCHEMA = 5
INDEX = "runs.json"
_BEGIN = b'{"schema": '
"""The first bytes of the index."""
_ARRAY = re.compile(r"(input-\d+|(layer|output)-\d+-(source|target|alone))\.npy")
"""The names of the other files."""

_TEXT = (str, type(None))
_SIDE = {"path": str, "convention": str, "ran_on": str, "version": str, "emulates": _TEXT}
_SIDE |= {"stands_in_for?": _TEXT, "why?": str, "quantized?": _TEXT, "lacking?": str}
_FAULTS = [{"words": str, "weights": [str], "remedy": str, "decides": bool}]
_PAIR = {
    **dict.fromkeys(("name", "target_name", "layer", "computes", "source", "target"), str),
    "alone": _TEXT,
    "classes": bool,
    "noise": (float, int, type(None)),
    "faults": _FAULTS,
}
_ARRAYS = [{"name": str, "shape": [int]}]
_PLAN = {
    **dict.fromkeys(("source", "target", "data_format"), str),
    **{key: [str] for key in ("evidence", "notes", "hazards", "differing")},
    "weights": [{"weight": str, "from": _ARRAYS, "ops": [dict], "to": _ARRAYS}],
}
_INDEX = {
    "schema": int,
    "source": _SIDE,
    "target": _SIDE,
    "inputs": [str],
    "inputs_from": str,
    "not_compared": [str],
    "left_out": [{**dict.fromkeys(("name", "layer", "reason"), str), "faults": _FAULTS}],
    "layers": [_PAIR],
    "outputs": [_PAIR],
    "arrays": int,
    "weights": [str],
    "plan": dict,  # empty, or as _PLAN says
    "environment": {...: str},
    "seconds": float,
}
"""The types in the index."""


def save_runs(runs: Runs, folder: str | PathLike[str]) -> None:
    """Writes `runs` into `folder`, which is created, and must be empty or hold saved runs.

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
            "inputs_from": runs.inputs_from,
            "not_compared": list(runs.not_compared),
            "left_out": [asdict(omitted) for omitted in runs.left_out],
            "layers": [_pair(place, f"layer-{i}", pair) for i, pair in enumerate(runs.layers)],
            "outputs": [_pair(place, f"output-{i}", pair) for i, pair in enumerate(runs.outputs)],
            "arrays": runs.arrays,
            "weights": list(runs.weights),
            "plan": runs.plan,
            "environment": runs.environment,
            "seconds": float(runs.seconds),
        }
        write_text(place / INDEX, json.dumps(index))
    except OSError as error:
        raise KconvertError(f"the runs cannot be saved ({error.strerror})", where=str(place)) from error


def check_folder(folder: str | PathLike[str]) -> None:
    """Refuses a folder that holds anything but saved runs or what is left of a run that was killed, or is not writable.

    Raises KconvertError (USAGE).
    """
    place = Path(folder)
    check_directory(place)
    if place.exists() and not (place.is_dir() and all(map(_is_saved, place.iterdir()))):
        raise KconvertError(
            "holds something other than saved runs", str(place), "use a new or an empty folder", Problem.USAGE
        )


def _is_saved(path: Path) -> bool:
    """Whether a file in a folder is one that `save_runs` writes."""
    if is_hidden(path.name):
        return True
    if path.is_symlink() or not path.is_file():
        return False
    if path.name == INDEX:
        with path.open("rb") as file:
            return file.read(len(_BEGIN)) == _BEGIN
    return _ARRAY.fullmatch(path.name) is not None


def load_runs(folder: str | PathLike[str]) -> Runs:
    """The runs in `folder`; their arrays are read when they are compared. Raises KconvertError where there are none."""
    place = Path(folder)
    try:
        with open_regular(place / INDEX) as file:
            text = file.read(limits().json + 1)
        check_limit("json", len(text), LONG_JSON, str(place / INDEX))
        index = parse_json(text)
        if index["schema"] != SCHEMA:
            raise KconvertError("the runs were saved by another release of kconvert", str(place), "run them again")
        check_schema(index, _INDEX)
        if index["plan"]:
            check_schema(index["plan"], _PLAN)
        stored = _Stored(place)
        inputs = [stored.tensor(name) for name in index["inputs"]]
        if not inputs or not all(x.shape for x in inputs):
            raise ValueError("there are no inputs, or one has no samples")
        return Runs(
            source=Side(**index["source"]),
            target=Side(**index["target"]),
            layers=[stored.pair(entry) for entry in index["layers"]],
            outputs=[stored.pair(entry) for entry in index["outputs"]],
            inputs=inputs,
            inputs_from=index["inputs_from"],
            not_compared=index["not_compared"],
            left_out=[_read_omitted(entry) for entry in index["left_out"]],
            arrays=index["arrays"],
            weights=index["weights"],
            plan=index["plan"],
            environment=index["environment"],
            seconds=index["seconds"],
        )
    except FileNotFoundError as error:
        if (place / INDEX).exists():
            name = error.where if isinstance(error, KconvertError) else error.filename
            raise _damaged(place, f"there is no file {Path(name or '').name}") from None
        fix = f"give a folder that verify wrote with {argument('folder')}"
        raise KconvertError("there are no saved runs", str(place), fix, Problem.USAGE) from None
    except KconvertError:
        raise
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(place, str(error)) from error


def _damaged(folder: Path, reason: str) -> KconvertError:
    return KconvertError(f"the saved runs are damaged ({reason})", str(folder), "run them again", Problem.UNREADABLE)


_SIDES = ("source", "target", "alone")


def _pair(folder: Path, stem: str, pair: TensorPair) -> dict[str, Any]:
    arrays = {side: getattr(pair, side) for side in _SIDES}
    return {
        "name": pair.name,
        "target_name": pair.target_name,
        "layer": pair.layer,
        "classes": pair.classes,
        "computes": pair.computes,
        "noise": pair.noise,
        "faults": [asdict(fault) for fault in pair.faults],
        **{side: None if x is None else _write(folder, f"{stem}-{side}", x) for side, x in arrays.items()},
    }


class _Stored:
    """The tensors in a folder, which share one budget, because sparse arrays need no disk space, but time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.budget = Budget(folder)

    def pair(self, entry: dict[str, Any]) -> TensorPair:
        arrays = {side: None if entry[side] is None else self.tensor(entry[side]) for side in _SIDES}
        faults = [Fault(**fault) for fault in entry["faults"]]
        return TensorPair(**{**entry, **arrays, "faults": faults})

    def tensor(self, name: str) -> StoredTensor:
        """The array in a file of the folder, whatever else the name says."""
        tensor = StoredTensor(self.folder / Path(name).name)
        size = tensor.size * tensor.dtype.itemsize
        self.budget.array(size, stored_size(tensor.path), tensor.shape, None, str(tensor.path))
        return tensor


def _read_omitted(entry: dict[str, Any]) -> Omitted:
    return Omitted(**{**entry, "faults": [Fault(**fault) for fault in entry["faults"]]})


def _write(folder: Path, stem: str, tensor: Tensor) -> str:
    target = folder / f"{stem}.npy"
    size = tensor.size * tensor.dtype.itemsize
    with replacing(target, size=size) as temporary, writing(target), open(temporary, "wb") as file:
        write(file, tensor)
    return target.name
