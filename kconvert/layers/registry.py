"""Registry: layer classes by their class name in an architecture, and the functions of the user.

The classes of this package are in `LAYERS`, those of the user in `CUSTOM`. There are three ways to register a class:
call `register_layer` before a file is read; name a module that does so (`--custom package.module`); or install a
package with entry points in the group `kconvert.layers`. No code is loaded from a model file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeVar

import numpy as np

from ..backend import get_backend
from ..backend.base import Tensor
from ..conventions.words.items import is_item, not_an_item
from ..errors import KconvertError, Problem
from .base import Layer

ENTRY_POINTS = "kconvert.layers"
HOW_TO_REGISTER = (
    "register its class: with kconvert.register_layer, in a module passed as --custom package.module,"
    f" or by an installed package with an entry point in the group {ENTRY_POINTS}"
)

AnyLayer = TypeVar("AnyLayer", bound=type[Layer])
Function = Callable[..., Tensor]


@dataclass(frozen=True)
class CustomFunction:
    """A user's function that replaces the function of a Lambda layer, or is an activation."""

    # f(K, x, **arguments) -> output
    run: Function
    # The shape of the output without the batch axis, or a function from the input's shape to it. None: the shape that
    # the layer states, else the shape of its input.
    output_shape: Any = None

    def shape_for(self, shape: Any, arguments: Mapping[str, Any]) -> tuple[int | None, ...]:
        """The shape of the output for inputs of `shape`, found by running the function on zeros with NumPy.

        It is run twice, with other numbers for the unknown sizes: sizes that differ then are unknown in the result.
        """
        inputs = shape if isinstance(shape, list) else [shape]
        found = []
        for number in _SIZES:
            zeros = [np.zeros([number if n is None else n for n in sizes], "float32") for sizes in inputs]
            with np.errstate(all="ignore"):
                output = self.run(get_backend("numpy"), zeros if isinstance(shape, list) else zeros[0], **arguments)
            found.append(tuple(int(n) for n in output.shape))
        if len(found[0]) != len(found[1]):
            raise ValueError("the number of axes depends on the sizes of the input")
        return tuple(n if n == m else None for n, m in zip(*found, strict=True))


_SIZES = (11, 17)
"""Two numbers for sizes that are not known."""

LAYERS: dict[str, type[Layer]] = {}
CUSTOM: dict[str, type[Layer]] = {}
FUNCTIONS: dict[str, CustomFunction] = {}


def built_in(*classes: type[Layer], name: str | None = None) -> None:
    """Registers classes of this package by their class name, or a single class by `name`."""
    LAYERS.update((name or cls.__name__, cls) for cls in classes)


def known_layers() -> Mapping[str, type[Layer]]:
    """Every registered class by its name; a user's class replaces one of this package with the same name."""
    return {**LAYERS, **CUSTOM}


def register_layer(cls: AnyLayer) -> AnyLayer:
    """Registers a layer class by its name. It is a decorator for subclasses of `kconvert.layers.Layer`.

    The configuration keys are the fields of a dataclass, under the names that Keras stores. For a class with its own
    `__init__` they are the keys that `get_config` returns. Raises KconvertError where `cls` is not a layer class.
    """
    if not (isinstance(cls, type) and issubclass(cls, Layer)):
        raise KconvertError(
            f"{getattr(cls, '__name__', cls)!r} is not a layer class",
            fix="register a class that inherits from kconvert.layers.Layer",
            problem=Problem.USAGE,
        )
    if cls.is_network:
        raise KconvertError(
            f"{cls.__name__!r} is a model class, which an architecture cannot name",
            fix="register the layers in it; a model is read as a Model or Sequential",
            problem=Problem.USAGE,
        )
    cls.is_custom = True
    CUSTOM[cls.__name__] = cls
    return cls


def register_function(name: str, output_shape: Any = None) -> Callable[[Function], Function]:
    """Registers `f(K, x, **arguments)` for Lambda layers, and for activations of that name. It is a decorator.

    name: the name of the Lambda layer, or of the function that it or an activation names. K: the operations of a
    backend (`kconvert.backend.Backend`). output_shape: the shape of the output without the batch axis, or a function
    from the shape of the input to it; needed only where the layer changes the shape and does not state it.

        @kconvert.register_function("lambda_1")
        def double(K, x):
            return 2.0 * x
    """

    def register(function: Function) -> Function:
        FUNCTIONS[name] = CustomFunction(function, output_shape)
        return function

    return register


def load_module(name: str) -> None:
    """Imports a module that registers layers and functions. The working directory is searched last.

    Raises KconvertError where the import fails.
    """
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    _loaded(f"the module {name!r}", lambda: import_module(name))


def custom_modules() -> tuple[str, ...]:
    """The modules that define the user's classes and functions. Another process imports them to register these too."""
    registered = [*CUSTOM.values(), *(function.run for function in FUNCTIONS.values())]
    return tuple(sorted({item.__module__ for item in registered} - {"__main__"}))


def find_layer(name: str) -> type[Layer] | None:
    """The class registered as `name`, else that of an entry point of an installed package, else None."""
    if name not in CUSTOM and name not in LAYERS:
        for point in entry_points(group=ENTRY_POINTS):
            if point.name == name:
                register_layer(_loaded(f"the entry point {point.value!r} of {ENTRY_POINTS}", point.load))
    return CUSTOM.get(name) or LAYERS.get(name)


def layer_from_config(item: Layer | Mapping[str, Any]) -> Layer:
    """The layer that `{'class_name': ..., 'config': ...}` describes; a layer is returned unchanged.

    Raises KconvertError where the class is not registered.
    """
    if isinstance(item, Layer):
        return item
    if not is_item(item):
        raise not_an_item(item)
    name, config = item["class_name"], item["config"]
    cls = find_layer(name)
    if cls is None:
        where = config.get("name", "?") if isinstance(config, Mapping) else "?"
        raise KconvertError(f"unknown layer class {name!r}", where=f"layer {where}", fix=HOW_TO_REGISTER)
    return cls.from_config(config)


def _loaded(what: str, load: Callable[[], Any]) -> Any:
    """The result of `load`. Its exceptions become a KconvertError that names `what`."""
    try:
        return load()
    except KconvertError:
        raise
    except Exception as error:  # a module of the user may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise KconvertError(f"{what} cannot be loaded ({reason})", problem=Problem.USAGE) from error
