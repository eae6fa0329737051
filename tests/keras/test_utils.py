"""`keras.utils`: custom objects, enqueuers, HDF5 data, progress, sizes of convolutions, weights of models."""

import hashlib
import itertools
import json
import shutil
import tarfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from kconvert.keras.utils import conv_utils, data_utils, generic_utils, io_utils, layer_utils

import kconvert.keras as keras
from kconvert.errors import KconvertError


def double(x):
    return 2.0 * x


# ---------------------------------------------------------- custom objects ----


def test_objects_of_a_scope_are_known_within_it():
    with keras.utils.custom_object_scope({"double": double}):
        layer = keras.layers.Activation("double")
        model = keras.models.Sequential([keras.layers.Activation("double", input_shape=(2,))])
        assert keras.utils.get_custom_objects()["double"] is double
        assert model.predict(np.ones((1, 2))).tolist() == [[2, 2]]
        assert keras.activations.get("double") is double
    assert "double" not in keras.utils.get_custom_objects()
    with pytest.raises(KconvertError, match="double"):
        keras.layers.Activation("double")
    model = keras.models.Sequential([keras.layers.InputLayer((2,)), layer])  # the layer keeps what it was made with
    assert model.predict(np.ones((1, 2))).tolist() == [[2, 2]]


def test_objects_that_every_call_knows():
    known = keras.utils.get_custom_objects()
    known.update({"double": double, "halved": keras.layers.Lambda(lambda x: x / 2.0)})
    try:
        layers = [keras.layers.Activation("double", input_shape=(2,)), keras.layers.Dense(2, activation="halved")]
        model = keras.models.Sequential(layers)
        model.layers[1].set_weights([np.eye(2), np.zeros(2)])
        assert model.predict(np.ones((1, 2))).tolist() == [[1, 1]]
    finally:
        known.clear()


def test_what_no_file_describes_is_known_too():
    with keras.utils.custom_object_scope({"double": double}, {"rate": 3}):
        assert sorted(keras.utils.get_custom_objects()) == ["double", "rate"]
        assert keras.utils.deserialize_keras_object("rate") == 3
    assert sorted(keras.utils.get_custom_objects()) == []


def test_configurations_of_objects():
    config = keras.utils.serialize_keras_object(keras.constraints.MaxNorm(3))
    assert config == {"class_name": "MaxNorm", "config": {"max_value": 3, "axis": 0}}
    known = {"Dense": keras.layers.Dense, "double": double}
    dense = {"class_name": "Dense", "config": keras.layers.Dense(3, name="d").get_config()}
    assert keras.utils.deserialize_keras_object(dense, known).units == 3
    assert keras.utils.deserialize_keras_object("double", known) is double
    assert keras.utils.serialize_keras_object(double) == "double"
    for wrong in ("triple", {"class_name": "Dense"}, 3):
        with pytest.raises(ValueError):
            keras.utils.deserialize_keras_object(wrong, known)


# ----------------------------------------------------------------- batches ----


class Squares(keras.utils.Sequence):
    epochs = 0

    def __len__(self):
        return 5

    def __getitem__(self, index):
        if index == 4 and self.epochs == 2:
            raise IndexError("the last one")
        return index**2

    def on_epoch_end(self):
        self.epochs += 1


@pytest.mark.parametrize("workers", [1, 3])
def test_ordered_enqueuer_gives_the_batches_in_order(workers):
    enqueuer = keras.utils.OrderedEnqueuer(Squares())
    enqueuer.start(workers, max_queue_size=2)
    batches = enqueuer.get()
    assert list(itertools.islice(batches, 9)) == [0, 1, 4, 9, 16, 0, 1, 4, 9]
    assert list(Squares()) == [0, 1, 4, 9, 16]
    enqueuer.stop()
    assert not enqueuer.is_running()


def test_an_error_of_a_batch_reaches_the_consumer():
    sequence = Squares()
    sequence.epochs = 2
    enqueuer = keras.utils.OrderedEnqueuer(sequence)
    enqueuer.start()
    with pytest.raises(IndexError, match="the last one"):
        list(enqueuer.get())


def test_generator_enqueuer_ends_with_its_generator():
    enqueuer = data_utils.GeneratorEnqueuer(iter(range(7)))
    enqueuer.start(3)
    assert list(enqueuer.get()) == list(range(7))
    enqueuer.stop()


