"""Python's operators on symbols: each one is recorded as an operation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar


class Operators:
    """Base class of what stands for a tensor: `x + 1`, `-x`, `x[:, 0]` are recorded by `record`."""

    # with_mask(x, mask): the symbol `x` with the symbol `mask` as its mask; set by `operations`.
    with_mask: Any
    # record(function, *arguments): what stands for the result; set by `operations`.
    record: ClassVar[Callable[..., Any]]
    # as_inputs(values): symbols for the inputs of a layer, among which are variables or expressions; set likewise.
    as_inputs: ClassVar[Callable[..., Any]]


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
