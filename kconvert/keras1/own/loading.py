"""Models of Keras 1.2.2 from files and configurations (`keras.models`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backend import default_backend
from ...conventions.words.values import parse_json
from ...conversion.source import Source
from ...formats.hdf5.handles import path_to_read
from ...layers.registry import with_custom_objects
from ...models import configurations, loading, model
from ...models.training import optimizers
from .initializations import with_initializations
from .models import as_stated
from .models import model_from_config as model_from_config
from .optimizers import optimizer
from .optimizers import optimizer_from_config as optimizer_from_config
from .topology import layer_of_item


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
        return loading.model_of(Source(place, otherwise=default_backend()), make=as_stated, compile_as=compiled)


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


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_json` describes, with initial weights."""
    return model_from_config(parse_json(json_string), custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_yaml` describes, with initial weights."""
    return model_from_config(configurations.parse_yaml(yaml_string), custom_objects)


def layer_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer or model that `{'class_name': ..., 'config': ...}` describes, in the words of Keras 1.2.2."""
    if config["class_name"] in ("Sequential", "Model"):
        return model_from_config(config, custom_objects)
    with with_custom_objects(custom_objects):
        return layer_of_item(config)
