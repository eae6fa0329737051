"""Files with one array (`keras.utils.io_utils` of Keras 1.2.2)."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ...errors import KconvertError, Problem

_NAME = "data"
"""The name of the array in its file."""


def save_array(array: Any, name: Any) -> None:
    """Writes an array into a new HDF5 file, as the array `data`, which PyTables and `load_array` can read.

    name: the path of the file.
    """
    with h5py.File(name, "w") as file:
        file.create_dataset(_NAME, data=np.asarray(array))


def load_array(name: Any) -> np.ndarray:
    """The array in a file of `save_array`. Raises KconvertError where there is none."""
    try:
        with h5py.File(name, "r") as file:
            return np.asarray(file[_NAME][...])
    except (OSError, KeyError) as error:
        raise KconvertError(f"no array can be read: {error}", str(name), problem=Problem.UNREADABLE) from error
