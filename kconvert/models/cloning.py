"""clone_model: a model of the same architecture with new weights."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from ..errors import KconvertError, Problem
from ..layers.calls import Symbol
from ..layers.drawn import draw_again
from ..layers.lists import as_list, items_of, one_or_list
from ..layers.operators import Operators
from ..network.graph import Ref
from .model import Model
from .sequential import Sequential


def clone_model(model: Model, input_tensors: Any = None) -> Model:
    """A model with the same layers under the same names, new initial weights, and the same backend; not compiled.

    input_tensors: symbols to call the new layers on, which become the inputs of the model. A variable or an expression
    becomes an input with this fixed value.
    """
    if not isinstance(model, Model):
        raise KconvertError(f"{type(model).__name__} is not a model", problem=Problem.USAGE)
    made: Model = deepcopy(model)
    _forget_weights(made)
    if input_tensors is None:
        return made
    inputs = [one for value in items_of(input_tensors) for one in Operators.as_inputs([value])]
    _check_number(made, inputs)
    if isinstance(made, Sequential) and not inputs[0].call.inputs:
        return Sequential([inputs[0].call.layer, *made.layers], made.name)
    return Model(inputs, _called(made, inputs))


def _called(model: Model, inputs: Sequence[Symbol]) -> list[Symbol]:
    """The outputs of a model whose layers, which were not called before, are called on other inputs."""
    values = dict(zip(model.input_refs, inputs, strict=True))
    for node in model.nodes:
        if node.inputs:
            layer: Any = model.by_name[node.layer]
            outputs = layer(one_or_list([values[ref] for ref in node.inputs]), **node.kwargs)
            values.update((Ref(node.layer, node.index, i), one) for i, one in enumerate(as_list(outputs)))
    return [values[ref] for ref in model.output_refs]


def _check_number(model: Model, inputs: Sequence[Symbol]) -> None:
    if len(inputs) != len(model.input_refs):
        what = f"{len(inputs)} tensors were given for {len(model.input_refs)} inputs"
        raise KconvertError(what, model.name, problem=Problem.USAGE)


def _forget_weights(model: Model) -> None:
    """Gives every layer of a copy, and every model in it, no weights."""
    for leaf in model.weight_table():
        leaf.layer.entry = None
        draw_again(leaf.layer, leaf.weights)
    model.restart()
    for layer in model.sublayers:
        if isinstance(layer, Model):
            _forget_weights(layer)
