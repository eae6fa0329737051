"""Plots as numbers for templates/charts.html: positions in percent, so that they fit any width without JavaScript.

The unit of every plot is the allowed error: what is above 1 differs. Drawn by hand because no kept library gives what a
page in CI needs. Measured with 500 layers: plotly would put 4.8 MB and bokeh 1.3 MB of JavaScript into every report;
matplotlib draws one fixed set of colours, in a second for each dozen of plots; pygal gives 145 kB, has no heat maps,
fetches its script from a server and needs inline styles, which the page's policy forbids.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ..comparison import BINS, FEWEST, Comparison, Details
from ..value import Report
from .words import difference, number, plural, titled

DECADES = 8  # shown above and below the allowed error at most
UNDER, LEVELS = 2, 8  # of a heat map: below a tenth of the allowed error, below it, and six up to the largest
LABELS = 8  # of an axis at most


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


# ----------------------------------------------------------- error by depth ----


@dataclass(frozen=True)
class Dot:
    """One tensor; good: it agrees. cause: it differs by itself. label: its name, if it is shown beside the dot."""

    x: float
    y: float
    title: str
    good: bool
    cause: bool
    label: str = ""


@dataclass(frozen=True)
class Depth:
    """The error of every tensor in the order of the graph, on a log scale; allowed: where the line of 1 is."""

    dots: Sequence[Dot]
    ticks: Sequence[Tick]
    depths: Sequence[Tick]
    allowed: float


def depth(report: Report) -> Depth:
    found = report.comparisons
    ratios = [ratio(c) for c in found]
    axis = _Axis([r for r in ratios if 0 < r < math.inf], zero=0.0 in ratios, infinite=math.inf in ratios)
    causes = {cause.name for cause in report.causes}
    first = report.first_divergence
    dots = [
        Dot(
            x=_middle(i, len(found)),
            y=axis.at(r),
            title=f"{titled(c.name, c.layer)}: {difference(c)}",
            good=c.equal,
            cause=c.name in causes,
            label=c.name if c is first else "",
        )
        for i, (c, r) in enumerate(zip(found, ratios, strict=True))
    ]
    step = max(1, math.ceil(len(found) / LABELS))
    depths = [Tick(_middle(i, len(found)), str(i + 1)) for i in range(0, len(found), step)]
    return Depth(dots, axis.ticks(), depths, axis.at(1.0))


def ratio(found: Comparison) -> float:
    """The error as a multiple of what is allowed; infinite where the two cannot be compared."""
    return math.inf if found.problem else _times(found.max_error, found.allowed)


def _times(error: float, allowed: float) -> float:
    if error == 0:
        return 0.0
    return error / allowed if math.isfinite(error) and allowed > 0 else math.inf


def _middle(i: int, n: int) -> float:
    return _round(100 * (i + 0.5) / n)


def _round(x: float) -> float:
    return round(x, 2)


class _Axis:
    """A log axis upwards in percent from the top, with a row for 0 below it and one for infinity above it."""

    def __init__(self, values: Sequence[float], zero: bool, infinite: bool) -> None:
        decades = [math.log10(value) for value in values]
        self.low = max(-DECADES, min(-3, math.floor(min(decades, default=0))))
        self.high = min(DECADES, max(1, math.ceil(max(decades, default=0))))
        self.zero, self.infinite = zero, infinite

    def at(self, value: float) -> float:
        """Percent from the top."""
        top, bottom = self.high + self.infinite, self.low - self.zero
        if value in (0.0, math.inf):
            decade: float = bottom if value == 0 else top
        else:
            decade = min(max(math.log10(value), self.low), self.high)
        return _round(100 * (top - decade) / (top - bottom))

    def ticks(self) -> list[Tick]:
        step = math.ceil((self.high - self.low) / LABELS)
        decades = [decade for decade in range(self.low, self.high + 1) if decade % step == 0]
        ticks = [Tick(self.at(10.0**decade), _multiple(decade)) for decade in decades]
        ends = [(self.zero, 0.0, "0"), (self.infinite, math.inf, "beyond")]
        return ticks + [Tick(self.at(value), label) for there, value, label in ends if there]


def _multiple(decade: int) -> str:
    """
    >>> [_multiple(decade) for decade in (-4, -1, 0, 2)]
    ['1e-4 x', '0.1 x', 'allowed', '100 x']
    """
    if decade == 0:
        return "allowed"
    return f"{10.0**decade:g} x" if abs(decade) < 3 else f"1e{decade} x"


# ---------------------------------------------------------- the worst layers ----


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    height: float
    title: str
    good: bool


@dataclass(frozen=True)
class Cells:
    """Cells of a heat map of one level, as a path in units of cells."""

    level: int
    path: str


@dataclass(frozen=True)
class Spread:
    """How the errors of one tensor are spread; allowed: where the allowed error is on the histogram's axis, in percent.

    rows, columns: of the heat map; axes: which of the tensor's they are.
    """

    name: str
    layer: str
    difference: str
    bars: Sequence[Bar]
    allowed: float
    ticks: Sequence[Tick]
    cells: Sequence[Cells]
    rows: int
    columns: int
    axes: str


def spread(found: Comparison, details: Details) -> Spread:
    """The plots of one of the worst layers."""
    limit = found.allowed / (found.scale or 1.0)
    return Spread(
        name=found.name,
        layer=found.layer,
        difference=difference(found),
        bars=_bars(details.histogram, limit),
        allowed=_round(100 * _bin(limit) / BINS),
        ticks=[Tick(_round(100 * _bin(10.0**d) / BINS), f"1e{d}" if d else "1") for d in range(-8, 1, 2)],
        cells=_cells(details.heat, found.allowed),
        rows=len(details.heat),
        columns=max(map(len, details.heat), default=0),
        axes=_axes(found, details),
    )


def _bin(part: float) -> float:
    """Where a part of the scale is on the histogram's axis, in bins."""
    if not math.isfinite(part):
        return BINS
    return min(max(BINS * math.log(max(part, FEWEST) / FEWEST) / -math.log(FEWEST), 0.0), BINS)


