"""Random numbers as a function of a seed, for the backends that draw them with NumPy: numpy and theano."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def uniform(shape: Sequence[Any], seed: Any) -> np.ndarray:
    """Uniform float32 numbers in [0, 1). The same shape and seed give the same numbers.

    seed: integers, of which the lower 32 bits are used.

    >>> bool((uniform((2, 3), [7, 1]) == uniform((2, 3), [7, 1])).all())
    True
    """
    return _generator(seed).random(tuple(shape), "float32")


def normal(shape: Sequence[Any], seed: Any) -> np.ndarray:
    """Normal float32 numbers of mean 0 and standard deviation 1; `seed` as in `uniform`."""
    return _generator(seed).standard_normal(tuple(shape), "float32")


def series(seed: int | None) -> Any:
    """The generator for the seeds of a series; if `seed` is None, NumPy's global one, which `np.random.seed` sets."""
    return np.random if seed is None else np.random.RandomState(seed % 2**32)


def fresh_seed(generator: Any) -> np.ndarray:
    """Two int32, drawn by `generator`."""
    return generator.randint(0, 2**31 - 1, 2, "int32")


def _generator(seed: Any) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64([int(n) & 0xFFFFFFFF for n in seed]))
