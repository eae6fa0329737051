"""Chart primitives: inside the frame, in order, and every value where it belongs."""

import math
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kconvert.drawing.charts import LEVELS, UNDER, LogAxis, heat_map, histogram

LIMIT = 1e-3
values = st.floats(0, 1e30) | st.sampled_from([0.0, math.inf])


def inside(*positions):
    return all(0 <= position <= 100 for position in positions)


@given(st.lists(values, max_size=6))
def test_every_value_and_tick_of_a_log_axis_is_inside(found):
    axis = LogAxis(found)
    ticks = axis.ticks("limit")
    assert inside(*map(axis.at, found), *(tick.at for tick in ticks), axis.at(1.0))
    assert len({tick.label for tick in ticks}) == len(ticks)
    assert {tick.label: tick.at for tick in ticks}["limit"] == axis.at(1.0)


@given(st.lists(values, min_size=2, max_size=6))
def test_a_larger_value_is_higher(found):
    positions = [LogAxis(found).at(value) for value in sorted(found)]
    assert positions == sorted(positions, reverse=True)


def test_zero_is_at_the_bottom_and_infinity_at_the_top():
    axis = LogAxis([0.0, 1.0, math.inf])
    assert (axis.at(0.0), axis.at(math.inf)) == (100, 0)


@given(st.lists(st.integers(0, 10**9), min_size=24, max_size=24), st.floats(0, 10))
def test_every_bar_is_inside_and_says_its_bin(counts, limit):
    chart = histogram(counts, 1e-8, limit, lambda n, low, high: f"{n}: {low:g} to {high:g}")
    assert len(chart.bars) == sum(n > 0 for n in counts)
    for bar in chart.bars:
        assert inside(bar.x, bar.width, bar.height, bar.x + bar.width - 0.1) and bar.height > 0
        assert bar.good == (bar.x + bar.width / 2 <= chart.limit)
    assert inside(chart.limit, *(tick.at for tick in chart.ticks))
    assert [tick.label for tick in chart.ticks] == ["1e-8", "1e-6", "1e-4", "1e-2", "1"]


@given(st.lists(st.lists(st.sampled_from([0.0, 1e-5, 1e-3, 0.2, 0.7]), min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_heat_map_paints_every_cell_that_has_a_value_once(rows):
    painted = np.full((len(rows), 3), -1)
    found = heat_map(rows, LIMIT)
    assert (found.rows, found.columns) == (len(rows), 3)
    for cells in found.cells:
        for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", cells.path):
            part = painted[int(y), int(x) : int(x) + int(n)]
            assert part.size == int(n) and (part == -1).all()
            part[:] = cells.level
    heat = np.array(rows)
    assert ((painted == -1) == (heat == 0)).all()
    assert ((painted >= UNDER) == (heat > LIMIT)).all()
    if (heat > LIMIT).any():
        assert (painted[heat == heat.max()] == LEVELS - 1).all()
