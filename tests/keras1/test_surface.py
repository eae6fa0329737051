"""The names, arguments and defaults of `kconvert.keras1` are those of Keras 1.2.2."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from kconvert.keras1.utils import io_utils, visualize_util

from kconvert.backend import image_format
from kconvert.errors import KconvertError
from kconvert.keras1 import activations, constraints, layers, models, optimizers, regularizers
from kconvert.keras1 import backend as K
from kconvert.keras1.own import settings
from kconvert.keras1.own.signatures import ARGUMENTS


@pytest.fixture(autouse=True)
def own_ordering(monkeypatch):
    settings.set_image_dim_ordering("tf")
    yield
    settings.set_image_dim_ordering("tf")


def test_layers_have_the_defaults_of_keras_1():
    assert {one(3).get_config()["inner_activation"] for one in (layers.LSTM, layers.GRU)} == {"hard_sigmoid"}
    assert layers.Embedding(5, 2).get_config()["init"] == "uniform"
    assert layers.LSTM(3).implementation == 0
    assert layers.LSTM(3, forget_bias_init="zero").unit_forget_bias is False


def test_arguments_go_in_the_order_of_keras_1():
    dense = layers.Dense(4, "normal", "relu")
    made = dense.units, dense.kernel_initializer.function, dense.activation
    assert made == (4, "normal", activations.relu)
    conv = layers.Convolution2D(8, 3, 5, "he_normal", "relu", None, "same", (2, 1))
    assert (conv.filters, conv.kernel_size, conv.padding, conv.strides) == (8, (3, 5), "same", (2, 1))
    bare = str(inspect.signature(layers.MaxPooling1D))
    assert bare == "(pool_length=2, stride=None, border_mode='valid', **kwargs)"


@pytest.mark.parametrize(("ordering", "data_format"), [("th", "channels_first"), ("tf", "channels_last")])
def test_the_dim_ordering_is_that_which_was_set(ordering, data_format):
    K.set_image_dim_ordering(ordering)
    for layer in (layers.Convolution2D(2, 3, 3), layers.MaxPooling2D(), layers.ZeroPadding2D()):
        assert layer.data_format == data_format


def test_the_dim_ordering_is_read_from_keras_json(tmp_path, monkeypatch):
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text('{"image_dim_ordering": "th"}')
    monkeypatch.setenv("HOME", str(tmp_path))
    image_format.set_default_data_format(None)
    assert K.image_dim_ordering() == "th"


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_a_layer_of_keras_1_is_an_instance_of_its_class(name):
    needed = {
        "Bidirectional": (layers.LSTM(1),),
        "TimeDistributed": (layers.Dense(1),),
        "Activation": ("relu",),
        "Permute": ((2, 1),),
        "Reshape": ((2, 1),),
    }
    cls = getattr(layers, name)
    required = [p for p in inspect.signature(cls).parameters.values() if p.default is p.empty and p.name != "kwargs"]
    layer = cls(*needed.get(name, (2,) * len(required)))
    assert isinstance(layer, cls)


@pytest.mark.parametrize(
    "call",
    [
        lambda: layers.Dense(4, units=3),
        lambda: layers.Dense(4, kernel_initializer="zeros"),
        lambda: layers.Convolution2D(4, (3, 3)),
        lambda: layers.ConvRecurrent2D,
        lambda: layers.Dense(3, activation="selu"),
        lambda: layers.Convolution1D(3, 2, W_constraint=constraints.maxnorm(2, axis=1)),
        lambda: layers.LSTM(3, W_regularizer=lambda w: w),
        lambda: optimizers.Adam(learning_rate=0.1),
        lambda: K.tf_major_version,
        lambda: K.set_image_dim_ordering("channels_last"),
    ],
)
def test_what_keras_1_does_not_have_or_kconvert_does_not_is_refused(call):
    with pytest.raises(KconvertError):
        call()


@pytest.mark.parametrize(
    ("ordering", "kernel", "up"), [("th", (4, 1, 3, 2), (3, 4, 2, 2)), ("tf", (3, 2, 1, 4), (2, 2, 4, 3))]
)
def test_weights_have_the_order_and_the_form_of_keras_1(ordering, kernel, up):
    K.set_image_dim_ordering(ordering)
    given = [np.full((6, 2), 0.5), np.array([1.0, 2.0])]
    model = models.Sequential()
    shape, size = ((1, 4, 3), (None, 3, 4, 4)) if ordering == "th" else ((4, 3, 1), (None, 4, 4, 3))
    model.add(layers.Convolution2D(4, 3, 2, input_shape=shape))
    model.add(layers.Deconvolution2D(3, 2, 2, size, subsample=(2, 2)))
    model.add(layers.GlobalMaxPooling2D())
    model.add(layers.RepeatVector(2))
    model.add(layers.GRU(3, return_sequences=True))
    model.add(layers.Flatten())
    model.add(layers.Dense(2, weights=given))
    gru = [(3, 3), (3, 3), (3,)] * 3
    assert [one.shape for one in model.get_weights()] == [kernel, (4,), up, (3,), *gru, (6, 2), (2,)]
    assert all((one == other).all() for one, other in zip(model.layers[-1].get_weights(), given, strict=True))
    before = model.get_weights()
    model.set_weights([one + 1 for one in before])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(one + 1, other, rtol=1e-6)


def test_constraints_of_images_go_over_the_axes_of_keras_1():
    def axis(layer):
        return layer.kernel_constraint.axis

    assert axis(layers.Convolution2D(2, 3, 3, W_constraint="maxnorm", dim_ordering="th")) == [3]
    assert axis(layers.Convolution2D(2, 3, 3, W_constraint="maxnorm", dim_ordering="tf")) == 0
    assert axis(layers.Convolution1D(2, 3, W_constraint=constraints.maxnorm(1, axis=[0, 2]))) == [0, 1]


def test_names_of_layers_are_those_of_keras_1():
    stem, _, number = layers.BatchNormalization().name.rpartition("_")
    assert stem == "batchnormalization" and layers.BatchNormalization().name == f"{stem}_{int(number) + 1}"
    assert layers.Conv2D(1, 1, 1).name.startswith("convolution2d_")


def test_names_of_keras_2_are_not_there():
    for module, name in (
        (layers, "Add"),
        (layers, "Conv2DTranspose"),
        (models, "clone_model"),
        (K, "image_data_format"),
    ):
        with pytest.raises(AttributeError):
            getattr(module, name)


def test_optimizers_have_the_epsilon_of_keras_1():
    assert optimizers.Adam(0.1).epsilon == optimizers.rmsprop().epsilon == 1e-8
    assert optimizers.Adam(0.1).lr == 0.1


def test_merge_and_models_of_several_inputs():
    a, b = layers.Input((3,)), layers.Input((3,))
    joined = layers.merge([a, b], mode="concat")
    model = models.Model(input=[a, b], output=layers.Dense(1)(joined))
    assert model.output_shape == (None, 1) and joined.shape == (None, 6)
    assert layers.merge([a, b], mode="dot", dot_axes=1).shape == (None, 1)


def test_both_kernels_of_a_separable_convolution_have_one_initializer():
    made = layers.SeparableConvolution2D(4, 3, 3, init="he_normal", input_shape=(8, 8, 3), dim_ordering="tf")
    text = models.Sequential([made]).to_json()
    assert json.loads(text)["config"][0]["config"]["init"] == "he_normal"
    (again,) = models.model_from_json(text).layers
    assert again.depthwise_initializer.function == again.pointwise_initializer.function == "he_normal"


@pytest.mark.parametrize("name", ["MaxoutDense", "Highway", "Dense"])
def test_a_regularizer_of_a_layer_is_read_back_from_json(name):
    arguments = {"W_regularizer": regularizers.l2(0.5), "input_dim": 3}
    sizes = () if name == "Highway" else (2,)
    model = models.Sequential([getattr(layers, name)(*sizes, **arguments)])
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    x = np.ones((2, 3))
    found = []
    for one in (model, again):
        one.compile("sgd", "mse")
        found.append(one.evaluate(x, one.predict(x), verbose=0))
    assert found[0] == pytest.approx(found[1]) and found[0] > 0


@pytest.mark.shows("utils.io_utils.ask_to_proceed_with_overwrite", of="keras1")
def test_a_file_is_replaced_after_a_question(monkeypatch):
    answers = iter(["what", "n", "y"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    assert [io_utils.ask_to_proceed_with_overwrite("model.h5") for _ in range(2)] == [False, True]


@pytest.mark.shows("utils.visualize_util.model_to_dot", of="keras1")
@pytest.mark.shows("utils.visualize_util.plot", of="keras1")
def test_the_picture_of_a_model(tmp_path):
    model = models.Sequential([layers.Dense(3, input_shape=(2,))])
    visualize_util.plot(model, str(tmp_path / "model.dot"), show_shapes=True)
    assert (tmp_path / "model.dot").read_text() == visualize_util.model_to_dot(model, True).to_string()


def test_modules_have_the_functions_that_those_of_keras_1_2_2_import():
    from kconvert.keras1.datasets import mnist
    from kconvert.keras1.engine import topology, training
    from kconvert.keras1.utils import data_utils, generic_utils

    from kconvert.keras1 import objectives

    assert objectives.get_from_module is topology.get_from_module is generic_utils.get_from_module
    assert mnist.get_file is data_utils.get_file and layers.func_dump is generic_utils.func_dump
    assert training.Container in models.Model.__mro__


@pytest.mark.shows("utils.io_utils.save_array", "utils.io_utils.load_array", of="keras1")
def test_an_array_in_a_file(tmp_path):
    """PyTables reads it as the array `data`, as Keras 1.2.2 writes it."""
    array = np.arange(6.0, dtype="float32").reshape(2, 3)
    io_utils.save_array(array, tmp_path / "array.h5")
    found = io_utils.load_array(tmp_path / "array.h5")
    assert found.dtype == "float32" and np.array_equal(found, array)
    with pytest.raises(KconvertError, match="no array"):
        io_utils.load_array(tmp_path / "other.h5")
    with pytest.raises(TypeError):  # HDF5 cannot hold it
        io_utils.save_array(np.array([{}], object), tmp_path / "array.h5")
    assert np.array_equal(io_utils.load_array(tmp_path / "array.h5"), array)
    with pytest.raises(KconvertError, match="is not a regular file"):
        io_utils.save_array(array, tmp_path)


def test_an_enqueuer_takes_items_before_they_are_needed():
    from kconvert.keras1.engine.training import GeneratorEnqueuer

    enqueuer = GeneratorEnqueuer(iter(range(4)))
    assert not enqueuer.is_running()
    enqueuer.start(nb_worker=2, max_q_size=3, wait_time=0.001)
    assert [enqueuer.queue.get(timeout=60) for _ in range(4)] == [0, 1, 2, 3]
    enqueuer.stop()
    assert not enqueuer.is_running() and enqueuer.queue is None
