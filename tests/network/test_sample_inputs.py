"""Random inputs: seeded, and such that a comparison can fail."""

import numpy as np
import pytest
from hypothesis import given, settings

from kconvert import layers as L
from kconvert.network.graph import Node, Ref
from kconvert.network.network import Network
from kconvert.network.sample_inputs import FREE_SPACE, FREE_STEPS, sample_inputs
from kconvert.network.sequential import Sequential
from tests.architectures import architectures


def chain(*layers):
    for i, layer in enumerate(layers):
        layer.name = layer.name or f"layer_{i}"
    return Sequential(layers)


def of(first, *others, **options):
    """The random input of a Sequential that starts with `first`."""
    (x,) = sample_inputs(chain(first, *others), **options)
    return x


def padded_steps(x, value=0.0):
    """The number of padding steps at the end of each sample."""
    flat = x.reshape(*x.shape[:2], -1)
    return [int(np.cumprod((sample == value).all(-1)[::-1]).sum()) for sample in flat]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(architectures())
def test_inputs_fit_the_model_and_come_again(architecture):
    model = architecture.model
    xs = sample_inputs(model, samples=3, seed=5)
    for x, shape in zip(xs, model.input_shapes, strict=True):
        assert x.dtype == np.float32 and len(x.shape) == len(shape) and x.shape[0] == 3
        assert all(want in (None, have) for want, have in zip(shape, x.shape, strict=True))
    again, other = sample_inputs(model, 3, 5), sample_inputs(model, 3, 6)
    assert all(np.array_equal(x, y) for x, y in zip(xs, again, strict=True))
    assert not any(np.array_equal(x, y) for x, y in zip(xs, other, strict=True))


def test_two_inputs_differ():
    entries = [L.InputLayer(batch_input_shape=(None, 4), name=name) for name in "ab"]
    nodes = [Node("a", 0, ()), Node("b", 0, ()), Node("sum", 0, (Ref("a"), Ref("b")))]
    model = Network([*entries, L.Add(name="sum")], nodes, [Ref("a"), Ref("b")], [Ref("sum")], name="m")
    x, y = sample_inputs(model)
    assert not np.array_equal(x, y)


def test_free_sizes():
    """Unknown sizes of an image are different, so that swapped axes are detected."""
    steps = of(L.LSTM(2, batch_input_shape=(None, None, 3)))
    assert steps.shape == (4, FREE_STEPS, 3)
    image = of(L.Conv2D(2, 3, batch_input_shape=(None, None, None, 3)))
    assert image.shape == (4, FREE_SPACE, FREE_SPACE + 2, 3)
    assert of(L.Dense(2, batch_input_shape=(6, 3)), samples=2).shape == (6, 3)


# ------------------------------------------------------------------- indices ----


def test_an_embedding_gets_integers_of_its_range():
    x = of(L.Embedding(5, 3, batch_input_shape=(None, 50)), samples=20)
    assert set(np.unique(x)) <= {0.0, 1.0, 2.0, 3.0, 4.0}
    assert len(np.unique(x)) >= 4


def test_an_embedding_that_masks_gets_padding_but_never_only_that():
    x = of(L.Embedding(5, 3, mask_zero=True, batch_input_shape=(None, 6)), samples=8)
    assert padded_steps(x) == [0, 1, 2, 3, 4, 5, 5, 5]
    assert (x[:, 0] > 0).all()


def test_an_embedding_of_one_word():
    assert (of(L.Embedding(1, 3, batch_input_shape=(None, 6))) == 0).all()


BEFORE = [
    L.Dropout(0.5),
    L.Flatten(),
    L.Reshape((6,)),
    L.Permute((1,)),
    Sequential([L.Dropout(0.5, name="d", batch_input_shape=(None, 6))], name="inner"),
]


@pytest.mark.parametrize("before", BEFORE, ids=lambda layer: layer.class_name)
def test_an_embedding_behind_what_keeps_values_gets_integers_too(before):
    before.batch_input_shape = (None, 6)
    x = of(before, L.Embedding(5, 3))
    assert np.array_equal(x, x.astype(int))


def nested(mask_zero):
    return Sequential([L.Embedding(5, 3, mask_zero=mask_zero, name="e", batch_input_shape=(None, 4))], name="words")


@pytest.mark.parametrize("mask_zero", [False, True])
@pytest.mark.parametrize(
    "wrapped", [lambda m: L.Embedding(5, 3, mask_zero=m, name="e"), nested], ids=["layer", "model"]
)
def test_an_embedding_at_every_time_step(wrapped, mask_zero):
    x = of(L.TimeDistributed(wrapped(mask_zero), batch_input_shape=(None, 3, 4)))
    assert x.shape == (4, 3, 4)
    assert np.array_equal(x, x.astype(int)) and x.min() >= 0 and x.max() < 5


def test_an_embedding_in_a_nested_model():
    assert set(np.unique(of(nested(False)))) <= set(range(5))


def test_of_two_layers_on_one_input_the_one_that_needs_integers_decides():
    layers = [
        L.InputLayer(batch_input_shape=(None, 6), name="x"),
        L.Activation("tanh", name="a"),
        L.Embedding(5, 6, name="e"),
    ]
    inner = Sequential([L.Dense(6, name="d", batch_input_shape=(None, 6))], name="inner")
    nodes = [Node("x", 0, ()), Node("a", 0, (Ref("x"),)), Node("inner", 1, (Ref("x"),)), Node("e", 0, (Ref("x"),))]
    outputs = [Ref("a"), Ref("inner", 1), Ref("e")]
    (x,) = sample_inputs(Network([*layers, inner], nodes, [Ref("x")], outputs, name="m"))
    assert np.array_equal(x, x.astype(int))


# --------------------------------------------------------------------- masks ----


@pytest.mark.parametrize("value", [0.0, -1.5])
def test_masking_gets_padded_steps(value):
    x = of(L.Masking(value, batch_input_shape=(None, 5, 3)), samples=4)
    assert padded_steps(x, value) == [0, 1, 2, 3]


def test_without_a_mask_nothing_is_padded():
    assert (of(L.LSTM(2, batch_input_shape=(None, 5, 3))) != 0).all()
