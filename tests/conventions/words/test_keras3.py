"""Architectures as Keras 3 writes and reads them. fixtures/keras3/arguments.json holds what Keras 3.15.1 takes."""

import json
from dataclasses import MISSING

import pytest

import kconvert as kc
from docs.generate.examples import ARGUMENTS, INNER
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.words import keras3_writing
from kconvert.conventions.words.keras3_masks import is_operation
from kconvert.formats.objects import snake_case
from kconvert.layers.registry import LAYERS
from kconvert.network.architecture import defaults, model_config, model_from_config
from tests.fixtures import FOLDER

KERAS3 = json.loads((FOLDER / "keras3" / "arguments.json").read_text(encoding="utf-8"))["layers"]


def written(model):
    """The architecture of a model of Keras 2's layers, as it is written for Keras 3."""
    network = model_from_config(json.loads(model.to_json()))
    return model_config(network, "keras3", "3.15.1", "tensorflow")


def read(config):
    return model_from_config(config, "3.15.1")


def chain(*layers):
    return kc.Sequential([L.Dense(3, input_shape=(6, 4)), *layers])


@pytest.mark.parametrize("name", sorted(keras3_writing.CLASSES))
def test_keras_3_has_the_class_and_takes_its_options(name):
    cls = LAYERS[name]
    given = {f.name: ARGUMENTS[f.name] for f in cls.config_fields() if f.name in ARGUMENTS}
    layer = cls(**{**given, **INNER.get(name, {})}, name="layer", batch_input_shape=(None, 3))
    required = {f.name for f in cls.config_fields() if f.default is MISSING and f.default_factory is MISSING}
    config = layer.stored_config()
    bare = {key: config[key] for key in config if key in required | {"name", "output_shape", "batch_input_shape"}}
    for stated in (config, bare):
        item = keras3_writing._Writer({}, defaults).item({"class_name": name, "config": stated})
        assert set(item["config"]) <= set(KERAS3[name]["options"])


@pytest.mark.parametrize("name", sorted(keras3_writing.CLASSES))
def test_its_weights_are_in_a_group_of_its_name(name):
    assert snake_case(name) == KERAS3[name]["group"]


def test_an_input_stands_first_in_each_sequential():
    model = kc.Sequential([kc.Sequential([L.Dense(3, input_shape=(4,), name="inner")], name="nested"), L.Dense(2)])
    config = written(model)["config"]
    entry, nested, _ = config["layers"]
    assert entry["config"]["batch_shape"] == [None, 4]
    assert [layer["class_name"] for layer in nested["config"]["layers"]] == ["InputLayer", "Dense"]
    assert "batch_input_shape" not in json.dumps(config)


def test_calls_of_nested_models_count_from_0_and_outputs_of_graphs_from_1():
    i = kc.Input((4,))
    graph = kc.Model(i, L.Dense(3)(i), name="graph")
    chain = kc.Sequential([L.Dense(3, input_shape=(4,))], name="chain")
    x = kc.Input((4,))
    config = written(kc.Model(x, [L.Add()([graph(x), chain(x)]), graph(x), chain(x)]))["config"]
    add = next(layer for layer in config["layers"] if layer["class_name"] == "Add")
    (call,) = add["inbound_nodes"]
    assert [one["config"]["keras_history"] for one in call["args"][0]] == [["graph", 0, 0], ["chain", 0, 0]]
    assert config["output_layers"][1:] == [["graph", 2, 0], ["chain", 1, 0]]
    assert isinstance(config["input_layers"][0], str)  # a single one is no list


def test_states_of_a_recurrent_layer_are_given_by_keyword():
    x, h, c = kc.Input((5, 3)), kc.Input((4,)), kc.Input((4,))
    config = written(kc.Model([x, h, c], L.LSTM(4, name="lstm")([x, h, c])))["config"]
    (call,) = next(layer for layer in config["layers"] if layer["name"] == "lstm")["inbound_nodes"]
    assert [len(call["args"]), len(call["kwargs"]["initial_state"])] == [1, 2]


