"""Metrics of Keras 1.2.2: one number for each batch, averaged over the samples of all batches.

Masks and weights of samples do not change them (keras-facts: metrics-of-keras1). Source: `metrics.py` of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...backend.base import Backend, Tensor
from ...backend.float_settings import epsilon, floatx
from ...errors import KconvertError, Problem
from ...layers.custom import CustomFunction
from ...layers.deferred import emulation
from ...layers.recorded import recorded_in_keras
from ...lazy_dataclasses import dataclass
from ...models.training.losses import Function
from ...models.training.metrics import means
from ...models.training.metrics.base import OfSums, Sums
from . import objectives
from .generic import get_from_module
from .objectives import Objective

# ---------------------------------------------------------------- functions ----


def _mean_of(function: Function) -> Function:
    """The mean of a function over the whole batch."""

    @recorded_in_keras
    def metric(K: Backend, y_true: Tensor, y_pred: Tensor, *options: Any, **named: Any) -> Tensor:
        return K.mean(function(K, y_true, y_pred, *options, **named))

    metric.__name__ = metric.__qualname__ = function.__name__
    return metric


_MEANS = (
    "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error hinge "
    "squared_hinge binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy "
    "kullback_leibler_divergence poisson cosine_proximity"
)
_SHORT = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error"}
_SHORT |= {"msle": "mean_squared_logarithmic_error"}

globals().update({name: _mean_of(objectives.FUNCTIONS[name]) for name in _MEANS.split()})

binary_accuracy = _mean_of(means.binary_accuracy)
categorical_accuracy = _mean_of(means.categorical_accuracy)
top_k_categorical_accuracy = _mean_of(means.top_k_categorical_accuracy)


@recorded_in_keras
def sparse_categorical_accuracy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The part of the samples whose label, the greatest value along the last axis, is the class predicted."""
    predicted = K.cast(K.argmax(y_pred), floatx())
    return K.mean(K.cast(K.equal(K.cast(K.max(y_true, -1), floatx()), predicted), floatx()))


def _positive(K: Backend, x: Tensor) -> Tensor:
    """The number of elements that round to 1."""
    return K.sum(K.round(K.clip(x, 0.0, 1.0)))


