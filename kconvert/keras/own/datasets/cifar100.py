"""CIFAR-100: 50,000 and 10,000 small images of 100 classes, in 20 groups."""

from __future__ import annotations

from ....errors import KconvertError, Problem
from .images import Pair, cifar
from .images import load_batch as load_batch


def load_data(label_mode: str = "fine") -> tuple[Pair, Pair]:
    """Images (n, 32, 32, 3), uint8, and labels (n, 1), for training and for testing.

    label_mode: 'fine' for the class, 'coarse' for its group. Raises KconvertError for another one.
    """
    classes = {"fine": 100, "coarse": 20}
    if label_mode not in classes:
        raise KconvertError(f"unknown label_mode {label_mode!r}", fix="'fine' or 'coarse'", problem=Problem.USAGE)
    return cifar("cifar-100-python", ["train"], "test", f"{label_mode}_labels", classes[label_mode], "int64")
