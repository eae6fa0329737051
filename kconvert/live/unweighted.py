"""Compares layers without weights in a live model and in a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from .. import layers as L
from ..conversion.passes.left_out import every
from ..layers.regularization import Transparent
from ..network.network import Network
from .description import activation_of, options_of

PASSING = (Transparent, L.InputLayer, L.Flatten, L.Reshape, L.Permute)
"""Layers that compute nothing; other differences show in the shapes of weights."""

SHOWN = 60  # characters of an option that a note shows: the code of a Lambda has more

Operation = tuple[str, str]
"""The class of a layer and its options, as JSON."""


def unweighted(made: Network, live: Network, activations: bool = True) -> Iterator[str]:
    """Layers without weights that only one of two networks has.

    made: what a conversion for the live model makes of the file. activations: whether to compare those too, wherever
    they are stated. The layers are counted by class and options; their order and their inputs are not compared.
    """
    ours, theirs = (Counter(_operations(one, activations)) for one in (made, live))
    only_file, only_model = (", ".join(_said(one) for one in found) for found in (ours - theirs, theirs - ours))
    if only_file or only_model:
        yield (
            f"the file has {only_file or 'nothing'} where the model has {only_model or 'nothing'}: the model computes"
            " something else than the file"
        )


def _operations(network: Network, activations: bool) -> Iterator[Operation]:
    weighted = {id(leaf.layer) for leaf in network.weight_table() if leaf.weights}
    for layer in every(network):
        if layer.sublayers or isinstance(layer, PASSING):
            continue
        name, options = options_of(layer)
        activation = activation_of(layer)
        if activations and activation not in (None, "linear"):
            yield "Activation", json.dumps({"activation": activation})
        elif id(layer) not in weighted and activation is None:
            yield name, json.dumps(options, sort_keys=True)


def _said(operation: Operation) -> str:
    name, options = operation
    shown = [f"{key}={value!r}" for key, value in json.loads(options).items()]
    return f"{name}({', '.join(option for option in shown if len(option) <= SHOWN)})"
