"""The optimizer's state: the same plan as the weights, in the order of the file's generation."""

import re
from shutil import copyfile

import h5py
import numpy as np
import pytest

from kconvert import convert
from kconvert.formats.hdf5 import read
from tests.fixtures import FOLDER, case

OF_TF_KERAS = FOLDER / "tf_keras" / "optimizers"


def state(path):
    with read(path) as checkpoint:
        return [array.read() for array in checkpoint.optimizer]


def weight_names(path):
    with read(path) as checkpoint:
        return [array.name for group in checkpoint.groups for array in group.arrays]


@pytest.mark.parametrize("name", ["2.3.1-theano/lenet_th", "2.3.1-tensorflow/lenet_th"])
def test_comes_back_bit_for_bit(name, tmp_path):
    model = case(name)
    there, back = tmp_path / "there.h5", tmp_path / "back.h5"
    convert(model.model, there, target=model.other)
    convert(there, back, target=model.backend)
    first, last = state(model.model), state(back)
    assert len(first) == len(last) == 1 + 3 * 8
    assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(first, last, strict=True))


def test_moments_move_as_their_weights_do(tmp_path):
    source = case("2.3.1-theano/lenet_th").model
    done = convert(source, tmp_path / "out.h5", target="tensorflow")
    made, stored = state(tmp_path / "out.h5"), state(source)
    assert len(done.plan.steps) == 8
    for i, step in enumerate(done.plan.steps, start=1):
        assert np.array_equal(made[i], step.chain.apply(stored[i])[0]), step.path
    assert np.array_equal(made[1], stored[1][::-1, ::-1])
    assert not np.array_equal(made[1], stored[1])


@pytest.mark.parametrize("saved_on", ["theano", "tensorflow"])
def test_keras_1_sorts_parameters_by_name(saved_on, tmp_path):
    """dense_1 comes before embedding_1 and lstm_1 in the file; the gates are put together again."""
    found = case(f"1.2.2-{saved_on}/imdb_lstm")
    moments = [array for array in state(found.model) if array.shape]
    names = [name.removesuffix(":0") for name in sorted(weight_names(found.model))]
    stored = dict(zip(names, moments, strict=False))
    convert(found.model, tmp_path / "out.h5", target=found.other)
    made = state(tmp_path / "out.h5")
    assert np.array_equal(made[1], stored["embedding_1_W"])
    assert np.array_equal(made[2], np.concatenate([stored[f"lstm_1_W_{gate}"] for gate in "ifco"], axis=-1))
    assert np.array_equal(made[5], stored["dense_1_W"])
    assert len(made) == 1 + 3 * 6, "Keras 2.3 expects iterations, m, v and vhat"


def test_the_file_of_keras_1_on_theano_is_sorted_by_name_too():
    with read(case("1.2.2-theano/imdb_lstm").model) as checkpoint:
        shapes = {array.name: array.shape for group in checkpoint.groups for array in group.arrays}
        moments = [array.shape for array in checkpoint.optimizer if array.shape]
    by_name, by_layer = [shapes[name] for name in sorted(shapes)], list(shapes.values())
    assert moments == by_name * 2
    assert moments != by_layer * 2


def test_keras_2_0_2_sorts_parameters_by_name(tmp_path):
    """The bias of a layer comes before its kernel; Keras 2.3 reads the kernel first."""
    found = case("2.0.2-tensorflow/mnist_mlp")
    moments = [array for array in state(found.model) if array.shape]
    stored = dict(zip(sorted(weight_names(found.model)), moments, strict=False))
    convert(found.model, tmp_path / "out.h5", target="theano")
    assert np.array_equal(state(tmp_path / "out.h5")[1], stored["dense_1/kernel:0"])
    convert(found.model, tmp_path / "there.h5", target="theano", format="same")
    convert(tmp_path / "there.h5", tmp_path / "back.h5", target="tensorflow", format="same")
    first, last = state(found.model), state(tmp_path / "back.h5")
    assert all(np.array_equal(a, b) for a, b in zip(first, last, strict=True))


