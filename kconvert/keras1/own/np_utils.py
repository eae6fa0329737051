"""Functions of `keras.utils.np_utils` of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from ...keras.own import lengths, utils
from .settings import image_dim_ordering


def to_categorical(y: Any, nb_classes: int | None = None) -> np.ndarray:
    """One row for each class number of `y`, of float64: 1 at the class, else 0. `y` is flattened."""
    return utils.to_categorical(np.ravel(y), nb_classes or None, "float64")


def normalize(a: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`a` with the vectors along `axis` divided by their norms of the order `order`; vectors of zeros stay."""
    return utils.normalize(a, axis, order)


def probas_to_classes(y_pred: np.ndarray) -> np.ndarray:
    """The class of each sample: the position of the greatest output; for one output 1 above 0.5, else 0."""
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return y_pred.argmax(axis=1)
    return np.array([int(p > 0.5) for p in np.ravel(y_pred)])


def categorical_probas_to_classes(p: np.ndarray) -> np.ndarray:
    """The position of the greatest value in each row."""
    return np.argmax(p, axis=1)


def accuracy(p: Sequence[Any], y: Sequence[Any]) -> float:
    """The part of the elements of `p` that are equal to those of `y`."""
    return float(np.mean([a == b for a, b in zip(p, y, strict=False)]))


def binary_logloss(p: np.ndarray, y: np.ndarray) -> Any:
    """The mean crossentropy of probabilities `p` and labels `y` of 0 and 1."""
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return -sum(y * np.log(p) + np.subtract(1, y) * np.log(np.subtract(1, p))) / len(y)


def multiclass_logloss(p: Sequence[Any], y: Sequence[int]) -> float:
    """The mean crossentropy of rows of probabilities `p` and class numbers `y` from 1 on."""
    return float(-np.sum(np.log([row[label - 1] for row, label in zip(p, y, strict=True)])) / len(y))


def convert_kernel(kernel: np.ndarray, dim_ordering: str | None = None) -> np.ndarray:
    """A kernel of a convolution, reversed along its spatial axes, as another backend needs it.

    Raises KconvertError for arrays that are no kernels of images or volumes.
    """
    if not 4 <= kernel.ndim <= 5:
        raise KconvertError(f"an array of shape {kernel.shape} is no kernel", problem=Problem.USAGE)
    ordering = image_dim_ordering() if dim_ordering is None else dim_ordering
    spatial = {"th": range(2, kernel.ndim), "tf": range(kernel.ndim - 2)}
    if ordering not in spatial:
        raise KconvertError(f"unknown dim_ordering {ordering!r}", fix="use 'th' or 'tf'", problem=Problem.USAGE)
    return np.flip(kernel, tuple(spatial[ordering])).copy()


def conv_output_length(
    input_length: int | None, filter_size: int, border_mode: str, stride: int, dilation: int = 1
) -> int | None:
    """The length of the output of a convolution. Raises KconvertError for an unknown border_mode."""
    found: int | None = lengths.conv_output_length(input_length, filter_size, border_mode, stride, dilation)
    return found


def conv_input_length(output_length: int | None, filter_size: int, border_mode: str, stride: int) -> int | None:
    """The length of the input of a convolution. Raises KconvertError for an unknown border_mode."""
    return lengths.conv_input_length(output_length, filter_size, border_mode, stride)
