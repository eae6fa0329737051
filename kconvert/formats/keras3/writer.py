"""Writing files of Keras 3, without Keras: archives and weights alone."""

from __future__ import annotations

import json
from concurrent.futures import Future
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

from ...conventions.generations import Generation
from ..archive import CONFIG, METADATA, WEIGHTS, compile_member
from ..atomic import new_path, replacing, writing
from ..checkpoint import PROVENANCE, Checkpoint, LazyArray
from ..hdf5.objects import NAME, OPTIMIZER, VARS
from ..hdf5.parts import NewFile
from ..objects import snake_case
from . import paths
from .member import new_member


def write_archive(
    path: str | PathLike[str], checkpoint: Checkpoint, generation: Generation, force: bool = False
) -> Path:
    """Writes `checkpoint`, a whole model, as an archive `.keras`; see `writing.write`.

    HDF5 writes the weights straight into their member of the archive, which comes first: the metadata waits for values
    that are still being computed.
    """
    target = new_path(Path(path), checkpoint.path, force)
    metadata = {"keras_version": checkpoint.keras_version, PROVENANCE: checkpoint.provenance}
    with (
        replacing(target, force, checkpoint.size, checkpoint.check_source) as temporary,
        writing(target),
        open(temporary, "r+b") as stored,
        ZipFile(stored, "w") as archive,
    ):
        with (
            new_member(archive, WEIGHTS, stored) as content,
            NewFile.at(content, target, descriptor=stored.fileno()) as file,
        ):
            _write_groups(file, checkpoint)
            _write_optimizer(file, checkpoint)
        _write_json(archive, METADATA, metadata)
        _write_json(archive, CONFIG, {**(checkpoint.model_config or {}), **compile_member(checkpoint)})
    return target


def write_weights(
    path: str | PathLike[str], checkpoint: Checkpoint, generation: Generation, force: bool = False
) -> Path:
    """Writes the weights of `checkpoint` alone, for the architecture in it; see `writing.write`."""
    target = new_path(Path(path), checkpoint.path, force)
    with (
        replacing(target, force, checkpoint.size, checkpoint.check_source) as temporary,
        NewFile.at(temporary, target, checkpoint.size) as file,
    ):
        _write_groups(file, checkpoint)
        file.json(file.root, PROVENANCE, checkpoint.provenance)
    return target


def _write_json(archive: ZipFile, name: str, value: Any) -> None:
    """A member that holds JSON; it waits for values that are still being computed."""
    archive.writestr(ZipInfo(name), json.dumps(value, default=Future.result))


def _write_groups(file: NewFile, checkpoint: Checkpoint) -> None:
    """A group for each layer, with its arrays under their numbers."""
    layers: dict[paths.Path, list[LazyArray]] = {}
    for array in (array for group in checkpoint.groups for array in group.arrays):
        layers.setdefault(tuple(array.name.split("/")[:-1]), []).append(array)
    for layer, place in paths.groups(checkpoint.model_config or {}):
        stored = file.group(file.root, f"{place}/{VARS}")
        file.text(stored, NAME, layer[-1])
        for number, array in enumerate(layers.pop(layer, ())):
            file.array(stored, str(number), array)
    if layers:
        raise ValueError(f"there is no place for the weights of {sorted(layers)}")


def _write_optimizer(file: NewFile, checkpoint: Checkpoint) -> None:
    """The state of the optimizer, under numbers (keras-facts: slots-in-turn)."""
    if checkpoint.optimizer:
        stored = file.group(file.root, f"{OPTIMIZER}/{VARS}")
        file.text(stored, NAME, snake_case(checkpoint.optimizer_class or ""))
        for number, array in enumerate(checkpoint.optimizer):
            file.array(stored, str(number), array)
