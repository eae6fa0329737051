"""Images of the data sets of Keras: reads their files, or generates images in their place."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....backend.image_format import default_data_format
from ....conventions.backends import CHANNELS_LAST
from ....errors import KconvertError, Problem
from ..folders import data_folder, local, say_made_up
from .stored import read_batch

Pair = tuple[np.ndarray, np.ndarray]


def made_up(name: str, shape: tuple[int, ...], classes: int, counts: Sequence[int]) -> tuple[Pair, ...]:
    """For each of `counts`, that many images (n, *shape) and their classes (n,), uint8; says so on stderr.

    name: of the file that is missing. The images of a class are one pattern with noise, so that a network can learn
    them.
    """
    say_made_up(name, "images")
    rng = np.random.default_rng(2015)
    patterns = rng.integers(0, 128, (classes, *shape), "uint8")
    pairs = []
    for count in counts:
        labels = rng.integers(0, classes, count).astype("uint8")
        images = rng.integers(0, 128, (count, *shape), "uint8")
        images += patterns[labels]
        pairs.append((images, labels))
    return tuple(pairs)


# ------------------------------------------------------------- Fashion-MNIST ----


def read_idx(path: Path, header: int, shape: tuple[int, ...]) -> np.ndarray:
    """The bytes after `header` of a compressed file, as an array (n, *shape)."""
    try:
        with gzip.open(path) as file:
            return np.frombuffer(file.read(), "uint8", offset=header).reshape(-1, *shape)
    except (OSError, EOFError, ValueError) as error:
        raise KconvertError(
            f"this is not a file of Fashion-MNIST ({error})", str(path), problem=Problem.UNREADABLE
        ) from error


# -------------------------------------------------------------------- CIFAR ----


def cifar_batch(folder: str, name: str, label_key: str) -> Pair | None:
    """Images (n, 3, 32, 32) and labels of the file `name` in `folder`, or in the archive of it; None without a file."""
    if path := local(f"{folder}/{name}"):
        return load_batch(path, label_key)
    archive = local(f"{folder}.tar.gz")
    if archive is None:
        return None
    try:
        with tarfile.open(archive) as file:
            member = file.extractfile(f"{folder}/{name}")
            return _batch(member.read() if member else b"", archive, label_key)
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        raise KconvertError(
            f"the archive has no readable {folder}/{name} ({error})", str(archive), problem=Problem.UNREADABLE
        ) from error


def load_batch(fpath: str | Path, label_key: str = "labels") -> Pair:
    """Images (n, 3, 32, 32) and labels in a file of CIFAR. Raises KconvertError where it cannot be read."""
    try:
        data = Path(fpath).read_bytes()
    except OSError as error:
        raise KconvertError(f"cannot be read ({error.strerror})", str(fpath), problem=Problem.UNREADABLE) from error
    return _batch(data, Path(fpath), label_key)


def _batch(data: bytes, where: Path, label_key: str) -> Pair:
    stored = read_batch(data, where)
    missing = [key for key in ("data", label_key) if key not in stored]
    if missing:
        raise KconvertError(f"the file has no {missing[0]!r}", str(where), problem=Problem.UNREADABLE)
    return np.asarray(stored["data"], "uint8").reshape(-1, 3, 32, 32), np.asarray(stored[label_key])


def cifar(folder: str, train: Sequence[str], test: str, label_key: str, classes: int, dtype: str) -> tuple[Pair, Pair]:
    """Images (n, 32, 32, 3), or (n, 3, 32, 32) in channels_first, and labels (n, 1), for training and for testing.

    train, test: the names of the files in `folder`. dtype: of the labels for training, as in Keras; those for testing
    are int64. Raises KconvertError where some of the files are missing.
    """
    batches = [cifar_batch(folder, name, label_key) for name in (*train, test)]
    found = [batch for batch in batches if batch is not None]
    if not found:
        (x, y), (x_test, y_test) = made_up(folder, (32, 32, 3), classes, (50_000, 10_000))
        x, x_test = (images.transpose(0, 3, 1, 2) for images in (x, x_test))
        return _in_default_format(x, y[:, None].astype(dtype), x_test, y_test[:, None].astype("int64"))
    if len(found) < len(batches):
        name = (*train, test)[batches.index(None)]
        raise KconvertError(f"there is no {folder}/{name}", str(data_folder()), problem=Problem.UNREADABLE)
    x = np.concatenate([images for images, _ in found[:-1]])
    y = np.concatenate([labels for _, labels in found[:-1]])
    x_test, y_test = found[-1]
    return _in_default_format(x, y.reshape(-1, 1).astype(dtype), x_test, y_test.reshape(-1, 1))


def _in_default_format(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> tuple[Pair, Pair]:
    """Images (n, 3, 32, 32) in the data format of `keras.backend`, with their labels."""
    if default_data_format() == CHANNELS_LAST:
        x, x_test = (images.transpose(0, 2, 3, 1) for images in (x, x_test))
    return (x, y), (x_test, y_test)
