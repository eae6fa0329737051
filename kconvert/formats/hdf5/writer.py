"""Writes files that Keras 0.3, 1 and 2 load, block by block; a file gets its name when it is complete."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path

import numpy as np

from ...arguments import argument
from ...conventions.generations import Generation
from ...errors import KconvertError
from ..atomic import new_path, replacing
from ..checkpoint import PROVENANCE, Checkpoint, LazyArray
from .parts import NewFile, NewGroup

SMALL = 2**20  # bytes of a file that is made in memory
HEADER_LIMIT = 64512  # bytes of one attribute; longer lists are split (keras-facts: split-lists-of-names)


def write(path: str | PathLike[str], checkpoint: Checkpoint, generation: Generation, force: bool = False) -> Path:
    """Writes `checkpoint` as Keras of `generation` would; returns the path of the file.

    Each array is read, block by block, while it is written. The file is written under another name beside the
    target, which it replaces when it is complete; on any error it is removed and the target stays as it was.
    The file is what the last release of the generation writes. Only whole models hold the optimizer.

    force: replace an existing file. Raises KconvertError: USAGE where the target cannot be written or
    is the source itself, UNSUPPORTED where files of the generation cannot hold the checkpoint.
    """
    target, size = new_path(Path(path), checkpoint.path, force), checkpoint.size
    with (
        replacing(target, force, size, checkpoint.check_source) as temporary,
        _new_file(temporary, target, size) as file,
    ):
        _Writer(file, generation).write(checkpoint)
    return target


def _new_file(place: Path, target: Path, size: int) -> AbstractContextManager[NewFile]:
    return NewFile.in_memory(place, target) if size <= SMALL else NewFile.at(place, target, size)


class _Writer:
    """One checkpoint into one new file."""

    def __init__(self, file: NewFile, generation: Generation) -> None:
        self.file = file
        self.generation = generation

    def write(self, checkpoint: Checkpoint) -> None:
        for name, value in checkpoint.attributes.items():
            _check_attribute(name, value, checkpoint)
            self.file.attribute(self.file.root, name, value)
        self.file.json(self.file.root, "model_config", checkpoint.model_config)
        self.file.json(self.file.root, "training_config", checkpoint.training_config)
        if self.generation.numbered:
            self.numbered_weights(checkpoint)
        elif checkpoint.whole_model:
            self.whole_model(checkpoint)
        else:
            self.named_weights(self.file.root, checkpoint)
        self.file.json(self.file.root, PROVENANCE, checkpoint.provenance)

    # ------------------------------------------------------------- layouts ----

    def numbered_weights(self, checkpoint: Checkpoint) -> None:
        """Keras 0.2 - 0.3: layer_0/param_0, ...; the one group of a Graph keeps its name."""
        if checkpoint.whole_model:
            raise KconvertError(
                f"files of {self.generation.name} hold weights alone, not a whole model",
                str(self.file.target),
                "write the weights alone, and the architecture as JSON",
            )
        graph = [layer.name for layer in checkpoint.groups] == ["graph"]
        if not graph:
            self.file.attribute(self.file.root, "nb_layers", len(checkpoint.groups))
        for k, layer in enumerate(checkpoint.groups):
            group = self.file.group(self.file.root, "graph" if graph else f"layer_{k}")
            self.file.attribute(group, "nb_params", len(layer.arrays))
            for j, array in enumerate(layer.arrays):
                self.file.array(group, f"param_{j}", array)

    def whole_model(self, checkpoint: Checkpoint) -> None:
        """Keras 1 and 2, `model.save`."""
        self.file.text(self.file.root, "keras_version", checkpoint.keras_version)
        if self.generation.states_backend:
            self.file.text(self.file.root, "backend", checkpoint.backend)
        self.named_weights(self.file.group(self.file.root, "model_weights"), checkpoint)
        if checkpoint.optimizer:
            self.named_arrays(self.file.group(self.file.root, "optimizer_weights"), checkpoint.optimizer)

    def named_weights(self, weights: NewGroup, checkpoint: Checkpoint) -> None:
        """Keras 1 and 2, `model.save_weights`."""
        self.names(weights, "layer_names", [layer.name for layer in checkpoint.groups])
        if self.generation.states_backend:
            self.file.text(weights, "backend", checkpoint.backend)
            self.file.text(weights, "keras_version", checkpoint.keras_version)
        for layer in checkpoint.groups:
            self.named_arrays(self.file.group(weights, layer.name), layer.arrays)

    def named_arrays(self, group: NewGroup, arrays: Sequence[LazyArray]) -> None:
        names = _unique_names(arrays)
        self.names(group, "weight_names", names)
        for name, array in zip(names, arrays, strict=True):
            self.file.array(group, name, array)

    def names(self, item: NewGroup, name: str, names: Sequence[str]) -> None:
        """Names as bytes of one length. Raises KconvertError where the format cannot hold so many."""
        encoded = [text.encode("utf-8") for text in names]
        whole = np.asarray(encoded)
        pieces = in_pieces(whole) if self.generation.splits_names else [whole]
        if max(piece.nbytes for piece in pieces) > HEADER_LIMIT:
            raise KconvertError(
                f"{len(names)} names are too long for the attribute {name}",
                f"{self.file.target}, group {item.name}",
                "shorten them" if self.generation.splits_names else f"write {argument('format', 'keras2')}",
            )
        if len(pieces) == 1:
            self.file.attribute(item, name, whole)
            return
        for k, piece in enumerate(pieces):
            self.file.attribute(item, f"{name}{k}", piece)


def in_pieces(names: np.ndarray) -> list[np.ndarray]:
    """A list of names in as few pieces as attributes can hold; in one piece where even one name is too long."""
    pieces = [names]
    while names.itemsize <= HEADER_LIMIT < max(piece.nbytes for piece in pieces):
        pieces = np.array_split(names, len(pieces) + 1)
    return pieces


def _check_attribute(name: str, value: object, checkpoint: Checkpoint) -> None:
    """Refuses an attribute of the source that files of Keras cannot hold."""
    size = getattr(value, "nbytes", 0)
    if size > HEADER_LIMIT:
        what = f"attribute {name} has {size:,} bytes, and a file of Keras holds {HEADER_LIMIT:,} in one attribute"
        raise KconvertError(what, str(checkpoint.path), "remove it from the source")


def _unique_names(arrays: Sequence[LazyArray]) -> list[str]:
    """Names as Keras 2.3 stores them: param_3 for a weight without a name, a number after a name that is there already.

    (keras-facts: repeated-names)
    """
    names: dict[str, None] = {}
    for position, array in enumerate(arrays):
        stem = name = array.name or f"param_{position}"
        count = 0
        while name in names:
            count += 1
            name = f"{stem}_{count}"
        names[name] = None
    return list(names)
