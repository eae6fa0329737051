"""Helpers of training that scripts import from `keras.engine.training_utils`.

Source: the module of this name in Keras 2.3.1. What checks the data of the user is in `training_data`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import isgenerator
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from ...models.training.data import is_sequence
from ...models.training.fit import should_run_validation as should_run_validation
from . import backend
from .settings import epsilon, floatx

K: Any = backend
"""`keras.backend`, whose functions are made when they are used."""


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """The start and the stop of the slice of each batch of `size` samples.

    >>> make_batches(5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array: np.ndarray, batch_size: int) -> np.ndarray:
    """The indices with whole batches in a random order, by NumPy's generator; the last, smaller batch stays last."""
    whole = len(index_array) // batch_size * batch_size
    batches = index_array[:whole].reshape(-1, batch_size)
    np.random.shuffle(batches)
    return np.append(batches.ravel(), index_array[whole:])


def check_generator_arguments(y: Any = None, sample_weight: Any = None, validation_split: Any = None) -> None:
    """Raises KconvertError for an argument of `fit` that data from a generator cannot have."""
    if y is not None or sample_weight is not None:
        what = "a generator gives the labels and the weights of samples itself"
        raise KconvertError(what, fix="let it give (x, y, sample_weight)", problem=Problem.USAGE)
    if validation_split:
        fix = "give validation_data"
        raise KconvertError("validation_split needs arrays, not a generator", fix=fix, problem=Problem.USAGE)


def weighted_masked_objective(fn: Callable[[Any, Any], Any] | None) -> Callable[..., Any] | None:
    """The function (y_true, y_pred, weights, mask=None) of the mean loss `fn` of the samples that count; None for None.

    weights: (samples,) or (samples, time), or None. mask: of the shape of the values of `fn`.
    """
    if fn is None:
        return None

    def weighted(y_true: Any, y_pred: Any, weights: Any, mask: Any = None) -> Any:
        values = fn(y_true, y_pred)
        if mask is not None:
            values = by_mask(values, mask, epsilon())
        return K.mean(values if weights is None else by_weights(values, weights))

    return weighted


def by_mask(values: Any, mask: Any, smallest: float) -> Any:
    """`values` times `mask`, over the mean of the mask. smallest: is added to the mean."""
    kept = K.cast(mask, floatx())
    return values * kept / (K.mean(kept) + smallest)


def by_weights(values: Any, weights: Any) -> Any:
    """The means of `values` over the axes that `weights` lacks, times the weights, over the part that is not 0."""
    means = K.mean(values, axis=list(range(K.ndim(weights), K.ndim(values))))
    return means * weights / K.mean(K.cast(K.not_equal(weights, 0), floatx()))


def iter_sequence_infinite(seq: Any) -> Iterator[Any]:
    """The batches of a `Sequence`, epoch after epoch without end."""
    while True:
        yield from seq


def is_generator_or_sequence(x: Any) -> bool:
    """Whether `x` is a generator, or a `Sequence`."""
    return isgenerator(x) or is_sequence(x)
