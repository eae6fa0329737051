"""Builds the network that the same code builds in the other data format, without a change of the weights.

`relayout` keeps the function of a network. Here the layers keep their arguments, and compute something else if the data
format changes the meaning of weights: after a Flatten, a Reshape or a Permute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from itertools import islice, product
from typing import Any

from .. import layers as L
from ..conventions.backends import DATA_FORMATS
from ..errors import KconvertError
from ..layers.base import Layer
from ..layers.options import remade
from ..network.graph import Ref
from ..network.layout import image_layout
from ..network.network import Network
from ..network.rewrite import changed, rebuilt
from .passes.relayout import relayout
from .passes.relayout_rules import IMAGE_LAYERS

IMAGES = (*IMAGE_LAYERS, L.LocallyConnected2D, L.ConvLSTM2D, L.ConvLSTM3D)
"""The layers whose data format comes from the user's configuration of Keras if the code does not state it."""

Classes = tuple[type[Layer], ...]

_BY_DATA_FORMAT: tuple[Classes, ...] = ((L.BatchNormalization,), (L.Concatenate, L.Merge))
"""Code may set the axis of these layers for its data format, or use the default: both are tried."""

_BY_NUMBER: tuple[Classes, ...] = ((L.InputLayer,), (L.Permute,), (L.Reshape,))
"""Code sets the shape of an input for its data format, and the axes of other layers by number; tried first."""


def stated_format(network: Network) -> str | None:
    """The data format of all layers that use that of the user's configuration; None if they differ."""
    formats = {layer.data_format for _, layer in network.leaves() if isinstance(layer, IMAGES)}
    return formats.pop() if len(formats) == 1 else None


def unused_format(network: Network, given: str | None) -> list[str]:
    """A note if all layers of a file state another data format than the user gives."""
    stated = stated_format(network)
    if stated is None or given in (None, stated):
        return []
    return [f"the layers of the file state {stated}: {given}, as given, is for layers that state none"]


def other_format(data_format: str) -> str:
    """
    >>> other_format("channels_first")
    'channels_last'
    """
    return next(name for name in DATA_FORMATS if name != data_format)


def in_format(network: Network, data_format: str, fits: Callable[[Network], bool]) -> list[Network]:
    """The networks that the code of `network` may build in `data_format`, if the arrays fit them."""
    mapped = _mapped(network, data_format)
    found: list[Network] = []
    for near in product((False, True), repeat=len(_BY_DATA_FORMAT)):
        ways = (_kept(near + far) for far in product((False, True), (True, False), (True, False)))
        made = (_taken(network, mapped, data_format, kept) for kept in ways)
        found += islice(filter(fits, made), 1)
    configs = [made.stored_config() for made in found]
    return [made for i, made in enumerate(found) if configs[i] not in configs[:i]]


def _kept(choices: Sequence[bool]) -> Classes:
    """The classes whose axes do not change."""
    return tuple(
        cls for group, kept in zip(_BY_DATA_FORMAT + _BY_NUMBER, choices, strict=True) if kept for cls in group
    )


def affected(network: Network, other: Network, data_format: str) -> Iterator[str]:
    """The layers for which `other`, in `data_format`, is not the same as `network` with its axes moved."""
    try:
        exact = relayout(network, data_format, _flattens(network))
    except KconvertError:
        yield from (layer.name for _, layer in network.leaves() if isinstance(layer, L.Flatten))
        return
    yield from (path[0] for path, chain in exact.weights.items() if len(chain.simplified))
    yield from (note.rpartition(" ")[2] for note in exact.notes)
    ours, theirs = dict(exact.model.leaves()), dict(other.leaves())
    yield from (layer.name for path, layer in theirs.items() if _config(ours.get(path)) != _config(layer))


def _config(layer: Any) -> Any:
    return None if layer is None or isinstance(layer, L.InputLayer) else layer.stored_config()


def _flattens(network: Network) -> frozenset[str]:
    """The paths of all Flatten layers, which must not change their own data format."""
    return frozenset(path.partition("/")[2] for path, layer in network.leaves() if isinstance(layer, L.Flatten))


