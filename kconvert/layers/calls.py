"""Calls of layers on symbols, from which models are built.

    x = Input((784,))
    y = Dense(10)(Dense(512, activation="relu")(x))
    model = Model(x, y)

A symbol is a tensor without values: it has a shape and the call that returned it. `Model` follows the calls back from
its outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from itertools import count
from typing import Any, Protocol

import numpy as np

from ..backend import get_backend
from ..backend.base import Backend, Tensor
from ..backend.computing import current_backend, images_in
from ..backend.float_settings import floatx
from ..errors import AlsoAttributeError, AlsoRuntimeError, AlsoTypeError, KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .drawn import draw_for_call
from .lists import as_list, items_of, one_or_list
from .names import next_name
from .operators import Operators

_numbers = count()

INPUT_WORDS = frozenset({"input_shape", "input_dim", "input_length", "batch_size"})
"""The arguments, besides `batch_input_shape`, that state the shape of a layer's input."""


class CalledLayer(Protocol):
    """The part of a layer that a call uses."""

    name: str

    @property
    def inbound(self) -> list[Call]: ...

    @property
    def class_name(self) -> str: ...

    def compute_output_shape(self, shape: Any) -> Any: ...

    def weight_specs(self, shape: Any) -> Any: ...

    def check_inputs(self, shapes: Any) -> None: ...

    def take_phase(self) -> None: ...


@dataclass(frozen=True, eq=False, repr=False)
class Call:
    """One call of a layer."""

    layer: Any
    # Empty for an InputLayer, but for one that is computed from another symbol.
    inputs: tuple[Symbol, ...] = ()
    # The shapes of the outputs, with the batch axis.
    shapes: tuple[tuple[int | None, ...], ...] = ()
    # Further arguments of the call. They are stored, and written back.
    arguments: Mapping[str, Any] = field(default_factory=dict)
    # The data format of the images that the inputs have, by the layers that led to them.
    images: str | None = None
    # The order of the calls: later calls have greater numbers.
    number: int = field(default_factory=lambda: next(_numbers))

    # Whether the first output has a mask, as far as the class of the layer tells. Each call keeps it, so that a deep
    # graph is never searched.
    has_mask: bool = field(init=False)

    def __post_init__(self) -> None:
        has_mask = self.layer.makes_mask or (self.layer.passes_mask and any(map(is_masked, self.inputs)))
        object.__setattr__(self, "has_mask", has_mask)

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols that the call returned, one for each shape: the same objects at each reading."""
        return list(self._symbols)

    @cached_property
    def _symbols(self) -> tuple[Symbol, ...]:
        return tuple(Symbol(self, i) for i in range(len(self.shapes)))

    @property
    def input_tensors(self) -> list[Symbol]:
        """The inputs; for an InputLayer, its output. The names of these properties are those of a `Node` of Keras."""
        return list(self.inputs) or self.outputs

    @property
    def output_tensors(self) -> list[Symbol]:
        """The outputs."""
        return self.outputs

    @property
    def node_indices(self) -> list[int]:
        """For each input, the number of the call that returned it among those of its layer."""
        return [one.call.index for one in self.inputs]

    @property
    def index(self) -> int:
        """The number of the call among those of its layer, as Keras counts them."""
        calls: list[Call] = self.layer.inbound_nodes
        return calls.index(self)

    @property
    def tensor_indices(self) -> list[int]:
        """For each input, its number among the outputs of the call that returned it."""
        return [one.index for one in self.inputs]

    @property
    def input_masks(self) -> list[Any]:
        """The mask of each input; None where there is none."""
        return [mask_of(one) for one in self.input_tensors]

    @property
    def output_masks(self) -> list[Any]:
        """The mask of each output; None where there is none."""
        return [mask_of(one) for one in self.outputs]

    def get_config(self) -> dict[str, Any]:
        """The names of the layers that the call connects, and the numbers of calls and outputs, as in Keras."""
        return {
            "outbound_layer": self.layer.name,
            "inbound_layers": [one.name for one in self.inbound_layers],
            "node_indices": self.node_indices,
            "tensor_indices": self.tensor_indices,
        }

    @property
    def input_shapes(self) -> list[tuple[int | None, ...]]:
        """The shape of each input."""
        return [one.shape for one in self.input_tensors]

    @property
    def output_shapes(self) -> list[tuple[int | None, ...]]:
        """The shape of each output."""
        return list(self.shapes)

    @property
    def inbound_layers(self) -> list[Any]:
        """The layers of the inputs."""
        return [one.call.layer for one in self.inputs]

    @property
    def outbound_layer(self) -> Any:
        """The layer that was called."""
        return self.layer

    @property
    def input(self) -> Any:
        """The input, or the list of inputs; for an InputLayer, its output."""
        return one_or_list(self.input_tensors)

    @property
    def output(self) -> Any:
        """The output, or the list of outputs."""
        return one_or_list(self.outputs)


@dataclass(frozen=True, repr=False)
class Symbol(Operators):
    """Output number `index` of a call."""

    call: Call
    index: int

    def __repr__(self) -> str:
        """The layer, the output and the shape: a call refers to all calls before it."""
        return f"<Symbol {self.index} of {self.call.layer.class_name} {self.call.layer.name!r}, shape {self.shape}>"

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape with the batch axis."""
        return self.call.shapes[self.index]

    @property
    def tensor(self) -> Any:
        """For an input that is always a variable or an expression: that; otherwise None."""
        return None if self.call.inputs else self.call.layer.tensor

    @property
    def _uses_learning_phase(self) -> bool:
        """Whether a layer that led to it computes differently in training."""
        calls = calls_behind([self])
        return any(one.layer.uses_phase for one in calls if one.arguments.get("training") is None)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """The name of the type of the elements."""
        return str(self.call.layer.dtype_of(self.index))

    @property
    def name(self) -> str:
        """The name of the layer that returned it."""
        return str(self.call.layer.name)

    @property
    def _keras_shape(self) -> tuple[int | None, ...]:
        return self.shape

    @property
    def _keras_history(self) -> tuple[Any, int, int]:
        """The layer, the number of its call and the number of the output, as in Keras."""
        return self.call.layer, self.call.index, self.index


