"""Layers of Keras 0.2.0 - 0.3.1 that compute what no later release computes.

A class ends in the number of the release whose files have it under its name without that number: LSTM031 is the LSTM of
Keras 0.3.1. Reading a file of such a release gives these classes, and no other release has them
(conversion/passes/early.py). JZS1 - JZS3 are layers of Keras 0.2.0 alone.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, ClassVar

from ..backend.base import Backend, Step, Tensor
from ..backend.float_settings import floatx
from ..conventions.backends import CHANNELS_LAST
from ..conventions.roles import DENSE_KERNEL, VECTOR, Weight
from ..lazy_dataclasses import dataclass
from .activations import activation
from .base import Layer, Shape, Weights
from .cells import GateInputs, SimpleRNNCell, SimpleRNNFields, _Cell
from .component_names import stated
from .convolutional import Conv2D
from .padding import UpSampling1D, UpSampling2D
from .phase import Phase
from .recurrent import GRU, LSTM, LoopFields, SimpleRNN, _Loop, _LoopOfOptions
from .registry import built_in
from .shapes import Sizes

# ------------------------------------------------------------------- masks ----


class _ResettingMasks(_Loop):
    """Every step is computed, but the one after a masked step starts from states of 0 (keras-facts: early-masks)."""

    def run_loop(self, K: Backend, step: Step, x: Tensor, states: list[Tensor], mask: Any) -> Any:
        if mask is None:
            return super().run_loop(K, step, x, states, mask)
        kept = K.expand_dims(K.cast(mask, floatx()), -1)
        before = K.concatenate([kept[:, :1] * 0.0, kept[:, :-1]], axis=1)  # whether the step before is not masked

        def reset(x_t: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            factor = K.expand_dims(x_t[:, -1], -1)
            return step(x_t[:, :-1], [state * factor for state in states])

        return super().run_loop(K, reset, K.concatenate([x, before], axis=-1), states, None)


class _MasksOfZeros(_Loop):
    """A masked input becomes 0, and steps of 0 keep the states and give 0 (keras-facts: early-masks).

    Only where the layer returns sequences; otherwise it ignores the mask.
    """

    def steps_of_zeros(self, K: Backend, x: Tensor) -> Tensor:
        """Which steps of `x` are not 0: (batch, time) of booleans."""
        return K.any(K.not_equal(x, 0.0), axis=-1)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        if mask is None or not self.return_sequences:
            return super().call(K, w, x, None, training)
        x = x * K.expand_dims(K.cast(mask, floatx()), -1)
        kept = self.steps_of_zeros(K, x)
        y = super().call(K, w, x, kept, training)
        factor = K.expand_dims(K.cast(kept, floatx()), -1)
        return y * (K.flip(factor, 1) if self.go_backwards else factor)


class _MasksOfWholeBatches(_MasksOfZeros):
    """The same, but only steps that are 0 in all samples of the batch count."""

    def steps_of_zeros(self, K: Backend, x: Tensor) -> Tensor:
        not_zero = K.not_equal(x, 0.0)
        anywhere = K.squeeze(K.any(not_zero, axis=[0, 2], keepdims=True), -1)
        return K.logical_or(K.any(not_zero, axis=-1), anywhere)


class SimpleRNN020(_ResettingMasks, SimpleRNN):
    """SimpleRNN of Keras 0.2.0."""


class GRU020(_ResettingMasks, GRU):
    """GRU of Keras 0.2.0."""


class LSTM020(_ResettingMasks, LSTM):
    """LSTM of Keras 0.2.0."""


class _ProductCell(SimpleRNNCell):
    """h' = activation((x . kernel + bias) * (h . recurrent_kernel)) (keras-facts: product-rnn)."""

    def step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], h: GateInputs
    ) -> tuple[Tensor, list[Tensor]]:
        new = activation(stated(self, "activation"))(K, x * K.dot(h[0], w["recurrent_kernel"]))
        return new, [new]


class SimpleRNN030(_MasksOfWholeBatches, SimpleRNN):
    """SimpleRNN of Keras 0.3.0."""

    cell_class = _ProductCell


class GRU030(_MasksOfWholeBatches, GRU):
    """GRU of Keras 0.3.0; its activation is that of the candidate, as in later releases."""


class LSTM030(_MasksOfWholeBatches, LSTM):
    """LSTM of Keras 0.3.0."""


class SimpleRNN031(_MasksOfZeros, SimpleRNN):
    """SimpleRNN of Keras 0.3.1."""


class GRU031(_MasksOfZeros, GRU):
    """GRU of Keras 0.3.1."""


class LSTM031(_MasksOfZeros, LSTM):
    """LSTM of Keras 0.3.1."""


# ------------------------------------------------------------ images of 0.3.0 ----


class Conv2D030(Conv2D):
    """Conv2D of Keras 0.3.0: in channels_last the bias is added along the rows (keras-facts: bias-along-rows)."""

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        if self.data_format != CHANNELS_LAST or not self.use_bias:
            return super().call(K, w, x, mask, training)
        bias = K.reshape(w["bias"], (1, self.filters, 1, 1))
        return activation(stated(self, "activation"))(K, self.convolve(K, w, x) + bias)


class UpSampling1D030(UpSampling1D):
    """UpSampling1D of Keras 0.3.0: the whole sequence, `size` times (keras-facts: tiling)."""

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        return K.concatenate([x] * self.size, axis=1)


class UpSampling2D030(UpSampling2D):
    """UpSampling2D of Keras 0.3.0: the whole image, again and again (keras-facts: tiling)."""

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        for axis, times in self.by_axis().items():
            x = K.concatenate([x] * times, axis=axis)
        return x


