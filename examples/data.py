"""The data of the examples: Keras's own files, or seeded data of the same shape that can be learned.

`mnist.npz` and `imdb.npz` are the files that `keras.datasets` downloads; give their path with `--data`.
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
START, UNKNOWN, FIRST = 1, 2, 3  # words of IMDB: the start of a review, one that is too rare, the offset of the others


def mnist(path: Path | None, samples: int, tests: int) -> tuple[Pair, Pair]:
    """Images (n, 28, 28, 1) from 0 to 1 and one-hot digits (n, 10), to train and to test."""
    if path:
        with np.load(_there(path, "mnist.npz"), allow_pickle=False) as file:
            arrays = _checked(path, {name: file[name] for name in file.files})
    else:
        arrays = _seeded("digits", samples, tests, _digits)
    x, y, x_test, y_test = arrays
    return _images(x[:samples], y[:samples]), _images(x_test[:tests], y_test[:tests])


def imdb(path: Path | None, samples: int, tests: int, words: int, length: int) -> tuple[Pair, Pair]:
    """The last `length` of the `words` most frequent words of reviews (n, length), and whether they praise (n, 1)."""
    if path:
        with zipfile.ZipFile(_there(path, "imdb.npz")) as file:
            stored = {name.removesuffix(".npy"): _lists(file.read(name)) for name in file.namelist()}
        arrays = _checked(path, stored)
    else:
        arrays = _seeded("reviews", samples, tests, _reviews)
    x, y, x_test, y_test = arrays
    return _words(x, y, samples, words, length), _words(x_test, y_test, tests, words, length)


def _images(x: np.ndarray, y: np.ndarray) -> Pair:
    return x[..., None].astype("float32") / 255, np.eye(10, dtype="float32")[y]


def _words(x: Sequence[Any], y: Sequence[Any], n: int, words: int, length: int) -> Pair:
    """`n` reviews in a random order (the file has the bad ones first), rare words as UNKNOWN, 0 before short ones."""
    order = np.random.default_rng(113).permutation(len(x))[:n]
    result = np.zeros((len(order), length), "int32")
    for row, i in zip(result, order, strict=True):
        review = np.array([START, *(word + FIRST for word in x[i])])[-length:]
        row[length - len(review) :] = np.where(review < words, review, UNKNOWN)
    return result, np.asarray(y, "float32")[order, None]


# -------------------------------------------------------------------- files ----


def _there(path: Path, name: str) -> Path:
    if not zipfile.is_zipfile(path):
        fix = f"give the {name} of Keras" if path.exists() else "give the path of an existing file, or none"
        raise KconvertError("this is no npz file", str(path), fix, Problem.UNREADABLE)
    return path


def _checked(path: Path, stored: dict[str, Any]) -> list[Any]:
    missing = [name for name in NAMES if name not in stored]
    if missing:
        raise KconvertError(f"there is no {missing[0]}", str(path), "give a file of Keras", Problem.UNREADABLE)
    return [stored[name] for name in NAMES]


def _lists(data: bytes) -> Any:
    """What a .npy file holds; of pickled objects (imdb.npz) lists of numbers alone: nothing in them is run."""
    file = BytesIO(data)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    _, _, dtype = read[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        return _Lists(file).load().items
    return np.load(BytesIO(data), allow_pickle=False)


class _Array:
    """Takes the part of an array of objects while it is unpickled."""

    items: Any = ()

    def __setstate__(self, state: Any) -> None:
        self.items = state[-1] if isinstance(state, tuple) else ()


STAND_INS: dict[str, Any] = {
    "_reconstruct": lambda *_: _Array(),
    "ndarray": _Array,
    "dtype": lambda *_: _Array(),
    "encode": lambda *_: b"",
}
"""What is taken for the names that pickled arrays hold."""


class _Lists(pickle.Unpickler):
    """Reads pickled arrays of lists; a pickle that names anything but STAND_INS is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in STAND_INS:
            raise KconvertError(f"the pickled data asks for {module}.{name}", fix="give Keras's imdb.npz")
        return STAND_INS[name]


# ------------------------------------------------------------------- seeded ----


def _seeded(what: str, samples: int, tests: int, make: Any) -> list[Any]:
    """Training and test data of one seeded world, and the words that say so."""
    print(f"Made-up data: {samples} + {tests} seeded {what} of the shape of the real ones (--data FILE for those).")
    random = np.random.default_rng(2015)
    x, y = make(random, samples + tests)
    return [x[:samples], y[:samples], x[samples:], y[samples:]]


def _digits(random: np.random.Generator, n: int) -> Pair:
    """Ten shapes, moved by up to two pixels, in noise: bytes (n, 28, 28), and which shape."""
    shapes = np.kron(random.random((10, 5, 5)) < 0.4, np.full((4, 4), 96, "uint8"))  # (10, 20, 20)
    classes = random.integers(0, 10, n)
    images = random.integers(0, 160, (n, 28, 28), "uint8")
    for image, digit, (down, right) in zip(images, classes, random.integers(2, 7, (n, 2)), strict=True):
        image[down : down + 20, right : right + 20] += shapes[digit]
    return images, classes


def _reviews(random: np.random.Generator, n: int) -> tuple[list[Iterable[int]], np.ndarray]:
    """Reviews of frequent and rare words, one in six of which is said in praise or in blame alone."""
    praised = random.integers(0, 2, n)
    reviews = []
    for praise, length in zip(praised, random.integers(20, 200, n), strict=True):
        words = np.minimum(random.zipf(1.3, length), 88_000)
        telling = random.random(length) < 1 / 6
        words[telling] = 100 + 50 * praise + random.integers(0, 50, telling.sum())
        reviews.append(words.tolist())
    return reviews, praised
