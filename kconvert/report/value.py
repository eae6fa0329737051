"""Report: what a verification found, as one value that every form of report is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

SCHEMA = 1


@dataclass(frozen=True)
class Tolerance:
    """How far two tensors may be apart: atol + rtol * (largest magnitude of the source's tensor)."""

    atol: float = 1e-5
    rtol: float = 1e-4

    def allowed(self, scale: float) -> float:
        return self.atol + self.rtol * scale

    @property
    def is_default(self) -> bool:
        return self == DEFAULT_TOLERANCE


DEFAULT_TOLERANCE = Tolerance()


@dataclass(frozen=True)
class Comparison:
    """One tensor of the source against the target's, brought to the source's layout.

    scale: the largest magnitude on the source's side. needed: the rtol that would have been enough
    with the atol at hand. problem: why the two cannot be compared, or hold NaN on one side only.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    max_error: float
    mean_error: float
    scale: float
    needed: float
    equal: bool
    problem: str = ""

    @property
    def relative(self) -> float:
        """The largest error as a part of the scale."""
        return self.max_error / self.scale if self.scale else self.max_error


def compare(name: str, layer: str, source: np.ndarray, target: np.ndarray, tolerance: Tolerance) -> Comparison:
    """Compares two tensors elementwise; NaN and infinities agree only with themselves."""
    if source.size != target.size or _sizes(source) != _sizes(target):
        problem = f"shapes differ: {source.shape} and {target.shape}"
        return Comparison(name, layer, source.shape, np.inf, np.inf, 0.0, np.inf, False, problem)
    x, y = source.astype("float64"), target.reshape(source.shape).astype("float64")
    finite = np.isfinite(x) & np.isfinite(y)
    strange = ~finite & ~((x == y) | (np.isnan(x) & np.isnan(y)))
    error = np.abs(np.where(finite, x, 0) - np.where(finite, y, 0))
    largest = float(error.max(initial=0.0))
    scale = float(np.abs(x[finite]).max(initial=0.0))
    problem = f"{int(strange.sum())} elements are NaN or infinite on one side only" if strange.any() else ""
    if x.size and not finite.any() and not problem:
        problem = "no element is finite: there is nothing to compare"
    return Comparison(
        name=name,
        layer=layer,
        shape=tuple(source.shape),
        max_error=largest,
        mean_error=float(error.mean()) if error.size else 0.0,
        scale=scale,
        needed=max(largest - tolerance.atol, 0.0) / scale if scale else (np.inf if largest > tolerance.atol else 0.0),
        equal=not problem and largest <= tolerance.allowed(scale),
        problem=problem,
    )


def _sizes(array: np.ndarray) -> tuple[int, ...]:
    """Sizes without the axes of one element: (3, 1) and (3, 1, 1) hold the same."""
    return tuple(n for n in array.shape if n != 1)


@dataclass(frozen=True)
class Side:
    """One of the two files: its convention and what ran it. reference: NumPy took the framework's part."""

    path: str
    convention: str
    ran_on: str
    version: str
    reference: bool = False

    def __str__(self) -> str:
        if self.reference:
            return f"the NumPy reference in {self.convention.rpartition('/')[2]}'s part"
        return f"{self.ran_on} {self.version}"


@dataclass(frozen=True)
class Report:
    """A verification: both sides, every tensor compared, and the verdict.

    weights: stored arrays of the target that are not, bit for bit, what the conversion makes of the
    source. notes: what a reader should know.
    """

    source: Side
    target: Side
    tolerance: Tolerance
    layers: Sequence[Comparison]
    outputs: Sequence[Comparison]
    arrays: int = 0
    weights: Sequence[str] = ()
    notes: Sequence[str] = ()
    samples: int = 0
    seed: int = 0
    schema: int = field(default=SCHEMA)

    @property
    def equal(self) -> bool:
        """Whether there are outputs, and they and every layer agree."""
        return bool(self.outputs) and all(comparison.equal for comparison in (*self.layers, *self.outputs))

    @property
    def first_divergence(self) -> Comparison | None:
        """The first layer, in the order of the graph, whose outputs differ."""
        return next((comparison for comparison in (*self.layers, *self.outputs) if not comparison.equal), None)

    @property
    def needed(self) -> float:
        """The rtol that would have been enough for all."""
        return max((comparison.needed for comparison in (*self.layers, *self.outputs)), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """JSON values; `docs/report.schema.json` describes them."""
        first = self.first_divergence
        return {
            **_finite(asdict(self)),
            "equal": self.equal,
            "first_divergence": first.name if first else None,
            "needed_rtol": _finite(self.needed),
        }


def _finite(value: Any) -> Any:
    """JSON has no infinity: null stands for it."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
