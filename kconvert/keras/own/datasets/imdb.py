"""IMDB: 25,000 and 25,000 reviews of films, positive (1) or negative (0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import KconvertError, Problem
from ..folders import local
from .stored import read_npz
from .texts import Encoding, made_up, mixed, parted, word_index

WORDS = 88_584


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    nb_words: int | None = None,
) -> tuple[Any, Any]:
    """Reviews (n,), each a list of word numbers, and classes (n,), for training and for testing.

    num_words, skip_top, maxlen, start_char, oov_char, index_from: see `texts.Encoding`. seed: of the order.
    nb_words: the name of num_words in Keras 1. Raises KconvertError where `maxlen` leaves no review.
    """
    if found := local(path):
        x, y, x_test, y_test = read_npz(found, ("x_train", "y_train", "x_test", "y_test"))
    else:
        texts, labels = made_up(path, 50_000, 2, WORDS)
        x, y, x_test, y_test = texts[:25_000], labels[:25_000], texts[25_000:], labels[25_000:]
    rng = np.random.RandomState(seed)
    (x, y), (x_test, y_test) = mixed(x, y, rng), mixed(x_test, y_test, rng)
    encoding = Encoding(num_words or nb_words, skip_top, maxlen, start_char, oov_char, index_from)
    reviews, labels = encoding.encoded([*x, *x_test], np.concatenate([y, y_test]))
    if not reviews:
        raise KconvertError(f"no review is shorter than maxlen={maxlen}", fix="give more", problem=Problem.USAGE)
    # As in Keras, the parts are as long as before maxlen left reviews out.
    return parted(reviews, labels, len(x))


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, counted from 1."""
    return word_index(path, WORDS)
