"""Merge and merge of Keras 1.2.2: several layers or symbols, one output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import layers
from ...errors import KconvertError, Problem
from ...layers import Layer
from ...layers.calls import Symbol
from ...layers.names import next_name
from ...network.network import Network


def Merge(
    layers: Sequence[Layer] | None = None,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    node_indices: Sequence[int] | None = None,
    tensor_indices: Sequence[int] | None = None,
    name: str | None = None,
) -> Layer:
    """A layer that merges several inputs by `mode`.

    layers: the layers or models whose outputs it merges, as the first layer of a Sequential; without them it is called
    on symbols. Raises KconvertError for a function as the mask.
    """
    if output_mask is not None:
        what = "Merge of Keras 1.2.2 with output_mask is not in kconvert"
        raise KconvertError(what, fix="use a Lambda", problem=Problem.UNSUPPORTED)
    made = _layer(mode, concat_axis, dot_axes, output_shape, arguments, name or next_name("merge"))
    if layers:
        places = zip(layers, node_indices or [0] * len(layers), tensor_indices or [0] * len(layers), strict=True)
        made([_output(layer, node, tensor) for layer, node, tensor in places])
        made.__dict__["_branches"] = list(layers)
    return made


def merge(
    inputs: Sequence[Symbol],
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: str | None = None,
) -> Any:
    """The symbol that merges `inputs`: see `Merge`."""
    return Merge(None, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, name=name)(list(inputs))


def _layer(mode: Any, concat_axis: int, dot_axes: Any, output_shape: Any, arguments: Any, name: str) -> Layer:
    if callable(mode):
        shape = output_shape if output_shape is None or callable(output_shape) else tuple(output_shape)
        return layers.Lambda(mode, shape, arguments=arguments or {}, name=name)
    known = ("sum", "mul", "concat", "ave", "cos", "dot", "max")
    if mode not in known:
        fix = f"the modes are {', '.join(known)}"
        raise KconvertError(f"Keras 1.2.2 has no mode {mode!r} of Merge", fix=fix, problem=Problem.USAGE)
    return layers.Merge(mode, concat_axis, dot_axes, name=name)


def _output(layer: Layer, node: int, tensor: int) -> Symbol:
    """Output `tensor` of call `node` of a layer; of a layer that was not called, on the input that it states."""
    if not isinstance(layer, Network) and not layer.inbound:
        if layer.batch_input_shape is None:
            what = "a layer in a Merge states no input shape"
            raise KconvertError(what, f"layer {layer.name}", "give it input_shape=...", Problem.USAGE)
        first = layers.Input(batch_shape=layer.batch_input_shape, dtype=layer.dtype, name=f"{layer.name}_input")
        layer(first)
    output = layer.output if isinstance(layer, Network) else layer.get_output_at(node)
    return output[tensor] if isinstance(output, list) else output
