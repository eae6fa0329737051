"""Inputs of the user in a file: an `.npz` or `.npy`."""

from __future__ import annotations

from collections import Counter
from os import PathLike
from pathlib import Path

import numpy as np

from ..errors import KconvertError, Problem
from ..formats import npy
from ..formats.hdf5 import regular_file
from ..formats.holes import stored_size
from ..network.network import Network
from ..network.sample_inputs import checked_inputs

MOST_ARRAYS = 1000  # each is looked up and read by its name
MOST_UNPACKED = 2**30  # bytes of decompressed inputs
_OF_NUMBERS = "use an .npy or .npz file of numbers"


def input_arrays(model: Network, path: str | PathLike[str]) -> list[np.ndarray]:
    """The inputs of `model` from an `.npz` file, or for a model with one input from an `.npy` file.

    The arrays of an .npz are assigned by name if it has an array for the name of every input, else in their order.
    Raises KconvertError where the file cannot be read or its arrays do not fit.
    """
    where, arrays = str(path), stored_arrays(path)
    names = [ref.layer for ref in model.input_refs]
    try:
        return checked_inputs(
            model, [arrays[name] for name in names] if set(names) <= set(arrays) else list(arrays.values())
        )
    except KconvertError as error:
        raise error.within(where) from None


def stored_arrays(path: str | PathLike[str]) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by their names, or that of an `.npy` file, without a name.

    Raises KconvertError where the file cannot be read, and where an array has no elements.
    """
    path = regular_file(path)
    where = str(path)
    with open(path, "rb") as file:
        alone = file.read(len(npy.SIGNATURE)) == npy.SIGNATURE
    try:
        arrays = {"": _read_alone(path)} if alone else _read_several(path)
    except KconvertError:
        raise
    except Exception as error:  # of zipfile, zlib, tokenize, ast or NumPy: whatever a damaged file makes them raise
        lines = str(error).replace(f": {where!r}", "").splitlines()
        what = f"the inputs cannot be read ({lines[0] if lines else type(error).__name__})"
        raise KconvertError(what, where, _OF_NUMBERS, Problem.UNREADABLE) from error
    for name, array in arrays.items():
        place = f"{where}, array {name}" if name else where
        if not isinstance(array, np.ndarray):  # a member that is no .npy file
            raise KconvertError("is not an array", place, _OF_NUMBERS, Problem.UNREADABLE)
        refuse_empty(array, place)
    return arrays


def _read_alone(path: Path) -> np.ndarray:
    """The array of an .npy file. It is not mapped into memory, because another program may cut the file off."""
    stored = npy.opened(path)
    refuse_empty(stored, str(path))
    _check_unpacked(stored.nbytes, path)
    return np.asarray(stored)


def _read_several(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file."""
    with np.load(path, allow_pickle=False) as loaded:
        _check_unpacked(sum(info.file_size for info in loaded.zip.infolist()), path)
        if len(loaded.files) > MOST_ARRAYS:
            raise _unfit(
                f"holds {len(loaded.files):,} arrays, where the inputs of a model are at most {MOST_ARRAYS:,}", path
            )
        if twice := [name for name, times in Counter(loaded.files).items() if times > 1]:
            raise _unfit(f"holds the array {twice[0]!r} twice: it is not clear which counts", path)
        return {name: loaded[name] for name in loaded.files}


def _unfit(what: str, path: Path) -> KconvertError:
    return KconvertError(what, str(path), "give one array for each input", Problem.UNREADABLE)


def _check_unpacked(size: int, path: Path) -> None:
    """Raises KconvertError if inputs would fill the memory, although the file stores far fewer bytes."""
    stored = stored_size(path)
    if size > max(MOST_UNPACKED, stored):
        what = f"the inputs would expand from {stored:,} bytes to {size:,}"
        raise KconvertError(what, str(path), "save them with numpy.savez, which does not pack them", Problem.UNREADABLE)


def refuse_empty(array: np.ndarray | npy.NpyArray, where: str) -> None:
    """Raises KconvertError for an input without elements: a model that runs on nothing shows nothing."""
    if 0 in array.shape:
        what = f"there is nothing to run a model on: the shape of the input is {array.shape}"
        raise KconvertError(what, where, "give at least one sample", Problem.USAGE)
