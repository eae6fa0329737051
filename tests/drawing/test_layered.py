"""Drawings of graphs: boxes do not overlap, and curves lead from above to below."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert.drawing import layered
from kconvert.drawing.layered import HEIGHT, WIDTH, Label

CHAIN = [(i, i + 1) for i in range(9)]
RESIDUAL = [*CHAIN, (0, 3), (3, 6), (0, 9)]


@st.composite
def graphs(draw):
    """Edges that lead from smaller to larger numbers."""
    count = draw(st.integers(1, 14))
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    edges = draw(st.lists(ends, max_size=30))
    return count, sorted({(min(pair), max(pair)) for pair in edges if pair[0] != pair[1]})


def drawn(count, edges):
    return layered.layered({i: Label(str(i), [str(i)]) for i in range(count)}, edges)


def starts_and_ends(drawing):
    for curve in drawing.curves:
        numbers = [tuple(map(float, pair)) for pair in re.findall(r"(-?\d+) (-?\d+)", curve)]
        yield numbers[0], numbers[-1]


@given(graphs())
def test_boxes_are_inside_and_apart(graph):
    drawing = drawn(*graph)
    for box in drawing.boxes:
        assert -0.1 <= box.x <= drawing.width - WIDTH + 1 and 0 <= box.y <= drawing.height - HEIGHT
    for one, other in combinations(drawing.boxes, 2):
        assert abs(one.x - other.x) >= WIDTH - 0.2 or abs(one.y - other.y) >= HEIGHT


@given(graphs())
def test_curves_join_their_boxes_downwards(graph):
    count, edges = graph
    drawing = drawn(count, edges)
    for (start, end), (begin, finish) in zip(edges, starts_and_ends(drawing), strict=True):
        upper, lower = drawing.boxes[start], drawing.boxes[end]
        assert begin == pytest.approx((upper.x + WIDTH / 2, upper.y + HEIGHT), abs=1)
        assert finish == pytest.approx((lower.x + WIDTH / 2, lower.y), abs=1)
        assert upper.y < lower.y


def test_a_chain_is_straight():
    assert len({box.x for box in drawn(10, CHAIN).boxes}) == 1


def test_a_curve_past_boxes_keeps_clear_of_them():
    drawing = drawn(10, RESIDUAL)
    long = drawing.curves[RESIDUAL.index((0, 9))]
    lanes = [float(x) for x in re.findall(r" (-?\d+) \d+V", long)]
    assert len(lanes) == 8
    assert all(abs(lane - (box.x + WIDTH / 2)) > WIDTH / 2 for lane, box in zip(lanes, drawing.boxes[1:9], strict=True))


def test_very_long_curves_are_drawn_without_lanes(monkeypatch):
    monkeypatch.setattr(layered, "LONGEST", 3)
    assert all(curve.count("M") == 1 for curve in drawn(10, RESIDUAL).curves)


def test_nothing_is_drawn_of_nothing():
    assert drawn(0, []).boxes == []
