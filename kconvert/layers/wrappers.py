"""Wrappers: layers around another layer.

In the weights `w` of a wrapper, those of the inner layer are a dict under the name of the inner layer.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import field
from typing import Any, cast

from ..backend.base import Backend, Tensor
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .input_spec import InputSpec
from .lists import as_list, one_or_list
from .names import free_name
from .options import LATER, remade
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
    """The inner layer of a wrapper. It gets a name if it has none, because its weights are stored under its name."""
    layer.name = layer.name or free_name(layer.class_name)
    return layer


@dataclass(eq=False)
class Wrapper(Layer):
    """Base class of layers around another layer, `self.layer`, which `build` and `call` of a user's class use.

    The weights of that layer are those of the wrapper, as in Keras.
    """

    is_built_by_user = False

    layer: Any

    def __post_init__(self) -> None:
        self.layer = _named(layer_from_config(self.layer))

    @property
    def activity_regularizer(self) -> Any:
        """The regularizer of the outputs: that of the layer inside, applied to the output of the wrapper."""
        return getattr(self.layer, "activity_regularizer", None)

    def build(self, input_shape: Any = None) -> None:
        """Makes no weights; a wrapper of the user builds `self.layer` here."""
        super().build(input_shape)

    def add_weight(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raises KconvertError: Keras neither trains nor saves a weight that the wrapper itself makes."""
        what = f"{self.class_name}.add_weight makes a weight that Keras neither trains nor saves"
        raise KconvertError(what, f"layer {self.name}", "call self.layer.add_weight", Problem.USAGE)


@dataclass(eq=False)
class TimeDistributed(Wrapper):
    """A layer or a model applied to each time step separately.

    x: (batch, time, ...). The inner layer receives (batch * time, ...), and the mask in the same form, as in Keras
    2.3.1 for inputs of unknown batch size.
    """

    supports_masking = True

    def spec_of(self, shape: Any) -> InputSpec | None:
        return InputSpec(shape=tuple(shape)) if shape else None

    @property
    def sublayers(self) -> list[Layer]:
        return [self.layer]

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        return [one_step(shape)]

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 3:
            what = f"a TimeDistributed layer takes inputs (batch, time, ...), not of shape {shape}"
            raise KconvertError(what, problem=Problem.USAGE)
        batch, *sizes = self.layer.compute_output_shape(one_step(shape))
        return batch, shape[1], *sizes

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        inner_mask = None if mask is None else fold_time(K, mask)
        name = self.layer.name
        y = self.layer.call(K, w.get(name, {}), fold_time(K, x), mask=inner_mask, training=within(training, name))
        return unfold_time(K, y, K.shape(x)[1])

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        inner_mask = None if mask is None else fold_time(K, mask)
        output_mask = self.layer.compute_mask(K, fold_time(K, x), inner_mask)
        if output_mask is not None:
            return unfold_time(K, output_mask, K.shape(x)[1])
        # Without a mask of the inner layer: a step counts as masked where its whole mask is False, (batch, time).
        while mask is not None and K.ndim(mask) > 2:
            mask = K.any(mask, axis=-1)
        return mask


