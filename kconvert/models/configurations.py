"""Creates models from configurations: JSON text, or dicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..conventions.words import yaml
from ..conventions.words.values import parse_json
from ..errors import AlsoTypeError, KconvertError, Problem
from ..layers.registry import with_custom_objects
from ..network import architecture
from ..network.network import Network
from .model import Model
from .sequential import as_model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that `to_json` of any Keras up to 2.3 describes, with initial weights.

    json_string: the text.
    custom_objects: your functions and classes, by their names in the configuration.
    """
    return model_from_config(parse_json(json_string), custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that `to_yaml` of any Keras up to 2.3 describes.

    config: that dict.
    custom_objects: your functions and classes, by their names in the configuration.
    """
    return model_from_config(parse_yaml(yaml_string), custom_objects)


def parse_yaml(text: str) -> Any:
    """The content of the YAML of an architecture. Raises KconvertError if it is not valid YAML."""
    try:
        return yaml.parse(text)
    except ValueError as error:
        raise KconvertError(f"this is not YAML of an architecture ({error})", problem=Problem.UNREADABLE) from error


def model_from_config(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model that `{'class_name': ..., 'config': ...}` describes. Parameters: as for `model_from_json`.

    Raises KconvertError for a list, as `get_config` of a Sequential gave it before Keras 2.2.
    """
    with with_custom_objects(custom_objects):
        return as_model(network_of(config))


def network_of(config: Any, data_format: str | None = None) -> Network:
    """The network that `{'class_name': ..., 'config': ...}` describes. Raises KconvertError as `model_from_config`.

    data_format: that of layers of Keras 1 which do not state theirs; None: the one that all others state.
    """
    if isinstance(config, list):
        fix = "call Sequential.from_config, or give the class_name beside it"
        raise AlsoTypeError("a list of layers does not say of which class the model is", None, fix, Problem.USAGE)
    return architecture.model_from_config(json.loads(json.dumps(config)), data_format=data_format)
