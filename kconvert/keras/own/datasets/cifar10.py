"""CIFAR-10: 50,000 and 10,000 small images of ten classes."""

from __future__ import annotations

from .images import Pair, cifar
from .images import load_batch as load_batch


def load_data() -> tuple[Pair, Pair]:
    """Images (n, 32, 32, 3), uint8, and classes (n, 1), for training and for testing."""
    names = [f"data_batch_{i}" for i in range(1, 6)]
    return cifar("cifar-10-batches-py", names, "test_batch", "labels", 10, "uint8")
