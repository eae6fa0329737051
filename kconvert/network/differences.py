"""Differences between two networks, layer by layer, by the keys of their configurations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..layers import InputLayer
from ..layers.base import layer_config
from .network import Network

_SHAPE = "batch_input_shape"  # it follows from the data format of other layers
_GRAPH = "the calls of the layers"


def differing_layers(before: Network, after: Network) -> list[str]:
    """The layers of `after` that differ from those in `before` or are new, and those that were removed.

    >>> from ..layers import Conv2D, ZeroPadding2D
    >>> from .sequential import Sequential
    >>> shape = (None, 8, 8, 3)
    >>> before = Sequential([Conv2D(2, 3, padding="same", name="conv", batch_input_shape=shape)])
    >>> after = [ZeroPadding2D(name="pad", batch_input_shape=shape), Conv2D(2, 3, padding="valid", name="conv")]
    >>> differing_layers(before, Sequential(after))
    ['pad (new)', 'conv (padding)']
    """
    if before.stored_config() == after.stored_config():
        return []
    ours, theirs = dict(_leaves(before)), dict(_leaves(after))
    found = [_described(path, ours.get(path), config) for path, config in theirs.items() if ours.get(path) != config]
    return [*found, *(f"{path} (left out)" for path in ours if path not in theirs)] or [_GRAPH]


def _leaves(network: Network) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path, configuration) of every layer but the inputs."""
    for layer in network.sublayers:
        for path, leaf in layer.leaves():
            if not isinstance(leaf, InputLayer):
                config = layer_config(leaf)
                options = {key: value for key, value in config["config"].items() if key != _SHAPE}
                yield path, {**options, "class": config["class_name"]}


def _described(path: str, ours: Mapping[str, Any] | None, theirs: Mapping[str, Any]) -> str:
    if ours is None:
        return f"{path} (new)"
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    return f"{path} ({', '.join(keys)})"
