"""load_weights: the weights of any file in a model that the user built."""

from shutil import copyfile

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError, Problem
from tests.fixtures import case

from .conftest import error, predicted, spoil

NAMES = [
    *("1.2.2-theano/lenet_th", "1.2.2-theano/crnn_two_gru_th", "1.2.2-theano/siamese_conv_model_th"),
    *("1.2.2-theano/nested_sequential_then_flatten_th", "1.2.2-theano/conv_prelu_shared_rows_th"),
    *("2.3.1-theano/bidirectional_lstm_concat", "2.3.1-theano/separable_conv2d_mult2_tf"),
    *("2.3.1-theano/conv2dtranspose_same_stride2_tf", "2.3.1-theano/td_model_th", "2.3.1-theano/gru_reset_after"),
    *("1.2.2-theano/conv_srelu_shared_th", "1.2.2-theano/dense_prelu_srelu_psoftplus"),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_goes_where_it_belongs(name, library, computed):
    found = case(name)
    model = kc.load_model(found.model, source=found.backend, runner=library.__name__)
    spoil(model)
    arrays = computed(name, library)
    assert error(model, arrays) > 1e-2
    loaded = kc.load_weights(model, found.model, found.backend)
    assert error(model, arrays) < 1e-4
    assert all(loaded.weights.values())


def lenet(library, dense=8, pooling="MaxPooling2D"):
    """The model of the fixture lenet_th, as a user writes it today: channels_last."""
    L = library.layers
    return library.Sequential(
        [
            L.InputLayer((12, 10, 1)),
            *(L.Conv2D(4, 3, activation="relu"), L.Conv2D(5, 3, activation="relu"), getattr(L, pooling)(2)),
            *(L.Flatten(), L.Dense(dense, activation="relu"), L.Dense(6, activation="softmax")),
        ]
    )


def test_a_file_of_theano_in_a_model_that_was_written_today(library, computed):
    """The kernels are flipped, and the rows of the Dense behind the Flatten are in the order of channels_last."""
    name = "1.2.2-theano/lenet_th"
    inputs, _ = arrays = computed(name, library)
    model = lenet(library)
    assert inputs[0].shape[1:] == model.input_shape[1:]
    loaded = kc.load_weights(model, case(name).model, "theano")
    assert error(model, arrays) < 1e-4
    assert not any("something else" in note for note in loaded.notes)  # Activation layers follow those of the file
    first = next(layer.name for layer in model.layers if layer.weights)
    assert loaded.weights[f"{first}/kernel"] == ["convolution2d_1_W"]


def test_a_model_of_another_size_keeps_its_weights(library):
    model = lenet(library, dense=9)
    before = spoil(model)
    with pytest.raises(KconvertError) as raised:
        kc.load_weights(model, case("1.2.2-theano/lenet_th").model, "theano")
    message = str(raised.value)
    first = model.layers[-2].name
    assert f"layer {first} of the model has weights of shapes (60, 9), (9,)" in message
    assert "dense_1 of the file has (60, 8), (8,)" in message
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_by_name_takes_the_layers_that_both_have(library):
    L, found = library.layers, case("2.3.1-theano/lenet_th")
    whole = kc.load_model(found.model, runner=library.__name__)
    first = next(layer for layer in whole.layers if layer.weights)
    kernel = first.get_weights()[0]
    model = library.Sequential(
        [
            L.InputLayer(whole.input_shape[1:]),
            L.Conv2D(kernel.shape[-1], kernel.shape[:2], name=first.name),
            *(L.Flatten(), L.Dense(3, name="mine")),
        ]
    )
    before = spoil(model)
    loaded = kc.load_weights(model, found.model, by_name=True)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], kernel)
    np.testing.assert_array_equal(after[-1], before[-1])
    assert loaded.partial is not None and list(loaded.weights) == [f"{first.name}/kernel", f"{first.name}/bias"]


