"""Sets the input shapes of a network whose architecture leaves sizes free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..arguments import argument
from ..errors import KconvertError, Problem
from ..layers.base import Shape
from ..layers.component_names import stated
from .network import Network
from .rewrite import as_first, changed, rebuilt
from .sequential import Sequential

InputShape = Sequence[int] | Mapping[str, Sequence[int]]
"""The shape of the one input, without the batch axis, or the shapes by the names of inputs."""

LARGEST = 2**28
"""The largest number of elements of a sample."""


def check_input_shape(given: InputShape) -> None:
    """Raises KconvertError where sizes are not positive integers, or too large to run."""
    for shape in given.values() if isinstance(given, Mapping) else [given]:
        sizes: Any = list(shape) if isinstance(shape, (list, tuple)) else []
        if not sizes or not all(map(_is_size, sizes)):
            raise _wrong(f"an input shape consists of positive integers, and not of {shape!r}")
        if prod(map(int, sizes)) > LARGEST:
            raise _wrong(f"an input of shape {tuple(sizes)} has more than {LARGEST} elements")


def _is_size(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value > 0)


def with_input_shape(network: Network, given: InputShape) -> Network:
    """`network` with inputs of the sizes that are given; the batch axis stays as it is.

    Raises KconvertError where a shape contradicts what the network states, or names no input.
    """
    check_input_shape(given)
    names = [ref.layer for ref in network.input_refs]
    if not isinstance(given, Mapping):
        if len(names) != 1:
            raise _wrong(f"{network.name} has several inputs: {', '.join(names)}")
        given = {names[0]: given}
    unknown = [name for name in given if name not in names]
    if unknown:
        raise _wrong(f"{network.name} has no input {unknown[0]!r}, but {', '.join(names)}")
    shapes = {
        name: _fixed(name, stated, given[name])
        for name, stated in zip(names, network.input_shapes, strict=True)
        if name in given
    }
    return with_known_sizes(network, shapes)


def _fixed(name: str, stated: Shape, given: Sequence[int]) -> Shape:
    batch, *sizes = stated
    if len(sizes) != len(given) or any(n not in (None, m) for n, m in zip(sizes, given, strict=True)):
        raise _wrong(f"the input {name} has the shape {tuple(sizes)}, not {tuple(given)} (None is free)")
    return (batch, *map(int, given))


def with_known_sizes(network: Network, shapes: Mapping[str, Shape]) -> Network:
    """`network` with inputs of the shapes that are given by name."""
    if not isinstance(network, Sequential):
        sized = {name: changed(network.by_name[name], batch_input_shape=shape) for name, shape in shapes.items()}
        return rebuilt(network, {**network.by_name, **sized})
    (shape,) = shapes.values()
    first, *rest = network.sublayers
    if isinstance(first, Network):
        first = with_known_sizes(first, {first.input_refs[0].layer: shape})
    else:
        first = as_first(first, shape, stated(network.input_layers[0], "dtype"))
    return Sequential([first, *rest], name=network.name, trainable=network.trainable)


def _wrong(what: str) -> KconvertError:
    shape = (224, 224, 3)
    fix = f"give {argument('input_shape', shape, {'NAME': shape})}"
    return KconvertError(what, fix=fix, problem=Problem.USAGE)
