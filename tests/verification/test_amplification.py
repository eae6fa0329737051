"""Amplification: how far a network may differ whose layers agree, each run alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert.verification.faults import Fault
from kconvert.verification.runs import AMPLIFIED, ROUNDINGS, Runs, TensorPair, judge
from kconvert.verification.tolerance import Tolerance
from kconvert.verification.value import DIFFERS, EQUAL, PRECISION, Side

LIMIT = "within the rounding that the network amplifies"


def runs(error, noise, alone=0.0, faults=(), size=3):
    """One layer whose scale is 1, with an error of the whole network and one of the layer alone."""
    x = np.linspace(0.1, 1, size)
    pair = TensorPair("a", "a", "Dense", x, x + error, alone=x + alone, noise=noise, faults=faults)
    side = Side("a.h5", "keras2/theano", "theano", "1.0.5")
    return Runs(side, side, [pair], [pair], [np.ones((1, 3))], "as given")


@given(st.floats(0, 0.5), st.floats(0, 1))
def test_what_is_allowed_is_some_roundings_and_never_more_than_the_cap(error, noise):
    report = judge(runs(error, noise))
    measured = report.layers[0].max_error
    allowed = max(report.tolerance.allowed(1.0), min(ROUNDINGS * noise, AMPLIFIED))
    assert report.equal == (measured <= allowed)
    if report.equal:
        assert (LIMIT in report.qualifiers) == (measured > report.tolerance.allowed(1.0))
    else:
        assert [cause.kind for cause in report.causes] == [PRECISION]
        assert "rounding adds up" not in report.causes[0].words


@pytest.mark.parametrize(
    "change",
    [
        {"alone": 1e-3},  # a layer alone that differs is the cause
        {"noise": None},  # not measured
        {"noise": 1e-6},  # less than the network's error
    ],
    ids=["layer", "unmeasured", "quiet"],
)
def test_no_amplification_without_its_measure(change):
    good = {"error": 2e-4, "noise": 1e-4, "alone": 0.0}
    assert judge(runs(**good)).word == EQUAL
    assert not judge(runs(**{**good, **change})).equal


def test_a_layer_that_was_not_run_alone_shows_nothing():
    found = runs(2e-4, 1e-4)
    other = replace(found.layers[0], name="b", target_name="b", alone=None)
    assert not judge(replace(found, layers=[*found.layers, other])).equal


def test_a_small_scale_does_not_hide_a_layer_that_is_known_to_be_wrong():
    small = runs(1e-6, 1.0)
    assert judge(small).word == EQUAL
    tiny = [replace(pair, source=pair.source * 1e-4, target=pair.target * 1e-4) for pair in small.layers]
    fault = Fault("kernel is transposed", ["kernel"])
    wrong = [replace(pair, target=pair.source * 1.05, faults=[fault]) for pair in tiny]
    assert judge(replace(small, layers=tiny)).equal
    assert judge(replace(small, layers=wrong)).first_divergence.name == "a"
    assert judge(replace(small, layers=wrong), Tolerance(atol=1e-4)).equal, "an atol that was asked for is granted"


@pytest.mark.parametrize("fault", [Fault("bias is halved", ["bias"], decides=True), Fault("an option", decides=True)])
def test_a_large_scale_does_not_hide_a_layer_that_is_known_to_be_wrong(fault):
    """A halved bias below activations of 1e5 changes less than rounding in the rest of the network."""
    hidden = runs(0.0, 1e-4, faults=[fault])
    report = judge(hidden)
    assert report.word == DIFFERS and [cause.words for cause in report.causes] == [fault.words]
    assert judge(runs(2e-4, 1e-4, faults=[fault])).causes[0].words == fault.words, "amplified in what follows"
    assert judge(hidden, Tolerance(rtol=1e-3)).equal, "a tolerance that was loosened is granted"
    assert judge(runs(0.0, 1e-4, faults=[replace(fault, decides=False)])).equal


@given(st.floats(2e-4, 1e6), st.floats(1e-3, 1e3))
def test_the_rtol_that_a_cause_prints_is_enough(error, factor):
    """Another run of the judgement with the number that was printed is EQUAL."""
    found = runs(error, 0.0)
    scaled = [
        replace(pair, source=pair.source * factor, target=pair.target * factor, alone=pair.source * factor)
        for pair in found.layers
    ]
    found = replace(found, layers=scaled, outputs=scaled)
    report = judge(found)
    if not report.equal:
        (cause,) = report.causes
        printed = cause.words.partition("an rtol of ")[2].partition(" would be enough")[0]
        assert judge(found, Tolerance(rtol=float(printed))).equal


def test_elements_that_are_nan_on_both_sides_are_noted():
    found = runs(0.0, None)
    pair = replace(found.layers[0], source=np.array([np.nan, 1.0]), target=np.array([np.nan, 1.0]), alone=None)
    report = judge(replace(found, layers=[pair]))
    assert report.word == EQUAL
    assert "count as equal in: a (1 of 2)" in report.notes[-1]
    assert not judge(found).notes