@pytest.mark.parametrize(
    "layer",
    [
        L.Dense(3, activation="hard_sigmoid", name="x"),
        L.LSTM(3, recurrent_activation="hard_sigmoid", name="x"),
        L.Activation("hard_sigmoid", name="x"),
    ],
)
def test_hard_sigmoid_is_not_that_of_keras_3(layer):
    config = written(chain(layer))
    last = config["config"]["layers"][-1]["config"]
    (activation,) = [
        value for value in last.values() if isinstance(value, dict) and value["class_name"] == "Sequential"
    ]
    scale, clip = (one["config"] for one in activation["config"]["layers"])
    assert (scale["scale"], scale["offset"], clip["max_value"]) == (0.2, 0.5, 1.0)
    assert "hard_sigmoid" in read(config).layers[-1].stored_config().values()


def test_the_hard_sigmoid_of_keras_3_has_a_name_of_its_own():
    config = written(chain(L.Activation("relu", name="x")))
    config["config"]["layers"][-1]["config"]["activation"] = "hard_sigmoid"
    assert read(config).layers[-1].get_config()["activation"] == "hard_sigmoid_of_keras3"
    again = written(chain(L.Activation("hard_sigmoid_of_keras3", name="x")))
    assert again["config"]["layers"][-1]["config"]["activation"] == "hard_sigmoid"


def test_an_activation_without_a_configuration_is_refused_with_its_layer():
    """It was an error of Python, because such a value is looked up as a name."""
    with pytest.raises(KconvertError, match=r"layer it: .*'class_name': 'relu'.* is the activation, and not the"):
        written(chain(L.Dense(2, activation={"class_name": "relu"}, name="it")))


def test_every_option_is_stated_that_has_another_default_in_keras_3():
    config = written(chain(L.GRU(3), L.RepeatVector(2), L.LeakyReLU()))
    *_, gru, _, relu = (layer["config"] for layer in config["config"]["layers"])
    assert (gru["reset_after"], relu["negative_slope"]) == (False, 0.3)


def test_an_initializer_that_keras_1_states_of_a_separable_convolution_is_left_out():
    layer = L.SeparableConv1D.from_config({"name": "x", "filters": 2, "kernel_size": 1, "kernel_initializer": "ones"})
    config = written(chain(layer))["config"]["layers"][-1]["config"]
    assert set(config) <= set(KERAS3["SeparableConv1D"]["options"])


def test_a_bidirectional_keeps_the_outputs_of_masked_steps():
    config = written(chain(L.Bidirectional(L.LSTM(3, return_sequences=True))))
    both = config["config"]["layers"][-1]["config"]
    for inner in (both["layer"]["config"], both["backward_layer"]["config"]):
        assert inner["zero_output_for_mask"] is None  # false would be set to true there
    assert not read(config).layers[-1].layer.left_out


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            L.Lambda("f", function_type="function", name="x"),
            "layer x: .* no words of Keras 3 for the layer Lambda",
        ),
        (L.Activation.from_config({"name": "x", "activation": "mine"}), "layer x: Keras 3 has no activation 'mine'"),
        (
            L.Activation.from_config({"name": "x", "activation": {"class_name": "function", "config": "a>mine"}}),
            "layer x: the activation 'a>mine' is a function of your own",
        ),
        (
            L.Dense.from_config({"name": "x", "units": 3, "kernel_regularizer": {"class_name": "Mine", "config": {}}}),
            "Keras 3 has no Mine",
        ),
    ],
)
def test_what_keras_3_does_not_have_is_refused(layer, words):
    with pytest.raises(KconvertError, match=words):
        written(chain(layer))


def test_an_initializer_of_the_user_is_left_out():
    config = {"name": "x", "units": 3, "kernel_initializer": {"class_name": "Mine", "config": {}}}
    layer = L.Dense.from_config(config)
    assert written(chain(layer))["config"]["layers"][-1]["config"]["kernel_initializer"] == "zeros"


def test_a_class_name_that_is_no_text_is_no_operation():
    assert not is_operation({"class_name": ["Dense"], "config": {}})
