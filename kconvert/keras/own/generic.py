"""Small functions of `keras.utils.generic_utils`."""

from __future__ import annotations

import codecs
import marshal
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import FullArgSpec, Parameter, getfullargspec, signature
from types import FunctionType
from typing import Any

from ...conventions.backends import CHANNELS_FIRST, DATA_FORMATS
from ...errors import KconvertError, Problem
from ...layers.python_functions import dumped, function_of
from ...layers.shapes import one_of


def has_arg(fn: Callable[..., Any], name: str, accept_all: bool = False) -> bool:
    """Whether a function can be called with the keyword argument `name`; accept_all: also by its `**kwargs`."""
    parameters = signature(fn).parameters
    if name in parameters:
        return parameters[name].kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    return accept_all and any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values())


def to_list(x: Any, allow_tuple: bool = False) -> Any:
    """A list as it is, anything else as a list of it; allow_tuple: a tuple becomes a list of its items."""
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def getargspec(fn: Callable[..., Any]) -> FullArgSpec:
    """The names and defaults of the parameters of a function."""
    return getfullargspec(fn)


def unpack_singleton(x: Any) -> Any:
    """The item of a sequence of one item; any other sequence as it is."""
    return x[0] if len(x) == 1 else x


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether all items, or the only one, are None."""
    return all(one is None for one in to_list(iterable_or_element, allow_tuple=True))


def transpose_shape(shape: Sequence[Any], target_format: str, spatial_axes: Sequence[int]) -> Any:
    """A shape in channels_last in the data format `target_format`; spatial_axes: its spatial axes.

    Raises KconvertError for an unknown data format.
    """
    if one_of(target_format, DATA_FORMATS, "data_format") != CHANNELS_FIRST:
        return shape
    moved = [*shape[: spatial_axes[0]], shape[-1], *(shape[axis] for axis in spatial_axes)]
    return type(shape)(moved)  # type: ignore[call-arg]


def func_dump(func: Any) -> tuple[str, Any, Any]:
    """A Python function as (bytecode as text, defaults, values of its closure)."""
    return dumped(func)


def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> FunctionType:
    """The function that `func_dump` made a value of. Only for values that can be trusted: it is what Python runs.

    code: the bytecode as text, or all that `func_dump` returned. globs: the global names of the function; None: those
    of this module, as in Keras.
    """
    if isinstance(code, (list, tuple)):
        code, defaults, closure = code
    loaded = marshal.loads(codecs.decode(code.encode("ascii"), "base64"))
    return function_of(loaded, globals() if globs is None else globs, defaults, closure)


def check_for_unexpected_keys(name: str, input_dict: Mapping[str, Any], expected_values: Iterable[str]) -> None:
    """Raises KconvertError where a dict has other keys than `expected_values`. name: the word for the dict."""
    known = list(expected_values)
    unknown = sorted(set(input_dict) - set(known))
    if unknown:
        what, fix = f"unknown keys {', '.join(map(repr, unknown))}", f"the keys are {', '.join(known)}"
        raise KconvertError(what, name, fix, Problem.USAGE)


def object_list_uid(object_list: Any) -> str:
    """A string that is the same for the same objects: the numbers that Python gives them."""
    return ", ".join(str(abs(id(one))) for one in to_list(object_list))


def disable_tracking(func: Callable[..., Any]) -> Callable[..., Any]:
    """`func`: attributes of layers are not tracked. It is a decorator."""
    return func
