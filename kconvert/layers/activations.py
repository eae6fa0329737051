"""Activations: the functions that configurations name, and the layers that apply one.

A function has the arguments (K, x) and returns a tensor with the shape of x. The layers keep the mask of their input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from inspect import unwrap
from typing import Any, ClassVar

from ..arguments import own_code
from ..backend.base import Backend, Tensor
from ..backend.float_settings import floatx
from ..conventions.roles import Weight, map_parameter
from ..conventions.words.items import is_item
from ..errors import AlsoTypeError, KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .component_names import found_by, stated
from .custom import CustomFunction
from .input_spec import InputSpec
from .phase import Phase
from .recorded import recorded_in_keras
from .registry import find_function, layer_from_config

Function = Callable[[Backend, Tensor], Tensor]

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

# ---------------------------------------------------------------- functions ----


@recorded_in_keras
def linear(K: Backend, x: Tensor) -> Tensor:
    """x itself."""
    return x


@recorded_in_keras
def tanh(K: Backend, x: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return K.tanh(x)


@recorded_in_keras
def sigmoid(K: Backend, x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return K.sigmoid(x)


@recorded_in_keras
def softplus(K: Backend, x: Tensor) -> Tensor:
    """log(1 + exp(x))."""
    return K.softplus(x)


@recorded_in_keras
def softsign(K: Backend, x: Tensor) -> Tensor:
    """x / (abs(x) + 1)."""
    return x / (K.abs(x) + 1.0)


@recorded_in_keras
def exponential(K: Backend, x: Tensor) -> Tensor:
    """exp(x)."""
    return K.exp(x)


@recorded_in_keras
def relu(K: Backend, x: Tensor, alpha: Any = 0.0, max_value: Any = None, threshold: float = 0.0) -> Tensor:
    """x where above `threshold`, else `alpha * (x - threshold)`; at most `max_value`."""
    y = x * K.cast(K.greater(x, threshold), floatx()) if threshold else K.relu(x)
    if max_value is not None:
        y = K.minimum(K.relu(y), max_value)
    return y - alpha * K.relu(threshold - x) if alpha else y


@recorded_in_keras
def elu(K: Backend, x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where positive, else `alpha * (exp(x) - 1)`."""
    return K.where(K.greater(x, 0.0), x, alpha * (K.exp(K.minimum(x, 0.0)) - 1.0))


@recorded_in_keras
def selu(K: Backend, x: Tensor) -> Tensor:
    """`elu` with a factor, so that it preserves mean 0 and variance 1 (Keras 2.0.6 and later)."""
    return SELU_SCALE * elu(K, x, SELU_ALPHA)


@recorded_in_keras
def hard_sigmoid(K: Backend, x: Tensor) -> Tensor:
    """0.2 x + 0.5, clipped to the range 0 to 1, as in every Keras before 3 (keras-facts: hard-sigmoid)."""
    return K.minimum(K.maximum(0.2 * x + 0.5, 0.0), 1.0)


def hard_sigmoid_of_keras3(K: Backend, x: Tensor) -> Tensor:
    """x / 6 + 0.5, clipped to the range 0 to 1: Keras 3 calls it hard_sigmoid too (keras-facts: hard-sigmoid)."""
    return relu(K, x + 3.0, max_value=6.0) / 6.0


@recorded_in_keras
def softmax(K: Backend, x: Tensor, axis: int = -1) -> Tensor:
    """Softmax along `axis`; for a matrix always along its last axis (keras-facts: softmax-of-a-matrix).

    Raises KconvertError for a vector.
    """
    if K.ndim(x) < 2:
        raise KconvertError("softmax needs an axis beside that of the batch", problem=Problem.USAGE)
    return K.softmax(x, axis if K.ndim(x) > 2 else -1)


def swish(K: Backend, x: Tensor) -> Tensor:
    """x * sigmoid(x)."""
    return x * K.sigmoid(x)


def gelu(K: Backend, x: Tensor, approximate: bool = False) -> Tensor:
    """x times the probability that a normal number is smaller; approximate: by a formula with tanh."""
    if approximate:
        return 0.5 * x * (K.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)) + 1.0)
    return 0.5 * x * (K.erf(x * math.sqrt(0.5)) + 1.0)


def log_softmax(K: Backend, x: Tensor) -> Tensor:
    """The logarithm of softmax along the last axis."""
    below = x - K.max(x, -1, keepdims=True)
    return below - K.log(K.sum(K.exp(below), -1, keepdims=True))


