"""Sequential, the model of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import KconvertError, Problem
from ..layers import Layer
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


@as_model.register(sequential.Sequential)
def _sequential(network: sequential.Sequential) -> Sequential:
    return Sequential(user_layers(network), name=network.name, trainable=network.trainable)
