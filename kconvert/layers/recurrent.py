"""Recurrent layers: the loop over time around a cell.

SimpleRNN, GRU and LSTM are the loop around a cell with their own options; RNN is the loop around a cell it is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..backend.base import Backend
from ..conventions.roles import Weight
from ..errors import KconvertError
from .base import Layer, Shape, Weights
from .cells import (
    CuDNNFields,
    GRUCell,
    GRUFields,
    LSTMCell,
    LSTMFields,
    SimpleRNNCell,
    SimpleRNNFields,
    StackedRNNCells,
    _Cell,
    _CuDNNGRUCell,
    _CuDNNLSTMCell,
    seen,
)
from .phase import Phase
from .registry import layer_from_config
from .shapes import fold_time, one_step, unfold_time


@dataclass(eq=False, kw_only=True)
class SequenceFields:
    """What recurrent layers say about the sequence."""

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False


@dataclass(eq=False, kw_only=True)
class LoopFields(SequenceFields):
    """Options of the loop over time."""

    unroll: bool = False


class _Loop(Layer):
    """A cell applied to every time step, with a mask (batch, time) where there is one.

    Called with a list, the further inputs are the initial states; else they are zeros, or in a stateful
    layer those at the end of the batch before. Gives the last output, or all of them (return_sequences, in the order
    computed), followed by the last states where return_state. Steps of an unknown number are not
    unrolled; the loop computes the same.
    """

    supports_masking = True
    return_sequences: bool
    return_state: bool
    go_backwards: bool
    stateful: bool
    unroll: bool

    @property
    def step_cell(self) -> _Cell:
        """The cell that takes the steps."""
        raise NotImplementedError

    def cell_weights(self, w: Weights) -> Weights:
        """The weights of the cell, among those of the layer."""
        return w

    def weight_specs(self, shape: Any) -> list[Weight]:
        return self.step_cell.weight_specs(one_step(_first(shape)))

    @property
    def state_names(self) -> list[str]:
        """The names of the states that a stateful layer keeps."""
        return [f"state_{i}" for i in range(self.step_cell.states)] if self.stateful else []

    def kept_states(self, shape: Any) -> dict[str, Shape]:
        if not self.stateful:
            return {}
        taken = _first(shape)
        if taken[0] is None:
            raise KconvertError(
                "a stateful layer needs to know the number of samples in a batch",
                where=f"layer {self.name}",
                fix="give batch_input_shape to the first layer, or batch_shape to Input",
            )
        return dict(zip(self.state_names, self.step_cell.state_shapes(one_step(taken)), strict=True))

    def compute_output_shape(self, shape: Any) -> Any:
        taken = _first(shape)
        given = self.step_cell.compute_output_shape(one_step(taken))
        output = (given[0], taken[1], *given[1:]) if self.return_sequences else given
        return [output, *self.step_cell.state_shapes(one_step(taken))] if self.return_state else output

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        cell, own = self.step_cell, self.cell_weights(w)
        x, states = (x[0], list(x[1:])) if isinstance(x, list) else (x, [])
        sizes = K.shape(x)
        kept = [w[name] for name in self.state_names if name in w and not states]
        states = states or kept or [K.zeros(shape) for shape in cell.state_shapes(one_step(sizes))]
        noise = cell.noise(K, one_step(sizes), training)
        inputs = seen(x, [K.expand_dims(factor, 1) for factor in noise[0].inputs])
        projected = unfold_time(K, cell.project(K, own, [fold_time(K, one) for one in inputs]), sizes[1])
        last, outputs, states = K.rnn(
            lambda x_t, before: cell.noisy_step(K, own, x_t, before, noise),
            projected,
            states,
            _first(mask),
            self.go_backwards,
            self.unroll and isinstance(sizes[1], int),
        )
        if training is not None and kept:
            for name, new in zip(self.state_names, states, strict=True):
                training.update(name, new)
        output = outputs if self.return_sequences else last
        return [output, *states] if self.return_state else output

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        kept = _first(mask) if self.return_sequences else None
        return [kept] + [None] * self.step_cell.states if self.return_state else kept


def _first(value: Any) -> Any:
    """What belongs to the sequence, where the inputs are a list of it and the initial states."""
    return value[0] if isinstance(value, list) else value


class _LoopOfOptions(_Loop):
    """The loop around a cell that has the layer's own options."""

    cell_class: ClassVar[type[_Cell]]

    @property
    def step_cell(self) -> _Cell:
        options = {f.name: getattr(self, f.name) for f in self.cell_class.config_fields()}
        return self.cell_class(name=self.name, **options)


