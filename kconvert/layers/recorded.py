"""Functions of tensors as functions of whatever stands for a tensor: symbols, variables, arrays, numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from inspect import signature
from typing import Any

from ..backend.base import Backend
from ..backend.computing import as_in_keras, current_backend, is_computing
from .deferred import Expression, filled, stands_for_tensors
from .operators import Operators


def recorded(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of tensors, which is recorded where no backend is computing.

    While a backend computes, as in the function of a Lambda, it is called at once; variables give their values.
    """

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if not is_computing():
            return Operators.record(function, *args, **kwargs)
        if stands_for_tensors(args, kwargs):
            K = current_backend()
            args, kwargs = filled(K, args, {}), filled(K, kwargs, {})
        return function(*args, **kwargs)

    return called


def recorded_in_keras(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(K, ...)`, which may also be called without `K`, as in Keras: then it is recorded. It is a decorator.

    Its signature is that without `K`.
    """
    without = recorded(as_in_keras(function))

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return (function if args and isinstance(args[0], Backend) else without)(*args, **kwargs)

    taken = signature(function)
    called.__signature__ = taken.replace(parameters=list(taken.parameters.values())[1:])  # type: ignore[attr-defined]
    return called


def recorded_parts(function: Callable[..., list[Any]], number: int) -> Callable[..., list[Any]]:
    """`function`, which returns a list of `number` tensors, as a function that is recorded."""
    together = recorded(function)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> list[Any]:
        found = together(*args, **kwargs)
        return [replace(found, index=i) for i in range(number)] if isinstance(found, Expression) else list(found)

    return called
