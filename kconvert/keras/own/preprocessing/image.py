"""Images: reading, writing, and random changes (`keras.preprocessing.image`)."""

from __future__ import annotations

from functools import cache
from inspect import signature
from typing import Any

from .library import NOT_GIVEN, named, with_settings


@cache
def __getattr__(name: str) -> Any:
    """A name of the package, with the settings of `keras.backend` where its argument is None."""
    found = named("image", name)
    if not callable(found) or not set(signature(found).parameters) & set(NOT_GIVEN):
        return found
    return with_settings(found)