ACTIVATIONS: Mapping[str, Function] = {
    function.__name__: function
    for function in (
        linear,
        relu,
        tanh,
        sigmoid,
        hard_sigmoid,
        softplus,
        softsign,
        softmax,
        elu,
        selu,
        exponential,
    )
}
"""The activations of Keras 2.3."""

LATER_ACTIVATIONS: Mapping[str, Function] = {
    "relu6": lambda K, x: relu(K, x, max_value=6.0),
    "swish": swish,
    "silu": swish,
    "gelu": gelu,
    "mish": lambda K, x: x * K.tanh(K.softplus(x)),
    "leaky_relu": lambda K, x: relu(K, x, 0.2),
    "log_softmax": log_softmax,
    "log_softmax_v2": log_softmax,
}
"""The further activations of tf.keras 2.15 (keras-facts: activations-of-tf-keras).

A file of Keras 2.3 may have one too, as a function of its user: the MobileNet of Keras 2.0.6 - 2.2.1 has relu6.
"""

KERAS3_ACTIVATIONS: Mapping[str, Function] = {
    "hard_sigmoid_of_keras3": hard_sigmoid_of_keras3,
    "hard_silu": lambda K, x: x * hard_sigmoid_of_keras3(K, x),
    "hard_swish": lambda K, x: x * hard_sigmoid_of_keras3(K, x),
    "hard_tanh": lambda K, x: K.minimum(K.maximum(x, -1.0), 1.0),
    "celu": elu,  # with its only value of alpha, 1
    "log_sigmoid": lambda K, x: -K.softplus(-x),
    "squareplus": lambda K, x: (x + K.sqrt(x * x + 4.0)) / 2.0,
    "tanh_shrink": lambda K, x: x - K.tanh(x),
}
"""The further activations of Keras 3; the first one is its hard_sigmoid (keras-facts: hard-sigmoid)."""

BEYOND_KERAS2: Mapping[str, Function] = {**LATER_ACTIVATIONS, **KERAS3_ACTIVATIONS}
"""All activations that Keras 2.3 does not have."""

_MIXING = frozenset({"softmax", "log_softmax", "log_softmax_v2"})
"""Activations that depend on all elements of the last axis."""


def activation(value: Any) -> Function:
    """The activation function that a configuration states: a name, a layer, or None, which is linear.

    A name is one of `ACTIVATIONS`, one that the user registered with `register_function`, or one of
    `BEYOND_KERAS2`, in this order. A layer is one without weights: tf.keras stores it with its configuration.
    Raises KconvertError for anything else.

    >>> activation("softmacks")
    Traceback (most recent call last):
    kconvert.errors.KconvertError: unknown activation 'softmacks'; one of: linear, relu, tanh, sigmoid, hard_sigmoid, \
softplus, softsign, softmax, elu, selu, exponential, relu6, swish, silu, gelu, mish, leaky_relu, log_softmax, \
log_softmax_v2, hard_sigmoid_of_keras3, hard_silu, hard_swish, hard_tanh, celu, log_sigmoid, squareplus, \
tanh_shrink; for another one give the function as custom_objects={'softmacks': ...}, or register it with \
kconvert.register_function('softmacks')
    """
    function, _ = _found(value)
    if function is None:
        name, known = activation_name(value), ", ".join((*ACTIVATIONS, *BEYOND_KERAS2))
        call = f"kconvert.register_function({name!r})"
        raise KconvertError(
            f"unknown activation {name!r}", fix=f"one of: {known}; for another one {own_code('function', name, call)}"
        )
    return function


ACTIVATION_KEYS = ("activation", "recurrent_activation")
"""The names of options that hold an activation."""


def unknown_activations(layer: Layer) -> Iterator[KconvertError]:
    """Why a layer, or a layer inside it, cannot run: an activation that is not known."""
    for path, leaf in layer.leaves():
        for key in ACTIVATION_KEYS:
            try:
                activation(stated(leaf, key) if hasattr(leaf, key) else None)
            except KconvertError as error:
                yield KconvertError(error.what, f"layer {path}", error.fix)


def activation_name(value: Any) -> str:
    """The name of the activation that a configuration states; for a layer that of its class, for a lambda '<lambda>'.

    tf.keras stores a function that it does not know with its name as the configuration
    (keras-facts: activations-of-tf-keras).

    >>> activation_name({"module": "builtins", "class_name": "function", "config": "my_function"})
    'my_function'
    """
    if value is None:
        return "linear"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if not isinstance(value, Mapping):
        return str(value)
    named = value.get("config")
    return named if isinstance(named, str) else str(value.get("class_name", "<lambda>"))


