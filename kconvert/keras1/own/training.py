"""Helpers of training that scripts import from `keras.engine.training` of Keras 1.2.2.

Those that Keras 2.3.1 has unchanged are in `keras.own.training_data` and `keras.own.training_utils`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import AlsoTypeError, KconvertError, Problem
from ...keras.own import training_data
from ...keras.own.settings import floatx
from . import backend

K: Any = backend
"""`keras.backend` of Keras 1.2.2."""


def check_array_lengths(inputs: Any, targets: Any, weights: Any) -> None:
    """Raises KconvertError where lists of arrays have different numbers of samples."""
    training_data.check_array_length_consistency(inputs, targets, weights)


def check_loss_and_target_compatibility(targets: Any, losses: Any, output_shapes: Any) -> None:
    """Raises KconvertError where labels have another shape than their loss, a function, needs."""
    for labels, loss, shape in zip(targets, losses, output_shapes, strict=False):
        name, where = loss.__name__, f"labels for {loss.__name__}"
        if name == "categorical_crossentropy" and labels.shape[-1] == 1:
            fix = "integer classes need sparse_categorical_crossentropy"
            raise KconvertError(f"one class alone, in the shape {labels.shape}", where, fix, Problem.USAGE)
        sizes = zip(labels.shape[1:], shape[1:], strict=False)
        if name in _OF_OUTPUT_SHAPE and any(size not in (own, None) for own, size in sizes):
            what = f"the shape {labels.shape} was given for an output of the shape {tuple(shape)}"
            raise KconvertError(what, where, problem=Problem.USAGE)


_OF_OUTPUT_SHAPE = "mean_square_error", "binary_crossentropy", "categorical_crossentropy"
"""Losses whose labels have the shape of the output, as Keras 1.2.2 writes their names."""


def collect_metrics(metrics: Any, output_names: Sequence[str]) -> list[list[Any]]:
    """The metrics of each output: of a list for all of them, or of a dict by their names.

    Raises KconvertError for anything else.
    """
    if not metrics or isinstance(metrics, list):
        return [list(metrics or []) for _ in output_names]
    if not isinstance(metrics, dict):
        what = f"{type(metrics).__name__} is neither a list nor a dict"
        raise AlsoTypeError(what, "metrics", problem=Problem.USAGE)
    found = [metrics.get(name, []) for name in output_names]
    return [one if isinstance(one, list) else [one] for one in found]


def standardize_weights(
    y: np.ndarray, sample_weight: Any = None, class_weight: Any = None, sample_weight_mode: str | None = None
) -> Any:
    """The weights of the samples (samples,), or of the steps (samples, time); weights of samples leave those of
    classes out.

    The parameters and errors are those of Keras 2.3.1: see `training_data.standardize_weights`.
    """
    classes = class_weight if sample_weight is None else None
    return training_data.standardize_weights(y, sample_weight, classes, sample_weight_mode)


def weighted_objective(fn: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The function (y_true, y_pred, weights, mask=None) of the mean loss `fn` of the samples that count.

    weights: (samples,) or (samples, time). mask: of the shape of the values of `fn`.
    """

    def weighted(y_true: Any, y_pred: Any, weights: Any, mask: Any = None) -> Any:
        values = fn(y_true, y_pred)
        if mask is not None:
            kept = K.cast(mask, floatx())
            values = values * kept / K.mean(kept)
        values = K.mean(values, axis=list(range(K.ndim(weights), K.ndim(values)))) * weights
        return K.mean(values / K.mean(K.cast(K.not_equal(weights, 0), floatx())))

    return weighted
