"""Losses of Keras 2.3.1: functions of a batch, and the classes that hold their options.

A function `f(K, y_true, y_pred)` returns one value for each sample and, for sequences, each step: it reduces the last
axis, as a rule by the mean. A `Loss` reduces these values to a scalar, with sample weights and a mask.

Where a loss takes the logarithm of probabilities, it clips them to epsilon ... 1 - epsilon. Crossentropies on
TensorFlow count from the logits instead where the model ends with a sigmoid or softmax
(keras-facts: crossentropy-on-tensorflow).
Source: `losses.py` of Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import unwrap
from typing import Any, ClassVar

import numpy as np

from ...backend.base import Backend, Tensor
from ...backend.computing import as_in_keras, current_backend
from ...backend.float_settings import epsilon, floatx
from ...backend.vectors import unit_vectors
from ...layers.custom import CustomFunction
from ...layers.names import snake_case
from ...layers.operations import record
from ...lazy_dataclasses import dataclass
from .registry import Component, Registry
from .registry import serialize as serialize
from .weighting import check_reduction, weighted

Function = Callable[..., Tensor]
Shape = tuple[int | None, ...]

# ---------------------------------------------------------------- functions ----


@as_in_keras
def mean_squared_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the squared errors."""
    return K.mean(_square(y_pred - y_true), -1)


@as_in_keras
def mean_absolute_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the absolute errors."""
    return K.mean(K.abs(y_pred - y_true), -1)


@as_in_keras
def mean_absolute_percentage_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the absolute errors, in percent of the labels."""
    return 100.0 * K.mean(K.abs((y_true - y_pred) / K.maximum(K.abs(y_true), epsilon())), -1)


@as_in_keras
def mean_squared_logarithmic_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the squared differences of log(1 + y); negative values count as 0."""
    predicted, true = (K.log(K.maximum(y, epsilon()) + 1.0) for y in (y_pred, y_true))
    return K.mean(_square(predicted - true), -1)


@as_in_keras
def hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of max(1 - y_true * y_pred, 0). Labels are -1 and 1; in a batch of 0 and 1 alone, 0 stands for -1."""
    return K.mean(K.maximum(1.0 - _signs(K, y_true) * y_pred, 0.0), -1)


@as_in_keras
def squared_hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the squares of `hinge`; labels as for `hinge`."""
    return K.mean(_square(K.maximum(1.0 - _signs(K, y_true) * y_pred, 0.0)), -1)


@as_in_keras
def categorical_hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 plus the greatest prediction of a wrong class minus that of the right class; at least 0. Labels are one-hot."""
    right = K.sum(y_true * y_pred, -1)
    wrong = K.max((1.0 - y_true) * y_pred, -1)
    return K.maximum(wrong - right + 1.0, 0.0)