def is_elementwise(value: Any) -> bool:
    """Whether the activation computes each element from that element alone; of an unknown function it is not known.

    >>> [is_elementwise(value) for value in ("relu", None, "softmax", "a_function_of_the_user")]
    [True, True, False, False]
    """
    return _found(value)[1]


def _found(value: Any) -> tuple[Function | None, bool]:
    """The function that `value` states, None where it is unknown, and whether it is known to be elementwise."""
    if isinstance(value, Layer):
        return lambda K, x: value.call(K, {}, x), isinstance(value, _FUNCTIONS_AS_LAYERS) and not isinstance(
            value, Softmax
        )
    name = activation_name(value)
    if callable(value):
        known = ACTIVATIONS.get(name)
        if known is not None and unwrap(value) is unwrap(known):
            return known, name not in _MIXING
        return CustomFunction(name, value).activate, False
    if name in ACTIVATIONS:
        return ACTIVATIONS[name], name not in _MIXING
    if custom := find_function(name, name.rpartition(">")[2]):
        return custom.activate, False
    if name in BEYOND_KERAS2:
        return BEYOND_KERAS2[name], name not in _MIXING
    if is_item(value) and name in (cls.__name__ for cls in _FUNCTIONS_AS_LAYERS):
        layer = layer_from_config(value)
        return lambda K, x: layer.call(K, {}, x), not isinstance(layer, Softmax)
    return None, False


def get(value: Any) -> Any:
    """The activation that a configuration states, as a function of tensors, symbols, variables and arrays.

    It is a function of `ACTIVATIONS`, that of the user, or the layer that is stated. Raises KconvertError as
    `activation` does.
    """
    if callable(value):
        return value
    function, name = activation(value), activation_name(value)
    if name in ACTIVATIONS:
        return function
    if custom := find_function(name, name.rpartition(">")[2]):
        return custom.function
    return layer_from_config(value) if is_item(value) else recorded_in_keras(function)


found_by(get, "activation")

deserialize = get
serialize = activation_name

# ------------------------------------------------------------------- layers ----


@dataclass(eq=False)
class Activation(Layer):
    """An activation function, given by its name."""

    activation: Any

    supports_masking: ClassVar[bool] = True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return activation(stated(self, "activation"))(K, x)


@dataclass(eq=False)
class ReLU(Layer):
    """x where above `threshold`, else `negative_slope * (x - threshold)`; at most `max_value` (Keras 2.2 and later)."""

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    supports_masking: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.negative_slope is None:
            raise AlsoTypeError("negative_slope of a ReLU layer is a number, not None", problem=Problem.USAGE)
        for name in ("max_value", "negative_slope"):
            if (getattr(self, name) or 0.0) < 0.0:
                what = f"{name} of a ReLU layer cannot be negative: {getattr(self, name)}"
                raise KconvertError(what, problem=Problem.USAGE)

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return relu(K, x, self.negative_slope, self.max_value, self.threshold)


@dataclass(eq=False)
class LeakyReLU(Layer):
    """x where positive, else `alpha * x`."""

    alpha: float = 0.3

    supports_masking: ClassVar[bool] = True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return relu(K, x, self.alpha)


@dataclass(eq=False)
class ELU(Layer):
    """x where positive, else `alpha * (exp(x) - 1)`."""

    alpha: float = 1.0

    supports_masking: ClassVar[bool] = True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return elu(K, x, self.alpha)


@dataclass(eq=False)
class ThresholdedReLU(Layer):
    """x where above `theta`, else 0."""

    theta: float = 1.0

    supports_masking: ClassVar[bool] = True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return relu(K, x, threshold=self.theta)


@dataclass(eq=False)
class ThresholdedLinear(Layer):
    """x where its absolute value is at least `theta`, else 0, in Keras 0.3 (keras-facts: no-equal-in-keras2)."""

    theta: float = 1.0

    supports_masking: ClassVar[bool] = True

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return K.where(K.greater(self.theta, K.abs(x)), 0.0 * x, x)


@dataclass(eq=False)
class Softmax(Layer):
    """Softmax along `axis` (Keras 2.1.3 and later), in tf.keras also along several axes together."""

    axis: int | Sequence[int] = -1

    supports_masking: ClassVar[bool] = True

    def compute_output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2:
            raise KconvertError(f"softmax needs an axis besides the batch, not shape {shape}", problem=Problem.USAGE)
        return shape

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        if isinstance(self.axis, int):
            return softmax(K, x, self.axis)
        axes = [axis % K.ndim(x) for axis in self.axis]
        y = K.exp(x - K.max(x, axes, keepdims=True))
        return y / K.sum(y, axes, keepdims=True)


