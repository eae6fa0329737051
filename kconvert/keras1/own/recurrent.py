"""Recurrent of Keras 1.2.2, and the methods of its recurrent layers that classes of users replace.

The layers of kconvert compute a layer of Keras itself. A class of the user that replaces `step`, `get_constants`,
`preprocess_input` or `get_initial_states` computes by these methods. Source: `layers/recurrent.py` of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from ...layers.builder import Run
from ...layers.input_spec import InputSpec
from ...layers.keras_style import set_by_build
from ...layers.recurrent import KeepsStates
from . import backend
from .topology import Layer

K: Any = backend
"""`keras.backend` of Keras 1.2.2."""

_METHODS = frozenset({"step", "get_constants", "preprocess_input", "get_initial_states"})
"""The methods by which a class of the user computes differently."""


class Recurrent(KeepsStates, Layer):
    """Base class of recurrent layers: `step(x, states)` returns an output and the list of the new states.

    Its constructor takes the arguments of recurrent layers of Keras 1.2.2.
    """

    supports_masking = True

    def __init__(
        self,
        weights: Any = None,
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        consume_less: str = "cpu",
        input_dim: int | None = None,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.return_sequences, self.go_backwards, self.stateful = return_sequences, go_backwards, stateful
        self.unroll, self.consume_less, self.initial_weights = unroll, consume_less, weights
        self.input_dim, self.input_length = input_dim, input_length
        self.input_spec = [InputSpec(ndim=3)]
        if input_dim:
            kwargs["input_shape"] = (input_length, input_dim)
        super().__init__(**kwargs)

    def __init_subclass__(cls, **options: Any) -> None:
        own = vars(cls)
        if "facts" not in own and "call" not in own and not _METHODS.isdisjoint(own):
            cls.call = _call  # type: ignore[method-assign, assignment]
        super().__init_subclass__(**options)

    def get_output_shape_for(self, input_shape: Any) -> Any:
        """The shape of all outputs with `return_sequences`, else that of the last one."""
        sizes = self.output_dim
        return (input_shape[0], input_shape[1], sizes) if self.return_sequences else (input_shape[0], sizes)

    def compute_mask(self, input: Any, mask: Any = None) -> Any:  # type: ignore[override]
        """The mask of the input with `return_sequences`, else None."""
        return mask if self.return_sequences else None

    def step(self, x: Any, states: Any) -> Any:
        """The output and the new states of one time step; x (batch, in). states: then what `get_constants` returned."""
        raise KconvertError(f"{type(self).__name__} defines no step", problem=Problem.USAGE)

    def get_constants(self, x: Any) -> list[Any]:
        """What `step` gets behind the states."""
        return []

    def get_initial_states(self, x: Any) -> list[Any]:
        """Zeros (batch, output_dim) for each of `states`."""
        zeros = K.expand_dims(K.sum(K.zeros_like(x), axis=(1, 2)))
        return [K.tile(zeros, [1, self.output_dim]) for _ in self.states]

    def kept_states(self, shape: Any) -> dict[str, Any]:
        if hasattr(type(self), "facts") or not self.stateful:  # a layer of Keras knows its states
            return super().kept_states(shape)
        states = {**vars(self), **set_by_build(self, shape)}["states"]
        return {f"state_{i}": np.shape(state) for i, state in enumerate(states)}

    def preprocess_input(self, x: Any) -> Any:
        """The sequence whose time steps `step` gets."""
        return x

    def get_config(self) -> dict[str, Any]:
        words = ("return_sequences", "go_backwards", "stateful", "unroll", "consume_less", "input_dim", "input_length")
        return {**super().get_config(), **{word: getattr(self, word) for word in words}}


def _call(self: Any, x: Any, mask: Any = None) -> Any:
    """The outputs by `step` over the time steps. A stateful layer begins with the last states of the batch before."""
    run: Run = self.__dict__["_builder"].run
    last, outputs, states = K.rnn(
        self.step,
        self.preprocess_input(x),
        list(run.kept.values()) or self.get_initial_states(x),
        go_backwards=self.go_backwards,
        mask=mask,
        constants=self.get_constants(x),
        unroll=self.unroll,
        input_length=K.int_shape(x)[1],
    )
    run.renewed.update(zip(run.kept, states, strict=False))
    return outputs if self.return_sequences else last


def time_distributed_dense(
    x: Any,
    w: Any,
    b: Any = None,
    dropout: float | None = None,
    input_dim: int | None = None,
    output_dim: int | None = None,
    timesteps: int | None = None,
) -> Any:
    """The product of each time step of `x` (batch, time, in) with `w` (in, out), plus `b` (out).

    dropout: the rate at which inputs are left out in training, the same ones in all time steps. The sizes have no
    effect; `x` and `w` tell them.
    """
    if dropout is not None and 0 < dropout < 1:
        factors = K.expand_dims(K.dropout(K.ones_like(x[:, 0, :]), dropout), 1)
        x = K.in_train_phase(x * factors, x)
    product = K.dot(x, w)
    return product if b is None else product + b


# ------------------------------------------------------- layers of Keras 1.2.2 ----


class _Gated(Recurrent):
    """The methods that SimpleRNN, GRU and LSTM share."""

    # The letters of the gates; none: one array for all.
    gates: str = ""
    # As many as the layer has states.
    states: Any = (None,)

    def get_constants(self, x: Any) -> list[Any]:
        """The factors of dropout on the states, then those on the inputs: numbers, one for each gate if it has any."""
        sizes = (self.output_dim, self.dropout_U), (K.int_shape(x)[2], self.dropout_W)
        return [self._factors(x, n, rate) for n, rate in sizes]

    def _factors(self, x: Any, n: int, rate: float) -> Any:
        if not 0 < rate < 1:
            made: list[Any] = [1.0 for _ in self.gates or "1"]
        else:
            ones = K.tile(K.ones_like(K.reshape(x[:, 0, 0], (-1, 1))), (1, n))
            made = [K.in_train_phase(K.dropout(ones, rate), ones) for _ in self.gates or "1"]
        return made if self.gates else made[0]

    def preprocess_input(self, x: Any) -> Any:
        """With consume_less='cpu', the products of all time steps with the kernel, gate by gate."""
        if self.consume_less != "cpu":
            return x
        names = [f"_{gate}" for gate in self.gates] or [""]
        factors = self._factors(x, K.int_shape(x)[2], self.dropout_W)
        rows = factors if self.gates else [factors]
        products = [
            K.dot(x * (row if isinstance(row, float) else K.expand_dims(row, 1)), getattr(self, f"W{name}"))
            + getattr(self, f"b{name}")
            for name, row in zip(names, rows, strict=True)
        ]
        return K.concatenate(products, axis=2) if len(products) > 1 else products[0]

    def _inputs_of_gates(self, x: Any, factors: Sequence[Any]) -> list[Any]:
        """What each gate gets of the input of one time step."""
        n = self.output_dim
        if self.consume_less == "mem":
            return [
                K.dot(x * row, getattr(self, f"W_{gate}")) + getattr(self, f"b_{gate}")
                for gate, row in zip(self.gates, factors, strict=True)
            ]
        whole = x if self.consume_less == "cpu" else K.dot(x * factors[0], self.W) + self.b
        return [whole[:, i * n : (i + 1) * n] for i in range(len(self.gates))]

    def _of_states(self, h: Any, factors: Sequence[Any], gate: str) -> Any:
        """The product of a state with the recurrent kernel of a gate."""
        number, n = self.gates.index(gate), self.output_dim
        if self.consume_less == "gpu":
            return K.dot(h * factors[0], self.U[:, number * n : (number + 1) * n])
        return K.dot(h * factors[number], getattr(self, f"U_{gate}"))


class StepsOfSimpleRNN(_Gated):
    """The methods of SimpleRNN, which drops inputs out with consume_less='cpu' alone."""

    def get_constants(self: Any, x: Any) -> list[Any]:
        of_states, of_inputs = super().get_constants(x)
        return [of_states, of_inputs if self.consume_less == "cpu" else 1.0]

    def step(self: Any, x: Any, states: Any) -> Any:
        h, of_state, of_input = states[:3]
        own = x if self.consume_less == "cpu" else K.dot(x * of_input, self.W) + self.b
        output = self.activation(own + K.dot(h * of_state, self.U))
        return output, [output]


class StepsOfGRU(_Gated):
    """The methods of GRU."""

    gates = "zrh"

    def step(self: Any, x: Any, states: Any) -> Any:
        h, of_states, of_inputs = states[:3]
        x_z, x_r, x_h = self._inputs_of_gates(x, of_inputs)
        z = self.inner_activation(x_z + self._of_states(h, of_states, "z"))
        r = self.inner_activation(x_r + self._of_states(h, of_states, "r"))
        new = self.activation(x_h + self._of_states(r * h, of_states, "h"))
        output = z * h + (1 - z) * new
        return output, [output]


class StepsOfLSTM(_Gated):
    """The methods of LSTM."""

    gates = "ifco"
    states = (None, None)

    def step(self: Any, x: Any, states: Any) -> Any:
        h, c, of_states, of_inputs = states[:4]
        sums = [
            own + self._of_states(h, of_states, gate)
            for gate, own in zip(self.gates, self._inputs_of_gates(x, of_inputs), strict=True)
        ]
        i, f, o = (self.inner_activation(sums[n]) for n in (0, 1, 3))
        c = f * c + i * self.activation(sums[2])
        output = o * self.activation(c)
        return output, [output, c]
