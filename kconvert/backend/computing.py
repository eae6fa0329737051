"""The state that functions of `keras.backend` depend on within a block, such as the backend and the data format."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from ..errors import KconvertError, Problem
from .base import Backend, Tensor
from .context import assigned

_COMPUTING: ContextVar[Backend] = ContextVar("computing")
IMAGES: ContextVar[str | None] = ContextVar("images", default=None)
"""The data format of images."""
TRAINING: ContextVar[bool] = ContextVar("training", default=False)
"""Whether the run is a training step."""
GRADIENTS: ContextVar[Callable[[Any, Any], list[Tensor]]] = ContextVar("gradients")
"""The function that returns the derivatives of a loss, if these are already known."""
PRESENT: ContextVar[tuple[Backend, Any, Any] | None] = ContextVar("present", default=None)
"""The backend and the network that run, and the tensors of its weights, nested by the names of layers."""
VARIABLES: ContextVar[Callable[[Any, str | None], Tensor]] = ContextVar("variables")
"""The function that creates the tensor of a variable, from its value and its name."""
UPDATED: ContextVar[Callable[[Any, Any], None]] = ContextVar("updated")
"""The function that replaces the value of a variable by a tensor."""
SYMBOLS: ContextVar[Callable[[Any], Tensor]] = ContextVar("symbols")
"""The function that returns the tensors of symbols: losses and layers of the user may use outputs of other layers."""


def computing(K: Backend) -> AbstractContextManager[None]:
    """Makes `K` the backend of the functions within a block."""
    return assigned(_COMPUTING, K)


def images_in(data_format: str | None) -> AbstractContextManager[None]:
    """Makes `data_format` that of images within a block; None: it stays as it is."""
    return assigned(IMAGES, data_format or IMAGES.get())


def making_variables(make: Callable[[Any, str | None], Tensor]) -> AbstractContextManager[None]:
    """Makes `variable` call `make(value, name)` within a block."""
    return assigned(VARIABLES, make)


def is_computing() -> bool:
    """Whether a backend is computing."""
    return _COMPUTING.get(None) is not None


def current_backend() -> Backend:
    """The backend that is computing. Raises KconvertError where none is."""
    try:
        return _COMPUTING.get()
    except LookupError:
        raise KconvertError(
            "a function of kconvert.backend was called outside of a model",
            fix="call it in the function of a Lambda, in an activation or in the methods of a layer",
            problem=Problem.USAGE,
        ) from None


def as_in_keras(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(K, ...)`, which may also be called without `K`, as in Keras: then the current backend computes.

    It is a decorator.
    """

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        given = args if args and isinstance(args[0], Backend) else (current_backend(), *args)
        return function(*given, **kwargs)

    return called
