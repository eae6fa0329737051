"""Functions of `keras.utils.np_utils` of Keras 1.2.2."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...keras.own import utils


def to_categorical(y: Any, nb_classes: int | None = None) -> np.ndarray:
    """One row for each class number of `y`, of float64: 1 at the class, else 0. `y` is flattened."""
    return utils.to_categorical(np.ravel(y), nb_classes, "float64")


def probas_to_classes(y_pred: np.ndarray) -> np.ndarray:
    """The class of each sample: the position of the greatest output; for one output 1 above 0.5, else 0."""
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(axis=1)
    return np.array([int(p > 0.5) for p in np.ravel(y_pred)])


def categorical_probas_to_classes(p: np.ndarray) -> np.ndarray:
    """The position of the greatest value in each row."""
    return np.argmax(p, axis=1)
