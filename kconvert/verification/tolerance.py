"""Tolerance: the allowed difference of two tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from difflib import get_close_matches

from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass

MENTIONED = 5  # names that an error lists


@dataclass(frozen=True)
class Tolerance:
    """The allowed difference of two tensors: atol + rtol * (largest absolute value of the source's tensor).

    >>> Tolerance(rtol=1e-4, layers={"lstm_1": 1e-3}).of("lstm_1").rtol
    0.001
    """

    atol: float = 1e-5
    rtol: float = 1e-4
    layers: Mapping[str, float] = field(default_factory=dict, hash=False)  # another rtol for single layers, by name

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
        """Refuses a tolerance for a layer that computes none of `tensors`, because it would have no effect."""
        layers = {tensor: _layer(tensor) for tensor in tensors}
        known = list(dict.fromkeys(layers.values()))
        for name in sorted({*self.layers} - {*layers, *known}):
            close = get_close_matches(name, {*layers, *known}, n=1)
            more = ", ..." if len(known) > MENTIONED else ""
            fix = f"did you mean {close[0]!r}?" if close else f"its layers: {', '.join(known[:MENTIONED])}{more}"
            raise KconvertError(f"the tolerance names the unknown layer {name!r}", fix=fix, problem=Problem.USAGE)

    def __str__(self) -> str:
        layers = "".join(f"; {rtol:g} x scale for {name}" for name, rtol in self.layers.items())
        return f"{self.atol:g} + {self.rtol:g} x scale{layers}"


def _layer(tensor: str) -> str:
    """The layer that makes a tensor: `lstm_1` of `lstm_1#1` and `lstm_1:2`."""
    return tensor.partition("#")[0].partition(":")[0]


DEFAULT_TOLERANCE = Tolerance()
