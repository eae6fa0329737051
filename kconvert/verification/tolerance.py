"""Tolerance: how far two tensors may be apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import KconvertError, Problem


@dataclass(frozen=True)
class Tolerance:
    """How far two tensors may be apart: atol + rtol * (largest magnitude of the source's tensor).

    >>> Tolerance(rtol=1e-4, layers={"lstm_1": 1e-3}).of("lstm_1").rtol
    0.001
    """

    atol: float = 1e-5
    rtol: float = 1e-4
    layers: Mapping[str, float] = field(default_factory=dict, hash=False)  # another rtol for single layers, by name

    @classmethod
    def of_options(
        cls, atol: float | None = None, rtol: float | None = None, layers: Mapping[str, float] | None = None
    ) -> Tolerance:
        """The default tolerance with the values that are not None.

        >>> Tolerance.of_options(rtol=0.5)
        Tolerance(atol=1e-05, rtol=0.5, layers={})
        """
        given = {"atol": atol, "rtol": rtol, "layers": layers}
        return cls(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]

    def of(self, name: str) -> Tolerance:
        """The tolerance of the tensor `name` alone: `lstm_1#1` and `lstm_1:2` are of layer `lstm_1`."""
        found = next((self.layers[key] for key in (name, _layer(name)) if key in self.layers), None)
        return Tolerance(self.atol, self.rtol if found is None else found)

    def allowed(self, scale: float) -> float:
        """The largest error allowed for a tensor whose largest magnitude is `scale`."""
        return self.atol + self.rtol * scale

    @property
    def loosened(self) -> bool:
        """Whether it allows more than the default for any layer."""
        largest = max((self.rtol, *self.layers.values()))
        return self.atol > DEFAULT_TOLERANCE.atol or largest > DEFAULT_TOLERANCE.rtol

    def check_layers(self, tensors: Iterable[str]) -> None:
        """Refuses a tolerance for a layer that makes none of `tensors`: it would have no effect."""
        known = {name for tensor in tensors for name in (tensor, _layer(tensor))}
        unknown = sorted(set(self.layers) - known)
        if unknown:
            raise KconvertError(
                f"the tolerance names the unknown layer {unknown[0]!r}",
                fix="use a name from the report",
                problem=Problem.USAGE,
            )

    def __str__(self) -> str:
        layers = "".join(f"; {rtol:g} x scale for {name}" for name, rtol in self.layers.items())
        return f"{self.atol:g} + {self.rtol:g} x scale{layers}"


def _layer(tensor: str) -> str:
    """The layer that makes a tensor: `lstm_1` of `lstm_1#1` and `lstm_1:2`."""
    return tensor.partition("#")[0].partition(":")[0]


DEFAULT_TOLERANCE = Tolerance()
