"""The text of an architecture: what `to_json()`, `to_yaml()` or `get_config()` of a model gave, as users save it."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from ...errors import KconvertError, Problem
from .items import Json
from .keras0 import is_keras0
from .values import parse_json

HOLDERS = ("model_config", "architecture", "arch", "model", "json")
"""The keys under which scripts keep an architecture beside other things."""
MAX_TEXTS = 4
"""How often JSON may stand in a text of JSON: json.dump(model.to_json()) makes it one."""
MAX_OPERATIONS = 1000
"""So many operations of pickle at the beginning of a file show that it is one."""


def parse_architecture(data: bytes, yaml: bool, path: str) -> Json:
    """The architecture in the bytes of the file `path`.

    Text is UTF-8, UTF-16 or UTF-32, with or without a byte order mark. JSON may stand in a JSON text. A configuration
    alone, which `get_config()` gives, becomes that of a model. Raises KconvertError where it is none of these.
    """
    if _is_pickle(data):
        raise no_model(path, "is a pickle, which could run any code and is never loaded")
    try:
        text = data.decode(json.detect_encoding(data))
        config = _under_its_key(_yaml(text) if yaml else _json(text))
    except KconvertError:
        raise
    except ValueError as error:
        raise no_model(path, f"is not {'YAML' if yaml else 'JSON'} of Keras ({error})") from error
    config = _as_model(config)
    if not isinstance(config, dict):
        raise no_model(path, f"is not the {'YAML' if yaml else 'JSON'} of a model")
    return config


def no_model(path: str, what: str) -> KconvertError:
    """The error for a file that holds no architecture."""
    fix = "give what model.to_json() or (in a file .yaml) model.to_yaml() wrote, or a whole model"
    return KconvertError(what, where=path, fix=fix, problem=Problem.UNREADABLE)


def _is_pickle(data: bytes) -> bool:
    """Whether bytes are those of a pickle, by its mark or by its operations, which are listed and not run."""
    if data.startswith(b"\x80"):
        return True
    if not data.endswith(pickle.STOP):
        return False
    from pickletools import genops

    try:
        return all(True for _ in islice(genops(data), MAX_OPERATIONS))
    except (ValueError, IndexError):
        return False


def _yaml(text: str) -> Any:
    from .yaml import parse

    return parse(text)


def _json(text: str) -> Any:
    """JSON, also where it stands in a JSON text or has its quotes escaped."""
    text = text.strip()
    config = parse_json(f'"{text}"' if re.match(r'[{\[]\s*\\"', text) else text)
    for _ in range(MAX_TEXTS):
        if not isinstance(config, str):
            return config
        config = parse_json(config)
    return config


def _under_its_key(config: Any) -> Any:
    """The architecture in an object that has it under one of `HOLDERS`, as a text or not; any other value as it is."""
    if not isinstance(config, dict) or "class_name" in config or is_keras0(config):
        return config
    inside = [config[key] for key in HOLDERS if key in config]
    if len(inside) != 1:
        return config
    found = _json(inside[0]) if isinstance(inside[0], str) else inside[0]
    return found if _is_layer(found) else config


def _as_model(config: Any) -> Any:
    """The model that a configuration alone describes; any other value as it is."""
    if isinstance(config, list) and config and all(map(_is_layer, config)):
        return {"class_name": "Sequential", "config": config}
    if not isinstance(config, dict) or "class_name" in config or is_keras0(config):
        return config
    layers = config.get("layers")
    if not isinstance(layers, list) or not layers or not all(map(_is_layer, layers)):
        return config
    functional = "input_layers" in config and "output_layers" in config
    return {"class_name": "Model" if functional else "Sequential", "config": config}


def _is_layer(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("class_name"), str) and "config" in item
