"""Python functions in configurations: by name, or as the bytecode that Keras stores for a lambda.

Stored bytecode is never loaded. A configuration that this process wrote finds the code, or the function of the name,
that this process has. Source: `func_dump` in `utils/generic_utils.py` of Keras 2.3.1.
"""

from __future__ import annotations

import codecs
import json
import marshal
from types import CellType, CodeType, FunctionType
from typing import Any

_LAMBDA = "<lambda>"


class NamedFunction(str):
    """The name of a function of the user in a configuration, with the function."""

    function: Any

    def __new__(cls, function: Any) -> NamedFunction:
        name = super().__new__(cls, getattr(function, "__name__", type(function).__name__))
        name.function = function
        return name

    def __reduce__(self) -> tuple[Any, ...]:
        return NamedFunction, (self.function,)


class DumpedFunction(list[Any]):
    """The bytecode, the defaults and the closure of a function in a configuration, with the function."""

    function: Any

    def __init__(self, function: Any) -> None:
        super().__init__(dumped(function))
        self.function = function

    def __deepcopy__(self, memo: Any) -> DumpedFunction:
        return self

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return loaded, tuple(self)


_CODE: dict[str, tuple[CodeType, dict[str, Any]]] = {}
"""Bytecode that this process stored, as text -> the code and the global names of its function."""

_NAMED: dict[tuple[str, str], Any] = {}
"""The names of a layer and of its function that this process stored -> the function; None if there were two."""


def dumped(function: Any) -> tuple[str, Any, Any]:
    """The bytecode of a Python function as text, its defaults, and the values of its closure; None without any."""
    code = function.__code__
    text = codecs.encode(marshal.dumps(code), "base64").decode("ascii")
    _CODE[text] = code, function.__globals__
    cells = function.__closure__
    return text, function.__defaults__, tuple(cell.cell_contents for cell in cells) if cells else None


def loaded(text: Any, defaults: Any = None, closure: Any = None) -> Any:
    """The function with bytecode that this process stored, and these defaults and values; None for other bytecode."""
    known = _CODE.get(text) if isinstance(text, str) else None
    return known and function_of(*known, defaults, closure)


def function_of(code: CodeType, names: dict[str, Any], defaults: Any = None, closure: Any = None) -> FunctionType:
    """A function with this code. names: its global names. closure: the values, or the cells, of its closure."""
    cells = tuple(one if isinstance(one, CellType) else CellType(one) for one in closure or ())
    return FunctionType(code, names, code.co_name, None if defaults is None else tuple(defaults), cells or None)


def stored(function: Any, layer: str) -> tuple[Any, str]:
    """A function of the layer of this name as its configuration states it, and the kind: 'lambda' or 'function'.

    A lambda is stored as bytecode, unless JSON cannot hold its defaults or its closure. The rest is stored by name.
    """
    if getattr(function, "__name__", None) == _LAMBDA and _is_plain(function):
        return DumpedFunction(function), "lambda"
    name = NamedFunction(function)
    place = layer, str(name)
    _NAMED[place] = function if _same(_NAMED.get(place, function), function) else None
    return name, "function"


def found(stated: Any, kind: str, layer: str) -> Any:
    """The function that a configuration states, if this process stored it; else None. Parameters: as of `stored`."""
    if kind == "function":
        return _NAMED.get((layer, stated)) if isinstance(stated, str) and stated != _LAMBDA else None
    parts = stated if isinstance(stated, (list, tuple)) else [stated]
    return loaded(*parts) if len(parts) in (1, 3) else None


def _is_plain(function: Any) -> bool:
    """Whether JSON can hold the defaults and the closure of a function."""
    try:
        json.dumps(dumped(function)[1:])
    except (TypeError, ValueError):  # an object, or a variable of the closure that has no value yet
        return False
    return True


def _same(one: Any, other: Any) -> bool:
    """Whether two functions are one, or have the same code and neither defaults nor a closure."""
    codes = [getattr(each, "__code__", None) for each in (one, other)]
    bound = any(getattr(each, "__defaults__", None) or getattr(each, "__closure__", None) for each in (one, other))
    return one is other or (None not in codes and codes[0] == codes[1] and not bound)
