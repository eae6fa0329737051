"""Losses of Keras 2.3.1: functions of a batch, and the classes that hold their options.

A function `f(K, y_true, y_pred)` gives one value for each sample (and step): the mean over the last axis.
A `Loss` makes one number of them, with sample weights and a mask. Predictions are kept away from 0 and 1
by 1e-7 where a logarithm is taken of them.

Keras 2.3.1 looks through a softmax or sigmoid at the end of a model on TensorFlow, and there counts from its
logits; on Theano it clips. Here it is the clipped definition on every backend, and `from_logits` the other.
(Source: `losses.py` of Keras 2.3.1.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...backend.base import Backend, Tensor
from ...errors import KconvertError, Problem
from .registry import EPSILON, Component, Registry
from .weighting import REDUCTIONS, weighted

Function = Callable[..., Tensor]

# ---------------------------------------------------------------- functions ----


def mean_squared_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    return K.mean(_square(y_pred - y_true), -1)


def mean_absolute_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    return K.mean(K.abs(y_pred - y_true), -1)


def mean_absolute_percentage_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    return 100.0 * K.mean(K.abs((y_true - y_pred) / K.maximum(K.abs(y_true), EPSILON)), -1)


def mean_squared_logarithmic_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    predicted, true = (K.log(K.maximum(y, EPSILON) + 1.0) for y in (y_pred, y_true))
    return K.mean(_square(predicted - true), -1)


def hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Labels -1 and 1; a batch of 0 and 1 only is read as such."""
    return K.mean(K.maximum(1.0 - _signs(K, y_true) * y_pred, 0.0), -1)


def squared_hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Labels as those of `hinge`."""
    return K.mean(_square(K.maximum(1.0 - _signs(K, y_true) * y_pred, 0.0)), -1)


def categorical_hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """How far the best wrong class is ahead of the right one, plus 1."""
    right = K.sum(y_true * y_pred, -1)
    wrong = K.max((1.0 - y_true) * y_pred, -1)
    return K.maximum(wrong - right + 1.0, 0.0)


def logcosh(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """log(cosh(error)): squares near 0, absolute values far from it."""
    error = y_pred - y_true
    return K.mean(error + K.softplus(-2.0 * error) - float(np.log(2.0)), -1)


def huber_loss(K: Backend, y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """Squares of errors up to `delta`, lines beyond; of every element, without the mean over the last axis."""
    error = K.abs(y_pred - y_true)
    quadratic = K.minimum(error, delta)
    return 0.5 * _square(quadratic) + delta * (error - quadratic)


def categorical_crossentropy(
    K: Backend, y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Classes one-hot along the last axis; `label_smoothing` is shared among all of them."""
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / _size(K, y_true)
    return -K.sum(y_true * _log_probabilities(K, y_pred, from_logits), -1)


