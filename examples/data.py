"""The data of the examples: the files of Keras, or seeded data of the same shape that can be learned.

`mnist.npz` and `imdb.npz` are the files that `keras.datasets` downloads; `--data` gives their path.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from kconvert import KconvertError, Problem

Pair = tuple[np.ndarray, np.ndarray]
NAMES = ("x_train", "y_train", "x_test", "y_test")
# Numbers of words in IMDB: the start of a review, a word that is too rare, the offset of all other words.
START, UNKNOWN, FIRST = 1, 2, 3


def mnist(path: Path | None, samples: int, tests: int) -> tuple[Pair, Pair]:
    """Images (n, 28, 28, 1) with values from 0 to 1 and one-hot digits (n, 10), for training and for testing."""
    if path:
        with np.load(_existing(path, "mnist.npz"), allow_pickle=False) as file:
            arrays = _checked(path, {name: file[name] for name in file.files})
    else:
        arrays = _seeded("digits", samples, tests, _digits)
    x, y, x_test, y_test = arrays
    return _images(x[:samples], y[:samples]), _images(x_test[:tests], y_test[:tests])


def imdb(path: Path | None, samples: int, tests: int, words: int, length: int) -> tuple[Pair, Pair]:
    """The last `length` words of reviews (n, length), and whether the reviews are positive (n, 1).

    words: how many of the most frequent words are known; other words are UNKNOWN.
    """
    if path:
        with zipfile.ZipFile(_existing(path, "imdb.npz")) as file:
            stored = {name.removesuffix(".npy"): _lists(file.read(name)) for name in file.namelist()}
        arrays = _checked(path, stored)
    else:
        arrays = _seeded("reviews", samples, tests, _reviews)
    x, y, x_test, y_test = arrays
    return _words(x, y, samples, words, length), _words(x_test, y_test, tests, words, length)


def _images(x: np.ndarray, y: np.ndarray) -> Pair:
    return x[..., None].astype("float32") / 255, np.eye(10, dtype="float32")[y]


def _words(x: Sequence[Any], y: Sequence[Any], n: int, words: int, length: int) -> Pair:
    """`n` reviews in random order (the file has the negative ones first); 0 before short reviews."""
    order = np.random.default_rng(113).permutation(len(x))[:n]
    result = np.zeros((len(order), length), "int32")
    for row, i in zip(result, order, strict=True):
        review = np.array([START, *(word + FIRST for word in x[i])])[-length:]
        row[length - len(review) :] = np.where(review < words, review, UNKNOWN)
    return result, np.asarray(y, "float32")[order, None]


# -------------------------------------------------------------------- files ----


def _existing(path: Path, name: str) -> Path:
    if not zipfile.is_zipfile(path):
        fix = f"give the {name} of Keras" if path.exists() else "give the path of an existing file, or none"
        raise KconvertError("this is not an npz file", str(path), fix, Problem.UNREADABLE)
    return path


def _checked(path: Path, stored: dict[str, Any]) -> list[Any]:
    missing = [name for name in NAMES if name not in stored]
    if missing:
        raise KconvertError(f"the file has no {missing[0]}", str(path), "give a file of Keras", Problem.UNREADABLE)
    return [stored[name] for name in NAMES]


def _lists(data: bytes) -> Any:
    """The array in a .npy file. Of pickled objects (imdb.npz), only lists of numbers are read; no code is run."""
    file = BytesIO(data)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    _, _, dtype = read[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        return _Lists(file).load().items
    return np.load(BytesIO(data), allow_pickle=False)


class _Array:
    """Stands for an array of objects while it is unpickled; `items` are its elements."""

    items: Any = ()

    def __setstate__(self, state: Any) -> None:
        self.items = state[-1] if isinstance(state, tuple) else ()


STAND_INS: dict[str, Any] = {
    "_reconstruct": lambda *_: _Array(),
    "ndarray": _Array,
    "dtype": lambda *_: _Array(),
    "encode": lambda *_: b"",
}
"""The replacements for the names that pickled arrays contain."""


class _Lists(pickle.Unpickler):
    """Reads pickled arrays of lists. A pickle with any name that is not in STAND_INS is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in STAND_INS:
            raise KconvertError(f"the pickled data asks for {module}.{name}", fix="give Keras's imdb.npz")
        return STAND_INS[name]


# ------------------------------------------------------------------- seeded ----


def _seeded(what: str, samples: int, tests: int, make: Any) -> list[Any]:
    """Training and test data from one seed; prints that they are made up."""
    print(f"Made-up data: {samples} + {tests} seeded {what}, shaped like the real data (--data FILE reads real data).")
    random = np.random.default_rng(2015)
    x, y = make(random, samples + tests)
    return [x[:samples], y[:samples], x[samples:], y[samples:]]


def _digits(random: np.random.Generator, n: int) -> Pair:
    """Images of ten shapes in noise, shifted by up to two pixels: bytes (n, 28, 28); and the number of each shape."""
    shapes = np.kron(random.random((10, 5, 5)) < 0.4, np.full((4, 4), 96, "uint8"))  # (10, 20, 20)
    classes = random.integers(0, 10, n)
    images = random.integers(0, 160, (n, 28, 28), "uint8")
    for image, digit, (down, right) in zip(images, classes, random.integers(2, 7, (n, 2)), strict=True):
        image[down : down + 20, right : right + 20] += shapes[digit]
    return images, classes


def _reviews(random: np.random.Generator, n: int) -> tuple[list[Iterable[int]], np.ndarray]:
    """Reviews of frequent and rare words; one word in six occurs only in positive or only in negative reviews."""
    positive = random.integers(0, 2, n)
    reviews = []
    for praise, length in zip(positive, random.integers(20, 200, n), strict=True):
        words = np.minimum(random.zipf(1.3, length), 88_000)
        telling = random.random(length) < 1 / 6
        words[telling] = 100 + 50 * praise + random.integers(0, 50, telling.sum())
        reviews.append(words.tolist())
    return reviews, positive
