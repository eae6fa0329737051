"""What the names in a file tell, where no attribute does."""

from __future__ import annotations

import pytest

from kconvert.formats.checkpoint import find_backend, find_format


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("1.0.0", "keras1.0.5"),
        ("1.0.6", "keras1.0.6"),
        ("1.0.8", "keras1.0"),
        ("1.0.8", "keras1.0"),
        ("1.1.2", "keras1.1"),
        ("1.2.0", "keras1"),
        ("1.2.2", "keras1"),
        ("2.0.9", "keras2"),
        ("2.2.4-tf", "keras2"),
        ("3.4.1", "keras2"),
        ("1", "keras1"),
    ],
)
def test_format_by_version(version, form):
    found = find_format([("the weights", None), ("the root", version)], None, ["x/kernel"])
    assert found.value == form
    assert f"keras_version of the root is {version}" in found.evidence


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["convolution2d_1_W", "convolution2d_1_b"], "keras1"),
        (["lstm_1_W_i:0", "lstm_1_b_i:0"], "keras1"),
        (["fire2/squeeze1x1_W:0", "fire2/squeeze1x1_b:0"], "keras1"),
        (["param_0"], "keras1"),
        (["lstm_1/recurrent_kernel:0"], "keras2"),
        (["fire2/squeeze1x1/kernel:0"], "keras2"),
        (["a/b/bn/moving_mean", "a/b/bn/gamma"], "keras2"),
    ],
)
def test_format_by_names(names, form):
    found = find_format([("the root", None)], None, names)
    assert found.value == form
    assert repr(names[0]) in found.evidence


def test_format_by_backend_and_by_nothing():
    assert find_format([("the root", "unknown")], "theano", ["x_W"]).value == "keras2"
    guess = find_format([], None, [])
    assert (guess.value, "guess" in guess.evidence) == ("keras1", True)


@pytest.mark.parametrize(
    ("attributes", "form", "names", "want", "words"),
    [
        ([("the weights", "theano"), ("the root", "tensorflow")], "keras2", ["x:0"], "theano", "of the weights"),
        ([("the weights", None), ("the root", "tensorflow")], "keras2", ["x"], "tensorflow", "of the root"),
        ([], "keras1", ["x_W:0", "x_b:0"], "tensorflow", "'x_W:0' ends in ':0'"),
        ([], "keras1", ["x_W"], "theano", "no name ends in ':0'"),
        ([], "keras2", ["x/kernel"], "theano", "no name ends in ':0'"),
        ([], "keras2", [], None, "no weights"),
        ([], "keras0", ["param_0"], None, "Keras 0.2"),
    ],
)
def test_backend_by_attribute_then_by_names(attributes, form, names, want, words):
    found = find_backend(attributes, form, names)
    assert found.value == want
    assert words in found.evidence
