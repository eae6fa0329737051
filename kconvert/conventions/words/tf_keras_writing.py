"""Architecture JSON for the package tf_keras, written from Keras 2's words (keras-facts: words-for-tf-keras).

tf_keras reads the words of Keras 2. Every option of a layer is stated, because some have another default there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...arguments import argument
from ...errors import KconvertError
from ...lazy_dataclasses import dataclass
from .items import GRAPHS, MODELS, Json, is_item
from .keras1 import Defaults
from .tf_keras_classes import BEYOND, SHARED

FIRST_RELEASE = (2, 16, 0)
"""The first release of Keras 2 that is a package of its own, tf_keras, and no part of TensorFlow."""

RELEASE = "2.21.0"
"""The release that results are written for."""

BACKENDS = ("tensorflow",)
"""What it runs on."""

CLASSES = frozenset({*SHARED, *BEYOND, *MODELS, *GRAPHS})
"""The classes of layers and models that it has."""

LEFT_OUT = frozenset({"keras1_output_shape", "mode"})
"""Keys that no layer of it has: Keras 2 has them at one value."""

OF_EVERY_LAYER = frozenset({"batch_input_shape", "dtype", "trainable"})
"""Options of every layer, which have the same defaults and are not stated where a layer does not state them."""

LEFT_OUT_OF: Mapping[str, frozenset[str]] = {
    "Embedding": frozenset({"dropout"}),
    "SeparableConv1D": frozenset({"kernel_initializer"}),
    "SeparableConv2D": frozenset({"kernel_initializer"}),
}
"""Further keys that are left out, by class."""

NAMES = frozenset({
    "elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "log_softmax", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
})  # fmt: skip
"""The activations that it has."""


def write(item: Json, custom: Collection[str], defaults: Defaults) -> Json:
    """The `{'class_name', 'config'}` of a layer or a model in Keras 2's words, as tf_keras reads it.

    custom: the names of the user's classes. Raises KconvertError naming the layer or activation that tf_keras does not
    have.
    """
    return _Writer(custom, defaults).item(item)


@dataclass(frozen=True)
class _Writer:
    custom: Collection[str]
    defaults: Defaults

    def item(self, item: Json) -> Json:
        """A layer or a model, with all items inside it."""
        name, config = item["class_name"], item["config"]
        if name in self.custom:
            return item
        if name not in CLASSES:
            raise KconvertError(f"tf_keras has no layer {name}", f"layer {config.get('name', '?')}", _fix())
        if name in MODELS:
            return {**item, "config": {**config, "layers": list(map(self.item, config["layers"]))}}
        left_out = LEFT_OUT | LEFT_OUT_OF.get(name, frozenset())
        more = {key: value for key, value in self.defaults(name, config).items() if key not in OF_EVERY_LAYER}
        stated = {**more, **config}
        where = f"layer {config.get('name', '?')}"
        written = {key: self._value(key, value, where) for key, value in stated.items() if key not in left_out}
        return {**item, "config": written}

    def _value(self, key: str, value: Any, where: str) -> Any:
        if isinstance(value, (list, tuple)):
            return [self._value("", one, where) for one in value]
        if is_item(value):
            return self.item(value) if value["class_name"] in CLASSES else value
        if key.rpartition("_")[2] == "activation" and isinstance(value, str) and value not in NAMES:
            raise KconvertError(f"tf_keras has no activation {value!r}", where, _fix())
        return value


def _fix() -> str:
    return f"use {argument('format', 'keras2')}, and give tf_keras what it lacks as custom_objects"
