"""Reuters: 11,228 news of 46 topics."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..folders import local
from .stored import read_npz
from .texts import Encoding, made_up, mixed, parted, word_index

WORDS = 30_979


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    nb_words: int | None = None,
) -> tuple[Any, Any]:
    """News (n,), each a list of word numbers, and topics (n,), for training and for testing.

    num_words, skip_top, maxlen, start_char, oov_char, index_from: see `texts.Encoding`. test_split: the part of the
    news for testing. seed: of the order. nb_words: the name of num_words in Keras 1.
    """
    found = local(path)
    x, y = read_npz(found, ("x", "y")) if found else made_up(path, 11_228, 46, WORDS)
    x, y = mixed(x, y, np.random.RandomState(seed))
    encoding = Encoding(num_words or nb_words, skip_top, maxlen, start_char, oov_char, index_from)
    news, topics = encoding.encoded(x, y)
    return parted(news, topics, int(len(news) * (1 - test_split)))


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, counted from 1."""
    return word_index(path, WORDS)
