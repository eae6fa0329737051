"""Graphs of layers: shapes, order, calls, masks and outputs."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from kconvert import KconvertError, load_model
from kconvert import layers as L
from kconvert.backend import get_backend
from kconvert.layers.base import layer_config
from kconvert.layers.lists import as_list, one_or_list
from kconvert.models.sequential import as_model
from kconvert.network.architecture import model_from_config
from kconvert.network.graph import Node, Ref
from kconvert.network.nested import nest, walk
from kconvert.network.network import Network
from kconvert.network.sequential import Sequential
from tests.architectures import architectures, bound, random_inputs, random_weights
from tests.fixtures import case, cases, identify

laws = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SAVED = cases("1.2.2", "2.3.1")
WITH_ACTIVATIONS = [found for found in SAVED if (found.folder / "activations.npz").exists()]


def loaded(found):
    return load_model(found.model, "numpy", found.backend, None, found.data_format, convention=found.backend)


def entry(name, *shape):
    return L.InputLayer(batch_input_shape=(None, *shape), name=name)


def graph(layers, calls, inputs, outputs):
    """A Model of `calls`: (layer, inputs by layer name or Ref)."""
    counts, nodes = {}, [Node(name, 0, ()) for name in inputs]
    for name, taken in calls:
        refs = tuple(ref if isinstance(ref, Ref) else Ref(ref) for ref in taken)
        nodes.append(Node(name, counts.get(name, 0), refs))
        counts[name] = counts.get(name, 0) + 1
    outputs = [ref if isinstance(ref, Ref) else Ref(ref) for ref in outputs]
    return Network(layers, nodes, [Ref(name) for name in inputs], outputs, name="graph")


def ready(model):
    return bound(model, random_weights(model))


# -------------------------------------------------------------------- laws ----


@laws
@given(architectures())
def test_shapes_foretell_every_tensor(architecture):
    model = ready(architecture.model)
    inputs = random_inputs(model)
    shapes = {ref.key: shape for ref, shape in model.shapes([x.shape for x in inputs]).items()}
    found = model.activations(inputs)
    outside = {name: x.shape for name, x in found.items() if name in shapes}
    assert outside == {name: shapes[name] for name in outside}
    assert {ref.key for ref in model.output_refs} <= set(outside)
    free = {ref.key: shape for ref, shape in model.shapes().items()}
    assert all(n in (None, m) for name in outside for n, m in zip(free[name], outside[name], strict=True))


@laws
@given(architectures())
def test_batches_change_nothing(architecture):
    model = ready(architecture.model)
    inputs = random_inputs(model, samples=5)
    whole = as_list(model.predict(one_or_list(inputs)))
    for size in (1, 2, 5):
        for x, y in zip(whole, as_list(model.predict(one_or_list(inputs), batch_size=size)), strict=True):
            assert x.shape == y.shape
            assert np.allclose(x, y, rtol=1e-4, atol=1e-5 * max(1.0, np.abs(x).max(initial=0.0)))


@laws
@given(architectures())
def test_outputs_are_among_the_activations(architecture):
    model = ready(architecture.model)
    inputs = random_inputs(model)
    found = model.activations(inputs)
    for ref, y in zip(model.output_refs, as_list(model.predict(one_or_list(inputs))), strict=True):
        assert np.array_equal(found[ref.key], y)


@laws
@given(architectures())
def test_configuration_round_trip(architecture):
    """Through JSON, with the same weights at the same paths."""
    model = architecture.model
    config = json.loads(json.dumps(model.stored_config()))
    again = type(model).from_config(config)
    assert again.stored_config() == config
    assert {(node.output, node.inputs) for node in again.nodes} == {(node.output, node.inputs) for node in model.nodes}
    table = [(leaf.path, [weight.shape for weight in leaf.weights]) for leaf in model.weight_table()]
    assert [(leaf.path, [weight.shape for weight in leaf.weights]) for leaf in again.weight_table()] == table


@laws
@given(architectures())
def test_every_tensor_has_a_layer_that_makes_it(architecture):
    model = ready(architecture.model)
    layers = model.tensor_layers()
    for name in model.activations(random_inputs(model)):
        path, layer = layers[name]
        assert layer.name == path[-1] == name.rpartition("/")[2].partition("#")[0].partition(":")[0]


# ------------------------------------------------------------- real Keras's ----


@pytest.mark.parametrize("found", SAVED, ids=identify)
def test_layers_are_in_the_order_of_the_file(found):
    """The order in which Keras writes groups; the implicit input of a Sequential has no group."""
    with h5py.File(found.model) as file:
        names = list(file["model_weights"].attrs["layer_names"].astype(str))
    model = loaded(found).described  # before layers are read as what their release computed
    layers = model.sublayers if isinstance(model, Sequential) else model.layers
    ours = [layer.name for layer in layers]
    assert sorted(ours) == sorted(names) or found.release == "1.2.2"  # some names of 1.2.2 are not in its file
    if sorted(ours) == sorted(names):
        assert ours == names


@pytest.mark.parametrize("found", WITH_ACTIVATIONS, ids=identify)
def test_activations_are_named_and_valued_as_keras_computed_them(found):
    model = loaded(found)
    ours = model.activations(found.arrays("x"))
    inner = {name.rpartition("/")[2]: y for name, y in ours.items()}  # Keras 1.2 names layers of a nested chain so
    with np.load(found.folder / "activations.npz") as stored:
        names = {name for name in stored.files if not (name.startswith("sequential_") and name not in ours)}
        for name in names:
            y = ours[name] if name in ours else inner[name]
            assert y.shape == stored[name].shape, name
            np.testing.assert_allclose(y, stored[name], rtol=1e-3, atol=1e-4, err_msg=name)
        if found.release != "1.2.2":  # whose merged chains are one graph here
            inputs = {ref.key for ref in model.input_refs}
            assert {ref.key for ref in model.shapes()} - inputs <= names == set(stored.files)


def test_second_calls_and_second_outputs_have_names_of_their_own():
    shared = loaded(case("2.3.1-theano/siamese_conv_model_tf"))
    assert {"model_1#1", "model_1#2"} <= set(shared.tensor_layers())
    two = loaded(case("2.3.1-tensorflow/bidirectional_none"))
    assert {"bidirectional_1", "bidirectional_1:1"} <= set(two.tensor_layers())


# ------------------------------------------------------------------ graphs ----


def test_a_shared_layer_has_its_weights_once():
    layers = [entry("a", 4), entry("b", 4), L.Dense(3, name="d"), L.Add(name="sum")]
    model = graph(layers, [("d", ["a"]), ("d", ["b"]), ("sum", [Ref("d"), Ref("d", 1)])], ["a", "b"], ["sum"])
    assert [leaf.path for leaf in model.weight_table()] == [("d",)]
    model = ready(model)
    x, y = (np.random.default_rng(i).standard_normal((2, 4)).astype("float32") for i in (0, 1))
    w = model.arrays["d"]
    np.testing.assert_allclose(model.predict([x, y]), (x + y) @ w["kernel"] + 2 * w["bias"], rtol=1e-4, atol=1e-5)
    assert {"d", "d#1", "sum"} <= set(model.activations([x, y]))


def test_a_nested_model_is_a_layer():
    inner = Sequential([L.Dense(3, name="d", batch_input_shape=(None, 4)), L.Activation("tanh", name="t")], name="in")
    model = Sequential([inner, L.Dense(2, name="out")], name="whole")
    assert model.input_shapes == [(None, 4)]
    assert [leaf.path for leaf in model.weight_table()] == [("in", "d"), ("out",)]
    model = ready(model)
    x = np.ones((2, 4), "float32")
    found = model.activations(x)
    assert {"in#1/d", "in#1/t", "in#1", "out"} <= set(found)
    assert np.array_equal(found["in#1/t"], found["in#1"])
    assert np.array_equal(found["out"], model.predict(x))


def test_several_inputs_and_outputs_keep_their_order():
    layers = [entry("a", 3), entry("b", 5), L.Dense(2, name="da"), L.Dense(4, name="db")]
    model = ready(graph(layers, [("da", ["a"]), ("db", ["b"])], ["b", "a"], ["db", "da"]))
    y = model.predict([np.ones((2, 5)), np.ones((2, 3))])
    assert [array.shape for array in y] == [(2, 4), (2, 2)]
    assert model.compute_output_shape([(None, 5), (None, 3)]) == [(None, 4), (None, 2)]


def masked(*between):
    """Masking, some layers, and a GRU that uses the mask."""
    first = L.Masking(name="mask", batch_input_shape=(None, 4, 3))
    return Sequential([first, *between, L.GRU(2, name="gru")])


def test_masks_travel():
    """Padding changes the output only after a layer that does not keep the mask."""
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    x[:, 2:] = 0
    short = x[:, :2]

    def weights(model):
        return bound(model, random_weights(model))

    passing = weights(masked(L.TimeDistributed(L.Dense(3, name="dense"), name="td"), L.Dropout(0.5, name="drop")))
    free = Sequential([L.Masking(name="mask", batch_input_shape=(None, None, 3)), *passing.sublayers[1:]])
    free = as_model(free).bind(passing.backend, passing.arrays)
    np.testing.assert_allclose(passing.predict(x), free.predict(short), rtol=1e-5, atol=1e-6)
    ending = weights(masked(L.Permute((1, 2), name="same")))
    free = Sequential([L.Masking(name="mask", batch_input_shape=(None, None, 3)), *ending.sublayers[1:]])
    free = as_model(free).bind(ending.backend, ending.arrays)
    assert np.abs(ending.predict(x) - free.predict(short)).max() > 1e-3


def test_masks_travel_into_nested_models_and_out():
    inner = Sequential([L.Activation("tanh", name="t", batch_input_shape=(None, 4, 3))], name="in")
    nested, flat = masked(inner), masked(L.Activation("tanh", name="t"))
    weights = random_weights(flat)
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    x[:, 3:] = 0
    assert np.array_equal(bound(nested, weights).predict(x), bound(flat, weights).predict(x))


# ------------------------------------------------------------------ errors ----


def dense():
    return ready(Sequential([L.Dense(2, name="d", batch_input_shape=(None, 4))], name="m"))


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (
            np.ones((2, 5)),
            "input d_input: an array of shape (2, 5) was given where (None, 4) is expected",
        ),
        (np.ones(4), "input d_input: an array of shape (4,) was given where (None, 4) is expected"),
        ([np.ones((2, 4))] * 2, "m: the model has 1 inputs, 2 were given"),
    ],
    ids=["size", "rank", "number"],
)
@pytest.mark.parametrize("method", ["predict", "activations"])
def test_inputs_that_do_not_fit_are_refused_in_one_sentence(x, said, method):
    with pytest.raises(KconvertError) as refusal:
        getattr(dense(), method)(x)
    assert str(refusal.value).removesuffix(" (None is free)") == said


@pytest.mark.parametrize("options", [{}, {"steps": 1}], ids=["arrays", "stream"])
def test_inputs_are_checked_before_the_model_is_compiled(options):
    model = as_model(Sequential([L.Dense(2, name="d", batch_input_shape=(None, 4))]))
    x = np.ones((2, 5))
    with pytest.raises(KconvertError, match="is expected"):
        model.predict(iter([x]) if options else x, **options)
    assert model.backend is None


def test_a_model_without_weights_starts_with_initial_ones():
    model, again = (as_model(Sequential([L.Dense(2, name="d", batch_input_shape=(None, 4))])) for _ in range(2))
    model.start("numpy", seed=0)
    again.start("numpy", seed=0)
    assert model.predict(np.ones((3, 4))).any()
    np.testing.assert_array_equal(model.predict(np.ones((3, 4))), again.predict(np.ones((3, 4))))


def test_a_cycle_is_refused():
    layers = [entry("a", 4), L.Add(name="x"), L.Activation("relu", name="y")]
    with pytest.raises(KconvertError, match=r"graph: the graph has a cycle at layer x"):
        graph(layers, [("x", ["a", "y"]), ("y", ["x"])], ["a"], ["y"])


@pytest.mark.parametrize("ref", [Ref("b"), Ref("a", 1)], ids=["layer", "call"])
def test_an_unknown_tensor_is_refused(ref):
    with pytest.raises(
        KconvertError, match=r"graph: the graph has no call that computes the tensor .*, which layer x takes"
    ):
        graph([entry("a", 4), L.Dense(2, name="x")], [("x", [ref])], ["a"], ["x"])


@pytest.mark.parametrize("what", ["layer", "output", "input", "tensor"])
def test_a_configuration_that_names_what_is_not_there_is_refused(what):
    """Broken or malicious files raise a KconvertError, never a KeyError."""
    model = graph([entry("a", 4), L.Dense(2, name="x")], [("x", ["a"])], ["a"], ["x"])
    config = model.stored_config()
    changes = {
        "layer": lambda: config["layers"][1]["inbound_nodes"][0][0].__setitem__(0, "gone"),
        "tensor": lambda: config["layers"][1]["inbound_nodes"][0][0].__setitem__(2, 3),
        "output": lambda: config["output_layers"][0].__setitem__(0, "gone"),
        "input": lambda: config["input_layers"][0].__setitem__(0, "gone"),
    }
    changes[what]()
    with pytest.raises(KconvertError):
        model_from_config({"class_name": "Model", "config": config}).weight_table()


@pytest.mark.parametrize(
    ("layers", "calls", "inputs", "outputs", "message"),
    [
        ([L.Dense(2, name="x")], [], ["x"], ["x"], "the input 'x' is not an InputLayer"),
        ([entry("a", 4)], [("x", ["a"])], ["a"], ["a"], "the graph calls the unknown layer 'x'"),
        ([entry("a", 4)], [], ["a"], [Ref("a", 1)], "no call of the graph computes the output 'a#1'"),
        ([entry("a", 4)], [], ["a"], ["x"], "the graph refers to the unknown layer 'x'"),
        ([entry("a", 4)], [], ["a"], [], "the graph has no output"),
    ],
)
def test_a_graph_that_is_not_consistent_is_refused_with_the_reason(layers, calls, inputs, outputs, message):
    with pytest.raises(KconvertError, match=f"graph: {message}"):
        graph(layers, calls, inputs, outputs)


def test_calls_that_no_output_needs_leave_no_gaps_in_the_numbers():
    """Keras 2.3.1 loads such a graph, and writes its calls as 0 and 1; ours was one that nobody can read."""
    x = {**layer_config(entry("x", 4)), "name": "x", "inbound_nodes": []}
    calls = [[["x", 0, 0, {}]], [["x", 0, 0, {}]], [["d", 0, 0, {}]]]
    d = {**layer_config(L.Dense(4, name="d")), "name": "d", "inbound_nodes": calls}
    config = {"name": "m", "layers": [x, d], "input_layers": [["x", 0, 0]], "output_layers": [["d", 2, 0]]}
    stated = model_from_config({"class_name": "Model", "config": config}).stated_config()
    assert stated["layers"][1]["inbound_nodes"] == [[["x", 0, 0, {}]], [["d", 0, 0, {}]]]
    assert stated["output_layers"] == [["d", 1, 0]]
    assert model_from_config({"class_name": "Model", "config": stated}).stated_config() == stated


def test_two_layers_of_one_name_are_refused():
    with pytest.raises(KconvertError, match="two layers have the same name"):
        Sequential([L.Dense(2, name="d", batch_input_shape=(None, 4)), L.Dense(2, name="d")])


def test_files_of_an_empty_chain_and_of_one_without_a_shape_are_refused():
    with pytest.raises(KconvertError, match="m: a Sequential model needs at least one layer"):
        Sequential.from_config(Sequential([], name="m").stored_config())
    item = {"class_name": "Sequential", "config": Sequential([L.Dense(2, name="d")], name="m").stored_config()}
    with pytest.raises(KconvertError, match=r"m: the first layer states no input shape; .*input_shape="):
        model_from_config(item)
    assert model_from_config(item, shape_for=lambda layer: (None, 4)).input_shapes == [(None, 4)]


def test_a_sequential_inside_has_the_shape_that_it_is_called_on():
    inner = Sequential([L.Dense(2, name="d"), Sequential([L.Dense(5, name="e")], name="deep")], name="inside")
    outer = Sequential([L.Dense(3, name="first", input_shape=(4,)), inner], name="m")
    found = model_from_config({"class_name": "Sequential", "config": outer.stored_config()})
    assert found.by_name["inside"].input_shapes == [(None, 3)]
    assert found.compute_output_shape((None, 4)) == (None, 5)


def test_shapes_that_do_not_fit_name_the_layer():
    model = Sequential([L.Reshape((5, 5), name="r", batch_input_shape=(None, 4))], name="m")
    with pytest.raises(KconvertError, match="layer r: cannot reshape"):
        model.shapes()
    crossed = graph([entry("a", 4), entry("b", 5), L.Add(name="s")], [("s", ["a", "b"])], ["a", "b"], ["s"])
    with pytest.raises(KconvertError, match=r"layer s: shapes \(4,\) and \(5,\) cannot be merged"):
        crossed.shapes()


# ---------------------------------------------------------------- loading ----


def test_load_weights_takes_a_file_of_the_other_backend():
    there, here = (case(f"2.3.1-{backend}/lenet_th") for backend in ("theano", "tensorflow"))
    model = loaded(here)
    before = model.predict(here.arrays("x")[0])
    np.testing.assert_allclose(before, here.arrays("y")[0], atol=1e-4)
    after = model.load_weights(there.model).predict(there.arrays("x")[0])
    np.testing.assert_allclose(after, there.arrays("y")[0], atol=1e-4)


def test_walk_and_nest_are_each_others_inverse():
    arrays = {"a": {"kernel": 1, "in": {"bias": 2}}, "b": {"kernel": 3}}
    assert list(walk(arrays)) == [(("a", "kernel"), 1), (("a", "in", "bias"), 2), (("b", "kernel"), 3)]
    assert nest(walk(arrays)) == arrays


def test_a_model_runs_on_two_backends_in_turn():
    model = dense()
    x = np.ones((2, 4), "float32")
    first = model.predict(x)
    assert np.array_equal(model.bind(get_backend("numpy", "theano"), model.arrays).predict(x), first)


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "Normalization", "config": {"name": "layer", "batch_input_shape": [None, None]}},
        {"class_name": "Dense", "config": {"name": "layer", "units": 2, "batch_input_shape": [None, 5]}},
    ],
)
def test_the_input_of_a_sequential_says_the_shape_whatever_the_layer_behind_it_states(layer):
    """tf.keras states free sizes for a layer that `adapt` built; Keras does not read them."""
    entry = {"class_name": "InputLayer", "config": {"name": "entry", "batch_input_shape": [None, 3]}}
    model = Sequential.from_config([entry, layer])
    assert [tuple(one.batch_input_shape) for one in model.all_layers] == [(None, 3), (None, 3)]


def twice(depth):
    """Networks in networks, each called twice: 2 ** depth calls of the innermost layer."""
    inner = graph([entry("x", 3), L.Dense(3, name="d")], [("d", ["x"])], ["x"], ["d"])
    for level in range(depth):
        inner.name = f"m{level}"
        calls = [(inner.name, ["x"]), (inner.name, [Ref(inner.name)])]
        inner = graph([entry("x", 3), inner], calls, ["x"], [Ref(inner.name, 1)])
    return inner


def test_shapes_of_a_nested_network_are_computed_once(monkeypatch):
    counted = []
    shape_of_dense = L.Dense.compute_output_shape
    monkeypatch.setattr(
        L.Dense, "compute_output_shape", lambda self, shape: counted.append(shape) or shape_of_dense(self, shape)
    )
    network = twice(12)
    assert network.compute_output_shape((None, 3)) == (None, 3)
    assert len(counted) == 1


def test_a_layer_that_changes_has_new_shapes():
    network = twice(2)
    assert network.compute_output_shape((None, 3)) == (None, 3)
    next(layer for path, layer in network.leaves() if path.endswith("/d")).units = 5
    assert network.compute_output_shape((None, 3)) == (None, 5)
