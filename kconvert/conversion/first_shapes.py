"""Infers the shape of an input that the architecture does not state from the stored arrays.

tf.keras does not save the shape if a Sequential was built by its first data, or begins with an adapted Normalization.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from .. import layers as L
from ..formats.checkpoint import Checkpoint, LazyArray
from ..layers.base import Layer, Shape
from ..layers.shapes import axes_of, channel_axis
from ..network.input_shapes import InputShape, with_known_sizes
from ..network.network import Network


def shape_for(checkpoint: Checkpoint, given: InputShape | None) -> Callable[[Layer], Shape | None]:
    """The shape of the input of a Sequential, from its first layer. given: the shape that the user gives."""
    return partial(_shape_for, checkpoint, given)


def _shape_for(checkpoint: Checkpoint, given: InputShape | None, first: Layer) -> Shape | None:
    if given is not None:
        (sizes,) = given.values() if isinstance(given, Mapping) and len(given) == 1 else (given,)
        return None if isinstance(sizes, Mapping) else (None, *sizes)
    kernel = next(_arrays(checkpoint, first, "kernel"), None)
    if isinstance(first, L.Embedding):
        return None, None
    if kernel is None:
        return None
    if isinstance(first, L.Dense):
        return None, kernel.shape[0]
    if isinstance(first, (L.SimpleRNN, L.GRU, L.LSTM)):
        return None, None, kernel.shape[0]
    if isinstance(first, (L.Conv1D, L.Conv2D, L.Conv3D)):
        shape: list[int | None] = [None] * (first.rank + 2)
        shape[channel_axis(len(shape), first.data_format)] = kernel.shape[-2]
        return tuple(shape)
    return None


def with_adapted_sizes(network: Network, checkpoint: Checkpoint) -> Network:
    """`network` with the sizes of inputs that only the stored mean of a Normalization shows."""
    shapes = dict(zip(network.input_refs, network.input_shapes, strict=True))
    known: dict[str, Shape] = {}
    for node in network.nodes:
        layer = network.by_name[node.layer]
        if isinstance(layer, L.Normalization) and layer.mean is None and node.inputs[0] in shapes:
            mean = next(_arrays(checkpoint, layer, "mean"), None)
            stated = shapes[node.inputs[0]]
            axes = sorted(axes_of(layer.axis, len(stated)))
            if mean is not None and len(mean.shape) == len(axes) and any(stated[axis] is None for axis in axes):
                sizes = dict(zip(axes, mean.shape, strict=True))
                known[node.inputs[0].layer] = tuple(sizes.get(axis, n) for axis, n in enumerate(stated))
    return with_known_sizes(network, known) if known else network


def _arrays(checkpoint: Checkpoint, layer: Layer, name: str) -> Iterator[LazyArray]:
    """The arrays with this name that the file has for a layer."""
    for group in checkpoint.groups:
        for array in group.arrays:
            *path, last = [group.name, *array.name.split("/")]
            if last.partition(":")[0] == name and path[-1] == layer.name:
                yield array