def _mapped(network: Network, data_format: str) -> Network:
    """The network in the other data format, from which the new numbers of axes are taken."""
    try:
        return relayout(network, data_format, _flattens(network)).model
    except KconvertError:
        return network


# ------------------------------------------------------------------ rebuilding ----


def _taken(network: Network, mapped: Network, data_format: str, kept: Classes) -> Network:
    """The same graph with layers in `data_format`; layers of the classes `kept` keep their axes."""
    layers = {
        name: _layer(layer, mapped.by_name.get(name, layer), data_format, kept)
        for name, layer in network.by_name.items()
    }
    for ref in network.input_refs:
        shape = network.by_name[ref.layer].batch_input_shape
        steps = None if L.InputLayer in kept else _steps_before_images(network, ref)
        if shape is not None and steps is not None:
            moved = image_layout(data_format, len(shape), steps).shape(tuple(shape))
            layers[ref.layer] = changed(network.by_name[ref.layer], batch_input_shape=moved)
    return rebuilt(network, layers)


def _steps_before_images(network: Network, ref: Ref) -> int | None:
    """The number of time axes of an input of images; None if no image layer uses it."""
    shapes = network.shapes()
    todo, seen = [ref], {ref}
    while todo:
        tensor = todo.pop(0)
        for node in network.nodes:
            if tensor not in node.inputs:
                continue
            steps = _steps(network.by_name[node.layer], node.inputs.index(tensor))
            if steps is not None:
                return steps
            if node.output not in seen and len(shapes[node.output]) == len(shapes[ref]):
                seen.add(node.output)
                todo.append(node.output)
    return None


@singledispatch
def _steps(layer: Any, position: int) -> int | None:
    """The number of time axes that an image layer expects; None for other layers."""
    return 0 if isinstance(layer, IMAGES) else None


@_steps.register(L.ConvLSTM2D)
@_steps.register(L.ConvLSTM3D)
def _steps_of_frames(layer: Any, position: int) -> int:
    return 1


@_steps.register(L.TimeDistributed)
def _steps_of_each(layer: Any, position: int) -> int | None:
    inner = _steps(layer.layer, position)
    return None if inner is None else inner + 1


@_steps.register(L.Bidirectional)
def _steps_of_both(layer: Any, position: int) -> int | None:
    return _steps(layer.layer, position)


@_steps.register(Network)
def _steps_of_nested(layer: Network, position: int) -> int | None:
    return _steps_before_images(layer, layer.input_refs[position])


@singledispatch
def _layer(layer: Any, mapped: Any, data_format: str, kept: Classes) -> Any:
    """A copy of one layer; `mapped`: the one with its axes moved."""
    if isinstance(layer, IMAGES):
        return changed(mapped, data_format=data_format)
    moved = isinstance(layer, tuple(cls for group in _BY_DATA_FORMAT + _BY_NUMBER for cls in group) + (L.PReLU,))
    return changed(mapped if moved and not isinstance(layer, kept) else layer)


@_layer.register(Network)
def _network(layer: Any, mapped: Any, data_format: str, kept: Classes) -> Network:
    return _taken(layer, mapped if isinstance(mapped, Network) else layer, data_format, kept)


@_layer.register(L.TimeDistributed)
@_layer.register(L.Bidirectional)
def _wrapper(layer: Any, mapped: Any, data_format: str, kept: Classes) -> Any:
    inner = _layer(layer.layer, getattr(mapped, "layer", layer.layer), data_format, kept)
    return remade(layer, layer=inner)


@_layer.register(L.Flatten)
def _flatten(layer: Any, mapped: Any, data_format: str, kept: Classes) -> Any:
    """A Flatten with a data format, which also comes from the user's configuration (Keras 2.2+)."""
    return changed(layer, data_format=layer.data_format and data_format)


@_layer.register(L.Reshape)
def _reshape(layer: Any, mapped: Any, data_format: str, kept: Classes) -> Any:
    """A Reshape to images: moves the channels to their axis in the data format."""
    shape = tuple(layer.target_shape)
    if isinstance(layer, kept) or len(shape) < 3:
        return changed(layer)
    first = data_format == DATA_FORMATS[0]
    return changed(layer, target_shape=(shape[-1], *shape[:-1]) if first else (*shape[1:], shape[0]))
