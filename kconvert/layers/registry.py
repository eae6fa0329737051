"""Layers and functions of the user: registered here, found by the name that an architecture states.

Three ways lead here: `register_layer` (and `register_function`) before a file is read, a package that
announces its layers as entry points of the group `kconvert.layers`, and a module that is imported by
name (`--custom package.module`). Nothing is ever loaded out of a model file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

from ..backend.base import Tensor
from ..errors import KconvertError, Problem
from .base import Layer

ENTRY_POINTS = "kconvert.layers"
WAYS = (
    "give its class: --custom package.module, where the module registers it; kconvert.register_layer;"
    f" or an installed package with an entry point in {ENTRY_POINTS}"
)

AnyLayer = TypeVar("AnyLayer", bound=type[Layer])
Function = Callable[..., Tensor]


@dataclass(frozen=True)
class CustomFunction:
    """What takes the place of a Lambda's function.

    run: f(K, x, **arguments) -> output. output_shape: without the batch axis, or a function of the input's
    shape; None where the layer states it or keeps that of its input.
    """

    run: Function
    output_shape: Any = None


CUSTOM: set[str] = set()
FUNCTIONS: dict[str, CustomFunction] = {}


def register_layer(cls: AnyLayer) -> AnyLayer:
    """Makes a layer class known by its name; a decorator for a dataclass that is a `kconvert.layers.Layer`.

    Its fields are its configuration keys, as Keras stores them. Raises KconvertError for anything else.
    """
    if not (isinstance(cls, type) and issubclass(cls, Layer) and is_dataclass(cls)):
        raise KconvertError(
            f"{getattr(cls, '__name__', cls)!r} is no layer",
            fix="register a dataclass that inherits from kconvert.layers.Layer",
            problem=Problem.USAGE,
        )
    Layer.registry[cls.__name__] = cls
    CUSTOM.add(cls.__name__)
    return cls


def register_function(name: str, output_shape: Any = None) -> Callable[[Function], Function]:
    """Takes `f(K, x, **arguments)` for the Lambda layer called `name`, or for the function it names.

    K holds the operations of a backend (`kconvert.backend.Backend`). output_shape: without the batch axis,
    or a function of the input's shape; needed only where the layer does not state it and changes it.

        @kconvert.register_function("lambda_1")
        def double(K, x):
            return 2.0 * x
    """

    def register(function: Function) -> Function:
        FUNCTIONS[name] = CustomFunction(function, output_shape)
        return function

    return register


def load_module(name: str) -> None:
    """Imports a module that registers layers and functions; the working directory is searched last.

    Raises KconvertError where it cannot be imported.
    """
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    _loaded(f"the module {name!r}", lambda: import_module(name))


def registered_in() -> tuple[str, ...]:
    """The modules that define what is registered: what another process must import to know it too."""
    things = [Layer.registry[name] for name in CUSTOM] + [function.run for function in FUNCTIONS.values()]
    return tuple(sorted({thing.__module__ for thing in things} - {"__main__"}))


def find_layer(name: str) -> type[Layer] | None:
    """The class called `name`; where it is not known, installed packages are asked for it."""
    if name not in Layer.registry:
        for point in entry_points(group=ENTRY_POINTS):
            if point.name == name:
                register_layer(_loaded(f"the entry point {point.value!r} of {ENTRY_POINTS}", point.load))
    return Layer.registry.get(name)


def _loaded(what: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except KconvertError:
        raise
    except Exception as error:  # a module of the user may raise anything
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise KconvertError(f"{what} cannot be loaded ({said})", problem=Problem.USAGE) from error
