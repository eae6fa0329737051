"""The modules of Keras 2.3.1: what is imported from them works as Keras's documentation says."""

import subprocess
import sys
import warnings
from importlib import import_module

import numpy as np
import pytest

import kconvert as kc
import kconvert.keras as keras
from kconvert.errors import KconvertError
from kconvert.keras.importing import has
from kconvert.keras.surface import KERAS2


def test_the_names_of_a_model_are_found_in_their_modules():
    code = (
        "from kconvert.keras.models import Sequential, Model\n"
        "from kconvert.keras.layers.core import Dense\n"
        "from kconvert.keras.layers import Input, add, MaxPool2D, GlobalAvgPool1D\n"
        "from kconvert.keras.optimizers import adam, RMSprop\n"
        "from kconvert.keras.utils.np_utils import to_categorical\n"
        "from kconvert.keras import backend as K\n"
        "import kconvert.keras.callbacks, kconvert.keras.engine.topology\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_name_that_keras_has_and_kconvert_does_not_is_refused_by_name():
    with pytest.raises(KconvertError, match=r"ConvRNN2D of keras.layers.convolutional_recurrent"):
        _ = keras.layers.convolutional_recurrent.ConvRNN2D


def test_a_name_that_keras_does_not_have_is_an_import_error():
    with pytest.raises(ImportError):
        exec("from kconvert.keras.layers import Dens")


@pytest.mark.parametrize("module", sorted(KERAS2.public))
def test_every_public_name_is_there_or_refused(module):
    found = import_module(f"kconvert.keras.{module}")
    for name in KERAS2.names(module):
        if not has(found, name):
            with pytest.raises(KconvertError):
                getattr(found, name)


def test_a_module_does_not_have_what_it_imports_of_python():
    assert keras.utils.Sequence.__module__.startswith("kconvert")
    with pytest.raises(AttributeError):
        _ = keras.utils.Path


def test_functions_of_losses_take_labels_and_predictions():
    value = keras.backend.eval(keras.losses.mse(np.array([[0.0, 2.0]]), np.array([[1.0, 0.0]])))
    assert value.tolist() == [2.5]


def test_functions_of_losses_stand_for_their_losses_in_compile():
    model = keras.models.Sequential([keras.layers.Dense(2, input_shape=(3,), kernel_initializer="ones")])
    model.compile("sgd", keras.losses.mse, metrics=[keras.losses.mae], backend="numpy")
    assert model.metrics_names == ["loss", "mean_absolute_error"]


def test_the_seed_of_numpy_makes_a_script_reproducible():
    def trained(seed):
        np.random.seed(seed)
        x, y = np.random.normal(size=(12, 4)), np.random.normal(size=(12, 1))
        layers = [keras.layers.Dense(6, input_shape=(4,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        model = keras.models.Sequential(layers)
        model.compile("sgd", "mse", backend="tensorflow")
        losses = model.fit(x, y, 4, 2, verbose=0).history["loss"]
        return [*losses, *np.concatenate([array.ravel() for array in model.get_weights()])]

    first = trained(3)
    assert trained(3) == first and trained(4) != first


def test_merge_functions_call_a_new_layer():
    x = keras.layers.Input((3,))
    assert keras.layers.add([x, x]).shape == (None, 3)
    assert keras.layers.concatenate([x, x], axis=-1).shape == (None, 6)


def test_other_names_of_components():
    assert keras.initializers.he_normal() == kc.initializers.get("he_normal")
    assert keras.constraints.max_norm(3) == kc.constraints.MaxNorm(3)
    assert isinstance(keras.optimizers.rmsprop(), kc.optimizers.RMSprop)


def test_to_categorical_and_normalize():
    assert keras.utils.to_categorical([[1], [0]], 3).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert keras.utils.to_categorical([[0, 1]]).shape == (1, 2, 2)
    assert keras.utils.normalize(np.array([[3.0, 4.0]])).tolist() == [[0.6, 0.8]]


def test_get_file_says_that_nothing_is_downloaded():
    with pytest.raises(KconvertError, match="does not use the network"):
        keras.utils.get_file("x.txt", "https://example.org/x.txt")


@pytest.mark.shows("backend.clear_session", "backend.manual_variable_initialization")
def test_names_start_at_one_after_a_cleared_session():
    keras.backend.manual_variable_initialization(True)  # which has no effect here
    for restart in (keras.backend.reset_uids, keras.backend.clear_session):
        restart()
        assert [keras.layers.Dense(2)(keras.layers.Input((3,))).call.layer.name for _ in range(2)] == [
            "dense_1",
            "dense_2",
        ]
        assert keras.models.Sequential().name == "sequential_1"
        assert keras.backend.get_uid("dense") == 3


def test_a_module_of_utils_has_its_own_names_alone():
    assert keras.utils.np_utils.to_categorical is keras.utils.to_categorical
    with pytest.raises(AttributeError):
        _ = keras.utils.np_utils.plot_model
    with pytest.raises(ImportError):
        exec("from kconvert.keras.utils.generic_utils import HDF5Matrix")


def test_an_unknown_argument_of_a_layer_is_refused_with_those_that_users_give():
    with pytest.raises(KconvertError, match=r"Dense has no argument 'border_mode'") as refused:
        keras.layers.Dense(3, border_mode="same")
    assert "kernel_initializer" in refused.value.fix
    assert not {"extra", "left_out", "unstated"} & set(refused.value.fix.replace(",", "").split())


def test_layers_and_models_by_their_configurations(tmp_path):
    layer = keras.layers.Dense(3, activation="relu", name="d", input_shape=(2,))
    config = keras.layers.serialize(layer)
    assert keras.layers.deserialize(config).get_config() == layer.get_config()
    model = keras.models.Sequential([layer])
    again = keras.layers.deserialize(keras.layers.serialize(model))
    assert isinstance(again, keras.models.Sequential) and again.output_shape == (None, 3)
    keras.models.save_model(model, tmp_path / "m.h5")
    x = np.ones((1, 2))
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.h5").predict(x), model.predict(x))
    assert keras.engine.get_source_inputs(model.output) == model.inputs
    assert keras.layers.Deconvolution3D is keras.layers.Conv3DTranspose


def test_load_model_takes_custom_objects_second_as_in_keras(tmp_path):
    def doubled(x):
        return 2 * x

    model = keras.models.Sequential([keras.layers.Dense(3, activation=doubled, input_shape=(2,))])
    model.save(tmp_path / "m.h5")
    again = keras.models.load_model(tmp_path / "m.h5", {"doubled": doubled}, False)
    x = np.ones((1, 2))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_a_gradient_is_clipped_to_a_norm():
    K, clip = keras.backend, keras.optimizers.clip_norm
    gradient = K.variable([3.0, 4.0])
    found = [K.eval(clip(gradient, limit, K.sqrt(K.sum(K.square(gradient))))).tolist() for limit in (1.0, 6.0, 0.0)]
    np.testing.assert_allclose(found, [[0.6, 0.8], [3, 4], [3, 4]], rtol=1e-6)


@pytest.mark.shows("utils.model_to_dot")
def test_the_source_of_the_picture_of_a_model():
    model = keras.models.Sequential([keras.layers.Dense(3, input_shape=(2,))])
    dot = keras.utils.model_to_dot(model, show_shapes=True)
    assert "Dense" in dot.to_string() and dot.create(format="dot").decode() == dot.to_string()
    with pytest.raises(KconvertError, match="subgraph"):
        keras.utils.vis_utils.model_to_dot(model, subgraph=True)


@pytest.mark.shows("losses.is_categorical_crossentropy")
@pytest.mark.shows("objectives.is_categorical_crossentropy")
def test_losses_are_serialized_as_in_keras():
    config = {"name": "mean_squared_error", "reduction": "sum_over_batch_size"}
    found = keras.losses.serialize(keras.losses.MeanSquaredError())
    assert found == {"class_name": "MeanSquaredError", "config": config}
    assert keras.losses.serialize(keras.losses.mse) == "mean_squared_error"
    assert keras.losses.is_categorical_crossentropy(keras.losses.categorical_crossentropy)
    assert not keras.objectives.is_categorical_crossentropy("mse")


def test_the_fans_of_a_kernel():
    fans = keras.initializers._compute_fans
    assert [fans((3, 4)), fans((2, 2, 3, 4)), fans((8, 3, 2, 2), "channels_first")] == [(3, 4), (12, 16), (12, 32)]


def test_all_names_of_layers_are_imported_without_warnings():
    """Keras 2.3.1 has the names of Keras 1, too, and says nothing."""
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec("from kconvert.keras.layers import *", names)
    assert names["Convolution2D"] is names["Conv2D"]
