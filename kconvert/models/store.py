"""The weights of layers on a backend, shared by all models that contain the same layers.

Each layer refers to its entry (`Layer.entry`). Initial weights are drawn in canonical form and then converted to the
convention of the backend, so one seed gives the same network on every backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np

from ..backend import get_backend
from ..backend.base import Backend, Variable
from ..backend.float_settings import floatx
from ..conventions.generations import GENERATIONS, Convention
from ..conventions.storage import Storage, slot_name
from ..conversion.binding import leaf_storage
from ..errors import KconvertError, Problem
from ..layers.base import Layer
from ..layers.builder import AsStored
from ..layers.keras_style import shared_weights
from ..lazy_dataclasses import dataclass
from ..network.graph import LayerPath, LeafWeights
from .training import initializers


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of one layer on one backend."""

    backend: Backend
    # The weights by their names, in the convention of `backend`.
    variables: Mapping[str, Variable]


class Entry:
    """The weights of one layer, on each backend that a model with this layer runs on."""

    def __init__(self) -> None:
        # By name and convention of the backend; the last one was used last.
        self._weights: dict[tuple[str, str], Weights] = {}

    def on(self, backend: Backend) -> Weights | None:
        """The weights on `backend`; None where no model with this layer runs there."""
        return self._weights.get((backend.name, backend.convention))

    @property
    def latest(self) -> Weights:
        """The weights on the backend that was used last."""
        return list(self._weights.values())[-1]

    def __getstate__(self) -> dict[str, Any]:
        """The state of a deep copy or a pickle: the arrays on the backend that was used last."""
        K, variables = self.latest.backend, self.latest.variables
        return {"backend": (K.name, K.convention), "arrays": {name: K.value(v) for name, v in variables.items()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        K = get_backend(*state["backend"])
        self._weights = {}
        self.put(Weights(K, {name: K.variable(array) for name, array in state["arrays"].items()}))

    def put(self, weights: Weights) -> None:
        """Stores weights, which replace those on the same backend."""
        key = weights.backend.name, weights.backend.convention
        self._weights.pop(key, None)
        self._weights[key] = weights


def run_convention(backend: Backend) -> Convention:
    """The convention of the weights that layers run with on `backend`."""
    return Convention("keras2", backend.convention)


def shared_variables(leaf: LeafWeights, backend: Backend) -> Mapping[str, Variable]:
    """The variables that a layer already has, by the names of weights; converted copies for another backend."""
    entry: Entry | None = leaf.layer.entry
    if entry is None:
        return _of_layers_inside(leaf.layer, backend)
    weights = entry.on(backend) or _converted(leaf, entry.latest, backend)
    return weights.variables


def _of_layers_inside(layer: Layer, backend: Backend) -> dict[str, Variable]:
    """The variables of the layers inside a layer of the user, by the names of its weights."""
    held = [(one, one.layer.entry and one.layer.entry.on(backend)) for one in shared_weights(layer)]
    return {one.name: weights.variables[one.weight] for one, weights in held if weights}


def _converted(leaf: LeafWeights, weights: Weights, backend: Backend) -> Weights:
    """Copies of the weights of a layer on another backend."""
    there, here = (leaf_storage(leaf, run_convention(one)) for one in (weights.backend, backend))
    copies = {}
    for old, new in zip(there, here, strict=True):
        (canonical,) = old.from_run.apply(weights.backend.value(weights.variables[old.weight.name]))
        copies[old.weight.name] = backend.variable(_run_form(new, canonical), variable_name(leaf, old.weight.name))
    return Weights(backend, copies)


def last_used(table: list[LeafWeights]) -> Backend | None:
    """The backend that the first layer with weights was last used on; None where no layer has any."""
    entry: Entry | None = next((leaf.layer.entry for leaf in table if leaf.layer.entry), None)
    return None if entry is None else entry.latest.backend


def initial_variable(leaf: LeafWeights, stored: Storage, backend: Backend, seed: Any) -> Variable:
    """A new variable with the initial value of a weight of a layer; seed: of the random values.

    Raises KconvertError for a layer of float16.
    """
    if leaf.layer.dtype == "float16":
        what, fix = "layers do not compute in float16", "K.set_floatx('float32') before layers are made"
        raise KconvertError(what, f"layer {leaf.layer.name}", fix, Problem.UNSUPPORTED)
    name, initializer = variable_name(leaf, stored.weight.name), stored.weight.initializer
    if isinstance(initializer, AsStored):
        return backend.variable(as_run(stored, initializer.values), name)
    make = initializers.get(initializer)
    canonical = make.for_weight(leaf, stored.weight, np.random.default_rng(seed))
    return backend.variable(_run_form(stored, canonical), name)


def variable_name(leaf: LeafWeights, weight: str) -> str:
    """The name that Keras gives the variable of a weight: `dense_1/kernel`, or `dense_1_W` in Keras 1."""
    generation = leaf.layer.generation
    between = "/" if GENERATIONS[generation].scoped_names else "_"
    return f"{leaf.layer.name}{between}{slot_name(generation, weight)}"


def share(table: list[LeafWeights], backend: Backend, variables: Mapping[LayerPath, Variable]) -> None:
    """Gives each layer of `table` an entry with its variables, for other models that contain the layer."""
    for leaf in table:
        _put(leaf.layer, Weights(backend, _own(leaf, variables)))


def share_inside(table: list[LeafWeights], backend: Backend, variables: Mapping[LayerPath, Variable]) -> None:
    """Gives the layers of Keras inside each layer of the user entries with the variables that they share with it."""
    for leaf in table:
        own = _own(leaf, variables)
        for inner, group in groupby(shared_weights(leaf.layer), key=lambda one: one.layer):
            shared = list(group)
            if inner.shapes_of_weights is None:
                inner.note_build(shared[0].shape)
            _put(inner, Weights(backend, {one.weight: own[one.name] for one in shared if one.name in own}))


def _own(leaf: LeafWeights, variables: Mapping[LayerPath, Variable]) -> dict[str, Variable]:
    """The variables of one layer, by the names of its weights."""
    return {weight.name: variables[leaf.path + (weight.name,)] for weight in leaf.weights}


def _put(layer: Layer, weights: Weights) -> None:
    layer.entry = layer.entry or Entry()
    layer.entry.put(weights)


def as_stored(stored: Storage, array: np.ndarray) -> tuple[np.ndarray, ...]:
    """The arrays that a file stores for a weight, or for one of its moments; array: in the form in which it runs."""
    return (stored.from_run >> stored.chain.inverse).simplified.apply(array)


def as_run(stored: Storage, *arrays: np.ndarray) -> np.ndarray:
    """A weight in the form in which it runs; arrays: what a file stores for it."""
    return (stored.chain >> stored.to_run).simplified.apply(*arrays)[0]


def _run_form(stored: Storage, canonical: np.ndarray) -> np.ndarray:
    """A canonical weight, converted to the form in which layers run it."""
    return np.asarray(stored.to_run.apply(canonical)[0], floatx(), order="C")
