"""Layer classes by the class name that an architecture states, and functions of the user for Lambda layers.

The classes of this package are in `LAYERS`, those of the user in `CUSTOM`. A user's class is found by one of three
ways: `register_layer` before a file is read, a module that is imported by name (`--custom package.module`), and a
package that announces its layers as entry points of the group `kconvert.layers`. Nothing is loaded out of a model file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

from ..backend.base import Tensor
from ..conventions.words.items import is_item, not_an_item
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
    """What replaces the function of a Lambda."""

    # f(K, x, **arguments) -> output
    run: Function
    # Without the batch axis, or a function of the input's shape. None: as the layer states it, else that of its input.
    output_shape: Any = None


LAYERS: dict[str, type[Layer]] = {}
CUSTOM: dict[str, type[Layer]] = {}
FUNCTIONS: dict[str, CustomFunction] = {}


def built_in(*classes: type[Layer], name: str | None = None) -> None:
    """Makes classes of this package known by their class name, or a single one by `name`."""
    LAYERS.update((name or cls.__name__, cls) for cls in classes)


def known_layers() -> Mapping[str, type[Layer]]:
    """Every class by its name; a class of the user comes before one of this package."""
    return {**LAYERS, **CUSTOM}


def register_layer(cls: AnyLayer) -> AnyLayer:
    """Makes a layer class known by its name; a decorator for a class that inherits from `kconvert.layers.Layer`.

    For a dataclass, its fields are its configuration keys, as Keras stores them. For a class with a constructor of its
    own, `get_config` says them. Raises KconvertError for anything else.
    """
    if not (isinstance(cls, type) and issubclass(cls, Layer)):
        raise KconvertError(
            f"{getattr(cls, '__name__', cls)!r} is not a layer class",
            fix="register a class that inherits from kconvert.layers.Layer",
            problem=Problem.USAGE,
        )
    CUSTOM[cls.__name__] = cls
    return cls


def register_function(name: str, output_shape: Any = None) -> Callable[[Function], Function]:
    """Takes `f(K, x, **arguments)` for the Lambda layer called `name`, or for the function it names.

    K holds the operations of a backend (`kconvert.backend.Backend`). output_shape: without the batch axis, or a
    function of the input's shape; needed only where the layer does not state it and changes it.

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


def custom_modules() -> tuple[str, ...]:
    """The modules that define what is registered: what another process must import to know it too."""
    things = [*CUSTOM.values(), *(function.run for function in FUNCTIONS.values())]
    return tuple(sorted({thing.__module__ for thing in things} - {"__main__"}))


def find_layer(name: str) -> type[Layer] | None:
    """The class called `name`; where it is not known, installed packages are asked for it."""
    if name not in CUSTOM and name not in LAYERS:
        for point in entry_points(group=ENTRY_POINTS):
            if point.name == name:
                register_layer(_loaded(f"the entry point {point.value!r} of {ENTRY_POINTS}", point.load))
    return CUSTOM.get(name) or LAYERS.get(name)


def layer_from_config(item: Layer | Mapping[str, Any]) -> Layer:
    """The layer of `{'class_name': ..., 'config': ...}`, or the layer itself; refuses an unknown class by name."""
    if isinstance(item, Layer):
        return item
    if not is_item(item):
        raise not_an_item(item)
    name, config = item["class_name"], item["config"]
    cls = find_layer(name)
    if cls is None:
        where = config.get("name", "?") if isinstance(config, Mapping) else "?"
        raise KconvertError(f"unknown layer class {name!r}", where=f"layer {where}", fix=WAYS)
    return cls.from_config(config)


def _loaded(what: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except KconvertError:
        raise
    except Exception as error:  # a module of the user may raise anything
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise KconvertError(f"{what} cannot be loaded ({said})", problem=Problem.USAGE) from error
