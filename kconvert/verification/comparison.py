"""Comparison: two tensors compared element by element, and how their errors are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .tolerance import Tolerance

BINS = 24  # of a histogram: decades of error below the scale, three bins each
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
    needed: float  # an rtol that is enough, with the atol of the tolerance; infinite where none is
    allowed: float  # the largest error that is allowed
    equal: bool
    cosine: float = 1.0  # of the angle between the two tensors
    worst: tuple[int, ...] = ()  # index of the element with the largest error
    values: tuple[float, ...] = ()  # that element in the source and in the target
    not_finite: int = 0  # how many elements are NaN or infinite on either side
    # For class scores, the fraction of the samples where the source's best class is the target's best, or one of its
    # five best. Classes closer together than the tolerance count as equally good.
    top1: float | None = None
    top5: float | None = None
    problem: str = ""  # why the two cannot be compared, or that one alone holds NaN
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
    name: str, layer: str, source: np.ndarray, target: np.ndarray, tolerance: Tolerance, classes: bool = False
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
    x, y = _both(source, target)
    finite = np.isfinite(x) & np.isfinite(y)
    one_sided = ~finite & ~((x == y) | (np.isnan(x) & np.isnan(y)))
    error = _error(x, y, finite)
    largest = float(error.max(initial=0.0))
    scale = float(np.abs(x[finite]).max(initial=0.0))
    allowed = within.allowed(scale)
    problem = f"{int(one_sided.sum())} elements are NaN or infinite on one side only" if one_sided.any() else ""
    if not finite.any() and not problem:
        problem = f"{'no element is finite' if x.size else 'it has no elements'}: there is nothing to compare"
    at = np.unravel_index(int(np.argmax(np.where(one_sided, np.inf, error))), x.shape) if x.size else ()
    return Comparison(
        name=name,
        layer=layer,
        shape=tuple(source.shape),
        max_error=largest,
        mean_error=float(error.mean()) if error.size else 0.0,
        scale=scale,
        needed=float("inf") if problem else _needed(largest, scale, within.atol),
        allowed=allowed,
        equal=not problem and largest <= allowed,
        cosine=_cosine(x[finite], y[finite]),
        worst=tuple(map(int, at)),
        values=(float(x[at]), float(y[at])) if x.size else (),
        not_finite=int((~finite).sum()),
        top1=_agreement(x, y, 1, allowed) if classes else None,
        top5=_agreement(x, y, 5, allowed) if classes and x.shape[-1] > 5 else None,
        problem=problem,
        compared=x.size > 0,
    )


def _both(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return source.astype("float64"), target.reshape(source.shape).astype("float64")


def _error(x: np.ndarray, y: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Absolute differences, 0 where an element is not finite."""
    return np.abs(np.where(finite, x, 0) - np.where(finite, y, 0))


def _sizes(array: np.ndarray) -> tuple[int, ...]:
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


def _cosine(x: np.ndarray, y: np.ndarray) -> float:
    """1 where both are zero, 0 where one is."""
    norms = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    if not all(norms):
        return float(norms[0] == norms[1])
    return float(np.clip(np.vdot(x / norms[0], y / norms[1]), -1, 1))


def _agreement(x: np.ndarray, y: np.ndarray, k: int, allowed: float) -> float:
    """The fraction of the samples whose best class on one side is among the `k` best of the other; ties are equal.

    >>> scores = np.array([[0.1, 0.9], [0.5, 0.5]])
    >>> _agreement(scores, scores[:, ::-1], 1, 1e-5)
    0.5
    """
    x, y = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
    best = x.max(-1, keepdims=True) - x <= allowed  # all that tie for the best class
    bar = np.sort(y, -1)[:, -k][:, None] - allowed
    return float((best & (y >= bar)).any(-1).mean()) if len(x) else 1.0


# ------------------------------------------------------------------ details ----


@dataclass(frozen=True)
class Details:
    """How the errors of one tensor are spread."""

    name: str
    histogram: Sequence[int]  # elements by error / scale: BINS on a log axis from 1e-8 (and less) to 1 (and more)
    heat: Sequence[Sequence[float]]  # the largest error in each cell of a map of at most 32 x 32
    axes: tuple[int, ...]  # the axes of the tensor that the map shows: the two longest besides the batch


def details(name: str, source: np.ndarray, target: np.ndarray) -> Details | None:
    """The spread of the errors of one tensor; None where the two cannot be compared."""
    if source.size != target.size or not source.size:
        return None
    x, y = _both(source, target)
    finite = np.isfinite(x) & np.isfinite(y)
    error = _error(x, y, finite)
    scale = float(np.abs(x[finite]).max(initial=0.0)) or 1.0
    decades = np.log10(np.maximum(error / scale, SMALLEST)) - np.log10(SMALLEST)
    bins = np.minimum((decades * BINS / -np.log10(SMALLEST)).astype(int), BINS - 1)
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
