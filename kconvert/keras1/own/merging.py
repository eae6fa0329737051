"""Merge and merge of Keras 1.2.2: several layers or symbols, one output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ... import layers
from ...errors import AlsoRuntimeError, AlsoTypeError, KconvertError, Problem
from ...layers import python_functions
from ...layers.calls import Symbol
from ...network.network import Network
from .topology import Input, Layer, item_of_layer, layer_of_item, name_of

_MODES = ("sum", "mul", "concat", "ave", "cos", "dot", "max")
_OVER_AXES = ("dot", "cos")
_OF_ONE_SHAPE = ("sum", "mul", "ave", "cos", "max")
_FUNCTIONS = ("mode", "output_shape", "output_mask")
"""The options that may be functions; `NAME_type` says in a configuration whether they are."""


class Merge(Layer, layers.Merge):
    """A layer that merges several inputs by `mode`.

    layers: the layers or models whose outputs it merges, as the first layer of a Sequential; without them it is called
    on symbols. mode: 'sum', 'mul', 'concat', 'ave', 'cos', 'dot', 'max', or a function of the list of inputs.
    output_shape: of such a function, without the batch axis, or a function from the shapes of the inputs to it.
    output_mask: of such a function: a function of the list of masks. Raises KconvertError for another mode.
    """

    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        mode: Any = "sum",
        concat_axis: int = -1,
        dot_axes: Any = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        node_indices: Sequence[int] | None = None,
        tensor_indices: Sequence[int] | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(mode) and mode not in _MODES:
            fix = f"the modes are {', '.join(_MODES)}"
            raise KconvertError(f"Keras 1.2.2 has no mode {mode!r} of Merge", fix=fix, problem=Problem.USAGE)
        super().__init__(name=name_of(self, name))
        self.mode, self.concat_axis, self.dot_axes = mode, concat_axis, dot_axes
        options = {"arguments": dict(arguments or {}), "output_shape": output_shape, "output_mask": output_mask}
        self.extra.update(options, mode_type="lambda" if callable(mode) else "raw")
        if layers:
            places = zip(layers, node_indices or [0] * len(layers), tensor_indices or [0] * len(layers), strict=True)
            self([_output(layer, node, tensor) for layer, node, tensor in places])
            self.__dict__["_branches"] = list(layers)

    def __call__(self, inputs: Any, mask: Any = None) -> Any:  # type: ignore[override]
        """The symbol that merges `inputs`. Raises KconvertError where it is no list, and at a second call."""
        if not isinstance(inputs, list) or len(inputs) < 2:
            found = "a list of one" if isinstance(inputs, list) else f"a {type(inputs).__name__}"
            what = f"a Merge merges a list of two or more symbols, not {found}"
            raise AlsoTypeError(what, f"layer {self.name}", problem=Problem.USAGE)
        if self.mode in _OVER_AXES and not isinstance(self.dot_axes, (int, list, tuple)):
            what = f"dot_axes must be a number or a list of two, not {self.dot_axes!r}"
            raise AlsoTypeError(what, f"layer {self.name}", problem=Problem.USAGE)
        if self.inbound:
            what = "a Merge can be called once"
            raise AlsoRuntimeError(what, f"layer {self.name}", "use the function merge", Problem.USAGE)
        output = super().__call__(inputs)
        if self.mode in _OVER_AXES and isinstance(self.dot_axes, int):
            axes = self.dot_axes
            self.dot_axes = [axes % len(one.shape) if axes < 0 else axes for one in inputs]
        return output

    @property
    def class_name(self) -> str:
        """The name of the class in files."""
        return "Merge"

    def compute_output_shape(self, shape: Any) -> Any:
        if self.is_function and self.extra.get("output_shape") is None:
            what = "a Merge whose mode is a function states no output_shape"
            fix = "give output_shape: a shape, or a function of the shapes of the inputs"
            raise KconvertError(what, f"layer {self.name}", fix, Problem.USAGE)
        if self.mode in _OF_ONE_SHAPE and len({tuple(one) for one in shape}) > 1:
            what = f"mode {self.mode!r} of Merge takes inputs of one shape, not {', '.join(map(str, shape))}"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)
        return layers.Merge.compute_output_shape(self, shape)

    def stored_config(self, old_options: bool = False) -> dict[str, Any]:
        return {**layers.Merge.stated_config(self, old_options), **self._options()}

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, with functions as those of a Lambda are stated."""
        axes = {"concat_axis": self.concat_axis, "dot_axes": self.dot_axes}
        config = {"name": self.name, **axes, **self._options(), "arguments": self.extra.get("arguments") or {}}
        branches = [item_of_layer(one) for one in self.__dict__.get("_branches", ())]
        return {**config, "layers": branches} if branches else config

    def _options(self) -> dict[str, Any]:
        """The options that may be functions, and their types."""
        options: dict[str, Any] = {**self.extra, "mode": self.mode}
        result = {}
        for word in _FUNCTIONS:
            value, kind = options.get(word), self.extra.get(f"{word}_type", "raw")
            stated = python_functions.stored(value, self.name) if callable(value) else (value, kind)
            result[word], result[f"{word}_type"] = stated
        return result

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Merge:
        """The layer with a configuration that `get_config` returned; functions are those that this process has."""
        stated = {key: getattr(value, "function", value) for key, value in config.items()}
        for word in _FUNCTIONS:
            kind = stated.pop(f"{word}_type", None)
            if kind in ("lambda", "function") and not callable(stated[word]):
                stated[word] = python_functions.found(stated[word], kind, stated["name"]) or stated[word]
        return cls(**{**stated, "layers": [layer_of_item(one) for one in stated.get("layers") or ()]})


def merge(
    inputs: Sequence[Symbol],
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: str | None = None,
) -> Any:
    """The symbol that merges `inputs`: see `Merge`."""
    made = Merge(None, mode, concat_axis, dot_axes, output_shape, output_mask, arguments, name=name)
    return made(list(inputs))


def _output(layer: layers.Layer, node: int, tensor: int) -> Symbol:
    """Output `tensor` of call `node` of a layer; of a layer that was not called, on the input that it states."""
    if not isinstance(layer, Network) and not layer.inbound:
        if layer.batch_input_shape is None:
            what = "a layer in a Merge states no input shape"
            raise KconvertError(what, f"layer {layer.name}", "give it input_shape=...", Problem.USAGE)
        layer(Input(batch_shape=layer.batch_input_shape, dtype=layer.dtype, name=f"{layer.name}_input"))
    output = layer.output if isinstance(layer, Network) else layer.get_output_at(node)
    symbol: Symbol = output[tensor] if isinstance(output, list) else output
    return symbol
