"""IMDB: 25,000 and 25,000 reviews of films, positive (1) or negative (0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import KconvertError, Problem
from ....keras.own.datasets import imdb as later
from ....keras.own.datasets.stored import read_pickle
from ....keras.own.datasets.texts import parted
from ....keras.own.folders import local
from .texts import Encoding, shuffled, unnumbered, word_index


def load_data(
    path: str = "imdb_full.pkl",
    nb_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Any, Any]:
    """Reviews (n,), each a list of word numbers, and classes (n,), for training and for testing.

    nb_words, skip_top, maxlen, start_char, oov_char, index_from: see `Encoding`. seed: of the order. path: a file of
    Keras 1; without it, the reviews are those of the file of Keras 2, or made up.
    Raises KconvertError where `maxlen` leaves no review.
    """
    if found := local(path):
        (x, y), (x_test, y_test) = read_pickle(found)
    else:
        (x, y), (x_test, y_test) = unnumbered(later)
    (x, y), (x_test, y_test) = shuffled(seed, x, y), shuffled(seed * 2, x_test, y_test)
    encoding = Encoding(nb_words, skip_top, maxlen, start_char, oov_char, index_from)
    reviews, labels = encoding.encoded([*x, *x_test], np.asarray([*y, *y_test]))
    if not reviews:
        raise KconvertError(f"no review is shorter than maxlen={maxlen}", fix="give more", problem=Problem.USAGE)
    # As in Keras, the parts are as long as before maxlen left reviews out.
    return parted(reviews, labels, len(x))


def get_word_index(path: str = "imdb_word_index.pkl") -> dict[str, int]:
    """The number of each word, counted from 1."""
    return word_index(path, later)
