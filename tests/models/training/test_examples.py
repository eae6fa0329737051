"""The models of Keras's examples, trained for 20 steps: the losses are those of real Keras 1.2.2 and 2.3.1.

Dropout is left out, and the batches of mnist_cnn have 32 samples; everything else is as in the examples. A loss may
differ by 1e-4, and by more where real Keras itself gives another loss from weights that differ in the last bit.
"""

import json
import runpy

import numpy as np
import pytest

import kconvert as kc
from kconvert.layers import LSTM, Conv2D, Dense, Embedding, Flatten, MaxPooling2D
from tests.fixtures import FOLDER

EXAMPLES = FOLDER / "examples"
FAST = ("lstm_text_generation-2.3.1", "tensorflow")
DRAWN = runpy.run_path(str(EXAMPLES / "drawn.py"))


def mnist_cnn(release):
    filters = {"2.3.1": 64, "1.2.2": 32}[release]
    layers = [
        Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
        Conv2D(filters, 3, activation="relu"),
        MaxPooling2D(2),
        Flatten(),
        Dense(128, activation="relu"),
        Dense(10, activation="softmax"),
    ]
    return layers, "categorical_crossentropy", "Adadelta"


def imdb_lstm(release):
    layers = [Embedding(20000, 128, input_length=80), lstm(release), Dense(1, activation="sigmoid")]
    return layers, "binary_crossentropy", "Adam"


def lstm_text_generation(release):
    layers = [lstm(release, input_shape=(40, 57)), Dense(57, activation="softmax")]
    return layers, "categorical_crossentropy", "RMSprop"


def lstm(release, **options):
    """The LSTM of the release; in Keras 1 its gates are hard sigmoids."""
    return LSTM(128, recurrent_activation={"2.3.1": "sigmoid", "1.2.2": "hard_sigmoid"}[release], **options)


def optimizer(release, name):
    """The optimizer as the example makes it; Keras 1 adds 1e-8 where Keras 2 adds 1e-7."""
    rate = {"RMSprop": {"learning_rate": 0.01}}.get(name, {})
    epsilon = {"1.2.2": {"epsilon": 1e-8}}.get(release, {})
    return getattr(kc.optimizers, name)(**rate, **epsilon)


def real(case, backend, which=""):
    release = case.rpartition("-")[2]
    return np.array(json.loads((EXAMPLES / f"{release}-{backend}.json").read_text())[f"{case}{which}"])


def cases():
    """Every case on both backends. The one that is not `long` is the fastest one."""
    for name in ("theano", "tensorflow"):
        for case in DRAWN["CASES"]:
            long = [] if (case, name) == FAST else [pytest.mark.long]
            yield pytest.param(case, name, marks=[pytest.mark.needs(name), *long])


@pytest.mark.parametrize(("case", "runs_on"), cases())
def test_the_losses_of_20_steps_are_those_of_real_keras(case, runs_on):
    name, _, release = case.rpartition("-")
    layers, loss, wanted = globals()[name](release)
    model = kc.Sequential(layers)
    model.compile(optimizer(release, wanted), loss, backend=runs_on)
    model.set_weights(DRAWN["weights"](case))
    losses = np.array([model.train_on_batch(x, y) for x, y in DRAWN["batches"](case)])
    # On TensorFlow, Adam of these releases counts a step before or after it reads the count, as it happens
    # (keras-facts: iterations-count-first-on-tensorflow). The model has no part that backends compute differently.
    computed_on = "theano" if name == "imdb_lstm" else runs_on
    right = real(case, computed_on)
    # What the last bit of the initial weights changes in real Keras.
    rounding = np.maximum.accumulate(np.abs(real(case, computed_on, "-rounded") - right))
    assert (np.abs(losses - right) < np.maximum(1e-4, 3 * rounding)).all(), np.abs(losses - right)
