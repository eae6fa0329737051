"""Objectives of Keras 1.2.2: functions of labels and predictions, and how a loss is made of them.

A function gives a value for each sample. A mask and the weights of samples then scale the values so that masked steps
and samples of weight 0 do not count (keras-facts: weights-in-keras1). Crossentropies clip the probabilities on both
backends (keras-facts: crossentropy-in-keras1). Source: `objectives.py` and `engine/training.py` of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ...backend.base import Backend, Tensor
from ...backend.float_settings import epsilon, floatx
from ...errors import KconvertError, Problem
from ...layers.recorded import recorded_in_keras
from ...lazy_dataclasses import dataclass
from ...models.training import losses
from ...models.training.losses import Function, Loss, Shape
from .generic import get_from_module

# ---------------------------------------------------------------- functions ----


def _same(function: Function) -> Function:
    """A loss of Keras 2 as an objective of this module."""
    made = recorded_in_keras(function)
    made.__module__ = __name__
    return made


kullback_leibler_divergence = _same(losses.kullback_leibler_divergence)
mean_absolute_error = _same(losses.mean_absolute_error)
mean_absolute_percentage_error = _same(losses.mean_absolute_percentage_error)
mean_squared_error = _same(losses.mean_squared_error)
mean_squared_logarithmic_error = _same(losses.mean_squared_logarithmic_error)
poisson = _same(losses.poisson)


@recorded_in_keras
def hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of max(1 - y_true * y_pred, 0); labels are -1 and 1."""
    return K.mean(K.maximum(1.0 - y_true * y_pred, 0.0), -1)


@recorded_in_keras
def squared_hinge(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the squares of max(1 - y_true * y_pred, 0); labels are -1 and 1."""
    distance = K.maximum(1.0 - y_true * y_pred, 0.0)
    return K.mean(distance * distance, -1)


def binary_crossentropies(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The crossentropy of each element; labels are 0 and 1."""
    p = K.clip(y_pred, epsilon(), 1.0 - epsilon())
    rest = K.relu(1.0 - p)  # it is positive; a graph optimizer may not add the constants around it
    if not K.facts.sparse_of_logs:
        return -(y_true * K.log(p) + (1.0 - y_true) * K.log(rest))
    x = K.log(p / rest)
    return K.relu(x) - x * y_true + K.softplus(-K.abs(x))


@recorded_in_keras
def binary_crossentropy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Labels are 0 and 1."""
    return K.mean(binary_crossentropies(K, y_true, y_pred), -1)


@recorded_in_keras
def categorical_crossentropy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Labels are one-hot along the last axis."""
    return losses.categorical_crossentropy(K, y_true, _computed(y_pred))


@recorded_in_keras
def sparse_categorical_crossentropy(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Labels are integers, with a last axis of size 1."""
    return losses.sparse_categorical_crossentropy(K, y_true, _computed(y_pred))


@recorded_in_keras
def cosine_proximity(K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The negative mean of the products of the elements, after both are scaled to length 1."""
    return -K.mean(_unit(K, y_true) * _unit(K, y_pred), -1)


def _computed(y_pred: Tensor) -> Tensor:
    """`y_pred` as a tensor whose logits are not looked for."""
    return y_pred * 1.0


def _unit(K: Backend, x: Tensor) -> Tensor:
    return x / K.sqrt(K.maximum(K.sum(x * x, -1, keepdims=True), K.facts.least_square_of_keras1))


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence
cosine = cosine_proximity

_NAMES = (
    "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error hinge "
    "squared_hinge binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy "
    "kullback_leibler_divergence poisson cosine_proximity mse MSE mae MAE mape MAPE msle MSLE kld KLD cosine"
)
FUNCTIONS: Mapping[str, Function] = {name: globals()[name] for name in _NAMES.split()}
"""The objectives by the names that `compile` takes."""

# ------------------------------------------------------------------- losses ----


def weighted(K: Backend, values: Tensor, weight: Tensor | None, mask: Tensor | None) -> Tensor:
    """The loss of a batch, a scalar, from a value for each sample or step.

    weight: (batch,) or (batch, time). mask: (batch, time).

    >>> import numpy as np
    >>> from kconvert.backend import get_backend
    >>> loss, weight = np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 0.0])
    >>> round(float(weighted(get_backend("numpy"), loss, weight, None)), 6)
    1.5
    """
    if mask is not None:
        mask = K.cast(mask, floatx())
        values = values * mask / K.mean(mask)
    if weight is None:
        return K.mean(values)
    if K.ndim(values) > K.ndim(weight):
        values = K.mean(values, list(range(K.ndim(weight), K.ndim(values))))
    return K.mean(values * weight / K.mean(1.0 - K.cast(K.equal(weight, 0.0), floatx())))


@dataclass(frozen=True)
class Objective(Loss):
    """The loss of an output in Keras 1.2.2. function: `f(y_true, y_pred)`, one of FUNCTIONS or of the user."""

    run: Function

    by_samples: ClassVar[bool] = True

    @property
    def default_name(self) -> str:
        return getattr(self.run, "__name__", type(self.run).__name__)

    @property
    def is_known(self) -> bool:
        """Whether it is an objective of Keras."""
        return self.run in FUNCTIONS.values()

    def label_shapes(self, output: Shape) -> list[Shape] | None:
        if not self.is_known:
            return None
        if self.run is sparse_categorical_crossentropy:
            return [(None, *output[1:-1], 1)]
        return [] if self.run is categorical_crossentropy and output[-1] == 1 else [(None, *output[1:])]

    def per_sample(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.is_known:
            return self.run(K, y_true, y_pred)
        return losses.FunctionLoss(run=self.run).per_sample(K, y_true, y_pred)

    def of_batch(
        self,
        K: Backend,
        y_true: Tensor,
        y_pred: Tensor,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        return weighted(K, self.per_sample(K, y_true, y_pred), sample_weight, mask)

    def to_config(self) -> Any:
        return self.default_name


def objective(spec: Any) -> Objective:
    """The loss that an argument of `compile` means. Raises KconvertError for names that Keras 1.2.2 lacks."""
    function = get(spec)
    if not callable(function):
        fix = f"its objectives are {', '.join(FUNCTIONS)}"
        raise KconvertError(f"Keras 1.2.2 has no objective {spec!r}", fix=fix, problem=Problem.USAGE)
    return Objective(function)


def get(identifier: Any) -> Any:
    """The objective that a name, or a dict with `name` and arguments, means; anything else as it is.

    Raises KconvertError for an unknown name.
    """
    return get_from_module(identifier, FUNCTIONS, "objective")
