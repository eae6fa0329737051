"""Optimizers of Keras 1.2.2 by name and by configuration (`keras.optimizers`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...keras.own.objects import get_custom_objects as get_custom_objects
from ...keras.own.optimizers import clip_norm as clip_norm
from .components import OPTIMIZERS
from .generic import get_from_module


def get(identifier: Any, kwargs: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that a name, or a dict with `name` and arguments, means; anything else as it is.

    kwargs: the arguments for a name. Raises KconvertError for an unknown name.
    """
    return get_from_module(identifier, OPTIMIZERS, "optimizer", True, kwargs)


def optimizer_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that `{'class_name': ..., 'config': ...}` describes. Raises KconvertError for an unknown class.

    custom_objects: your classes by name, beside `get_custom_objects()`.
    """
    own = {**get_custom_objects(), **(custom_objects or {})}
    name = config["class_name"]
    make = own[name] if name in own else get_from_module(name.lower(), OPTIMIZERS, "optimizer")
    return make(**config["config"])
