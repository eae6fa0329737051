"""`epsilon`, the number that Keras adds to denominators and logarithms. It is set by `keras.backend`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from .context import assigned


class _State:
    """The number that was set."""

    epsilon = 1e-7


_KEPT: ContextVar[float | None] = ContextVar("kept", default=None)
"""Within a block: what `epsilon` gives there, whatever is set."""


def epsilon() -> float:
    """The number that is added to denominators and to the arguments of logarithms: 1e-7 unless another one is set."""
    kept = _KEPT.get()
    return _State.epsilon if kept is None else kept


def set_epsilon(e: float) -> None:
    """Sets the number. Graphs that are already built, and optimizers that exist, keep theirs, as in Keras."""
    _State.epsilon = float(e)


def keeping_epsilon(value: float) -> AbstractContextManager[None]:
    """In the block, the number is `value`, whatever is set."""
    return assigned(_KEPT, value)
