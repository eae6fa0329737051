"""Registry: layer classes by their class name in an architecture, and the functions of the user.

The classes of this package are in `LAYERS`, those of the user in `CUSTOM`. `custom_objects` gives classes and functions
to one call (`with_custom_objects`). There are three ways to register a class for all calls: call `register_layer`
before a file is read; name a module that does so on the command line; or install a package with entry points in
the group `kconvert.layers`. No code is loaded from a model file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any, TypeVar

from ..conventions.words.items import is_item, not_an_item
from ..errors import KconvertError, Problem
from .as_is import ENTRY_POINTS, UnknownClass, of_unknown_class
from .base import Layer
from .custom import CustomFunction, CustomObjects, Function, give_from_now_on, given, giving

AnyLayer = TypeVar("AnyLayer", bound=type[Layer])


LAYERS: dict[str, type[Layer]] = {}
CUSTOM: dict[str, type[Layer]] = {}
FUNCTIONS: dict[str, CustomFunction] = {}


def built_in(*classes: type[Layer], name: str | None = None) -> None:
    """Registers classes of this package by their class name, or a single class by `name`."""
    LAYERS.update((name or cls.__name__, cls) for cls in classes)


def known_layers() -> Mapping[str, type[Layer]]:
    """Every registered class by its name; a user's class replaces one of this package with the same name."""
    return {**LAYERS, **CUSTOM, **given().classes}


def registered() -> Hashable:
    """All that the user registered or gave: two values are equal where it is the same."""
    return tuple(CUSTOM.items()), tuple(FUNCTIONS.items()), given()


def custom_classes() -> frozenset[str]:
    """The names of the user's classes: those that are registered, and those that are given as custom objects."""
    return frozenset((*CUSTOM, *given().classes))


def find_function(*names: Any) -> CustomFunction | None:
    """The user's function under the first of `names` that has one: given as a custom object, else registered."""
    for name in names:
        found = (given().functions.get(name) or FUNCTIONS.get(name)) if isinstance(name, str) else None
        if found:
            return found
    return None


def register_layer(cls: AnyLayer) -> AnyLayer:
    """Registers a layer class by its name. It is a decorator for subclasses of `kconvert.layers.Layer`.

    The configuration keys are the fields of a dataclass, under the names that Keras stores. For a class with its own
    `__init__` they are the keys that `get_config` returns. Raises KconvertError where `cls` is not a layer class.
    """
    CUSTOM[getattr(cls, "__name__", "")] = _layer_class(cls)
    return cls


def _layer_class(cls: Any) -> Any:
    """`cls`, marked as a class of the user. Raises KconvertError where it is not a layer class of this package."""
    if not (isinstance(cls, type) and issubclass(cls, Layer)):
        bases = [f"{base.__module__}.{base.__qualname__}" for base in getattr(cls, "__mro__", ())[1:-1]]
        base = f", but a {bases[-1]}" if bases else ""
        raise KconvertError(
            f"{getattr(cls, '__name__', cls)!r} is not a layer class of kconvert{base}",
            fix="give a class that inherits from kconvert.layers.Layer",
            problem=Problem.USAGE,
        )
    if cls.is_network:
        raise KconvertError(
            f"{cls.__name__!r} is a model class, which an architecture cannot name",
            fix="register the layers in it; a model is read as a Model or Sequential",
            problem=Problem.USAGE,
        )
    if cls.__module__.partition(".")[0] != __package__.partition(".")[0]:
        cls.is_custom = True
    return cls


def with_custom_objects(objects: Mapping[str, Any] | None) -> AbstractContextManager[None]:
    """Gives `custom_objects` to all that is read within: functions and classes of layers, by the names in files.

    Raises KconvertError for anything that is neither a function nor a layer class.
    """
    if not objects:
        return nullcontext()
    added, before = _sorted(objects), given()
    return giving(
        CustomObjects(
            {**before.functions, **added.functions},
            {**before.classes, **added.classes},
            {**before.components, **added.components},
        )
    )


def give(objects: Mapping[str, Any]) -> None:
    """Gives `custom_objects` to all that is read from now on, in place of those that were given before.

    Raises KconvertError as `with_custom_objects` does.
    """
    give_from_now_on(_sorted(objects))


def _sorted(objects: Any) -> CustomObjects:
    """Custom objects by what they are. Raises KconvertError for anything that is neither a function nor a class."""
    functions, classes, components = {}, {}, {}
    if not isinstance(objects, Mapping):
        raise _not_custom("custom_objects", objects)
    for name, value in objects.items():
        if isinstance(value, type) and hasattr(value, "get_config") and not hasattr(value, "build"):
            components[name] = value
        elif isinstance(value, type):
            classes[name] = _called(name, _layer_class(value))
        elif isinstance(value, Layer):
            functions[name] = CustomFunction(name, _of_layer(value))
        elif callable(value):
            functions[name] = CustomFunction(name, value)
        elif not isinstance(value, ModuleType):  # a module, which bytecode of Keras needs, is no object of a file
            raise _not_custom(f"custom_objects[{name!r}]", value)
    return CustomObjects(functions, classes, components)


