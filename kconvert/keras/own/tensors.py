"""Functions of `keras.backend` that `kconvert.backend.functions` does not have, as functions of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import IMAGES, current_backend
from ...backend.float_settings import floatx
from ...backend.functions.shapes import sizes_of
from ...backend.image_format import default_data_format
from ...conventions.backends import CHANNELS_FIRST
from ...errors import KconvertError, Problem
from ...layers import shapes
from ...layers.shapes import data_format_of, one_of
from ...models.training import losses


def images_format(value: str | None) -> str:
    """The data format `value`; None: `K.image_data_format()`, that of the layers of the model.

    Raises KconvertError for an unknown one.
    """
    return data_format_of((IMAGES.get() or default_data_format()) if value is None else value)


def _without(x: Tensor, axes: Sequence[int]) -> Tensor:
    """`x` without axes of size 1."""
    for axis in sorted((axis % F.ndim(x) for axis in axes), reverse=True):
        x = F.squeeze(x, axis)
    return x


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """The crossentropy of each element."""
    return losses.binary_crossentropies(current_backend(), target, output, from_logits)


def size(x: Tensor, name: str | None = None) -> Tensor:
    """The number of elements."""
    K = current_backend()
    return K.cast(K.sum(K.zeros(K.shape(x)) + 1.0), "int32")


def eye(size: Any, dtype: str | None = None, name: str | None = None) -> Tensor:
    """The identity matrix; size: of both axes, or a pair of sizes."""
    return F.constant(np.eye(*np.atleast_1d(size)), dtype)


def slice_(x: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    """A part of `x`: `size` elements from `start` on, along each axis; both are sequences or tensors.

    On TensorFlow, a size of -1 stands for all elements that follow. Raises KconvertError where there are not as many
    numbers as axes and, on TensorFlow, for a part beyond the end.
    """
    parts = list(zip(sizes_of(start), sizes_of(size), strict=False))
    if not F.ndim(x) == len(parts) == len(sizes_of(start)) == len(sizes_of(size)):
        what = f"{len(sizes_of(start))} starts and {len(sizes_of(size))} sizes do not fit {F.ndim(x)} axes"
        raise KconvertError(what, "K.slice", problem=Problem.USAGE)
    if not current_backend().facts.slices_by_size:
        return x[tuple(slice(begin, begin + number) for begin, number in parts)]
    for (begin, number), known in zip(parts, F.int_shape(x), strict=True):
        if isinstance(begin, int) and isinstance(number, int) and known is not None and begin + number > known:
            what = f"{number} elements from {begin} on are more than there are in an axis of {known}"
            raise KconvertError(what, "K.slice", problem=Problem.USAGE)
    return x[tuple(slice(begin, None if _is_rest(number) else begin + number) for begin, number in parts)]


def _is_rest(number: Any) -> bool:
    return isinstance(number, int) and number == -1


def bias_add(x: Tensor, bias: Tensor, data_format: str | None = None) -> Tensor:
    """`x` plus a bias of its channels, or of all its axes but the batch."""
    stated = images_format(data_format)
    if F.ndim(bias) == 1:
        return shapes.bias_add(current_backend(), x, bias, stated)
    if F.ndim(bias) != F.ndim(x) - 1:
        what = f"a bias of {F.ndim(bias)} axes does not fit a tensor of {F.ndim(x)}"
        raise KconvertError(what, "K.bias_add", f"it has 1 axis or {F.ndim(x) - 1}", Problem.USAGE)
    sizes = F.shape(bias)  # in channels_first, Keras reshapes such a bias and does not transpose it
    return x + F.reshape(bias, (1, sizes[-1], *sizes[:-1]) if stated == CHANNELS_FIRST else (1, *sizes))


def batch_normalization(
    x: Tensor, mean: Tensor, var: Tensor, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Tensor:
    """`x` normalized by a mean and a variance, then times `gamma` plus `beta`.

    axis: has no effect, as in Keras on a CPU: values of one axis are along the last axis of `x`.
    """
    y = (x - mean) / F.sqrt(var + epsilon)
    y = y if gamma is None else y * gamma
    return y if beta is None else y + beta


def normalize_batch_in_training(
    x: Tensor, gamma: Any, beta: Any, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> list[Tensor]:
    """`x` normalized by its own mean and variance along `reduction_axes`, the mean, and the variance.

    On Theano the variance has `epsilon` added, and on TensorFlow that of images, channels last, is that of a sample, as
    in Keras.
    """
    axes = list(reduction_axes)
    mean, var = (f(x, axes, keepdims=True) for f in (F.mean, F.var))
    kept = [1 if i in axes else n for i, n in enumerate(F.shape(x))]
    beta, gamma = (F.reshape(one, kept) if one is not None and F.ndim(one) == 1 else one for one in (beta, gamma))
    y = batch_normalization(x, mean, var, beta, gamma, epsilon=epsilon)
    facts = current_backend().facts
    if facts.fused_variance and F.ndim(x) == 4 and axes == [0, 1, 2]:
        count = prod(F.shape(x)[:-1])
        number = float(count) if isinstance(count, int) else F.cast(count, floatx())
        var = var * (number / (number - 1.0))
    return [y, _without(mean, axes), _without(var, axes) + (epsilon if facts.variance_has_epsilon else 0.0)]


def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """The crossentropy of one-hot labels along `axis`; for logits on TensorFlow along the last axis, as in Keras.

    Raises KconvertError for an axis that `output` does not have.
    """
    K = current_backend()
    if not (from_logits and K.facts.keeps_logits):
        (axis,) = shapes.axes_of(axis, F.ndim(output))
        target, output = (losses.with_last(K, one, axis) for one in (target, output))
    return losses.categorical_crossentropy(K, target, output, from_logits)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """The crossentropy of integer labels, along `axis`. Raises KconvertError for one that `output` does not have."""
    (axis,) = shapes.axes_of(axis, F.ndim(output))
    return losses.sparse_categorical_crossentropy(current_backend(), target, output, from_logits, axis)


def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """Whether the target is among the `k` greatest predictions of a sample."""
    K = current_backend()
    own = F.sum(predictions * F.cast(F.one_hot(targets, F.shape(predictions)[-1]), floatx()), -1, keepdims=True)
    return K.greater(float(k) - 0.5, F.sum(F.cast(K.greater(predictions, own), floatx()), -1))


def spatial_2d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Images padded with zeros."""
    return _padded(x, padding, data_format)


