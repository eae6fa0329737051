"""Compares two tensors element by element, and describes the distribution of their errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..formats.parts import Box
from ..lazy_dataclasses import dataclass
from .tensors import Tensor, both, parts, reshaped, rows
from .tolerance import Tolerance

BINS = 24  # bins of a histogram: three for each decade of error below the scale
MAP_SIDE = 32  # cells of a heat map along one axis
SMALLEST = 1e-8  # smaller errors, as a fraction of the scale, are in the first bin of a histogram


@dataclass(frozen=True)
class Comparison:
    """A tensor of the source compared with the target's, both in the target's layout."""

    name: str
    layer: str  # class of the layer that makes it
    shape: tuple[int, ...]
    max_error: float
    mean_error: float
    scale: float  # the largest magnitude in the source's tensor
    needed: float  # the rtol that is needed, with the atol of the tolerance; infinite if none is enough
    allowed: float  # the largest error that is allowed
    equal: bool
    cosine: float = 1.0  # cosine of the angle between the two tensors
    worst: tuple[int, ...] = ()  # index of the element with the largest error
    values: tuple[float, ...] = ()  # that element in the source and in the target
    not_finite: int = 0  # how many elements are NaN or infinite on either side
    # For class scores, the fraction of the samples where the source's best class is the target's best, or one of its
    # five best. Classes closer together than the tolerance count as equally good.
    top1: float | None = None
    top5: float | None = None
    problem: str = ""  # why the two cannot be compared, or that only one of them holds NaN
    compared: bool = True  # whether there are elements to compare
    amplified: bool = False  # equal only because the network amplifies rounding by as much (`runs.ROUNDINGS`)

    @property
    def state(self) -> str:
        """'equal', 'differs', or 'unproved' where there was nothing to compare."""
        return "equal" if self.equal else "differs" if self.compared else "unproved"

    @property
    def differs(self) -> bool:
        return self.state == "differs"

    @property
    def relative(self) -> float:
        """The largest error as a fraction of the scale."""
        return self.max_error / self.scale if self.scale else self.max_error


def compare(
    name: str, layer: str, source: Tensor, target: Tensor, tolerance: Tolerance, classes: bool = False
) -> Comparison:
    """Compares two tensors elementwise; NaN and infinities equal only themselves.

    classes: the last axis holds class scores.
    """
    within = tolerance.of(name)
    if source.size != target.size or _sizes(source) != _sizes(target):
        problem = f"shapes differ: {source.shape} and {target.shape}"
        infinite = float("inf")
        return Comparison(
            name, layer, source.shape, infinite, infinite, 0.0, infinite, within.atol, False, 0.0, problem=problem
        )
    found = _Totals()
    for box in parts(source):
        found.add(box, *both(source, target, box))
    allowed = within.allowed(found.scale)
    problem = f"{found.one_sided} elements are NaN or infinite on one side only" if found.one_sided else ""
    if found.not_finite == source.size and not problem:
        nothing = "no element is finite" if source.size else "it has no elements"
        problem = f"{nothing}: there is nothing to compare"
    return Comparison(
        name=name,
        layer=layer,
        shape=tuple(source.shape),
        max_error=found.largest,
        mean_error=found.sum / source.size if source.size else 0.0,
        scale=found.scale,
        needed=float("inf") if problem else _needed(found.largest, found.scale, within.atol),
        allowed=allowed,
        equal=not problem and found.largest <= allowed,
        cosine=found.cosine,
        worst=found.worst,
        values=found.values,
        not_finite=found.not_finite,
        top1=_agreement(source, target, 1, allowed) if classes else None,
        top5=_agreement(source, target, 5, allowed) if classes and source.shape[-1] > 5 else None,
        problem=problem,
        compared=source.size > 0,
    )


@dataclass
class _Totals:
    """Statistics of two tensors, accumulated box by box."""

    largest: float = 0.0  # the largest error
    sum: float = 0.0  # the sum of the errors
    scale: float = 0.0
    not_finite: int = 0  # elements that are NaN or infinite on either side
    one_sided: int = 0  # those of them whose counterpart has another value
    worst: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    _worst_error: float = -1.0
    _squares: tuple[float, float] = (0.0, 0.0)  # the sum of squares of each tensor
    _product: float = 0.0  # the scalar product of the two tensors

    def add(self, box: Box, x: np.ndarray, y: np.ndarray) -> None:
        """Adds the elements in one box, which comes after the boxes before in the order of the tensors."""
        finite = np.isfinite(x) & np.isfinite(y)
        one_sided = ~finite & ~((x == y) | (np.isnan(x) & np.isnan(y)))
        error = _error(x, y, finite)
        apart = np.where(one_sided, np.inf, error)
        at = np.unravel_index(int(np.argmax(apart)), x.shape)
        if apart[at] > self._worst_error:
            self._worst_error, self.values = float(apart[at]), (float(x[at]), float(y[at]))
            self.worst = tuple(int(i) + one.start for i, one in zip(at, box, strict=True))
        u, v = (np.where(finite, side, 0).ravel() for side in (x, y))
        self.largest = max(self.largest, float(error.max()))
        self.sum += float(error.sum())
        self.scale = max(self.scale, float(np.abs(u).max()))
        self.not_finite += int(x.size - finite.sum())
        self.one_sided += int(one_sided.sum())
        self._squares = self._squares[0] + float(u @ u), self._squares[1] + float(v @ v)
        self._product += float(u @ v)

    @property
    def cosine(self) -> float:
        """1 if both tensors are zero, 0 if one of them is."""
        norms = [math.sqrt(square) for square in self._squares]
        if not all(norms):
            return float(norms[0] == norms[1])
        return float(np.clip(self._product / norms[0] / norms[1], -1, 1))


def _error(x: np.ndarray, y: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Absolute differences, 0 where an element is not finite."""
    return np.abs(np.where(finite, x, 0) - np.where(finite, y, 0))


