"""The words of Keras 1: into those of Keras 2 and back, refused with a reason."""

import copy
import json

import pytest

from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.words.files import stated_data_formats
from kconvert.conventions.words.keras1 import to_keras2
from kconvert.errors import Problem
from kconvert.layers.base import layer_config
from kconvert.layers.registry import LAYERS
from kconvert.network.architecture import model_from_config
from kconvert.network.graph import Node, Ref
from kconvert.network.network import Network
from tests.conventions.words.items import chain, conv, differences, item, layer, padding, to_keras1
from tests.fixtures import cases, identify

KERAS1 = cases("1.2.2")
MERGED_CHAINS = ("merge_sequential_images_concat_th", "merge_sequential_sum")
MEAN_NOTHING = {"input_dim", "input_length"}  # of layers whose batch_input_shape or input says the same
NOT_STORED = {"UpSampling2D": {"dim_ordering"}}  # Keras 1.2 took the user's global setting


@pytest.mark.parametrize("found", [f for f in KERAS1 if f.name not in MERGED_CHAINS], ids=identify)
def test_keras_1_there_and_back_key_by_key(found):
    old = item(found)
    for cls, key, before, after in differences(old, to_keras1(to_keras2(old, found.data_format))):
        lost = key in MEAN_NOTHING and after is None
        stated = key in NOT_STORED.get(cls, ()) and before is None and after == found.meta["dim_ordering"]
        assert lost or stated, (cls, key, before, after)


# --------------------------------------------------------- merged branches ----


def test_merged_chains_in_merged_chains():
    def branch(name, units=4):
        return chain(layer("Dense", name, output_dim=units), shape=(None, 5))

    inner = {
        "class_name": "Sequential",
        "config": [layer("Merge", "m1", mode="sum", layers=[branch("a"), branch("b")])],
    }
    whole = [layer("Merge", "m2", mode="concat", concat_axis=-1, layers=[inner, branch("c", 3)])]
    whole.append(layer("Dense", "d", output_dim=2))
    model = model_from_config({"class_name": "Sequential", "config": whole}, "1.2.2")
    assert [ref.layer for ref in model.input_refs] == ["a_input", "b_input", "c_input"]
    assert model.compute_output_shape(model.input_shapes) == (None, 2)
    assert [shape for ref, shape in model.shapes().items() if ref.layer == "m2"] == [(None, 7)]


def test_the_layers_of_a_merged_graph_are_layers_of_the_graph():
    entries = [
        {**layer("InputLayer", "x", batch_input_shape=[None, 5], input_dtype="float32"), "inbound_nodes": []},
        {**layer("Dense", "a", output_dim=4), "inbound_nodes": [[["x", 0, 0]]]},
    ]
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [["a", 0, 0]]}
    layers = [{**entry, "name": entry["config"]["name"]} for entry in entries]
    graph = {"class_name": "Model", "config": {"name": "graph", "layers": layers, **ends}}
    other = chain(layer("Dense", "b", output_dim=4), shape=(None, 3))
    merged = [layer("Merge", "m", mode="sum", layers=[graph, other]), layer("Dense", "d", output_dim=2)]
    model = model_from_config({"class_name": "Sequential", "config": merged}, "1.2.2")
    assert {one.name for one in model.all_layers} == {"x", "a", "b_input", "b", "m", "d"}
    assert [ref.layer for ref in model.input_refs] == ["x", "b_input"]
    assert model.compute_output_shape(model.input_shapes) == (None, 2)


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (layer("Dense", "a", output_dim=4, batch_input_shape=[None, 5]), "a_input"),
        (layer("InputLayer", "x", batch_input_shape=[None, 5], input_dtype="float32"), "x"),
        ({**chain(layer("Dense", "a", output_dim=4), shape=(None, 5)), "name": "a"}, "a_input_1"),
        ({**chain(layer("Dense", "a", output_dim=4), shape=(None, 5)), "name": "b"}, "b_input"),
    ],
    ids=["layer", "input", "chain of its name", "chain"],
)
def test_a_branch_has_an_input_of_the_shape_of_its_first_layer(first, name):
    branch = {"class_name": "Sequential", "config": [first, layer("Dense", "z", output_dim=4)]}
    other = chain(layer("Dense", "c", output_dim=4), shape=(None, 5))
    merge = layer("Merge", "m", mode="sum", layers=[branch, other])
    model = model_from_config({"class_name": "Sequential", "config": [merge]}, "1.2.2")
    assert [ref.layer for ref in model.input_refs] == [name, "c_input"]
    assert model.input_shapes == [(None, 5), (None, 5)]


