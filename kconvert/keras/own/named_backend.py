"""The functions of `keras.backend` on a backend that is named, as in `keras.backend.theano_backend`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from ...backend import defaulting_to


@cache
def on_backend(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function` of `keras.backend`, which computes on the backend `name`; the same one for the same arguments."""

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with defaulting_to(name):
            return function(*args, **kwargs)

    return called