@recorded_in_keras
def precision(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The part of the elements predicted as 1 that are 1."""
    return _positive(K, y_true * y_pred) / (_positive(K, y_pred) + epsilon())


@recorded_in_keras
def recall(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The part of the elements that are 1 which are predicted as 1."""
    return _positive(K, y_true * y_pred) / (_positive(K, y_true) + epsilon())


@recorded_in_keras
def fbeta_score(K: Backend, y_true: Tensor, y_pred: Tensor, beta: float = 1) -> Tensor:
    """The weighted harmonic mean of precision and recall; `beta` is the weight of recall.

    Raises KconvertError where `beta` is negative.
    """
    if beta < 0:
        raise KconvertError("beta of fbeta_score cannot be negative", problem=Problem.USAGE)
    p, r, square = precision(K, y_true, y_pred), recall(K, y_true, y_pred), float(beta) ** 2
    return (1.0 + square) * (p * r) / (square * p + r + epsilon())


@recorded_in_keras
def fmeasure(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The harmonic mean of precision and recall."""
    return fbeta_score(K, y_true, y_pred)


@recorded_in_keras
def matthews_correlation(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The correlation of labels and predictions, both rounded to 0 and 1."""
    predicted, true = (K.round(K.clip(y, 0.0, 1.0)) for y in (y_pred, y_true))
    tp, tn = K.sum(true * predicted), K.sum((1.0 - true) * (1.0 - predicted))
    fp, fn = K.sum((1.0 - true) * predicted), K.sum(true * (1.0 - predicted))
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / (K.sqrt(product) + epsilon())


_OWN = "precision recall fbeta_score fmeasure matthews_correlation"
_ACCURACIES = "binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy"
FUNCTIONS: dict[str, Function] = {name: globals()[name] for name in f"{_MEANS} {_ACCURACIES} {_OWN}".split()}
FUNCTIONS |= {key: FUNCTIONS[name] for short, name in _SHORT.items() for key in (short, short.upper())}
FUNCTIONS |= {"cosine": FUNCTIONS["cosine_proximity"], "fscore": fmeasure, "f1score": fmeasure}
"""The metrics by the names that `compile` takes."""

globals().update(FUNCTIONS)

# ------------------------------------------------------------------ metrics ----


@dataclass(frozen=True, kw_only=True)
class BatchMetric(OfSums):
    """A metric of one output. run: `f(y_true, y_pred)`, one of FUNCTIONS or of the user."""

    run: Function

    @property
    def default_name(self) -> str:
        return getattr(self.run, "__name__", type(self.run).__name__)

    def sums(self) -> dict[str, tuple[int, ...]]:
        return {"total": (), "count": (), "batch": ()}

    def add_batch(self, K: Backend, sums: Sums, y_true: Tensor, y_pred: Tensor, weight: Any = None) -> dict[str, Any]:
        known = self.run in FUNCTIONS.values()
        value = self.run(K, y_true, y_pred) if known else CustomFunction(self.name, self.run).run(K, y_true, y_pred)
        mean, size = K.mean(value), K.cast(K.shape(y_pred)[0], floatx())
        return {"total": sums["total"] + mean * size, "count": sums["count"] + size, "batch": mean}

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        return float(sums["total"] / max(sums["count"], 1.0))

    def of_last_batch(self) -> np.float64:
        """The value of the last batch alone."""
        return np.float64(self.made["batch"].value)

    def to_config(self) -> Any:
        return self.name


def metrics(spec: Any, loss: Objective, shape: Sequence[int | None]) -> list[BatchMetric]:
    """The metrics that an argument of `compile` means for an output of `shape` with the loss `loss`.

    A function of the user that returns a dict is a metric for each of its keys. Raises KconvertError for names that
    Keras 1.2.2 lacks.
    """
    if spec in ("acc", "accuracy"):
        return [BatchMetric(name="acc", run=_accuracy(loss, shape))]
    function = get(spec)
    if not callable(function):
        fix = f"its metrics are accuracy, {', '.join(FUNCTIONS)}"
        raise KconvertError(f"Keras 1.2.2 has no metric {spec!r}", fix=fix, problem=Problem.USAGE)
    names = [] if function in FUNCTIONS.values() else _names_of(function, loss, shape)
    return [BatchMetric(name=name, run=_part(function, name)) for name in names] or [BatchMetric(run=function)]


def _names_of(function: Callable[..., Any], loss: Objective, shape: Sequence[int | None]) -> list[str]:
    """The keys of the dict that a function of the user returns; empty where it returns a tensor.

    It is tried on zeros with NumPy.
    """
    of_labels = (loss.label_shapes(tuple(shape)) or [tuple(shape)])[0]
    zeros = [np.zeros([2 if n is None else n for n in sizes], floatx()) for sizes in (of_labels, shape)]
    with np.errstate(all="ignore"):
        found = CustomFunction("metric", function).attempt(emulation(), *zeros)
    return list(found) if isinstance(found, Mapping) else []


def _part(function: Callable[..., Any], name: str) -> Function:
    """What `function` returns under the key `name`."""
    return lambda y_true, y_pred: function(y_true, y_pred)[name]


def _accuracy(loss: Objective, shape: Sequence[int | None]) -> Function:
    if shape[-1] == 1 or loss.run is objectives.binary_crossentropy:
        return binary_accuracy
    sparse = loss.run is objectives.sparse_categorical_crossentropy
    return sparse_categorical_accuracy if sparse else categorical_accuracy


def get(identifier: Any) -> Any:
    """The metric that a name, or a dict with `name` and arguments, means; anything else as it is.

    Raises KconvertError for an unknown name.
    """
    return get_from_module(identifier, FUNCTIONS, "metric")
