"""Names of `keras.layers` that are others in kconvert, and functions on configurations of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import layers
from ...conventions.words.rules import RULES
from ...errors import KconvertError, Problem
from ...layers.input_spec import InputSpec as InputSpec
from ...layers.merge import Elementwise as _Merge  # noqa: F401  # users inherit from it
from ...layers.registry import layer_from_config, with_custom_objects
from ...layers.wrappers import Wrapper as Wrapper
from ...models.configurations import model_from_config
from ...models.training import constraints as constraints  # these know the components of layers
from ...models.training import initializers as initializers
from ...models.training import regularizers as regularizers
from ..names import KERAS2

Convolution2DTranspose = Deconv2D = layers.Conv2DTranspose
Deconvolution3D = Deconv3D = layers.Conv3DTranspose
SeparableConvolution1D = layers.SeparableConv1D

# Keras 2.3.1 has many classes under their names in Keras 1, too.
globals().update(
    {
        rule.old: layers.LAYERS[rule.new]
        for rule in RULES
        if rule.old in KERAS2["layers"].split() and rule.old != rule.new
    }
)

_SHORT = {"AveragePooling": "AvgPool", "MaxPooling": "MaxPool"}

globals().update(
    {
        f"{prefix}{short}{rank}D": getattr(layers, f"{prefix}{long}{rank}D")
        for long, short in _SHORT.items()
        for prefix in ("", "Global")
        for rank in (1, 2, 3)
    }
)


def serialize(layer: Any) -> dict[str, Any]:
    """`{'class_name': ..., 'config': ...}` of a layer or a model."""
    return {"class_name": layer.class_name, "config": layer.get_config()}


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The layer or the model that `serialize` described; None stays None.

    custom_objects: your functions and classes, by name. Raises KconvertError for anything else.
    """
    if config is None:
        return None
    if not isinstance(config, Mapping):
        fix = "give a dict with class_name and config"
        raise KconvertError(f"unknown layer {config!r}", fix=fix, problem=Problem.USAGE)
    if config["class_name"] in ("Model", "Sequential"):
        return model_from_config(config, custom_objects)
    with with_custom_objects(custom_objects):
        return layer_from_config(config)
