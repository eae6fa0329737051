"""Describes a live model as a network, from its own configuration, which kconvert reads like that of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..conversion.passes.hazards import calls
from ..conversion.passes.left_out import every
from ..errors import KconvertError, Problem
from ..layers import Activation, ReLU, Softmax
from ..layers.base import Layer, layer_config
from ..layers.shapes import axes_of
from ..models.restoring import same_configuration
from ..network.architecture import model_config, model_from_config
from ..network.graph import Ref
from ..network.known_shapes import known_shapes
from ..network.network import Network
from .configuration import configuration, learn_layers
from .libraries import BACKEND, Library

_TRAINING = ("initializer", "regularizer", "constraint")
_NO_DIFFERENCE = (
    *("trainable", "dtype", "unit_forget_bias", "implementation", "seed", "name", "batch_input_shape", "input_length"),
    "unroll",
)
"""Options that have no effect on the outputs of a layer that has weights."""
_ACTIVATIONS = (Activation, ReLU, Softmax)
"""Layers that only apply an activation."""
_OF_DATA_FORMAT = ("data_format", "axis", "shared_axes")
"""Options that a conversion to another data format changes."""


def described(model: Any, library: Library) -> Network:
    """The network that a live model is. Raises KconvertError where kconvert cannot read its configuration."""
    if not model.built:
        raise KconvertError(
            "the live model has no weights yet",
            f"model {model.name}",
            "state the shape of its input, or call model.build(shape)",
            Problem.USAGE,
        )
    if not getattr(model, "inputs", None):  # a subclass with a method `call` states no graph
        raise KconvertError(
            "the live model does not describe its layers",
            f"model {model.name}",
            "build it as a Sequential or as a functional model",
            Problem.USAGE,
        )
    config = configuration(model, library)
    try:
        network = model_from_config(config, library.version)
    except KconvertError as error:
        inner = error.within(f"model {model.name}")
        fix = f'build it of layers that Keras 2 has, or take kconvert.load_model(PATH, runner="{library.package}")'
        raise KconvertError(inner.what, inner.where, fix, Problem.UNSUPPORTED) from None
    learn_layers(network, model)
    for layer in every(network):
        layer.left_out = {}  # further keys of the library say nothing about the file
    return network


def same_as(library: Library) -> Callable[[Network, Network], bool]:
    """Whether a network is that of a live model, as it is or written in the words of the library and read again."""

    def same(made: Network, live: Network) -> bool:
        if same_configuration(made, live):
            return True
        try:
            written = model_config(made, library.convention.generation_name, library.version, BACKEND)
            again = model_from_config(written, library.version)
        except KconvertError:
            return False
        graphs = [_graph(one) for one in (again, live)]
        options = [[(path, *options_of(leaf, shape)) for path, leaf, shape in _calls(one)] for one in (again, live)]
        return graphs[0] == graphs[1] and options[0] == options[1]

    return same


def differences(made: Network, live: Network) -> Iterator[str]:
    """What the layers of a live model compute differently from those of a file, paired in their order."""
    ours, theirs = (list(one.weight_table()) for one in (made, live))
    if len(ours) != len(theirs):
        return
    followers, live_followers = _followers(made), _followers(live)
    for leaf, other in zip(ours, theirs, strict=True):
        (name, want), (have_name, have) = _activated(leaf, followers), _activated(other, live_followers)
        for key in want if name == have_name else ():
            if key not in _OF_DATA_FORMAT and want[key] != have.get(key):
                yield (
                    f"{'/'.join(other.path)}: the layer of the file has {key}={want[key]!r}, that of the model"
                    f" {have.get(key)!r}: the model computes something else than the file"
                )


def _followers(network: Network) -> Mapping[str, Sequence[Layer]]:
    """The layer of each call that takes an output of a layer, by the name of that layer."""
    found: dict[str, list[Layer]] = {}
    for node in network.nodes:
        for name in dict.fromkeys(ref.layer for ref in node.inputs):
            found.setdefault(name, []).append(network.by_name[node.layer])
    return found


def _activated(leaf: Any, followers: Mapping[str, Sequence[Layer]]) -> tuple[str, Mapping[str, Any]]:
    """The options of a layer with the activation of the layer for it that alone follows it, if one does."""
    name, options = options_of(leaf.layer)
    found = followers.get(leaf.path[-1], ())
    follower = found[0] if len(found) == 1 and len(leaf.path) == 1 else None
    added = activation_of(follower) if isinstance(follower, _ACTIVATIONS) else None
    if added and options.get("activation") == "linear":
        return name, {**options, "activation": added}
    return name, options


def activation_of(layer: Layer) -> Any:
    """The activation that a layer states or is; None for a layer without one."""
    if isinstance(layer, ReLU):
        return "relu" if (layer.max_value, layer.negative_slope, layer.threshold) == (None, 0, 0) else None
    if isinstance(layer, Softmax):
        return "softmax" if layer.axis == -1 else None
    return options_of(layer)[1].get("activation")


def _graph(network: Network) -> list[tuple[str, int, list[Any]]]:
    """Every call of a layer with its inputs; the inputs of the network and the calls of each layer are counted."""
    inputs = {ref: number for number, ref in enumerate(network.input_refs)}
    calls: dict[str, dict[int, int]] = {}
    for node in network.nodes:
        numbers = calls.setdefault(node.layer, {})
        numbers.setdefault(node.index, len(numbers))

    def counted(ref: Ref) -> Any:
        return inputs.get(ref, (ref.layer, calls[ref.layer][ref.node], ref.tensor))

    return [
        (node.layer, calls[node.layer][node.index], [counted(ref) for ref in node.inputs])
        for node in network.nodes
        if node.inputs
    ]


def _calls(network: Network) -> list[tuple[str, Layer, Any]]:
    """(path, layer, input shape) of every call of a layer."""
    with known_shapes():
        return list(calls(network))


def options_of(layer: Layer, shape: Any = None) -> tuple[str, Mapping[str, Any]]:
    """The class of a layer, and what its outputs depend on. shape: of its input, from which axes are counted."""
    config = layer_config(layer)
    kept = {
        key: value
        for key, value in config["config"].items()
        if key not in _NO_DIFFERENCE and key.rpartition("_")[2] not in _TRAINING
    }
    if "activation" in kept:
        kept["activation"] = kept["activation"] or "linear"
    if kept.get("axis") is not None and isinstance(shape, tuple):
        kept["axis"] = sorted(axes_of(kept["axis"], len(shape)))
    return config["class_name"], json.loads(json.dumps(kept, default=repr), parse_float=_single)


def _single(number: str) -> float:
    """A number rounded to float32: tf_keras states some in this precision, such as 0.30000001192092896 for 0.3."""
    return float(str(np.float32(number)))
