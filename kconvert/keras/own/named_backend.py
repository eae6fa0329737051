"""The functions of `keras.backend` on a backend that is named, as in `keras.backend.theano_backend`.

NumPy computes at once, in the training phase, and returns arrays. The other backends return what `keras.backend`
does: variables and expressions, whose values `eval` of the same module computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any

from ...backend import defaulting_to, get_backend
from ...backend.computing import TRAINING, computing
from ...backend.context import assigned
from ...layers.deferred import Variable
from .variables import get_value

_AT_ONCE = "numpy"


@cache
def on_backend(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`function` of `keras.backend`, which computes on the backend `name`; the same one for the same arguments."""

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with _running_on(name):
            result = function(*args, **kwargs)
            return _as_arrays(result) if name == _AT_ONCE else result

    return called


@contextmanager
def _running_on(name: str) -> Iterator[None]:
    if name == _AT_ONCE:
        with computing(get_backend(name)), assigned(TRAINING, True):
            yield
    else:
        with defaulting_to(name):
            yield


def _as_arrays(result: Any) -> Any:
    """A result with arrays in the place of variables."""
    if isinstance(result, list | tuple):
        return type(result)(map(_as_arrays, result))
    return get_value(result) if isinstance(result, Variable) else result
