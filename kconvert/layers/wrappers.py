"""Wrappers: layers around another layer, whose weights arrive under the name of the inner layer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..backend.base import Backend, Tensor
from .base import Layer, Shape, Weights
from .lists import as_list, one_or_list
from .names import free_name
from .phase import Phase, within
from .registry import layer_from_config
from .shapes import fold_time, one_of, one_step, unfold_time

MERGES = {
    "sum": lambda K, x, y: x + y,
    "mul": lambda K, x, y: x * y,
    "ave": lambda K, x, y: (x + y) / 2.0,
    "concat": lambda K, x, y: K.concatenate([x, y]),
    None: lambda K, x, y: [x, y],
}


def _named(layer: Layer) -> Layer:
    """The inner layer of a wrapper, with a name where it has none: the weights in it are found by that."""
    layer.name = layer.name or free_name(layer.class_name)
    return layer


@dataclass(eq=False)
class TimeDistributed(Layer):
    """A layer (or a whole model) applied to every time step by itself.

    x: (batch, time, ...). The time is folded into the batch for the inner layer, the mask with it.
    Source: Keras 2.3.1 for inputs of unknown batch size.
    """

    layer: Any

    supports_masking = True

    def __post_init__(self) -> None:
        self.layer = _named(layer_from_config(self.layer))

    @property
    def sublayers(self) -> list[Layer]:
        return [self.layer]

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        return [one_step(shape)]

    def compute_output_shape(self, shape: Shape) -> Shape:
        given = self.layer.compute_output_shape(one_step(shape))
        return given[0], shape[1], *given[1:]

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        inner_mask = None if mask is None else fold_time(K, mask)
        name = self.layer.name
        y = self.layer.call(K, w.get(name, {}), fold_time(K, x), mask=inner_mask, training=within(training, name))
        if training is not None:
            training.penalize_activity(self.layer, [y])
        return unfold_time(K, y, K.shape(x)[1])

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        inner_mask = None if mask is None else fold_time(K, mask)
        found = self.layer.compute_mask(K, fold_time(K, x), inner_mask)
        if found is not None:
            return unfold_time(K, found, K.shape(x)[1])
        while mask is not None and K.ndim(mask) > 2:
            mask = K.any(mask, axis=-1)
        return mask


@dataclass(eq=False)
class AutoEncoder(Layer):
    """An encoder that runs, and the decoder that was trained with it (Keras 0, output_reconstruction=False)."""

    encoder: Any
    decoder: Any

    def __post_init__(self) -> None:
        self.encoder, self.decoder = layer_from_config(self.encoder), layer_from_config(self.decoder)
        self.batch_input_shape = self.batch_input_shape or self.encoder.batch_input_shape

    @property
    def sublayers(self) -> list[Layer]:
        return [self.encoder, self.decoder]

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        return [shape, self.encoder.compute_output_shape(shape)]

    def compute_output_shape(self, shape: Shape) -> Shape:
        return self.encoder.compute_output_shape(shape)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        name = self.encoder.name
        return self.encoder.call(K, w.get(name, {}), x, mask=mask, training=within(training, name))


@dataclass(eq=False)
class Bidirectional(Layer):
    """A recurrent layer over the sequence, and a copy of it over the reversed sequence.

    merge_mode: how the two outputs become one ('concat', 'sum', 'mul', 'ave'), or None for both.
    Called with a list, the initial states follow the sequence, those of the forward layer first.
    """

    layer: Any
    merge_mode: str | None = "concat"
    forward: Any = field(init=False)
    backward: Any = field(init=False)

    supports_masking = True

    def __post_init__(self) -> None:
        self.merge_mode = one_of(self.merge_mode, MERGES, "merge_mode")
        self.layer = _named(layer_from_config(self.layer))
        name, backwards = self.layer.name, not self.layer.go_backwards
        self.forward = replace(self.layer, name=f"forward_{name}")
        self.backward = replace(self.layer, name=f"backward_{name}", go_backwards=backwards)

    @property
    def sublayers(self) -> list[Layer]:
        return [self.forward, self.backward]

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        taken = shape[0] if isinstance(shape, list) else shape
        return [taken, taken]

    def compute_output_shape(self, shape: Any) -> Any:
        output, *states = as_list(self.forward.compute_output_shape(shape))
        if self.merge_mode == "concat" and output[-1] is not None:
            output = (*output[:-1], 2 * output[-1])
        outputs = [output] if self.merge_mode else [output, output]
        return one_or_list(outputs + states * 2)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        x, *states = as_list(x)
        half = len(states) // 2
        y, *forward_states = self.run(K, w, self.forward, [x, *states[:half]], mask, training)
        y_back, *backward_states = self.run(K, w, self.backward, [x, *states[half:]], mask, training)
        if self.layer.return_sequences:
            y_back = K.flip(y_back, 1)
        merged = as_list(MERGES[self.merge_mode](K, y, y_back))
        return one_or_list(merged + forward_states + backward_states)

    @staticmethod
    def run(K: Backend, w: Weights, layer: Layer, x: list[Tensor], mask: Any, training: Phase | None) -> list[Tensor]:
        """Output and states of one direction."""
        return as_list(layer.call(K, w[layer.name], x, mask=mask, training=within(training, layer.name)))

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        kept, *states = as_list(self.forward.compute_mask(K, x, mask))
        return one_or_list(([kept] if self.merge_mode else [kept, kept]) + states * 2)
