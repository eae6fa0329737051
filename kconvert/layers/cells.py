"""Cells of recurrent layers: what one time step computes.

A cell has two parts: `project` computes what depends on the inputs alone, for all time steps at once; `step` computes
one time step from projected inputs. Dropout applies in training only, with one mask for all gates or one for each.

    x                 (batch, time, features)
    kernel            (features, gates * units), canonical gates: LSTM ifco, GRU zrh
    recurrent_kernel  (units, gates * units)
    bias              (gates * units,); GRU with reset_after and CuDNN layers: (2, gates * units), input and recurrent
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar

from ..arguments import argument
from ..backend.base import Backend, Tensor
from ..conventions.roles import DENSE_KERNEL, GRU_GATES, LSTM_GATES, VECTOR, Role, Weight
from ..errors import KconvertError, Problem
from ..kernels import AddHalves, Chain
from ..lazy_dataclasses import dataclass
from .activations import activation
from .base import Layer, Shape, Weights
from .component_names import WithComponents, stated
from .phase import Phase
from .shapes import Sizes, check_axes

Activation = Callable[[Backend, Tensor], Tensor]
GateInputs = list[Tensor]
"""What the gates read of a tensor: one tensor for all gates, or under dropout one for each gate."""

STORED_LSTM_GATES = "icfo"
"""The gates of an LSTM in the order of separately stored arrays, in Keras 0 and 1 (keras-facts: gate-order)."""


# ----------------------------------------------------------------- options ----


@dataclass(eq=False, kw_only=True)
class WeightFields(WithComponents):
    """Options for the weights of recurrent layers and their cells."""

    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None


@dataclass(eq=False, kw_only=True)
class RecurrentFields(WeightFields):
    """Options of all recurrent layers except those of cuDNN."""

    dropout: float = 0.0
    recurrent_dropout: float = 0.0


@dataclass(eq=False)
class SimpleRNNFields(RecurrentFields):
    """Options of SimpleRNN and its cell."""

    units: int
    activation: Any = "tanh"
    use_bias: bool = True


@dataclass(eq=False)
class GatedFields(RecurrentFields):
    """Options that GRU, LSTM and their cells share."""

    units: int
    activation: Any = "tanh"
    recurrent_activation: Any = "sigmoid"
    use_bias: bool = True
    implementation: int = field(default=2, kw_only=True)

    @property
    def fused_gates(self) -> bool:
        """Whether Keras 1 stores one array for all gates (consume_less='gpu') (keras-facts: gpu-mode-is-fused)."""
        return self.implementation == 2


@dataclass(eq=False, kw_only=True)
class GRUFields(GatedFields):
    """Options of GRU and its cell."""

    reset_after: bool = False


@dataclass(eq=False, kw_only=True)
class LSTMFields(GatedFields):
    """Options of LSTM and its cell."""

    unit_forget_bias: bool = True


@dataclass(eq=False)
class CuDNNFields(WeightFields):
    """Options of cuDNN layers."""

    units: int


# ------------------------------------------------------------------- cells ----


class _Cell(Layer):
    """Base class of cells. All shapes are those of one time step: (batch, features), without the time."""

    # The number of states.
    states: ClassVar[int] = 1
    # The field with the size of each state.
    size_field: ClassVar[str] = "units"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0

    # The number of masks of each kind of dropout in Keras.
    masks_of_dropout: ClassVar[int] = 1

    @property
    def state_size(self) -> Any:
        """The size of the state, or the list of sizes, without the batch."""
        size = getattr(self, self.size_field)
        return size if self.states == 1 else [size] * self.states

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """The cell with the configuration `config`.

        Raises KconvertError where the configuration has a name alone (keras-facts: cell-options-lost).
        """
        if not set(config) - {"name", "trainable"}:
            raise KconvertError(
                f"Keras 2.0.9 - 2.1.2 saved none of the options of a {cls.__name__}",
                where=f"layer {config.get('name', '?')}",
                fix="add them (units, activation, ...) to the JSON of model.to_json() and pass that file with"
                f" {argument('arch')}",
            )
        return super().from_config(config)

    def call(self, K: Backend, w: Weights, x: Tensor, states: Any = None, training: Phase | None = None) -> Any:
        """The output and the new states of one time step, for a cell of the user that inherits from one of Keras.

        Raises KconvertError for a cell with dropout: each step would have another mask.
        """
        if self.dropout or self.recurrent_dropout:
            what, fix = (
                "a cell of the user that calls a cell with dropout cannot run",
                "leave dropout to the user's cell",
            )
            raise KconvertError(what, f"layer {self.name}", fix, Problem.USAGE)
        noise = self.noise(K, tuple(K.shape(x)), None)
        return self.noisy_step(K, w, self.project(K, w, [x]), list(states), noise)

    def state_shapes(self, shape: Sizes) -> list[Sizes]:
        """The shapes of the states for step inputs of `shape`, whose sizes may be symbolic."""
        raise NotImplementedError

    @property
    def masks(self) -> int:
        """The number of dropout masks: one for all gates, or one for each gate."""
        return 1

    def project(self, K: Backend, w: Weights, x: GateInputs) -> Tensor:
        """The part of a step that does not depend on the states: x . kernel + bias, for a batch of step inputs."""
        raise NotImplementedError

    def step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], h: GateInputs
    ) -> tuple[Tensor, list[Tensor]]:
        """The output and the new states of one time step.

        x: projected inputs. states: the states before the step. h: what the gates read of the first state.
        """
        raise NotImplementedError

    def noise(self, K: Backend, shape: Sizes, phase: Phase | None) -> list[Noise]:
        """The dropout factors for step inputs of `shape`, one `Noise` for each cell; the same at every time step."""
        if not phase:
            return [Noise()]
        rates = zip((shape, self.state_shapes(shape)[0]), (self.dropout, self.recurrent_dropout), strict=True)
        factors = [
            [phase.dropout_factors(sizes, rate) for _ in range(self.masks if rate else 0)] for sizes, rate in rates
        ]
        return [Noise(*factors)]

    def noisy_step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], noise: list[Noise]
    ) -> tuple[Tensor, list[Tensor]]:
        """`step` with dropout of the first state; dropout of the inputs is applied before their projection."""
        return self.step(K, w, x, states, gate_inputs(states[0], noise[0].state))


@dataclass(frozen=True)
class Noise:
    """Factors of dropout for one cell: none, one for all gates, or one for each gate."""

    # Factors of the inputs.
    inputs: list[Tensor] = field(default_factory=list)
    # Factors of the first state.
    state: list[Tensor] = field(default_factory=list)


def gate_inputs(x: Tensor, factors: list[Tensor]) -> GateInputs:
    """`x` times each factor of a dropout, or `x` alone without dropout."""
    return [x * factor for factor in factors] or [x]


def gated(
    K: Backend, product: Callable[[Tensor, Tensor], Tensor], x: GateInputs, kernel: Tensor, channels: int = -1
) -> Tensor:
    """The product of each gate's input with its part of the kernel, concatenated along the axis `channels`.

    kernel: (..., gates * units).
    """
    if len(x) == 1:
        return product(x[0], kernel)
    parts = zip(x, K.split(kernel, len(x)), strict=True)
    return K.concatenate([product(one, part) for one, part in parts], axis=channels)


class _DenseCell(_Cell):
    """A cell whose kernels are matrices with one block of `units` columns for each gate."""

    # The letters of the gates in canonical order.
    gates: ClassVar[str] = ""
    # The same letters in the order of separately stored arrays.
    stored_gates: ClassVar[str] = ""
    # Whether files hold the weights in the packed form of cuDNN (keras-facts: cudnn-packed-weights).
    packed: ClassVar[bool] = False
    units: int
    use_bias: bool
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any

    @property
    def width(self) -> int:
        """The columns of a kernel: `units` for each gate."""
        return self.units * max(len(self.gates), 1)

    def weight_specs(self, shape: Shape) -> list[Weight]:
        n = self.known(shape, -1)
        matrix, vector = self.gated_role(DENSE_KERNEL), self.gated_role(VECTOR)
        weights = [
            Weight("kernel", (n, self.width), matrix, initializer=stated(self, "kernel_initializer")),
            Weight(
                "recurrent_kernel", (self.units, self.width), matrix, initializer=stated(self, "recurrent_initializer")
            ),
            Weight("bias", self.bias_shape, vector, initializer=self.initial_bias),
        ]
        return weights if self.use_bias else weights[:2]

    @property
    def bias_from_cudnn(self) -> Chain | None:
        """The chain from the two rows of a bias in cuDNN to the bias of this cell; None where cuDNN lacks the cell.

        (keras-facts: cudnn-bias)
        """
        return None

    def gated_role(self, plain: Role) -> Role:
        """The role `plain` with the gates of this cell, and with its form in cuDNN where cuDNN has the cell."""
        role = plain.with_gates(self.gates, self.stored_gates)
        return role if self.bias_from_cudnn is None else role.cudnn(self.bias_from_cudnn, self.packed)

    @property
    def masks(self) -> int:
        return 1 if getattr(self, "fused_gates", True) else len(self.gates)

    @property
    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the bias."""
        return (self.width,)

    @property
    def initial_bias(self) -> Any:
        """The initializer of the bias."""
        return stated(self, "bias_initializer")

    def compute_output_shape(self, shape: Shape) -> Shape:
        check_axes(shape, 2)
        return shape[0], self.units

    def state_shapes(self, shape: Sizes) -> list[Sizes]:
        return [(shape[0], self.units)] * self.states

    def project(self, K: Backend, w: Weights, x: GateInputs) -> Tensor:
        projected = gated(K, K.dot, x, w["kernel"])
        return projected + self.input_bias(w) if self.use_bias else projected

    def input_bias(self, w: Weights) -> Tensor:
        """The bias that `project` adds."""
        return w["bias"]


