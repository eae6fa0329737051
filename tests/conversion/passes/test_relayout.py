"""A model in the other data format computes the same, whatever it is made of: laws on random architectures."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from kconvert import layers as L
from kconvert.conventions.backends import CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from kconvert.conversion.passes.relayout import image_data_format, relayout
from kconvert.conversion.passes.relayout_rules import IMAGE_LAYERS
from kconvert.conversion.passes.relayout_tables import rule
from kconvert.kernels import Block, Chain, Rows
from kconvert.network.graph import Node, Ref
from kconvert.network.layout import Layout, identity, image_layout
from kconvert.network.network import Network
from kconvert.network.sequential import Sequential
from kconvert.verification.matching import in_layout
from tests.architectures import architectures, bound, random_inputs, random_weights

laws = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
OTHER = {CHANNELS_FIRST: CHANNELS_LAST, CHANNELS_LAST: CHANNELS_FIRST}


def stated(model):
    """The data formats that the layers of `model` state."""
    return {layer.data_format for _, layer in model.leaves() if getattr(layer, "data_format", None)}


def other_than(model, form):
    """`form`, or the other one where all layers have that already."""
    return OTHER[form] if stated(model) == {form} else form


def apply(result, weights):
    """Canonical weights as the new model has them."""
    return {path: result.weights.get(path, Chain()).apply(array)[0] for path, array in weights.items()}


def shapes(model):
    return {(*leaf.path, weight.name): weight.shape for leaf in model.weight_table() for weight in leaf.weights}


def close(x, y):
    """Equal but for the order of sums."""
    return x.shape == y.shape and np.allclose(x, y, rtol=1e-3, atol=1e-4 * max(1.0, np.abs(x).max(initial=0.0)))


def check(model, data_format):
    """`model` computes in `data_format` what it computed: every tensor in its layout. Gives the new network."""
    weights, inputs = random_weights(model), random_inputs(model)
    before = bound(model, weights).activations(inputs)
    result = relayout(model, data_format)
    moved_weights = apply(result, weights)
    assert {path: array.shape for path, array in moved_weights.items()} == shapes(result.model)
    new_inputs = [in_layout(x, layout) for x, layout in zip(inputs, result.inputs, strict=True)]
    after = bound(result.model, moved_weights).activations(new_inputs)
    assert set(before) <= set(after)
    for name, x in before.items():
        assert close(in_layout(x, result.layouts[name]), after[name]), name
    for old, new, layout in zip(model.output_refs, result.model.output_refs, result.outputs, strict=True):
        assert layout.features is None, "outputs keep the order of their features"
        assert close(in_layout(before[old.key], layout), after[new.key])
    return result


# -------------------------------------------------------------------- laws ----


@settings(laws, max_examples=300)
@given(architectures(), st.sampled_from(DATA_FORMATS))
def test_every_tensor_is_the_same_in_its_new_layout(architecture, data_format):
    check(architecture.model, other_than(architecture.model, data_format))


@settings(laws, max_examples=150)
@given(architectures(forms=DATA_FORMATS, counted=False))
def test_there_and_back_is_the_same_model(architecture):
    """Where no Permute was needed on the way: configuration and weights, bit for bit."""
    model = architecture.model
    assume(len(stated(model)) == 1)
    (home,) = stated(model)
    there = relayout(model, OTHER[home])
    back = relayout(there.model, home, there.reordered)
    weights = random_weights(model)
    for path, array in apply(back, apply(there, weights)).items():
        assert array.shape == weights[path].shape
        assert there.notes or np.array_equal(array, weights[path]), path
    if not there.notes:
        assert back.model.stored_config() == model.stored_config()
        assert back.notes == []


@laws
@given(architectures(), st.sampled_from(DATA_FORMATS))
def test_every_image_layer_is_in_the_new_data_format(architecture, data_format):
    """But for a softmax over the last axis, which is not of the channels in the other."""
    for _, layer in relayout(architecture.model, data_format).model.leaves():
        if isinstance(layer, IMAGE_LAYERS) and vars(layer).get("activation") != "softmax":
            assert layer.data_format == data_format


@laws
@given(architectures(forms=DATA_FORMATS))
def test_to_keep_is_to_change_nothing(architecture):
    model = architecture.model
    result = relayout(model, None)
    assert result.model is model
    assert not result.weights and not result.notes and not result.layouts and not result.reordered
    assert all(layout.is_identity for layout in (*result.inputs, *result.outputs))


@laws
@given(architectures())
def test_a_converted_model_is_written_and_read_back(architecture):
    config = relayout(architecture.model, CHANNELS_FIRST).model.stored_config()
    assert type(architecture.model).from_config(config).stored_config() == config


def test_random_architectures_know_every_rule():
    """The laws above draw every layer that has a rule; these are left out, with the reason."""
    left_out = {
        L.ActivityRegularization, L.AlphaDropout, L.GaussianDropout,  # as Dropout
        L.ThresholdedReLU, L.ThresholdedLinear,  # as ReLU
        L.TimeDistributedDense, L.CuDNNGRU, L.CuDNNLSTM,  # as Dense, GRU and LSTM
        L.Merge,  # as Add and Concatenate; tested below
    }  # fmt: skip
    wanted = {cls for cls in rule.registry if cls not in (object, L.Layer)} - left_out

    def done(architecture):
        todo = [architecture.model]
        while todo:
            layer = todo.pop()
            wanted.discard(type(layer))
            todo += layer.sublayers
        return not wanted

    with suppress(NoSuchExample):
        find(architectures(), done, settings=settings(laws, max_examples=6000, phases=[Phase.generate]))
    assert not wanted


# ------------------------------------------------------------------ layouts ----


@pytest.mark.parametrize("rank", [4, 5, 6])
@pytest.mark.parametrize("time", [0, 1])
def test_moved_there_and_back(rank, time):
    x = np.arange(np.prod(range(2, 2 + rank))).reshape(range(2, 2 + rank))
    to_last, to_first = image_layout(CHANNELS_LAST, rank, time), image_layout(CHANNELS_FIRST, rank, time)
    assert np.array_equal(in_layout(in_layout(x, to_last), to_first), x)
    assert in_layout(x, to_last).shape == to_last.shape(x.shape)
    assert to_last.axis(1 + time) == rank - 1 and to_last.axis(0) == 0
    assert to_last.axis(-1) == to_last.axis(rank - 1)


def test_a_step_of_a_sequence():
    sequence = image_layout(CHANNELS_LAST, 5, time=1)
    assert sequence.inner() == image_layout(CHANNELS_LAST, 4)
    assert sequence.inner().outer() == sequence
    assert identity(5).is_identity and not sequence.is_identity
    features = Layout((0, 1), (Block("chw", "hwc", (2, 3, 4)),))
    assert features.keeps_axes and not features.is_identity


# ----------------------------------------------------------------- examples ----


def image(model_layers, shape=(3, 5, 4), data_format=CHANNELS_FIRST):
    first, *_ = model_layers
    first.batch_input_shape = (None, *shape)
    for i, layer in enumerate(model_layers):
        layer.name = layer.name or f"{layer.class_name.lower()}_{i}"
    return Sequential(model_layers)


def conv(filters=2, **options):
    return L.Conv2D(filters, (2, 3), data_format=CHANNELS_FIRST, **options)


def test_dense_after_flatten_takes_its_rows_in_the_new_order():
    """In closed form (keras-facts: dense-rows-follow-flatten)."""
    model = image([conv(6), L.Flatten(), L.Dense(7, name="dense")])
    result = check(model, CHANNELS_LAST)
    (rows,) = result.weights["dense", "kernel"]
    assert rows == Rows("i", "io", (Block("chw", "hwc", (6, 4, 2)),))
    kernel = np.random.default_rng(0).standard_normal((48, 7))
    expected = kernel.reshape(6, 4, 2, 7).transpose(1, 2, 0, 3).reshape(48, 7)
    assert np.array_equal(rows.array(kernel), expected)
    assert set(result.weights) == {("dense", "kernel")}
    assert result.reordered == {"flatten_1"}
    assert result.notes == []


def test_a_flatten_with_a_data_format_keeps_the_order_itself():
    model = image([conv(6), L.Flatten(CHANNELS_FIRST), L.Dense(7)])
    result = check(model, CHANNELS_LAST)
    assert not result.weights and not result.reordered and not result.notes
    assert result.model.by_name["flatten_1"].data_format == CHANNELS_LAST


def test_what_cannot_be_absorbed_gets_a_permute_before_the_flatten():
    """Features that leave the model keep their order."""
    result = check(image([conv(name="conv2d_0"), L.Flatten(name="flatten_1")]), CHANNELS_LAST)
    assert [layer.class_name for layer in result.model.sublayers] == ["Conv2D", "Permute", "Flatten"]
    assert result.model.sublayers[1].dims == (3, 1, 2)
    assert not result.reordered
    (note,) = result.notes
    assert "permute_conv2d_0: a Permute(3, 1, 2) brings conv2d_0 to the old order for flatten_1" in note


@pytest.mark.parametrize(
    "layer",
    [
        L.Activation("softmax"),
        L.LocallyConnected2D(2, 2, data_format=CHANNELS_FIRST),
        L.Reshape((4, 6, 2)),
        L.Dense(3),
        L.TimeDistributed(L.Dense(3, name="inner")),
        L.TimeDistributed(L.LSTM(3, name="inner")),
    ],
    ids=lambda layer: layer.class_name,
)
def test_a_layer_that_needs_the_old_order_gets_it(layer):
    layer.name = ""
    result = check(image([conv(6), layer]), CHANNELS_LAST)
    assert "Permute" in [inner.class_name for inner in result.model.sublayers]


def test_a_convolution_with_softmax_stays_as_it_is():
    """The softmax is over the last axis, which is not the channels: no data format but its own is exact."""
    layers = [conv(6, activation="softmax", name="conv2d_0"), conv(2, name="conv2d_1")]
    result = check(image(layers, (3, 5, 6)), CHANNELS_LAST)
    assert result.model.by_name["conv2d_0"].data_format == CHANNELS_FIRST
    assert result.model.by_name["conv2d_1"].data_format == CHANNELS_LAST
    assert len(result.notes) == 1


def test_one_model_of_both_data_formats_ends_in_one():
    first = L.Conv2D(2, 2, data_format=CHANNELS_FIRST, name="a")
    last = L.Conv2D(2, 2, data_format=CHANNELS_LAST, name="b")
    model = image([first, L.Permute((2, 3, 1)), last])
    result = check(model, CHANNELS_LAST)
    assert image_data_format(result.model) == CHANNELS_LAST
    assert [layer.class_name for layer in result.model.sublayers] == ["Conv2D", "Permute", "Conv2D"]
    assert result.model.sublayers[1].dims == (1, 2, 3)


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "max", "concat"])
def test_the_merge_of_keras_1(mode):
    model = graph(
        [
            conv(name="a"),
            conv(name="b"),
            L.Merge(mode, concat_axis=1, name="both"),
            L.Flatten(name="flat"),
            L.Dense(2, name="d"),
        ],
        [("a", ["x"]), ("b", ["x"]), ("both", ["a", "b"]), ("flat", ["both"]), ("d", ["flat"])],
    )
    result = check(model, CHANNELS_LAST)
    assert result.notes == []
    assert mode != "concat" or result.model.by_name["both"].concat_axis == -1


def graph(layers, calls, shape=(3, 5, 4)):
    """A graph with one input `x`; its last call is the output."""
    entry = L.InputLayer(batch_input_shape=(None, *shape), name="x")
    count, nodes = {}, [Node("x", 0, ())]
    for name, inputs in calls:
        nodes.append(Node(name, count.get(name, 0), tuple(Ref(one) for one in inputs)))
        count[name] = count.get(name, 0) + 1
    return Network([entry, *layers], nodes, [Ref("x")], [nodes[-1].output], name="graph")


def test_branches_are_joined_feature_block_by_block():
    model = graph(
        [conv(2, name="a"), L.Flatten(name="fa"), conv(4, name="b"), L.Flatten(name="fb"), L.Concatenate(name="both")]
        + [L.BatchNormalization(name="bn"), L.Dense(3, name="d")],
        [
            ("a", ["x"]),
            ("fa", ["a"]),
            ("b", ["x"]),
            ("fb", ["b"]),
            ("both", ["fa", "fb"]),
            ("bn", ["both"]),
            ("d", ["bn"]),
        ],
    )
    result = check(model, CHANNELS_LAST)
    (rows,) = result.weights["d", "kernel"]
    assert rows.blocks == (Block("chw", "hwc", (2, 4, 2)), Block("chw", "hwc", (4, 4, 2)))
    assert {path for path in result.weights if path[0] == "bn"} == {
        ("bn", name) for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    assert result.reordered == {"fa", "fb"}


def test_a_layer_shared_between_maps_and_vectors():
    """One Activation object for the whole model is common; one Softmax must then mean one thing."""
    calls = [("act", ["x"]), ("conv", ["act"]), ("pool", ["conv"])]
    layers = [L.Activation("relu", name="act"), conv(6, name="conv")]
    pool = L.GlobalMaxPooling2D(data_format=CHANNELS_FIRST, name="pool")
    check(graph([*layers, pool], [*calls, ("act", ["pool"])]), CHANNELS_LAST)
    softmax = L.Softmax(name="act")
    check(graph([softmax, conv(6, name="conv"), pool], [*calls, ("act", ["pool"])]), CHANNELS_LAST)


def test_inputs_of_fewer_axes_in_a_merge():
    """Keras fills up axes after the batch: the map must be in the old order for that."""
    model = graph(
        [conv(2, name="conv"), L.GlobalMaxPooling2D(data_format=CHANNELS_FIRST, name="pool"), L.Multiply(name="mul")],
        [("conv", ["x"]), ("pool", ["conv"]), ("mul", ["conv", "pool"])],
        shape=(3, 5, 4),
    )
    check(model, CHANNELS_LAST)


def test_a_model_at_every_time_step_says_which_of_its_flattens_were_reordered():
    step = image([conv(2, name="conv"), L.Flatten(name="flat"), L.Dense(3, name="dense")])
    step.name = "step"
    model = Sequential([L.TimeDistributed(step, name="td", batch_input_shape=(None, 6, 3, 5, 4))])
    result = check(model, CHANNELS_LAST)
    assert result.reordered == {"td/step/flat"}
    assert set(result.weights) == {("td", "step", "dense", "kernel")}


def test_a_flatten_that_was_not_converted_keeps_its_data_format():
    """Both data formats flatten a map of one pixel alike: take the model's, as Keras would."""
    model = image([conv(6), L.GlobalMaxPooling2D(data_format=CHANNELS_FIRST), L.Reshape((6, 1, 1))])
    pixel = image([L.MaxPooling2D((5, 4), data_format=CHANNELS_FIRST), L.Flatten(CHANNELS_FIRST), L.Dense(2)])
    there = check(pixel, CHANNELS_LAST)
    assert there.model.by_name["flatten_1"].data_format == CHANNELS_LAST
    back = relayout(there.model, CHANNELS_FIRST, there.reordered)
    assert back.model.stored_config() == pixel.stored_config()
    check(model, CHANNELS_LAST)


