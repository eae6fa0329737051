"""Sequential: a network in which the input of each layer is the output of the layer before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import AlsoTypeError, KconvertError, Problem
from ..layers import InputLayer, Layer
from ..layers.base import Shape, layer_config
from ..layers.component_names import stated
from ..layers.names import name_layers
from ..layers.registry import built_in, layer_of_graph
from .graph import Node, first_call
from .network import Network


class Sequential(Network):
    """A sequence of layers, as Keras's Sequential.

    Without layers, or while the first layer states no input shape, it is not built; `add` and `build` complete it, and
    inside another network, the shape that it is called on.

    >>> from kconvert.layers import Dense
    >>> network = Sequential()
    >>> network.add(Dense(2, input_shape=(4,), name="first"))
    >>> [layer.name for layer in network.layers]
    ['first']
    """

    class_name = "Sequential"

    def __init__(self, layers: Sequence[Layer] = (), name: str = "sequential_1", trainable: bool = True) -> None:
        Layer.__init__(self, name=name, trainable=trainable)
        self.set_layers(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers without the input layer, as Keras lists them."""
        return (
            self.all_layers[1:] if isinstance(next(iter(self.all_layers), None), InputLayer) else list(self.all_layers)
        )

    @property
    def built(self) -> bool:
        """Whether the shape of the input is known."""
        return bool(self.output_refs)

    def add(self, layer: Layer) -> None:
        """Adds a layer at the end. Raises KconvertError where `layer` is not a layer."""
        if not isinstance(layer, Layer):
            raise AlsoTypeError(f"{layer!r} is not a layer", where=self.name, problem=Problem.USAGE)
        self.set_layers([*self.all_layers, layer])

    def pop(self) -> None:
        """Removes the last layer. Raises KconvertError where there is none."""
        if not self.layers:
            raise AlsoTypeError("there is no layer to remove", where=self.name, problem=Problem.USAGE)
        self.set_layers(self.all_layers[:-1] if len(self.layers) > 1 else [])

    def build(self, shape: Shape | None = None) -> None:
        """Sets the input shape, with the batch axis, of a network whose first layer states none.

        Without a shape it has no effect.
        """
        if self.all_layers and not self.built and shape is not None:
            first = self.all_layers[0]
            if isinstance(first, Sequential):
                first.build(shape)
            else:
                first.batch_input_shape = tuple(shape)
            self.set_layers(self.all_layers)

    def compute_output_shape(self, shape: Any) -> Any:
        if not isinstance(shape, list):
            self.build(shape)
        return super().compute_output_shape(shape)

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Replaces the layers. An InputLayer is inserted before the first one if there is none."""
        all_layers = list(layers)
        name_layers(all_layers)
        if all_layers and not isinstance(all_layers[0], InputLayer):
            first = all_layers[0]
            shape, dtype = _input_of(first)
            if shape is None:
                self.set_nodes(all_layers, [])
                return
            all_layers.insert(0, InputLayer(batch_input_shape=shape, dtype=dtype, name=f"{first.name}_input"))
        nodes = [Node(layer.name, 0, ()) for layer in all_layers[:1]]
        for layer in all_layers[1:]:
            nodes.append(Node(layer.name, first_call(layer), (nodes[-1].output,)))
        self.set_nodes(all_layers, nodes)

    def set_nodes(self, layers: list[Layer], nodes: list[Node]) -> None:
        """Replaces the layers and their nodes. Without nodes, the network is not built."""
        self.set_graph(layers, nodes, [node.output for node in nodes[:1]], [node.output for node in nodes[-1:]])

    def _check_ends(self) -> None:
        """Checks inputs and outputs as every network does; a network that is not built has none."""
        if self.nodes:
            super()._check_ends()

    @classmethod
    def from_config(cls, config: Any) -> Sequential:
        """The network with the configuration `config` of Keras 2 (keras-facts: names-of-sequentials).

        config: a list of layers, or a dict with `name` and `layers`. Where no layer states the shape of the input, it
        is not built. Raises KconvertError without layers.
        """
        if isinstance(config, list):
            config = {"layers": config}
        layers = [layer_of_graph(item) for item in config["layers"]]
        if len(layers) > 1 and isinstance(layers[0], InputLayer) and layers[1].batch_input_shape is not None:
            layers[1].batch_input_shape = layers[0].batch_input_shape  # Keras reads that of the first layer alone
        model = cls(layers, name=config.get("name") or "sequential_1", trainable=config.get("trainable", True))
        if not layers:
            raise KconvertError("a Sequential model needs at least one layer", where=model.name)
        return model

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        return {"name": self.name, "layers": [layer_config(layer, old_options) for layer in self.sublayers]}


def _input_of(layer: Layer) -> tuple[Shape | None, str | None]:
    """Shape and dtype of the input of `layer`; for a network, those of its first input. None where unknown."""
    if isinstance(layer, Network):
        return (layer.input_shapes[0], stated(layer.input_layers[0], "dtype")) if layer.input_refs else (None, None)
    shape = layer.batch_input_shape
    return (None if shape is None else tuple(shape)), stated(layer, "dtype")


built_in(Sequential)
