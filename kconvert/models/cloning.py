"""clone_model: a model of the same architecture with weights of its own."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ..layers.calls import as_symbols
from ..layers.operators import Operators
from .model import Model


def clone_model(model: Model, input_tensors: Any = None) -> Model:
    """A model with the same layers under the same names, new initial weights, and the same backend; not compiled.

    input_tensors: symbols to call the new layers on; the model then takes these as its inputs. A variable or an
    expression becomes an input that is always this.
    """
    made: Model = deepcopy(model)
    _forget_weights(made)
    if input_tensors is None:
        return made
    inputs = [one for value in as_symbols(input_tensors) for one in Operators.as_inputs([value])]
    return Model(inputs, made(inputs if len(inputs) > 1 else inputs[0]))


def _forget_weights(model: Model) -> None:
    """Gives every layer of a copy, and every model in it, no weights."""
    for leaf in model.weight_table():
        leaf.layer.entry = None
    model.restart()
    for layer in model.sublayers:
        if isinstance(layer, Model):
            _forget_weights(layer)
