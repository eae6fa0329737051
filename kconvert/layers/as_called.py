"""The options that a layer was called with.

In Keras, a layer computes with the options that it has when it is called. Setting an option later only changes its
configuration, which is used when the layer is called again, or when a model is made from the configuration.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .component_names import stated

_CALLED_WITH = "_called_with"
"""The attribute with the options that were set after a call, by name, as they were before."""


class AsCalled:
    """The part of a layer that keeps the options that it was called with."""

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("_inbound") and name in _options(type(self)):  # type: ignore[arg-type]
            self.__dict__.setdefault(_CALLED_WITH, {}).setdefault(name, stated(self, name))
        super().__setattr__(name, value)

    @property
    def as_called(self) -> Any:
        """The layer with the options that it was called with; the layer itself where they are those that it has."""
        before = self.__dict__.get(_CALLED_WITH)
        if not before:
            return self
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__, **before)
        return made

    def use_options(self) -> None:
        """Computes with the present options from now on, as if the layer were called again."""
        self.__dict__.pop(_CALLED_WITH, None)


@cache
def _options(cls: Any) -> frozenset[str]:
    """The names of the options that a class computes with."""
    return frozenset(f.name for f in cls.config_fields())
