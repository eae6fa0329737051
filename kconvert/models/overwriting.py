"""Whether `save` and `save_weights` of a model replace a file that exists."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar


class _Overwriting:
    """Whether the user is asked about a file that exists."""

    asks: ClassVar[Callable[[Any, str], bool | None] | None] = None


def ask_before_overwriting(asks: Callable[[Any, str], bool | None]) -> None:
    """Asks the user about each file that exists and is not to be overwritten, from now on, as Keras does.

    asks: a function of the path and of 'save' or 'save_weights', which returns whether the file may be replaced; None
    where nobody can answer.
    """
    _Overwriting.asks = staticmethod(asks)


def may_replace(path: Any, overwrite: bool, method: str) -> bool | None:
    """Whether `method` of a model may replace the file `path`; None: it writes nothing, as the user wants it to stay.

    Without a function that asks, it is `overwrite`.
    """
    if overwrite or _Overwriting.asks is None or not (isinstance(path, (str, PathLike)) and Path(path).is_file()):
        return overwrite
    answer = _Overwriting.asks(path, method)
    return overwrite if answer is None else answer or None
