"""Layers called on symbols: how a model is written in Python.

    x = Input((784,))
    y = Dense(10)(Dense(512, activation="relu")(x))
    model = Model(x, y)

A symbol is a tensor without values: it knows its shape and the call that gave it. `Model` follows the calls back from
its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from ..errors import KconvertError, Problem
from .lists import one_or_list

_numbers = count()

INPUT_WORDS = frozenset({"input_shape", "input_dim", "input_length", "batch_size"})
"""The ways to state the shape of a layer's input, beside `batch_input_shape`."""


class CalledLayer(Protocol):
    """What a call needs of a layer."""

    name: str

    @property
    def inbound(self) -> list[Call]: ...

    @property
    def class_name(self) -> str: ...

    def compute_output_shape(self, shape: Any) -> Any: ...

    def weight_specs(self, shape: Any) -> Any: ...


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer."""

    layer: Any
    # None for an InputLayer.
    inputs: tuple[Symbol, ...] = ()
    # The shapes of the outputs, with the batch axis.
    shapes: tuple[tuple[int | None, ...], ...] = ()
    # Further arguments of the call, which are kept.
    arguments: Mapping[str, Any] = field(default_factory=dict)
    # Later calls have greater numbers.
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def outputs(self) -> list[Symbol]:
        return [Symbol(self, i) for i in range(len(self.shapes))]

    @property
    def input(self) -> Any:
        """The input, or the list of them; that of an InputLayer is its output."""
        return one_or_list(list(self.inputs) or self.outputs)

    @property
    def output(self) -> Any:
        """The output, or the list of them."""
        return one_or_list(self.outputs)


@dataclass(frozen=True)
class Symbol:
    """Output number `index` of a call."""

    call: Call
    index: int

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape with the batch axis."""
        return self.call.shapes[self.index]


def shapes_of(symbols: Any) -> Any:
    """The shape of a symbol, or the shapes of a list of them."""
    return [symbol.shape for symbol in symbols] if isinstance(symbols, list) else symbols.shape


def call(layer: CalledLayer, inputs: Symbol | Sequence[Symbol], initial_state: Any = None) -> Any:
    """Calls `layer` on `inputs`; gives a symbol, or the list of them where the layer has several outputs.

    initial_state: a symbol or a list of them, for recurrent layers. Raises KconvertError where an input is not a
    symbol, or where the layer cannot take it.
    """
    states = [] if initial_state is None else as_symbols(initial_state)
    given = [*as_symbols(inputs), *states]
    odd = [item for item in given if not isinstance(item, Symbol)]
    if odd or not given:
        kind = type(odd[0] if odd else inputs).__name__
        raise KconvertError(
            f"a {layer.class_name} layer was called on {kind}, which is not a symbol",
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
    outputs = found if isinstance(found, list) else [found]
    layer.inbound.append(Call(layer, tuple(given), tuple(tuple(shape) for shape in outputs)))
    return layer.inbound[-1].output


def as_symbols(value: Any) -> list[Any]:
    """A list or tuple of symbols as a list, one symbol as a list of one."""
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


def input_arguments(known: set[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`input_shape`, `input_dim`, `input_length` and `batch_size` as the one `batch_input_shape`.

    known: the arguments that the layer has itself.

    >>> input_arguments({"units"}, {"units": 4, "input_shape": (7, 3)})
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
