"""Models written in Python: from symbols to a graph, and names for layers that were given none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import KconvertError, Problem
from ..layers import InputLayer, Layer
from ..layers.calls import Call, Symbol, as_symbols, calls_behind


def Input(
    shape: Sequence[int | None] | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str = "",
    dtype: str | None = None,
) -> Symbol:
    """The symbol that a model starts from.

    shape: without the batch axis; batch_shape: with it. None for sizes that vary from batch to batch.

    >>> Input((28, 28, 1)).shape
    (None, 28, 28, 1)
    """
    if shape is None and batch_shape is None:
        raise KconvertError("Input needs a shape", fix="Input(shape=(784,))", problem=Problem.USAGE)
    sizes = tuple(batch_shape) if batch_shape is not None else (None, *(shape or ()))
    layer = InputLayer(batch_input_shape=sizes, dtype=dtype or "float32", name=name)
    return Symbol(Call(layer), 0, sizes)


def traced(inputs: Any, outputs: Any) -> dict[str, Any]:
    """The graph between symbols, as the arguments of `Model`.

    Layers without a name get one: `dense_1`, `dense_2`, ... in the order of their calls. Raises KconvertError
    where the outputs need a symbol that is not among the inputs.
    """
    from .network import Node, Ref, first_call

    starts, ends = as_symbols(inputs), as_symbols(outputs)
    for symbol in (*starts, *ends):
        if not isinstance(symbol, Symbol):
            raise KconvertError(
                f"Model takes symbols, not {type(symbol).__name__}",
                fix="what Input(...) and layers called on it give",
                problem=Problem.USAGE,
            )
    made = calls_behind([*ends, *starts])
    layers = list({id(call.layer): call.layer for call in made}.values())
    name_layers(layers)
    stray = [call.layer.name for call in made if not call.inputs and call not in [s.call for s in starts]]
    if stray or any(symbol.call.inputs for symbol in starts):
        raise KconvertError(
            f"the outputs need {stray[0]}, which is not among the inputs" if stray else "an input is no Input(...)",
            fix="give every Input(...) that the outputs come from as an input of the model",
            problem=Problem.USAGE,
        )
    counts: Counter[str] = Counter()
    refs, nodes = {}, []
    for call in made:
        name = call.layer.name
        refs[call] = Ref(name, first_call(call.layer) + counts[name])
        counts[name] += 1
        nodes.append(Node(name, refs[call].node, tuple(refs[s.call]._replace(tensor=s.index) for s in call.inputs)))
    ends_of = {"input_refs": starts, "output_refs": ends}
    found = {key: [refs[s.call]._replace(tensor=s.index) for s in symbols] for key, symbols in ends_of.items()}
    return {"layers": layers, "nodes": nodes, **found}


def name_layers(layers: Iterable[Layer]) -> None:
    """Gives names to those that have none: that of the class and a number, `max_pooling2d_1`."""
    layers = list(layers)
    taken = {layer.name for layer in layers}
    for layer in layers:
        if not layer.name:
            layer.name = free_name(layer, taken)
            taken.add(layer.name)
        inner = getattr(layer, "layer", None)
        if isinstance(inner, Layer) and not inner.name:
            inner.name = free_name(inner, set())
            layer.__post_init__()  # type: ignore[attr-defined]  # a wrapper names its copies after it


def free_name(layer: Layer, taken: set[str]) -> str:
    """The first of `dense_1`, `dense_2`, ... that is not taken.

    >>> from kconvert.layers import BatchNormalization, Conv2DTranspose
    >>> free_name(BatchNormalization(), set()), free_name(Conv2DTranspose(4, 3), {"conv2d_transpose_1"})
    ('batch_normalization_1', 'conv2d_transpose_2')
    """
    stem = "input" if isinstance(layer, InputLayer) else snake_case(layer.class_name)
    number = 1
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def snake_case(name: str) -> str:
    """A class name as Keras makes layer names of it.

    >>> snake_case("SimpleRNN"), snake_case("MaxPooling2D"), snake_case("GRU")
    ('simple_rnn', 'max_pooling2d', 'gru')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z0-9])(?=[A-Z][a-z])", "_", name).lower()