def _sizes(array: Tensor) -> tuple[int, ...]:
    """Sizes without the axes of size 1: (3, 1) and (3, 1, 1) are equal."""
    return tuple(n for n in array.shape if n != 1)


def _needed(largest: float, scale: float, atol: float) -> float:
    """The smallest rtol with which `Tolerance.allowed` is enough, rounding included."""
    if largest <= atol:
        return 0.0
    needed = (largest - atol) / scale if scale else float("inf")
    while atol + needed * scale < largest:
        needed = float(np.nextafter(needed, np.inf))
    return needed


def _agreement(source: Tensor, target: Tensor, k: int, allowed: float) -> float:
    """The fraction of the samples whose best class on one side is among the `k` best of the other; ties are equal.

    >>> scores = np.array([[0.1, 0.9], [0.5, 0.5]])
    >>> _agreement(scores, scores[:, ::-1], 1, 1e-5)
    0.5
    """
    agreeing = samples = 0
    for box in rows(source):
        x, y = (side.reshape(-1, side.shape[-1]) for side in both(source, target, box))
        best = x.max(-1, keepdims=True) - x <= allowed  # all that tie for the best class
        bar = np.sort(y, -1)[:, -k][:, None] - allowed
        agreeing += int((best & (y >= bar)).any(-1).sum())
        samples += len(x)
    return agreeing / samples if samples else 1.0


# ------------------------------------------------------------------ details ----


@dataclass(frozen=True)
class Details:
    """The distribution of the errors of one tensor."""

    name: str
    histogram: Sequence[int]  # elements by error / scale: BINS on a log axis from 1e-8 (and less) to 1 (and more)
    heat: Sequence[Sequence[float]]  # the largest error in each cell of a map of at most 32 x 32
    axes: tuple[int, ...]  # the axes of the tensor that the map shows: the two longest besides the batch


def details(name: str, source: Tensor, target: Tensor) -> Details | None:
    """The distribution of the errors of one tensor; None if the two cannot be compared."""
    if source.size != target.size or not source.size:
        return None
    if _sizes(source) != _sizes(target):
        target = reshaped(target, source.shape)
    scale = max(_scale(*both(source, target, box)) for box in parts(source)) or 1.0
    axes = _mapped(source.shape)
    places = [_cells(source.shape, axis) for axis in axes]
    histogram = np.zeros(BINS, int)
    heat = np.zeros([int(of[-1]) + 1 for of in places]).reshape(-1, int(places[-1][-1]) + 1)
    for box in parts(source):
        x, y = both(source, target, box)
        error = _error(x, y, np.isfinite(x) & np.isfinite(y))
        decades = np.log10(np.maximum(error / scale, SMALLEST)) - np.log10(SMALLEST)
        bins = np.minimum((decades * BINS / -np.log10(SMALLEST)).astype(int), BINS - 1)
        histogram += np.bincount(bins.ravel(), minlength=BINS)
        flat = error.max(axis=tuple(i for i in range(error.ndim) if i not in axes))
        *high, wide = (of[box[axis]] for axis, of in zip(axes, places, strict=True))
        np.maximum.at(heat, np.ix_(high[0] if high else np.zeros(1, int), wide), flat.reshape(-1, len(wide)))
    return Details(name, histogram.tolist(), heat.tolist(), axes)


def _scale(x: np.ndarray, y: np.ndarray) -> float:
    """The largest magnitude of `x` where both are finite."""
    return float(np.abs(x[np.isfinite(x) & np.isfinite(y)]).max(initial=0.0))


def _mapped(shape: Sequence[int]) -> tuple[int, ...]:
    """The axes that a map shows."""
    longest = sorted(range(1, len(shape)), key=lambda axis: -shape[axis])[:2]
    return tuple(sorted(longest)) or (0,)


def _cells(shape: Sequence[int], axis: int) -> np.ndarray:
    """The cell of a map in which each index of an axis is."""
    n = shape[axis]
    starts = np.unique(np.linspace(0, n, min(n, MAP_SIDE), endpoint=False).astype(int))
    return np.searchsorted(starts, np.arange(n), "right") - 1
