"""Builds graphs from the symbols that layers return, and symbols from a graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import AlsoRuntimeError, AlsoTypeError, KconvertError, Problem
from ..layers import InputLayer, Layer
from ..layers.calls import Call, Symbol, calls_behind, recorded
from ..layers.inputs import Input as Input
from ..layers.lists import items_of
from ..layers.names import name_layers
from .graph import Node, Ref, by_call, first_call
from .network import Network


def graph_between(inputs: Any, outputs: Any) -> dict[str, Any]:
    """The graph between symbols, as keyword arguments of `Network`.

    Layers without a name get one: `dense_1`, `dense_2`, ... in the order of their calls. Raises KconvertError where
    the outputs need a symbol that is not among the inputs.
    """
    input_symbols, output_symbols = _checked(inputs), _checked(outputs)
    ends = [symbol.call for symbol in input_symbols if isinstance(symbol.call.layer, InputLayer)]
    calls = calls_behind([*output_symbols, *input_symbols], ends)
    layers = list({id(call.layer): call.layer for call in calls}.values())
    name_layers(layers)
    _check_inputs(input_symbols, calls)
    counts: Counter[str] = Counter()
    refs: dict[Call, Ref] = {}
    nodes = []
    for call in calls:
        name = call.layer.name
        refs[call] = Ref(name, first_call(call.layer) + counts[name])
        counts[name] += 1
        before = () if call in ends else tuple(_refs_of(call.inputs, refs))
        nodes.append(Node(name, refs[call].node, before, call.arguments))
    input_refs, output_refs = _refs_of(input_symbols, refs), _refs_of(output_symbols, refs)
    return {"all_layers": layers, "nodes": nodes, "input_refs": input_refs, "output_refs": output_refs}


def _refs_of(symbols: Sequence[Symbol], refs: Mapping[Call, Ref]) -> list[Ref]:
    """The refs of symbols; refs: that of the first output of each call."""
    return [refs[symbol.call]._replace(tensor=symbol.index) for symbol in symbols]


def _checked(value: Any) -> list[Symbol]:
    """One symbol or a list of symbols as a list. Raises KconvertError for anything else."""
    symbols = items_of(value)
    for symbol in symbols:
        if not isinstance(symbol, Symbol):
            raise AlsoTypeError(
                f"Model takes symbols, not {type(symbol).__name__}",
                fix="pass the results of Input(...) and of layers called on them",
                problem=Problem.USAGE,
            )
    return symbols


def _check_inputs(inputs: Sequence[Symbol], calls: Sequence[Call]) -> None:
    """Raises KconvertError where an Input of the graph is not among the inputs, or an input is not an Input."""
    input_calls = [symbol.call for symbol in inputs]
    if repeated := [call.layer.name for i, call in enumerate(input_calls) if call in input_calls[:i]]:
        raise KconvertError(f"{repeated[0]} is given twice among the inputs", problem=Problem.USAGE)
    missing = [call.layer.name for call in calls if not call.inputs and call not in input_calls]
    if missing or any(not isinstance(call.layer, InputLayer) for call in input_calls):
        what = (
            f"the outputs need {missing[0]}, which is not among the inputs"
            if missing
            else "an input is not the result of Input(...)"
        )
        fix = "pass every Input(...) that the outputs depend on as an input of the model"
        raise AlsoRuntimeError(what, fix=fix, problem=Problem.USAGE)


def symbols_of(network: Network) -> dict[Ref, Symbol]:
    """The symbol of every tensor of a graph. The layers record the calls, as if the user had called them.

    A call that a layer has recorded before, on the same symbols, is used again.
    """
    shapes = network.shapes()
    refs = by_call(shapes)
    symbols: dict[Ref, Symbol] = {}
    used: set[Call] = set()
    for node in network.nodes:
        inputs = tuple(symbols[ref] for ref in node.inputs)
        outputs = tuple(shapes[ref] for ref in refs.get(node.output.call, []))
        call = _call_on(network.by_name[node.layer], inputs, outputs, node.kwargs, used)
        used.add(call)
        symbols.update((Ref(node.layer, node.index, i), symbol) for i, symbol in enumerate(call.outputs))
    return symbols


def known_symbols(network: Network, symbols: Mapping[Ref, Symbol]) -> dict[Symbol, Ref]:
    """The symbols whose values a run of `network` has, and its tensors.

    symbols: those of its tensors. A model inside it that is called on its own inputs computes its own outputs there.
    """
    known = {symbol: ref for ref, symbol in symbols.items()}
    for node in network.nodes:
        layer: Any = network.by_name[node.layer]
        if layer.is_network and [symbols[ref] for ref in node.inputs] == layer.inputs:
            known.update((symbol, Ref(node.layer, node.index, i)) for i, symbol in enumerate(layer.outputs))
    return known


def _call_on(layer: Layer, inputs: tuple[Symbol, ...], shapes: Any, arguments: Any, used: set[Call]) -> Call:
    """A recorded call of `layer` on `inputs` that is not in `used`, or a new one.

    inputs: empty for an InputLayer, whatever it is computed from. shapes: the shapes of the outputs. arguments: further
    arguments of the call.
    """
    for call in layer.inbound:
        if (call.inputs == inputs or not inputs) and call.shapes == shapes and call not in used:
            return call
    return recorded(Call(layer, inputs, shapes, arguments))
