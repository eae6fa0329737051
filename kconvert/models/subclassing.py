"""Model classes of the user: their method `call` calls layers on symbols, and so makes the graph.

The graph is made when the shape of the input is known: by `build`, or from the first data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..errors import AlsoNotImplementedError, KconvertError, Problem
from ..layers import InputLayer, Layer
from ..network.functional import Input, graph_between
from ..network.network import Network


class BuiltByCall(Network):
    """The part of a model that a class of the user with `call` needs."""

    # In a class of the user: its method `call`. The graph is that of its calls.
    calls_layers: ClassVar[Callable[..., Any] | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        if "call" in vars(cls):
            cls.calls_layers = vars(cls)["call"]
            del cls.call
        super().__init_subclass__(**options)

    @property
    def layers(self) -> list[Layer]:
        """The layers that Keras lists; a class with `call` has no input layers."""
        listed = super().layers
        return [one for one in listed if not isinstance(one, InputLayer)] if self.calls_layers else listed

    @property
    def built(self) -> bool:
        """Whether the shape of the input is known."""
        return bool(self.nodes)

    def complete(self, x: Any) -> None:
        """Builds the model from data `x` if its input shape is not known yet."""
        if not self.built:
            several = isinstance(x, (list, tuple)) and all(hasattr(one, "shape") for one in x)
            if not several and not hasattr(x, "shape"):
                what, fix = "the input shape of the model is not known", "train on arrays first, or call build"
                raise KconvertError(what, self.name, fix, Problem.USAGE)
            shapes = [(None, *one.shape[1:]) for one in (x if several else [x])]
            self.build(shapes if several else shapes[0])

    def build(self, input_shape: Any) -> None:
        """Builds the graph of a model class of the user, by its method `call`; other models have one.

        input_shape: with the batch axis; for several inputs a list.
        """
        if self.built or self.calls_layers is None:
            return
        several = isinstance(input_shape, list)
        inputs = [Input(batch_shape=shape) for shape in (input_shape if several else [input_shape])]
        outputs = type(self).calls_layers(self, inputs if several else inputs[0])  # type: ignore[misc]
        self.__dict__.update(graph_between(inputs, outputs))
        self.__post_init__()

    def compute_output_shape(self, shape: Any) -> Any:
        self.build(shape)
        return super().compute_output_shape(shape)

    def get_config(self) -> dict[str, Any]:
        """The configuration. Raises KconvertError for a class with `call`, whose code no configuration states."""
        self.refuse_code()
        return super().get_config()

    def refuse_code(self) -> None:
        """Raises KconvertError for a class with `call`, whose code no configuration states."""
        if self.calls_layers is not None:
            fix = "save its weights, or write it as a functional model"
            raise AlsoNotImplementedError("the class of the model defines call", self.name, fix)

    def _check_ends(self) -> None:
        """Checks inputs and outputs as every network does; a model class of the user that is not built has none."""
        if self.nodes or self.calls_layers is None:
            super()._check_ends()
