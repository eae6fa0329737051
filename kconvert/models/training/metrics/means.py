"""Metrics of Keras 2.3.1 that are means over all samples. Source: `metrics.py` of Keras 2.3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ....backend.base import Backend, Tensor
from ....backend.computing import as_in_keras
from ....backend.float_settings import floatx
from ....layers.custom import CustomFunction
from ....lazy_dataclasses import dataclass
from .. import losses
from ..losses import Function
from ..weighting import weighted_values
from .base import OfSums, Sums

# ---------------------------------------------------------------- functions ----


@as_in_keras
def accuracy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where label and prediction are equal, else 0; for each element."""
    return K.cast(K.equal(y_true, y_pred), floatx())


@as_in_keras
def binary_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """The part of the predictions that are on the same side of `threshold` as the label; exactly 0.5 rounds to 0."""
    predicted = K.round(y_pred) if threshold == 0.5 else K.cast(K.greater(y_pred, threshold), floatx())
    return K.mean(accuracy(K, y_true, predicted), -1)


@as_in_keras
def categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the greatest prediction is that of the class of the label, else 0. Labels are one-hot."""
    return accuracy(K, K.argmax(y_true), K.argmax(y_pred))


@as_in_keras
def sparse_categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`categorical_accuracy` for integer labels."""
    return accuracy(K, _labels(K, y_true, y_pred), K.cast(K.argmax(y_pred), floatx()))


@as_in_keras
def top_k_categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """1 where fewer than `k` predictions are greater than that of the right class, else 0. Labels are one-hot."""
    return sparse_top_k_categorical_accuracy(K, K.argmax(y_true), y_pred, k)


@as_in_keras
def sparse_top_k_categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """`top_k_categorical_accuracy` for integer labels."""
    right = K.sum(losses.one_hot(K, y_true, y_pred) * y_pred, -1, keepdims=True)
    ahead = K.sum(K.cast(K.greater(y_pred, right), floatx()), -1)
    return K.cast(K.greater(float(k), ahead), floatx())


@as_in_keras
def cosine_similarity(K: Backend, y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The cosine of the angle between labels and predictions; the loss of this name has the opposite sign."""
    return -losses.cosine_proximity(K, y_true, y_pred, axis)


def squared_error(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The squared error of each element."""
    return (y_pred - y_true) * (y_pred - y_true)


def _labels(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Integer labels without their last axis, if it has size 1."""
    return K.squeeze(y_true, -1) if K.ndim(y_true) == K.ndim(y_pred) else y_true


def aligned(K: Backend, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Labels and predictions as float32 with the same number of axes: an additional last axis of size 1 is dropped."""
    more = K.ndim(y_pred) - K.ndim(y_true)
    if more == 1 and _ends_in_one(K, y_pred):
        y_pred = K.squeeze(y_pred, -1)
    if more == -1 and _ends_in_one(K, y_true):
        y_true = K.squeeze(y_true, -1)
    return K.cast(y_true, floatx()), K.cast(y_pred, floatx())


def _ends_in_one(K: Backend, x: Tensor) -> bool:
    size = K.shape(x)[-1]
    return isinstance(size, int) and size == 1


# ------------------------------------------------------------------ classes ----
# A class without a docstring computes its `function`, whose options are its fields.


@dataclass(frozen=True, kw_only=True)
class _Average(OfSums):
    """The weighted mean of `values`.

    Weights with fewer axes than the values are broadcast, and the mean is divided by the sum of the broadcast weights.
    Keras 2.3.1 does so only where the sizes are known; otherwise its value is too large by the number of repetitions.
    """

    def sums(self) -> dict[str, tuple[int, ...]]:
        return {"total": (), "count": ()}

    def values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The values to average: one for each sample (batch,), or for each step (batch, time)."""
        raise NotImplementedError

    def add_batch(
        self, K: Backend, sums: Sums, y_true: Tensor, y_pred: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        values, weight = weighted_values(K, self.values(K, *aligned(K, y_true, y_pred)), weight)
        return {"total": sums["total"] + K.sum(values), "count": sums["count"] + K.sum(weight)}

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        with np.errstate(all="ignore"):
            return float(np.divide(sums["total"], sums["count"]))


@dataclass(frozen=True, kw_only=True)
class Mean(_Average):
    """The weighted mean of the predictions."""

    default_name = "mean"

    def values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return y_pred

    def update_state(self, values: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]
        super().update_state(values, values, sample_weight)


@dataclass(frozen=True, kw_only=True)
class Sum(Mean):
    """The weighted sum of the predictions."""

    default_name = "sum"

    def sums(self) -> dict[str, tuple[int, ...]]:
        return {"total": ()}

    def add_batch(
        self, K: Backend, sums: Sums, y_true: Tensor, y_pred: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        return {"total": super().add_batch(K, {**sums, "count": 0.0}, y_true, y_pred, weight)["total"]}

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        return float(sums["total"])


@dataclass(frozen=True, kw_only=True)
class _MeanOf(_Average):
    """The mean of a function that gives a value per sample."""

    # f(K, y_true, y_pred, **options)
    function: ClassVar[Function]

    @property
    def default_name(self) -> str:
        return type(self).function.__name__

    def values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        options = {key: value for key, value in self.get_config().items() if key not in ("name", "dtype")}
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
    """The root of the mean squared error over all elements of all samples."""

    function = squared_error
    default_name = "root_mean_squared_error"

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        return float(np.sqrt(super().value_of(sums)))


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
class FunctionMetric(_Average):
    """The mean of a function of the user, `f(y_true, y_pred)` or `f(K, y_true, y_pred)`, one value per sample."""

    run: Function

    @property
    def default_name(self) -> str:
        return getattr(self.run, "__name__", type(self.run).__name__)

    def values(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return CustomFunction(self.name, self.run).run(K, y_true, y_pred)

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
