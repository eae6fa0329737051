"""Sequences of numbers: padding, samples of them, time series (`keras.preprocessing.sequence`)."""

from __future__ import annotations

from typing import Any

from .library import named


def __getattr__(name: str) -> Any:
    """A name of the package."""
    return named("sequence", name)
