"""Converts architecture JSON of any generation to a network, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..conventions.generations import GENERATIONS, numbers_of, release_of_tensorflow, words_of
from ..conventions.words.items import OPERATIONS, Json
from ..conventions.words.keras3_writing import Graph
from ..conventions.words.table import Context
from ..conventions.words.tf_keras_classes import BEYOND, BEYOND_OF_KERAS3
from ..errors import KconvertError, Problem
from ..layers.as_is import AsIs
from ..layers.base import Layer, Shape, how_to_give_the_shape, layer_config
from ..layers.registry import custom_classes, find_layer, layer_from_config
from .graph import LayerPath
from .network import Network
from .sequential import Sequential


def model_from_config(
    config: Any,
    keras_version: str | None = None,
    data_format: str | None = None,
    shape_for: Callable[[Layer], Shape | None] = lambda layer: None,
) -> Network:
    """The model that the architecture JSON of any known generation describes.

    keras_version: the release that wrote it, where the file states it and not the architecture. data_format: that of
    layers of Keras 1 which do not state theirs. shape_for: the shape of the input of a Sequential that states none,
    from its first layer.
    Raises KconvertError for an unknown layer class (named) or a configuration that is not a model's, or if the shape of
    an input is unknown.
    """
    model = layer_from_config(words_of(config, keras_version).read(config, data_format, custom_classes()))
    if not isinstance(model, Network):
        raise KconvertError("the architecture is a single layer, not a model", problem=Problem.UNREADABLE)
    _refuse_classes_of_tf_keras(model, config.get("keras_version") or keras_version)
    _complete(model, shape_for)
    return model


def _complete(model: Network, shape_for: Callable[[Layer], Shape | None]) -> None:
    """Builds the Sequentials that state no shape of their input. Raises KconvertError where it is unknown."""
    if isinstance(model, Sequential) and not model.built:
        first: Layer = model
        while isinstance(first, Sequential):
            first = first.all_layers[0]
        shape = shape_for(first)
        if shape is None:
            raise KconvertError("the first layer states no input shape", where=model.name, fix=how_to_give_the_shape())
        model.build(shape)
    if any(isinstance(layer, Sequential) and not layer.built for layer in _networks(model)):
        model.shapes()


def _networks(layer: Layer) -> Iterator[Network]:
    """All networks in `layer`."""
    for inner in layer.sublayers:
        if isinstance(inner, Network):
            yield inner
        yield from _networks(inner)


def _refuse_classes_of_tf_keras(model: Network, keras_version: Any) -> None:
    """Raises KconvertError for an operation of TensorFlow, and for a class of tf.keras in a file of tf.keras.

    In a file of another Keras, a class of that name is the user's own, which is carried as it is.
    """
    of_tensorflow = isinstance(keras_version, str) and release_of_tensorflow(keras_version)
    beyond = {**BEYOND, **BEYOND_OF_KERAS3}
    for _, layer in model.leaves():
        unknown = layer.unknown_class if isinstance(layer, AsIs) else ""
        if isinstance(layer, AsIs) and (unknown in OPERATIONS or (of_tensorflow and unknown in beyond)):
            raise layer.cannot_run


def model_config(model: Network, form: str, keras_version: str, backend: str) -> Json:
    """The architecture JSON of `model` as release `keras_version` of generation `form` writes it."""
    words = GENERATIONS[form].words
    leaves = [layer for _, layer in model.leaves() if not (isinstance(layer, AsIs) and layer.original is not None)]
    custom = custom_classes() | {layer.class_name for layer in leaves if _is_of_user(layer)}
    version, order = numbers_of(keras_version), list(model.by_name)
    context = Context(keras_version, version, backend, order, custom, defaults, lambda: dict(_graphs(model)))
    return model.arranged(words.write(layer_config(model, words.old_options), context))


def defaults(class_name: str, config: Json) -> Mapping[str, Any]:
    """The default values of a layer class, for keys that a configuration of Keras 2 does not state."""
    return layer_from_config({"class_name": class_name, "config": config}).unstated


def _is_of_user(layer: Layer) -> bool:
    """Whether a user wrote the class of a layer. Such a class need not be registered."""
    return layer.is_custom or find_layer(layer.class_name) is None


def _graphs(layer: Layer, outer: LayerPath = ()) -> Iterator[tuple[LayerPath, Graph]]:
    """The path of each network in `layer`, and its inputs and shapes."""
    path = (*outer, layer.name)
    if isinstance(layer, Network):
        yield path, Graph([entry.stored_config() for entry in layer.input_layers], layer.shapes())
    for inner in layer.sublayers:
        yield from _graphs(inner, path)