@pytest.mark.parametrize("branches", [3, "x", [3], [{"class_name": "Sequential", "config": []}]], ids=str)
def test_branches_that_are_none_are_refused(branches):
    whole = {"class_name": "Sequential", "config": [layer("Merge", "m", mode="sum", layers=branches)]}
    with pytest.raises(KconvertError, match="not one that Keras writes"):
        model_from_config(whole, "1.2.2")


def test_a_branch_without_an_input_shape_is_refused():
    branch = {"class_name": "Sequential", "config": [layer("Dense", "a", output_dim=4)]}
    merge = layer("Merge", "m", mode="sum", layers=[branch, branch])
    with pytest.raises(KconvertError, match="layer a: the first layer of a merged branch states no input shape"):
        to_keras2({"class_name": "Sequential", "config": [merge]})


# ------------------------------------------------------------- data format ----


def test_an_unstated_data_format_is_that_of_all_other_layers():
    for order, form in (("th", "channels_first"), ("tf", "channels_last")):
        new = to_keras2(chain(padding(), conv("a", order), conv("b", order)))
        assert new["config"]["layers"][0]["config"]["data_format"] == form


def test_a_given_data_format_is_for_the_unstated_only():
    new = to_keras2(chain(padding(), conv("a", "th")), "channels_last")
    assert [entry["config"]["data_format"] for entry in new["config"]["layers"]] == ["channels_last", "channels_first"]


@pytest.mark.parametrize(
    ("others", "why"),
    [([], "no other layer states one"), ([conv("a", "th"), conv("b", "tf")], "the other layers disagree")],
)
def test_an_unstated_data_format_that_nothing_tells_is_refused(others, why):
    with pytest.raises(KconvertError) as refusal:
        to_keras2(chain(padding(), *copy.deepcopy(others)))
    assert str(refusal.value) == (
        f"layer pad: Keras 1 did not store the dim_ordering of this ZeroPadding2D, and {why}; "
        "say which one it was used with: source_data_format='channels_first' or 'channels_last'"
    )


def test_default_counts_as_unstated():
    with pytest.raises(KconvertError, match="no other layer states one"):
        to_keras2(chain(conv("a", "default")))
    assert list(stated_data_formats([conv("a", "default"), {"data_format": None}])) == []


def test_an_unstated_data_format_in_a_wrapper_and_in_a_nested_model():
    td = layer("TimeDistributed", "td", layer=padding("inner"))
    nested = {"class_name": "Sequential", "config": [padding("deep", batch_input_shape=[None, 3, 6, 7])]}
    whole = {"class_name": "Sequential", "config": [nested, td, conv("a", "th")]}
    new = to_keras2(whole)["config"]["layers"]
    assert new[0]["config"]["layers"][0]["config"]["data_format"] == "channels_first"
    assert new[1]["config"]["layer"]["config"]["data_format"] == "channels_first"


# ------------------------------------------------------------------ values ----


@pytest.mark.parametrize(
    ("old", "new", "back"),
    [
        (
            {"name": "WeightRegularizer", "l1": 0.1, "l2": 0.2},
            {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}},
            {"name": "L1L2Regularizer", "l1": 0.1, "l2": 0.2},
        ),
        (
            {"name": "L1L2Regularizer", "l1": 0.1, "l2": 0.2},
            {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}},
            None,
        ),
        (
            {"name": "MaxNorm", "m": 2, "axis": 0},
            {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}},
            None,
        ),
        (
            {"name": "MinMaxNorm", "low": 0.1, "high": 2.0, "rate": 1.0, "axis": 1},
            {"class_name": "MinMaxNorm", "config": {"min_value": 0.1, "max_value": 2.0, "rate": 1.0, "axis": 1}},
            None,
        ),
        ({"name": "NonNeg"}, {"class_name": "NonNeg", "config": {}}, None),
        (None, None, None),
    ],
    ids=lambda value: value.get("name", "") if isinstance(value, dict) else "",
)
def test_regularizers_and_constraints(old, new, back):
    entry = layer("Dense", "d", output_dim=2, W_regularizer=old, b_constraint=old)
    config = to_keras2(chain(entry, shape=(None, 4)))["config"]["layers"][0]["config"]
    assert (config["kernel_regularizer"], config["bias_constraint"]) == (new, new)
    again = to_keras1({"class_name": "Dense", "config": config})["config"]
    assert (again["W_regularizer"], again["b_constraint"]) == (back or old, back or old)


