"""Metrics of Keras 2.3.1 that are means over all samples, and what every metric is made of.

A metric keeps no numbers itself: `states` names its sums, `update` adds a batch to them on a backend, and
`result` makes the value of them in NumPy, so that the value of an epoch is over all its samples.
(Source: `metrics.py` of Keras 2.3.1.)
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ....backend.base import Backend, Tensor
from .. import losses
from ..losses import Function
from ..registry import Component
from ..weighting import weighted_values

States = Mapping[str, Tensor]

# ---------------------------------------------------------------- functions ----


def accuracy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where both are the same number."""
    return K.cast(K.equal(y_true, y_pred), "float32")


def binary_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """How many predictions are on the right side of `threshold`; at 0.5 itself they count as 0, as rounding has it."""
    predicted = K.round(y_pred) if threshold == 0.5 else K.cast(K.greater(y_pred, threshold), "float32")
    return K.mean(accuracy(K, y_true, predicted), -1)


def categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the greatest of both is at the same place."""
    return accuracy(K, K.argmax(y_true), K.argmax(y_pred))


def sparse_categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the greatest prediction is at the place of the integer label."""
    return accuracy(K, _labels(K, y_true, y_pred), K.cast(K.argmax(y_pred), "float32"))


def top_k_categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """1 where fewer than `k` predictions are greater than that of the right class."""
    return sparse_top_k_categorical_accuracy(K, K.argmax(y_true), y_pred, k)


def sparse_top_k_categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """`top_k_categorical_accuracy` for integer labels."""
    right = K.sum(losses.one_hot(K, y_true, y_pred) * y_pred, -1, keepdims=True)
    ahead = K.sum(K.cast(K.greater(y_pred, right), "float32"), -1)
    return K.cast(K.greater(float(k), ahead), "float32")


