"""Analyses a script: which release of Keras it is written for, and what it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ..arguments import argument
from ..conventions.words.rules import METHODS, RULES
from ..errors import KconvertError, Problem
from ..keras import names
from ..lazy_dataclasses import dataclass
from . import python2

NEW, OLD = "2.3.1", "1.2.2"

_CALLS = {"Model": ("input output", "inputs outputs"), "merge": ("mode", "")}
"""Words of calls that no table of layers or methods has: those of 1.2.2, and those of 2.3.1."""

_COUNTS = ("samples_per_epoch", "nb_val_samples", "val_samples", "show_accuracy")
"""Words of methods that have no counterpart in 2.3.1."""

_SIZED = ("Convolution1D", "Convolution2D", "Convolution3D", "Conv1D", "Conv2D", "Conv3D")


@dataclass(frozen=True)
class Word:
    """A name that only one of the two releases has, and its line in the script."""

    release: str
    text: str
    line: int


class Script:
    """The text of a script and its syntax tree, which is that of Python 3.

    python: the version of Python that it is of, 2 or 3; None where its text decides. Raises KconvertError where the
    file cannot be read, and where it is no script of Python.
    """

    def __init__(self, path: str, python: int | None = None) -> None:
        self.path = path
        try:
            source = Path(path).read_bytes()
        except OSError as error:
            raise KconvertError(f"cannot be read ({error.strerror})", path, problem=Problem.UNREADABLE) from error
        text = source.decode("utf-8", "replace")
        tree = _parsed(source, path)
        # Why the script is of Python 2; None if it is not.
        self.python2 = None if python == 3 else argument("python", 2) if python == 2 else _reason(tree, text)
        if self.python2:
            found = _parsed(python2.translated(text, path), path)
            tree = found if isinstance(found, ast.Module) or python == 2 else tree
        if not isinstance(tree, ast.Module):
            raise _not_python(tree, path, python)
        self.tree = tree

    @cached_property
    def words(self) -> list[Word]:
        """The words that only one of the two releases has, in the order of the script."""
        words = [Word(*word) for node in ast.walk(self.tree) for word in _words(node)]
        return sorted(words, key=lambda word: word.line)

    def release(self) -> tuple[str, Word | None]:
        """The release of which the script uses more words, and the first such word. The release is 2.3.1 in a tie."""
        old = [word for word in self.words if word.release == OLD]
        new = [word for word in self.words if word.release == NEW]
        return (OLD, old[0]) if len(old) > len(new) else (NEW, new[0] if new else None)

    @property
    def integers(self) -> frozenset[int]:
        """The integers in the text."""
        values = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return frozenset(value for value in values if type(value) is int)

    def imports(self, package: str) -> bool:
        """Whether the script imports `package` or a module in it."""
        return any(name.split(".")[0] == package for name in self._imported())

    def imports_module(self, module: str) -> bool:
        """Whether the script imports the module, or `package.module` as a name of its package."""
        return module in self._imported()

    def used(self, package: str) -> Iterator[tuple[str, int]]:
        """The names `package.name` that the script uses, under whatever name it imports the package; their lines."""
        nodes = list(ast.walk(self.tree))
        imports = (alias for node in nodes if isinstance(node, ast.Import) for alias in node.names)
        own = {alias.asname or alias.name for alias in imports if alias.name == package}
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in own:
                yield node.attr, node.lineno

    def _imported(self) -> Iterator[str]:
        """The modules that the script imports, and the names that it imports from them, as `module.name`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _parsed(source: bytes | str | None, path: str) -> ast.Module | SyntaxError | ValueError:
    """The syntax tree of a script, or the error that says why it has none in Python 3. None has none."""
    try:
        return ast.parse(source or "", path) if source is not None else SyntaxError("invalid syntax")
    except (SyntaxError, ValueError) as error:
        return error


def _reason(tree: ast.Module | SyntaxError | ValueError, text: str) -> str | None:
    """Why a script is written for Python 2, in a few words; None if nothing shows it."""
    if isinstance(tree, ast.Module):
        return python2.reason(tree, text)
    message = str(getattr(tree, "msg", tree))
    word = next((f"{word} without parentheses" for word in ("print", "exec") if word in message), message)
    return f"{word} in line {tree.lineno}" if isinstance(tree, SyntaxError) else word


def _not_python(error: SyntaxError | ValueError, path: str, python: int | None) -> KconvertError:
    line = getattr(error, "lineno", None)
    where = f"{path}, line {line}" if line else path
    what = f"this is not a script of Python {python or 3} ({getattr(error, 'msg', error)})"
    fix = argument("python", 2) if python == 3 else None
    return KconvertError(f"{what}, nor of Python 2" if python is None else what, where, fix, Problem.USAGE)


def _words(node: ast.AST) -> Iterator[tuple[str, str, int]]:
    """The words of one node: (release, word, line)."""
    if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "keras":
        inside = node.module.partition(".")[2]
        yield from ((release, text, node.lineno) for release, text in _of_import(inside, node))
    elif isinstance(node, ast.Import):
        for alias in node.names:
            inside = alias.name.removeprefix("keras.")
            yield from ((release, alias.name, node.lineno) for release in _only("", inside) if inside != alias.name)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "K":
        yield from ((release, f"K.{node.attr}", node.lineno) for release in _only("backend", node.attr))
    elif isinstance(node, ast.Call):
        yield from ((release, text, node.lineno) for release, text in _of_call(node))


def _of_import(module: str, node: ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for release in _only("", module):
        yield release, f"keras.{module}"
    for alias in node.names:
        yield from ((release, alias.name) for release in _only(module, alias.name))


def _only(module: str, name: str) -> Iterator[str]:
    """The release that has the name `name` of a module of Keras, if the other one has not."""
    old, new = (_has(table, module, name) for table in (names.KERAS1, names.KERAS2))
    if old != new:
        yield OLD if old else NEW


def _has(table: dict[str, str], module: str, name: str) -> bool:
    if not module:
        return any(own == name or own.startswith(f"{name}.") for own in table)
    while module and module not in table:
        module = module.rpartition(".")[0]
    return name in table.get(module, "").split()


def _of_call(node: ast.Call) -> Iterator[tuple[str, str]]:
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    old, new = _keywords(called)
    for word in [keyword.arg for keyword in node.keywords if keyword.arg]:
        if word in _COUNTS or word in old - new:
            yield OLD, word
        elif word in new - old:
            yield NEW, word
    sizes = node.args[1:3] if called in _SIZED else []
    if len(sizes) == 2 and all(not isinstance(size, ast.Tuple) for size in sizes):
        yield OLD, f"{called} with its sizes one by one"


def _keywords(called: str) -> tuple[set[str], set[str]]:
    """The keyword arguments of a class or method that have another name in the other release: old ones, new ones."""
    keys = [key for rule in RULES if called in (rule.old, rule.new) for key in rule.keys]
    keys += METHODS.get(called, ())
    old, new = (set(words.split()) for words in _CALLS.get(called, ("", "")))
    return {one for key in keys for one in key.olds} | old, {key.new for key in keys} | new
