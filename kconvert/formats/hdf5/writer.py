"""Writing: files that Keras 0.3, 1 and 2 load, streamed block by block and put in place at once."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...conventions.generations import GENERATIONS
from ...errors import KconvertError, Problem
from ..checkpoint import Checkpoint, LazyArray
from ..targets import in_place, regular
from .rows import blocks
from .safely import hdf5_errors

log = logging.getLogger(__name__)

HEADER_LIMIT = 64512  # bytes of one attribute; Keras 2 splits longer lists into name0, name1, ...


def write(path: str | PathLike[str], checkpoint: Checkpoint, force: bool = False) -> Path:
    """Writes `checkpoint` as a file of its format; gives the path of the file.

    Each array is read, block by block, while it is written. Until all is written and synced, it goes
    into a hidden file beside the target; on any error that is removed and the target is as before.
    Formats with names are written as Keras 1.2.2 and 2.3.1 do, keras0 as Keras 0.3.3 does. Only whole
    models hold the optimizer.

    force: replace an existing file. Raises KconvertError: USAGE where the target cannot be written or
    is the source itself, UNSUPPORTED where the format cannot hold the checkpoint.
    """
    if checkpoint.format not in GENERATIONS:
        raise KconvertError(
            f"unknown format {checkpoint.format!r}", fix=f"one of: {', '.join(GENERATIONS)}", problem=Problem.USAGE
        )
    target = _target(Path(path), checkpoint.path, force)
    with in_place(target) as temporary:
        with _writing(target):
            file = h5py.File(temporary, "x")
        try:
            _Writer(target, file, checkpoint.format).write(checkpoint)
        finally:
            with _writing(target):
                file.close()
    return target


def _writing(target: Path, item: str = "") -> AbstractContextManager[None]:
    return hdf5_errors("cannot be written", f"{target}{item and f', {item}'}", Problem.USAGE)


def _target(path: Path, source: Path | None, force: bool) -> Path:
    """The real path of the file to write. Raises KconvertError where it may not or cannot be written."""

    def refusal(what: str, fix: str) -> KconvertError:
        return KconvertError(what, str(path), fix, Problem.USAGE)

    target = regular(path)
    if target.exists():
        if source is not None and source.exists() and target.samefile(source):
            raise refusal("is the source file itself, which is never written to", "name another file")
        if not force:
            raise refusal("exists already", "pass --force to replace it")
    return target


class _Writer:
    """One checkpoint into one new file."""

    def __init__(self, target: Path, file: h5py.File, form: str) -> None:
        self.target = target
        self.file = file
        self.generation = GENERATIONS[form]

    def write(self, checkpoint: Checkpoint) -> None:
        for name, value in checkpoint.attributes.items():
            self.attribute(self.file, name, value)
        self.json(self.file, "model_config", checkpoint.model_config)
        self.json(self.file, "training_config", checkpoint.training_config)
        if self.generation.numbered:
            self.numbered_weights(checkpoint)
        elif checkpoint.whole_model:
            self.whole_model(checkpoint)
        else:
            self.named_weights(self.file, checkpoint)
        self.json(self.file, "kconvert", checkpoint.provenance)

    # ------------------------------------------------------------- layouts ----

    def numbered_weights(self, checkpoint: Checkpoint) -> None:
        """Keras 0.2 - 0.3: layer_0/param_0, ...; the one group of a Graph keeps its name."""
        if checkpoint.whole_model:
            raise KconvertError(
                f"files of {checkpoint.format} hold weights alone, not a whole model",
                str(self.target),
                "write the weights alone, and the architecture as JSON",
            )
        graph = [layer.name for layer in checkpoint.groups] == ["graph"]
        if not graph:
            self.attribute(self.file, "nb_layers", len(checkpoint.groups))
        for k, layer in enumerate(checkpoint.groups):
            group = self.group(self.file, "graph" if graph else f"layer_{k}")
            self.attribute(group, "nb_params", len(layer.arrays))
            for j, array in enumerate(layer.arrays):
                self.array(group, f"param_{j}", array)

    def whole_model(self, checkpoint: Checkpoint) -> None:
        """Keras 1 and 2, `model.save`."""
        self.text(self.file, "keras_version", checkpoint.keras_version)
        if self.generation.states_backend:
            self.text(self.file, "backend", checkpoint.backend)
        self.named_weights(self.group(self.file, "model_weights"), checkpoint)
        if checkpoint.optimizer:
            self.named_arrays(self.group(self.file, "optimizer_weights"), checkpoint.optimizer)

    def named_weights(self, weights: h5py.Group, checkpoint: Checkpoint) -> None:
        """Keras 1 and 2, `model.save_weights`."""
        self.names(weights, "layer_names", [layer.name for layer in checkpoint.groups])
        if self.generation.states_backend:
            self.text(weights, "backend", checkpoint.backend)
            self.text(weights, "keras_version", checkpoint.keras_version)
        for layer in checkpoint.groups:
            self.named_arrays(self.group(weights, layer.name), layer.arrays)

    def named_arrays(self, group: h5py.Group, arrays: Sequence[LazyArray]) -> None:
        names = _unique_names(arrays)
        self.names(group, "weight_names", names)
        for name, array in zip(names, arrays, strict=True):
            self.array(group, name, array)

    # --------------------------------------------------------------- parts ----

    def group(self, parent: h5py.Group, name: str) -> h5py.Group:
        with _writing(self.target, f"group {name}"):
            return parent.create_group(name)

    def attribute(self, item: h5py.Group, name: str, value: Any) -> None:
        """Nothing for None."""
        if value is not None:
            with _writing(self.target, f"attribute {name}"):
                item.attrs[name] = value

    def text(self, item: h5py.Group, name: str, value: str | None) -> None:
        """As bytes: old releases decode it."""
        self.attribute(item, name, None if value is None else value.encode("utf-8"))

    def json(self, item: h5py.Group, name: str, value: dict[str, Any] | None) -> None:
        """Waits for values that are still being computed."""
        self.text(item, name, None if value is None else json.dumps(value, default=Future.result))

    def names(self, item: h5py.Group, name: str, names: Sequence[str]) -> None:
        """Names as bytes of one length. Raises KconvertError where the format cannot hold so many."""
        encoded = [text.encode("utf-8") for text in names]
        whole = np.asarray(encoded)
        pieces = [whole]
        while self.generation.splits_names and whole.itemsize <= HEADER_LIMIT < max(piece.nbytes for piece in pieces):
            pieces = np.array_split(whole, len(pieces) + 1)
        if max(piece.nbytes for piece in pieces) > HEADER_LIMIT:
            raise KconvertError(
                f"{len(names)} names are too long for the attribute {name}",
                f"{self.target}, group {item.name}",
                "shorten them" if self.generation.splits_names else "write --format keras2",
            )
        if len(pieces) == 1:
            self.attribute(item, name, whole)
            return
        for k, piece in enumerate(pieces):
            self.attribute(item, f"{name}{k}", piece)

    def array(self, group: h5py.Group, name: str, array: LazyArray) -> None:
        where = f"dataset {group.name.rstrip('/')}/{name}"
        log.info("writing %s", name)
        with _writing(self.target, where):
            dataset = group.create_dataset(name, array.shape, dtype=array.dtype)
        for rows in blocks(array.shape, array.dtype.itemsize):
            block = array.read(rows)
            place: Any = () if rows is None else rows
            with _writing(self.target, where):
                _check(block, dataset, rows)
                dataset[place] = block


def _check(block: np.ndarray, dataset: h5py.Dataset, rows: slice | None) -> None:
    """HDF5 would broadcast and cast without a word."""
    shape = dataset.shape if rows is None else (rows.stop - rows.start, *dataset.shape[1:])
    if (block.shape, block.dtype) != (shape, dataset.dtype):
        raise ValueError(f"got {block.dtype} {block.shape}, not {dataset.dtype} {shape}")


def _unique_names(arrays: Sequence[LazyArray]) -> list[str]:
    """Names as Keras 2.3 stores them: param_3 for a nameless weight, a number after one that was there before."""
    names: dict[str, None] = {}
    for position, array in enumerate(arrays):
        stem = name = array.name or f"param_{position}"
        count = 0
        while name in names:
            count += 1
            name = f"{stem}_{count}"
        names[name] = None
    return list(names)