@as_in_keras
def logcosh(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of log(cosh(error)): like half the square for small errors, like the absolute value for large ones."""
    error = y_pred - y_true
    return K.mean(error + K.softplus(-2.0 * error) - float(np.log(2.0)), -1)


@as_in_keras
def huber_loss(K: Backend, y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """Half the square of errors up to `delta`, linear beyond. One value for each element: the last axis stays."""
    error = K.abs(y_pred - y_true)
    quadratic = K.minimum(error, delta)
    return 0.5 * _square(quadratic) + delta * (error - quadratic)


@as_in_keras
def categorical_crossentropy(
    K: Backend, y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Labels are one-hot along the last axis; `label_smoothing` is the part spread evenly over all classes."""
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / _size(K, y_true)
    return -K.sum(y_true * _log_probabilities(K, y_pred, from_logits), -1)


def with_last(K: Backend, x: Tensor, axis: int) -> Tensor:
    """`x` with `axis` as its last axis: `x` itself, whose logits can be found, where it is the last."""
    axes = [i for i in range(K.ndim(x)) if i != axis % K.ndim(x)]
    return x if axis % K.ndim(x) == len(axes) else K.transpose(x, [*axes, axis % K.ndim(x)])


@as_in_keras
def sparse_categorical_crossentropy(
    K: Backend, y_true: Tensor, y_pred: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Labels are integers, without the axis of the classes or with size 1 there; `axis`: the classes of `y_pred`."""
    y_true = with_last(K, y_true, axis) if K.ndim(y_true) == K.ndim(y_pred) else y_true
    y_pred = with_last(K, y_pred, axis)
    logs = _log_probabilities(K, y_pred, from_logits, K.facts.sparse_of_logs)
    return -K.sum(one_hot(K, y_true, y_pred) * logs, -1)


@as_in_keras
def binary_crossentropy(
    K: Backend, y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Labels are 0 and 1; `label_smoothing` moves them towards 0.5."""
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return K.mean(binary_crossentropies(K, y_true, y_pred, from_logits), -1)


def binary_crossentropies(K: Backend, y_true: Tensor, y_pred: Tensor, from_logits: bool = False) -> Tensor:
    """The crossentropy of each element."""
    if K.facts.keeps_logits:
        x = y_pred if from_logits else K.input_of(y_pred, "sigmoid")
        if x is not None:
            magnitude = K.where(K.greater(x, 0.0), x, -x)
            return K.relu(x) - x * y_true + K.softplus(-magnitude)
    elif from_logits:
        y_pred = K.sigmoid(y_pred)
    p, added = _within(K, y_pred), epsilon() if K.facts.log_adds_epsilon else 0.0
    rest = K.relu(1.0 - p)  # it is positive; a graph optimizer may not add the constants around it
    return -(y_true * K.log(p + added) + (1.0 - y_true) * K.log(rest + added))


@as_in_keras
def kullback_leibler_divergence(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The sum of y_true * log(y_true / y_pred); both are probabilities."""
    y_true, y_pred = (K.clip(y, epsilon(), 1.0) for y in (y_true, y_pred))
    return K.sum(y_true * K.log(y_true / y_pred), -1)


@as_in_keras
def poisson(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of y_pred - y_true * log(y_pred)."""
    return K.mean(y_pred - y_true * K.log(y_pred + epsilon()), -1)


@as_in_keras
def cosine_proximity(K: Backend, y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The negative cosine of the angle between labels and predictions: -1 for the same direction."""
    return -K.sum(unit_vectors(K, y_true, axis) * unit_vectors(K, y_pred, axis), axis)


def one_hot(K: Backend, labels: Tensor, y_pred: Tensor) -> Tensor:
    """Integer labels as one-hot vectors, in the shape of `y_pred`; a last axis of size 1 of the labels is dropped."""
    labels = K.squeeze(labels, -1) if K.ndim(labels) == K.ndim(y_pred) else labels
    classes = K.arange(K.shape(y_pred)[-1])
    return K.cast(K.equal(K.expand_dims(K.cast(labels, "int32"), -1), classes), floatx())


def _square(x: Tensor) -> Tensor:
    return x * x


def _size(K: Backend, x: Tensor) -> Tensor:
    """Size of the last axis, as a float."""
    size = K.shape(x)[-1]
    return float(size) if isinstance(size, int) else K.cast(size, floatx())


def _signs(K: Backend, labels: Tensor) -> Tensor:
    """Labels as -1 and 1: converted where all labels of the batch are 0 or 1, else unchanged."""
    binary = K.all(K.logical_or(K.equal(labels, 0.0), K.equal(labels, 1.0)))
    return K.where(binary, 2.0 * labels - 1.0, labels)


def _log_probabilities(K: Backend, y_pred: Tensor, from_logits: bool, of_logs: bool = False) -> Tensor:
    """Logarithms of the probabilities of the classes.

    of_logs: whether predictions that are not logits are normalized after they were clipped, not before.
    """
    if K.facts.keeps_logits:
        logits = y_pred if from_logits else K.input_of(y_pred, "softmax")
        if logits is None and of_logs:
            logits = K.log(_within(K, y_pred))
        if logits is not None:
            shifted = logits - K.stop_gradient(K.max(logits, -1, keepdims=True))
            return shifted - K.log(K.sum(K.exp(shifted), -1, keepdims=True))
    scaled = K.softmax(y_pred) if from_logits else y_pred / K.sum(y_pred, -1, keepdims=True)
    return K.log(_within(K, scaled))


def _within(K: Backend, probabilities: Tensor) -> Tensor:
    """Probabilities that are neither 0 nor 1."""
    return K.clip(probabilities, epsilon(), 1.0 - epsilon())


# ------------------------------------------------------------------ classes ----
# A class without a docstring computes its `function`, whose options are its fields.


@dataclass(frozen=True, kw_only=True)
class Loss(Component):
    """Base class of the losses: a function that gives a value per sample, with its options and a reduction.

    >>> from kconvert.backend import get_backend
    >>> y_true, y_pred = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 2.0]])
    >>> float(MeanSquaredError().of_batch(get_backend("numpy"), y_true, y_pred))
    0.5
    """

    # 'sum_over_batch_size', 'sum' or 'none': see `weighting.weighted`.
    reduction: str = "sum_over_batch_size"
    # In the configuration; by default that of the function.
    name: str = ""

    # Whether the loss of one of several outputs is averaged over samples, as before 2.3; otherwise over batches.
    by_samples: ClassVar[bool] = False
    # The loss per sample: f(K, y_true, y_pred, **options). A class of the user has a method call(y_true, y_pred).
    function: ClassVar[Function]

    common = ("reduction", "name")

    def __post_init__(self) -> None:
        check_reduction(self.reduction)
        object.__setattr__(self, "name", self.name or self.default_name)

    @property
    def default_name(self) -> str:
        """The name that Keras gives the loss."""
        return type(self).function.__name__ if hasattr(type(self), "function") else snake_case(self.class_name)

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of the function."""
        return {key: value for key, value in self.get_config().items() if key not in ("reduction", "name")}

    def label_shapes(self, output: Shape) -> list[Shape] | None:
        """The shapes that labels may have for predictions of shape `output`, with the batch axis; None: any shape."""
        return [(None, *output[1:])] if hasattr(type(self), "function") else None

    def per_sample(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """One value for each sample (batch,), or for each step (batch, time)."""
        if type(self).call is not Loss.call:
            return CustomFunction(self.name, self.call).run(K, y_true, y_pred)
        return self._values(K, y_true, y_pred)

    def _values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return type(self).function(K, K.cast(y_true, floatx()), y_pred, **self.options)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One value for each sample, as in Keras: see `per_sample`."""
        return record(lambda *given: self._values(current_backend(), *given), y_true, y_pred)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss, as in Keras: labels, predictions and weights are tensors, what stands for them, or numbers."""
        given = (y_true, y_pred, sample_weight)
        arrays = [np.asarray(one) if isinstance(one, (list, tuple, int, float)) else one for one in given]
        return record(lambda *given: self.of_batch(current_backend(), *given), *arrays)

    def of_batch(
        self,
        K: Backend,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch: a scalar, unless the reduction is 'none'. Parameters: see `weighting.weighted`."""
        return weighted(K, self.per_sample(K, y_true, y_pred), sample_weight, mask, self.reduction)

    def to_config(self) -> Any:
        """The name of the function if all options have their defaults; otherwise the class with its configuration."""
        return self.default_name if self == type(self)() else super().to_config()


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    function = mean_squared_error


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    function = mean_absolute_error


@dataclass(frozen=True)
class MeanAbsolutePercentageError(Loss):
    function = mean_absolute_percentage_error


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(Loss):
    function = mean_squared_logarithmic_error


@dataclass(frozen=True)
class BinaryCrossentropy(Loss):
    from_logits: bool = False
    label_smoothing: float = 0.0
    function = binary_crossentropy


@dataclass(frozen=True)
class CategoricalCrossentropy(Loss):
    from_logits: bool = False
    label_smoothing: float = 0.0
    function = categorical_crossentropy

    def label_shapes(self, output: Shape) -> list[Shape] | None:
        return super().label_shapes(output) if output[-1] != 1 else []


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(Loss):
    from_logits: bool = False
    function = sparse_categorical_crossentropy

    def label_shapes(self, output: Shape) -> list[Shape] | None:
        return [(None, *output[1:-1], 1), (None, *output[1:-1])]


@dataclass(frozen=True)
class Hinge(Loss):
    function = hinge


@dataclass(frozen=True)
class SquaredHinge(Loss):
    function = squared_hinge


@dataclass(frozen=True)
class CategoricalHinge(Loss):
    function = categorical_hinge


@dataclass(frozen=True)
class Poisson(Loss):
    function = poisson


@dataclass(frozen=True)
class LogCosh(Loss):
    function = logcosh


@dataclass(frozen=True)
class KLDivergence(Loss):
    function = kullback_leibler_divergence


@dataclass(frozen=True)
class Huber(Loss):
    delta: float = 1.0
    function = huber_loss


@dataclass(frozen=True)
class CosineSimilarity(Loss):
    axis: int = -1
    function = cosine_proximity


@dataclass(frozen=True)
class FunctionLoss(Loss):
    """A loss function of the user: `f(y_true, y_pred)` or `f(K, y_true, y_pred)` returns one value per sample."""

    run: Function

    @property
    def default_name(self) -> str:
        return getattr(self.run, "__name__", type(self.run).__name__)

    def label_shapes(self, output: Shape) -> list[Shape] | None:
        return None

    def per_sample(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return CustomFunction(self.name, self.run).run(K, y_true, y_pred)

    def to_config(self) -> Any:
        return serialize(self.run) if hasattr(self.run, "get_config") else self.name


CLASSES = (
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    Poisson,
    LogCosh,
    KLDivergence,
    Huber,
    CosineSimilarity,
)
ALIASES = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "kld": KLDivergence,
    "cosine": CosineSimilarity,
}
LOSSES = Registry(
    "loss",
    Loss,
    {
        **{cls.function.__name__: cls for cls in CLASSES},
        **{cls.__name__: cls for cls in CLASSES},
        **ALIASES,
    },
    wrap=lambda function: _of_function(function),
    ignored=frozenset({"dtype"}),
)


def _of_function(function: Function) -> Loss:
    """The loss of which `function` is the function, or a `FunctionLoss`."""
    known, own = {unwrap(cls.function): cls for cls in CLASSES}, unwrap(function)
    return known[own]() if own in known else FunctionLoss(run=function)


def restored(stated: Any) -> Any:
    """What `compile` of the model of a file gets for its losses: objects in place of their configurations.

    stated: a name, a configuration, or a list or dict of these.
    """
    if isinstance(stated, list):
        return [restored(one) for one in stated]
    if not isinstance(stated, Mapping):
        return stated
    if "class_name" not in stated:
        return {name: restored(one) for name, one in stated.items()}
    loss = get(stated)
    return loss.run if isinstance(loss, FunctionLoss) else loss


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence
cosine = cosine_similarity = cosine_proximity


def get(spec: Any) -> Loss | None:
    """The loss that `spec` describes: see `Registry.get`. A function takes (y_true, y_pred) or (K, y_true, y_pred).

    >>> get("mse").name
    'mean_squared_error'
    >>> get("categorical_crosentropy")
    Traceback (most recent call last):
    kconvert.errors.KconvertError: unknown loss 'categorical_crosentropy'; did you mean categorical_crossentropy or \
sparse_categorical_crossentropy
    """
    return LOSSES.get(spec)


deserialize = get
