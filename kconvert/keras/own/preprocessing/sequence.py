"""Sequences of numbers: padding, samples of them, time series (`keras.preprocessing.sequence`)."""

from __future__ import annotations

from functools import cache
from typing import Any

from ....models.training.data import Sequence
from .library import named

_SEQUENCES = ("TimeseriesGenerator",)
"""The classes that are sequences of `keras.utils` in Keras, and not in the package."""


@cache
def __getattr__(name: str) -> Any:
    """A name of the package."""
    found = named("sequence", name)
    return type(name, (found, Sequence), {"__module__": found.__module__}) if name in _SEQUENCES else found
