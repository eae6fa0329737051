"""Random numbers of `keras.backend`, as functions of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...backend.float_settings import floatx
from ...backend.functions.shapes import sizes_of


def random_normal(
    shape: Sequence[Any], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Normal random numbers: others in each run."""
    K = current_backend()
    return _typed(K.random_normal(sizes_of(shape), _seed(seed)) * stddev + mean, dtype)


def random_uniform(
    shape: Sequence[Any], minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Uniform random numbers: others in each run."""
    K = current_backend()
    return _typed(K.random_uniform(sizes_of(shape), _seed(seed)) * (maxval - minval) + minval, dtype)


def random_binomial(shape: Sequence[Any], p: float = 0.0, dtype: str | None = None, seed: int | None = None) -> Tensor:
    """Random zeros and ones: others in each run; `p` is the probability of a one."""
    K = current_backend()
    return K.cast(K.greater(K.constant(p), K.random_uniform(sizes_of(shape), _seed(seed))), dtype or floatx())


def truncated_normal(
    shape: Sequence[Any], mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Normal random numbers; those beyond two standard deviations are drawn again, four times at most, then cut."""
    K = current_backend()
    sizes = sizes_of(shape)
    values = K.random_normal(sizes, _seed(seed))
    for _ in range(4):
        values = K.where(K.greater(K.abs(values), 2.0), K.random_normal(sizes, _seed(seed)), values)
    return _typed(F.clip(values, -2.0, 2.0) * stddev + mean, dtype)


def dropout(x: Tensor, level: float, noise_shape: Any = None, seed: int | None = None) -> Tensor:
    """`x` with a part `level` of its elements set to 0, and the others scaled up."""
    K = current_backend()
    sizes = F.shape(x) if noise_shape is None else noise_shape
    kept = K.cast(K.greater(K.random_uniform(sizes_of(sizes), _seed(seed)), level), floatx())
    return x * kept * (1.0 / (1.0 - level))


def _typed(x: Tensor, dtype: str | None) -> Tensor:
    """`x` with elements of `dtype`; None: as they are."""
    return x if dtype is None else F.cast(x, dtype)


def _seed(seed: int | None) -> Tensor:
    return current_backend().fresh_seed(seed)
