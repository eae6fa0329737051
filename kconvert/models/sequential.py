"""Sequential as users hold it, and users' models of networks that were read from files."""

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
    """Layers in a row, and the arrays they run with (Keras's Sequential).

    Without layers, or where the first one states no input shape, it is not built yet: `add` and `build` complete it,
    at the latest the first batch does.

    >>> from kconvert.layers import Dense
    >>> model = Sequential([Dense(2, input_shape=(4,))])
    >>> model.output_shape
    (None, 2)
    """

    def __init__(self, layers: Sequence[Layer] = (), name: str = "sequential_1", trainable: bool = True) -> None:
        super().__init__(layers, name, trainable)

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs

    def set_row(self, layers: list[Layer], nodes: list[Any]) -> None:
        """Takes other layers; the model stays compiled, and on its backend."""
        trainer = self.__dict__.get("_trainer")
        super().set_row(layers, nodes)
        self._trainer = trainer
        self._forget_steps()

    def complete(self, x: Any) -> None:
        """Builds a model that does not know its input shape yet, from the shape of the data."""
        if self.built:
            return
        if not hasattr(x, "shape") or not self.layers:
            fix = "give the first layer input_shape=..."
            raise KconvertError("the model does not know the shape of its input", self.name, fix, Problem.USAGE)
        self.build((None, *x.shape[1:]))


def as_model(network: Network) -> Model:
    """A network as users hold it: it and the networks inside it become models."""
    layers = [_as_user_layer(layer) for layer in network.layers]
    if isinstance(network, sequential.Sequential):
        return Sequential(layers, name=network.name, trainable=network.trainable)
    found = copy(network)
    found.layers = layers
    return Model.from_network(found)


def _as_user_layer(layer: Layer) -> Layer:
    """A layer, with the networks in it (that of a wrapper too) as models."""
    if isinstance(layer, Network):
        return as_model(layer)
    inner = {f.name: getattr(layer, f.name) for f in fields(layer) if isinstance(getattr(layer, f.name), Network)}
    if not inner:
        return layer
    wrapper = copy(layer)
    for name, network in inner.items():
        setattr(wrapper, name, as_model(network))
    return wrapper
