"""Weights for models that have none: initial ones, or those that a layer has in another model.

Initial weights are drawn in canonical form and stored in the convention of the backend, so one seed gives
one network on every backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ...backend import default_backend, get_backend
from ...backend.base import Backend, Variable
from ...conventions.generations import Convention
from ...conventions.storage import Storage
from ...conversion.binding import leaf_storage
from ...layers import Layer
from . import initializers

if TYPE_CHECKING:
    from ...network.network import LeafWeights, Network

_held: WeakKeyDictionary[Layer, tuple[Backend, dict[str, Variable]]] = WeakKeyDictionary()


def ready(model: Network, backend: str | None = None, seed: int | None = None) -> Backend:
    """Gives `model` a backend, if it has none, and the weights that it lacks.

    A layer that another model runs already shares its weights with it, as in Keras.
    """
    K = model.backend or get_backend(backend or default_backend())
    model.backend = K
    seed = np.random.SeedSequence().entropy if seed is None else seed  # type: ignore[assignment]
    number = 0
    for leaf in model.weight_table():
        held = _held_by(leaf, K)
        for stored in leaf_storage(leaf, _convention(K)):
            number += 1
            path = (*leaf.path, stored.weight.name)
            if path not in model.variables:
                found = held.get(stored.weight.name)
                model.variables[path] = K.variable(_initial(stored, [seed, number])) if found is None else found
    hold(model)
    return K


def hold(model: Network) -> None:
    """Remembers the variables of the layers of `model`, for models that are made of them."""
    assert model.backend is not None
    for leaf in model.weight_table():
        paths = {weight.name: (*leaf.path, weight.name) for weight in leaf.weights}
        _held[leaf.layer] = model.backend, {name: model.variables[path] for name, path in paths.items()}


def _held_by(leaf: LeafWeights, K: Backend) -> dict[str, Variable]:
    """The variables of a layer on backend `K`; converted copies where it runs on another one."""
    if leaf.layer not in _held:
        return {}
    other, variables = _held[leaf.layer]
    if other.name == K.name and other.convention == K.convention:
        return variables
    pairs = zip(leaf_storage(leaf, _convention(other)), leaf_storage(leaf, _convention(K)), strict=True)
    return {
        theirs.weight.name: K.variable(_run_form(ours, _canonical(theirs, other.value(variables[theirs.weight.name]))))
        for theirs, ours in pairs
    }


def _convention(K: Backend) -> Convention:
    return Convention("keras2", K.convention)


def _initial(stored: Storage, seed: Any) -> np.ndarray:
    """An initial weight, as layers take it on the backend."""
    weight = stored.weight
    make = initializers.get(weight.initializer)
    return _run_form(stored, make(weight.shape, np.random.default_rng(seed)))


def _run_form(stored: Storage, canonical: np.ndarray) -> np.ndarray:
    """A canonical weight as layers take it: in the backend's convention, not packed."""
    chain = (stored.chain.inverse >> stored.weight.role.packed).simplified
    return np.ascontiguousarray(chain.apply(canonical)[0], "float32")


def _canonical(stored: Storage, array: np.ndarray) -> np.ndarray:
    chain = (stored.weight.role.packed.inverse >> stored.chain).simplified
    return chain.apply(array)[0]