def shapes_of(symbols: Any) -> Any:
    """The shape of a symbol, or the shapes of a list of symbols."""
    return [symbol.shape for symbol in symbols] if isinstance(symbols, list) else symbols.shape


def call_between(
    layer: CalledLayer,
    inputs: Symbol | Sequence[Symbol],
    initial_state: Any = None,
    training: bool | None = None,
    constants: Any = None,
    mask: Any = None,
) -> Call:
    """The call of `layer` on `inputs`, which the layer has not noted yet.

    initial_state: one or several symbols, for recurrent layers. training: False for a layer that computes as in
    prediction in every run; None for one that follows the run. constants: one or several symbols, which the cell of an
    RNN gets in every step. mask: the mask of the input, or one for each input, in place of what they have; None: they
    keep theirs. Raises KconvertError where an input is not a symbol, or where the layer does not accept its shape.
    """
    states = [] if initial_state is None else items_of(initial_state)
    symbols = items_of(inputs)
    if mask is not None:
        pairs = zip(symbols, items_of(mask), strict=False)
        symbols = [one if own is None else Operators.with_mask(one, own) for one, own in pairs]
    symbols = [*symbols, *states]
    if constants is not None:
        symbols += with_constants(layer, items_of(constants))
    if any(isinstance(item, Operators) and not isinstance(item, Symbol) for item in symbols):
        symbols = Operators.as_inputs(symbols)
    others = [item for item in symbols if not isinstance(item, Symbol)]
    if others or not symbols:
        kind = type(others[0] if others else inputs).__name__
        raise KconvertError(
            f"a {layer.class_name} layer was called on {kind}, which is not a symbol",
            fix="call it on the result of Input(...) or of another layer; for arrays, use model.predict",
            problem=Problem.USAGE,
        )
    layer.name = layer.name or next_name(layer.class_name)
    layer.check_inputs([symbol.shape for symbol in symbols])
    shape = one_or_list([symbol.shape for symbol in symbols])
    images = images_behind(symbols, getattr(layer, "data_format", None))
    try:
        with images_in(images):
            result = layer.compute_output_shape(shape)
            _check_weights(layer, layer.weight_specs(shape))
    except KconvertError:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise KconvertError(
            f"a {layer.class_name} layer does not accept an input of shape {shape}", problem=Problem.USAGE
        ) from error
    check_masks(layer, symbols)
    layer.take_phase()
    outputs = result if isinstance(result, list) else [result]
    arguments = {} if training is None else {"training": training}
    return Call(layer, tuple(symbols), tuple(tuple(sizes) for sizes in outputs), arguments, images)


