"""Comparison: two tensors, element by element, and what a reader wants to know of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .tolerance import Tolerance

BINS = 24  # of a histogram: decades of error below the scale, three bins each
MAP_SIDE = 32  # cells of a heat map along one axis
FEWEST = 1e-8  # errors below this part of the scale are in the first bin


@dataclass(frozen=True)
class Comparison:
    """One tensor of the source against the target's, brought to the same layout.

    scale: the largest magnitude on the source's side. needed: the rtol that would have been enough with
    the atol at hand. cosine: of the angle between the two, 1 where both point the same way. worst: index of
    the element that is furthest off, and its value on each side. not_finite: how many elements are NaN
    or infinite on either side. top1, top5: for the class scores of a classifier, the part of the samples where
    the source's best class is the target's best, or one of its five best; classes that lie closer together than
    the tolerance count as equally good. problem: why the two cannot be compared, or hold NaN on one side only.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    max_error: float
    mean_error: float
    scale: float
    needed: float
    allowed: float
    equal: bool
    cosine: float = 1.0
    worst: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    not_finite: int = 0
    top1: float | None = None
    top5: float | None = None
    problem: str = ""

    @property
    def relative(self) -> float:
        """The largest error as a part of the scale."""
        return self.max_error / self.scale if self.scale else self.max_error


def compare(
    name: str, layer: str, source: np.ndarray, target: np.ndarray, tolerance: Tolerance, classes: bool = False
) -> Comparison:
    """Compares two tensors elementwise; NaN and infinities agree only with themselves.

    classes: the last axis holds the scores of classes.
    """
    within = tolerance.of(name)
    if source.size != target.size or _sizes(source) != _sizes(target):
        problem = f"shapes differ: {source.shape} and {target.shape}"
        infinite = float("inf")
        return Comparison(
            name, layer, source.shape, infinite, infinite, 0.0, infinite, within.atol, False, 0.0, problem=problem
        )
    x, y = _both(source, target)
    finite = np.isfinite(x) & np.isfinite(y)
    strange = ~finite & ~((x == y) | (np.isnan(x) & np.isnan(y)))
    error = _error(x, y, finite)
    largest = float(error.max(initial=0.0))
    scale = float(np.abs(x[finite]).max(initial=0.0))
    allowed = within.allowed(scale)
    problem = f"{int(strange.sum())} elements are NaN or infinite on one side only" if strange.any() else ""
    if x.size and not finite.any() and not problem:
        problem = "no element is finite: there is nothing to compare"
    at = np.unravel_index(int(np.argmax(np.where(strange, np.inf, error))), x.shape) if x.size else ()
    return Comparison(
        name=name,
        layer=layer,
        shape=tuple(source.shape),
        max_error=largest,
        mean_error=float(error.mean()) if error.size else 0.0,
        scale=scale,
        needed=_needed(largest, scale, within.atol),
        allowed=allowed,
        equal=not problem and largest <= allowed,
        cosine=_cosine(x[finite], y[finite]),
        worst=tuple(map(int, at)),
        values=(float(x[at]), float(y[at])) if x.size else (),
        not_finite=int((~finite).sum()),
        top1=_agreement(x, y, 1, allowed) if classes else None,
        top5=_agreement(x, y, 5, allowed) if classes and x.shape[-1] > 5 else None,
        problem=problem,
    )


def _both(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return source.astype("float64"), target.reshape(source.shape).astype("float64")


def _error(x: np.ndarray, y: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Absolute differences, 0 where an element is not finite."""
    return np.abs(np.where(finite, x, 0) - np.where(finite, y, 0))


def _sizes(array: np.ndarray) -> tuple[int, ...]:
    """Sizes without the axes of one element: (3, 1) and (3, 1, 1) hold the same."""
    return tuple(n for n in array.shape if n != 1)


def _needed(largest: float, scale: float, atol: float) -> float:
    excess = max(largest - atol, 0.0)
    if not scale:
        return float("inf") if excess else 0.0
    return excess / scale


def _cosine(x: np.ndarray, y: np.ndarray) -> float:
    """1 where both are nothing but zeros, 0 where one is."""
    norms = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    if not all(norms):
        return float(norms[0] == norms[1])
    return float(np.clip(np.vdot(x / norms[0], y / norms[1]), -1, 1))


def _agreement(x: np.ndarray, y: np.ndarray, k: int, allowed: float) -> float:
    """The part of the samples whose best class on one side is among the `k` best of the other, ties counted as equal.

    >>> scores = np.array([[0.1, 0.9], [0.5, 0.5]])
    >>> _agreement(scores, scores[:, ::-1], 1, 1e-5)
    0.5
    """
    x, y = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
    best = x.max(-1, keepdims=True) - x <= allowed  # all that tie for the first place
    bar = np.sort(y, -1)[:, -k][:, None] - allowed
    return float((best & (y >= bar)).any(-1).mean()) if len(x) else 1.0


# ------------------------------------------------------------------ details ----


@dataclass(frozen=True)
class Details:
    """How the errors of one tensor are spread.

    histogram: how many elements have an error of which size, in bins that are thirds of a decade of
    error / scale, from 1e-8 (and less) to 1 (and more). heat: the largest error in each cell of a map of at most
    32 x 32; its axes (`axes`, of the tensor) are the two longest besides the batch.
    """

    name: str
    histogram: Sequence[int]
    heat: Sequence[Sequence[float]]
    axes: tuple[int, ...]


def details(name: str, source: np.ndarray, target: np.ndarray) -> Details | None:
    """The spread of the errors of one tensor; None where the two cannot be compared."""
    if source.size != target.size or not source.size:
        return None
    x, y = _both(source, target)
    finite = np.isfinite(x) & np.isfinite(y)
    error = _error(x, y, finite)
    scale = float(np.abs(x[finite]).max(initial=0.0)) or 1.0
    decades = np.log10(np.maximum(error / scale, FEWEST)) - np.log10(FEWEST)
    bins = np.minimum((decades * BINS / -np.log10(FEWEST)).astype(int), BINS - 1)
    heat, axes = _heat(error)
    return Details(name, np.bincount(bins.ravel(), minlength=BINS).tolist(), heat.tolist(), axes)


def _heat(error: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """The largest error in each cell of a map over the two longest axes, and those axes."""
    longest = sorted(range(1, error.ndim), key=lambda axis: -error.shape[axis])[:2]
    axes = tuple(sorted(longest)) or (0,)
    flat = error.max(axis=tuple(i for i in range(error.ndim) if i not in axes))
    flat = flat.reshape(1, -1) if flat.ndim == 1 else flat
    for axis in (0, 1):
        n = flat.shape[axis]
        starts = np.unique(np.linspace(0, n, min(n, MAP_SIDE), endpoint=False).astype(int))
        flat = np.maximum.reduceat(flat, starts, axis=axis)
    return flat, axes
