"""The components of training: their names, their construction and their configuration.

A component is a loss, a metric, an optimizer, an initializer, a regularizer or a constraint. It is a dataclass, and its
fields are the keys of its configuration in Keras 2.3.1. Each kind has one `Registry`, which turns a name, a
configuration or a function into a component.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any, ClassVar

from ...errors import KconvertError, Problem
from ...layers.constructors import Constructed
from ...layers.custom import CustomFunction, given
from ...layers.registry import with_custom_objects
from ...lazy_dataclasses import dataclass


class Component(metaclass=Constructed):
    """Base class of all components of training: a dataclass with a configuration."""

    # The keys of the configuration under the names of other releases.
    spellings: ClassVar[Mapping[str, str]] = {}
    # The arguments that follow those of each class when they are given by position.
    common: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of the constructor under their names in Keras 2.3.1.

        Raises KconvertError for one that is given twice.
        """
        own = sum(field.init and not field.kw_only for field in fields(cls)) if cls.common else len(args)  # type: ignore[arg-type]
        if own < len(args) <= own + len(cls.common):
            args, kwargs = args[:own], {**dict(zip(cls.common, args[own:], strict=False)), **kwargs}
        for old, new in cls.spellings.items():
            if old in kwargs and new in kwargs and old != new:
                what = f"{old} and {new} are the same argument of {cls.__name__}"
                raise KconvertError(what, fix=f"give {new} alone", problem=Problem.USAGE)
        return args, {cls.spellings.get(key, key): value for key, value in kwargs.items()}

    def check_arguments(self) -> None:
        """Nothing: what reads an argument refuses it."""

    @property
    def class_name(self) -> str:
        """The name of the class in Keras."""
        return type(self).__name__

    def get_config(self) -> dict[str, Any]:
        """The configuration as Keras 2.3.1 writes it, JSON values only; empty for a class of the user that is none."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init} if is_dataclass(self) else {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The component with a configuration that `get_config` returned."""
        return cls(**config)

    def to_config(self) -> Any:
        """`{'class_name': ..., 'config': ...}`, as Keras stores it."""
        return {"class_name": self.class_name, "config": self.get_config()}


@dataclass(frozen=True)
class Registry:
    """The components of one kind, by name."""

    # The word for the kind in messages, as in "unknown loss 'x'".
    kind: str
    # The class that all components of this kind inherit from.
    base: type
    # Classes, or functions that return a component, by name.
    makers: Mapping[str, Callable[..., Any]]
    # Makes a component of a function of the user; None where the function is used as it is.
    wrap: Callable[[Callable[..., Any]], Any] | None = None
    # Keys of configurations that have no effect here.
    ignored: frozenset[str] = frozenset({"dtype", "name"})

    def get(self, spec: Any) -> Any:
        """The component that `spec` describes; None if `spec` is None.

        spec: a name, a configuration `{'class_name': ..., 'config': ...}`, a component, its class, or a function. Case
        and underscores of a name do not matter: `mean_squared_error`, `MeanSquaredError`, `maxnorm` of Keras 1.
        Raises KconvertError for unknown names and keys.
        """
        if spec is None:
            return None
        if isinstance(spec, self.base):
            return self.wrap(spec) if self.wrap and callable(spec) and _calls_itself(spec, self.base) else spec
        if isinstance(spec, str):
            return self.make(spec, {})
        if isinstance(spec, Mapping) and isinstance(spec.get("class_name"), str):
            config = spec.get("config") or {}
            if isinstance(config, Mapping):
                return self.make(spec["class_name"], config)
        if isinstance(spec, type) and issubclass(spec, self.base):
            return self.make(spec.__name__, {}) if spec.__name__ in self.makers else spec()
        if callable(spec) and not isinstance(spec, type):
            return self.wrap(spec) if self.wrap else spec
        raise KconvertError(
            f"unknown {self.kind} {spec!r}",
            fix="give a name, a configuration {'class_name': ..., 'config': ...}, or a function",
            problem=Problem.USAGE,
        )

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The component that `config` describes. custom_objects: what further names stand for."""
        with with_custom_objects(custom_objects):
            return self.get(config)

    def find(self, name: str) -> Callable[..., Any]:
        """The class or function that makes the component `name`. Raises KconvertError, with similar names."""
        if name in self.makers:
            return self.makers[name]
        for known, maker in self.makers.items():
            if _folded(known) == _folded(name):
                return maker
        raise KconvertError(f"unknown {self.kind} {name!r}", fix=_suggestion(name, self.makers), problem=Problem.USAGE)

    def make(self, name: str, config: Mapping[str, Any]) -> Any:
        """The component `name` with the configuration `config`. Raises KconvertError for unknown or missing keys."""
        if name in given().components:
            return self.get(_of_user(given().components[name], config))
        if name in given().functions and name not in self.makers:
            return self.get(given().functions[name].function)
        maker = self.find(name)
        spellings = getattr(maker, "spellings", {})
        config = {spellings.get(key, key): value for key, value in config.items()}
        known = signature(maker).parameters
        arguments = {key: value for key, value in config.items() if key in known or key not in self.ignored}
        for key in arguments:
            if key not in known:
                raise KconvertError(
                    f"{self.kind} {name} has no argument {key!r}", fix=_suggestion(key, known), problem=Problem.USAGE
                )
        for key, parameter in known.items():
            if parameter.default is Parameter.empty and key not in arguments:
                raise KconvertError(f"{self.kind} {name} needs {key!r}", problem=Problem.USAGE)
        return maker(**arguments)


def _of_user(cls: Any, config: Mapping[str, Any]) -> Any:
    """A component of a class of the user, with its configuration."""
    return cls.from_config(config) if hasattr(cls, "from_config") else cls(**config)


def serialize(component: Any) -> Any:
    """A component as Keras stores it: its configuration, the name of a function, or None.

    Raises KconvertError for what is none of these.
    """
    if component is None:
        return None
    if hasattr(component, "to_config"):
        return component.to_config()
    if hasattr(component, "get_config"):
        return {"class_name": type(component).__name__, "config": component.get_config()}
    if hasattr(component, "__name__"):
        return component.__name__
    raise KconvertError(f"{component!r} has neither a configuration nor a name", problem=Problem.USAGE)


def of_user(function: Callable[..., Any]) -> CustomFunction:
    """A function of the user, of tensors alone as in Keras or of K and tensors."""
    return CustomFunction(getattr(function, "__name__", type(function).__name__), function)


def _calls_itself(component: Any, base: Any) -> bool:
    """Whether a component is of a class of the user that has a `__call__` of its own, as in Keras."""
    return type(component).__call__ is not base.__call__


def _folded(name: str) -> str:
    """A name in lower case and without underscores, to compare spellings."""
    return name.replace("_", "").lower()


def _suggestion(name: str, known: Mapping[str, Any]) -> str:
    """Proposes the known names that are similar to `name`; lists all of them where no name is similar."""
    by_folded: dict[str, str] = {}
    for other in known:
        by_folded.setdefault(_folded(other), other)
    near = [by_folded[folded] for folded in get_close_matches(_folded(name), by_folded, cutoff=0.75)]
    return f"did you mean {' or '.join(near)}" if near else f"one of: {', '.join(known)}"
