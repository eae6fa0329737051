"""Files of Keras 2.3 that kconvert writes: a file of real Keras that is loaded and saved again stays the same."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from kconvert import KconvertError, Sequential, load_model
from kconvert import layers as L
from kconvert.models.training.callbacks import ModelCheckpoint
from tests.fixtures import case
from tests.models.training.models import dense, numbers

TRAINED = ["theano", "tensorflow"]


def arrays(path, group):
    """The arrays of `group`, in the order that the file states."""
    with h5py.File(path) as file:
        top = file[group]
        groups = [top[name] for name in top.attrs["layer_names"]] if "layer_names" in top.attrs else [top]
        return [one[name][()] for one in groups for name in one.attrs["weight_names"]]


@pytest.mark.parametrize("convention", TRAINED)
def test_a_trained_model_of_real_keras_is_saved_as_it_was(tmp_path, convention):
    """The weights and the state of the optimizer, in the order of the file, and the configuration."""
    source = case(f"2.3.1-{convention}/lenet_th").model
    load_model(source, "numpy", convention=convention).save(tmp_path / "again.h5")
    for group in ("model_weights", "optimizer_weights"):
        before, after = arrays(source, group), arrays(tmp_path / "again.h5", group)
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)
    with h5py.File(source) as one, h5py.File(tmp_path / "again.h5") as other:
        stated, ours = (json.loads(file.attrs["training_config"]) for file in (one, other))
        assert stated["loss"] == ours["loss"]
        assert stated["optimizer_config"]["class_name"] == ours["optimizer_config"]["class_name"]
        taken = {key: ours["optimizer_config"]["config"][key] for key in stated["optimizer_config"]["config"]}
        assert taken == pytest.approx(stated["optimizer_config"]["config"])
        assert (other.attrs["backend"], other.attrs["keras_version"]) == (convention, "2.3.1")


def test_the_state_of_the_optimizer_is_converted_as_the_weights_are(tmp_path):
    """A conversion to the other backend and back gives the same bits."""
    source = case("2.3.1-theano/lenet_th").model
    load_model(source, "numpy", convention="tensorflow").save(tmp_path / "there.h5")
    load_model(tmp_path / "there.h5", "numpy", convention="theano").save(tmp_path / "back.h5")
    for group in ("model_weights", "optimizer_weights"):
        before, after = arrays(source, group), arrays(tmp_path / "back.h5", group)
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["imdb_lstm", "lenet_th"])
def test_the_state_of_an_optimizer_of_keras_1_is_read(name):
    model = load_model(case(f"1.2.2-tensorflow/{name}").model, "numpy", "tensorflow")
    assert model.optimizer.class_name == "Adam"
    assert all(np.any(array) for key, array in model.trainer.executor.read("slot").items() if key[-1] == "m")


def test_weights_alone_go_to_a_model_of_the_same_layers(tmp_path):
    first, second = dense(kernel_initializer="glorot_uniform"), dense()
    first.start("numpy", seed=0)
    first.save_weights(tmp_path / "w.h5")
    second.start("numpy")
    second.load_weights(tmp_path / "w.h5", source="tensorflow")
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(KconvertError, match="exists already"):
        first.save_weights(tmp_path / "w.h5", overwrite=False)


@pytest.mark.parametrize("name", ["m.keras", "m", "weights.01-0.52"])
def test_models_are_saved_under_any_name_as_in_keras_2(name, tmp_path):
    model, path = dense(), tmp_path / name
    model.start("numpy", seed=0)
    checkpoint = ModelCheckpoint(path)
    checkpoint.set_model(model)
    for save in (model.save, model.save_weights, lambda path: checkpoint.on_epoch_end(0, {})):
        save(path)
        with h5py.File(path) as file:
            assert file.attrs["backend"] == "tensorflow"
        path.unlink()


def test_a_model_that_was_not_compiled_is_saved_without_training_configuration(tmp_path):
    model = Sequential([L.Bidirectional(L.LSTM(3), input_shape=(None, 2)), L.BatchNormalization(), L.Dense(1)])
    model.start("numpy", seed=0)
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5", "numpy")
    assert not again.is_compiled
    np.testing.assert_array_equal(model.predict(numbers(2, 4, 2)), again.predict(numbers(2, 4, 2)))


def test_a_training_configuration_that_cannot_be_read_leaves_a_model_that_predicts(tmp_path, caplog):
    model = dense()
    model.compile("sgd", lambda K, y_true, y_pred: K.mean(y_pred - y_true, -1), backend="numpy")
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5", "numpy")
    assert not again.is_compiled and again.predict(np.ones((1, 4))) == 4
    assert "the model is not compiled: unknown loss '<lambda>'" in caplog.text


def test_weights_that_do_not_fit_are_refused():
    model = dense()
    model.start("numpy")
    with pytest.raises(KconvertError, match=r"m: the weights do not match: d/kernel has shape \(4, 1\), not \(4, 2\)"):
        model.set_weights([np.ones((4, 2)), np.ones(1)])
    with pytest.raises(KconvertError, match="m: the weights do not match: 1 arrays for 2 weights"):
        model.set_weights([np.ones((4, 1))])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            L.Embedding(5, 2, dropout=0.2, name="e", input_length=3),
            r"layer m/e: Keras 2 has no dropout=0.2 for Embedding",
        ),
        (L.BatchNormalization(mode=2, name="b", input_shape=(3,)), r"layer m/b: Keras 2 has no mode=2 for BatchNorm"),
    ],
)
def test_options_that_only_keras_1_has_are_refused(tmp_path, layer, message):
    model = Sequential([layer], name="m")
    model.start("numpy")
    with pytest.raises(KconvertError, match=message):
        model.save(tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()
