"""Metrics of Keras 2.3.1: `get` makes a metric by its name, `resolve` the one that a model is compiled with."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from inspect import unwrap
from typing import Any

from ....errors import KconvertError, Problem
from .. import losses
from ..losses import (
    MAE,
    MAPE,
    MSE,
    MSLE,
    Loss,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine,
    cosine_proximity,
    hinge,
    kullback_leibler_divergence,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from ..registry import Registry
from ..registry import serialize as serialize
from . import means
from .base import Metric
from .counts import (
    AUC,
    COUNTS,
    FalseNegatives,
    FalsePositives,
    MeanIoU,
    Precision,
    Recall,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from .means import (
    MEANS,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    FunctionMetric,
    Hinge,
    KLDivergence,
    LogCoshError,
    Mean,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    Sum,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)

__all__ = [
    "AUC",
    "MAE",
    "MAPE",
    "METRICS",
    "MSE",
    "MSLE",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine",
    "cosine_proximity",
    "deserialize",
    "get",
    "hinge",
    "kullback_leibler_divergence",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

BY_LOSS = {
    "accuracy": (means.BinaryAccuracy, means.SparseCategoricalAccuracy, means.CategoricalAccuracy),
    "crossentropy": (means.BinaryCrossentropy, means.SparseCategoricalCrossentropy, means.CategoricalCrossentropy),
}
"""Names whose metric depends on the loss: the metric for binary, sparse categorical and categorical losses."""

SHORT = {"acc": "accuracy", "ce": "crossentropy"}
"""Short names of the names in BY_LOSS."""

_ALIASES = {
    "mse": means.MeanSquaredError,
    "mae": means.MeanAbsoluteError,
    "mape": means.MeanAbsolutePercentageError,
    "msle": means.MeanSquaredLogarithmicError,
    "cosine": means.CosineSimilarity,
    "cosine_proximity": means.CosineSimilarity,
    "kld": means.KLDivergence,
}


def _of_function(function: losses.Function) -> Metric:
    """The metric of which `function` is the function, or a `FunctionMetric`; a metric stays as it is."""
    if isinstance(function, Metric):
        return function
    known = {unwrap(vars(cls)["function"]): cls for cls in MEANS if "function" in vars(cls)}
    own = unwrap(function)
    return known[own]() if own in known else FunctionMetric(run=function)


METRICS = Registry(
    "metric",
    Metric,
    {
        **{cls.function.__name__: cls for cls in MEANS if hasattr(cls, "function")},
        **{cls.__name__: cls for cls in (*MEANS, *COUNTS)},
        **_ALIASES,
    },
    wrap=_of_function,
    ignored=frozenset(),
)


def get(spec: Any) -> Any:
    """The metric that `spec` describes: see `Registry.get`. A function takes (K, y_true, y_pred).

    >>> get("mse").name
    'mean_squared_error'
    >>> get({"class_name": "Precision", "config": {"name": "low", "thresholds": 0.3}})
    Precision(name='low', dtype='float32', thresholds=[0.3], top_k=None, class_id=None)
    """
    return METRICS.get(spec)


def resolve(spec: Any, loss: Loss | None, shape: Sequence[int | None]) -> Metric:
    """The metric of an output, from what `compile` got for it.

    spec: as for `get`; a name is also the name in the logs. loss, shape: of the output; they decide which metric
    'accuracy' and 'crossentropy' stand for (keras-facts: accuracy-by-loss).

    >>> resolve("acc", losses.get("sparse_categorical_crossentropy"), (None, 10))
    SparseCategoricalAccuracy(name='acc', dtype='float32')
    """
    if spec is None:
        raise KconvertError("None is no metric", fix="give a name, a metric or a function", problem=Problem.USAGE)
    if not isinstance(spec, str):
        return get(spec)
    name = SHORT.get(spec, spec)
    if name not in BY_LOSS:
        metric = copy(get(name))
        vars(metric)["name"] = spec
        return metric
    binary, sparse, categorical = BY_LOSS[name]
    if shape[-1] == 1 or isinstance(loss, losses.BinaryCrossentropy):
        return binary(name=spec)
    return (sparse if isinstance(loss, losses.SparseCategoricalCrossentropy) else categorical)(name=spec)


deserialize = get
