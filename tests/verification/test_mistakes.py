"""The table of known mistakes: each explains what it does, and its remedy undoes it."""

import numpy as np
import pytest

from kconvert import layers as L
from kconvert.conventions.backends import BACKENDS
from kconvert.network.sequential import Sequential
from kconvert.verification.mistakes import close, in_other_order, misread, mistakes, pads_nothing

MODEL = Sequential(
    [
        L.Conv2D(4, (3, 3), batch_input_shape=(None, 9, 8, 3), data_format="channels_last", name="conv"),
        L.BatchNormalization(name="norm"),
        L.Flatten(name="flatten"),
        L.Dense(5, name="dense"),
        L.Reshape((5, 1), name="sequence"),
        L.LSTM(3, name="lstm"),
    ]
)
REORDERED = in_other_order(MODEL)
KNOWN = [(leaf, mistake) for leaf in MODEL.weight_table() for mistake in mistakes(leaf, REORDERED)]


def random_arrays(leaf):
    random = np.random.default_rng(0)
    return {weight.name: random.uniform(0.5, 2.0, weight.shape).astype("float32") for weight in leaf.weights}


def identify(value):
    return value.words.replace(" ", "-") if hasattr(value, "words") else value.path[-1]


@pytest.mark.parametrize(("leaf", "mistake"), KNOWN, ids=identify)
def test_a_mistake_explains_itself_and_nothing_that_is_right(leaf, mistake):
    right = random_arrays(leaf)
    wrong = {**right, **mistake.apply(right)}
    assert mistake.explains(right, wrong)
    assert not mistake.explains(right, right)
    assert {name for name in right if not close(right[name], wrong[name])} == set(mistake.weights)


@pytest.mark.parametrize(("leaf", "mistake"), [item for item in KNOWN if item[1].ops], ids=identify)
def test_the_remedy_undoes_the_mistake(leaf, mistake):
    right = random_arrays(leaf)
    for name, array in mistake.apply(right).items():
        assert close(mistake.ops[name].inverse.apply(array)[0], right[name])


def test_the_table_has_every_mistake_that_the_years_have_shown():
    words = {f"{leaf.path[-1]}: {mistake.words}" for leaf, mistake in KNOWN}
    assert words >= {
        "conv: kernel is reversed along hw",
        "conv: kernel is reversed along h only",
        "conv: the axes h and w of kernel are swapped",
        "conv: bias is halved",
        "norm: gamma and beta are swapped",
        "norm: moving_mean and moving_variance are swapped",
        "norm: moving_variance holds the standard deviation",
        "dense: the rows of kernel are in the order of another data format",
        "lstm: the gates f and c are swapped",
        "lstm: the gates i and f of recurrent_kernel are swapped",
    }


def test_rounding_is_no_mistake():
    x = np.linspace(0.1, 1, 7, dtype="float32")
    assert close(x, np.nextafter(x, 2, dtype="float32")) and not close(x, x * 1.001)
    assert not close(x, x[:-1])
    assert close(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))


def test_configurations_are_misread_key_by_key():
    assert list(misread("Conv2D", {"padding": "same"})) == [("padding", "valid")]
    assert list(misread("Concatenate", {"axis": 1})) == [("axis", 0), ("axis", 2)]
    assert list(misread("GRU", {"recurrent_activation": "hard_sigmoid"})) == [("recurrent_activation", "sigmoid")]
    assert list(misread("ZeroPadding2D", {"padding": [[1, 1], [1, 1]]})) == []


@pytest.mark.parametrize("facts", BACKENDS.values(), ids=lambda facts: facts.name)
def test_padding_that_adds_nothing(facts):
    def pads(size, stride, n):
        layer = L.MaxPooling1D(size, stride, data_format="channels_last", name="pool")
        return not pads_nothing(layer, [(None, n, 3)], facts)

    assert not pads(1, 1, 5)
    assert pads(3, 1, 5) and pads(2, 2, 7)
    assert pads(2, 2, 6) == facts.convolves, "Theano pads before, TensorFlow after the last element"
    assert not pads_nothing(L.Conv1D(2, 3, data_format="channels_last", name="conv"), [(None, None, 3)], facts)
