"""Layered drawings of graphs: boxes in rows from top to bottom, and curves between them, as numbers for graph.html.

This is own code, because a page must be self-contained and no library fits: Graphviz is a program that is
not installed with pip, grandalf is not maintained, and igraph is a binary of 15 MB for one function.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from ..lazy_dataclasses import dataclass

WIDTH, HEIGHT = 216, 46  # of a box, in pixels
GAP, ROW = 20, 80  # between boxes side by side; from one row to the next
LANE = 14  # the width that a curve takes beside boxes
SWEEPS = 6  # how often rows are arranged by their neighbours
LONGEST = 20_000  # rows that curves cross in all; beyond, they are drawn straight to their ends

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Box:
    """A node of the graph. x, y: of its upper left corner."""

    x: float
    y: float
    title: str
    lines: Sequence[str]
    kinds: Sequence[str] = ()  # the classes of its style


@dataclass(frozen=True)
class Drawing:
    """A graph as boxes and curves (the paths of SVG)."""

    boxes: Sequence[Box]
    curves: Sequence[str]
    width: int
    height: int
    box_width: int = WIDTH
    box_height: int = HEIGHT


@dataclass(frozen=True)
class Label:
    """What a box says."""

    title: str  # in full
    lines: Sequence[str]
    kinds: Sequence[str] = ()


def layered(labels: Mapping[Key, Label], edges: Sequence[tuple[Key, Key]]) -> Drawing:
    """Draws a graph without cycles. labels: of each node, in an order in which every edge leads to a later node."""
    rows = _rows(labels, edges)
    parts, ways = _with_lanes(rows, edges)
    neighbours = _neighbours(ways)
    for sweep in range(SWEEPS):
        _sort_rows(parts, neighbours, up=bool(sweep % 2))
    places = _placed(parts, neighbours)
    left = min((x - _width(part) / 2 for part, x in places.items()), default=0.0)
    right = max((x + _width(part) / 2 for part, x in places.items()), default=0.0)
    centre = {part: x - left for part, x in places.items()}
    boxes = [
        Box(round(centre[key] - WIDTH / 2, 1), rows[key] * ROW, label.title, label.lines, label.kinds)
        for key, label in labels.items()
    ]
    height = (max(rows.values(), default=0) * ROW + HEIGHT) if rows else 0
    return Drawing(boxes, [_curve(way, centre, rows) for way in ways], round(right - left), height)


@dataclass(frozen=True)
class _Lane:
    """Where a curve crosses a row."""

    curve: int
    row: int


def _width(part: Hashable) -> int:
    return LANE if isinstance(part, _Lane) else WIDTH


def _rows(labels: Mapping[Key, Label], edges: Sequence[tuple[Key, Key]]) -> dict[Key, int]:
    """The row of each node: one below the lowest of those that lead to it."""
    above: dict[Key, list[Key]] = {}
    for start, end in edges:
        above.setdefault(end, []).append(start)
    rows: dict[Key, int] = {}
    for key in labels:
        rows[key] = 1 + max((rows[start] for start in above.get(key, ())), default=-1)
    below: dict[Key, int] = {}
    for start, end in edges:
        below[start] = min(below.get(start, rows[end]), rows[end])
    for key in labels:  # what nothing leads to stands just above what it leads to
        if key not in above and key in below:
            rows[key] = below[key] - 1
    return rows


def _with_lanes(
    rows: Mapping[Key, int], edges: Sequence[tuple[Key, Key]]
) -> tuple[list[list[Hashable]], list[list[Hashable]]]:
    """The parts of each row, nodes and lanes of curves; and the way of each curve through them."""
    parts: list[list[Hashable]] = [[] for _ in range(max(rows.values(), default=-1) + 1)]
    for key, row in rows.items():
        parts[row].append(key)
    crossed = sum(rows[end] - rows[start] - 1 for start, end in edges)
    ways: list[list[Hashable]] = []
    for number, (start, end) in enumerate(edges):
        between = range(rows[start] + 1, rows[end]) if crossed <= LONGEST else range(0)
        lanes = [_Lane(number, row) for row in between]
        for lane in lanes:
            parts[lane.row].append(lane)
        ways.append([start, *lanes, end])
    return parts, ways


def _neighbours(ways: Sequence[Sequence[Hashable]]) -> tuple[dict[Hashable, list[Hashable]], ...]:
    """The parts above and the parts below each part."""
    above: dict[Hashable, list[Hashable]] = {}
    below: dict[Hashable, list[Hashable]] = {}
    for way in ways:
        for start, end in pairwise(way):
            above.setdefault(end, []).append(start)
            below.setdefault(start, []).append(end)
    return above, below


def _sort_rows(
    parts: list[list[Hashable]], neighbours: Sequence[Mapping[Hashable, Sequence[Hashable]]], up: bool
) -> None:
    """Sorts each row by the mean position of the neighbours of its parts in the row before."""
    nearer = neighbours[1] if up else neighbours[0]
    rows = range(len(parts) - 2, -1, -1) if up else range(1, len(parts))
    for row in rows:
        other = {part: i for i, part in enumerate(parts[row + 1 if up else row - 1])}
        own = {part: i for i, part in enumerate(parts[row])}

        def mean(part: Hashable, other: Mapping[Hashable, int] = other, own: Mapping[Hashable, int] = own) -> float:
            found = [other[one] for one in nearer.get(part, ()) if one in other]
            return sum(found) / len(found) if found else own[part]

        parts[row].sort(key=mean)


def _placed(
    parts: Sequence[Sequence[Hashable]], neighbours: Sequence[Mapping[Hashable, Sequence[Hashable]]]
) -> dict[Hashable, float]:
    """The centre of each part: near the mean of its neighbours, without overlaps."""
    places: dict[Hashable, float] = {}
    for row in parts:
        _spread(row, places, dict.fromkeys(row, 0.0))
    for sweep in range(SWEEPS):
        nearer = neighbours[sweep % 2]
        for row in parts if sweep % 2 == 0 else reversed(parts):
            wanted = {}
            for part in row:
                found = [places[one] for one in nearer.get(part, ())]
                wanted[part] = sum(found) / len(found) if found else places[part]
            _spread(row, places, wanted)
    return places


def _spread(row: Sequence[Hashable], places: dict[Hashable, float], wanted: Mapping[Hashable, float]) -> None:
    """Places the parts of a row as near as they may be to where they are wanted, in their order."""
    offset, offsets = 0.0, []
    for before, part in zip([None, *row[:-1]], row, strict=True):
        offset += 0.0 if before is None else (_width(before) + _width(part)) / 2 + GAP
        offsets.append(offset)
    groups: list[tuple[float, int]] = []  # (mean shift, how many parts): neighbours that would overlap move together
    for part, own in zip(row, offsets, strict=True):
        shift, count = wanted[part] - own, 1
        while groups and groups[-1][0] > shift:
            other, many = groups.pop()
            shift, count = (other * many + shift * count) / (many + count), many + count
        groups.append((shift, count))
    shifts = [shift for shift, count in groups for _ in range(count)]
    for part, own, shift in zip(row, offsets, shifts, strict=True):
        places[part] = own + shift


def _curve(way: Sequence[Hashable], centre: Mapping[Hashable, float], rows: Mapping[Key, int]) -> str:
    """The path of a curve from the lower edge of its first box to the upper edge of its last."""
    words = []
    for start, end in pairwise(way):
        x, y = centre[start], _row(start, rows) * ROW + HEIGHT
        to_x, to_y = centre[end], _row(end, rows) * ROW
        words.append(
            f"M{x:.0f} {y}C{x:.0f} {(y + to_y) / 2:.0f} {to_x:.0f} {(y + to_y) / 2:.0f} {to_x:.0f} {to_y}"
            + (f"V{to_y + HEIGHT}" if isinstance(end, _Lane) else "")
        )
    return "".join(words)


def _row(part: Hashable, rows: Mapping[Key, int]) -> int:
    return part.row if isinstance(part, _Lane) else rows[part]  # type: ignore[index]