def sparse_categorical_crossentropy(
    K: Backend, y_true: Tensor, y_pred: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Classes as integers, with or without an axis of size 1 in place of that of the classes."""
    if axis % K.ndim(y_pred) != K.ndim(y_pred) - 1:
        order = [i for i in range(K.ndim(y_pred)) if i != axis % K.ndim(y_pred)] + [axis % K.ndim(y_pred)]
        y_true = K.transpose(y_true, order) if K.ndim(y_true) == K.ndim(y_pred) else y_true
        y_pred = K.transpose(y_pred, order)
    return -K.sum(one_hot(K, y_true, y_pred) * _log_probabilities(K, y_pred, from_logits), -1)


def binary_crossentropy(
    K: Backend, y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Labels 0 and 1; `label_smoothing` moves them towards 0.5."""
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        return K.mean(K.softplus(y_pred) - y_true * y_pred, -1)
    p = _clip(K, y_pred, EPSILON, 1.0 - EPSILON)
    return -K.mean(y_true * K.log(p) + (1.0 - y_true) * K.log(1.0 - p), -1)


def kullback_leibler_divergence(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    y_true, y_pred = (_clip(K, y, EPSILON, 1.0) for y in (y_true, y_pred))
    return K.sum(y_true * K.log(y_true / y_pred), -1)


def poisson(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    return K.mean(y_pred - y_true * K.log(y_pred + EPSILON), -1)


def cosine_proximity(K: Backend, y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle between both: -1 where they agree."""
    return -K.sum(_normalized(K, y_true, axis) * _normalized(K, y_pred, axis), axis)


def one_hot(K: Backend, labels: Tensor, y_pred: Tensor) -> Tensor:
    """Integer labels (an axis of size 1 at their end is dropped) as rows of 0 and 1, in the shape of `y_pred`."""
    labels = K.squeeze(labels, -1) if K.ndim(labels) == K.ndim(y_pred) else labels
    classes = K.arange(K.shape(y_pred)[-1])
    return K.cast(K.equal(K.expand_dims(K.cast(labels, "int32"), -1), classes), "float32")


def _square(x: Tensor) -> Tensor:
    return x * x


def _clip(K: Backend, x: Tensor, low: float, high: float) -> Tensor:
    return K.minimum(K.maximum(x, low), high)


def _size(K: Backend, x: Tensor) -> Tensor:
    """Size of the last axis, as a float."""
    size = K.shape(x)[-1]
    return float(size) if isinstance(size, int) else K.cast(size, "float32")


def _signs(K: Backend, labels: Tensor) -> Tensor:
    """Labels of 0 and 1 as -1 and 1; others as they are."""
    binary = K.all(K.logical_or(K.equal(labels, 0.0), K.equal(labels, 1.0)))
    return K.where(binary, 2.0 * labels - 1.0, labels)


def _log_probabilities(K: Backend, y_pred: Tensor, from_logits: bool) -> Tensor:
    """Logarithms of the classes' probabilities, of logits or of values that are first made to sum to 1."""
    if from_logits:
        shifted = y_pred - K.max(y_pred, -1, keepdims=True)
        return shifted - K.log(K.sum(K.exp(shifted), -1, keepdims=True))
    return K.log(_clip(K, y_pred / K.sum(y_pred, -1, keepdims=True), EPSILON, 1.0 - EPSILON))


def _normalized(K: Backend, x: Tensor, axis: int) -> Tensor:
    """`x` with length 1 along `axis`."""
    return x / K.sqrt(K.maximum(K.sum(_square(x), axis, keepdims=True), 1e-12))


# ------------------------------------------------------------------ classes ----


@dataclass(frozen=True, kw_only=True)
class Loss(Component):
    """A function per sample, with its options and its reduction.

    >>> from kconvert.backend import get_backend
    >>> y_true, y_pred = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 2.0]])
    >>> float(MeanSquaredError()(get_backend("numpy"), y_true, y_pred))
    0.5
    """

    reduction: str = "sum_over_batch_size"
    name: str = ""

    function: ClassVar[Function]

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise KconvertError(
                f"unknown reduction {self.reduction!r}", fix=f"one of: {', '.join(REDUCTIONS)}", problem=Problem.USAGE
            )
        object.__setattr__(self, "name", self.name or self.default_name)

    @property
    def default_name(self) -> str:
        return type(self).function.__name__

    @property
    def options(self) -> dict[str, Any]:
        """What the function takes besides labels and predictions."""
        return {key: value for key, value in self.get_config().items() if key not in ("reduction", "name")}

    def per_sample(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """One value for each sample (and step)."""
        return type(self).function(K, K.cast(y_true, "float32"), y_pred, **self.options)

    def __call__(
        self,
        K: Backend,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch: one number, unless the reduction is 'none'."""
        return weighted(K, self.per_sample(K, y_true, y_pred), sample_weight, mask, self.reduction)

    def to_config(self) -> Any:
        """The name of the function where all options have their defaults, as Keras users write it; else the class."""
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


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(Loss):
    from_logits: bool = False
    function = sparse_categorical_crossentropy


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
    """A function of the user: `f(K, y_true, y_pred)` -> values per sample."""

    run: Function

    @property
    def default_name(self) -> str:
        return getattr(self.run, "__name__", type(self.run).__name__)

    def per_sample(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self.run(K, y_true, y_pred)

    def to_config(self) -> Any:
        return self.name


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
    """The class of a loss of this module, or a `FunctionLoss`."""
    known = {cls.function: cls for cls in CLASSES}
    return known[function]() if function in known else FunctionLoss(run=function)


def get(spec: Any) -> Loss | None:
    """The loss that `spec` names: see `Registry.get`; a function takes (K, y_true, y_pred).

    >>> get("mse").name
    'mean_squared_error'
    >>> get("categorical_crosentropy")
    Traceback (most recent call last):
    kconvert.errors.KconvertError: unknown loss 'categorical_crosentropy'; did you mean categorical_crossentropy or \
sparse_categorical_crossentropy
    """
    return LOSSES.get(spec)
