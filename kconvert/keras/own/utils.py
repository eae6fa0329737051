"""Functions of `keras.utils` on arrays and files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from .folders import VARIABLE, data_folder, local


def to_categorical(y: Any, num_classes: int | None = None, dtype: str = "float32") -> np.ndarray:
    """Integer classes (...) or (..., 1) as one-hot vectors (..., num_classes).

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    classes = np.asarray(y, "int64")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    number = int(classes.max()) + 1 if num_classes is None else num_classes
    return np.eye(number, dtype=dtype)[classes]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` with the vectors along `axis` scaled to length 1; vectors of length 0 stay."""
    lengths = np.atleast_1d(np.linalg.norm(x, order, axis))
    lengths[lengths == 0] = 1
    return x / np.expand_dims(lengths, axis)


def get_file(fname: str, origin: str, *args: Any, cache_subdir: str = "datasets", **kwargs: Any) -> str:
    """The path of the file `fname`, in the folder of the data sets. Raises KconvertError where it is not there.

    Nothing is downloaded: origin, and the options of a download, have no effect. cache_subdir: the folder beside
    `datasets` that the file is in; an absolute `fname` is taken as it is.
    """
    below = cache_subdir.removeprefix("datasets").strip("/")
    beside = [] if cache_subdir.startswith("datasets") else [f"../{cache_subdir}/{fname}"]
    if found := local(fname, f"{below}/{fname}" if below else fname, *beside):
        return str(found)
    raise KconvertError(
        f"the file {fname!r} would be downloaded from {origin}, and kconvert does not use the network",
        fix=f"put it into {data_folder()}, or name another folder by the environment variable {VARIABLE}",
        problem=Problem.UNREADABLE,
    )


def validate_file(fpath: str, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535) -> bool:
    """Whether a file has the checksum `file_hash`.

    algorithm: 'sha256', 'md5', or 'auto', which takes the one that has so many digits.
    """
    name = "sha256" if algorithm == "sha256" or (algorithm == "auto" and len(file_hash) == 64) else "md5"
    digest = hashlib.new(name)
    with Path(fpath).open("rb") as file:
        while block := file.read(chunk_size):
            digest.update(block)
    return digest.hexdigest() == file_hash
