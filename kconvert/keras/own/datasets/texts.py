"""Texts of the data sets of Keras: lists of word numbers, in which the most frequent word is 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....conventions.words.values import parse_json
from ....errors import KconvertError, Problem
from ....lazy_dataclasses import dataclass
from ..folders import local, say_made_up
from .stored import objects


@dataclass(frozen=True)
class Encoding:
    """How the words of a text are numbered."""

    # Words with this number or more are replaced; None: none are.
    num_words: int | None
    # Words below this number are replaced.
    skip_top: int
    # Texts of this length or more are left out; None: none are.
    maxlen: int | None
    # The number before the first word; None: there is none.
    start_char: int | None
    # The number that replaces a word; None: the word is left out.
    oov_char: int | None
    # Added to the number of each word.
    index_from: int

    def encoded(self, texts: Sequence[Any], labels: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
        """The texts in these numbers, with their labels."""
        shifted = [self._shifted(text) for text in texts]
        if self.maxlen:
            kept = [i for i, text in enumerate(shifted) if len(text) < self.maxlen]
            shifted, labels = [shifted[i] for i in kept], labels[kept]
        limit = self.num_words or max((int(text.max()) for text in shifted if len(text)), default=0)
        return [self._known(text, limit).tolist() for text in shifted], labels

    def _shifted(self, text: Any) -> np.ndarray:
        words = np.asarray(text, "int64")
        if self.start_char is None:
            return words + (self.index_from or 0)
        return np.concatenate([[self.start_char], words + self.index_from])

    def _known(self, text: np.ndarray, limit: int) -> np.ndarray:
        known = (text >= self.skip_top) & (text < limit)
        return text[known] if self.oov_char is None else np.where(known, text, self.oov_char)


def mixed(texts: Any, labels: Any, rng: np.random.RandomState) -> tuple[Any, np.ndarray]:
    """Texts and labels in a random order."""
    order = np.arange(len(texts))
    rng.shuffle(order)
    return objects([texts[i] for i in order]), np.asarray(labels)[order]


def parted(texts: list[list[int]], labels: np.ndarray, at: int) -> tuple[Any, Any]:
    """The first `at` texts for training, the others for testing: arrays of lists (n,), with the labels (n,)."""
    return (objects(texts[:at]), labels[:at]), (objects(texts[at:]), labels[at:])


def made_up(name: str, count: int, classes: int, words: int) -> tuple[Any, np.ndarray]:
    """`count` texts and their classes (n,), int64; says so on stderr.

    name: of the file that is missing. words: how many there are. One word in six belongs to the class of the text.
    """
    say_made_up(name, "texts")
    rng = np.random.default_rng(2015)
    labels = rng.integers(0, classes, count)
    lengths = rng.integers(20, 300, count)
    numbers = np.minimum(rng.zipf(1.3, lengths.sum()), words)
    telling = rng.random(len(numbers)) < 1 / 6
    own = 100 + 20 * np.repeat(labels, lengths) + rng.integers(0, 20, len(numbers))
    ends = lengths.cumsum()
    numbers = np.where(telling, own, numbers).tolist()
    return objects([numbers[end - n : end] for end, n in zip(ends, lengths, strict=True)]), labels


def word_index(path: str, words: int) -> dict[str, int]:
    """Reads the number of each word from a JSON file. Without it, makes up `words` words, and says so on stderr.

    Raises KconvertError where the file is not JSON.
    """
    if (found := local(path)) is None:
        say_made_up(path, "words")
        return {f"word{i}": i for i in range(1, words + 1)}
    try:
        index: dict[str, int] = parse_json(found.read_bytes())
    except (OSError, ValueError) as error:
        raise KconvertError(f"this is not a file of Keras ({error})", str(found), None, Problem.UNREADABLE) from error
    return index