# ------------------------------------------------------------- JZS1 - JZS3 ----


@dataclass(eq=False)
class JZSFields(SimpleRNNFields):
    """Options of JZS1, JZS2 and JZS3."""

    _: KW_ONLY
    recurrent_activation: Any = "sigmoid"


@dataclass(eq=False)
class _JZSCell(_Cell, JZSFields):
    """h' = z * candidate + (1 - z) * h, with gates z and r (keras-facts: jzs)."""

    # The arrays of each kind, as Keras 0.2.0 stores them
    stored: ClassVar[tuple[str, ...]] = ("W_z", "U_z", "b_z", "W_r", "U_r", "b_r", "W_h", "U_h", "b_h")

    def weight_specs(self, shape: Shape) -> list[Weight]:
        kinds = {"U": ((self.units, self.units), DENSE_KERNEL), "b": ((self.units,), VECTOR)}
        inputs = ((self.known(shape, -1), self.units), DENSE_KERNEL)
        return [Weight(name, *kinds.get(name[0], inputs)) for name in self.stored]

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape[0], self.units

    def state_shapes(self, shape: Sizes) -> list[Sizes]:
        return [(shape[0], self.units)]

    def inputs(self, K: Backend, w: Weights, x: Tensor) -> list[Tensor]:
        """What the two gates and the candidate take of the inputs, without their biases."""
        return [K.dot(x, w[name]) for name in ("W_z", "W_r", "W_h")]

    def update(self, K: Backend, w: Weights, h: Tensor) -> Any:
        """What the gate z takes of the state."""
        return K.dot(h, w["U_z"])

    def project(self, K: Backend, w: Weights, x: GateInputs) -> Tensor:
        biases = (w[name] for name in ("b_z", "b_r", "b_h"))
        return K.concatenate([part + bias for part, bias in zip(self.inputs(K, w, x[0]), biases, strict=True)])

    def step(
        self, K: Backend, w: Weights, x: Tensor, states: list[Tensor], h: GateInputs
    ) -> tuple[Tensor, list[Tensor]]:
        gate, before = activation(stated(self, "recurrent_activation")), states[0]
        x_z, x_r, x_h = K.split(x, 3)
        z, r = gate(K, x_z + self.update(K, w, before)), gate(K, x_r + K.dot(before, w["U_r"]))
        new = activation(stated(self, "activation"))(K, x_h + K.dot(r * before, w["U_h"]))
        after = new * z + before * (1.0 - z)
        return after, [after]


class _JZS1Cell(_JZSCell):
    """z does not depend on the state; the candidate takes tanh(x . P), with a random matrix P."""

    stored = ("W_z", "b_z", "W_r", "U_r", "b_r", "U_h", "b_h", "P")

    def inputs(self, K: Backend, w: Weights, x: Tensor) -> list[Tensor]:
        return [K.dot(x, w["W_z"]), K.dot(x, w["W_r"]), K.tanh(K.dot(x, w["P"]))]

    def update(self, K: Backend, w: Weights, h: Tensor) -> Any:
        return 0.0


class _JZS2Cell(_JZSCell):
    """r takes x . P, with a random matrix P."""

    stored = ("W_z", "U_z", "b_z", "U_r", "b_r", "W_h", "U_h", "b_h", "P")

    def inputs(self, K: Backend, w: Weights, x: Tensor) -> list[Tensor]:
        return [K.dot(x, w[name]) for name in ("W_z", "P", "W_h")]


class _JZS3Cell(_JZSCell):
    """z takes the tanh of the state."""

    def update(self, K: Backend, w: Weights, h: Tensor) -> Any:
        return K.dot(K.tanh(h), w["U_z"])


class JZS(_ResettingMasks, _LoopOfOptions):
    """Base class of the three mutated GRUs of Keras 0.2.0."""


@dataclass(eq=False)
class JZS1(JZS, JZSFields, LoopFields):
    """The gated unit MUT1 of Jozefowicz et al. (2015)."""

    cell_class = _JZS1Cell


@dataclass(eq=False)
class JZS2(JZS, JZSFields, LoopFields):
    """MUT2."""

    cell_class = _JZS2Cell


@dataclass(eq=False)
class JZS3(JZS, JZSFields, LoopFields):
    """MUT3."""

    cell_class = _JZS3Cell


EARLY: dict[tuple[int, ...], dict[type[Layer], type[Layer]]] = {
    (0, 2, 0): {SimpleRNN: SimpleRNN020, GRU: GRU020, LSTM: LSTM020},
    (0, 3, 0): {SimpleRNN: SimpleRNN030, GRU: GRU030, LSTM: LSTM030},
    (0, 3, 1): {SimpleRNN: SimpleRNN031, GRU: GRU031, LSTM: LSTM031},
}
"""By release, the recurrent layers that treat masks in another way than later releases."""

OF_ONE_RELEASE: tuple[type[Layer], ...] = (
    *(early for classes in EARLY.values() for early in classes.values()),
    *(Conv2D030, UpSampling1D030, UpSampling2D030, JZS1, JZS2, JZS3),
)
"""All layers of this module."""


def described(layer: Layer) -> str:
    """The class of one of these layers and its release: 'the LSTM of Keras 0.3.1'."""
    name, numbers = layer.class_name, layer.class_name[-3:]
    if not numbers.isdigit():
        return name
    return f"the {name.removesuffix(numbers)} of Keras {'.'.join(numbers)}"


built_in(JZS1, JZS2, JZS3)  # no file has the names of the other classes
