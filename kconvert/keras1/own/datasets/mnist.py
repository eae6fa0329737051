"""MNIST: 60,000 and 10,000 images of digits."""

from __future__ import annotations

import numpy as np

from ....keras.own.datasets import mnist
from ....keras.own.datasets.images import Pair
from ....keras.own.datasets.stored import read_pickle
from ....keras.own.folders import local


def load_data(path: str = "mnist.pkl.gz") -> tuple[Pair, Pair]:
    """Images (n, 28, 28) and digits (n,), uint8, for training and for testing.

    path: a file of Keras 1. Without it, the file of Keras 2 is read, or data are made up.
    """
    if (found := local(path)) is None:
        return mnist.load_data()
    (x, y), (x_test, y_test) = read_pickle(found)
    return (np.asarray(x), np.asarray(y)), (np.asarray(x_test), np.asarray(y_test))