def spatial_3d_padding(x: Tensor, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Volumes padded with zeros."""
    return _padded(x, padding, data_format)


def _padded(x: Tensor, padding: Any, data_format: str | None) -> Tensor:
    inner = [(side, side) if isinstance(side, int) else tuple(side) for side in padding]
    none = (0, 0)
    sides = [none, none, *inner] if images_format(data_format) == CHANNELS_FIRST else [none, *inner, none]
    return current_backend().pad(x, sides)


def resize_images(
    x: Tensor, height_factor: int, width_factor: int, data_format: str | None = None, interpolation: str = "nearest"
) -> Tensor:
    """Images enlarged by integer factors; interpolation: 'nearest' or 'bilinear'."""
    if one_of(interpolation, ("nearest", "bilinear"), "interpolation") == "bilinear":
        return current_backend().resize_bilinear(x, (height_factor, width_factor), images_format(data_format))
    return _repeated(x, (height_factor, width_factor), data_format)


def resize_volumes(
    x: Tensor, depth_factor: int, height_factor: int, width_factor: int, data_format: str | None = None
) -> Tensor:
    """Volumes enlarged by integer factors."""
    return _repeated(x, (depth_factor, height_factor, width_factor), data_format)


def _repeated(x: Tensor, factors: Sequence[int], data_format: str | None) -> Tensor:
    for axis, factor in zip(shapes.space_axes(F.ndim(x), images_format(data_format)), factors, strict=True):
        x = F.repeat_elements(x, factor, axis)
    return x
