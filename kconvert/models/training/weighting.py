"""Sample weights and masks, as the training of Keras 2.3.1 applies them to losses and metrics.

A mask is a weight of 0 and 1 for each step. A loss is the weighted sum over the number of all values, the
masked ones included; a mean metric divides by the sum of the weights. (Source: `_prepare_total_loss`,
`call_metric_function` and `utils/losses_utils.py` of Keras 2.3.1.)
"""

from __future__ import annotations

from collections.abc import Callable

from ...backend.base import Backend, Tensor

REDUCTIONS: dict[str, Callable[[Backend, Tensor], Tensor]] = {
    "sum_over_batch_size": lambda K, values: K.mean(values),
    "sum": lambda K, values: K.sum(values),
    "none": lambda K, values: values,
}


def masked_weights(K: Backend, sample_weight: Tensor | None, mask: Tensor | None) -> Tensor | None:
    """Sample weights (batch,) or (batch, time) times the mask (batch, time), or the one that is there.

    Keras before 2.3 divided by the mean of the mask as well; this does not.
    """
    if mask is None:
        return sample_weight
    mask = K.cast(mask, "float32")
    return mask if sample_weight is None else mask * _fitted(K, sample_weight, mask)


def weighted_values(K: Backend, values: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """`values` times `weight`, and `weight` in their shape (ones where there is none).

    weight: the first axes of `values`, or all of them and one of size 1.
    """
    weight = K.constant(1.0) if weight is None else _fitted(K, weight, values)
    return values * weight, K.zeros(K.shape(values)) + weight


def weighted(
    K: Backend,
    per_sample: Tensor,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
    reduction: str = "sum_over_batch_size",
) -> Tensor:
    """One number of a loss per sample: its weighted sum over the number of all values, masked ones included.

    reduction: 'sum_over_batch_size', 'sum', or 'none' (the weighted values themselves).

    >>> import numpy as np
    >>> from kconvert.backend import get_backend
    >>> loss, weight = np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 0.0])
    >>> float(weighted(get_backend("numpy"), loss, weight))
    1.0
    """
    weight = masked_weights(K, sample_weight, mask)
    values = per_sample if weight is None else per_sample * _fitted(K, weight, per_sample)
    return REDUCTIONS[reduction](K, values)


def _fitted(K: Backend, weight: Tensor, values: Tensor) -> Tensor:
    """`weight` with as many axes as `values`."""
    if K.ndim(weight) == K.ndim(values) + 1:
        weight = K.squeeze(weight, -1)
    while K.ndim(weight) < K.ndim(values):
        weight = K.expand_dims(weight, -1)
    return weight
