"""Functions that make tensors, and change their dtypes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from ..base import Tensor
from ..computing import VARIABLES, current_backend
from ..float_settings import floatx
from .shapes import shape, sizes_of


def constant(value: Any, dtype: str | None = None, shape: Sequence[int] | None = None, name: str = "") -> Tensor:
    """A tensor with the values of a number or an array; one of another shape is reshaped, or else broadcast."""
    array = np.asarray(value)
    if shape is not None:
        sizes = tuple(shape)
        array = array.reshape(sizes) if array.size == np.prod(sizes) else np.broadcast_to(array, sizes)
    return current_backend().constant(array, dtype or floatx())


def variable(value: Any, dtype: str | None = None, name: str | None = None) -> Tensor:
    """A variable that `build` of a layer makes; elsewhere a constant."""
    make = VARIABLES.get(None)
    return make(value, name) if make else constant(value, dtype)


def zeros(shape: Sequence[Any], dtype: str | None = None, name: str = "") -> Tensor:
    """A tensor of zeros. shape: its sizes, or a tensor with its sizes."""
    return current_backend().zeros(sizes_of(shape), dtype or floatx())


def ones(shape: Sequence[Any], dtype: str | None = None, name: str = "") -> Tensor:
    """A tensor of ones. shape: its sizes, or a tensor with its sizes."""
    return cast(zeros(shape) + 1.0, dtype or floatx())


def zeros_like(x: Tensor, dtype: str | None = None, name: str = "") -> Tensor:
    """Zeros with the shape of `x`."""
    return cast(zeros(shape(x)), dtype or floatx())


def ones_like(x: Tensor, dtype: str | None = None, name: str = "") -> Tensor:
    """Ones with the shape of `x`."""
    return cast(zeros(shape(x)) + 1.0, dtype or floatx())


def arange(start: Any, stop: Any = None, step: float = 1, dtype: str = "int32") -> Tensor:
    """The numbers from `start` up to `stop`, which is left out. Where no `stop` is given: from 0 up to `start`.

    A size that is a tensor stands for an integer, and needs an integer as `step`.
    """
    K, (first, end) = current_backend(), (0, start) if stop is None else (start, stop)
    if all(isinstance(number, Real) for number in (first, end, step)):
        return K.constant(np.arange(first, end, step), dtype)
    size = (end - first + step - (1 if step > 0 else -1)) // step  # rounded up
    return K.cast(K.arange(size) * step + first, dtype)


def cast(x: Tensor, dtype: str) -> Tensor:
    """`x` with elements of `dtype`."""
    return current_backend().cast(x, dtype)


def cast_to_floatx(x: Any) -> Tensor:
    """`x` with elements of float32."""
    return cast(x, floatx())


def identity(x: Tensor, name: str | None = None) -> Tensor:
    """`x` itself."""
    return current_backend().identity(x)
