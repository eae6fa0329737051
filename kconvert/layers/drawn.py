"""The random numbers that Keras draws from NumPy's global generator when a layer is called.

Keras seeds the initial values of a weight, and dropout, by numbers of that generator. A layer draws as many where seeds
come from it: so what follows, as the order of the samples in `fit`, is that of Keras after the same `np.random.seed`.
Source: `initializers.py` and the random functions of the backends of Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..backend.seeds import follows_numpy
from ..conventions.roles import Weight
from ..errors import KconvertError
from .component_names import component

_DRAWN = "_drawn"
"""The attribute with the seeds of the initial values, by the names of weights."""


def draw_for_call(layer: Any, shape: Any) -> None:
    """Draws what Keras draws when `layer` is called on inputs of `shape`, and keeps the seeds of its weights."""
    if not follows_numpy():
        return
    for leaf, sizes in () if layer.is_network else _leaves(layer, shape):
        if _DRAWN not in leaf.__dict__ and leaf.entry is None:
            leaf.__dict__[_DRAWN] = dict(_seeds(leaf.weight_specs(sizes)))
    for highest in layer.draws_of_call:
        np.random.randint(highest)


def draw_again(layer: Any, weights: Sequence[Weight]) -> None:
    """Draws the seeds of a layer that has these weights anew, as for a copy without weights."""
    if follows_numpy():
        layer.__dict__[_DRAWN] = dict(_seeds(weights))


def drawn_seeds(layer: Any) -> Mapping[str, int] | None:
    """The seeds of the random initial values that were drawn, by the names of weights; None where none were."""
    return layer.__dict__.get(_DRAWN)


def _leaves(layer: Any, shape: Any) -> Iterator[tuple[Any, Any]]:
    """The layers inside a layer that have no others inside, or the layer itself, with the shapes of their inputs."""
    if not layer.sublayers:
        yield layer, shape
    for inner, sizes in zip(layer.sublayers, layer.sublayer_shapes(shape), strict=True):
        yield from () if inner.is_network else _leaves(inner, sizes)


def _seeds(weights: Sequence[Weight]) -> Iterator[tuple[str, int]]:
    """The names of weights and their seeds; without those whose values are not random, or not known, as in a file."""
    for weight in weights:
        try:
            initializer = component("_initializer", weight.initializer)
        except KconvertError:
            continue
        seed = initializer.draw_seed(weight.shape)
        if seed is not None:
            yield weight.name, seed