def test_image_data_format():
    assert image_data_format(image([conv()])) == CHANNELS_FIRST
    assert image_data_format(image([L.Dense(2)], (3,))) is None
    both = image([conv(), L.Conv2D(2, 2, data_format=CHANNELS_LAST)])
    assert image_data_format(both) is None


@pytest.mark.parametrize("data_format", [None, *DATA_FORMATS])
def test_flattened_vectors_of_a_sequence_flattened_again(data_format):
    """channels_first moves the time behind the features (Keras 2.2)."""
    td = L.TimeDistributed(L.Conv2D(2, 2, data_format=CHANNELS_FIRST, name="conv"), name="td")
    td.batch_input_shape = (None, 2, 3, 4, 5)
    flat = L.TimeDistributed(L.Flatten(name="flat"), name="td_flat")
    model = Sequential([td, flat, L.Flatten(data_format, name="again"), L.Dense(3, name="dense")])
    result = check(model, CHANNELS_LAST)
    assert set(result.weights) == {("dense", "kernel")}


def test_a_sequential_that_begins_with_a_permute_has_the_layout_of_its_input():
    """Its input is then called after the Permute."""
    softmax = L.Activation("softmax", name="softmax", batch_input_shape=(None, 4, 5, 3))
    model = Sequential([softmax, L.Conv2D(2, 3, name="conv", data_format=CHANNELS_LAST)], name="m")
    result = check(model, CHANNELS_FIRST)
    assert [layer.class_name for layer in result.model.sublayers][:2] == ["Permute", "Activation"]
    assert result.inputs == [image_layout(CHANNELS_FIRST, 4)]
