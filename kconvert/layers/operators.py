"""Python's operators on symbols: each one is recorded as an operation."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from ..errors import AlsoTypeError, Problem


class Operators:
    """Base class of what stands for a tensor: `x + 1`, `-x`, `x[:, 0]` are recorded by `record`."""

    # with_mask(x, mask): the symbol `x` with the symbol `mask` as its mask; set by `operations`.
    with_mask: Any
    # record(function, *arguments): what stands for the result; set by `operations`.
    record: ClassVar[Callable[..., Any]]
    # as_inputs(values): symbols for the inputs of a layer, among which are variables or expressions; set likewise.
    as_inputs: ClassVar[Callable[..., Any]]

    def __iter__(self) -> Iterator[Any]:
        """The elements along the first axis. Raises KconvertError where their number is not known."""
        shape: Sequence[int | None] = self.shape  # type: ignore[attr-defined]  # each subclass has one
        if not shape or shape[0] is None:
            raise AlsoTypeError(f"a tensor of shape {tuple(shape)} cannot be iterated over", problem=Problem.USAGE)
        return (self[i] for i in range(shape[0]))  # type: ignore[index]  # set below


def _operator(function: Callable[..., Any], swapped: bool = False) -> Callable[..., Any]:
    """The method that records `function` of the object and its operands; swapped: the other operand comes first."""

    def method(self: Operators, *others: Any) -> Any:
        return type(self).record(function, *((*others, self) if swapped else (self, *others)))

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    _function = getattr(operator, _name)
    setattr(Operators, f"__{_name}__", _operator(_function))
    setattr(Operators, f"__r{_name}__", _operator(_function, swapped=True))
for _name in ("neg", "getitem", "lt", "le", "gt", "ge"):
    setattr(Operators, f"__{_name}__", _operator(getattr(operator, _name)))
Operators.__abs__ = _operator(abs)  # type: ignore[attr-defined]
Operators.__array_ufunc__ = None  # type: ignore[attr-defined]  # `array * x` is left to `x`
