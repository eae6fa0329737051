"""Texts as lists of words and of their numbers (`keras.preprocessing.text`)."""

from __future__ import annotations

from typing import Any

from .library import named


def __getattr__(name: str) -> Any:
    """A name of the package."""
    return named("text", name)
