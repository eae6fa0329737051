"""What a user sees: plain, within 80 columns, nothing cut and nothing hidden."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from kconvert.verification.comparison import compare
from kconvert.verification.report import terminal
from kconvert.verification.tolerance import DEFAULT_TOLERANCE, Tolerance
from kconvert.verification.value import Report, Side
from tests.terminal import shown, unfolded
from tests.verification.report.reports import DIFFERS, EQUAL, MANY, NOTHING, RUDE_ONES


def report(*errors, tolerance=DEFAULT_TOLERANCE, **values):
    """Layers dense_1, dense_2 ... of scale 1, each with its error."""
    ones = np.ones((2, 3))
    layers = [compare(f"dense_{i}", "Dense", ones, ones + error, tolerance) for i, error in enumerate(errors, 1)]
    sides = (
        Side("in.h5", "keras1/theano", "theano", "1.0.5"),
        Side("out.h5", "keras2/tensorflow", "numpy", "2.0", "tensorflow"),
    )
    return Report(*sides, tolerance, layers, layers[-1:], arrays=4, samples=2, **values)


def test_a_report_shows_both_sides_and_each_layer():
    lines = shown(terminal.report(report(0, 2e-6)))
    assert " ".join(lines[:2]).split() == ["max", "needed", "layer", "class", "shape", "error", "scale", "rtol"]
    assert lines[3].split() == ["dense_2", "Dense", "2x3", "2e-06", "1", "0", "equal"]
    assert "source  in.h5           keras1/theano, ran on theano 1.0.5" in lines
    assert "NumPy, emulating TensorFlow" in unfolded(lines)
    assert " ".join(lines[-2:]) == (
        "EQUAL with NumPy emulating TensorFlow: 2 layers, largest error 2e-06 of a layer's scale"
    )


def test_a_report_that_differs_names_the_first_layer():
    lines = shown(terminal.report(report(0, 0.5, 0.25)))
    assert lines[3].split() == ["dense_2", "Dense", "2x3", "0.5", "1", "0.5", "DIFFERS"]
    assert lines[-1] == "DIFFERS, first at dense_2 (Dense): error 0.5, allowed 0.00011 (2 of 3 layers)"


def test_long_names_are_folded_and_classes_stay_whole():
    layer = replace(report(0).layers[0], name="model_1#1/batch_normalization_1", layer="BatchNormalization")
    lines = shown(terminal.report(replace(report(), layers=[layer])))
    assert any(" BatchNormalization " in line for line in lines)
    assert "".join(line.split()[0] for line in lines[2:4]) == "model_1#1/batch_normalization_1"


def test_a_narrow_terminal_folds_names_and_classes_alike():
    layer = replace(report(0.5).layers[0], name="maxpooling2d_1", layer="MaxPooling2D", shape=(10, 20, 30))
    rows = shown(terminal.report(replace(report(), layers=[layer])), width=50)[2:5]
    assert rows[0].endswith(" DIFFERS")
    assert min(len(row.split()[0]) for row in rows[:2]) > 5, rows


def test_layers_that_cannot_be_compared_say_why():
    odd = compare("dense_1", "Dense", np.ones((2, 3)), np.ones((2, 4)), DEFAULT_TOLERANCE)
    lines = shown(terminal.report(replace(report(), layers=[odd])))
    assert "shapes differ: (2, 3) and (2, 4)" in unfolded(lines[-2:])


@pytest.mark.parametrize(
    ("tolerance", "loud"), [(DEFAULT_TOLERANCE, 0), (Tolerance(atol=1e-9), 0), (Tolerance(rtol=1), 2)]
)
def test_a_loosened_tolerance_is_loud(tolerance, loud):
    assert unfolded(shown(terminal.report(report(0, tolerance=tolerance)))).count("LOOSENED") == loud


def test_differing_weights_are_named_and_notes_shown():
    names = [f"dense_{i}/kernel" for i in range(10)]
    text = unfolded(shown(terminal.report(report(0, weights=names, notes=["something to know"]))))
    assert "10 of 4 weights differ from those of the converted source: dense_0/kernel," in text
    assert "dense_7/kernel and 2 more" in text
    assert "note: something to know" in text


def test_names_are_text_and_never_commands():
    name = "[red]a\x1b[2Jb\n" + "long" * 30
    comparison = replace(report(0).layers[0], name=name, equal=False)
    text = "".join(shown(terminal.report(replace(report(), layers=[comparison])))).replace(" ", "")
    assert "\x1b" not in text
    assert r"[red]a\x1b[2Jb\nlonglong" in text


def test_why_it_differs_stands_below_the_table():
    lines = shown(terminal.report(DIFFERS))
    assert "why: conv_2 (Conv2D): kernel is reversed along hw; to repair it: flip hw of hwio" in unfolded(lines)
    (where,) = [line for line in lines if line.startswith("largest error: conv_2 [")]
    assert "cosine 0.89" in where
    assert any(line.startswith("output 0: conv_3: the same top class for 81.88 %") for line in lines)
    assert not any(line.startswith(("why:", "largest error:")) for line in shown(terminal.report(EQUAL)))


def test_nothing_compared_is_not_equal():
    assert shown(terminal.report(NOTHING))[-1] == "NOT PROVED: no output was compared"


def test_many_files_in_one_table():
    lines = shown(terminal.files(MANY))
    words = [line.split()[:2] for line in lines]
    assert ["good.h5", "equal"] in words and ["sub/bad.h5", "differs"] in words and ["broken.h5", "error"] in words
    assert "conv_2 (Conv2D): kernel is reversed along hw; to repair it:" in unfolded(lines)
    assert lines[-1] == "DIFFERS: 3 files, 1 equal, 1 differ, 1 could not be verified"


def test_names_of_files_are_text_too():
    assert "\x1b" not in "".join(shown(terminal.files(RUDE_ONES)))


@pytest.mark.parametrize("is_terminal", [True, False])
def test_colours_only_where_they_are_seen(is_terminal):
    console = Console(width=80, force_terminal=is_terminal, color_system="standard" if is_terminal else "auto")
    with console.capture() as capture:
        console.print(terminal.report(report(0, 1)))
    assert ("\x1b[" in capture.get()) == is_terminal
