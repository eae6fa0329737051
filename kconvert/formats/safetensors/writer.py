"""Writing safetensors: the header needs only shapes, so each array is read, block by block, while it is written."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...conventions.generations import Generation
from ...errors import KconvertError
from ..atomic import new_path, replacing, writing
from ..checkpoint import PROVENANCE, Checkpoint, LazyArray, pieces
from ..parts import Box
from .header import LENGTH, LIMIT, NAMES, Entry, encoded

log = logging.getLogger(__name__)


def write(path: str | PathLike[str], checkpoint: Checkpoint, generation: Generation, force: bool = False) -> Path:
    """Writes `checkpoint` as safetensors; see `writing.write`. Other attributes of the root are left out."""
    target = new_path(Path(path), checkpoint.path, force)
    arrays, metadata = _keyed(checkpoint)
    for key, array in arrays.items():
        if array.dtype.newbyteorder("<") not in NAMES:
            raise KconvertError(f"safetensors has no arrays of {array.dtype}", f"{path}, array {key}")
    # the widest numbers first: then each array begins at a multiple of their size
    keys = sorted(arrays, key=lambda key: -arrays[key].dtype.itemsize)
    entries, end = [], 0
    for key in keys:
        entries.append(Entry(key, arrays[key].dtype.newbyteorder("<"), tuple(arrays[key].shape), end))
        end = entries[-1].end
    beginning = encoded(entries, metadata)
    if len(beginning) > LIMIT + LENGTH:
        raise KconvertError(f"the architecture and the names need more than {LIMIT:,} bytes", str(path))
    with (
        replacing(target, force, checkpoint.size, checkpoint.check_source) as temporary,
        temporary.open("wb") as file,
    ):
        _put(file, beginning, target)
        for entry in entries:
            log.debug("writing %s", entry.key)
            _write_array(file, arrays[entry.key], entry, len(beginning), target)
    return target


def _write_array(file: IO[bytes], array: LazyArray, entry: Entry, header: int, target: Path) -> None:
    for box, block in pieces(array):
        for position, piece in _runs(np.asarray(block, entry.dtype), box, entry.shape):
            with writing(target):
                file.seek(header + entry.begin + position * entry.dtype.itemsize)
            _put(file, piece.tobytes(), target)


def _runs(block: np.ndarray, box: Box, shape: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """The parts of a block that are in one piece in the array, each with the position of its first element."""
    if not block.size:
        return
    axes = len(shape)
    while axes and block.shape[axes - 1] == shape[axes - 1]:
        axes -= 1
    for place in np.ndindex(block.shape[: max(axes - 1, 0)]):
        first = [one.start for one in box]
        first[: len(place)] = [start + k for start, k in zip(first, place, strict=False)]
        yield int(np.ravel_multi_index(first, shape)) if first else 0, block[place]


def _put(file: IO[bytes], content: bytes, target: Path) -> None:
    with writing(target):
        file.write(content)


def _keyed(checkpoint: Checkpoint) -> tuple[dict[str, LazyArray], dict[str, str]]:
    """The arrays by their keys, and the metadata."""
    keyed: dict[str, LazyArray] = {}
    shared = {name for name, times in Counter(checkpoint.names).items() if times > 1}

    def entry(array: LazyArray, owner: str, clear: bool) -> dict[str, Any]:
        key = stem = array.name if clear else f"{owner}/{array.name}"
        number = 0
        while key in keyed:
            number += 1
            key = f"{stem}_{number}"
        keyed[key] = array
        return {"name": array.name, "key": key}

    layers = []
    for group in checkpoint.groups:
        facts: Sequence[dict[str, Any]] = group.facts or [{}] * len(group.arrays)
        own = [
            {**entry(array, group.name, array.name not in shared), **fact}
            for array, fact in zip(group.arrays, facts, strict=True)
        ]
        layers.append({"name": group.name, "arrays": own})
    optimizer = [entry(array, "optimizer", False) for array in checkpoint.optimizer] if checkpoint.whole_model else []
    values = {
        PROVENANCE: checkpoint.provenance,
        "model_config": checkpoint.model_config,
        "training_config": checkpoint.training_config,
        "whole_model": checkpoint.whole_model,
        "named": checkpoint.named,
        "layers": layers,
        "optimizer": optimizer,
    }
    metadata = {name: json.dumps(value, default=Future.result) for name, value in values.items() if value is not None}
    stated = {"backend": checkpoint.backend, "keras_version": checkpoint.keras_version}
    return keyed, {**{name: value for name, value in stated.items() if value is not None}, **metadata}
