"""Sequential: a network in which each layer takes what the one before gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import KconvertError, Problem
from ..layers import InputLayer, Layer
from ..layers.base import Shape, layer_config
from ..layers.names import name_layers
from ..layers.registry import built_in, layer_from_config
from .graph import Node, first_call
from .network import Network


class Sequential(Network):
    """Layers in a row (Keras's Sequential).

    Without layers, or where the first one states no input shape, it is not built yet: `add` and `build` complete it.

    >>> from kconvert.layers import Dense
    >>> network = Sequential()
    >>> network.add(Dense(2, input_shape=(4,)))
    >>> [layer.name for layer in network.layers]
    ['dense_1_input', 'dense_1']
    """

    class_name = "Sequential"

    def __init__(self, layers: Sequence[Layer] = (), name: str = "sequential_1", trainable: bool = True) -> None:
        Layer.__init__(self, name=name, trainable=trainable)
        self.set_layers(layers)

    @property
    def built(self) -> bool:
        """Whether the shape of the input is known."""
        return bool(self.output_refs)

    def add(self, layer: Layer) -> None:
        """Adds a layer at the end."""
        if not isinstance(layer, Layer):
            raise KconvertError(f"{layer!r} is not a layer", where=self.name, problem=Problem.USAGE)
        self.set_layers([*self.layers, layer])

    def pop(self) -> None:
        """Removes the last layer."""
        self.set_layers(self.layers[:-1])

    def build(self, shape: Shape) -> None:
        """Completes a network whose first layer states no input shape: for inputs of `shape`, with the batch axis."""
        if self.layers and not self.built:
            self.layers[0].batch_input_shape = tuple(shape)
            self.set_layers(self.layers)

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Takes other layers; an InputLayer is put before the first one."""
        row = list(layers)
        name_layers(row)
        if row and not isinstance(row[0], InputLayer):
            shape, dtype = _input_of(row[0])
            if shape is None:
                self.set_row(row, [])
                return
            row.insert(0, InputLayer(batch_input_shape=shape, dtype=dtype, name=f"{row[0].name}_input"))
        nodes = [Node(layer.name, 0, ()) for layer in row[:1]]
        for layer in row[1:]:
            nodes.append(Node(layer.name, first_call(layer), (nodes[-1].output,)))
        self.set_row(row, nodes)

    def set_row(self, layers: list[Layer], nodes: list[Node]) -> None:
        """Takes the layers with their calls; without calls the network is not built."""
        self.set_graph(layers, nodes, [node.output for node in nodes[:1]], [node.output for node in nodes[-1:]])

    def _check_ends(self) -> None:
        """A row of layers that is not built has no inputs and outputs."""
        if self.nodes:
            super()._check_ends()

    @classmethod
    def from_config(cls, config: Any) -> Sequential:
        """The network that a Keras 2 configuration describes: a list of layers, or (2.2.3+) a dict with `layers`."""
        if isinstance(config, list):
            config = {"layers": config}
        layers = [layer_from_config(item) for item in config["layers"]]
        model = cls(layers, name=config.get("name") or "sequential_1", trainable=config.get("trainable", True))
        if not model.built:
            what = "the first layer states no input shape" if layers else "a Sequential model needs at least one layer"
            raise KconvertError(what, where=model.name, fix="add batch_input_shape to the first layer")
        return model

    def get_config(self, form: str = "keras2") -> dict[str, Any]:
        return {"name": self.name, "layers": [layer_config(layer, form) for layer in self.sublayers]}


def _input_of(layer: Layer) -> tuple[Shape | None, str | None]:
    """The shape and dtype of what the first layer takes: its own, or those of the first layer inside it."""
    if isinstance(layer, Network):
        return (layer.input_shapes[0], layer.input_layers[0].dtype) if layer.input_refs else (None, None)
    shape = layer.batch_input_shape
    return (None if shape is None else tuple(shape)), layer.dtype


built_in(Sequential)
