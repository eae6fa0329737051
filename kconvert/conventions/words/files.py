"""The JSON of an architecture: read from a file, and what it says of data formats in the words of any generation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import KconvertError, Problem
from ..backends import DATA_FORMATS
from .items import Json
from .rules import DIM_ORDERING
from .yaml import parse as parse_yaml


def architecture_json(path: str) -> Json:
    """What `model.to_json()` or `model.to_yaml()` wrote into the file `path`; YAML by its ending `.yaml` or `.yml`.

    Raises KconvertError where it is neither, or no object.
    """
    yaml = path.lower().endswith((".yaml", ".yml"))
    try:
        with open(path, encoding="utf-8") as file:
            config = parse_yaml(file.read()) if yaml else json.load(file)
    except OSError as error:
        raise KconvertError(f"cannot be read ({error.strerror})", where=path, problem=Problem.UNREADABLE) from error
    except (ValueError, RecursionError) as error:
        raise _no_model(path, f"is not YAML of Keras ({error})" if yaml else "is not JSON") from error
    if not isinstance(config, dict):
        raise _no_model(path, f"is not the {'YAML' if yaml else 'JSON'} of a model")
    return config


def _no_model(path: str, what: str) -> KconvertError:
    fix = "give what model.to_json() or (in a file .yaml) model.to_yaml() wrote"
    return KconvertError(what, where=path, fix=fix, problem=Problem.UNREADABLE)


def stated_data_formats(value: Any) -> Iterator[str]:
    """The data format of every layer of an architecture that states one, in Keras 2's words."""
    if isinstance(value, Mapping):
        stated = value.get("dim_ordering", value.get("data_format"))
        if isinstance(stated, str) and (word := DIM_ORDERING[0](stated)) in DATA_FORMATS:
            yield word
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from stated_data_formats(item)


def keys(value: Any) -> Iterator[str]:
    """Every key in JSON values, at any depth."""
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from keys(item)
