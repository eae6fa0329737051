"""Arguments of older releases that methods of Keras 1.2.2 take and ignore."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ...errors import warn

_OPTIONS = (
    "accept_inplace allow_input_downcast givens mode name no_default_updates on_unused_input profile rebuild_strict "
    "strict"
)
THEANO_OPTIONS = frozenset(_OPTIONS.split())
"""Further arguments of `compile`: options of `theano.function`, which change no result."""


def ignoring(*words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator of a method, which then also takes the arguments `words`; a warning says that they are ignored."""

    def decorated(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def called(self: Any, *args: Any, **kwargs: Any) -> Any:
            for word in set(words) & set(kwargs):
                del kwargs[word]
                warn(f"the argument {word} of {method.__name__} has no effect")
            return method(self, *args, **kwargs)

        return called

    return decorated
