"""The charts of a report. The unit of each is the allowed error: what is above 1 differs."""

from __future__ import annotations

import math

from ...drawing.charts import (
    LABELS,
    Dot,
    HeatMap,
    Histogram,
    LogAxis,
    Scatter,
    Tick,
    heat_map,
    histogram,
    middle,
    times,
)
from ...drawing.words import number, plural
from ...lazy_dataclasses import dataclass
from ..comparison import SMALLEST, Comparison, Details
from ..value import Report
from .words import difference, titled


def depth(report: Report) -> Scatter:
    """The error of every tensor in the order of the graph, on a log scale."""
    found = report.comparisons
    ratios = [ratio(c) for c in found]
    axis = LogAxis(ratios)
    causes = {cause.name for cause in report.causes}
    first = report.first_divergence
    dots = [
        Dot(
            x=middle(i, len(found)),
            y=axis.at(r),
            title=f"{titled(c.name, c.layer)}: {difference(c)}",
            kind="cause" if c.differs and c.name in causes else c.state,
            label=c.name if c is first else "",
        )
        for i, (c, r) in enumerate(zip(found, ratios, strict=True))
    ]
    step = max(1, math.ceil(len(found) / LABELS))
    numbers = [Tick(middle(i, len(found)), str(i + 1)) for i in range(0, len(found), step)]
    return Scatter(dots, numbers, axis.ticks("allowed"), axis.at(1.0))


def ratio(found: Comparison) -> float:
    """The error as a multiple of the allowed one; infinite where the two cannot be compared."""
    return math.inf if found.problem else times(found.max_error, found.allowed)


@dataclass(frozen=True)
class Spread:
    """The distribution of the errors of one tensor."""

    name: str
    layer: str
    difference: str
    histogram: Histogram  # of the errors, as a fraction of the scale
    heat: HeatMap  # of the largest error at each position in the tensor
    axes: str  # the axes of the heat map


def spread(found: Comparison, details: Details) -> Spread:
    """The charts of one of the worst layers."""
    limit = found.allowed / (found.scale or 1.0)
    return Spread(
        name=found.name,
        layer=found.layer,
        difference=difference(found),
        histogram=histogram(details.histogram, SMALLEST, limit, _bar_title),
        heat=heat_map(details.heat, found.allowed),
        axes=_axes(found, details),
    )


def _bar_title(n: int, low: float, high: float) -> str:
    return f"{plural(n, 'element')} with an error of {number(low)} to {number(high)} of the scale"


def _axes(found: Comparison, details: Details) -> str:
    """
    >>> found = Comparison("x", "", (4, 10, 8), 0, 0, 0, 0, 0, True)
    >>> _axes(found, Details("x", [], [], (1, 2))), _axes(found, Details("x", [], [], (2,)))
    ('axis 1 (10) downwards, axis 2 (8) to the right', 'axis 2 (8) to the right')
    """
    words = [f"axis {axis}" + (f" ({found.shape[axis]})" if axis < len(found.shape) else "") for axis in details.axes]
    directions = ["to the right"] if len(words) == 1 else ["downwards", "to the right"]
    return ", ".join(f"{axis} {direction}" for axis, direction in zip(words, directions, strict=False))