def _of_layer(layer: Layer) -> Function:
    """A layer without weights as a function."""

    def call(K: Any, x: Any) -> Any:
        return layer.call(K, {}, x)

    return call


def _called(name: str, cls: Any) -> Any:
    """`cls` as a class with the name that files have for it."""
    return cls if cls.__name__ == name else type(cls)(name, (cls,), {"__module__": cls.__module__, "is_custom": True})


def _not_custom(where: str, value: Any) -> KconvertError:
    return KconvertError(
        f"it is a {type(value).__name__}",
        where,
        "give a mapping from names to functions and classes of layers",
        Problem.USAGE,
    )


def register_function(name: str, output_shape: Any = None) -> Callable[[Function], Function]:
    """Registers `f(K, x, **arguments)` for Lambda layers, and for activations of that name. It is a decorator.

    name: the name of the Lambda layer, or of the function that it or an activation names. K: the operations of a
    backend (`kconvert.backend.Backend`); a function whose first parameter has another name is called without it, as in
    Keras, and uses the functions of `kconvert.backend`. output_shape: the shape of the output without the batch axis,
    or a function from the shape of the input to it; needed only where the layer changes the shape and does not state
    it.

        @kconvert.register_function("lambda_1")
        def double(K, x):
            return 2.0 * x
    """

    def register(function: Function) -> Function:
        FUNCTIONS[name] = CustomFunction(name, function, output_shape)
        return function

    return register


def load_module(name: str) -> None:
    """Imports a module that registers layers and functions, or runs a file that does.

    name: of the module, which is searched in the working directory last; or the path of a file that ends in .py.
    Raises KconvertError where the import fails.
    """
    if name.endswith(".py"):
        _loaded(f"the file {name!r}", lambda: _import_file(os.path.realpath(name)))
        return
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    _loaded(f"the module {name!r}", lambda: import_module(name))


def _import_file(path: str) -> None:
    """Imports a file as a module under its path, so that `load_module` of another process finds it by its name."""
    if path in sys.modules:
        return
    if not os.path.isfile(path):
        raise KconvertError("there is no such file, or it is not a regular one", path, problem=Problem.USAGE)
    spec = spec_from_file_location(path, path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[path] = module
    if os.path.dirname(path) not in sys.path:
        sys.path.append(os.path.dirname(path))  # what it imports beside it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path]
        raise


def custom_modules() -> tuple[str, ...]:
    """The modules that define the user's classes and functions. Another process imports them to register these too."""
    registered = [*CUSTOM.values(), *(custom.function for custom in FUNCTIONS.values())]
    return tuple(sorted({item.__module__ for item in registered} - {"__main__"}))


def find_layer(name: str) -> type[Layer] | None:
    """The class that is given or registered as `name`, else that of an entry point of a package, else None.

    tf.keras writes the package of a class before its name, as in 'Custom>Scale'; the name is enough to give it.
    """
    classes, bare = given().classes, name.rpartition(">")[2]
    if name in classes or bare in classes:
        return classes.get(name) or classes[bare]
    if name not in CUSTOM and name not in LAYERS:
        from importlib.metadata import entry_points  # it takes as long as all layers to import

        for point in entry_points(group=ENTRY_POINTS):
            if point.name == name:
                register_layer(_loaded(f"the entry point {point.value!r} of {ENTRY_POINTS}", point.load))
    return CUSTOM.get(name) or CUSTOM.get(bare) or LAYERS.get(name)


def layer_from_config(item: Layer | Mapping[str, Any]) -> Layer:
    """The layer that `{'class_name': ..., 'config': ...}` describes; a layer is returned unchanged.

    Raises KconvertError where the class is not registered.
    """
    if isinstance(item, Layer):
        return item
    if not is_item(item):
        raise not_an_item(item)
    name, config = item["class_name"], item["config"]
    called = config.get("name") if isinstance(config, Mapping) else None
    if not isinstance(called, str | None):
        raise KconvertError(f"the name {called!r} of a layer is not a string", f"a {name}", problem=Problem.UNREADABLE)
    cls = find_layer(name)
    if cls is None:
        raise UnknownClass(name, config.get("name", "?") if isinstance(config, Mapping) else "?")
    return cls.from_config(config)


def layer_of_graph(item: Layer | Mapping[str, Any]) -> Layer:
    """The layer of a network that a configuration describes.

    As `layer_from_config`, but a layer of an unknown class, or with one inside it, becomes an `AsIs`.
    """
    try:
        return layer_from_config(item)
    except UnknownClass as error:
        if isinstance(item, Layer) or not isinstance(item["config"], Mapping):
            raise
        return of_unknown_class(item["class_name"], item["config"], error.class_name)


def _loaded(what: str, load: Callable[[], Any]) -> Any:
    """The result of `load`. Its exceptions become a KconvertError that names `what`."""
    try:
        return load()
    except KconvertError:
        raise
    except Exception as error:  # a module of the user may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise KconvertError(f"{what} cannot be loaded ({reason})", problem=Problem.USAGE) from error
