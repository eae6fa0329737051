"""Fashion-MNIST: 60,000 and 10,000 images of clothes."""

from __future__ import annotations

from ..folders import local
from .images import Pair, made_up, read_idx

FOLDER = "fashion-mnist"


def load_data() -> tuple[Pair, Pair]:
    """Images (n, 28, 28) and classes (n,), uint8, for training and for testing."""
    pairs = [_pair(part) for part in ("train", "t10k")]
    if pairs[0] is None or pairs[1] is None:
        train, test = made_up(FOLDER, (28, 28), 10, (60_000, 10_000))
        return train, test
    return pairs[0], pairs[1]


def _pair(part: str) -> Pair | None:
    images, labels = (local(f"{FOLDER}/{part}-{what}-ubyte.gz") for what in ("images-idx3", "labels-idx1"))
    return (read_idx(images, 16, (28, 28)), read_idx(labels, 8, ())) if images and labels else None
