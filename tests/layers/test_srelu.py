"""SReLU with negative slopes: what Keras 1.2.2 computed on each backend, from its files and in other forms."""

import numpy as np
import pytest

import kconvert as kc
from tests.fixtures import FOLDER

BACKENDS = ("theano", "tensorflow")
ATOL = 1e-5


def stored(backend):
    with np.load(FOLDER / "srelu" / f"{backend}.npz") as arrays:
        return arrays["x"], arrays["y"]


def test_the_backends_differ():
    assert np.abs(stored("theano")[1] - stored("tensorflow")[1]).max() > 0.1


@pytest.mark.parametrize("saved", BACKENDS)
def test_a_file_computes_what_its_backend_did_on_either(backend, saved):
    x, y = stored(saved)
    model = kc.load_model(FOLDER / "srelu" / f"{saved}.h5", backend=backend.name)
    np.testing.assert_allclose(model.predict(x), y, atol=ATOL)


@pytest.mark.parametrize("saved", BACKENDS)
@pytest.mark.parametrize(("name", "form"), [("model.keras", None), ("model.h5", "tf_keras")])
def test_the_layers_that_take_its_place_compute_it(saved, name, form, tmp_path):
    x, y = stored(saved)
    kc.convert(FOLDER / "srelu" / f"{saved}.h5", tmp_path / name, target="tensorflow", format=form)
    np.testing.assert_allclose(kc.load_model(tmp_path / name, backend="numpy").predict(x), y, atol=ATOL)


def test_a_new_layer_computes_what_keras_does_on_its_backend(backend):
    x, y = stored(backend.convention)
    with_weights = kc.load_model(FOLDER / "srelu" / f"{backend.convention}.h5", backend="numpy").get_weights()
    model = kc.Sequential([kc.layers.SReLU(input_shape=(5,)), kc.layers.Dense(2)])
    model.start(backend)
    model.set_weights(with_weights)
    np.testing.assert_allclose(model.predict(x), y, atol=ATOL)


@pytest.mark.parametrize("saved", BACKENDS)
def test_a_file_of_keras_1_for_the_other_backend_has_a_note(saved, tmp_path):
    (other,) = set(BACKENDS) - {saved}
    done = kc.convert(FOLDER / "srelu" / f"{saved}.h5", tmp_path / "out.h5", target=other, format="same")
    assert any("srelu_1: where a_left is negative" in note for note in done.plan.notes)
