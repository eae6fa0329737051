"""Networks written in Python: from symbols to a graph, and from a graph to symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..errors import KconvertError, Problem
from ..layers import InputLayer, Layer
from ..layers.calls import Call, Symbol, as_symbols, calls_behind
from ..layers.names import name_layers
from .graph import Node, Ref, first_call
from .network import Network


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
    layer.inbound.append(Call(layer, shapes=(sizes,)))
    return Symbol(layer.inbound[0], 0)


def graph_between(inputs: Any, outputs: Any) -> dict[str, Any]:
    """The graph between symbols, as the arguments of `Network`.

    Layers without a name get one: `dense_1`, `dense_2`, ... in the order of their calls. Raises KconvertError
    where the outputs need a symbol that is not among the inputs.
    """
    starts, ends = _checked(inputs), _checked(outputs)
    calls = calls_behind([*ends, *starts])
    layers = list({id(call.layer): call.layer for call in calls}.values())
    name_layers(layers)
    _refuse_open_ends(starts, calls)
    counts: Counter[str] = Counter()
    refs, nodes = {}, []
    for call in calls:
        name = call.layer.name
        refs[call] = Ref(name, first_call(call.layer) + counts[name])
        counts[name] += 1
        taken = tuple(refs[s.call]._replace(tensor=s.index) for s in call.inputs)
        nodes.append(Node(name, refs[call].node, taken, call.arguments))
    ends_of = {"input_refs": starts, "output_refs": ends}
    found = {key: [refs[s.call]._replace(tensor=s.index) for s in symbols] for key, symbols in ends_of.items()}
    return {"layers": layers, "nodes": nodes, **found}


def _checked(symbols: Any) -> list[Symbol]:
    found = as_symbols(symbols)
    for symbol in found:
        if not isinstance(symbol, Symbol):
            raise KconvertError(
                f"Model takes symbols, not {type(symbol).__name__}",
                fix="give what Input(...) and layers called on it gave",
                problem=Problem.USAGE,
            )
    return found


def _refuse_open_ends(starts: Sequence[Symbol], calls: Sequence[Call]) -> None:
    """Refuses a graph with an Input that is not among the inputs, or with an input that is no Input."""
    entries = [symbol.call for symbol in starts]
    missing = [call.layer.name for call in calls if not call.inputs and call not in entries]
    if missing or any(call.inputs for call in entries):
        raise KconvertError(
            f"the outputs need {missing[0]}, which is not among the inputs" if missing else "an input is no Input(...)",
            fix="give every Input(...) that the outputs come from as an input of the model",
            problem=Problem.USAGE,
        )


def symbols_of(network: Network) -> dict[Ref, Symbol]:
    """The symbol of every tensor of a graph: its layers are called on them, as a user would.

    A layer that was called on the same symbols before is not called again.
    """
    shapes = network.shapes()
    symbols: dict[Ref, Symbol] = {}
    known: set[Call] = set()
    for node in network.nodes:
        inputs = tuple(symbols[ref] for ref in node.inputs)
        own = tuple(shape for ref, shape in shapes.items() if ref.call == node.output.call)
        call = _call_on(network.by_name[node.layer], inputs, own, node.kwargs, known)
        known.add(call)
        symbols.update((Ref(node.layer, node.index, i), symbol) for i, symbol in enumerate(call.outputs))
    return symbols


def _call_on(layer: Layer, inputs: tuple[Symbol, ...], shapes: Any, arguments: Any, known: set[Call]) -> Call:
    """The call of `layer` on `inputs` that is not among the `known` ones; a new one where there is none."""
    for call in layer.inbound:
        if call.inputs == inputs and call.shapes == shapes and call not in known:
            return call
    layer.inbound.append(Call(layer, inputs, shapes, arguments))
    return layer.inbound[-1]
