"""Sequential, the model of users, and `as_model`, which makes models of networks that were read from files."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import fields
from typing import Any

from ..errors import KconvertError, Problem
from ..layers import Layer
from ..network import sequential
from ..network.network import Network
from .model import Model


class Sequential(sequential.Sequential, Model):
    """A list of layers that holds weights and runs on a backend; each layer gets the output of the one before.

    layers: without layers, or if the first layer states no input shape, the model is not built yet: `add`, `build` or
    the first batch completes it. name, trainable: as in `Model`. Source: `engine/sequential.py` of Keras 2.3.1.

    >>> from kconvert.layers import Dense
    >>> model = Sequential([Dense(2, input_shape=(4,))])
    >>> model.output_shape
    (None, 2)
    """

    def __init__(self, layers: Sequence[Layer] = (), name: str = "sequential_1", trainable: bool = True) -> None:
        super().__init__(layers, name, trainable)

    def set_nodes(self, layers: list[Layer], nodes: list[Any]) -> None:
        """Replaces the layers; the model stays compiled, and keeps its backend."""
        trainer = self.__dict__.get("_trainer")
        super().set_nodes(layers, nodes)
        if trainer is not None:
            trainer.use(self.runtime)
            self._trainer = trainer

    def complete(self, x: Any) -> None:
        """Builds the model from the shape of the data `x`, if its input shape is not known yet."""
        if self.built:
            return
        if not hasattr(x, "shape") or not self.layers:
            fix = "give the first layer input_shape=..."
            raise KconvertError("the input shape of the model is not known", self.name, fix, Problem.USAGE)
        self.build((None, *x.shape[1:]))


def as_model(network: Network) -> Model:
    """A model with the layers of `network`; networks inside it become models too."""
    layers = [_as_user_layer(layer) for layer in network.layers]
    if isinstance(network, sequential.Sequential):
        return Sequential(layers, name=network.name, trainable=network.trainable)
    with_models = copy(network)
    with_models.layers = layers
    return Model.from_network(with_models)


def _as_user_layer(layer: Layer) -> Layer:
    """A layer in which every network, also that of a wrapper, is a model."""
    if isinstance(layer, Network):
        return as_model(layer)
    inner = {f.name: getattr(layer, f.name) for f in fields(layer) if isinstance(getattr(layer, f.name), Network)}
    if not inner:
        return layer
    wrapper = copy(layer)
    for name, network in inner.items():
        setattr(wrapper, name, as_model(network))
    return wrapper
