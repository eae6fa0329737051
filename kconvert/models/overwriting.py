"""Decides whether `save` and `save_weights` of a model replace an existing file."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar


class _Overwriting:
    """Whether the user is asked about a file that exists."""

    asks: ClassVar[Callable[[Any, str], bool | None] | None] = None


def ask_before_overwriting(asks: Callable[[Any, str], bool | None]) -> None:
    """From now on, asks the user before an existing file is replaced, as Keras does.

    asks: a function of the path and of 'save' or 'save_weights', which returns whether the file may be replaced; None
    where nobody can answer.
    """
    _Overwriting.asks = staticmethod(asks)


def may_replace(path: Any, overwrite: bool, method: str) -> bool | None:
    """Whether `method` of a model may replace the file `path`; None: write nothing, because the user wants to keep it.

    Without a function that asks, the result is `overwrite`.
    """
    if overwrite or _Overwriting.asks is None or not (isinstance(path, (str, PathLike)) and Path(path).is_file()):
        return overwrite
    answer = _Overwriting.asks(path, method)
    return overwrite if answer is None else answer or None