def cosine_similarity(K: Backend, y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The cosine of the angle between both: the loss of that name has the other sign."""
    return -losses.cosine_proximity(K, y_true, y_pred, axis)


def squared_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Of every element."""
    return (y_pred - y_true) * (y_pred - y_true)


def _labels(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Integer labels without an axis of size 1 at their end."""
    return K.squeeze(y_true, -1) if K.ndim(y_true) == K.ndim(y_pred) else y_true


def aligned(K: Backend, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float32; the one that has one axis more than the other loses it where its size is 1."""
    more = K.ndim(y_pred) - K.ndim(y_true)
    if more == 1 and _ends_in_one(K, y_pred):
        y_pred = K.squeeze(y_pred, -1)
    if more == -1 and _ends_in_one(K, y_true):
        y_true = K.squeeze(y_true, -1)
    return K.cast(y_true, "float32"), K.cast(y_pred, "float32")


def _ends_in_one(K: Backend, x: Tensor) -> bool:
    size = K.shape(x)[-1]
    return isinstance(size, int) and size == 1


# ------------------------------------------------------------------ classes ----


@dataclass(frozen=True, kw_only=True)
class Metric(Component):
    """What every metric has: a name for the logs, sums, and how they make a value."""

    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.default_name)

    @property
    def default_name(self) -> str:
        """The class in snake_case, without the number that Keras puts behind it."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.class_name).lower()

    @abstractmethod
    def states(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the sums, by name; all begin at 0."""

    @abstractmethod
    def update(
        self, K: Backend, states: States, y_true: Tensor, y_pred: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """The sums with one more batch.

        weight: of samples or steps, the mask in it (`weighting.masked_weights`).
        """

    @abstractmethod
    def result(self, states: Mapping[str, np.ndarray]) -> Any:
        """The value: a number, or an array where there are several thresholds."""


@dataclass(frozen=True, kw_only=True)
class Mean(Metric):
    """The weighted mean of values; alone, of the predictions.

    Where weights have fewer axes than the values, each counts for as many values as it spreads to. (Keras 2.3.1
    does so only where it knows the sizes; else its value is too great by that number.)
    """

    def states(self) -> dict[str, tuple[int, ...]]:
        return {"total": (), "count": ()}

    def values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """What the mean is taken of, one value for each sample (and step)."""
        return y_pred

    def update(
        self, K: Backend, states: States, y_true: Tensor, y_pred: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        values, weight = weighted_values(K, self.values(K, *aligned(K, y_true, y_pred)), weight)
        return {"total": states["total"] + K.sum(values), "count": states["count"] + K.sum(weight)}

    def result(self, states: Mapping[str, np.ndarray]) -> Any:
        with np.errstate(all="ignore"):
            return float(np.divide(states["total"], states["count"]))


@dataclass(frozen=True, kw_only=True)
class Sum(Mean):
    """The weighted sum of the predictions."""

    def result(self, states: Mapping[str, np.ndarray]) -> Any:
        return float(states["total"])


@dataclass(frozen=True, kw_only=True)
class _MeanOf(Mean):
    """The mean of a function per sample."""

    function: ClassVar[Function]

    @property
    def default_name(self) -> str:
        return type(self).function.__name__

    def values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        options = {key: value for key, value in self.get_config().items() if key != "name"}
        return type(self).function(K, y_true, y_pred, **options)


@dataclass(frozen=True)
class Accuracy(_MeanOf):
    function = accuracy


@dataclass(frozen=True)
class BinaryAccuracy(_MeanOf):
    threshold: float = 0.5
    function = binary_accuracy


@dataclass(frozen=True)
class CategoricalAccuracy(_MeanOf):
    function = categorical_accuracy


@dataclass(frozen=True)
class SparseCategoricalAccuracy(_MeanOf):
    function = sparse_categorical_accuracy


@dataclass(frozen=True)
class TopKCategoricalAccuracy(_MeanOf):
    k: int = 5
    function = top_k_categorical_accuracy


@dataclass(frozen=True)
class SparseTopKCategoricalAccuracy(_MeanOf):
    k: int = 5
    function = sparse_top_k_categorical_accuracy


@dataclass(frozen=True)
class MeanSquaredError(_MeanOf):
    function = losses.mean_squared_error


@dataclass(frozen=True)
class RootMeanSquaredError(_MeanOf):
    """The root of the mean over all elements of all samples."""

    function = squared_error

    @property
    def default_name(self) -> str:
        return "root_mean_squared_error"

    def result(self, states: Mapping[str, np.ndarray]) -> Any:
        return float(np.sqrt(super().result(states)))


@dataclass(frozen=True)
class MeanAbsoluteError(_MeanOf):
    function = losses.mean_absolute_error


@dataclass(frozen=True)
class MeanAbsolutePercentageError(_MeanOf):
    function = losses.mean_absolute_percentage_error


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(_MeanOf):
    function = losses.mean_squared_logarithmic_error


@dataclass(frozen=True)
class Hinge(_MeanOf):
    function = losses.hinge


@dataclass(frozen=True)
class SquaredHinge(_MeanOf):
    function = losses.squared_hinge


@dataclass(frozen=True)
class CategoricalHinge(_MeanOf):
    function = losses.categorical_hinge


@dataclass(frozen=True)
class LogCoshError(_MeanOf):
    function = losses.logcosh


@dataclass(frozen=True)
class Poisson(_MeanOf):
    function = losses.poisson


@dataclass(frozen=True)
class KLDivergence(_MeanOf):
    function = losses.kullback_leibler_divergence


@dataclass(frozen=True)
class CosineSimilarity(_MeanOf):
    axis: int = -1
    function = cosine_similarity


@dataclass(frozen=True)
class BinaryCrossentropy(_MeanOf):
    from_logits: bool = False
    label_smoothing: float = 0.0
    function = losses.binary_crossentropy


@dataclass(frozen=True)
class CategoricalCrossentropy(_MeanOf):
    from_logits: bool = False
    label_smoothing: float = 0.0
    function = losses.categorical_crossentropy


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(_MeanOf):
    from_logits: bool = False
    axis: int = -1
    function = losses.sparse_categorical_crossentropy


@dataclass(frozen=True)
class FunctionMetric(Mean):
    """The mean of a function of the user: `f(K, y_true, y_pred)` -> values per sample."""

    run: Function

    @property
    def default_name(self) -> str:
        return getattr(self.run, "__name__", type(self.run).__name__)

    def values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self.run(K, y_true, y_pred)

    def to_config(self) -> Any:
        return self.name


MEANS = (
    Mean,
    Sum,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    MeanSquaredError,
    RootMeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    LogCoshError,
    Poisson,
    KLDivergence,
    CosineSimilarity,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