def _check_weights(layer: Any, specs: Sequence[Any]) -> None:
    """Raises KconvertError where a layer that was called needs weights of other shapes, `specs`, for another input."""
    if layer.is_custom or layer.is_network or not layer.inbound:
        return
    first = one_or_list([symbol.shape for symbol in layer.inbound[0].inputs])
    for new, made in zip(specs, layer.weight_specs(first), strict=False):
        if new.shape != made.shape:
            what = f"its {made.name} has the shape {made.shape} since it was called on an input of shape {first}"
            fix = f"an input of this shape needs {new.shape}: use another layer"
            raise KconvertError(what, f"layer {layer.name}", fix, Problem.USAGE)


def recorded(made: Call) -> Call:
    """`made`, which its layer notes; layers inside it, as in a wrapper, note the shapes of their inputs."""
    layer = made.layer
    layer.use_options()
    layer.inbound.append(made)
    if made.inputs:
        draw_for_call(layer, one_or_list([symbol.shape for symbol in made.inputs]))
    for before in made.inbound_layers:
        before.outbound.append(made)
    if made.inputs and not layer.is_network:
        shapes = layer.sublayer_shapes(one_or_list([symbol.shape for symbol in made.inputs]))
        for inner, shape in zip(layer.sublayers, shapes, strict=True):
            inner.note_build(shape)
    layer.note_called()
    return made


def with_constants(layer: Any, constants: Sequence[Symbol]) -> Sequence[Symbol]:
    """`constants`, whose number the layer notes. Raises KconvertError for a layer that takes none."""
    if not hasattr(layer, "num_constants"):
        what = f"a {layer.class_name} layer takes no constants"
        raise KconvertError(what, fix="give them to an RNN with a cell of your own", problem=Problem.USAGE)
    layer.num_constants = len(constants)
    return constants


def images_behind(symbols: Sequence[Symbol], own: str | None = None) -> str | None:
    """The data format that the layers that led to symbols state; None where there are none or they differ.

    own: that of the layer that is called on them.
    """
    stated = {own, *(symbol.call.images for symbol in symbols)} - {None}
    return stated.pop() if len(stated) == 1 else None


