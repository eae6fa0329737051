"""Input: the symbol that a model in Python begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.float_settings import floatx
from ..errors import KconvertError, Problem
from .calls import Symbol
from .core import InputLayer
from .names import next_name


def Input(
    shape: Sequence[int | None] | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str = "",
    dtype: str | None = None,
    sparse: bool = False,
    tensor: Any = None,
) -> Symbol:
    """The symbol of an input of a model.

    shape: without the batch axis; batch_shape: with the batch axis. Sizes that vary from batch to batch are None.
    dtype: by default float32. tensor: a variable or an expression of `keras.backend` that the input always is, which
    is not given to the methods of the model; or a symbol that the input is computed from where `keras.backend.function`
    computes it. sparse: the model takes sparse matrices of SciPy, as every model does, and makes
    them dense. Raises KconvertError without a shape.

    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    if tensor is not None:
        batch_shape = tensor.shape
    if shape is None and batch_shape is None:
        raise KconvertError("Input needs a shape", fix="Input(shape=(784,))", problem=Problem.USAGE)
    sizes = tuple(batch_shape) if batch_shape is not None else (None, *(shape or ()))
    layer = InputLayer(
        sparse=sparse, batch_input_shape=sizes, dtype=dtype or floatx(), name=name or next_name("InputLayer")
    )
    layer.note_input(tensor)
    return layer.inbound[0].outputs[0]