@dataclass(eq=False)
class SimpleRNNCell(_DenseCell, SimpleRNNFields):
    """h' = activation(x . kernel + bias + h . recurrent_kernel)."""

    def step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], h: GateInputs
    ) -> tuple[Tensor, list[Tensor]]:
        new = activation(stated(self, "activation"))(K, x + gated(K, K.dot, h, w["recurrent_kernel"]))
        return new, [new]


@dataclass(eq=False)
class GRUCell(_DenseCell, GRUFields):
    """h' = z * h + (1 - z) * candidate.

    reset_after: apply the reset gate after the recurrent product, as cuDNN does (keras-facts: gru-reset-after). Where
    dropout has one mask for all gates, it applies to the `h` of the sum too (keras-facts: gru-dropout-of-the-sum).
    """

    gates, stored_gates = GRU_GATES, GRU_GATES
    masks_of_dropout = 3

    @property
    def bias_from_cudnn(self) -> Chain | None:
        return Chain() if self.reset_after and self.use_bias else None

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, self.width) if self.reset_after else (self.width,)

    def input_bias(self, w: Weights) -> Tensor:
        return w["bias"][0] if self.reset_after else w["bias"]

    def step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], h: GateInputs
    ) -> tuple[Tensor, list[Tensor]]:
        gate, recurrent = activation(stated(self, "recurrent_activation")), w["recurrent_kernel"]
        before = h[0] if len(h) == 1 else states[0]
        # With reset_after, all three gates are products of h; without, the candidate is a product of the reset h.
        at_once = 3 if self.reset_after else 2
        split = at_once * self.units
        inner = gated(K, K.dot, h[:at_once], recurrent[:, :split])
        if self.reset_after and self.use_bias:
            inner = inner + w["bias"][1]
        x_z, x_r, x_h = K.split(x, 3)
        h_z, h_r, *h_h = K.split(inner, at_once)
        z, r = gate(K, x_z + h_z), gate(K, x_r + h_r)
        reset = r * h_h[0] if self.reset_after else K.dot(r * h[-1], recurrent[:, split:])
        new = z * before + (1.0 - z) * activation(stated(self, "activation"))(K, x_h + reset)
        return new, [new]