def test_layers_of_other_options_are_named(library, tmp_path):
    """The weights fit, but the layer computes something else."""
    L = library.layers
    model = library.Sequential([L.InputLayer((5, 3)), L.LSTM(4, recurrent_activation="tanh")])
    trained = kc.Sequential([kc.layers.LSTM(4, input_shape=(5, 3))])
    trained.start("theano")
    trained.save(tmp_path / "trained.h5")
    *_, note = kc.load_weights(model, tmp_path / "trained.h5").notes
    assert "recurrent_activation='sigmoid', that of the model 'tanh'" in note


def test_a_layer_that_is_written_as_others_is_named(library, tmp_path):
    found = case("1.2.2-theano/conv_srelu_shared_th")
    model = kc.load_model(found.model, source="theano", runner=library.__name__)
    other = kc.Sequential([kc.layers.Conv2D(4, 3, input_shape=model.input_shape[1:]), *dense()])
    other.start("theano")
    other.save(tmp_path / "other.h5")
    with pytest.raises(KconvertError, match="a part of the SReLU srelu_1, of the model"):
        kc.load_weights(model, tmp_path / "other.h5")


def dense():
    return kc.layers.Flatten(), kc.layers.Dense(2)


def test_damage_is_no_misfit(library, tmp_path):
    """An array cannot be unpacked, and the file has layers that the model does not have."""
    path = tmp_path / "damaged.h5"
    copyfile(case("1.2.2-theano/lenet_th").model, path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense_2"]
        array = group["dense_2_W"][()]
        del group["dense_2_W"]
        packed = group.create_dataset("dense_2_W", data=array, chunks=array.shape, compression="gzip")
        offset = packed.id.get_chunk_info(0).byte_offset
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(bytes(20))
    model = library.Sequential([library.layers.InputLayer((8,)), library.layers.Dense(6, name="dense_2")])
    with pytest.raises(KconvertError, match="its data cannot be read"):
        kc.load_weights(model, path, "theano", by_name=True)


def test_a_layer_without_weights_that_computes_something_else_is_named(library):
    model = lenet(library, pooling="AveragePooling2D")
    *_, note = kc.load_weights(model, case("1.2.2-theano/lenet_th").model, "theano").notes
    assert note.startswith("the file has MaxPooling2D(") and "where the model has AveragePooling2D(" in note


def test_what_changes_nothing_is_no_difference(library):
    """Activations in layers of their own, dropout, and the arrangement of features."""
    L = library.layers
    model = library.Sequential(
        [
            L.InputLayer((12, 10, 1)),
            *(L.Conv2D(4, 3), L.Activation("relu"), L.Conv2D(5, 3, activation="relu"), L.MaxPooling2D(2)),
            *(L.Dropout(0.5), L.Flatten(), L.Dense(8), L.ReLU(), L.Dense(6), L.Softmax()),
        ]
    )
    notes = kc.load_weights(model, case("1.2.2-theano/lenet_th").model, "theano").notes
    assert not any("something else" in note for note in notes)


def test_a_model_of_kconvert_is_one_too(tmp_path):
    found = case("1.2.2-theano/lenet_th")
    model = kc.load_model(found.model, backend="tensorflow", source="theano")
    loaded = kc.load_weights(model, found.model, "theano")
    assert any(path.endswith("/kernel") for path in loaded.weights)


def test_what_cannot_take_weights_is_refused(library):
    found = case("1.2.2-theano/lenet_th")

    class Mine(library.Model):
        def __init__(self):
            super().__init__()
            self.dense = library.layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    mine = Mine()
    for model in (mine, object(), library.Sequential([library.layers.Dense(3)])):
        with pytest.raises(KconvertError) as raised:
            kc.load_weights(model, found.model, "theano")
        assert raised.value.problem is Problem.USAGE
    mine(np.zeros((1, 4), "float32"))
    with pytest.raises(KconvertError, match="does not describe its layers"):
        kc.load_weights(mine, found.model, "theano")
    with pytest.raises(KconvertError, match="skip_mismatch needs by_name"):
        kc.load_weights(lenet(library), found.model, "theano", skip_mismatch=True)
    assert predicted(mine, [np.zeros((1, 4), "float32")])[0].shape == (1, 3)
