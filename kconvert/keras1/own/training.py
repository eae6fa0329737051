"""Helpers of training that scripts import from `keras.engine.training` of Keras 1.2.2.

Those that Keras 2.3.1 has unchanged are in `keras.own.training_data` and `keras.own.training_utils`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...keras.own import training_data
from ...keras.own.compile_arguments import collect_metrics as collect_metrics
from ...keras.own.training_utils import by_mask, by_weights
from . import backend

K: Any = backend
"""`keras.backend` of Keras 1.2.2."""


def check_array_lengths(inputs: Any, targets: Any, weights: Any) -> None:
    """Raises KconvertError where lists of arrays have different numbers of samples."""
    training_data.check_array_length_consistency(inputs, targets, weights)


def check_loss_and_target_compatibility(targets: Any, losses: Any, output_shapes: Any) -> None:
    """Raises KconvertError where labels have another shape than their loss, a function, needs."""
    for labels, loss, shape in zip(targets, losses, output_shapes, strict=False):
        name = loss.__name__
        training_data.check_labels(labels, shape, name, name == "categorical_crossentropy", name in _OF_OUTPUT_SHAPE)


_OF_OUTPUT_SHAPE = "mean_square_error", "binary_crossentropy", "categorical_crossentropy"
"""Losses whose labels have the shape of the output, as Keras 1.2.2 writes their names."""


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
            values = by_mask(values, mask, 0.0)
        return K.mean(by_weights(values, weights))

    return weighted
