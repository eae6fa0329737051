"""The weights of a layer or a model, for its `get_weights`, `set_weights` and `weights`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..backend.base import Backend, Variable
from ..conventions.generations import Convention
from ..conversion.binding import Place, bind, leaf_storage, places
from ..conversion.gates import set_gates
from ..conversion.given_architecture import by_arrays
from ..conversion.source import Origin
from ..errors import KconvertError, Problem
from ..formats.checkpoint import Checkpoint, Group, InMemory
from ..layers import InputLayer, Layer
from ..layers.base import layer_config
from ..layers.deferred import ShownWeight, WeightValue
from ..layers.registry import layer_from_config
from ..layers.weights import held_by
from ..network.graph import Node, Ref, first_call
from ..network.nested import nest
from ..network.network import Network
from .runtime import Runtime
from .store import run_convention
from .training import regularizers
from .training.executor import regularizer_of, trained_paths


class LayerWeights:
    """The weights of a network that runs."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        runtime.start()

    @property
    def backend(self) -> Backend:
        """The backend of the variables."""
        return self._runtime.start()

    @property
    def variables(self) -> Sequence[Variable]:
        """The variables in the order of Keras, each in the form that the layer's release of Keras uses."""
        goal, variables = self._runtime.shown_convention(), self._runtime.variables
        return [_shown(place, variables[place.path], goal) for place in self._runtime.shown_places()]

    @property
    def named(self) -> Sequence[tuple[str, Variable]]:
        """The name and the variable of each weight."""
        return [(path[-1], self._runtime.variables[path]) for path in self._runtime.paths()]

    @property
    def trained(self) -> Sequence[bool]:
        """For each variable, whether training changes it."""
        trained = set(trained_paths(self._runtime.network))
        return [place.path in trained for place in self._runtime.shown_places()]

    @property
    def penalties(self) -> Sequence[Any]:
        """The penalties of the regularizers of the weights: expressions that are added to the loss."""
        specs = {
            (*leaf.path, weight.name): regularizers.get(regularizer_of(leaf, weight))
            for leaf in self._runtime.network.weight_table()
            for weight in leaf.weights
        }
        pairs = zip(self._runtime.shown_places(), self.variables, strict=True)
        return [specs[place.path](WeightValue.of(one)) for place, one in pairs if specs[place.path] is not None]

    def get(self) -> list[np.ndarray]:
        """The arrays, in the order and in the form of the layer's release of Keras."""
        return self._runtime.get_weights()

    def canonical(self) -> Mapping[str, np.ndarray]:
        """The arrays in canonical form, by the names of the weights."""
        K = self._runtime.start()
        stored = [
            (leaf.path + (one.weight.name,), one)
            for leaf in self._runtime.network.weight_table()
            for one in leaf_storage(leaf, run_convention(K))
        ]
        return {path[-1]: one.from_run.apply(K.value(self._runtime.variables[path]))[0] for path, one in stored}

    def tensors(self, K: Backend) -> dict[str, Any]:
        """The present values as tensors of `K`, nested by the names of layers and weights.

        Raises KconvertError where `K` computes in another convention than the backend of the variables.
        """
        held = self.backend
        if K.convention != held.convention:
            what = f"a layer that runs on {held.convention} is called while {K.convention} computes"
            raise KconvertError(what, f"layer {self._runtime.network.name}", "use one backend", Problem.USAGE)
        variables = self._runtime.variables.items()
        if K.name == held.name:
            return nest((path, K.identity(variable)) for path, variable in variables)
        return nest((path, K.constant(held.value(variable))) for path, variable in variables)

    def set(self, arrays: Sequence[Any]) -> None:
        """Sets the arrays. Raises KconvertError where number or shapes differ."""
        self._runtime.set_weights(arrays)


def _shown(place: Place, variable: Variable, goal: Convention) -> Any:
    """The variable of a weight, or a view of it or of a part of it in the form of `goal`."""
    stored = place.stored
    if not len((stored.from_run >> stored.chain.inverse).simplified):
        return variable
    return ShownWeight(variable, stored, place.index, place.name(goal))


def _alone(layer: Layer, stands_for: Layer | None = None) -> Network:
    """A network of one layer, called on inputs as in its first call, or as it was built for.

    stands_for: the layer whose inputs it takes; None: its own.
    """
    shapes = (stands_for or layer).shapes_of_weights or []
    entries = [InputLayer(batch_input_shape=shape, name=f"{layer.name}_input_{i}") for i, shape in enumerate(shapes)]
    ends = [Ref(entry.name) for entry in entries]
    call = Node(layer.name, first_call(layer), tuple(ends))
    network = Network([*entries, layer], [*(Node(end.layer, 0, ()) for end in ends), call], ends, [call.output])
    network.generation = layer.generation
    return network


held_by(lambda layer: LayerWeights(Runtime(_alone(layer))))


def converted(layer: Layer, arrays: Sequence[Any], convention: Convention) -> list[np.ndarray]:
    """Arrays that a Keras of `convention` stored for a layer, as `set_weights` of the layer takes them.

    The convention may be that of a related generation, as the shapes of the arrays tell. Raises KconvertError where
    number or shapes of the arrays do not fit the layer.
    """
    network = _alone(layer)
    shown = Runtime(network).shown_convention()
    stored = _places(network, convention)
    if len(stored) < len(arrays) and not convention.generation.fused_gates:
        network = _alone(_by_gate(layer), layer)
        stored = _places(network, convention)
    if len(stored) != len(arrays):
        what = f"{len(arrays)} arrays were given for {len(stored)} weights"
        raise KconvertError(what, f"layer {layer.name}", problem=Problem.USAGE)
    named = [InMemory(place.name(convention), np.asarray(array)) for place, array in zip(stored, arrays, strict=True)]
    checkpoint = Checkpoint([Group(layer.name, named)] if named else [], backend=convention.backend)
    origin = Origin(convention, convention.backend, None, False, (), (), False, frozenset())
    bound, _ = bind(network, checkpoint, by_arrays(network, checkpoint, origin).convention)
    canonical = {one.path: one.canonical() for one in bound}
    return [
        np.asarray(place.stored.chain.inverse.apply(canonical[place.path])[place.index])
        for place in _places(network, shown)
    ]


def _places(network: Network, convention: Convention) -> list[Place]:
    return [place for _, found in places(network, convention) for place in found]


def _by_gate(layer: Layer) -> Layer:
    """A copy of a layer, without weights, whose recurrent layers store an array for each gate."""
    copy = layer_from_config(layer_config(layer))
    for _, leaf in copy.leaves():
        if hasattr(leaf, "fused_gates"):
            set_gates(leaf, True)
    return copy
