"""Constructors of layers, which accept the arguments of Keras 1 and 2."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial, wraps
from inspect import Parameter, Signature, signature
from typing import Any

from .builder import ADOPTING
from .options import is_old, key_of
from .weights import WithWeights


class Constructed(type):
    """The class of all layer classes: the constructor of a dataclass accepts the arguments of Keras 1 and 2.

    So it does when the constructor of a subclass calls it. A constructor that a class defines itself is left alone.
    After it, `check_arguments` of the object refuses what it does not accept.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """A new layer; while `build` or `call` of a layer of the user runs, one that is inside it."""
        make = partial(super().__call__, *args, **kwargs)
        builder = ADOPTING.get() if issubclass(cls, WithWeights) else None
        return make() if builder is None else builder.make_inside(cls, (args, kwargs), make)

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, _translating(cls, value) if name == "__init__" else value)

    @property
    def __signature__(cls) -> Signature:
        """The parameters that Keras has, which `help` and editors show: those that a constructor states, if any."""
        if hasattr(cls.__init__, "__signature__"):  # type: ignore[misc]
            return Signature(constructor_parameters(cls))
        fields = getattr(cls, "__dataclass_fields__", {})
        hidden = {name for name, one in fields.items() if is_old(one)} | getattr(cls, "inner_fields", frozenset())
        shown = [one for one in constructor_parameters(cls) if one.name not in hidden]
        return Signature([one.replace(name=key_of(fields[one.name])) if one.name in fields else one for one in shown])


def _translating(cls: Any, constructor: Callable[..., None]) -> Callable[..., None]:
    """`constructor` of `cls`, with its arguments under their Keras 2 names; its signature stays the same."""

    @wraps(constructor)
    def translated(self: Any, *args: Any, **kwargs: Any) -> None:
        args, kwargs = cls.native_arguments(args, kwargs)
        constructor(self, *args, **kwargs)
        self.check_arguments()

    return translated


@cache
def constructor_parameters(cls: type) -> tuple[Parameter, ...]:
    """The parameters of the constructor of `cls`, without `self`."""
    return tuple(signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
