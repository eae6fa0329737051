"""Functions of `keras.utils` on arrays."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ...errors import KconvertError, Problem


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


def get_file(fname: str, origin: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises KconvertError: nothing is downloaded."""
    raise KconvertError(
        f"the file {fname!r} would be downloaded from {origin}, and kconvert does not use the network",
        fix="download it, and give its path to the function that reads it",
        problem=Problem.UNREADABLE,
    )
