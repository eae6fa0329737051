"""The weights of a layer or a model, as `get_weights`, `set_weights` and `weights` of it show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend.base import Variable
from ..layers import InputLayer, Layer
from ..layers.weights import held_by
from ..network.graph import Node, Ref, first_call
from ..network.network import Network
from .runtime import Runtime
from .training.executor import trained_paths


class LayerWeights:
    """The weights of a network that runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        runtime.start()

    @property
    def variables(self) -> Sequence[Variable]:
        """The variables of the backend, in the order of Keras."""
        return [self._runtime.variables[path] for path in self._runtime.paths()]

    @property
    def named(self) -> Sequence[tuple[str, Variable]]:
        """The name and the variable of each weight."""
        return [(path[-1], self._runtime.variables[path]) for path in self._runtime.paths()]

    @property
    def trained(self) -> Sequence[bool]:
        """For each variable, whether training changes it."""
        trained = set(trained_paths(self._runtime.network))
        return [path in trained for path in self._runtime.paths()]

    def get(self) -> list[np.ndarray]:
        """The arrays, in the order and in the form of the Keras that the layer is of."""
        return self._runtime.get_weights()

    def set(self, arrays: Sequence[Any]) -> None:
        """Sets the arrays. Raises KconvertError where number or shapes differ."""
        self._runtime.set_weights(arrays)


def _alone(layer: Layer) -> Network:
    """A network of one layer, called on inputs as in its first call, or as it was built for."""
    shapes = layer.shapes_of_weights or []
    entries = [InputLayer(batch_input_shape=shape, name=f"{layer.name}_input_{i}") for i, shape in enumerate(shapes)]
    ends = [Ref(entry.name) for entry in entries]
    call = Node(layer.name, first_call(layer), tuple(ends))
    network = Network([*entries, layer], [*(Node(end.layer, 0, ()) for end in ends), call], ends, [call.output])
    network.generation = layer.generation
    return network


held_by(lambda layer: LayerWeights(Runtime(_alone(layer))))
