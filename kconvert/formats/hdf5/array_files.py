"""Files with one array (`keras.utils.io_utils` of Keras 1.2.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...errors import KconvertError, Problem
from ..atomic import replacing, writable_path, writing
from .reader import opened

_NAME = "data"
"""The name of the array in its file."""


def save_array(array: Any, name: Any) -> None:
    """Writes an array into a new HDF5 file, as the array `data`, which PyTables and `load_array` can read.

    name: the path of the file. Raises KconvertError (USAGE) if it cannot be written.
    """
    target = writable_path(name)
    with writing(target), replacing(target) as temporary, h5py.File(temporary, "w", locking=False) as file:
        file.create_dataset(_NAME, data=np.asarray(array))


def load_array(name: Any) -> np.ndarray:
    """Reads the array from a file that `save_array` wrote. Raises KconvertError if the file has no such array."""
    try:
        with opened(Path(name)) as file:
            return np.asarray(file.array(_NAME).read())
    except KconvertError as error:
        raise KconvertError(f"no array can be read: {error.what}", str(name), error.fix, Problem.UNREADABLE) from error
