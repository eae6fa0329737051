"""A `dataclass` decorator like that of the standard library, but it compiles constructors at their first use.

It makes commands start faster. The standard library writes the source of up to six methods for each class, and compiles
it. `kconvert inspect` imports 225 dataclasses and makes objects of 32 of them: making the methods of all took a fifth
of its processor time (0.28 s; 0.22 s with this module). Here the other methods are plain functions, and the constructor
is compiled, still by the standard library, when it is first called or looked at.

Otherwise these classes are normal dataclasses: `fields`, `replace`, `asdict`, `inspect.signature`, `help`,
pickle and subclasses work as always. `order`, `slots` and `InitVar` are not supported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, fields, is_dataclass
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # type checkers only understand the decorator of the standard library
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, eq=True, frozen=False, repr=True, kw_only=False):
        """Makes a class a dataclass: the decorator, with these options of `dataclasses.dataclass`."""

        def made(cls: type) -> type:
            cls.__doc__ = cls.__doc__ or cls.__name__  # else it would be the signature, for which it is compiled
            checked = frozen and any(map(is_dataclass, cls.__bases__))  # whether a base is frozen as well
            dataclasses.dataclass(init=False, repr=False, eq=False, frozen=checked, kw_only=kw_only)(cls)
            params = cls.__dataclass_params__  # which the standard library asks of the bases of a class
            params.init, params.repr, params.eq, params.frozen = True, repr, eq, frozen
            for name, method in _methods(cls, eq, frozen, repr).items():
                if cls.__dict__.get(name) is None:  # Python sets __hash__ to None where a class defines __eq__
                    type.__setattr__(cls, name, method)
            return cls

        return made if cls is None else made(cls)


class _Constructor:
    """The constructor of a dataclass: at the first access, the compiled function takes its place in the class.

    Threads that come at the same time each compile it. The functions are equal, so any of them may stay.
    """

    def __init__(self, cls: Any, frozen: bool) -> None:
        self.cls = cls
        self.frozen = frozen

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        self.cls.__init__ = _compiled(self.cls, self.frozen)
        return self.cls.__init__.__get__(instance, owner)


def _compiled(cls: Any, frozen: bool) -> Any:
    """The constructor that the standard library makes for a class with the fields of `cls` and its bases."""
    own = {f.name: f for f in fields(cls)}
    hooks = {name: getattr(cls, name) for name in ("__post_init__",) if hasattr(cls, name)}
    known = {"__module__": cls.__module__, "__annotations__": {name: f.type for name, f in own.items()}}
    like: Any = type(cls.__name__, (), {"__doc__": cls.__doc__} | known | own | hooks)
    constructor = dataclasses.dataclass(frozen=frozen, eq=False, repr=False)(like).__init__
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    return constructor


def _methods(cls: type, eq: bool, frozen: bool, repr: bool) -> dict[str, Any]:
    """The methods that a dataclass with these options has, by name."""
    own = fields(cls)
    found: list[Callable[..., Any]] = [_printing([f.name for f in own if f.repr])] if repr else []
    if frozen:
        found += _refusing(cls, [f.name for f in own])
    if eq:
        found.append(_comparing([f.name for f in own if f.compare]))
    if eq and frozen:
        found.append(_hashing([f.name for f in own if (f.compare if f.hash is None else f.hash)]))
    for method in found:
        method.__qualname__ = f"{cls.__qualname__}.{method.__name__}"
    hidden = {"__hash__": None} if eq and not frozen else {}
    return {"__init__": _Constructor(cls, frozen)} | hidden | {method.__name__: method for method in found}


def _printing(names: Sequence[str]) -> Callable[[Any], str]:
    @recursive_repr()
    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={_held(self, name)!r}' for name in names)})"

    return __repr__


def _held(one: Any, name: str) -> Any:
    """The stored value of a field; reading the attribute may return another value, such as an object for a name."""
    return vars(one)[name] if name in vars(one) else getattr(one, name)


def _refusing(cls: Any, names: Sequence[str]) -> list[Callable[..., Any]]:
    """The methods that make the fields of `cls` read-only; a subclass that is no dataclass may add other attributes."""

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return [__setattr__, __delattr__]


def _comparing(names: Sequence[str]) -> Callable[[Any, Any], Any]:
    values = _values(names)

    def __eq__(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hashing(names: Sequence[str]) -> Callable[[Any], int]:
    values = _values(names)

    def __hash__(self: Any) -> int:
        return hash(values(self))

    return __hash__


def _values(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The function from an object to the tuple of its attributes."""
    return attrgetter(*names) if len(names) > 1 else lambda one: tuple(getattr(one, name) for name in names)
