"""The package keras-preprocessing, which Keras 2.3.1 takes its preprocessing from."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from inspect import signature
from typing import Any

from ...._version import install
from ....backend.functions import floatx
from ....backend.image_format import default_data_format
from ....errors import KconvertError, Problem

NOT_GIVEN: Mapping[str, Callable[[], Any]] = {"data_format": default_data_format, "dtype": floatx}
"""What None means for these arguments: the settings of `keras.backend`."""


def named(module: str, name: str) -> Any:
    """The object `name` of a module of keras-preprocessing. Raises AttributeError where it has none."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(library(module), name)


def library(module: str) -> Any:
    """A module of keras-preprocessing. Raises KconvertError where the package is not installed."""
    try:
        found = import_module(f"keras_preprocessing.{module}")
    except ImportError as error:
        what = f"keras.preprocessing.{module} needs {error.name or error}, which is not installed"
        raise KconvertError(what, fix=install("preprocessing"), problem=Problem.UNVERIFIED) from error
    # The package imports names of SciPy that are to go, and says so with every image.
    warnings.filterwarnings("ignore", module=r"keras_preprocessing\.", category=DeprecationWarning)
    return found


def with_settings(maker: Callable[..., Any]) -> Callable[..., Any]:
    """A function, or a subclass, that takes None for the arguments in NOT_GIVEN, as in Keras."""
    if not isinstance(maker, type):
        return _filling(maker)
    attributes = {"__init__": _filling(maker.__init__), "__module__": maker.__module__}  # type: ignore[misc]
    return type(maker.__name__, (maker,), attributes)


def _filling(function: Callable[..., Any]) -> Callable[..., Any]:
    taken = signature(function)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        bound = taken.bind(*args, **kwargs)
        for name, setting in NOT_GIVEN.items():
            if name in taken.parameters and bound.arguments.get(name) is None:
                bound.arguments[name] = setting()
        return function(*bound.args, **bound.kwargs)

    return called
