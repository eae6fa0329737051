"""write: a `Checkpoint` to a file of any form."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ..conventions.generations import Generation
from . import hdf5, keras3, safetensors
from .checkpoint import Checkpoint
from .endings import ARCHIVE, HDF5, SAFETENSORS, WEIGHTS, Form

_WRITERS = {
    HDF5: hdf5.write,
    ARCHIVE: keras3.write_archive,
    WEIGHTS: keras3.write_weights,
    SAFETENSORS: safetensors.write,
}


def write(
    path: str | PathLike[str], checkpoint: Checkpoint, form: Form, generation: Generation, force: bool = False
) -> Path:
    """Writes `checkpoint` as Keras of `generation` would, whole or not at all; returns the path of the file.

    force: replace an existing file. Raises KconvertError: USAGE where the file cannot be written or is the source
    itself, UNSUPPORTED where files of the form cannot hold the checkpoint.
    """
    return _WRITERS[form](path, checkpoint, generation, force)
