"""Architectures of Keras 3: how they are recognised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KERAS3 = "3"
"""Its release, where it is not known more exactly."""
STAMP = "kconvert"
"""A key that marks architectures which kconvert wrote for Keras 3. Keras 3 drops it when it saves the model again."""


def is_architecture(value: Any) -> bool:
    """Whether Keras 3 wrote an architecture: the shape of an input is called `batch_shape`."""
    if isinstance(value, Mapping):
        config = value.get("config")
        if value.get("class_name") == "InputLayer" and isinstance(config, Mapping) and "batch_shape" in config:
            return True
        value = list(value.values())
    return isinstance(value, list) and any(map(is_architecture, value))
