"""The functions of `keras.backend` that describe a tensor: its sizes, its type and its kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import functions as F
from ...backend.computing import is_computing
from ...backend.float_settings import floatx
from ...errors import KconvertError, Problem
from ...layers.calls import Symbol
from ...layers.deferred import Deferred, Variable, WeightValue, is_native
from ...layers.operations import Operation
from ...models.training.hyperparameters import Hyperparameter
from .variables import get_value


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The sizes of `x`: integers where they are known, else None."""
    if isinstance(x, (Symbol, Deferred)):
        return tuple(x.shape)
    if is_native(x) and not is_computing():
        return tuple(get_value(x).shape)
    return F.int_shape(x) if is_computing() else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(int_shape(x)) if not is_computing() or isinstance(x, Deferred) else F.ndim(x)


def dtype(x: Any) -> str:
    """The name of the type of the elements."""
    if isinstance(x, Hyperparameter):
        return floatx()
    found = x.dtype
    return str(getattr(found, "name", found))


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is what a layer returned: no placeholder, and not what a function of this module returned.

    Raises KconvertError for what is no symbol at all.
    """
    if not isinstance(x, (Symbol, Deferred)):
        raise KconvertError(f"{type(x).__name__} is not a symbol or a variable", problem=Problem.USAGE)
    made_by = x.call.layer if isinstance(x, Symbol) else None
    return not (made_by is None or isinstance(made_by, Operation) or getattr(made_by, "is_placeholder", False))


def is_placeholder(x: Any) -> bool:
    """Whether `x` is the symbol of an input."""
    return isinstance(x, Symbol) and not x.call.inputs


def is_variable(x: Any) -> bool:
    """Whether `x` is a variable."""
    return isinstance(x, (Variable, WeightValue)) or is_native(x)


def is_tensor(x: Any) -> bool:
    """Whether `x` stands for a tensor."""
    return isinstance(x, (Symbol, Deferred)) or is_native(x)


def get_variable_shape(x: Any) -> tuple[int | None, ...]:
    """The sizes of a variable."""
    return int_shape(x)
