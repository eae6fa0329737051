"""MNIST: 60,000 and 10,000 images of digits."""

from __future__ import annotations

from ..folders import local
from .images import Pair, made_up
from .stored import read_npz


def load_data(path: str = "mnist.npz") -> tuple[Pair, Pair]:
    """Images (n, 28, 28) and digits (n,), uint8, for training and for testing."""
    if (found := local(path)) is None:
        train, test = made_up(path, (28, 28), 10, (60_000, 10_000))
        return train, test
    x, y, x_test, y_test = read_npz(found, ("x_train", "y_train", "x_test", "y_test"))
    return (x, y), (x_test, y_test)
