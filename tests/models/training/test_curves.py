"""Training on Theano and on TensorFlow: the same losses from the same seed, also after a change of the backend."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import kconvert as kc
from tests.models.training.models import MODELS

STEPS = 50
SAVED_AT = 20
OPTIMIZERS = {"mlp": "nadam", "cnn": "adam", "lstm": {"class_name": "SGD", "config": {"lr": 0.1, "momentum": 0.9}}}
pytestmark = pytest.mark.needs("theano", "tensorflow")


def batch(array, step):
    return array[step % 4 * 16 :][:16]


def train(model, x, y, steps):
    return [model.train_on_batch(batch(x, step), batch(y, step)) for step in steps]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """run(model, backend): the loss of each step, and the file that was saved after step SAVED_AT."""
    folder = tmp_path_factory.mktemp("checkpoints")

    @cache
    def runs(name, backend):
        model, x, y = MODELS[name]()
        model.compile(OPTIMIZERS[name], "categorical_crossentropy", backend=backend, seed=1)
        path = folder / f"{name}_{backend}.h5"
        before = train(model, x, y, range(SAVED_AT))
        model.save(path)
        return before + train(model, x, y, range(SAVED_AT, STEPS)), path

    return runs


@pytest.mark.parametrize("name", MODELS)
def test_both_backends_have_the_same_loss_for_50_steps(run, name):
    on_theano, on_tensorflow = (run(name, backend)[0] for backend in ("theano", "tensorflow"))
    np.testing.assert_allclose(on_theano, on_tensorflow, rtol=1e-3)
    assert on_theano[-1] < on_theano[0]


@pytest.mark.parametrize(("first", "second"), [("theano", "tensorflow"), ("tensorflow", "theano")])
@pytest.mark.parametrize("name", MODELS)
def test_training_continues_on_the_other_backend_with_the_state_of_the_optimizer(run, name, first, second):
    losses, path = run(name, first)
    model = kc.load_model(path, backend=second)
    _, x, y = MODELS[name]()
    np.testing.assert_allclose(train(model, x, y, range(SAVED_AT, SAVED_AT + 10)), losses[SAVED_AT:][:10], rtol=1e-3)
