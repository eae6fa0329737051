"""The variables of a live model, by the paths that the same weights have in a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..conventions.generations import Convention
from ..conversion.binding import Place, places
from ..errors import KconvertError, Problem
from ..layers.base import Layer
from ..network.graph import LayerPath
from ..network.network import Network


def variables_of(model: Any, network: Network, convention: Convention) -> dict[LayerPath, Any]:
    """The variable of each weight of `network`, which describes the live model `model`.

    The layers are walked, and not `model.weights`, which mixes the weights of nested models. A layer has its trainable
    variables first. Raises KconvertError where a layer has other variables than its description says.
    """
    leaves: dict[LayerPath, list[Place]] = {}
    for place in (place for _, found in places(network, convention) for place in found):
        leaves.setdefault(place.leaf, []).append(place)
    live = dict(_leaves(model, network))
    found: dict[LayerPath, Any] = {}
    for path, own in leaves.items():
        variables = list(live[path].weights)
        if len(variables) != len(own):
            raise KconvertError(
                f"the live layer has {len(variables)} weights, where a {own[0].layer.class_name} has {len(own)}",
                f"layer {'/'.join(path)}",
                "build the model before its weights are loaded",
                Problem.USAGE,
            )
        found.update(zip((place.path for place in own), variables, strict=True))
    return found


def _leaves(live: Any, layer: Layer, outer: LayerPath | None = None) -> Iterator[tuple[LayerPath, Any]]:
    """Each live layer without layers inside it, by its path.

    outer: the names of the layers around `layer`; None for the model itself, whose name is in no path.
    """
    path = () if outer is None else (*outer, layer.name)
    if not layer.sublayers:
        yield path, live
        return
    for inner, described in zip(_inside(live, layer), layer.sublayers, strict=True):
        yield from _leaves(inner, described, path)


def _inside(live: Any, layer: Layer) -> list[Any]:
    """The live layers inside a live layer, in the order of `layer.sublayers`."""
    if isinstance(layer, Network):
        by_name = {inner.name: inner for inner in live.layers}
        return [by_name.get(inner.name) for inner in layer.sublayers]
    if hasattr(live, "forward_layer"):
        return [live.forward_layer, live.backward_layer]
    if hasattr(live, "cells"):
        return list(live.cells)
    return [live.layer if hasattr(live, "layer") else live.cell]
