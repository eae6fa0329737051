"""`floatx`, the type of floats, and `epsilon`, which Keras adds to denominators. `keras.backend` sets both."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..errors import KconvertError, Problem
from .context import assigned

FLOAT_TYPES = ("float16", "float32", "float64")
"""The types that `floatx` may be."""


class _State:
    """The settings."""

    epsilon = 1e-7
    floatx = "float32"


_EPSILON: ContextVar[float | None] = ContextVar("epsilon", default=None)
_FLOATX: ContextVar[str | None] = ContextVar("floatx", default=None)
"""Within a block: what `epsilon` and `floatx` give there, whatever is set."""


def epsilon() -> float:
    """The number that is added to denominators and to the arguments of logarithms: 1e-7 unless another one is set."""
    kept = _EPSILON.get()
    return _State.epsilon if kept is None else kept


def set_epsilon(e: float) -> None:
    """Sets the number. Graphs that are already built, and optimizers that exist, keep theirs, as in Keras."""
    _State.epsilon = float(e)


def keeping_epsilon(value: float) -> AbstractContextManager[None]:
    """In the block, the number is `value`, whatever is set."""
    return assigned(_EPSILON, value)


def floatx() -> str:
    """The type of floats: that of the network that is computed, else that which is set, 'float32' by default."""
    return _FLOATX.get() or _State.floatx


def as_float(x: Any) -> Any:
    """A NumPy number of the type `floatx`."""
    return np.dtype(floatx()).type(x)


def set_floatx(floatx: str) -> None:
    """Sets the type of variables and layers that are made from now on and state none.

    floatx: 'float16', 'float32' or 'float64'. Raises KconvertError for another word.
    """
    if floatx not in FLOAT_TYPES:
        fix = f"one of: {', '.join(FLOAT_TYPES)}"
        raise KconvertError(f"unknown type of floats {floatx!r}", fix=fix, problem=Problem.USAGE)
    _State.floatx = str(floatx)


def widest(types: Iterable[str]) -> str:
    """The type in which tensors of these types are computed together: float64 where it is among them, else float32."""
    return "float64" if "float64" in types else "float32"


def keeping_floatx(value: str) -> AbstractContextManager[None]:
    """In the block, the type is `value`, whatever is set."""
    return assigned(_FLOATX, value)
