"""Helpers of training that scripts import from `keras.engine.training_utils`.

Source: the module of this name in Keras 2.3.1. What checks the data of the user is in `training_data`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from inspect import isgenerator
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from ...models.training.data import is_sequence
from . import backend
from .settings import epsilon, floatx

K: Any = backend
"""`keras.backend`, whose functions are made when they are used."""


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """The first and the last index + 1 of each batch of `size` samples.

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


def should_run_validation(validation_freq: Any, epoch: int) -> bool:
    """Whether there is a validation after `epoch`, which is counted from 0.

    validation_freq: every so many epochs; or the epochs with one, counted from 1. Raises KconvertError for a number
    below 1, and for what is neither.
    """
    if isinstance(validation_freq, int) and validation_freq >= 1:
        return (epoch + 1) % validation_freq == 0
    if isinstance(validation_freq, Container):
        return epoch + 1 in validation_freq
    what = f"validation_freq is a number from 1 or a list of epochs, not {validation_freq!r}"
    raise KconvertError(what, problem=Problem.USAGE)


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
            kept = K.cast(mask, floatx())
            values = values * kept / (K.mean(kept) + epsilon())
        if weights is not None:
            inner = list(range(K.ndim(weights), K.ndim(values)))
            values = K.mean(values, axis=inner) * weights
            values = values / K.mean(K.cast(K.not_equal(weights, 0), floatx()))
        return K.mean(values)

    return weighted


def iter_sequence_infinite(seq: Any) -> Iterator[Any]:
    """The batches of a `Sequence`, epoch after epoch without end."""
    while True:
        yield from seq


def is_generator_or_sequence(x: Any) -> bool:
    """Whether `x` is a generator, or a `Sequence`."""
    return isgenerator(x) or is_sequence(x)
