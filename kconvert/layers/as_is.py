"""AsIs: a layer of an unknown class, or one that the user names with as-is. Its arrays are copied unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ..arguments import own_code
from ..backend.base import Backend
from ..conventions.roles import Weight, map_parameter
from ..conventions.words.tf_keras_classes import of_tf_keras
from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .component_names import stated
from .phase import Phase

ENTRY_POINTS = "kconvert.layers"


def how_to_register(class_name: str) -> str:
    """How a message says to give the class of an unknown layer."""
    way = own_code("class", class_name, "kconvert.register_layer")
    return f"{way}, or by an installed package with an entry point in the group {ENTRY_POINTS}"


class UnknownClass(KconvertError):
    """The error for a class that is not registered."""

    def __init__(self, class_name: str, layer: str) -> None:
        super().__init__(
            f"unknown layer class {class_name!r}{of_tf_keras(class_name)}",
            f"layer {layer}",
            how_to_register(class_name),
        )
        self.class_name = class_name


@dataclass(eq=False)
class AsIs(Layer):
    """A layer whose arrays and configuration are written as they were read."""

    drops_mask = True

    # The shapes of its arrays by their names. The file states them.
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    # The class that the architecture names; '' where there is no architecture.
    stated_class: str = ""
    # The configuration in the architecture.
    stated: Mapping[str, Any] = field(default_factory=dict)
    # The unknown class: that of the layer, or of a layer inside it.
    unknown_class: str = ""
    # The layer that the user names with as-is, if its class is known.
    original: Layer | None = None
    # The shape of its output without the batch axis, if a source other than the architecture shows it.
    output: Shape | None = None

    @property
    def class_name(self) -> str:
        return self.stated_class or super().class_name

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        """The configuration as it was read, with the present name and input shape."""
        config = dict(self.stated) if self.original is None else self.original.stated_config(old_options)
        shape = {} if self.batch_input_shape is None else {"batch_input_shape": list(self.batch_input_shape)}
        return {**config, "name": self.name, **shape}

    def weight_specs(self, shape: Any) -> list[Weight]:
        return [Weight(name, size, map_parameter(len(size))) for name, size in self.shapes.items()]

    @property
    def is_unknown(self) -> bool:
        return self.original is None and self.output is None and bool(self.stated_class)

    def compute_output_shape(self, shape: Any) -> Any:
        """The output shape of the known layer; of an unknown one `output`, else `guessed_shape`."""
        if self.output is not None:
            return ((shape[0] if isinstance(shape, list) else shape)[0], *self.output)
        return self.guessed_shape(shape) if self.original is None else self.original.compute_output_shape(shape)

    @property
    def cannot_run(self) -> KconvertError:
        if self.unknown_class:
            return UnknownClass(self.unknown_class, self.name)
        return KconvertError(f"the {self.class_name} is left as it is, as given", f"layer {self.name}")

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        raise self.cannot_run


def left_alone(layer: Layer) -> AsIs:
    """A layer of a known class as an AsIs layer."""
    return AsIs(
        name=layer.name,
        trainable=layer.trainable,
        dtype=stated(layer, "dtype"),
        batch_input_shape=layer.batch_input_shape,
        stated_class=layer.class_name,
        original=layer,
    )


def of_unknown_class(class_name: str, config: Mapping[str, Any], unknown: str) -> AsIs:
    """The layer of a class with its configuration in an architecture; unknown: the class that is not registered."""
    shape, trainable = config.get("batch_input_shape"), config.get("trainable", True)
    return AsIs(
        name=config.get("name", ""),
        trainable=trainable is not False,
        dtype=config.get("dtype") if isinstance(config.get("dtype"), str) else None,
        batch_input_shape=tuple(shape) if isinstance(shape, (list, tuple)) else None,
        stated_class=class_name,
        stated=config,
        unknown_class=unknown,
    )