def _bars(histogram: Sequence[int], limit: float) -> list[Bar]:
    """Log heights: a single wrong element among millions is seen."""
    most = math.log1p(max(histogram, default=0)) or 1.0
    edges = [FEWEST ** (1 - i / BINS) for i in range(BINS + 1)]
    return [
        Bar(
            x=_round(100 * i / BINS),
            width=_round(100 / BINS),
            height=_round(100 * math.log1p(n) / most),
            title=f"{plural(n, 'element')} with an error of {number(edges[i])} to {number(edges[i + 1])} of the scale",
            good=(i + 0.5) <= _bin(limit),
        )
        for i, n in enumerate(histogram)
        if n
    ]


def _cells(heat: Sequence[Sequence[float]], allowed: float) -> list[Cells]:
    """Runs of cells of one level become one rectangle; cells without any error are not drawn."""
    paths: dict[int, list[str]] = {}
    largest = max((error for row in heat for error in row), default=0.0)
    for y, row in enumerate(heat):
        x = 0
        for level, run in groupby(_level(error, allowed, largest) for error in row):
            n = len(list(run))
            if level is not None:
                paths.setdefault(level, []).append(f"M{x} {y}h{n}v1h-{n}z")
            x += n
    return [Cells(level, "".join(path)) for level, path in sorted(paths.items())]


def _level(error: float, allowed: float, largest: float) -> int | None:
    """Below the allowed error by decades, above it in equal steps: what differs is shown in contrast.

    >>> [_level(error, 1.0, 90.0) for error in (0.0, 0.1, 0.2, 2.0, 50.0, 90.0)]
    [None, 0, 1, 2, 5, 7]
    """
    times = _times(error, allowed)
    if times <= 1:
        return None if times == 0 else 0 if times <= 0.1 else 1
    steps = LEVELS - UNDER
    return LEVELS - 1 if times == math.inf else UNDER + min(int(steps * error / largest), steps - 1)


def _axes(found: Comparison, details: Details) -> str:
    """
    >>> found = Comparison("x", "", (4, 10, 8), 0, 0, 0, 0, 0, True)
    >>> _axes(found, Details("x", [], [], (1, 2))), _axes(found, Details("x", [], [], (2,)))
    ('axis 1 (10) downwards, axis 2 (8) to the right', 'axis 2 (8) to the right')
    """
    words = [f"axis {axis}" + (f" ({found.shape[axis]})" if axis < len(found.shape) else "") for axis in details.axes]
    ways = ["to the right"] if len(words) == 1 else ["downwards", "to the right"]
    return ", ".join(f"{axis} {way}" for axis, way in zip(words, ways, strict=False))
