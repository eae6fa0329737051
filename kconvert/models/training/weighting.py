"""Sample weights and masks, as the training of Keras 2.3.1 applies them to losses and metrics.

A mask is a weight of 0 or 1 for each step. A loss is the weighted sum divided by the number of all values, masked ones
included; a mean metric is divided by the sum of the weights (keras-facts: weights-in-training).
"""

from __future__ import annotations

from collections.abc import Callable

from ...backend.base import Backend, Tensor
from ...backend.float_settings import floatx
from ...errors import KconvertError, Problem

# How `weighted` makes one number of the values, by name.
REDUCTIONS: dict[str, Callable[[Backend, Tensor], Tensor]] = {
    "sum_over_batch_size": lambda K, values: K.mean(values),
    "sum": lambda K, values: K.sum(values),
    "none": lambda K, values: values,
}


def check_reduction(reduction: str) -> None:
    """Raises KconvertError for an unknown reduction."""
    if reduction not in REDUCTIONS:
        fix = f"one of: {', '.join(REDUCTIONS)}"
        raise KconvertError(f"unknown reduction {reduction!r}", fix=fix, problem=Problem.USAGE)


def masked_weights(K: Backend, sample_weight: Tensor | None, mask: Tensor | None) -> Tensor | None:
    """The product of sample weights and mask; one of them alone where the other is None; None where both are.

    sample_weight: (batch,) or (batch, time). mask: (batch, time). Keras before 2.3 also divides by the mean of the
    mask; this function follows 2.3 and does not.
    """
    if mask is None:
        return sample_weight
    mask = K.cast(mask, floatx())
    return mask if sample_weight is None else mask * _with_axes_of(K, sample_weight, mask)


def weighted_values(K: Backend, values: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """`values` times `weight`, and `weight` broadcast to the shape of `values`.

    weight: has the first axes of `values`, or all of them and one more of size 1. None: weights of 1.
    """
    weight = K.constant(1.0) if weight is None else _with_axes_of(K, weight, values)
    return values * weight, K.zeros(K.shape(values)) + weight


def weighted(
    K: Backend,
    per_sample: Tensor,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    reduction: str = "sum_over_batch_size",
) -> Tensor:
    """The loss of a batch, a scalar, from the losses of its samples.

    per_sample: (batch,) or (batch, time). sample_weight: (batch,) or (batch, time). mask: (batch, time).
    reduction: 'sum_over_batch_size' (the weighted sum divided by the number of all values, masked ones included),
    'sum', or 'none' (the weighted values, not reduced).

    >>> import numpy as np
    >>> from kconvert.backend import get_backend
    >>> loss, weight = np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 0.0])
    >>> float(weighted(get_backend("numpy"), loss, weight))
    1.0
    """
    weight = masked_weights(K, sample_weight, mask)
    values = per_sample if weight is None else per_sample * _with_axes_of(K, weight, per_sample)
    return REDUCTIONS[reduction](K, values)


def _with_axes_of(K: Backend, weight: Tensor, values: Tensor) -> Tensor:
    """`weight` with as many axes as `values`: axes of size 1 are added at the end, or one is removed."""
    if K.ndim(weight) == K.ndim(values) + 1:
        weight = K.squeeze(weight, -1)
    while K.ndim(weight) < K.ndim(values):
        weight = K.expand_dims(weight, -1)
    return weight