_FUNCTIONS_AS_LAYERS = (ReLU, LeakyReLU, ELU, ThresholdedReLU, Softmax)
"""Layers that may be the activation of another layer."""


# ------------------------------------------------------- layers with weights ----


@dataclass(eq=False, kw_only=True)
class _MapParameters(Layer):
    """A layer with parameters of the shape of its input without the batch axis (keras-facts: map-parameters)."""

    # The axes, counted from 1, along which parameters have size 1 and are shared.
    shared_axes: Any = None

    supports_masking: ClassVar[bool] = True

    def spec_of(self, shape: Any) -> InputSpec | None:
        own = {axis: n for axis, n in enumerate(shape or ()) if axis and axis not in self._shared and self._shared}
        return InputSpec(ndim=len(shape), axes=own) if shape else None

    @property
    def _shared(self) -> set[int]:
        return {self.shared_axes} if isinstance(self.shared_axes, int) else set(self.shared_axes or ())

    def parameters(self, shape: Shape, **initializers: Any) -> list[Weight]:
        """One weight for each name in `initializers`, for inputs of `shape`; its size on the shared axes is 1."""
        sizes = tuple(1 if axis in self._shared else self.known(shape, axis) for axis in range(1, len(shape)))
        role = map_parameter(len(sizes))
        return [Weight(name, sizes, role, initializer=initializer) for name, initializer in initializers.items()]

    def adapt(self, expected: Sequence[int], stored: Sequence[int]) -> bool:
        """Sets `shared_axes` from the stored shape: the axes along which it has one element.

        Keras 1.2 does not store them in the configuration (keras-facts: shared-axes-not-stored).
        """
        fits = len(expected) == len(stored) and all(n in (1, m) for n, m in zip(stored, expected, strict=True))
        if not fits:
            return False
        self.shared_axes = [i for i, (n, m) in enumerate(zip(stored, expected, strict=True), start=1) if n != m]
        self.use_options()
        return True


@dataclass(eq=False)
class PReLU(_MapParameters):
    """x where positive, else `alpha * x` with a trained alpha."""

    alpha_initializer: Any = "zeros"
    alpha_regularizer: Any = None
    alpha_constraint: Any = None

    def weight_specs(self, shape: Shape) -> list[Weight]:
        return self.parameters(shape, alpha=stated(self, "alpha_initializer"))

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return K.maximum(x, 0.0) + w["alpha"] * K.minimum(x, 0.0)


@dataclass(eq=False)
class ParametricSoftplus(_MapParameters):
    """`alpha * log(1 + exp(beta * x))` with trained alpha and beta, in Keras 0 and 1.

    (keras-facts: no-equal-in-keras2)
    """

    alpha_init: float = 0.2
    beta_init: float = 5.0

    def weight_specs(self, shape: Shape) -> list[Weight]:
        return self.parameters(shape, alpha=_constant(self.alpha_init), beta_softplus=_constant(self.beta_init))

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        return w["alpha"] * K.softplus(w["beta_softplus"] * x)


@dataclass(eq=False)
class SReLU(_MapParameters):
    """A line of three segments, in Keras 0 and 1 (keras-facts: no-equal-in-keras2).

    The slope is `a_left` below `t_left`, 1 up to `t_left + |t_right|`, and `a_right` above. All four are trained.
    Below `t_left`, a negative `a_left` gives values above `t_left`; Keras on Theano bounds them by `t_left + |t_right|`
    (keras-facts: bounded-srelu).
    """

    t_left_init: Any = "zero"
    a_left_init: Any = "glorot_uniform"
    t_right_init: Any = "glorot_uniform"
    a_right_init: Any = "one"
    # Whether the values below `t_left` are bounded. None: as the backend does that it runs on.
    bounded: bool | None = field(default=None, init=False)

    def weight_specs(self, shape: Shape) -> list[Weight]:
        return self.parameters(
            shape,
            t_left=self.t_left_init,
            a_left=self.a_left_init,
            t_right=self.t_right_init,
            a_right=self.a_right_init,
        )

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        left, width = w["t_left"], K.abs(w["t_right"])
        beyond = x - left
        below = w["a_left"] * K.minimum(beyond, 0.0)
        if K.facts.bounds_srelu if self.bounded is None else self.bounded:
            below = K.minimum(below, width)
        middle = K.minimum(K.maximum(beyond, 0.0), width)
        return left + below + middle + w["a_right"] * K.maximum(beyond - width, 0.0)


def _constant(value: float) -> dict[str, Any]:
    """The initializer of Keras 2 that fills a weight with `value`."""
    return {"class_name": "Constant", "config": {"value": value}}
