"""Plots as numbers: inside the frame, in order, and every element where it belongs."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kconvert.verification.comparison import compare, details
from kconvert.verification.report.charts import depth, ratio, spread
from kconvert.verification.tolerance import DEFAULT_TOLERANCE
from tests.verification.report.reports import DIFFERS, EQUAL, SHAPES, reports

percents = st.floats(0, 100)


def inside(*values):
    return all(0 <= value <= 100 for value in values)


@settings(deadline=None)
@given(reports)
def test_every_dot_and_tick_is_inside(report):
    chart = depth(report)
    assert len(chart.dots) == len(report.comparisons)
    assert all(inside(dot.x, dot.y) for dot in chart.dots)
    assert all(inside(tick.at) for tick in (*chart.x_ticks, *chart.y_ticks)) and inside(chart.limit)
    assert len({tick.label for tick in chart.y_ticks}) == len(chart.y_ticks)


def test_what_differs_is_above_the_line_and_what_agrees_below():
    for report in (EQUAL, DIFFERS, SHAPES):
        chart = depth(report)
        for dot, found in zip(chart.dots, report.comparisons, strict=True):
            assert (dot.y >= chart.limit) == found.equal == (dot.kind == "equal")
    assert [dot.kind for dot in depth(DIFFERS).dots] == ["equal", "equal", "cause", "differs", "differs"]
    assert [dot.label for dot in depth(DIFFERS).dots] == ["", "", "conv_2", "", ""]


def test_a_larger_error_is_higher():
    dots = depth(DIFFERS).dots
    ratios = [ratio(found) for found in DIFFERS.comparisons]
    order = sorted(range(len(dots)), key=lambda i: ratios[i])
    assert [dots[i].y for i in order] == sorted((dot.y for dot in dots), reverse=True)


def test_no_error_is_at_the_bottom_and_what_has_no_number_at_the_top():
    exact = compare("exact", "Dense", np.ones(3), np.ones(3), DEFAULT_TOLERANCE)
    odd = compare("odd", "Dense", np.ones(3), np.full(3, np.nan), DEFAULT_TOLERANCE)
    chart = depth(replace(EQUAL, layers=[exact, odd]))
    assert [dot.y for dot in chart.dots[:2]] == [100, 0]
    assert {tick.label: tick.at for tick in chart.y_ticks}["0"] == 100


def test_every_tick_of_the_allowed_error_is_on_its_line():
    for report in (EQUAL, DIFFERS, SHAPES):
        chart = depth(report)
        assert {tick.label: tick.at for tick in chart.y_ticks}["allowed"] == chart.limit


@settings(deadline=None)
@given(reports)
def test_the_plots_of_any_details_are_inside(report):
    found = compare("x", "Dense", np.ones((4, 3, 5)), np.ones((4, 3, 5)) + 1e-3, DEFAULT_TOLERANCE)
    for each in report.details:
        chart = spread(found, each).histogram
        assert sum(n > 0 for n in each.histogram) == len(chart.bars)
        for bar in chart.bars:
            assert inside(bar.x, bar.width, bar.height, bar.x + bar.width - 0.1) and bar.height > 0
        assert inside(chart.limit, *(tick.at for tick in chart.ticks))


def test_bars_are_red_beyond_the_allowed_error():
    x = np.ones((4, 50, 20))
    y = x + np.geomspace(1e-7, 1, x.size).reshape(x.shape)
    found = compare("x", "Dense", x, y, DEFAULT_TOLERANCE)
    chart = spread(found, details("x", x, y)).histogram
    assert {bar.good for bar in chart.bars} == {True, False}
    for bar in chart.bars:
        assert bar.good == (bar.x + bar.width / 2 <= chart.limit)