@pytest.mark.parametrize(
    ("old", "pads", "back"),
    [
        ([1, 2], ((1, 1), (2, 2)), [1, 2]),
        ([1, 2, 3, 4], ((1, 2), (3, 4)), [1, 2, 3, 4]),
        ({"top_pad": 1, "bottom_pad": 2, "left_pad": 3, "right_pad": 4}, ((1, 2), (3, 4)), [1, 2, 3, 4]),
        ({"top_pad": 1, "right_pad": 4}, ((1, 0), (0, 4)), [1, 0, 0, 4]),
        ([2, 2, 3, 3], ((2, 2), (3, 3)), [2, 3]),
    ],
)
def test_the_forms_of_zero_padding(old, pads, back):
    new = to_keras2(chain(layer("ZeroPadding2D", "pad", padding=old), conv()))
    made = LAYERS["ZeroPadding2D"].from_config(new["config"]["layers"][0]["config"])
    assert made.padding == pads
    config = json.loads(json.dumps(made.stored_config()))
    assert to_keras1({"class_name": "ZeroPadding2D", "config": config})["config"]["padding"] == back


@pytest.mark.parametrize(("old", "pads"), [(2, (2, 2)), ([1, 2], (1, 2)), ({"left_pad": 1, "right_pad": 2}, (1, 2))])
def test_the_forms_of_zero_padding_of_sequences(old, pads):
    new = to_keras2(chain(layer("ZeroPadding1D", "pad", padding=old), shape=(None, 6, 3)))
    assert LAYERS["ZeroPadding1D"].from_config(new["config"]["layers"][0]["config"]).padding == pads


@pytest.mark.parametrize(
    ("old", "new", "key", "value"),
    [
        ("AtrousConvolution2D", "Conv2D", "dilation_rate", [2, 2]),
        ("Convolution2D", "Conv2D", "kernel_size", [2, 3]),
        ("Deconvolution2D", "Conv2DTranspose", "output_shape", [None, 2, 7, 9]),
    ],
)
def test_classes_with_other_names(old, new, key, value):
    extra = {"atrous_rate": [2, 2]} if key == "dilation_rate" else {key: value} if key == "output_shape" else {}
    entry = layer(old, "c", nb_filter=2, nb_row=2, nb_col=3, dim_ordering="th", **extra)
    (made,) = to_keras2(chain(entry))["config"]["layers"]
    assert (made["class_name"], made["config"][key]) == (new, value)
    assert to_keras1(made)["class_name"] == old


def test_an_undilated_convolution_is_a_plain_one_in_keras_1():
    conv2d = L.Conv2D(2, 3, dilation_rate=1, name="c")
    assert to_keras1({"class_name": "Conv2D", "config": conv2d.stored_config()})["class_name"] == "Convolution2D"


# ---------------------------------------------------------------- refusals ----


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (L.GRU(2, reset_after=True, implementation=1, name="x"), "reset_after=True for GRU"),
        (L.LSTM(2, use_bias=False, implementation=1, name="x"), "use_bias=False for LSTM"),
        (L.LSTM(2, return_state=True, implementation=1, name="x"), "return_state=True for LSTM"),
        (L.BatchNormalization(scale=False, name="x"), "scale=False for BatchNormalization"),
        (L.UpSampling2D(interpolation="bilinear", name="x"), "interpolation='bilinear' for UpSampling2D"),
        (
            L.Conv2DTranspose(2, 3, strides=2, output_padding=(1, 0), name="x"),
            r"output_padding=\[1, 0\] for Deconvolution2D",
        ),
        (L.MaxPooling1D(2, data_format="channels_first", name="x"), "data_format='channels_first' for MaxPooling1D"),
        (L.Bidirectional(L.LSTM(2, use_bias=False, name="x"), name="b"), "use_bias=False for LSTM"),
        (L.Softmax(name="x"), "Softmax layer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_keras_1_cannot_say_is_refused_by_name(made, said):
    with pytest.raises(KconvertError, match=f"layer x: Keras 1 has no {said}.*format='keras2'") as refusal:
        to_keras1(json.loads(json.dumps(layer_config(made))))
    assert refusal.value.problem == Problem.UNSUPPORTED


def test_a_call_with_arguments_is_not_one_of_keras_1():
    entry = L.InputLayer(batch_input_shape=(None, 3), name="x")
    nodes = [Node("x", 0, ()), Node("d", 0, (Ref("x"),), {"mask": None})]
    model = Network([entry, L.Dense(2, name="d")], nodes, [Ref("x")], [Ref("d")], name="m")
    with pytest.raises(KconvertError, match="layer d: Keras 1 has no call of a layer with mask"):
        to_keras1(layer_config(model))