def unit_forget_bias(bias_initializer: Any) -> dict[str, Any]:
    """The initializer of an LSTM bias: ones for the forget gate, `bias_initializer` for the others."""
    return {"class_name": "UnitForgetBias", "config": {"bias_initializer": bias_initializer}}


def lstm_step(
    K: Backend, gates: list[Tensor], c: Tensor, activate: Activation, gate: Activation
) -> tuple[Tensor, list[Tensor]]:
    """The output h' and the states [h', c'], from the sums of the gates (i, f, c, o) and the carry state `c`."""
    i, f, new, o = gates
    c = gate(K, f) * c + gate(K, i) * activate(K, new)
    h = gate(K, o) * activate(K, c)
    return h, [h, c]


@dataclass(eq=False)
class LSTMCell(_DenseCell, LSTMFields):
    """c' = f * c + i * candidate; h' = o * activation(c'). The states are h and c."""

    gates, stored_gates = LSTM_GATES, STORED_LSTM_GATES
    masks_of_dropout = 4
    states = 2

    @property
    def bias_from_cudnn(self) -> Chain | None:
        return Chain((AddHalves(),)) if self.use_bias else None

    @property
    def initial_bias(self) -> Any:
        return (
            unit_forget_bias(stated(self, "bias_initializer"))
            if self.unit_forget_bias
            else stated(self, "bias_initializer")
        )

    def step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], h: GateInputs
    ) -> tuple[Tensor, list[Tensor]]:
        gates = K.split(x + gated(K, K.dot, h, w["recurrent_kernel"]), 4)
        return lstm_step(
            K,
            gates,
            states[1],
            activation(stated(self, "activation")),
            activation(stated(self, "recurrent_activation")),
        )


class _CuDNNCell(_DenseCell):
    """A cell with the weights of cuDNN, which are packed in files. The bias has an input row and a recurrent row."""

    packed = True

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return (2, self.width)


class _CuDNNGRUCell(_CuDNNCell, GRUCell):
    """A GRUCell that applies the reset gate after the product."""


class _CuDNNLSTMCell(_CuDNNCell, LSTMCell):
    """An LSTMCell that adds two biases."""

    def input_bias(self, w: Weights) -> Tensor:
        return w["bias"][0] + w["bias"][1]