def test_hdf5_matrix_stands_for_an_array(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = np.arange(20.0).reshape(10, 2)
    x = io_utils.HDF5Matrix(str(tmp_path / "data.h5"), "x", start=2, end=8, normalizer=lambda a: a + 1)
    assert (x.shape, x.ndim, x.size, len(x)) == ((6, 2), 2, 12, 6)
    assert x[1].tolist() == [7, 8] and x[:2].tolist() == [[5, 6], [7, 8]] and x[[0, 2]].tolist() == [[5, 6], [9, 10]]
    with pytest.raises(IndexError):
        _ = x[6]
    model = keras.models.Sequential([keras.layers.Dense(1, kernel_initializer="ones", input_shape=(2,))])
    assert model.predict(x).ravel().tolist() == [11, 15, 19, 23, 27, 31]
    with pytest.raises(KconvertError, match=r"data\.h5"):
        io_utils.HDF5Matrix(str(tmp_path / "data.h5"), "y")


# ------------------------------------------------------------------- files ----


def test_get_file_looks_into_the_folder_that_it_is_given_first(tmp_path, monkeypatch):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path / "datasets"))
    for folder in ("datasets", "models"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").touch()
    assert keras.utils.get_file("a.txt", "", cache_subdir="models") == str(tmp_path / "models" / "a.txt")
    assert keras.utils.get_file("a.txt", "") == str(tmp_path / "datasets" / "a.txt")


@pytest.mark.shows("utils.get_file")
def test_get_file_finds_local_files(tmp_path, monkeypatch):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path / "datasets"))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "a.txt").write_text("a")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "b.h5").write_text("b")
    path = keras.utils.get_file("a.txt", "https://example.org/a.txt", md5_hash="0" * 32)
    assert Path(path).read_text() == "a"
    path = keras.utils.get_file("b.h5", "https://example.org/b.h5", cache_subdir="models")
    assert Path(path).read_text() == "b"
    assert data_utils.validate_file(path, hashlib.md5(b"b").hexdigest())
    assert not data_utils.validate_file(path, hashlib.sha256(b"a").hexdigest())


@pytest.mark.parametrize("ending", [".zip", ".tgz"])
def test_get_file_unpacks_archives(tmp_path, monkeypatch, ending):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path))
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("a")
    shutil.make_archive(str(tmp_path / "words"), "zip" if ending == ".zip" else "gztar", tmp_path, "words")
    if ending == ".tgz":
        (tmp_path / "words.tar.gz").rename(tmp_path / "words.tgz")
    shutil.rmtree(tmp_path / "words")
    path = keras.utils.get_file(f"words{ending}", "https://example.org/words", extract=True)
    assert (Path(path).parent / "words" / "a.txt").read_text() == "a"
    (tmp_path / "words" / "a.txt").write_text("mine")
    assert keras.utils.get_file(f"words{ending}", "https://example.org/words", extract=True) == path
    assert (tmp_path / "words" / "a.txt").read_text() == "mine"


def test_get_file_untars_as_keras_does(tmp_path, monkeypatch):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    shutil.make_archive(str(tmp_path / "texts"), "gztar", tmp_path, "texts")
    shutil.rmtree(tmp_path / "texts")
    for _ in range(2):
        path = keras.utils.get_file("texts", "https://example.org/texts.tar.gz", untar=True)
        assert path == str(tmp_path / "texts") and (tmp_path / "texts" / "a.txt").exists()


def test_get_file_refuses_archives_that_leave_their_folder(tmp_path, monkeypatch):
    folder = tmp_path / "datasets"
    folder.mkdir()
    monkeypatch.setenv("KCONVERT_DATA", str(folder))
    (tmp_path / "a.txt").write_text("a")
    with tarfile.open(folder / "bad.tar", "w") as archive:
        archive.add(tmp_path / "a.txt", "../b.txt")
    with pytest.raises(KconvertError, match="cannot be unpacked"):
        keras.utils.get_file("bad.tar", "https://example.org/bad.tar", extract=True)
    assert not (tmp_path / "b.txt").exists()


# ------------------------------------------------------- sizes and weights ----


def test_sizes_of_convolutions():
    assert conv_utils.normalize_tuple(2, 3, "strides") == (2, 2, 2)
    assert conv_utils.normalize_padding("SAME") == "same"
    assert conv_utils.conv_output_length(10, 3, "valid", 2) == 4
    assert conv_utils.conv_input_length(4, 3, "valid", 2) == 9
    assert conv_utils.deconv_length(5, 2, 4, "same", 0) == 8
    with pytest.raises(ValueError):
        conv_utils.normalize_tuple((2, 1), 3, "strides")
    with pytest.raises(ValueError):
        conv_utils.normalize_padding("sam")


