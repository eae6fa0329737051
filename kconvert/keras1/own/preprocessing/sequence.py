"""Sequences of numbers: padding, and samples of them (`keras.preprocessing.sequence`)."""

from __future__ import annotations

from typing import Any

from ....keras.own.preprocessing.library import named


def __getattr__(name: str) -> Any:
    """A name of the package, which has computed it so since Keras 1."""
    return named("sequence", name)
