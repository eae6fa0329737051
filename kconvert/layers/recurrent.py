"""Recurrent layers: the loop over time around a cell.

SimpleRNN, GRU and LSTM construct the cell from their options; RNN has the cell as an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, field
from typing import Any, ClassVar

import numpy as np

from ..backend.base import Backend, Step, Tensor
from ..backend.computing import current_backend
from ..backend.float_settings import floatx
from ..conventions.roles import Weight
from ..errors import AlsoAttributeError, KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .cells import (
    CuDNNFields,
    GRUCell,
    GRUFields,
    LSTMCell,
    LSTMFields,
    SimpleRNNCell,
    SimpleRNNFields,
    _Cell,
    _CuDNNGRUCell,
    _CuDNNLSTMCell,
    gate_inputs,
)
from .component_names import stated, unchecked
from .input_spec import InputSpec
from .lists import items_of
from .operators import Operators
from .options import later_option
from .phase import Phase
from .registry import layer_from_config
from .shapes import fold_time, one_step, unfold_time
from .stacked_cells import StackedRNNCells
from .user_cells import check_constants, checked_cell, in_loop


@dataclass(eq=False, kw_only=True)
class SequenceFields:
    """Options of recurrent layers for the sequence."""

    # Return the outputs of all time steps, in the order computed; otherwise the last output.
    return_sequences: bool = False
    # Return the last states too, after the output.
    return_state: bool = False
    # Process the sequence from its end.
    go_backwards: bool = False
    # Start from the states at the end of the batch before; otherwise from zeros.
    stateful: bool = False


@dataclass(eq=False, kw_only=True)
class LoopFields(SequenceFields):
    """Options of the loop over time."""

    # Write the loop out, step by step, where the number of steps is known. The result is the same.
    unroll: bool = False


@dataclass(eq=False, kw_only=True)
class MaskedLoopFields(LoopFields):
    """Options of loops that tf.keras and Keras 3 also compute with zeros at masked steps."""

    # The output of a masked step is 0; otherwise it is that of the step before.
    zero_output_for_mask: bool = later_option(False)


class KeepsStates:
    """The part of a layer that keeps states from batch to batch."""

    @property
    def kept(self) -> list[KeptState]:
        """The states that models keep for the layer."""
        return self.__dict__.setdefault("_kept", [])

    def first_state(self, name: str, shape: Shape) -> np.ndarray:
        """The value of a state before the first run: what `reset_states` was given, or zeros."""
        return self.__dict__.get("_first_states", {}).get(name, np.zeros(shape, floatx()))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class KeptState:
    """A state that a model keeps for a layer."""

    name: str
    backend: Backend
    variable: Any


class _Loop(KeepsStates, Layer):
    """A cell applied to every time step (keras-facts: recurrent-states).

    x: (batch, time, ...), or a list of it and the initial states. mask: (batch, time) or None. Without initial states
    the loop starts from zeros, or in a stateful layer from the states at the end of the batch before.
    """

    supports_masking = True
    over_steps = True
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool
    zero_output_for_mask: bool = False

    @property
    def step_cell(self) -> _Cell:
        """The cell of the loop."""
        raise NotImplementedError

    def step_cell_with(self, constants: Sequence[Tensor]) -> _Cell:
        """The cell of the loop, which gets `constants` in every step."""
        return self.step_cell

    def spec_of(self, shape: Any) -> list[InputSpec]:
        rank = getattr(self, "rank", 0)
        if not shape:
            return [InputSpec(ndim=rank + 3)]
        return [InputSpec(shape=(shape[0] if self.stateful else None, None, *shape[2:]))]

    def parts(self, inputs: Any) -> tuple[list[Any], list[Any]]:
        """The sequence with the initial states, if they are inputs, and the constants; of tensors or of shapes."""
        return list(inputs) if isinstance(inputs, list) else [inputs], []

    def cell_weights(self, w: Weights) -> Weights:
        """The weights of the cell, from those of the layer."""
        return w

    def check_inputs(self, shapes: Sequence[Shape]) -> None:
        super().check_inputs(shapes)
        if getattr(self, "unroll", False) and shapes[0][1:2] == (None,):
            what, fix = "unroll=True needs to know the number of time steps", "state it in the shape of the input"
            raise KconvertError(what, f"layer {self.name}", fix, Problem.USAGE)

    def weight_specs(self, shape: Any) -> list[Weight]:
        return self.step_cell.weight_specs(one_step(_of_sequence(shape)))

    @property
    def state_names(self) -> list[str]:
        """The names of the states that the layer keeps from batch to batch; none unless it is stateful."""
        return [f"state_{i}" for i in range(self.step_cell.states)] if self.stateful else []

    @property
    def states(self) -> list[Any]:
        """The variables of the states; None for each of them before the layer runs."""
        latest = {one.name: one.variable for one in self.kept}
        return [latest.get(name) for name in self.state_names or [""] * self.step_cell.states]

    def reset_states(self, states: Any = None) -> None:
        """Sets the states of a stateful layer: to zero, or to arrays.

        Raises KconvertError for a layer that is not stateful, and for arrays of other shapes.
        """
        if not self.stateful:
            what = "the layer is not stateful"
            raise AlsoAttributeError(what, f"layer {self.name}", "give stateful=True", Problem.USAGE)
        arrays = items_of(states)
        if states is not None and len(arrays) != len(self.state_names):
            what = f"{len(arrays)} states were given where {len(self.state_names)} are expected"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)
        given = {} if states is None else self._checked_states(arrays)
        self.__dict__["_first_states"] = given
        for one in self.kept:
            value = one.backend.value(one.variable)
            one.backend.assign(one.variable, given.get(one.name, np.zeros_like(value)))

    def _checked_states(self, arrays: Sequence[Any]) -> dict[str, np.ndarray]:
        """The states by name. Raises KconvertError for other shapes, and before the shape of the input is known."""
        if not self.shapes_of_weights:
            fix = "put it into a model, or call reset_states() without arrays"
            raise KconvertError("the layer has no states yet", f"layer {self.name}", fix, Problem.USAGE)
        given = {}
        for (name, wanted), array in zip(self.kept_states(self.shapes_of_weights[0]).items(), arrays, strict=True):
            given[name] = np.asarray(array, floatx())
            if given[name].shape != tuple(wanted):
                what = f"a state of shape {given[name].shape} was given where {tuple(wanted)} is expected"
                raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)
        return given

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Symbols of the states that the loop starts from, zeros, for the symbol of a sequence."""

        def zeros(x: Tensor, number: int) -> Tensor:
            K = current_backend()
            return K.zeros(self.step_cell.state_shapes(one_step(K.shape(x)))[number])

        return [Operators.record(zeros, inputs, i) for i in range(self.step_cell.states)]

    def kept_states(self, shape: Any) -> dict[str, Shape]:
        if not self.stateful:
            return {}
        sequence = _of_sequence(shape)
        if sequence[0] is None:
            raise KconvertError(
                "a stateful layer needs to know the number of samples in a batch",
                where=f"layer {self.name}",
                fix="give batch_input_shape to the first layer, or batch_shape to Input",
            )
        return dict(zip(self.state_names, self.step_cell.state_shapes(one_step(sequence)), strict=True))

    def compute_output_shape(self, shape: Any) -> Any:
        (sequence, *states), _ = self.parts(shape)
        self.kept_states(sequence)  # which need the size of the batch
        last = self.step_cell.compute_output_shape(one_step(sequence))
        self._check_states(states, self.step_cell.state_shapes(one_step(sequence)))
        output = (last[0], sequence[1], *last[1:]) if self.return_sequences else last
        return [output, *self.step_cell.state_shapes(one_step(sequence))] if self.return_state else output

    def _check_states(self, stated: Sequence[Shape], wanted: Sequence[Shape]) -> None:
        """Raises KconvertError where initial states have another number or other shapes than those of the cell."""
        sizes = [tuple(shape[1:]) for shape in stated]
        if stated and sizes != [tuple(shape[1:]) for shape in wanted]:
            what = f"initial states of shapes {list(map(tuple, stated))} were given where {list(wanted)} are expected"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        (x, *states), constants = self.parts(x)
        cell, weights = self.step_cell_with(constants), self.cell_weights(w)
        sizes = K.shape(x)
        carried = [w[name] for name in self.state_names if name in w and not states]
        states = states or carried or [K.zeros(shape) for shape in cell.state_shapes(one_step(sizes))]
        noise = cell.noise(K, one_step(sizes), training)
        inputs = gate_inputs(x, [K.expand_dims(factor, 1) for factor in noise[0].inputs])
        projected = unfold_time(K, cell.project(K, weights, [fold_time(K, one) for one in inputs]), sizes[1])

        def step(x_t: Tensor, before: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            return cell.noisy_step(K, weights, x_t, before, noise)

        last, outputs, states = self.run_loop(K, step, projected, states, _of_sequence(mask))
        if self.zero_output_for_mask and mask is not None:
            last, outputs = self._with_zeros(K, last, outputs, _of_sequence(mask))
        if training is not None and carried:
            for name, new in zip(self.state_names, states, strict=True):
                training.update(name, new)
        output = outputs if self.return_sequences else last
        return [output, *states] if self.return_state else output

    def _with_zeros(self, K: Backend, last: Tensor, outputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The last output and all outputs, with zeros at the masked steps (keras-facts: masked-bidirectional)."""
        kept = K.cast(K.flip(mask, 1) if self.go_backwards else mask, floatx())
        return last * K.expand_dims(kept[:, -1], -1), outputs * K.expand_dims(kept, -1)

    def run_loop(self, K: Backend, step: Step, x: Tensor, states: list[Tensor], mask: Any) -> Any:
        """The last output, all outputs and the last states of `step` over the projected inputs `x`."""
        return K.rnn(step, x, states, mask, self.go_backwards, self.unroll and isinstance(K.shape(x)[1], int))

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        output_mask = _of_sequence(mask) if self.return_sequences else None
        return [output_mask] + [None] * self.step_cell.states if self.return_state else output_mask


def _of_sequence(value: Any) -> Any:
    """The tensor, shape or mask of the sequence, where the inputs may be a list of it and the initial states."""
    return value[0] if isinstance(value, list) else value


@dataclass(frozen=True, eq=False)
class _KeptCell:
    """The cell that a layer of some options shows; a copy of the layer makes one of its own."""

    layer: _LoopOfOptions
    options: dict[str, Any]
    cell: _Cell


class _LoopOfOptions(_Loop):
    """The loop around a cell that has the options of the layer."""

    cell_class: ClassVar[type[_Cell]]

    @property
    def masks_of_dropout(self) -> int:
        return self.step_cell.masks_of_dropout

    @property
    def step_cell(self) -> _Cell:
        options = {f.name: stated(self, f.name) for f in self.cell_class.config_fields()}
        with unchecked():  # the names that the layer has were checked when a user made it
            return self.cell_class(name=self.name, **options)

    @property
    def cell(self) -> _Cell:
        """The cell, which shares the weights of the layer: the same object as long as the options are the same."""
        options = {f.name: stated(self, f.name) for f in self.cell_class.config_fields()}
        kept: _KeptCell | None = self.__dict__.get("_kept_cell")
        if kept is None or kept.layer is not self or kept.options != options:
            kept = self.__dict__["_kept_cell"] = _KeptCell(self, options, self.step_cell)
        cell = kept.cell
        if shapes := self.shapes_of_weights:
            self._held()  # makes the weights
            cell.entry = self.entry
            cell.note_build(one_step(shapes[0]))
        return cell


@dataclass(eq=False)
class SimpleRNN(_LoopOfOptions, SimpleRNNFields, MaskedLoopFields):
    """Fully connected recurrent layer, whose output is its state.

    >>> SimpleRNN(4, return_sequences=True).compute_output_shape((None, None, 3))
    (None, None, 4)
    """

    without_effect = frozenset({"implementation"})

    _: KW_ONLY
    activity_regularizer: Any = None
    cell_class = SimpleRNNCell


class _GatedLoop(_LoopOfOptions):
    """A loop that cuDNN computes too, for some values of the options."""

    @property
    def not_in_cudnn(self) -> list[str]:
        """The options with values that cuDNN does not support, as `name=value` (keras-facts: cudnn-options)."""
        options = {name: stated(self, name) for name in _CuDNN.fixed_options if hasattr(self, name)}
        return [f"{name}={value!r}" for name, value in options.items() if value != getattr(_CuDNN, name)]


@dataclass(eq=False)
class GRU(_GatedLoop, GRUFields, MaskedLoopFields):
    """Gated recurrent unit.

    >>> GRU(4, reset_after=True).weight_specs((None, 5, 3))[2].shape
    (2, 12)
    """

    _: KW_ONLY
    activity_regularizer: Any = None
    cell_class = GRUCell


@dataclass(eq=False)
class LSTM(_GatedLoop, LSTMFields, MaskedLoopFields):
    """Long short-term memory.

    >>> LSTM(4, return_state=True).compute_output_shape((None, 5, 3))
    [(None, 4), (None, 4), (None, 4)]
    """

    _: KW_ONLY
    activity_regularizer: Any = None
    cell_class = LSTMCell


class _CuDNN(_LoopOfOptions):
    """The loop as cuDNN runs it (keras-facts: cudnn-only-on-tensorflow)."""

    # Options of GRU and LSTM that have one value in cuDNN, which is the class attribute of that name.
    fixed_options = ("activation", "recurrent_activation", "use_bias", "dropout", "recurrent_dropout", "reset_after")
    activation, recurrent_activation, use_bias = "tanh", "sigmoid", True
    dropout, recurrent_dropout = 0.0, 0.0
    implementation, reset_after, unroll = 2, True, False


@dataclass(eq=False)
class CuDNNGRU(_CuDNN, CuDNNFields, SequenceFields):
    """GRU(reset_after=True) as cuDNN runs it. Its weights are those of the GRU, but packed in files.

    >>> CuDNNGRU(4).weight_specs((None, 5, 3))[2].shape
    (2, 12)
    """

    _: KW_ONLY
    activity_regularizer: Any = None
    cell_class = _CuDNNGRUCell


@dataclass(eq=False)
class CuDNNLSTM(_CuDNN, CuDNNFields, SequenceFields):
    """LSTM as cuDNN runs it, with two biases. Its weights are packed in files.

    >>> CuDNNLSTM(4).weight_specs((None, 5, 3))[2].shape
    (2, 16)
    """

    unit_forget_bias: bool = field(default=True, kw_only=True)
    _: KW_ONLY
    activity_regularizer: Any = None
    cell_class = _CuDNNLSTMCell


@dataclass(eq=False)
class RNN(_Loop, MaskedLoopFields):
    """The loop around a cell, or around a list of cells (`StackedRNNCells`).

    >>> RNN([LSTMCell(4), GRUCell(3)]).compute_output_shape((None, 5, 2))
    (None, 3)
    """

    cell: Any
    # How many of the last inputs are constants, which the cell gets in every step; None: the call stated none.
    num_constants: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        cells = isinstance(self.cell, (list, tuple))
        self.cell = StackedRNNCells(list(self.cell)) if cells else checked_cell(layer_from_config(self.cell))
        self.cell.name = self.cell.name or "cell"

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        config = super().stated_config(old_options)
        return {key: value for key, value in config.items() if (key, value) != ("num_constants", None)}

    @property
    def step_cell(self) -> Any:
        return in_loop(self.cell)

    def step_cell_with(self, constants: Sequence[Tensor]) -> Any:
        return in_loop(self.cell, constants)

    def parts(self, inputs: Any) -> tuple[list[Any], list[Any]]:
        together, _ = super().parts(inputs)
        count = self.num_constants or 0
        if count:
            check_constants(self.cell)
        if len(together) <= count:
            what = f"it takes a sequence and {count} constants, and got {len(together)} inputs"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)
        return together[: len(together) - count], together[len(together) - count :]

    def cell_weights(self, w: Weights) -> Weights:
        return w.get(self.cell.name, {})

    @property
    def sublayers(self) -> list[Layer]:
        return [self.cell]

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        (sequence, *_), constants = self.parts(shape)
        step = one_step(sequence)
        return [[step, *constants] if constants else step]

    def weight_specs(self, shape: Any) -> list[Weight]:
        return []
