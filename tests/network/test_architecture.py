"""Architectures of every generation as networks: read, written back as they were, refused with a reason."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conversion.reading import read_architecture
from kconvert.errors import Problem
from kconvert.layers.base import layer_config
from kconvert.layers.registry import layer_from_config
from kconvert.models.model import Model
from kconvert.network.architecture import model_config, model_from_config
from kconvert.network.functional import Input
from kconvert.network.sequential import Sequential
from tests.conventions.words.items import arch, chain, differences, layer
from tests.fixtures import case, cases, identify

KERAS1, KERAS2 = cases("1.2.2"), cases("2.3.1")
MERGED_CHAINS = ("merge_sequential_images_concat_th", "merge_sequential_sum")
MEAN_NOTHING = {"input_dim", "input_length"}  # of layers whose batch_input_shape or input says the same
laws = settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


# ------------------------------------------------------- as Keras wrote it ----


@pytest.mark.parametrize("found", [f for f in KERAS1 if f.name not in MERGED_CHAINS], ids=identify)
def test_keras_1_through_the_layers(found):
    """What a layer does not know is carried along; what it holds is what was read."""
    old = arch(found)
    model = model_from_config(old, data_format=found.data_format)
    written = json.loads(json.dumps(model_config(model, "keras1", old["keras_version"], found.backend)))
    for cls, key, before, after in differences(old, written):
        lost = key in MEAN_NOTHING and after is None
        added = before is None  # what 1.2.2 has a default for: dim_ordering, output_mask, arguments
        assert lost or added, (cls, key, before, after)


@pytest.mark.parametrize("found", [f for f in KERAS2 if (f.folder / "arch.json").exists()], ids=identify)
def test_keras_2_is_written_exactly_as_it_was_read(found):
    old = arch(found)
    written = model_config(model_from_config(old), "keras2", old["keras_version"], old["backend"])
    assert json.loads(json.dumps(written)) == old


@pytest.mark.parametrize("name", MERGED_CHAINS)
@pytest.mark.parametrize("saved_by", ["theano", "tensorflow"])
def test_merged_chains_of_keras_1_become_a_graph(name, saved_by):
    found = case(f"1.2.2-{saved_by}/{name}")
    model = model_from_config(arch(found), data_format=found.data_format)
    assert model.class_name == "Model"
    assert [shape[1:] for shape in model.input_shapes] == [x.shape[1:] for x in found.arrays("x")]
    assert len(model.output_refs) == 1
    assert [node.inputs for node in model.nodes if len(node.inputs) == len(model.input_refs) > 1]


# ----------------------------------------------------------------- refusals ----


@pytest.mark.parametrize("version", ["1.2.2", "2.3.1"])
def test_an_unknown_class_is_carried_and_does_not_run(version):
    config = {**chain(layer("Spatial Transformer", "st_1")), "keras_version": version}
    error = model_from_config(config).by_name["st_1"].cannot_run
    assert "layer st_1" in str(error) and "'Spatial Transformer'" in str(error)


def test_keras_0_merges_branches_of_layers():
    """Its Sequential knows no branch that is an input by itself."""
    x = Input((4,), name="x")
    model = Model(x, L.Merge("sum", name="m")([x, L.Dense(4, name="d")(x)]))
    with pytest.raises(KconvertError, match=r"a Merge of Keras 0\.3 takes branches of layers, not an input"):
        model_config(model, "keras0", "0.3.3", "theano")


def test_keras_1_has_no_such_layer():
    model = Sequential([L.DepthwiseConv2D(3, name="dw", batch_input_shape=(None, 6, 7, 3))])
    with pytest.raises(KconvertError, match="layer dw: Keras 1 has no DepthwiseConv2D layer; use format='keras2'"):
        model_config(model, "keras1", "1.2.2", "theano")


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"class_name": "Dense", "config": {"units": 2}},
        {"class_name": "Model"},
        {"class_name": "Sequential", "config": None},
        {"class_name": "Sequential", "config": []},
        {"class_name": "Sequential", "config": [1]},
        {"class_name": "Sequential", "config": [{"class_name": "Dense"}]},
        {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {}}]},
        {"class_name": "Model", "config": {"layers": []}},
        {"class_name": ["Model"], "config": {}},
        [],
        None,
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("version", ["1.2.2", "2.3.1", None])
def test_what_is_no_model_is_refused(config, version):
    with pytest.raises(KconvertError) as refusal:
        model_from_config(config, version)
    assert "\n" not in str(refusal.value)


def paths(value, path=()):
    """Every place in a JSON value."""
    yield path
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield from paths(value[key], (*path, key))


HOSTILE = ["2.3.1-theano/lenet_th", "2.3.1-tensorflow/td_model_th", "1.2.2-theano/crnn_two_gru_th"]
HOSTILE += ["2.3.1-theano/rnn_one_cell", "1.2.2-theano/merge_sequential_sum", "2.3.1-theano/siamese_conv_model_tf"]
HOSTILE += ["0.3.3-theano/graph_shared_node", "0.3.3-theano/graph_two_inputs", "0.3.3-tensorflow/merge_sum"]
DAMAGES = ["delete", None, 0, -3, 2.5, "x", [], {}, [None], {"name": 1}, True, [[1]]]
DAMAGES += [{"class_name": "Dense", "config": []}, {"class_name": [], "config": {}}]
WRITTEN = [("keras2", "2.3.1"), ("keras2", "2.0.9"), ("keras1", "1.2.2"), ("keras0", "0.3.3")]


@laws
@given(st.data())
def test_a_damaged_architecture_is_read_or_refused(data):
    """One place of a good file is deleted or holds something else: never a crash."""
    found = case(data.draw(st.sampled_from(HOSTILE)))
    config = arch(found)
    *before, last = data.draw(st.sampled_from([path for path in paths(config) if path]))
    holder = config
    for key in before:
        holder = holder[key]
    value = data.draw(st.sampled_from(DAMAGES))
    form, release = data.draw(st.sampled_from(WRITTEN))
    if value == "delete":
        del holder[last]
    else:
        holder[last] = value
    try:
        model = model_from_config(config, data_format=found.data_format)
        model.weight_table()
        model_config(model, form, release, "theano")
    except KconvertError as refusal:
        assert "\n" not in str(refusal)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"name": "s", "layers": 3}, "'layers' of Sequential 's' should be a list, not 3"),
        ({"layers": [{"class_name": 1, "config": {}}]}, "'class_name' of element 0 of 'layers' of the architecture"),
        ({"layers": [{"class_name": "Dense", "config": [1]}]}, "'config' of element 0 .* should be an object"),
        ({"layers": [layer("Dense", "d", batch_input_shape=5)]}, "'batch_input_shape' of Dense 'd' should be a list"),
        ({"layers": [layer("Dense", ["d"])]}, "'name' of element 0 .* should be a string"),
    ],
)
def test_the_shape_of_the_json_is_checked_before_anything_is_built(config, said):
    with pytest.raises(KconvertError, match=f"the architecture is not one that Keras writes: {said}") as refusal:
        model_from_config({"class_name": "Sequential", "config": config}, "2.3.1")
    assert refusal.value.problem is Problem.UNREADABLE


@pytest.mark.parametrize("call", [[], 3, [[1, 0, 0]], [["x", 0]], [["x", 0, 0, "training"]]], ids=str)
def test_calls_in_a_graph_name_tensors(call):
    entries = [{**layer("InputLayer", "x", batch_input_shape=[None, 3]), "name": "x", "inbound_nodes": []}]
    entries.append({**layer("Dense", "d", units=2), "name": "d", "inbound_nodes": [call]})
    config = {"name": "m", "layers": entries, "input_layers": [["x", 0, 0]], "output_layers": [["d", 0, 0]]}
    with pytest.raises(KconvertError, match="element 0 of 'inbound_nodes' of Dense 'd'"):
        model_from_config({"class_name": "Model", "config": config}, "2.3.1")


@pytest.mark.parametrize(
    ("made", "key", "value", "what"),
    [
        (L.UpSampling2D(2, name="up"), "interpolation", "bicubic", "layer up: UpSampling2D: unknown interpolation"),
        (L.TimeDistributed(L.Conv1D(2, 3, name="c"), name="steps"), "padding", "reflect", "layer c: Conv1D: unknown p"),
    ],
)
def test_an_option_of_another_keras_is_refused_with_its_layer(made, key, value, what):
    item = layer_config(made)
    item["config"].get("layer", item)["config"][key] = value
    with pytest.raises(KconvertError, match=what) as refusal:
        layer_from_config(item)
    assert refusal.value.problem == Problem.UNSUPPORTED


def test_a_value_that_a_layer_refuses_is_reported_with_the_layer():
    odd = chain(layer("Conv2D", "c", filters=2, kernel_size=None))
    with pytest.raises(KconvertError, match="layer c: Conv2D: kernel_size must be an integer or 2 integers"):
        model_from_config(odd, "2.3.1")


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        ("GRU", {"units": [1, 2, 3]}),
        ("Conv1D", {"filters": "many", "kernel_size": 2}),
        ("Conv1D", {"filters": {"a": 1}, "kernel_size": 2}),
    ],
    ids=str,
)
def test_a_size_that_is_no_number_is_reported_with_the_layer(cls, options):
    odd = chain(layer(cls, "odd", **options), layer("Flatten", "f"), shape=(None, 5, 4))
    with pytest.raises(KconvertError, match="layer odd: this is not the configuration of a") as refusal:
        model_from_config(odd, "2.3.1").shapes()
    assert refusal.value.problem is Problem.UNREADABLE


def test_a_cell_is_named_by_a_string():
    cell = {"class_name": "LSTMCell", "config": {"name": 3, "units": 2}}
    stacked = {"class_name": "StackedRNNCells", "config": {"cells": [cell]}}
    with pytest.raises(KconvertError, match="the name 3 of a layer is not a string") as refusal:
        model_from_config(chain(layer("RNN", "r", cell=stacked), shape=(None, 5, 4)), "2.3.1")
    assert refusal.value.problem is Problem.UNREADABLE


def test_an_input_that_is_there_twice_or_not_at_all_is_refused():
    """As Keras refuses it: a file of a few kilobytes can name one 100,000 times."""
    nodes = [[["x", 0, 0, {}]]]
    layers = [
        {**layer("InputLayer", "x", batch_input_shape=[None, 4]), "name": "x", "inbound_nodes": []},
        {**layer("Dense", "d", units=2), "name": "d", "inbound_nodes": nodes},
    ]
    graph = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]] * 2, "output_layers": [["d", 0, 0]]}
    with pytest.raises(KconvertError, match="the list of inputs is redundant"):
        model_from_config({"class_name": "Model", "config": graph}, "2.3.1")
    graph["input_layers"] = [["x", 0, -1]]
    with pytest.raises(KconvertError, match="the input 'x' has no tensor -1"):
        model_from_config({"class_name": "Model", "config": graph}, "2.3.1")


@pytest.mark.parametrize("name", ["d\ud800", "d\0", "d\0e"])
def test_a_name_that_no_file_can_hold_is_refused(name):
    """Half a character, and a null character, at which HDF5 ends a name."""
    with pytest.raises(KconvertError, match="layer names must be strings"):
        model_from_config(chain(layer("Dense", name, units=2), shape=(None, 4)), "2.3.1")


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        ("RepeatVector", {"n": 10**4000}),
        ("RepeatVector", {"n": 2**63}),
        ("Dense", {"units": 10**4000}),
        ("Reshape", {"target_shape": [1] * 70 + [4]}),
        ("Flatten", {"batch_input_shape": [None] + [10**18] * 60}),
    ],
    ids=str,
)
def test_a_shape_that_no_array_has_is_refused(cls, options):
    """Numbers of thousands of digits, which Python does not even print, come of a few that multiply."""
    shape = tuple(options.pop("batch_input_shape", (None, 4)))
    odd = chain(layer(cls, "odd", **options), layer("Flatten", "f"), shape=shape)
    with pytest.raises(KconvertError, match="would have a shape that no array has") as refusal:
        model_from_config(odd, "2.3.1").shapes()
    assert refusal.value.problem is Problem.UNREADABLE and refusal.value.where == "layer odd"


def test_an_error_in_kconvert_itself_is_not_taken_for_one_of_the_file(monkeypatch):
    def broken(cls, config):
        raise TypeError("a mistake of ours")

    monkeypatch.setattr(Sequential, "from_config", classmethod(broken))
    with pytest.raises(TypeError, match="a mistake of ours"):
        model_from_config(chain(layer("Dense", "d", units=2), shape=(None, 4)), "2.3.1")


# -------------------------------------------------------------------- files ----


def test_an_architecture_from_a_file(tmp_path):
    found = case("2.3.1-theano/lenet_th")
    read = read_architecture(str(found.folder / "arch.json"))
    assert read.stored_config() == model_from_config(arch(found)).stored_config()
    missing = tmp_path / "missing.json"
    with pytest.raises(KconvertError, match="there is no such file") as refusal:
        read_architecture(str(missing))
    assert refusal.value.where == str(missing)
    for text, said in (("{", "is not JSON"), ("[1]", "is not the JSON of a model"), ("[" * 100000, "is not JSON")):
        path = tmp_path / "odd.json"
        path.write_text(text)
        with pytest.raises(KconvertError, match=said) as refusal:
            read_architecture(str(path))
        assert refusal.value.where == str(path) and refusal.value.problem is Problem.UNREADABLE
    (tmp_path / "dense.json").write_text(json.dumps(chain(layer("Strange", "s"))))
    assert read_architecture(str(tmp_path / "dense.json")).by_name["s"].class_name == "Strange"
