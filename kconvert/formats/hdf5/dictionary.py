"""H5Dict: an HDF5 file, a group of one, or a dict, with one way to write and read it (`keras.utils.io_utils`).

Source: `utils/io_utils.py` of Keras 2.3.1.
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from ...errors import AlsoKeyError, AlsoNotImplementedError, AlsoRuntimeError, AlsoTypeError, KconvertError, Problem
from .writer import HEADER_LIMIT, in_pieces

_GROUP = "_is_group"
"""The key of a dict that stands for a group."""


class H5Dict:
    """Arrays, numbers, texts, lists of names, and groups of these, by name.

    path: of a file; or an open HDF5 file or group, or a dict. mode: 'r', 'w' or 'a', as of `h5py.File`. In a dict,
    arrays are pickled. Raises KconvertError, a TypeError too, for anything else in place of a path.
    """

    def __init__(self, path: Any, mode: str = "a") -> None:
        if not self.is_supported_type(path):
            what = f"{type(path).__name__} is not a path, a group of an HDF5 file or a dict"
            raise AlsoTypeError(what, "H5Dict", problem=Problem.USAGE)
        self._is_file = isinstance(path, (str, os.PathLike))
        self.read_only = mode == "r"
        self.data: Any = h5py.File(path, mode) if self._is_file else path
        if isinstance(path, dict):
            if mode == "w":
                path.clear()
            path[_GROUP] = True

    @staticmethod
    def is_supported_type(path: Any) -> bool:
        """Whether the constructor accepts `path`."""
        return isinstance(path, (h5py.Group, dict, str, os.PathLike))

    def __setitem__(self, attr: Any, val: Any) -> None:
        """Writes a value. Raises KconvertError where the data are read-only, or a file has the name already."""
        if self.read_only:
            raise KconvertError("the data are read-only", f"H5Dict[{attr!r}]", problem=Problem.USAGE)
        is_array = isinstance(val, (np.ndarray, np.generic))
        if isinstance(self.data, dict):
            key = _text(attr)
            self.data[key] = pickle.dumps(val) if is_array else val
            if is_array:
                self.data[_mark(key)] = True
            return
        if attr in self.data:
            raise AlsoKeyError("the name is taken already", f"H5Dict[{attr!r}]", problem=Problem.USAGE)
        if is_array:
            self.data.create_dataset(attr, data=val)
        elif isinstance(val, (list, tuple)):
            self._write_names(_text(attr), val)
        else:
            self.data.attrs[attr] = np.bytes_(val) if isinstance(val, bytes) else val

    def _write_names(self, name: str, values: Any) -> None:
        """Writes a list as an attribute; as several, name0, name1, ..., where one cannot hold it."""
        if any(len(one) > HEADER_LIMIT for one in values):
            what = f"a name is longer than {HEADER_LIMIT} bytes"
            raise AlsoRuntimeError(what, f"H5Dict[{name!r}]", problem=Problem.USAGE)
        stored = [one.encode() if isinstance(one, str) else one for one in values]
        pieces = in_pieces(np.asarray(stored))
        if len(pieces) == 1:
            self.data.attrs[name] = pieces[0]
        for i, piece in enumerate(pieces if len(pieces) > 1 else ()):
            self.data.attrs[f"{name}{i}"] = piece

    def __getitem__(self, attr: Any) -> Any:
        """A value; a group that is not there is made. Raises KconvertError for that where the data are read-only."""
        if isinstance(self.data, dict):
            return self._of_dict(_text(attr))
        if attr in self.data.attrs:
            value = self.data.attrs[attr]
            return value.tolist() if getattr(getattr(value, "dtype", None), "kind", "") == "S" else value
        if attr in self.data:
            found = self.data[attr]
            return np.asarray(found) if isinstance(found, h5py.Dataset) else H5Dict(found)
        if f"{_text(attr)}0" in self.data.attrs:
            return list(self._names(_text(attr)))
        self._check_new_group(attr)
        return H5Dict(self.data.create_group(attr))

    def _of_dict(self, key: str) -> Any:
        if key not in self.data:
            self._check_new_group(key)
            self.data[key] = {_GROUP: True}
        value = self.data[key]
        if isinstance(value, dict) and value.get(_GROUP):
            return H5Dict(value)
        return pickle.loads(value) if _mark(key) in self.data else value

    def _names(self, name: str) -> Iterator[str]:
        """The names in the attributes name0, name1, ..."""
        number = 0
        while f"{name}{number}" in self.data.attrs:
            yield from (one.decode() for one in self.data.attrs[f"{name}{number}"])
            number += 1

    def _check_new_group(self, name: Any) -> None:
        if self.read_only:
            what = "there is no such name, and the data are read-only"
            raise KconvertError(what, f"H5Dict[{name!r}]", problem=Problem.USAGE)

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.data)

    def iter(self) -> Iterator[Any]:
        """The names of groups and arrays."""
        return iter(self.data)

    def copy_to(self, target: H5Dict) -> None:
        """Writes all values into `target`."""
        for name in self._all_names():
            value = self[name]
            if isinstance(value, H5Dict):
                value.copy_to(target[name])
            else:
                target[name] = value

    def _all_names(self) -> list[str]:
        """The names of all values, those of attributes too."""
        if not isinstance(self.data, dict):
            return [*self.data, *self.data.attrs]
        marks = {_GROUP, *map(_mark, self.data)}
        return [name for name in self.data if name not in marks]

    def __contains__(self, key: Any) -> bool:
        return key in self.data or (not isinstance(self.data, dict) and key in self.data.attrs)

    def get(self, key: Any, default: Any = None) -> Any:
        """The value of a name; `default` where there is none."""
        return self[key] if key in self else default  # noqa: SIM401 - this is `get`

    def __getattr__(self, attr: str) -> Any:
        """What the file, the group or the dict has under this name, such as `keys` and `items`."""
        if attr == "data":  # before the constructor has set it
            raise AttributeError(attr)
        return getattr(self.data, attr)

    def update(self, *args: Any) -> None:
        """Raises KconvertError, a NotImplementedError too: values are set one by one."""
        raise AlsoNotImplementedError("H5Dict has no update", fix="set the values one by one", problem=Problem.USAGE)

    def close(self) -> None:
        """Writes a file, and closes it where the constructor opened it."""
        if isinstance(self.data, h5py.Group):
            self.data.file.flush()
        if self._is_file:
            self.data.close()

    def __enter__(self) -> H5Dict:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


h5dict = H5Dict


def load_from_binary_h5py(load_function: Callable[[Any], Any], stream: Any) -> Any:
    """What `load_function` returns for the HDF5 file whose bytes `stream.read()` gives."""
    with h5py.File(io.BytesIO(stream.read()), "r") as file:
        return load_function(file)


def save_to_binary_h5py(save_function: Callable[[Any], Any], stream: Any) -> Any:
    """Calls `save_function` on a new HDF5 file, and writes its bytes to `stream`. Returns what the function returns."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        result = save_function(file)
    stream.write(content.getvalue())
    return result


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _mark(key: str) -> str:
    """The key that says that the value of `key` is pickled."""
    return f"_{key}_pickled"