@dataclass(eq=False)
class SimpleRNN(_LoopOfOptions, SimpleRNNFields, LoopFields):
    """Fully connected recurrent layer, the output fed back.

    >>> SimpleRNN(4, return_sequences=True).compute_output_shape((None, None, 3))
    (None, None, 4)
    """

    activity_regularizer: Any = field(default=None, kw_only=True)
    cell_class = SimpleRNNCell


class _GatedLoop(_LoopOfOptions):
    """A loop that cuDNN may have too. not_in_cudnn: the options that it does not have there."""

    @property
    def not_in_cudnn(self) -> list[str]:
        said = {name: getattr(self, name) for name in _CuDNN.given if hasattr(self, name)}
        return [f"{name}={value!r}" for name, value in said.items() if value != getattr(_CuDNN, name)]


@dataclass(eq=False)
class GRU(_GatedLoop, GRUFields, LoopFields):
    """Gated recurrent unit.

    >>> GRU(4, reset_after=True).weight_specs((None, 5, 3))[2].shape
    (2, 12)
    """

    activity_regularizer: Any = field(default=None, kw_only=True)
    cell_class = GRUCell


@dataclass(eq=False)
class LSTM(_GatedLoop, LSTMFields, LoopFields):
    """Long short-term memory.

    >>> LSTM(4, return_state=True).compute_output_shape((None, 5, 3))
    [(None, 4), (None, 4), (None, 4)]
    """

    activity_regularizer: Any = field(default=None, kw_only=True)
    cell_class = LSTMCell


class _CuDNN(_LoopOfOptions):
    """The loop as cuDNN runs it. given: options that have no other value there."""

    given = ("activation", "recurrent_activation", "use_bias", "dropout", "recurrent_dropout", "reset_after")
    activation, recurrent_activation, use_bias = "tanh", "sigmoid", True
    dropout, recurrent_dropout = 0.0, 0.0
    implementation, reset_after, unroll = 2, True, False


@dataclass(eq=False)
class CuDNNGRU(_CuDNN, CuDNNFields, SequenceFields):
    """GRU(reset_after=True) as cuDNN runs it: `weights` are those of the GRU, packed in files.

    >>> CuDNNGRU(4).weight_specs((None, 5, 3))[2].shape
    (2, 12)
    """

    activity_regularizer: Any = field(default=None, kw_only=True)
    cell_class = _CuDNNGRUCell


@dataclass(eq=False)
class CuDNNLSTM(_CuDNN, CuDNNFields, SequenceFields):
    """LSTM as cuDNN runs it, with two biases; its weights are packed in files.

    >>> CuDNNLSTM(4).weight_specs((None, 5, 3))[2].shape
    (2, 16)
    """

    unit_forget_bias: bool = field(default=True, kw_only=True)
    activity_regularizer: Any = field(default=None, kw_only=True)
    cell_class = _CuDNNLSTMCell


@dataclass(eq=False)
class RNN(_Loop, LoopFields):
    """The loop around a cell, or around a list of cells (`StackedRNNCells`).

    >>> RNN([LSTMCell(4), GRUCell(3)]).compute_output_shape((None, 5, 2))
    (None, 3)
    """

    cell: Any

    def __post_init__(self) -> None:
        self.cell = StackedRNNCells(self.cell) if isinstance(self.cell, list) else layer_from_config(self.cell)
        self.cell.name = self.cell.name or "cell"

    @property
    def step_cell(self) -> _Cell:
        return self.cell

    def cell_weights(self, w: Weights) -> Weights:
        return w[self.cell.name]

    @property
    def sublayers(self) -> list[Layer]:
        return [self.cell]

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        return [one_step(_first(shape))]

    def weight_specs(self, shape: Any) -> list[Weight]:
        return []
