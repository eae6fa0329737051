"""Texts as lists of words and of their numbers (`keras.preprocessing.text`), with the arguments of Keras 1.2.2."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ....keras.own.preprocessing.library import library

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text, without the characters `filters`."""
    words: list[str] = library("text").text_to_word_sequence(text, filters, lower, split)
    return words


def one_hot(text: str, n: int, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[int]:
    """For each word of a text a number from 1 to `n` - 1, by its hash."""
    return [abs(hash(word)) % (n - 1) + 1 for word in text_to_word_sequence(text, filters, lower, split)]


def _base() -> Any:
    """The class of the package, with `nb_words`, and texts of characters as they are."""

    class Tokenizer(library("text").Tokenizer):  # type: ignore[misc]
        """Numbers the words of texts by how often they occur; 0 is no word.

        nb_words: words with this number or more are left out. char_level: characters are the words.
        """

        def __init__(
            self,
            nb_words: int | None = None,
            filters: str = FILTERS,
            lower: bool = True,
            split: str = " ",
            char_level: bool = False,
        ) -> None:
            # Keras 1.2.2 does not lower texts of characters.
            super().__init__(nb_words, filters, lower and not char_level, split, char_level)

        @property
        def nb_words(self) -> int | None:
            """Words with this number or more are left out."""
            found: int | None = self.num_words
            return found

        @nb_words.setter
        def nb_words(self, value: int | None) -> None:
            self.num_words = value

        def fit_on_texts(self, texts: Any) -> None:
            """Counts the words of texts; the number of documents begins at 0 again."""
            self.document_count = 0
            super().fit_on_texts(texts)

        def fit_on_sequences(self, sequences: Any) -> None:
            """Counts in how many sequences each number occurs, from 0 again."""
            self.document_count = 0
            self.index_docs: defaultdict[int, int] = defaultdict(int)
            super().fit_on_sequences(sequences)

    return Tokenizer


def __getattr__(name: str) -> Any:
    """`Tokenizer`, whose base class the package has. Raises AttributeError for any other name."""
    if name != "Tokenizer":
        raise AttributeError(name)
    globals()[name] = _base()
    return globals()[name]
