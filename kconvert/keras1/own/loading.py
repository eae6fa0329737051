"""Models of Keras 1.2.2 from files and configurations (`keras.models`)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import fields
from typing import Any

from ...conversion.source import Source
from ...formats.hdf5.handles import path_to_read
from ...layers import Layer
from ...layers.registry import with_custom_objects
from ...models import configurations, loading, model
from ...models.training import optimizers
from ...network.network import Network
from ...network.sequential import Sequential as SequentialNetwork
from .built_in import in_keras1
from .initializations import with_initializations
from .models import Model, Sequential
from .optimizers import optimizer
from .optimizers import optimizer_from_config as optimizer_from_config


def as_keras1(network: Network) -> Any:
    """A model of Keras 1.2.2 with the layers of `network`, also those of networks in it."""
    layers = [_layer(layer) for layer in network.all_layers]
    if isinstance(network, SequentialNetwork):
        return Sequential(layers, network.name)
    copied = copy(network)
    copied.all_layers = layers
    return Model.from_network(copied)


def _layer(layer: Layer) -> Layer:
    """The layer as one of the class that it has in Keras 1.2.2; networks in it are models of Keras 1.2.2."""
    if isinstance(layer, Network):
        made: Layer = as_keras1(layer)
        return made
    for f in fields(layer):
        if isinstance(inner := getattr(layer, f.name, None), Layer):
            setattr(layer, f.name, _layer(inner))
    return in_keras1(layer)


def load_model(filepath: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model in a file of any Keras, with its weights, compiled as the file states.

    custom_objects: your functions and classes, by their names in the file.
    """
    names = dict(custom_objects or {})

    def compiled(made: model.Model, stated: Mapping[str, Any]) -> None:
        made.compile(
            optimizer(optimizers.get(stated["optimizer_config"])),
            _known(stated.get("loss"), names),
            metrics=_known(stated.get("metrics") or [], names),
            loss_weights=stated.get("loss_weights"),
            sample_weight_mode=stated.get("sample_weight_mode"),
        )

    with with_custom_objects(custom_objects), with_initializations(), path_to_read(filepath) as place:
        return loading.model_of(Source(place), make=as_keras1, compile_as=compiled)


def _known(stated: Any, names: Mapping[str, Any]) -> Any:
    """What a file states, with the objects of the user in place of their names."""
    if isinstance(stated, Mapping):
        return {key: _known(value, names) for key, value in stated.items()}
    if isinstance(stated, list):
        return [_known(value, names) for value in stated]
    return names.get(stated, stated)


def save_model(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Writes a model into a file: see `Model.save`."""
    model.save(filepath, overwrite)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `{'class_name': ..., 'config': ...}` describes, with initial weights."""
    with with_custom_objects(custom_objects), with_initializations():
        return as_keras1(configurations.model_from_config(config))


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_json` describes, with initial weights."""
    with with_custom_objects(custom_objects), with_initializations():
        return as_keras1(configurations.model_from_json(json_string))


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_yaml` describes, with initial weights."""
    with with_custom_objects(custom_objects), with_initializations():
        return as_keras1(configurations.model_from_yaml(yaml_string))


def layer_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer or model that `{'class_name': ..., 'config': ...}` describes, in the words of Keras 1.2.2."""
    if config["class_name"] in ("Sequential", "Model"):
        return model_from_config(config, custom_objects)
    stated = {"class_name": "Sequential", "config": [config]}
    with with_custom_objects(custom_objects), with_initializations():
        made = configurations.model_from_config(stated)
    return _layer(made.layers[-1])