def test_kernels_are_reversed_along_their_spatial_axes():
    kernel = np.arange(12.0).reshape(2, 3, 1, 2)
    assert (conv_utils.convert_kernel(kernel) == kernel[::-1, ::-1]).all()
    model = keras.models.Sequential([keras.layers.Conv2D(2, (2, 3), input_shape=(4, 4, 1)), keras.layers.Flatten()])
    model.set_weights([kernel, np.zeros(2)])
    layer_utils.convert_all_kernels_in_model(model)
    assert (model.get_weights()[0] == kernel[::-1, ::-1]).all()
    with pytest.raises(ValueError):
        conv_utils.convert_kernel(kernel[0, 0])


def test_rows_of_a_dense_for_another_data_format():
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4)).astype("float32")
    dense = keras.layers.Dense(5)
    model = keras.models.Sequential([keras.layers.Flatten(input_shape=(2, 3, 4)), dense])
    before = model.predict(x)
    layer_utils.convert_dense_weights_data_format(dense, (4, 2, 3), "channels_first")
    assert np.allclose(model.predict(x.transpose(0, 3, 1, 2).reshape(1, 2, 3, 4)), before, atol=1e-6)
    layer_utils.convert_dense_weights_data_format(dense, (2, 3, 4), "channels_last")
    assert np.allclose(model.predict(x), before, atol=1e-6)


def test_functions_on_models(capsys):
    a, b = keras.layers.Input((3,)), keras.layers.Input((3,))
    model = keras.models.Model([a, b], keras.layers.Dense(2)(keras.layers.add([a, b])))
    assert keras.utils.get_source_inputs(model.output) == [a, b]
    assert layer_utils.count_params(model.weights) == 8
    layer_utils.print_summary(model)
    assert model.name in capsys.readouterr().out
    with pytest.raises(KconvertError, match="multi_gpu_model"):
        keras.utils.multi_gpu_model(model, gpus=2)


def test_slices_of_arrays():
    x = np.arange(6)
    assert generic_utils.slice_arrays(None) == [None]
    assert generic_utils.slice_arrays([x, None], 2, 4)[0].tolist() == [2, 3]
    assert generic_utils.slice_arrays(x, np.array([0, 5])).tolist() == [0, 5]


# --------------------------------------------------------------- activations ----


def test_activations_work_on_values_symbols_and_in_layers():
    A, K = keras.activations, keras.backend
    assert K.eval(A.relu(K.variable([[-1.0, 2.0]]), alpha=0.5)).tolist() == [[-0.5, 2]]
    x = K.placeholder(ndim=2)
    assert np.allclose(K.function([x], [A.softmax(x)])([np.zeros((1, 4))])[0], 0.25)
    layer = keras.layers.Dense(1, activation=A.tanh, kernel_initializer="ones", input_shape=(1,))
    model = keras.models.Sequential([layer])
    assert json.loads(model.to_json())["config"]["layers"][0]["config"]["activation"] == "tanh"
    assert np.allclose(model.predict(np.ones((1, 1))), np.tanh(1))


def test_activations_by_name():
    A = keras.activations
    assert A.get(None) is A.linear and A.get("selu") is A.selu and A.get(double) is double
    assert A.serialize(A.hard_sigmoid) == "hard_sigmoid" and A.deserialize("elu") is A.elu
    for wrong in ("softmacks", 6):
        with pytest.raises(ValueError):
            A.get(wrong)
    with pytest.raises(ValueError, match="axis"):
        A.softmax(keras.backend.placeholder(ndim=1))


@pytest.mark.shows("utils.generic_utils.getargspec")
def test_small_functions_as_in_keras():
    assert generic_utils.to_list((1, 2), allow_tuple=True) == [1, 2]
    assert generic_utils.getargspec(lambda a, b=1: None).args == ["a", "b"]
    assert keras.utils.to_categorical([0, 1], 0).tolist() == [[1, 0], [0, 1]]
    for wrong in (lambda: conv_utils.normalize_padding("full"), lambda: conv_utils.conv_output_length(9, 3, "x", 1)):
        with pytest.raises(KconvertError, match="unknown padding"):
            wrong()
