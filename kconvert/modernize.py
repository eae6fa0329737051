"""Keras 1's own layers in Keras 2's words: what a Keras 2 file says instead, layer by layer.

A layer becomes the chain of layers that computes the same, with its weights in the first of them.
Renamed keys are the business of `config`; here the classes are others.
"""

from __future__ import annotations

from copy import copy
from dataclasses import fields, replace
from functools import singledispatch
from itertools import product
from typing import Any

from . import layers as L
from .conventions import CHANNELS_LAST
from .errors import KconvertError
from .layers.base import Layer
from .model import Model, Node, Ref, Sequential, one_or_list


@singledispatch
def modern(layer: Layer, shape: Any) -> list[Layer]:
    """The Keras 2 layers that compute what `layer` does on inputs of `shape`; most are their own."""
    return [layer]


def _refused(layer: Layer, why: str) -> KconvertError:
    return KconvertError(why, where=f"layer {layer.name}", fix="--format same keeps the file in its own generation")


@modern.register(L.Flatten)
def _flatten(layer: Any, shape: Any) -> list[Layer]:
    """From 2.2 on a Flatten that says nothing follows the user's global data format: say it."""
    return [layer if layer.data_format else _with(layer, data_format=CHANNELS_LAST)]


@modern.register(L.BatchNormalization)
def _normalization(layer: Any, shape: Any) -> list[Layer]:
    if layer.mode:
        raise _refused(layer, f"BatchNormalization(mode={layer.mode}) has no equal in Keras 2")
    return [layer]


@modern.register(L.Conv2DTranspose)
def _transposed(layer: Any, shape: Any) -> list[Layer]:
    """Keras 1 states the whole output shape; Keras 2 what to add to the smallest."""
    if layer.keras1_output_shape is None:
        return [layer]
    wanted = layer.output_shape(shape)
    for extra in (None, *product(*(range(stride) for stride in layer.strides))):
        changed = _with(layer, keras1_output_shape=None, output_padding=extra)
        if changed.output_shape(shape) == wanted:
            return [changed]
    raise _refused(layer, f"Keras 2 cannot make the output shape {layer.keras1_output_shape}")


@modern.register(L.SReLU)
@modern.register(L.ParametricSoftplus)
def _gone(layer: Layer, shape: Any) -> list[Layer]:
    raise _refused(layer, f"{layer.class_name} has no equal in Keras 2")


@modern.register(L.TimeDistributedDense)
def _time_distributed_dense(layer: Any, shape: Any) -> list[Layer]:
    """A Keras 2 Dense works on the last axis of any input."""
    shared = {f.name: getattr(layer, f.name) for f in fields(L.Dense) if hasattr(layer, f.name)}
    return [L.Dense(**shared)]


@modern.register(L.TimeDistributed)
def _time_distributed(layer: Any, shape: Any) -> list[Layer]:
    inner = modern(layer.layer, (shape[0], *shape[2:]))
    if len(inner) > 1:
        raise _refused(layer, f"a {layer.layer.class_name} inside TimeDistributed has no equal in Keras 2")
    return [_with(layer, layer=inner[0])]


_MERGES = {"sum": L.Add, "mul": L.Multiply, "ave": L.Average, "max": L.Maximum}


@modern.register(L.Merge)
def _merge(layer: Any, shape: Any) -> list[Layer]:
    common: dict[str, Any] = {"name": layer.name, "trainable": layer.trainable}
    if layer.mode in _MERGES:
        return [_MERGES[layer.mode](**common)]
    if layer.mode == "concat":
        return [L.Concatenate(layer.concat_axis, **common)]
    if layer.mode == "dot":
        return [L.Dot(layer.dot_axes, **common)]
    if layer.mode == "cos":
        return [L.Dot(layer.dot_axes, normalize=True, name=f"{layer.name}_dot"), L.Reshape((1, 1), **common)]
    raise _refused(layer, f"Merge(mode={layer.mode!r}) has no equal in Keras 2")


@modern.register(Model)
def _model(model: Model, shape: Any) -> list[Layer]:
    """The graph with every layer in Keras 2's words; calls go on from the last layer of each chain."""
    chains = {layer.name: [layer] for layer in model.input_layers}
    for layer, inputs in zip(model.sublayers, model.sublayer_shapes(shape), strict=True):
        chains[layer.name] = modern(layer, inputs)
    if isinstance(model, Sequential):
        chain = [one for layer in model.sublayers for one in chains[layer.name]]
        return [Sequential(chain, name=model.name, trainable=model.trainable)]
    ends: dict[Ref, Ref] = {}  # where a chain's last layer has another name
    nodes: list[Node] = []
    for node in model.nodes:
        inputs = tuple(ends.get(ref, ref) for ref in node.inputs)
        for layer in chains[node.layer]:
            nodes.append(replace(node, layer=layer.name, inputs=inputs))
            inputs = (nodes[-1].output,)
        if nodes[-1].output != node.output:
            ends[node.output] = nodes[-1].output
    layers = [one for layer in model.layers for one in chains[layer.name]]
    outputs = [ends.get(ref, ref) for ref in model.outputs]
    return [
        Model(layers=layers, nodes=nodes, inputs=model.inputs, outputs=outputs, name=model.name, trainable=model.trainable)
    ]


def modernize(model: Model) -> Model:
    """`model` in Keras 2's words; KconvertError naming the layer that has none."""
    (result,) = modern(model, one_or_list(model.input_shapes))
    assert isinstance(result, Model)
    return result


def _with(layer: Layer, /, **config: Any) -> Layer:
    changed = copy(layer)
    for key, value in config.items():
        setattr(changed, key, value)
    return changed
