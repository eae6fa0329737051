"""Files that real Keras 2.3.1 saved with their optimizer: training continues with the numbers of real Keras."""

from functools import cache

import numpy as np
import pytest

from kconvert import convert, load_model
from tests.fixtures import FOLDER

CASES = ["lenet_th", "lenet_tf", "mnist_mlp", "imdb_lstm", "imdb_cnn_lstm", "char_rnn"]


@cache
def loaded(saved_under, case, backend):
    """The numbers of Keras for some steps after the file was saved, our model, and its variables as they were saved."""
    folder = FOLDER / "training" / f"2.3.1-{saved_under}"
    with np.load(folder / f"{case}.npz") as stored:
        wanted = dict(stored)
    model = load_model(folder / f"{case}.h5", backend)
    executor = model.trainer.executor
    return wanted, model, {kind: executor.read(kind) for kind in ("weight", "slot", "scalar")}


def continued(saved_under, case, backend, ahead=0):
    """The numbers of Keras, our losses of the same steps, and our model after them.

    ahead: a number of steps that is added to the count of the optimizer.
    """
    wanted, model, saved = loaded(saved_under, case, backend)
    for kind, arrays in saved.items():
        model.trainer.executor.write(kind, arrays)
    model.trainer.executor.write("scalar", {("iterations",): saved["scalar"]["iterations",] + ahead})
    losses = [model.train_on_batch(wanted["x"], wanted["y"]) for _ in wanted["losses"]]
    return wanted, np.ravel(losses), model


@pytest.mark.parametrize("saved_under", ["theano", "tensorflow"])
@pytest.mark.parametrize("case", CASES)
def test_losses_are_those_of_keras_on_either_backend(framework, saved_under, case):
    wanted, losses, model = continued(saved_under, case, framework.name)
    low = high = losses
    if (saved_under, type(model.optimizer).__name__) == ("tensorflow", "Adam"):
        # On TensorFlow 1, the graph of Keras does not state whether Adam reads its count before or after it is
        # increased: each step may use either number.
        _, ahead, _ = continued(saved_under, case, framework.name, ahead=1)
        low, high = np.minimum(losses, ahead), np.maximum(losses, ahead)
    assert (wanted["losses"] >= low * (1 - 2e-5)).all() and (wanted["losses"] <= high * (1 + 2e-5)).all()


@pytest.mark.parametrize("case", CASES)
def test_weights_are_those_of_keras_on_theano(theano, case):
    wanted, _, model = continued("theano", case, "theano")
    for i, found in enumerate(model.get_weights()):
        np.testing.assert_allclose(found, wanted[f"weight_{i}"], rtol=1e-4, atol=2e-6)


OF_TF_KERAS = FOLDER / "tf_keras" / "optimizers"


@pytest.mark.parametrize(
    "name", ["2.8/rmsprop", "2.8/nadam", "2.15/adadelta", "2.15/momentum", "2.21/amsgrad", "2.21/adagrad"]
)
def test_losses_are_those_of_tf_keras_on_either_backend(framework, name):
    model = load_model(OF_TF_KERAS / f"{name}.h5", framework.name)
    with np.load(OF_TF_KERAS / f"{name}.npz") as wanted:
        losses = [model.train_on_batch(wanted["x"], wanted["y"]) for _ in wanted["losses"]]
        np.testing.assert_allclose(losses, wanted["losses"], rtol=1e-4)


@pytest.mark.parametrize("name", ["2.8/nadam", "2.21/amsgrad", "2.8/masked"])
def test_a_converted_model_of_tf_keras_trains_on_on_theano(theano, name, tmp_path):
    done = convert(OF_TF_KERAS / f"{name}.h5", tmp_path / "out.h5", target="theano")
    model = load_model(done.target, "theano")
    with np.load(OF_TF_KERAS / f"{name}.npz") as wanted:
        x = np.moveaxis(wanted["x"], -1, 1) if wanted["x"].ndim == 4 else wanted["x"]
        losses = [model.train_on_batch(x, wanted["y"]) for _ in wanted["losses"]]
        np.testing.assert_allclose(losses, wanted["losses"], rtol=1e-4)
