"""Seeded random inputs for a model: integers for an Embedding, some padded steps before a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import layers as L
from .layers.base import Layer
from .model import Model, Ref

FREE_STEPS = 7
FREE_SPACE = 24


def sample_inputs(model: Model, samples: int = 4, seed: int = 0) -> list[np.ndarray]:
    """One array an input of `model`: normal numbers, or the integers and padding its first layer expects.

    Free sizes become 7 time steps or 24 pixels; no two free sizes of an image are the same.
    """
    random = np.random.default_rng(seed)
    return [
        _sample(random, _sizes(shape, samples), _first(model, ref))
        for ref, shape in zip(model.inputs, model.input_shapes, strict=True)
    ]


def _sizes(shape: tuple[int | None, ...], samples: int) -> tuple[int, ...]:
    free = FREE_STEPS if len(shape) <= 3 else FREE_SPACE
    batch = shape[0] or samples
    return (batch, *(free + 2 * i if n is None else n for i, n in enumerate(shape[1:])))


def _first(model: Model, ref: Ref) -> Layer | None:
    """The first layer that says what its input should hold."""
    todo = [ref]
    while todo:
        tensor = todo.pop(0)
        for node in model.nodes:
            if tensor not in node.inputs:
                continue
            layer: Any = model.by_name[node.layer]
            if isinstance(layer, Model):
                return _first(layer, layer.inputs[node.inputs.index(tensor)])
            if isinstance(layer, L.TimeDistributed) and isinstance(layer.layer, L.Embedding):
                return layer.layer
            if isinstance(layer, (L.Embedding, L.Masking)):
                return layer
    return None


def _sample(random: np.random.Generator, shape: tuple[int, ...], layer: Any) -> np.ndarray:
    if isinstance(layer, L.Embedding):
        indices = random.integers(min(1, layer.input_dim - 1), layer.input_dim, shape)
        return (np.where(_padded(shape), 0, indices) if layer.mask_zero else indices).astype("float32")
    values = random.standard_normal(shape).astype("float32")
    if isinstance(layer, L.Masking):
        values[_padded(shape)] = layer.mask_value
    return values


def _padded(shape: tuple[int, ...]) -> np.ndarray:
    """Which steps of a batch are padding: one more in each sample, never all of them."""
    steps = shape[1] if len(shape) > 1 else 1
    padding = np.minimum(np.arange(shape[0]), steps - 1)
    return np.arange(steps) >= (steps - padding)[:, None]
