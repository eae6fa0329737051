"""Keras 1's own layers and what a Keras 2 file says instead: the same numbers, with the same weights."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from kconvert import KconvertError
from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.conventions.backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST
from kconvert.conversion.passes.modernize import modernize
from kconvert.conversion.reading import read_architecture
from kconvert.layers.lists import one_or_list
from kconvert.models.sequential import as_model
from kconvert.network.architecture import model_config, model_from_config
from kconvert.network.graph import Node, Ref
from kconvert.network.nested import nest
from kconvert.network.network import Network
from kconvert.network.sequential import Sequential
from tests.architectures import architectures, bound, random_inputs, random_weights
from tests.fixtures import cases, identify


def chain(layer, *shape):
    layer.name, layer.batch_input_shape = "old", (None, *shape)
    return Sequential([layer], name="m")


def merged(layer, *shapes):
    """A graph with one input a shape, merged by `layer`."""
    layer.name = "old"
    names = [f"x{i}" for i in range(len(shapes))]
    entries = [
        L.InputLayer(batch_input_shape=(None, *shape), name=name) for name, shape in zip(names, shapes, strict=True)
    ]
    nodes = [*(Node(name, 0, ()) for name in names), Node("old", 0, tuple(map(Ref, names)))]
    return Network([*entries, layer], nodes, [Ref(name) for name in names], [Ref("old")], name="m")


def check(model, part="tensorflow"):
    """Both generations compute the same with the same weights; gives the Keras 2 model."""
    new = modernize(model).model
    weights, inputs = random_weights(model), random_inputs(model)
    assert [(leaf.path[-1], [w.name for w in leaf.weights]) for leaf in new.weight_table()] == [
        (leaf.path[-1], [w.name for w in leaf.weights]) for leaf in model.weight_table()
    ]
    arrays = nest(weights.items())
    backend = get_backend("numpy", part)
    x = as_model(model).bind(backend, arrays).predict(one_or_list(inputs))
    y = as_model(new).bind(backend, arrays).predict(one_or_list(inputs))
    assert x.size == y.size
    np.testing.assert_allclose(x, y.reshape(x.shape), rtol=1e-5, atol=1e-6)
    return new


def classes(model):
    return [layer.class_name for layer in model.sublayers]


# ------------------------------------------------------------------ the same ----


@pytest.mark.parametrize(
    ("layer", "shape", "becomes"),
    [
        (L.TimeDistributedDense(3, "tanh"), (5, 4), ["Dense"]),
        (L.Flatten(), (3, 4, 5), ["Flatten"]),
        (L.TimeDistributed(L.Flatten(name="inner")), (2, 3, 4, 5), ["TimeDistributed"]),
        (L.TimeDistributed(L.TimeDistributedDense(3, name="inner")), (2, 5, 4), ["TimeDistributed"]),
        (L.Highway(activation="relu"), (4,), ["Highway"]),
        (L.MaxoutDense(3, 2), (4,), ["MaxoutDense"]),
        (L.PReLU(shared_axes=[1]), (3, 4), ["PReLU"]),
    ],
    ids=lambda value: value.class_name if isinstance(value, L.Layer) else "",
)
def test_a_layer_and_its_chain(layer, shape, becomes):
    assert classes(check(chain(layer, *shape))) == becomes


@pytest.mark.parametrize("mode", ["sum", "mul", "ave", "max", "concat"])
@pytest.mark.parametrize("count", [2, 3])
def test_merges(mode, count):
    new = check(merged(L.Merge(mode), *[(3, 4)] * count))
    wanted = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}
    assert classes(new) == [wanted[mode]]


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_a_concatenation_keeps_its_axis(axis):
    shapes = [[3, 4], [3, 4]]
    shapes[1][axis if axis < 0 else axis - 1] = 2
    new = check(merged(L.Merge("concat", concat_axis=axis), *shapes))
    assert new.by_name["old"].axis == axis


@pytest.mark.parametrize(
    ("mode", "axes", "shapes"),
    [
        ("dot", 1, [(4,), (4,)]),
        ("dot", -1, [(4,), (4,)]),
        ("dot", [1, 2], [(3, 4), (5, 3)]),
        ("dot", [2, 2], [(3, 4), (5, 4)]),
        ("cos", 1, [(4,), (4,)]),
        ("cos", -1, [(4,), (4,)]),
    ],
)
def test_products(mode, axes, shapes):
    new = check(merged(L.Merge(mode, dot_axes=axes), *shapes))
    assert classes(new) == (["Dot"] if mode == "dot" else ["Dot", "Reshape"])
    assert new.output_refs == [Ref("old")]


@pytest.mark.parametrize("extra", [None, 0, 1])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("part", BACKENDS)
def test_the_output_shape_that_keras_1_states(padding, stride, extra, part):
    layer = L.Conv2DTranspose(2, 3, stride, padding, data_format=CHANNELS_LAST)
    smallest = layer.compute_output_shape((None, 4, 5, 3))
    wanted = (None, *(size + (extra or 0) for size in smallest[1:3]), 2)
    layer.keras1_output_shape = list(wanted)
    model = chain(layer, 4, 5, 3)
    try:
        new = check(model, part)
    except KconvertError as refusal:
        assert extra and "layer old: Keras 2 cannot make the output shape" in str(refusal)
        return
    assert new.by_name["old"].keras1_output_shape is None
    assert new.shapes()[new.output_refs[0]] == wanted


def test_flattens_say_their_order():
    """From 2.2 on a Flatten that says nothing takes the user's global data format."""
    assert modernize(chain(L.Flatten(), 3, 4)).model.by_name["old"].data_format == CHANNELS_LAST
    assert modernize(chain(L.Flatten(CHANNELS_FIRST), 3, 4)).model.by_name["old"].data_format == CHANNELS_FIRST


