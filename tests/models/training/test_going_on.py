"""Files that real Keras 2.3.1 saved with their optimizer go on training with the numbers of real Keras."""

import numpy as np
import pytest

from kconvert import load_model
from tests.fixtures import FOLDER

CASES = ["lenet_th", "lenet_tf", "mnist_mlp", "imdb_lstm", "imdb_cnn_lstm", "char_rnn"]


def gone_on(saved_under, case, backend, ahead=0):
    """What Keras computed in some steps from the file, and the losses and the model after the same steps here.

    ahead: steps that the optimizer's count is given too many.
    """
    folder = FOLDER / "training" / f"2.3.1-{saved_under}"
    with np.load(folder / f"{case}.npz") as stored:
        wanted = dict(stored)
    model = load_model(folder / f"{case}.h5", backend)
    count = model.trainer.executor.read("scalar")["iterations",]
    model.trainer.executor.write("scalar", {("iterations",): count + ahead})
    losses = [model.train_on_batch(wanted["x"], wanted["y"]) for _ in wanted["losses"]]
    return wanted, np.ravel(losses), model


@pytest.mark.parametrize("saved_under", ["theano", "tensorflow"])
@pytest.mark.parametrize("case", CASES)
def test_losses_are_those_of_keras_on_either_backend(framework, saved_under, case):
    wanted, losses, model = gone_on(saved_under, case, framework.name)
    low = high = losses
    if (saved_under, type(model.optimizer).__name__) == ("tensorflow", "Adam"):
        # Nothing in the graph of Keras on TensorFlow 1 orders Adam's reading of the count and its growing: at each
        # step it reads the one number or the next.
        _, ahead, _ = gone_on(saved_under, case, framework.name, ahead=1)
        low, high = np.minimum(losses, ahead), np.maximum(losses, ahead)
    assert (wanted["losses"] >= low * (1 - 2e-5)).all() and (wanted["losses"] <= high * (1 + 2e-5)).all()


@pytest.mark.parametrize("case", CASES)
def test_weights_are_those_of_keras_on_theano(theano, case):
    wanted, _, model = gone_on("theano", case, "theano")
    for i, found in enumerate(model.get_weights()):
        np.testing.assert_allclose(found, wanted[f"weight_{i}"], rtol=1e-4, atol=2e-6)