@pytest.mark.parametrize("saved_on", ["theano", "tensorflow"])
@pytest.mark.parametrize("name", ["imdb_lstm", "lenet_th"])
def test_a_file_of_keras_1_comes_back_bit_for_bit(name, saved_on, tmp_path):
    """In its own generation, from either backend to the other and back."""
    model = case(f"1.2.2-{saved_on}/{name}")
    there, back = tmp_path / "there.h5", tmp_path / "back.h5"
    convert(model.model, there, target=model.other, format="same", data_format="keep")
    convert(there, back, target=model.backend, format="same", data_format="keep")
    first, last = state(model.model), state(back)
    assert len(first) == len(last) > 1
    assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(first, last, strict=True))


def test_dropped_on_request(tmp_path):
    done = convert(case("2.3.1-theano/lenet_th").model, tmp_path / "out.h5", target="tensorflow", drop_optimizer=True)
    assert state(tmp_path / "out.h5") == []
    assert "the optimizer's state is dropped: as asked" in done.plan.notes


@pytest.mark.parametrize(
    "name",
    ["2.8/rmsprop", "2.8/nadam", "2.15/adadelta", "2.15/momentum", "2.21/amsgrad", "2.21/adagrad"],
)
def test_the_state_of_tf_keras_is_carried_and_comes_back(name, tmp_path):
    source, target = OF_TF_KERAS / f"{name}.h5", tmp_path / "out.h5"
    done = convert(source, target, target="theano", data_format="keep")
    assert not [note for note in done.plan.notes if "dropped" in note]
    assert len(state(target)) >= len(state(source)) > 8
    there = convert(source, tmp_path / "there.h5", target="theano", format="same", data_format="keep")
    convert(there.target, tmp_path / "back.h5", target="tensorflow", format="same", data_format="keep")
    before, last = state(source), state(tmp_path / "back.h5")
    assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(before, last, strict=True))


@pytest.mark.parametrize("name", ["2.15/adadelta", "2.15/momentum", "2.21/amsgrad", "2.21/adagrad"])
def test_the_state_of_tf_keras_comes_back_from_a_file_of_keras_2(name, tmp_path):
    source = OF_TF_KERAS / f"{name}.h5"
    there = convert(source, tmp_path / "there.h5", target="theano", data_format="keep")
    done = convert(there.target, tmp_path / "back.h5", target="tensorflow", format="same", data_format="keep")
    assert not [note for note in done.plan.notes if "dropped" in note]
    with read(source) as before, read(done.target) as after:
        assert before.training_config == after.training_config
    before, last = state(source), state(done.target)
    assert len(before) == len(last)
    assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(before, last, strict=True))


def test_arrays_of_another_kind_are_dropped(tmp_path):
    copy = tmp_path / "copy.h5"
    copyfile(OF_TF_KERAS / "2.21" / "amsgrad.h5", copy)
    with h5py.File(copy, "r+") as file:
        group = file["optimizer_weights"]
        names = list(group.attrs["weight_names"])
        added = [name.replace("Adam/v/", "Adam/average/") for name in names if "Adam/v/" in name]
        for name in added:
            group[name] = group[name.replace("Adam/average/", "Adam/v/")][...]
        group.attrs["weight_names"] = [*names, *added]
    notes = convert(copy, tmp_path / "out.h5", target="theano").plan.notes
    assert any(re.search("state is dropped: [0-9]+ arrays are more than the", note) for note in notes)
    assert not state(tmp_path / "out.h5")


@pytest.mark.parametrize("dtype", [">f4", "float16"])
def test_moments_of_one_weight_in_several_types_are_dropped(dtype, tmp_path):
    copy = tmp_path / "copy.h5"
    copyfile(case("1.2.2-tensorflow/imdb_lstm").model, copy)
    with h5py.File(copy, "r+") as file:
        group = file["optimizer_weights"]
        name = next(name for name in group.attrs["weight_names"] if group[name].shape == (5, 5))
        values = group[name][...]
        del group[name]
        group[name] = values.astype(dtype)
    for target, form in (("theano", "same"), ("theano", "keras2")):
        done = convert(copy, tmp_path / f"{form}.h5", target=target, format=form)
        assert any("the arrays of the gates of one weight have several types" in note for note in done.plan.notes)
        assert not state(done.target)
