"""How the pieces of training are named, made and written down.

A piece (a loss, an optimizer, an initializer, ...) is a dataclass: its fields are its configuration in
Keras 2.3.1's words. Each kind has one `Registry` that turns a name, a configuration or a function into one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any, ClassVar

from ...errors import KconvertError, Problem

EPSILON = 1e-7
"""What keeps divisions and logarithms finite: `keras.backend.epsilon()` of Keras 2."""


class Component:
    """What every piece of training shares: its configuration.

    spellings: what other releases call a key of the configuration.
    """

    spellings: ClassVar[Mapping[str, str]] = {}

    @property
    def class_name(self) -> str:
        return type(self).__name__

    def get_config(self) -> dict[str, Any]:
        """The configuration in Keras 2.3.1's words, JSON values only."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}  # type: ignore[arg-type]

    def to_config(self) -> Any:
        """`{'class_name': ..., 'config': ...}`, as Keras stores it."""
        return {"class_name": self.class_name, "config": self.get_config()}


@dataclass(frozen=True)
class Registry:
    """One kind of piece, by name.

    kind: for messages. base: what its pieces are instances of. makers: classes, or functions that give a
    piece, by name. wrap: makes a piece of a user's function; None where such a function is one already.
    ignored: keys of configurations that mean nothing here.
    """

    kind: str
    base: type
    makers: Mapping[str, Callable[..., Any]]
    wrap: Callable[[Callable[..., Any]], Any] | None = None
    ignored: frozenset[str] = frozenset({"dtype", "name"})

    def get(self, spec: Any) -> Any:
        """The piece of a name, a `{'class_name', 'config'}`, a piece, its class, or a function; None of None.

        Names are read in any spelling (`mean_squared_error`, `MeanSquaredError`, Keras 1's `maxnorm`).
        Raises KconvertError for unknown names and keys.
        """
        if spec is None or isinstance(spec, self.base):
            return spec
        if isinstance(spec, str):
            return self.make(spec, {})
        if isinstance(spec, Mapping) and "class_name" in spec:
            return self.make(spec["class_name"], spec.get("config") or {})
        if isinstance(spec, type) and issubclass(spec, self.base):
            return self.make(spec.__name__, {}) if spec.__name__ in self.makers else spec()
        if callable(spec) and not isinstance(spec, type):
            return self.wrap(spec) if self.wrap else spec
        raise KconvertError(
            f"{spec!r} is no {self.kind}",
            fix="give a name, a configuration {'class_name': ..., 'config': ...}, or a function",
            problem=Problem.USAGE,
        )

    def find(self, name: str) -> Callable[..., Any]:
        """What makes the piece `name`; raises KconvertError with near matches where there is none."""
        if name in self.makers:
            return self.makers[name]
        for known, maker in self.makers.items():
            if _folded(known) == _folded(name):
                return maker
        raise KconvertError(f"unknown {self.kind} {name!r}", fix=_suggestion(name, self.makers), problem=Problem.USAGE)

    def make(self, name: str, config: Mapping[str, Any]) -> Any:
        """The piece of that name and configuration; raises KconvertError for keys it does not have."""
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


def _folded(name: str) -> str:
    """A name without what its spellings differ in."""
    return name.replace("_", "").lower()


def _suggestion(name: str, known: Mapping[str, Any]) -> str:
    """The known names that are like `name`, or all of them."""
    by_folded: dict[str, str] = {}
    for other in known:
        by_folded.setdefault(_folded(other), other)
    near = [by_folded[folded] for folded in get_close_matches(_folded(name), by_folded, cutoff=0.75)]
    return f"did you mean {' or '.join(near)}" if near else f"one of: {', '.join(known)}"
