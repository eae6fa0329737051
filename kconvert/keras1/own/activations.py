"""The activations of Keras 1.2.2 (`keras.activations`), for tensors, symbols, variables and arrays."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from ...errors import KconvertError, Problem
from ...keras.own import activations as later
from ...keras.own.backend import ndim
from ...layers.activations import ACTIVATIONS
from .generic import get_from_module

_SAME = "elu hard_sigmoid relu sigmoid softplus softsign tanh"


def _as_known(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` with a check of its own, which layers take for the activation of the same name. It is a decorator."""
    function.__signature__ = signature(function)  # type: ignore[attr-defined]
    function.__wrapped__ = ACTIVATIONS[function.__name__]  # type: ignore[attr-defined]
    return function


@_as_known
def softmax(x: Any) -> Any:
    """The exponentials of `x`, divided by their sum along the last axis.

    Raises KconvertError for a tensor that does not have two or three axes.
    """
    if ndim(x) not in (2, 3):
        what = f"softmax of Keras 1.2.2 takes a tensor of two or three axes, not {ndim(x)}"
        raise KconvertError(what, problem=Problem.USAGE)
    return later.FUNCTIONS["softmax"](x)


@_as_known
def linear(x: Any) -> Any:
    """`x` as it is."""
    return x


FUNCTIONS = {**{name: later.FUNCTIONS[name] for name in _SAME.split()}, "linear": linear, "softmax": softmax}
globals().update(FUNCTIONS)


def get(identifier: Any) -> Any:
    """The activation that a name, or a dict with `name` and arguments, means; None is `linear`.

    Anything else stays as it is. Raises KconvertError for an unknown name.
    """
    return linear if identifier is None else get_from_module(identifier, FUNCTIONS, "activation function")
