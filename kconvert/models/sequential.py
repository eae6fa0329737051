"""Sequential, the model of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import AlsoTypeError, KconvertError, Problem
from ..layers import Layer
from ..layers.calls import Symbol, check_masks
from ..layers.names import next_name
from ..layers.registry import with_custom_objects
from ..network import sequential
from .model import Model, as_model, user_layers


class Sequential(sequential.Sequential, Model):
    """A list of layers that holds weights and runs on a backend; each layer gets the output of the one before.

    layers: without layers, or if the first layer states no input shape, the model is not built yet: `add`, `build` or
    the first batch completes it. name, trainable: as in `Model`. Source: `engine/sequential.py` of Keras 2.3.1.

    >>> from kconvert.layers import Dense
    >>> model = Sequential([Dense(2, input_shape=(4,))])
    >>> model.output_shape
    (None, 2)
    """

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None, trainable: bool = True) -> None:
        super().__init__(layers or (), name or next_name("Sequential"), trainable)
        for node in self.nodes:
            _check(self.by_name[node.layer], [self._symbols[ref] for ref in node.inputs])
            self.by_name[node.layer].take_phase()
        self._check_outputs()

    def add(self, layer: Layer) -> None:
        """Adds a layer at the end.

        Raises KconvertError where it is not a layer, where it has several outputs, and where it does not take the
        output so far, or its mask.
        """
        if isinstance(layer, Layer):
            _check(layer, self.outputs)
            layer.take_phase()
        super().add(layer)
        self._check_outputs(AlsoTypeError)

    def _check_outputs(self, kind: type[KconvertError] = KconvertError) -> None:
        """Raises KconvertError for a layer with several outputs, of which the next one would get the first alone.

        kind: the class of the error.
        """
        for ref in self._symbols:
            if ref.tensor:
                what, fix = f"{ref.layer} has several outputs", "use the functional API"
                raise kind(what, self.name, fix, Problem.USAGE)

    @property
    def layers(self) -> list[Layer]:
        return list(super().layers)

    @classmethod
    def from_config(cls, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Sequential:
        """The model with the configuration that `get_config` returns; parameters as for `Model.from_config`."""
        with with_custom_objects(custom_objects):
            return as_model(sequential.Sequential.from_config(config))  # type: ignore[return-value]

    def set_layers(self, layers: Sequence[Layer]) -> None:
        for layer in layers:
            layer.name = layer.name or next_name(layer.class_name)
        super().set_layers(layers)

    def set_nodes(self, layers: list[Layer], nodes: list[Any]) -> None:
        """Replaces the layers; the model stays compiled, and keeps its backend."""
        trainer = self.__dict__.get("_trainer")
        super().set_nodes(layers, nodes)
        self._stay_compiled(trainer)

    def predict_proba(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> np.ndarray:
        """The outputs for `x`, as `predict` returns them, of a model whose outputs are probabilities."""
        result: np.ndarray = self.predict(x, batch_size, verbose)
        return result

    def predict_classes(self, x: Any, batch_size: int | None = None, verbose: int = 0) -> np.ndarray:
        """The class of each sample: the position of the greatest output; for one output 1 above 0.5, else 0."""
        outputs = self.predict_proba(x, batch_size, verbose)
        return outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")

    def complete(self, x: Any) -> None:
        """Builds the model from the shape of the data `x`, if its input shape is not known yet."""
        if self.built:
            return
        if not hasattr(x, "shape") or not self.layers:
            fix = "give the first layer input_shape=..."
            raise KconvertError("the input shape of the model is not known", self.name, fix, Problem.USAGE)
        self.build((None, *x.shape[1:]))


def _check(layer: Layer, inputs: Sequence[Symbol]) -> None:
    """Raises KconvertError where the layer does not take `inputs`, or their masks; none for an InputLayer."""
    if inputs:
        layer.check_inputs([symbol.shape for symbol in inputs])
        check_masks(layer, inputs)


@as_model.register(sequential.Sequential)
def _sequential(network: sequential.Sequential) -> Sequential:
    model = Sequential(name=network.name, trainable=network.trainable)
    model.set_layers(user_layers(network))
    return model
