"""Tolerance: how far two tensors may be apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..errors import KconvertError, Problem


@dataclass(frozen=True)
class Tolerance:
    """How far two tensors may be apart: atol + rtol * (largest magnitude of the source's tensor).

    layers: another rtol for single layers, by name.

    >>> Tolerance(rtol=1e-4, layers={"lstm_1": 1e-3}).of("lstm_1").rtol
    0.001
    """

    atol: float = 1e-5
    rtol: float = 1e-4
    layers: Mapping[str, float] = field(default_factory=dict, hash=False)

    def of(self, name: str) -> Tolerance:
        """The tolerance of the tensor `name` alone: `lstm_1#1` and `lstm_1:2` are of layer `lstm_1`."""
        found = next((self.layers[key] for key in (name, _layer(name)) if key in self.layers), None)
        return Tolerance(self.atol, self.rtol if found is None else found)

    def allowed(self, scale: float) -> float:
        return self.atol + self.rtol * scale

    @property
    def loosened(self) -> bool:
        """Whether it allows more than the default anywhere."""
        largest = max((self.rtol, *self.layers.values()))
        return self.atol > DEFAULT_TOLERANCE.atol or largest > DEFAULT_TOLERANCE.rtol

    def check_layers(self, tensors: Iterable[str]) -> None:
        """Refuses a tolerance for a layer that makes none of `tensors`: it would quietly do nothing."""
        known = {name for tensor in tensors for name in (tensor, _layer(tensor))}
        unknown = sorted(set(self.layers) - known)
        if unknown:
            raise KconvertError(
                f"there is no layer {unknown[0]!r} to give a tolerance",
                fix="name it as the report does",
                problem=Problem.USAGE,
            )

    def __str__(self) -> str:
        layers = "".join(f"; {rtol:g} x scale for {name}" for name, rtol in self.layers.items())
        return f"{self.atol:g} + {self.rtol:g} x scale{layers}"


def _layer(tensor: str) -> str:
    """The layer that makes a tensor: `lstm_1` of `lstm_1#1` and `lstm_1:2`."""
    return tensor.partition("#")[0].partition(":")[0]


DEFAULT_TOLERANCE = Tolerance()


def tolerance(atol: float | None, rtol: float | None, layers: Mapping[str, float]) -> Tolerance:
    """The default tolerance with what is given (not None) in its place."""
    given = {key: value for key, value in (("atol", atol), ("rtol", rtol)) if value is not None}
    return replace(DEFAULT_TOLERANCE, **given, layers=dict(layers))
