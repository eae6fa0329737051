"""Loops of `keras.backend`: over time, and over the first axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...errors import KconvertError, Problem


def map_fn(fn: Callable[..., Any], elems: Any, name: str | None = None, dtype: str | None = None) -> Tensor:
    """`fn` of each element along the first axis, joined. Of several tensors, it gets an element of each."""
    K = current_backend()

    def step(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return K.expand_dims(fn(x[0]), 0), states

    def step_of_several(place: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return K.expand_dims(fn(type(elems)(K.gather(one, place[0]) for one in elems)), 0), states

    if isinstance(elems, (tuple, list)):
        return K.rnn(step_of_several, K.expand_dims(K.arange(F.shape(elems[0])[0]), 0), [])[1][0]
    return K.rnn(step, K.expand_dims(elems, 0), [])[1][0]


def foldl(fn: Callable[..., Any], elems: Tensor, initializer: Any = None, name: str | None = None) -> Tensor:
    """`fn(accumulated, element)` from the first element on."""
    if initializer is None:
        elems, initializer = elems[1:], elems[0]
    return _folded(fn, elems, initializer, False)


def foldr(fn: Callable[..., Any], elems: Tensor, initializer: Any = None, name: str | None = None) -> Tensor:
    """`fn(accumulated, element)` from the last element on."""
    if initializer is None:
        elems, initializer = elems[:-1], elems[-1]
    return _folded(fn, elems, initializer, True)


def _folded(fn: Callable[..., Any], elems: Tensor, first: Tensor, backwards: bool) -> Tensor:
    K = current_backend()

    def step(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        new = K.expand_dims(fn(states[0][0], x[0]), 0)
        return new, [new]

    return K.rnn(step, K.expand_dims(elems, 0), [K.expand_dims(first, 0)], None, backwards)[2][0][0]


def rnn(
    step_function: Callable[..., Any],
    inputs: Tensor,
    initial_states: Sequence[Tensor],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Tensor] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> list[Tensor]:
    """A step `f(x, states) -> (output, states)` over time: the last output, all outputs, then the last states."""
    K, held = current_backend(), list(constants or ())
    if F.ndim(inputs) < 3:
        raise KconvertError(f"K.rnn takes inputs of 3 axes or more, not {F.ndim(inputs)}", problem=Problem.USAGE)

    def step(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        output, new = step_function(x, [*states, *held])
        return output, list(new)

    if mask is not None:
        mask = K.cast(F.squeeze(mask, -1) if F.ndim(mask) == 3 else mask, "bool")
    last, outputs, states = K.rnn(step, inputs, list(initial_states), mask, go_backwards, unroll)
    return [last, outputs, *states]
