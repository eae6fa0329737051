"""Texts as Keras 1.2.2 reads and numbers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....errors import KconvertError, Problem
from ....keras.own.datasets import texts
from ....keras.own.datasets.stored import read_pickle
from ....keras.own.folders import local
from ....lazy_dataclasses import dataclass

_ALL = 1_000_000  # more words than there are


@dataclass(frozen=True)
class Encoding(texts.Encoding):
    """How the words of a text are numbered.

    Without `oov_char`, Keras 1.2.2 leaves out the words that it means to keep (keras-facts: words-without-oov-char).
    """

    def _known(self, text: np.ndarray, limit: int) -> np.ndarray:
        if self.oov_char is None:
            return text[(text >= limit) | (text < self.skip_top)]
        return super()._known(text, limit)


def unnumbered(later: Any, **options: Any) -> Any:
    """The texts of the file of Keras 2, with the numbers that the file has. later: the module of Keras 2."""
    return later.load_data(start_char=None, index_from=0, oov_char=None, num_words=_ALL, **options)


def shuffled(seed: int, *together: Sequence[Any]) -> list[list[Any]]:
    """Lists of equal length in one random order, by NumPy's global generator, which Keras 1.2.2 seeds."""
    result = [list(one) for one in together]
    for one in result:
        np.random.seed(seed)
        np.random.shuffle(one)
    return result


def word_index(path: str, later: Any) -> dict[str, int]:
    """The number of each word, from a file of Keras 1; without it, that of `later.get_word_index()`."""
    if (found := local(path)) is None:
        return dict(later.get_word_index())
    index = read_pickle(found)
    if not isinstance(index, dict):
        raise KconvertError("this is not a dict of words", str(found), "replace it", Problem.UNREADABLE)
    return index
