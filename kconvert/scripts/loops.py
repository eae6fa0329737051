"""Shortens loops of a script around its training for `--epochs`: `for epoch in range(50): model.fit(...)`.

The innermost loop around a function of `K.function` counts, too, such as the steps of a gradient ascent.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..arguments import argument
from .shortening import Limits

TRAINING = frozenset({"fit", "fit_generator", "train_on_batch"})
"""A loop around one of these methods is a loop over epochs."""

_LIMITED = "__kconvert_first_numbers__"
"""The name under which the code of a script calls the function that shortens a range."""


def with_short_loops(tree: ast.Module, limits: Limits, names: dict[str, Any]) -> ast.Module:
    """The code of a script, in which the loops over `range(...)` around training run `limits.epochs` times.

    names: the global names of the script, which get what the code needs.
    """
    if limits.epochs is None:
        return tree
    names[_LIMITED] = first_numbers(limits)
    return ast.fix_missing_locations(_Loops(tree).visit(tree))


def first_numbers(limits: Limits) -> Callable[[Sequence[int], int], Sequence[int]]:
    """A function that shortens a range, and says so once for each line."""

    def first(numbers: Sequence[int], line: int) -> Sequence[int]:
        shorter = numbers[: limits.epochs]
        if len(shorter) < len(numbers):
            cut = argument("epochs", limits.epochs)
            limits.say(f"{cut}: the loop in line {line} runs {len(shorter)} of {len(numbers)} times")
        return shorter

    return first


class _Loops(ast.NodeTransformer):
    """Shortens the loops over epochs in a syntax tree: the outermost ones around training, else the innermost ones."""

    def __init__(self, tree: ast.Module) -> None:
        self.functions = frozenset(_functions(tree))

    def visit_For(self, node: ast.For) -> ast.AST:
        if _is_range(node.iter) and any(_trains(inner) for inner in ast.walk(node)):
            return self._limited(node)
        inner = [one for one in ast.walk(node) if self._steps(one)]
        return self._limited(node) if inner == [node] else self.generic_visit(node)

    def _steps(self, node: ast.AST) -> bool:
        """Whether it is a loop over `range(...)` around a function of `K.function`."""
        if not isinstance(node, ast.For) or not _is_range(node.iter):
            return False
        return any(isinstance(inner, ast.Call) and _name(inner.func) in self.functions for inner in ast.walk(node))

    def _limited(self, node: ast.For) -> ast.For:
        limited = ast.Name(_LIMITED, ast.Load())
        node.iter = ast.copy_location(ast.Call(limited, [node.iter, ast.Constant(node.lineno)], []), node.iter)
        return node


def _functions(tree: ast.Module) -> Iterator[str]:
    """The names of what `K.function` returns."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _name(node.value.func) == "function":
            yield from (name for target in node.targets if (name := _name(target)))


def _name(node: ast.expr) -> str:
    """The name `b` of `b` and of `a.b`; empty for any other expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_range(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def _trains(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TRAINING
