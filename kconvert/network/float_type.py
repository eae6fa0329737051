"""The type of floats of a network, in which all that is computed with it is computed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..backend.float_settings import keeping_floatx


def in_type_of_network(method: Callable[..., Any]) -> Callable[..., Any]:
    """`method` of an object with a `network`, with the type of floats of that network as `floatx`."""

    @wraps(method)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        with keeping_floatx(self.network.floatx):
            return method(self, *args, **kwargs)

    return run