class Callee:
    """What a layer tells of its calls on symbols."""

    name: str

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """Calls the layer on symbols: the results of `Input(...)` or of other layers. Returns the output symbols."""
        return recorded(call_between(self, inputs, **kwargs)).output  # type: ignore[arg-type]  # `Layer` has the rest

    def call_on_symbols(self, x: Any, mask: Any = None, **kwargs: Any) -> Any:
        """`call` of the layer on symbols, with the arguments of Keras."""
        return self(x, **({} if mask is None else {"mask": mask}), **kwargs)

    def mask_on_symbols(self, x: Any, mask: Any = None) -> Any:
        """`compute_mask` of the layer on symbols, with the arguments of Keras."""
        inputs, masks = as_list(x), as_list(mask)
        return mask_after(self, inputs, [*masks, *[None] * (len(inputs) - len(masks))])

    @property
    def inbound(self) -> list[Call]:
        """The calls of the layer on symbols, in order."""
        return self.__dict__.setdefault("_inbound", [])

    @property
    def inbound_nodes(self) -> list[Call]:
        """The calls as Keras numbers them: `inbound`, for a network after the call that it is itself."""
        return self.inbound

    @property
    def _inbound_nodes(self) -> list[Call]:
        return self.inbound_nodes

    @property
    def outbound(self) -> list[Call]:
        """The calls of layers on outputs of this one, in order."""
        return self.__dict__.setdefault("_outbound", [])

    @property
    def outbound_nodes(self) -> list[Call]:
        """`outbound`, under its name in Keras."""
        return self.outbound

    _outbound_nodes = outbound_nodes

    def _call(self, index: int | None = None) -> Call:
        """Call number `index`, or the only call where `index` is None.

        Raises KconvertError where there is no such call.
        """
        calls = self.inbound_nodes
        if not calls:
            error = AlsoAttributeError if index is None else AlsoRuntimeError
            raise error("the layer was not called", f"layer {self.name}", "call it on a symbol", Problem.USAGE)
        if index is None and len(calls) > 1:
            what = f"the layer was called {len(calls)} times, so it has no single input or output"
            fix = "use get_output_at(i) or get_input_at(i)"
            raise AlsoAttributeError(what, f"layer {self.name}", fix, Problem.USAGE)
        if index is not None and not -len(calls) <= index < len(calls):
            what = f"the layer has no call {index}"
            raise KconvertError(what, f"layer {self.name}", f"it was called {len(calls)} times", Problem.USAGE)
        return calls[index or 0]

    @property
    def input(self) -> Any:
        """The symbol or list of symbols that the layer was called on.

        Raises KconvertError unless the layer was called exactly once.
        """
        return self._call().input

    @property
    def output(self) -> Any:
        """The symbol or list of symbols that the call returned.

        Raises KconvertError unless the layer was called exactly once.
        """
        return self._call().output

    def dtype_of(self, index: int) -> str:
        """The name of the type of the elements of output number `index`."""
        return getattr(self, "dtype", None) or floatx()

    def get_input_at(self, node_index: int) -> Any:
        """`input` of call number `node_index`, from 0."""
        return self._call(node_index).input

    def get_output_at(self, node_index: int) -> Any:
        """`output` of call number `node_index`, from 0."""
        return self._call(node_index).output

    def get_input_shape_at(self, node_index: int) -> Any:
        """`input_shape` of call number `node_index`, from 0."""
        return shapes_of(self.get_input_at(node_index))

    def get_output_shape_at(self, node_index: int) -> Any:
        """`output_shape` of call number `node_index`, from 0."""
        return shapes_of(self.get_output_at(node_index))

    def get_input_mask_at(self, node_index: int) -> Any:
        """The mask of the input of call number `node_index`, or the list of masks; None where there is none."""
        return one_or_list(self._call(node_index).input_masks)

    def get_output_mask_at(self, node_index: int) -> Any:
        """The mask of the output of call number `node_index`, or the list of masks; None where there is none."""
        return one_or_list(self._call(node_index).output_masks)

    def _get_node_attribute_at_index(self, node_index: int, attr: str, attr_name: str) -> Any:
        """The list `attr` of call number `node_index`, or its only item; attr_name has no effect."""
        return one_or_list(getattr(self._call(node_index), attr))

    @property
    def input_mask(self) -> Any:
        """The mask of the input. Raises KconvertError unless the layer was called exactly once."""
        return one_or_list(self._call().input_masks)

    @property
    def output_mask(self) -> Any:
        """The mask of the output. Raises KconvertError unless the layer was called exactly once."""
        return one_or_list(self._call().output_masks)

    @property
    def input_shape(self) -> Any:
        """The input shape, or the list of input shapes. Raises KconvertError where those of calls differ."""
        return _common([shapes_of(call.input) for call in self.inbound]) or shapes_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The output shape, or the list of output shapes. Raises KconvertError where those of calls differ."""
        return _common([shapes_of(call.output) for call in self.inbound]) or shapes_of(self.output)


def _common(shapes: list[Any]) -> Any:
    """The shape that all calls of a layer have; None where there is none."""
    return shapes[0] if shapes and all(shape == shapes[0] for shape in shapes) else None


def is_masked(symbol: Symbol) -> bool:
    """Whether a tensor has a mask, as far as the class of its layer tells."""
    return symbol.index == 0 and symbol.call.has_mask


def check_masks(layer: Any, inputs: Sequence[Symbol]) -> None:
    """Raises KconvertError where an input has a mask and the layer takes none, as Keras 2.3 does."""
    if not layer.takes_mask and (masked := next(filter(is_masked, inputs), None)):
        what = f"a {layer.class_name} layer takes no mask, and the output of {masked.call.layer.name} has one"
        fix = "leave the mask out (mask_zero=False, no Masking), or end it with a Lambda layer"
        raise AlsoTypeError(what, f"layer {layer.name}", fix, Problem.USAGE)


def mask_of(symbol: Symbol) -> Any:
    """The symbol of the mask of a tensor, as its layer computes it; None where the tensor has no mask."""
    call, inputs = symbol.call, symbol.call.inputs
    if not inputs:
        return None
    return mask_after(call.layer, inputs, [mask_of(one) for one in inputs], symbol.index)


def mask_after(layer: Any, inputs: Sequence[Symbol], masks: Sequence[Any], index: int = 0) -> Any:
    """The symbol of the mask of output number `index` of a layer, for inputs with `masks`; None where it has none."""

    def masks_of(K: Backend, xs: Sequence[Tensor], given: Sequence[Tensor]) -> Any:
        rest = iter(given)
        stated = [None if mask is None else next(rest) for mask in masks]
        found = as_list(layer.compute_mask(K, one_or_list(list(xs)), one_or_list(stated)))
        return found[index] if index < len(found) else None

    sizes = [[_SIZE if n is None else n for n in one.shape] for one in inputs]
    known = [np.ones(size[:2], "bool") for size, mask in zip(sizes, masks, strict=True) if mask is not None]
    if masks_of(get_backend("numpy"), [np.zeros(size, floatx()) for size in sizes], known) is None:
        return None

    def compute(*tensors: Tensor) -> Tensor:
        return masks_of(current_backend(), tensors[: len(inputs)], tensors[len(inputs) :])

    return Operators.record(compute, *inputs, *(mask for mask in masks if mask is not None))


_SIZE = 3
"""The size that is tried for each unknown size."""


def calls_behind(outputs: Sequence[Symbol], ends: Collection[Call] = ()) -> list[Call]:
    """Every call that `outputs` depend on, in the order of the calls; ends: calls whose inputs do not count."""
    calls: dict[int, Call] = {}
    todo = [symbol.call for symbol in outputs]
    while todo:
        call = todo.pop()
        if call.number not in calls:
            calls[call.number] = call
            if call not in ends:
                todo += [symbol.call for symbol in call.inputs]
    return [calls[number] for number in sorted(calls)]


def steps_of_input(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`arguments` of a layer of sequences, with `input_shape` in place of `input_dim` and `input_length`.

    >>> steps_of_input({"units": 2, "input_dim": 5})
    {'units': 2, 'input_shape': (None, 5)}
    """
    result = dict(arguments)
    if result.get("input_dim") is not None:
        result["input_shape"] = (result.pop("input_length", None), result.pop("input_dim"))
    return result


def input_arguments(known: set[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`arguments` with `batch_input_shape` in place of `input_shape`, `input_dim`, `input_length` and `batch_size`.

    known: the parameters of the layer's constructor; those of these names keep their meaning. `batch_input_shape`
    counts where both are given.

    >>> input_arguments({"units"}, {"units": 4, "input_shape": (7, 3)})
    {'units': 4, 'batch_input_shape': (None, 7, 3)}
    """
    result = dict(arguments)
    stated = {key: result.pop(key, None) for key in ("input_shape", "input_dim", "input_length") if key not in known}
    batch = result.pop("batch_size", None)
    shape = stated.get("input_shape")
    if shape is None and stated.get("input_dim") is not None:
        shape = (stated["input_dim"],)
        if stated.get("input_length") is not None:
            shape = (stated["input_length"], *shape)
    if shape is not None and result.get("batch_input_shape") is None:
        result["batch_input_shape"] = (batch, *((shape,) if isinstance(shape, int) else shape))
    return result
