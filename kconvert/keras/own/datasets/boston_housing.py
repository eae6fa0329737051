"""Boston housing: 506 areas of 13 numbers, and the price of a house there."""

from __future__ import annotations

import numpy as np

from ....errors import KconvertError, Problem
from ..folders import local, say_made_up
from .images import Pair
from .stored import read_npz


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Pair, Pair]:
    """Numbers (n, 13) and prices (n,), float64, for training and for testing.

    test_split: the part of the samples for testing. seed: of their order. Raises KconvertError for an impossible part.
    """
    if not 0 <= test_split < 1:
        raise KconvertError(f"test_split must be from 0 to below 1, not {test_split}", problem=Problem.USAGE)
    x, y = _samples(path)
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    at = int(len(x) * (1 - test_split))
    return (x[:at], y[:at]), (x[at:], y[at:])


def _samples(path: str) -> Pair:
    if found := local(path):
        x, y = read_npz(found, ("x", "y"))
        return x, y
    say_made_up(path, "numbers")
    rng = np.random.default_rng(2015)
    x = rng.gamma(2.0, 10.0, (506, 13))
    prices = 22.5 + (x - 20.0) @ rng.normal(0.0, 0.15, 13) + rng.normal(0.0, 1.0, 506)
    return x, np.clip(prices, 5.0, 50.0)
