"""Layers called on symbols: how a model is written in Python.

    x = Input((784,))
    y = Dense(10)(Dense(512, activation="relu")(x))
    model = Model(x, y)

A symbol is a tensor without values: it knows its shape and the call that made it. `Model` follows the calls
back from its outputs; layers keep nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from ..errors import KconvertError, Problem

if TYPE_CHECKING:
    from .base import Layer, Shape

_numbers = count()

INPUT_WORDS = frozenset({"input_shape", "input_dim", "input_length", "batch_size"})
"""The ways to say the shape of a layer's input, beside `batch_input_shape`."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer; no inputs for an InputLayer. number: calls made later have greater ones."""

    layer: Layer
    inputs: tuple[Symbol, ...] = ()
    number: int = field(default_factory=lambda: next(_numbers))


@dataclass(frozen=True, eq=False)
class Symbol:
    """Output `index` of a call, of a shape with the batch axis."""

    call: Call
    index: int
    shape: Shape


def call(layer: Layer, inputs: Symbol | Sequence[Symbol], initial_state: Any = None) -> Any:
    """The outputs of `layer` for `inputs`: a symbol, or a list of several.

    initial_state: a symbol or a list of them, for recurrent layers. Raises KconvertError where an input is none,
    or where the layer cannot take it.
    """
    states = [] if initial_state is None else as_symbols(initial_state)
    given = [*as_symbols(inputs), *states]
    odd = [item for item in given if not isinstance(item, Symbol)]
    if odd or not given:
        raise KconvertError(
            f"a {layer.class_name} layer was called on {type(odd[0] if odd else inputs).__name__}, which is no symbol",
            fix="call it on what Input(...) or another layer gave; model.predict takes arrays",
            problem=Problem.USAGE,
        )
    shapes = [symbol.shape for symbol in given]
    taken = shapes if len(shapes) > 1 else shapes[0]
    try:
        found = layer.compute_output_shape(taken)
        layer.weight_specs(taken)
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise KconvertError(
            f"a {layer.class_name} layer cannot take an input of shape {taken}", problem=Problem.USAGE
        ) from error
    made = Call(layer, tuple(given))
    outputs = [Symbol(made, i, tuple(shape)) for i, shape in enumerate(found if isinstance(found, list) else [found])]
    return outputs if len(outputs) > 1 else outputs[0]


def as_symbols(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def calls_behind(outputs: Sequence[Symbol]) -> list[Call]:
    """Every call that `outputs` need, in the order in which they were made."""
    found: dict[int, Call] = {}
    todo = [symbol.call for symbol in outputs]
    while todo:
        made = todo.pop()
        if made.number not in found:
            found[made.number] = made
            todo += [symbol.call for symbol in made.inputs]
    return [found[number] for number in sorted(found)]


def spelled_inputs(known: set[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`input_shape`, `input_dim`, `input_length` and `batch_size` as the one `batch_input_shape`.

    known: the arguments that the layer has itself.

    >>> spelled_inputs({"units"}, {"units": 4, "input_shape": (7, 3)})
    {'units': 4, 'batch_input_shape': (None, 7, 3)}
    """
    result = dict(arguments)
    own = {key: result.pop(key, None) for key in ("input_shape", "input_dim", "input_length") if key not in known}
    batch = result.pop("batch_size", None)
    shape = own.get("input_shape")
    if shape is None and own.get("input_dim") is not None:
        shape = (own["input_dim"],)
        if own.get("input_length") is not None:
            shape = (own["input_length"], *shape)
    if shape is not None:
        result["batch_input_shape"] = (batch, *((shape,) if isinstance(shape, int) else shape))
    return result