@dataclass(eq=False)
class AutoEncoder(Layer):
    """An AutoEncoder(output_reconstruction=False) of Keras 0 (keras-facts: autoencoder).

    It computes the output of the encoder. It also has the weights of the decoder, because the file stores them.
    """

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
class Bidirectional(Wrapper):
    """A recurrent layer over a sequence, and a copy of it over the reversed sequence.

    x: the sequence (batch, time, ...), or a list of it and the initial states, those of the forward layer first
    (keras-facts: recurrent-states, bidirectional-order). merge_mode: 'concat', 'sum', 'mul' or 'ave' merges the two
    outputs; None returns both. stated_backward: the layer that takes the place of the copy (`backward_layer` of
    tf.keras).
    """

    # The recurrent layer, as the configuration states it.
    layer: Any
    merge_mode: str | None = "concat"
    stated_backward: Any = field(default=None, kw_only=True, metadata={**LATER, "key": "backward_layer"})
    # The copy that reads the sequence in the direction of `layer`.
    forward_layer: Any = field(init=False)
    # The copy of `layer` or of `stated_backward` that reads the sequence in the other direction.
    backward_layer: Any = field(init=False)

    supports_masking = True

    def __post_init__(self) -> None:
        self.merge_mode = one_of(self.merge_mode, MERGES, "merge_mode")
        self.layer = _named(layer_from_config(self.layer))
        if not hasattr(self.layer, "go_backwards"):
            what = f"a Bidirectional layer takes a recurrent layer, not a {self.layer.class_name}"
            raise KconvertError(what, problem=Problem.USAGE)
        back = remade(deepcopy(self.layer), go_backwards=not self.layer.go_backwards)  # with a cell of its own
        if self.stated_backward is not None:
            self.stated_backward = back = self._other_way(_named(layer_from_config(self.stated_backward)))
        self.forward_layer = remade(self.layer, name=f"forward_{self.layer.name}")
        self.backward_layer = remade(back, name=f"backward_{back.name}")

    def spec_of(self, shape: Any) -> Any:
        return self.layer.spec_of(shape)

    @property
    def passes_mask(self) -> bool:
        return bool(self.layer.return_sequences)

    def _other_way(self, layer: Any) -> Layer:
        """The `backward_layer`. Raises KconvertError where it does not read the other way, or has other outputs."""
        for key, wanted in {"go_backwards": not self.layer.go_backwards, **self._outputs(self.layer)}.items():
            if getattr(layer, key, None) != wanted:
                what = f"its backward_layer has {key}={getattr(layer, key, None)!r}, and it needs {wanted!r}"
                raise KconvertError(what, where=f"layer {self.name}")
        return cast(Layer, layer)

    @staticmethod
    def _outputs(layer: Any) -> dict[str, Any]:
        """The options that both directions have in common."""
        return {key: getattr(layer, key) for key in ("return_sequences", "return_state", "stateful")}

    @property
    def sublayers(self) -> list[Layer]:
        return [self.forward_layer, self.backward_layer]

    @property
    def return_sequences(self) -> bool:
        """Whether both directions return the outputs of all time steps."""
        return bool(self.layer.return_sequences)

    @property
    def return_state(self) -> bool:
        """Whether both directions return their last states."""
        return bool(self.layer.return_state)

    @property
    def stateful(self) -> bool:
        """Whether both directions keep their states from batch to batch."""
        return bool(self.layer.stateful)

    @property
    def num_constants(self) -> int | None:
        """How many of the last inputs are constants, which the cells get in every step; None: no call stated it."""
        count: int | None = self.layer.num_constants
        return count

    @num_constants.setter
    def num_constants(self, count: int) -> None:
        for layer in (self.layer, self.forward_layer, self.backward_layer):
            layer.num_constants = count

    def directions(self, inputs: Any) -> tuple[list[Any], list[Any]]:
        """The inputs of both directions: the sequence, half of the initial states, and the constants.

        inputs: tensors or shapes. Raises KconvertError for an odd number of states.
        """
        sequence, *others = inputs if isinstance(inputs, list) else [inputs]
        count = getattr(self, "num_constants", None) or 0
        states, constants = others[: len(others) - count], others[len(others) - count :]
        half, rest = divmod(len(states), 2)
        if rest:
            what = f"{len(states)} initial states were given, and both directions need equally many"
            raise KconvertError(what, f"layer {self.name}", problem=Problem.USAGE)
        return [sequence, *states[:half], *constants], [sequence, *states[half:], *constants]

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        return [one_or_list(own) for own in self.directions(shape)]

    def compute_output_shape(self, shape: Any) -> Any:
        there, back = self.directions(shape)
        output, *states = as_list(self.forward_layer.compute_output_shape(there))
        second, *backward_states = as_list(self.backward_layer.compute_output_shape(back))
        outputs = [output] if self.merge_mode else [output, second]
        if self.merge_mode == "concat" and None not in (output[-1], second[-1]):
            outputs = [(*output[:-1], output[-1] + second[-1])]
        return one_or_list(outputs + states + backward_states)

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        there, back = self.directions(x)
        y, *forward_states = self.run(K, w, self.forward_layer, there, mask, training)
        y_back, *backward_states = self.run(K, w, self.backward_layer, back, mask, training)
        if self.layer.return_sequences:
            y_back = K.flip(y_back, 1)
        merged = as_list(MERGES[self.merge_mode](K, y, y_back))
        return one_or_list(merged + forward_states + backward_states)

    @staticmethod
    def run(K: Backend, w: Weights, layer: Layer, x: list[Tensor], mask: Any, training: Phase | None) -> list[Tensor]:
        """The output of one direction, followed by its states."""
        return as_list(layer.call(K, w.get(layer.name, {}), x, mask=mask, training=within(training, layer.name)))

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        output_mask, *states = as_list(self.forward_layer.compute_mask(K, x, mask))
        _, *backward_states = as_list(self.backward_layer.compute_mask(K, x, mask))
        return one_or_list(([output_mask] if self.merge_mode else [output_mask] * 2) + states + backward_states)
