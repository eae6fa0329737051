"""The configuration of a live model, in a form that kconvert reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..conventions.words.tf_keras_classes import IN_TRAINING_ALONE
from ..errors import KconvertError, Problem
from ..layers.as_is import AsIs
from ..network.network import Network
from .libraries import Library

_NOTHING = "Dropout"
"""A class whose outputs are its inputs, except in training."""


def configuration(model: Any, library: Library) -> Any:
    """The JSON of a live model. Raises KconvertError where the library itself cannot describe it.

    The weights do not depend on what is changed: classes of users which inherit from Sequential or Model become these,
    the dtype of layers with mixed precision becomes that of their weights, and layers that act in training alone become
    a Dropout.
    """
    try:
        config = json.loads(model.to_json())
    except Exception as error:  # a layer of the user may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise KconvertError(
            f"the live model does not describe its layers ({reason})",
            f"model {model.name}",
            "give its layers a method get_config",
            Problem.USAGE,
        ) from None
    return _read(config, model, library)


def _read(item: Any, live: Any, library: Library) -> Any:
    """The configuration of one layer. live: the layer; None where it is not known."""
    if not isinstance(item, dict) or not isinstance(item.get("config"), dict):
        return item
    config, models = _unmixed(item["config"]), library.module
    layers = config.get("layers")
    if isinstance(layers, list) and isinstance(live, models.Model):
        by_name = {layer.name: layer for layer in live.layers}
        config["layers"] = [_read(one, by_name.get(_name(one)), library) for one in layers]
        kind = models.Sequential if isinstance(live, models.Sequential) else models.Model
        return {**item, "config": config, **_of_library(kind.__name__)}
    if item.get("class_name") in IN_TRAINING_ALONE and item.get("registered_name") is None:
        kept = {key: config[key] for key in ("batch_input_shape", "batch_shape", "dtype") if key in config}
        config = {"name": config.get("name"), "rate": 0.0, "noise_shape": None, "seed": None, **kept}
        return {**item, "config": config, "build_config": None, **_of_library(_NOTHING)}
    return {**item, "config": config}


def _name(item: Any) -> Any:
    return item["config"].get("name") if isinstance(item, dict) and isinstance(item.get("config"), dict) else None


def _of_library(class_name: str) -> Mapping[str, Any]:
    return {"module": "keras", "class_name": class_name, "registered_name": None}


def _unmixed(value: Any) -> Any:
    """A configuration in which every dtype policy of mixed precision is float32, the dtype of its weights."""
    if isinstance(value, list):
        return [_unmixed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: "float32" if key == "dtype" and _mixed(item) else _unmixed(item) for key, item in value.items()}


def _mixed(dtype: Any) -> bool:
    name = dtype.get("config", {}).get("name") if isinstance(dtype, dict) else dtype
    return isinstance(name, str) and name.startswith("mixed_")


def learn_layers(network: Network, model: Any) -> None:
    """Sets the weights and the output shapes of layers whose class kconvert does not know: those of the live ones."""
    for layer, live in _unknown(network, model):
        shapes = [tuple(variable.shape) for variable in live.weights]
        layer.shapes = {f"weight_{number}": shape for number, shape in enumerate(shapes)}
        try:
            layer.output = tuple(live.output.shape)[1:]
        except (AttributeError, RuntimeError, TypeError, ValueError):
            continue  # it has several outputs, or is called several times


def _unknown(network: Network, model: Any) -> Iterator[tuple[AsIs, Any]]:
    by_name = {layer.name: layer for layer in model.layers}
    for layer in network.all_layers:
        live = by_name.get(layer.name)
        if isinstance(layer, AsIs) and live is not None:
            yield layer, live
        elif isinstance(layer, Network) and hasattr(live, "layers"):
            yield from _unknown(layer, live)
