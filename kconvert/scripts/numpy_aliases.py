"""Names that NumPy had when Keras 1 and 2 were current, for scripts that use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def asscalar(array: Any) -> Any:
    """The only element of an array as a Python number."""
    return np.asarray(array).item()


ALIASES: dict[str, tuple[Any, str]] = {
    "bool": (bool, "bool"),
    "int": (int, "int"),
    "float": (float, "float"),
    "complex": (complex, "complex"),
    "object": (object, "object"),
    "str": (str, "str"),
    "long": (int, "int"),
    "unicode": (str, "str"),
    "asscalar": (asscalar, "array.item()"),
    "float_": (np.float64, "np.float64"),
    "product": (np.prod, "np.prod"),
    "cumproduct": (np.cumprod, "np.cumprod"),
    "sometrue": (np.any, "np.any"),
    "alltrue": (np.all, "np.all"),
    "in1d": (np.isin, "np.isin"),
    "Inf": (np.inf, "np.inf"),
    "infty": (np.inf, "np.inf"),
    "NaN": (np.nan, "np.nan"),
}
"""Each name, its object, and the current spelling."""


@contextmanager
def numpy_aliases() -> Iterator[None]:
    """In the block, NumPy has the names that it lacks."""
    missing = {name: value for name, (value, _) in ALIASES.items() if name not in np.__dict__}
    for name, value in missing.items():
        setattr(np, name, value)
    try:
        yield
    finally:
        for name in missing:
            delattr(np, name)
