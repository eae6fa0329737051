"""How values and weights become a loss: `keras.utils.losses_utils` of Keras 2.3.1."""

from __future__ import annotations

from typing import Any

from ...errors import KconvertError, Problem
from ...models.training.weighting import check_reduction
from . import backend
from .settings import floatx

K: Any = backend
"""`keras.backend`, whose functions are made when they are used."""


class Reduction:
    """How the weighted losses of samples become the loss of a batch: the values of the argument `reduction`."""

    # The weighted losses, not reduced.
    NONE = "none"
    # Their sum.
    SUM = "sum"
    # Their sum over their number.
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """The three values."""
        return cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE

    @classmethod
    def validate(cls, key: str) -> None:
        """Raises KconvertError where `key` is none of the values."""
        check_reduction(key)


def squeeze_or_expand_dimensions(y_pred: Any, y_true: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
    """Predictions, labels and weights whose numbers of axes fit: a last axis of size 1 is dropped or added.

    Returns (y_pred, y_true), and `sample_weight` as the third where it is given. A weight without axes stays.
    """
    if y_true is not None:
        more = K.ndim(y_pred) - K.ndim(y_true)
        if more == 1 and K.int_shape(y_pred)[-1] == 1:
            y_pred = K.squeeze(y_pred, -1)
        elif more == -1 and K.int_shape(y_true)[-1] == 1:
            y_true = K.squeeze(y_true, -1)
    if sample_weight is None:
        return y_pred, y_true
    more, axes = K.ndim(sample_weight) - K.ndim(y_pred), K.ndim(sample_weight)
    if axes == 1 and more == 1:
        y_pred = K.expand_dims(y_pred, -1)
    elif axes and more == 1:
        sample_weight = K.squeeze(sample_weight, -1)
    elif axes and more == -1:
        sample_weight = K.expand_dims(sample_weight, -1)
    return y_pred, y_true, sample_weight


def reduce_weighted_loss(weighted_losses: Any, reduction: str = Reduction.SUM_OVER_BATCH_SIZE) -> Any:
    """The weighted losses as `reduction` says: as they are, their sum, or their mean."""
    if reduction == Reduction.NONE:
        return weighted_losses
    return (K.mean if reduction == Reduction.SUM_OVER_BATCH_SIZE else K.sum)(weighted_losses)


def broadcast_weights(values: Any, sample_weight: Any) -> Any:
    """`sample_weight` in the shape of `values`. Raises KconvertError where their sizes do not fit."""
    own, wanted = K.int_shape(sample_weight), K.int_shape(values)
    unequal = [i for i, (a, b) in enumerate(zip(own, wanted, strict=False)) if a != b and None not in (a, b)]
    if len(own) > len(wanted) or any(own[i] != 1 for i in unequal):
        raise KconvertError(f"weights of shape {own} do not fit values of shape {wanted}", problem=Problem.USAGE)
    for axis in range(len(own), len(wanted)):
        sample_weight = K.expand_dims(sample_weight, axis)
    for axis in unequal:
        sample_weight = K.repeat_elements(sample_weight, wanted[axis], axis)
    return sample_weight


def compute_weighted_loss(
    losses: Any, sample_weight: Any = None, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None
) -> Any:
    """The loss of a batch: `losses` times `sample_weight`, reduced as `reduction` says.

    sample_weight: without axes, or of the first axes of `losses`; None: 1. name: has no effect. Raises KconvertError
    for an unknown reduction, and for weights that do not fit.
    """
    Reduction.validate(reduction)
    values, weight = K.cast(losses, floatx()), K.cast(1.0 if sample_weight is None else sample_weight, floatx())
    values, _, weight = squeeze_or_expand_dimensions(values, None, weight)
    return K.cast(reduce_weighted_loss(broadcast_weights(values, weight) * values, reduction), K.dtype(losses))
