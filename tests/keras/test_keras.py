"""The modules of Keras 2.3.1: what is imported from them works as Keras's documentation says."""

import subprocess
import sys
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
    with pytest.raises(KconvertError, match=r"H5Dict of keras.utils"):
        _ = keras.utils.H5Dict


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
