"""Loops of a script's own around its training, which `--epochs` shortens: `for epoch in range(50): model.fit(...)`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from ..arguments import argument
from .shortening import Limits

TRAINING = frozenset({"fit", "fit_generator", "train_on_batch"})
"""The methods that a loop around them makes a loop over epochs."""

_LIMITED = "__kconvert_first_numbers__"
"""The name under which the code of a script finds what shortens a range."""


def compiled(source: bytes, path: str, limits: Limits, names: dict[str, Any]) -> CodeType:
    """The code of a script, in which the outermost loops over `range(...)` around training run `limits.epochs` times.

    names: the global names of the script, which get what the code needs.
    """
    if limits.epochs is None:
        return compile(source, path, "exec")
    names[_LIMITED] = first_numbers(limits)
    return compile(ast.fix_missing_locations(_Loops().visit(ast.parse(source, path))), path, "exec")


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
    """Shortens the loops over epochs in a syntax tree."""

    def visit_For(self, node: ast.For) -> ast.AST:
        if not _is_range(node.iter) or not any(_trains(inner) for inner in ast.walk(node)):
            return self.generic_visit(node)
        limited = ast.Name(_LIMITED, ast.Load())
        node.iter = ast.copy_location(ast.Call(limited, [node.iter, ast.Constant(node.lineno)], []), node.iter)
        return node


def _is_range(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def _trains(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TRAINING
