"""Sequentials of `kconvert.keras1` behind a Merge of Sequentials; the classes and names are those of Keras 1.2.2."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.keras1 import layers, models


def branch(name, size):
    """A Sequential of two layers."""
    made = models.Sequential()
    made.add(layers.Dense(4, input_dim=size, name=name))
    made.add(layers.Activation("tanh", name=f"{name}_tanh"))
    return made


def behind(branches, mode, name, **options):
    """A Sequential behind a Merge of `branches`."""
    made = models.Sequential()
    made.add(layers.Merge(branches, mode=mode, name=name, **options))
    made.add(layers.Dense(3, activation="softmax", name=f"{name}_dense"))
    return made


def nested():
    """Behind a Merge of a Sequential that is behind a Merge itself."""
    inner = behind([branch("left", 3), branch("right", 2)], "concat", "inner")
    last = models.Sequential()
    last.add(layers.Dense(3, input_dim=5, name="last"))
    return behind([inner, last], "sum", "outer")


DATA = [np.random.RandomState(size).uniform(-1, 1, (4, size)) for size in (3, 2, 5)]
FLAT = ["left", "left_tanh", "right", "right_tanh", "inner_dense", "last", "outer_dense"]


def from_file(model, path):
    model.save(path)
    return models.load_model(path)


def from_json(model, path):
    model.save_weights(path)
    made = models.model_from_json(model.to_json())
    made.load_weights(path, source_release="1.2.2", source="theano")
    return made


def from_yaml(model, path):
    made = models.model_from_yaml(model.to_yaml())
    made.set_weights(model.get_weights())
    return made


@pytest.mark.parametrize("again", [from_file, from_json, from_yaml])
def test_it_is_a_sequential_again(again, tmp_path, monkeypatch):
    monkeypatch.setenv("KCONVERT_BACKEND", "numpy")
    model = nested()
    made = again(model, tmp_path / "model.h5")
    assert type(made) is models.Sequential
    assert [layer.name for layer in made.layers] == ["outer", "outer_dense"]
    assert [layer.name for layer in made.flattened_layers] == FLAT
    assert made.input_shape == [(None, 3), (None, 2), (None, 5)]
    np.testing.assert_allclose(made.predict(DATA), model.predict(DATA), rtol=1e-6)
    assert made.predict_classes(DATA, verbose=0).shape == (4,)
    assert made.to_json() == model.to_json()


@pytest.mark.parametrize("again", [from_file, from_json, from_yaml])
def test_a_functional_model_may_be_a_branch(again, tmp_path, monkeypatch):
    monkeypatch.setenv("KCONVERT_BACKEND", "numpy")
    a = layers.Input((3,))
    graph = models.Model(a, layers.Dense(4, name="of_graph")(a), name="graph")
    model = behind([graph, branch("right", 2)], "sum", "outer")
    made = again(model, tmp_path / "model.h5")
    assert type(made) is models.Sequential
    assert [layer.name for layer in made.layers] == ["outer", "outer_dense"]
    assert [one["class_name"] for one in made.get_config()[0]["config"]["layers"]] == ["Model", "Sequential"]
    np.testing.assert_allclose(made.predict(DATA[:2]), model.predict(DATA[:2]), rtol=1e-6)


def test_the_axes_of_a_dot_are_stated_for_each_input():
    merged = behind([branch("left", 3), branch("right", 3)], "dot", "dot", dot_axes=1)
    assert merged.layers[0].dot_axes == [1, 1]
    assert merged.get_config()[0]["config"]["dot_axes"] == [1, 1]


def test_a_graph_behind_a_merge_stays_a_graph(tmp_path):
    """A branch that is a Model: the layers in it are those of the file."""
    image = layers.Input((3,), name="image")
    inner = models.Model(image, layers.Dense(4, name="inner")(image))
    model = behind([inner, branch("right", 2)], "sum", "sum")
    again = from_file(model, tmp_path / "model.h5")
    np.testing.assert_allclose(again.predict(DATA[:2]), model.predict(DATA[:2]), rtol=1e-6)


def test_layers_of_a_configuration_state_no_input_shape():
    from kconvert.keras1.utils.layer_utils import layer_from_config

    made = layer_from_config({"class_name": "Dense", "config": layers.Dense(3, name="dense").get_config()})
    assert (type(made), made.name, made.output_dim) == (layers.Dense, "dense", 3)


def test_an_input_layer_that_the_user_gives_is_listed_and_saved(tmp_path, monkeypatch):
    """As in Keras 1.2.2; without one, the first layer states the shape."""
    monkeypatch.setenv("KCONVERT_BACKEND", "numpy")
    model = models.Sequential([layers.InputLayer((3,), name="entry"), layers.Dense(2, name="dense")])
    for made in (model, from_file(model, tmp_path / "model.h5"), from_yaml(model, None)):
        assert [layer.name for layer in made.layers] == ["entry", "dense"]
        np.testing.assert_allclose(made.predict(DATA[0]), model.predict(DATA[0]), rtol=1e-6)
        assert made.to_json() == model.to_json()
    plain = models.Sequential([layers.Dense(2, input_dim=3, name="dense")])
    assert [layer.name for layer in from_yaml(plain, None).layers] == ["dense"]


def test_files_that_do_not_exist_are_errors_of_the_system(tmp_path):
    with pytest.raises(OSError, match="no such file"):
        models.load_model(tmp_path / "missing.h5")
    with pytest.raises(OSError, match="no directory"):
        branch("left", 3).save(tmp_path / "missing" / "model.h5")


def rebuilt(model):
    """The model again, from its configuration and from its JSON."""
    yield type(model).from_config(model.get_config())
    yield models.model_from_json(model.to_json())


@pytest.mark.parametrize("sequential", [True, False])
def test_lambdas_of_a_merge_are_found_again(sequential):
    """As those of a Lambda: in the process that wrote the configuration. Keras 1.2.2 loads their bytecode."""
    options = {"mode": lambda pair: pair[0] - pair[1], "output_shape": lambda shapes: shapes[0]}
    options["output_mask"] = lambda masks: None
    if sequential:
        model = models.Sequential([layers.Merge([branch("left", 3), branch("right", 2)], **options), layers.Dense(2)])
    else:
        inputs = [layers.Input((3,)), layers.Input((2,))]
        merged = layers.merge([layers.Dense(4)(one) for one in inputs], **options)
        model = models.Model(inputs, layers.Dense(2)(merged))
    expected = model.predict(DATA[:2])
    for again in rebuilt(model):
        again.set_weights(model.get_weights())
        np.testing.assert_allclose(again.predict(DATA[:2]), expected, rtol=1e-6)


def test_the_configuration_of_a_merge_says_that_its_function_is_a_lambda():
    merge = layers.Merge(mode=lambda pair: pair[0], output_shape=(3,))
    config = merge.get_config()
    assert (config["mode_type"], config["output_shape_type"], config["output_mask_type"]) == ("lambda", "raw", "raw")
    assert layers.Merge.from_config(config).mode([3, 4]) == 3
