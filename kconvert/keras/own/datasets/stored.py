"""Arrays in the files of Keras's data sets: .npz files and pickled batches. No code in a file is run."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import KconvertError, Problem


def read_npz(path: Path, names: Sequence[str]) -> list[Any]:
    """The arrays `names` of a .npz file. Raises KconvertError where it is not such a file, or lacks one of them."""
    try:
        with zipfile.ZipFile(path) as file:
            return [_array(file.read(f"{name}.npy")) for name in names]
    except (OSError, zipfile.BadZipFile, ValueError, EOFError) as error:
        raise _unreadable(path, str(error)) from error
    except KeyError as error:
        raise _unreadable(path, f"it has no {error}") from error


def read_batch(data: bytes, where: Path) -> dict[str, Any]:
    """Reads the dict that is pickled in a CIFAR file. Raises KconvertError for any other content."""
    try:
        stored = _Arrays(BytesIO(data), encoding="bytes").load()
        return {key.decode(): as_array(value) for key, value in stored.items()}
    except (pickle.UnpicklingError, AttributeError, ValueError, TypeError, EOFError, IndexError) as error:
        raise _unreadable(where, str(error)) from error


def read_pickle(path: Path) -> Any:
    """The arrays, lists, tuples and dicts that are pickled in a file of Keras 1, which may end with `.gz`.

    Raises KconvertError for any other content.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return _plain(_Arrays(BytesIO(data), encoding="bytes").load())
    except (OSError, pickle.UnpicklingError, AttributeError, ValueError, TypeError, EOFError, IndexError) as error:
        raise _unreadable(path, str(error)) from error


def _plain(value: Any) -> Any:
    """`value` with arrays in place of what stands for them, also in tuples, and with the keys of a dict as texts."""
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    if isinstance(value, dict):
        return {key.decode("latin1") if isinstance(key, bytes) else key: one for key, one in value.items()}
    return as_array(value)


def as_array(value: Any) -> Any:
    """The array that `value` replaces if it is an `_Array`; otherwise `value` itself."""
    return value.array() if isinstance(value, _Array) else value


def _array(data: bytes) -> Any:
    """The array in a .npy file. Of pickled objects, only lists of numbers are read."""
    file = BytesIO(data)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    _, _, dtype = read[np.lib.format.read_magic(file)](file)
    if not dtype.hasobject:
        return np.load(BytesIO(data), allow_pickle=False)
    return _Arrays(file).load().array()


def _unreadable(path: Path, why: str) -> KconvertError:
    return KconvertError(f"this is not the file of Keras ({why})", str(path), "replace it", Problem.UNREADABLE)


class _Array:
    """Takes the place of an array while it is unpickled."""

    state: Any = ()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        """The array: of numbers, or of lists."""
        _, shape, dtype, _, content = self.state
        if isinstance(content, bytes):
            return np.frombuffer(content, dtype.name).reshape(shape)
        return objects(content)


class _Dtype:
    """Takes the place of the dtype of an array while it is unpickled."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = name.decode() if isinstance(name, bytes) else name

    def __setstate__(self, state: Any) -> None:
        """The byte order and the fields, which arrays of bytes do not have."""


STAND_INS: dict[str, Any] = {
    "_reconstruct": lambda *_: _Array(),
    "ndarray": _Array,
    "dtype": _Dtype,
    "encode": lambda text, encoding: str(text).encode("latin1"),
}
"""The replacements for the names that pickled arrays contain."""


class _Arrays(pickle.Unpickler):
    """Reads pickled arrays. A pickle with any name that is not in STAND_INS is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in STAND_INS:
            raise KconvertError(f"the pickled data asks for {module}.{name}", problem=Problem.UNREADABLE)
        return STAND_INS[name]


def objects(items: Sequence[Any]) -> np.ndarray:
    """`items` as an array of one axis, whose elements are the items."""
    result = np.empty(len(items), object)
    result[:] = items
    return result
