"""Input: the symbol that a model in Python begins with."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import KconvertError, Problem
from .calls import Call, Symbol
from .core import InputLayer
from .names import next_name


def Input(
    shape: Sequence[int | None] | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str = "",
    dtype: str | None = None,
) -> Symbol:
    """The symbol of an input of a model.

    shape: without the batch axis; batch_shape: with the batch axis. Sizes that vary from batch to batch are None.
    dtype: by default float32. Raises KconvertError without a shape.

    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    if shape is None and batch_shape is None:
        raise KconvertError("Input needs a shape", fix="Input(shape=(784,))", problem=Problem.USAGE)
    sizes = tuple(batch_shape) if batch_shape is not None else (None, *(shape or ()))
    layer = InputLayer(batch_input_shape=sizes, dtype=dtype or "float32", name=name or next_name("InputLayer"))
    layer.inbound.append(Call(layer, shapes=(sizes,)))
    return Symbol(layer.inbound[0], 0)
