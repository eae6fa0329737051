"""What a user sees: plain, within 80 columns, nothing cut and nothing hidden."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from kconvert import inspect
from kconvert.backend import Probe
from kconvert.conversion.planning import plan
from kconvert.formats import hdf5
from kconvert.verification.comparison import compare
from kconvert.verification.report import terminal
from kconvert.verification.tolerance import DEFAULT_TOLERANCE, Tolerance
from kconvert.verification.value import Report, Side
from tests.fixtures import FOLDER as FIXTURES
from tests.verification.report.reports import DIFFERS, EQUAL, MANY, NOTHING, RUDE_ONES

LENET = FIXTURES / "1.2.2-theano" / "lenet_th" / "model.h5"
HAZARD = FIXTURES / "2.3.1-theano" / "averagepooling2d_same_2x3_tf" / "model.h5"


def shown(*parts, width=80, **options):
    """The lines that are printed, without the blanks at their ends."""
    console = Console(width=width, highlight=False, markup=False, emoji=False, **options)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert all(len(line) <= width for line in lines)
    return lines


def unfolded(lines):
    return " ".join(" ".join(lines).split())


def report(*errors, tolerance=DEFAULT_TOLERANCE, **values):
    """Layers dense_1, dense_2 ... of scale 1, each with its error."""
    ones = np.ones((2, 3))
    layers = [compare(f"dense_{i}", "Dense", ones, ones + error, tolerance) for i, error in enumerate(errors, 1)]
    sides = (
        Side("in.h5", "keras1/theano", "theano", "1.0.5"),
        Side("out.h5", "keras2/tensorflow", "numpy", "2.0", True),
    )
    return Report(*sides, tolerance, layers, layers[-1:], arrays=4, samples=2, **values)


def test_an_inspection_shows_facts_layers_and_prospects():
    lines = shown(terminal.inspection(inspect(LENET)))
    assert "release      1.2.2                 the attribute keras_version" in lines
    assert "dense_1          Dense          W       60x8     float32" in lines
    assert "12 layers, 767 parameters" in lines
    assert "to tensorflow: every layer computes the same there" in lines


def test_an_inspection_shows_hazards_in_full():
    found = inspect(HAZARD)
    assert found.hazards["tensorflow"][0] in unfolded(shown(terminal.inspection(found)))


def test_a_plan_shows_every_weight_and_every_op():
    with hdf5.read(LENET) as checkpoint:
        made = plan(checkpoint, None, "tensorflow")
        lines = shown(terminal.plan(made, LENET), width=100)
    assert "keras1/theano -> keras2/tensorflow, data format channels_last" in lines
    first = lines.index("convolution2d_1_W 4x1x3x3  transpose oihw->hwio             convolution2d_1/kernel:0 3x3x1x4")
    assert lines[first + 1].strip() == "flip hw of hwio"
    assert "dense_1_W 60x8             rows i of io: chw->hwc of 5x4x3  dense_1/kernel:0 60x8" in lines
    assert not any(line.startswith("note: the optimizer") for line in lines)


def test_a_plan_says_what_cannot_be_converted():
    with hdf5.read(HAZARD) as checkpoint:
        made = plan(checkpoint, None, "tensorflow", repair=False)
        lines = shown(terminal.plan(made, HAZARD))
    assert "cannot be converted: 1 layer would compute other outputs, whatever the weights" in lines
    assert str(made.hazards[0]) in unfolded(lines)


def test_a_report_shows_both_sides_and_each_layer():
    lines = shown(terminal.report(report(0, 2e-6)))
    assert " ".join(lines[:2]).split() == ["max", "needed", "layer", "class", "shape", "error", "scale", "rtol"]
    assert lines[3].split() == ["dense_2", "Dense", "2x3", "2e-06", "1", "0", "equal"]
    assert "source  in.h5           keras1/theano, ran on theano 1.0.5" in lines
    assert "the NumPy reference in tensorflow's part" in unfolded(lines)
    assert lines[-1] == "EQUAL: 2 layers, largest error 2e-06 of a layer's scale"


def test_a_report_that_differs_names_the_first_layer():
    lines = shown(terminal.report(report(0, 0.5, 0.25)))
    assert lines[3].split() == ["dense_2", "Dense", "2x3", "0.5", "1", "0.5", "DIFFERS"]
    assert lines[-1] == "DIFFERS, first at dense_2 (Dense): error 0.5, allowed 0.00011 (2 of 3 layers)"


def test_long_names_are_folded_and_classes_stay_whole():
    layer = replace(report(0).layers[0], name="model_1#1/batch_normalization_1", layer="BatchNormalization")
    lines = shown(terminal.report(replace(report(), layers=[layer])))
    assert any(" BatchNormalization " in line for line in lines)
    assert "".join(line.split()[0] for line in lines[2:4]) == "model_1#1/batch_normalization_1"


def test_layers_that_cannot_be_compared_say_why():
    odd = compare("dense_1", "Dense", np.ones((2, 3)), np.ones((2, 4)), DEFAULT_TOLERANCE)
    lines = shown(terminal.report(replace(report(), layers=[odd])))
    assert "shapes differ: (2, 3) and (2, 4)" in unfolded(lines[-2:])


@pytest.mark.parametrize(
    ("tolerance", "loud"), [(DEFAULT_TOLERANCE, 0), (Tolerance(atol=1e-9), 0), (Tolerance(rtol=1), 2)]
)
def test_a_loosened_tolerance_is_loud(tolerance, loud):
    assert unfolded(shown(terminal.report(report(0, tolerance=tolerance)))).count("LOOSENED") == loud


def test_odd_weights_are_named_and_notes_shown():
    names = [f"dense_{i}/kernel" for i in range(10)]
    text = unfolded(shown(terminal.report(report(0, weights=names, notes=["something to know"]))))
    assert "10 of 4 weights are not bit for bit what the conversion makes: dense_0/kernel," in text
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
    assert "why: conv_2 (Conv2D): kernel is reversed along hw; to mend it: flip hw of hwio" in unfolded(lines)
    (where,) = [line for line in lines if line.startswith("furthest off: conv_2 [")]
    assert "cosine 0.89" in where
    assert any(line.startswith("output 0: conv_3: the same best class for 81.88 %") for line in lines)
    assert not any(line.startswith(("why:", "furthest off:")) for line in shown(terminal.report(EQUAL)))


def test_nothing_compared_is_not_equal():
    assert shown(terminal.report(NOTHING))[-1] == "NOT PROVED: no output was compared"


def test_many_files_in_one_table():
    lines = shown(terminal.files(MANY))
    words = [line.split()[:2] for line in lines]
    assert ["good.h5", "equal"] in words and ["sub/bad.h5", "differs"] in words and ["broken.h5", "error"] in words
    assert "conv_2 (Conv2D): kernel is reversed along hw; to mend it:" in unfolded(lines)
    assert lines[-1] == "DIFFERS: 3 files, 1 equal, 1 differ, 1 could not be verified"


def test_names_of_files_are_text_too():
    assert "\x1b" not in "".join(shown(terminal.files(RUDE_ONES)))


@pytest.mark.parametrize("is_terminal", [True, False])
def test_colours_only_where_they_are_seen(is_terminal):
    console = Console(width=80, force_terminal=is_terminal, color_system="standard" if is_terminal else "auto")
    with console.capture() as capture:
        console.print(terminal.report(report(0, 1)))
    assert ("\x1b[" in capture.get()) == is_terminal


def test_backends_and_what_to_do():
    lines = shown(
        terminal.backends(
            {
                "numpy": Probe("numpy", "2.0"),
                "theano": Probe("theano", None, "Theano is not installed", "install it"),
                "tensorflow": Probe("tensorflow", "2.21.0", hint="slow"),
            }
        )
    )
    assert lines[1:] == [
        "numpy       2.0      ready",
        "theano      -        Theano is not installed: install it",
        "tensorflow  2.21.0   ready (slow)",
    ]
