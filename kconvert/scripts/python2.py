"""Python 2 scripts: lib2to3 translates them into Python 3, and `/` divides integers as in Python 2."""

from __future__ import annotations

import ast
import operator
import re
import warnings
from typing import Any

import numpy as np

from ..errors import KconvertError, Problem

LEFT_OUT = frozenset({"lib2to3.fixes.fix_future", "lib2to3.fixes.fix_import"})
"""The fixers of lib2to3 that are not used: they would change `__future__` and imports."""

NAMES = frozenset({"basestring", "execfile", "raw_input", "reduce", "unichr", "unicode", "xrange"})
"""Builtin functions that only Python 2 has."""

_BOTH = re.compile(r"version_info|NameError|\bPY[23]\b")
"""Code in a script that checks the version of Python."""

_DIVIDED, _DIVIDED_IN_PLACE = "__kconvert_divided__", "__kconvert_divided_in_place__"
"""The names under which the translated code calls the division of Python 2."""


def reason(tree: ast.Module, text: str) -> str | None:
    """Why a script that Python 3 can parse is written for Python 2; None if nothing shows it."""
    if _BOTH.search(text):
        return None
    nodes = list(ast.walk(tree))
    own = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    own |= NAMES if "*" in own else set()
    used = [node for node in nodes if isinstance(node, ast.Name) and node.id in NAMES - own]
    return f"{used[0].id} in line {used[0].lineno}" if used else None


def translated(text: str, path: str) -> str | None:
    """The text of a Python 2 script, translated line by line into Python 3; None if it is not written for Python 2.

    Raises KconvertError where this Python cannot translate.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from lib2to3.pgen2.parse import ParseError
            from lib2to3.pgen2.tokenize import TokenError
            from lib2to3.refactor import RefactoringTool, get_fixers_from_package
    except ImportError:
        raise KconvertError(
            "the script is of Python 2, and this Python has no lib2to3 to translate it",
            path,
            "run it with Python 3.12 or an earlier one",
            Problem.UNSUPPORTED,
        ) from None
    tool = RefactoringTool([name for name in get_fixers_from_package("lib2to3.fixes") if name not in LEFT_OUT])
    try:
        return str(tool.refactor_string(_with_spaces(text) + "\n", path))
    except (ParseError, TokenError, IndentationError):
        return None


def _with_spaces(text: str) -> str:
    """The text with the tabs at the beginning of lines as spaces: Python 2 took a tab as up to 8 spaces."""
    return re.sub(r"^[ \t]+", lambda found: found.group().expandtabs(8), text, flags=re.MULTILINE)


# --------------------------------------------------------------------- division ----


def with_old_division(tree: ast.Module, names: dict[str, Any], path: str) -> ast.Module:
    """The code of a script in which `/` divides as in Python 2; nothing changes if it imports `division`.

    names: the global names of the script, which get what the code needs.
    """
    future = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__")
    if any(alias.name == "division" for node in future for alias in node.names):
        return tree
    names.update({_DIVIDED: divided, _DIVIDED_IN_PLACE: divided_in_place})
    return ast.fix_missing_locations(_Divisions(path).visit(tree))


def divided(left: Any, right: Any) -> Any:
    """`left / right` in Python 2.

    >>> divided(7, 2), divided(7.0, 2)
    (3, 3.5)
    """
    return left // right if _is_whole(left) and _is_whole(right) else left / right


def divided_in_place(left: Any, right: Any) -> Any:
    """The value of `left` after `left /= right` in Python 2; an array changes in place."""
    whole = _is_whole(left) and _is_whole(right)
    return operator.ifloordiv(left, right) if whole else operator.itruediv(left, right)


def _is_whole(value: Any) -> bool:
    """Whether the value is an integer, or an array of integers."""
    return isinstance(value, int) or (isinstance(value, np.ndarray | np.generic) and (value.dtype.kind in "iub"))


class _Divisions(ast.NodeTransformer):
    """Calls the division of Python 2 in place of `/`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _call(_DIVIDED, node, node.left, node.right) if isinstance(node.op, ast.Div) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        if any(isinstance(inner, ast.Call) for inner in ast.walk(node.target)):
            raise KconvertError(
                "'/=' of Python 2 on what a call returns is not translated",
                f"{self.path}, line {node.lineno}",
                "a = ...; a[i] = a[i] / b says the same",
                Problem.UNSUPPORTED,
            )
        value = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.copy_location(ast.Assign([node.target], _call(_DIVIDED_IN_PLACE, node, value, node.value)), node)


def _call(name: str, at: ast.AST, *arguments: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), list(arguments), []), at)
