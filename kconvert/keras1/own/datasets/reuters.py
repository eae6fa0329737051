"""Reuters: 11,228 news of 46 topics."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....keras.own.datasets import reuters as later
from ....keras.own.datasets.stored import read_pickle
from ....keras.own.folders import local
from .texts import Encoding, shuffled, unnumbered, word_index


def load_data(
    path: str = "reuters.pkl",
    nb_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Any, Any]:
    """News, a list of lists of word numbers, and topics, a list, for training and for testing.

    nb_words, skip_top, maxlen, start_char, oov_char, index_from: see `Encoding`. test_split: the part of the news for
    testing. seed: of the order. path: a file of Keras 1; without it, the news are those of the file of Keras 2, or made
    up.
    """
    if found := local(path):
        x, y = read_pickle(found)
    else:
        (x, y), _ = unnumbered(later, test_split=0.0)
    x, y = shuffled(seed, x, y)
    encoding = Encoding(nb_words, skip_top, maxlen, start_char, oov_char, index_from)
    news, topics = encoding.encoded(x, np.asarray(y))
    at, labels = int(len(news) * (1 - test_split)), topics.tolist()
    return (news[:at], labels[:at]), (news[at:], labels[at:])


def get_word_index(path: str = "reuters_word_index.pkl") -> dict[str, int]:
    """The number of each word, counted from 1."""
    return word_index(path, later)
