"""Charts as numbers for templates/charts.html: positions in percent, so that they fit any width without JavaScript.

A chart shows values against a limit: what is above it is marked. The charts are own code, because no maintained library
provides what a page in CI needs. Measured with 500 layers: plotly puts 4.8 MB and bokeh 1.3 MB of JavaScript into every
page; matplotlib draws one fixed set of colours, and takes a second for a dozen plots; pygal gives 145 kB, has no heat
maps, fetches its script from a server and needs inline styles, which the policy of the page forbids.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

from ..lazy_dataclasses import dataclass

DECADES = 8  # the most decades that a log axis shows above and below the limit
LABELS = 8  # the most labels on an axis
LEVELS = 8  # colours of a heat map
UNDER = 2  # of these, those for values within the limit: below a tenth of it, and above


@dataclass(frozen=True)
class Tick:
    """A label on an axis, and its position in percent."""

    at: float
    label: str


def middle(i: int, n: int) -> float:
    """The middle of column `i` of `n`, in percent."""
    return _rounded(100 * (i + 0.5) / n)


def times(value: float, limit: float) -> float:
    """A value as a multiple of the limit."""
    if value == 0:
        return 0.0
    return value / limit if math.isfinite(value) and limit > 0 else math.inf


def _rounded(x: float) -> float:
    return round(x, 2)


# ------------------------------------------------------------------ scatter ----


@dataclass(frozen=True)
class Dot:
    """A mark of a scatter plot."""

    x: float
    y: float
    title: str
    kind: str  # the class of its style
    label: str = ""  # shown beside it


@dataclass(frozen=True)
class Scatter:
    """Dots on two axes, and the line of the limit."""

    dots: Sequence[Dot]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    limit: float


class LogAxis:
    """A log axis of multiples of the limit, in percent from the top, with places for 0 below and infinity above."""

    def __init__(self, values: Sequence[float]) -> None:
        decades = [math.log10(value) for value in values if 0 < value < math.inf]
        self.low = max(-DECADES, min(-3, math.floor(min(decades, default=0))))
        self.high = min(DECADES, max(1, math.ceil(max(decades, default=0))))
        self.zero, self.infinite = 0.0 in values, math.inf in values

    def at(self, value: float) -> float:
        """Percent from the top."""
        top, bottom = self.high + self.infinite, self.low - self.zero
        if value in (0.0, math.inf):
            decade: float = bottom if value == 0 else top
        else:
            decade = min(max(math.log10(value), self.low), self.high)
        return _rounded(100 * (top - decade) / (top - bottom))

    def ticks(self, limit: str) -> list[Tick]:
        """The labels; `limit` is that of the limit itself."""
        step = math.ceil((self.high - self.low) / LABELS)
        decades = [decade for decade in range(self.low, self.high + 1) if decade % step == 0]
        ticks = [Tick(self.at(10.0**decade), _multiple(decade) if decade else limit) for decade in decades]
        ends = [(self.zero, 0.0, "0"), (self.infinite, math.inf, "beyond")]
        return ticks + [Tick(self.at(value), label) for there, value, label in ends if there]


def _multiple(decade: int) -> str:
    """
    >>> [_multiple(decade) for decade in (-4, -1, 2)]
    ['1e-4 x', '0.1 x', '100 x']
    """
    return f"{10.0**decade:g} x" if abs(decade) < 3 else f"1e{decade} x"


# ---------------------------------------------------------------- histogram ----


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram."""

    x: float
    width: float
    height: float
    title: str
    good: bool  # within the limit


@dataclass(frozen=True)
class Histogram:
    """Bars on a log axis, and the position of the limit on it."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    limit: float


def histogram(
    counts: Sequence[int], smallest: float, limit: float, title: Callable[[int, float, float], str]
) -> Histogram:
    """How many values lie in each bin of a log axis from `smallest` to 1.

    The heights are logarithmic, so that a single value among millions is seen. title: of a bar, from the count and
    the edges of its bin.
    """
    bins = len(counts)

    def bin_of(value: float) -> float:
        """The position of a value on the axis, in bins."""
        if not math.isfinite(value):
            return bins
        return min(max(bins * math.log(max(value, smallest) / smallest) / -math.log(smallest), 0.0), bins)

    most = math.log1p(max(counts, default=0)) or 1.0
    edges = [smallest ** (1 - i / bins) for i in range(bins + 1)]
    bars = [
        Bar(
            x=_rounded(100 * i / bins),
            width=_rounded(100 / bins),
            height=_rounded(100 * math.log1p(n) / most),
            title=title(n, edges[i], edges[i + 1]),
            good=(i + 0.5) <= bin_of(limit),
        )
        for i, n in enumerate(counts)
        if n
    ]
    decades = range(round(math.log10(smallest)), 1, 2)
    ticks = [Tick(_rounded(100 * bin_of(10.0**d) / bins), f"1e{d}" if d else "1") for d in decades]
    return Histogram(bars, ticks, _rounded(100 * bin_of(limit) / bins))


# ----------------------------------------------------------------- heat map ----


@dataclass(frozen=True)
class Cells:
    """All cells of one level, as a path in units of cells."""

    level: int
    path: str


@dataclass(frozen=True)
class HeatMap:
    """Cells coloured by level; cells of value 0 are not drawn."""

    cells: Sequence[Cells]
    rows: int
    columns: int


def heat_map(values: Sequence[Sequence[float]], limit: float) -> HeatMap:
    """The levels of a matrix; neighbours of one level in a row become one rectangle."""
    largest = max((value for row in values for value in row), default=0.0)
    return _map([[heat_level(value, limit, largest) for value in row] for row in values])


def value_map(values: Sequence[Sequence[float]]) -> HeatMap:
    """The levels of a matrix of signed values: half of them below 0, half above; equal values have equal levels."""
    largest = max((abs(value) for row in values for value in row if math.isfinite(value)), default=0.0)
    return _map([[value_level(value, largest) for value in row] for row in values])


def value_level(value: float, largest: float) -> int | None:
    """
    >>> [value_level(value, 1.0) for value in (-1.0, -0.1, 0.0, 0.1, 1.0)]
    [0, 3, None, 4, 7]
    """
    if value == 0 or not math.isfinite(value):
        return None
    return min(int(LEVELS / 2 * (1 + value / largest)), LEVELS - 1)


def _map(levels: Sequence[Sequence[int | None]]) -> HeatMap:
    paths: dict[int, list[str]] = {}
    for y, row in enumerate(levels):
        x = 0
        for level, run in groupby(row):
            n = len(list(run))
            if level is not None:
                paths.setdefault(level, []).append(f"M{x} {y}h{n}v1h-{n}z")
            x += n
    cells = [Cells(level, "".join(path)) for level, path in sorted(paths.items())]
    return HeatMap(cells, rows=len(levels), columns=max(map(len, levels), default=0))


def heat_level(value: float, limit: float, largest: float) -> int | None:
    """Two levels within the limit, and equal steps from it to the largest value, in other colours.

    >>> [heat_level(value, 1.0, 90.0) for value in (0.0, 0.1, 0.2, 2.0, 50.0, 90.0)]
    [None, 0, 1, 2, 5, 7]
    """
    multiple = times(value, limit)
    if multiple <= 1:
        return None if multiple == 0 else 0 if multiple <= 0.1 else 1
    steps = LEVELS - UNDER
    return LEVELS - 1 if multiple == math.inf else UNDER + min(int(steps * value / largest), steps - 1)