def test_an_embedding_holds_floats_whatever_its_indices_are():
    """Keras 2 makes the table of the dtype that Keras 1 stated for the input: real Keras 2.3.1 refuses integers."""
    model = chain(L.Embedding(7, 3, dtype="int32"), 4)
    new = modernize(model).model
    assert "dtype" not in new.stored_config()["layers"][0]["config"]
    weights, x = random_weights(model), np.array([[0, 1, 6, 3]])
    assert np.array_equal(bound(model, weights).predict(x), bound(new, weights).predict(x))


@pytest.mark.parametrize("stated", [{"implementation": 1}, {}])
def test_a_convlstm_says_no_implementation(stated):
    """Keras 2.0 stated one; real Keras 2.3.1 does not understand the word."""
    layer = L.ConvLSTM2D(2, 3, extra={**stated, "color": "blue"})
    assert modernize(chain(layer, 3, 4, 5, 2)).model.by_name["old"].extra == {"color": "blue"}


def test_a_merge_that_becomes_two_layers_in_the_middle_of_a_graph():
    """Calls go on from the last of the two; a nested model and a second call too."""
    model = merged(L.Merge("cos", dot_axes=1), (4,), (4,))
    after = L.Dense(3, name="after")
    nodes = [*model.nodes, Node("after", 0, (Ref("old"),))]
    whole = Network([*model.layers, after], nodes, model.input_refs, [Ref("after"), Ref("old")], name="m")
    done = modernize(whole)
    assert classes(done.model) == ["Dot", "Reshape", "Dense"]
    weights, inputs = random_weights(whole), random_inputs(whole)
    for x, y in zip(bound(whole, weights).predict(inputs), bound(done.model, weights).predict(inputs), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(architectures())
def test_what_keras_2_has_stays(architecture):
    """All but what a Flatten says."""
    model = architecture.model
    try:
        new = modernize(model).model
    except KconvertError as refusal:
        assert "has no equal in Keras 2" in str(refusal)
        return
    weights, inputs = random_weights(model), random_inputs(model)
    before, after = bound(model, weights).activations(inputs), bound(new, weights).activations(inputs)
    assert set(before) == set(after)
    for name, tensor in before.items():
        np.testing.assert_allclose(after[name], tensor, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("found", cases("1.2.2")[::3], ids=identify)
def test_what_is_written_for_keras_2_is_read_as_keras_2(found):
    config = found.folder / "arch.json"
    try:
        new = modernize(read_architecture(str(config), found.data_format)).model
    except KconvertError as refusal:
        assert "has no equal in Keras 2" in str(refusal)
        return
    written = model_config(new, "keras2", "2.3.1", "tensorflow")
    again = model_from_config(written)
    assert model_config(again, "keras2", "2.3.1", "tensorflow") == written
    assert not any(isinstance(layer, (L.Merge, L.TimeDistributedDense)) for _, layer in again.leaves())


# ------------------------------------------------------------------- refused ----


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (L.SReLU(name="old"), "SReLU has no equal in Keras 2"),
        (L.ParametricSoftplus(name="old"), "ParametricSoftplus has no equal in Keras 2"),
        (L.BatchNormalization(mode=1, name="old"), "BatchNormalization(mode=1) has no equal in Keras 2"),
        (L.BatchNormalization(mode=2, name="old"), "BatchNormalization(mode=2) has no equal in Keras 2"),
        (L.TimeDistributed(L.BatchNormalization(mode=2, name="old"), name="td"), "BatchNormalization(mode=2)"),
        (
            Sequential([L.SReLU(name="old", batch_input_shape=(None, 3, 4))], name="inner"),
            "SReLU has no equal in Keras 2",
        ),
    ],
    ids=["srelu", "softplus", "mode1", "mode2", "wrapped", "nested"],
)
def test_what_has_no_equal_is_refused_by_name(layer, said):
    with pytest.raises(KconvertError) as refusal:
        modernize(chain(layer, 3, 4))
    assert said in str(refusal.value) and "layer old" in str(refusal.value)
    assert "format='same' keeps the file in its own generation" in str(refusal.value)


def test_a_merge_by_a_function_is_refused():
    model = merged(L.Merge("sum"), (4,), (4,))
    model.by_name["old"].mode = "lambda"
    with pytest.raises(KconvertError, match="layer old"):
        modernize(model)
