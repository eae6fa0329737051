"""Training goes on where it was, from Keras 2 to the installed Keras 3 and back (keras-facts: slots-in-turn)."""

import os
import subprocess
import sys

import numpy as np
import pytest

import kconvert as kc
from kconvert import layers as L
from kconvert.conventions.optimizers import STRUCTURES
from kconvert.conversion.compiled import for_keras2, for_keras3
from kconvert.conversion.optimizer_state import _in_turn, _together
from kconvert.formats.files import read

TRAINED = {
    "sgd": ("SGD", {}, "tensorflow", 1e-6),
    "momentum": ("SGD", {"momentum": 0.9, "nesterov": True}, "tensorflow", 1e-6),
    "rmsprop": ("RMSprop", {}, "tensorflow", 5e-3),
    "adagrad": ("Adagrad", {}, "tensorflow", 1e-3),
    "adadelta": ("Adadelta", {}, "tensorflow", 1e-6),
    "adam": ("Adam", {"decay": 0.1, "clipnorm": 0.5}, "theano", 1e-5),
    "amsgrad": ("Adam", {"amsgrad": True}, "tensorflow", 1e-5),
    "adamax": ("Adamax", {}, "tensorflow", 1e-5),
    "nadam": ("Nadam", {"schedule_decay": 1.0}, "theano", 1e-5),
}
"""Optimizers: the class, its options, the backend, and how far the weights may be apart after a step of 0.01.

RMSprop and Adagrad divide by the root of squared gradients: where these are near 0, their rounding, which depends on
the processor, is a large part of the step.
"""

STEPS = """
import sys, keras, numpy as np
folder, *names = sys.argv[1:]
data = np.load(f"{folder}/data.npz")
for name in names:
    model = keras.models.load_model(f"{folder}/{name}.keras")
    for number in (1, 2):
        model.train_on_batch(data["x"], data["y"])
        np.savez(f"{folder}/{name}.{number}.npz", *model.get_weights())
        if number == 1:
            model.save(f"{folder}/{name}.again.keras")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """FOLDER/NAME.h5 is trained here, NAME.1.npz and NAME.2.npz are the weights after the next steps of Keras 3."""
    folder = tmp_path_factory.mktemp("optimizers")
    random = np.random.RandomState(0)
    x, y = random.rand(8, 5, 4, 2).astype("float32"), random.rand(8, 3).astype("float32")
    np.savez(folder / "data.npz", x=x, y=y)
    for name, (optimizer, options, backend, _) in TRAINED.items():
        model = kc.Sequential([L.Conv2D(3, 2, input_shape=(5, 4, 2)), L.Flatten(), L.Dense(3, "tanh")])
        chosen = getattr(kc.optimizers, optimizer)(learning_rate=0.01, **options)
        model.compile(chosen, "mse", metrics=["mae"], backend=backend)
        for _ in range(2):
            model.train_on_batch(x, y)
        model.save(folder / f"{name}.h5")
        kc.convert(folder / f"{name}.h5", folder / f"{name}.keras", source=backend)
    run(STEPS, folder, TRAINED)
    return folder


def run(script, folder, names):
    """Runs a script in a process without kconvert."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS", "THEANO"))}
    command = [sys.executable, "-c", script, folder, *names]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def after_a_step(path, folder):
    """The weights of a file, on TensorFlow, after one more step of training here."""
    data = np.load(folder / "data.npz")
    model = kc.load_model(path, backend="tensorflow")
    model.train_on_batch(data["x"], data["y"])
    return model.get_weights()


def check(weights, stored, tolerance):
    with np.load(stored) as theirs:
        for i, ours in enumerate(weights):
            np.testing.assert_allclose(ours, theirs[f"arr_{i}"], atol=tolerance)


@pytest.mark.parametrize("name", TRAINED)
def test_keras_3_trains_on(name, folder):
    check(after_a_step(folder / f"{name}.h5", folder), folder / f"{name}.1.npz", TRAINED[name][3])


@pytest.mark.parametrize("name", TRAINED)
def test_what_keras_3_trained_trains_on_here(name, folder):
    done = kc.convert(folder / f"{name}.again.keras", folder / f"{name}.trained.h5", target="tensorflow")
    assert not any("state" in note or "compile" in note for note in done.plan.notes)
    check(after_a_step(done.target, folder), folder / f"{name}.2.npz", TRAINED[name][3])


@pytest.mark.parametrize("name", [name for name in TRAINED if name != "sgd"])  # its moments have no effect
def test_comes_back_as_it_was(name, folder):
    back = kc.convert(folder / f"{name}.keras", folder / f"{name}.back.h5", target=TRAINED[name][2], force=True)
    with read(folder / f"{name}.h5") as before, read(back.target) as after:
        old, new = (one.training_config["optimizer_config"] for one in (before, after))
        assert {**old["config"], "decay": 0} == {**new["config"], "decay": 0}
        for old, new in zip(before.optimizer, after.optimizer, strict=True):
            np.testing.assert_array_equal(old.read(), new.read())


OF_TF_KERAS = ("RMSprop", "Adadelta", "Adam", "Adamax", "SGD", "SGD_0.9")

TRAIN = """
import sys, numpy as np, tf_keras as keras
folder, *names = sys.argv[1:]
data = np.load(f"{folder}/data.npz")
for name in names:
    layers = [keras.layers.Conv2D(3, 2, input_shape=(5, 4, 2)), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    optimizer, _, momentum = name.partition("_")
    options = {"momentum": float(momentum)} if momentum else {}
    model.compile(getattr(keras.optimizers, optimizer)(0.01, **options), "mse")
    for _ in range(2):
        model.train_on_batch(data["x"], data["y"])
    model.save(f"{folder}/tf_{name}.h5")
    model.train_on_batch(data["x"], data["y"])
    np.savez(f"{folder}/tf_{name}.npz", *model.get_weights())
"""


@pytest.fixture(scope="module")
def trained_by_tf_keras(folder):
    run(TRAIN, folder, OF_TF_KERAS)
    return folder


@pytest.mark.parametrize("name", OF_TF_KERAS)
def test_what_tf_keras_trained_trains_on_here(name, trained_by_tf_keras):
    folder = trained_by_tf_keras
    done = kc.convert(folder / f"tf_{name}.h5", folder / f"{name}.keras2.h5", target="tensorflow")
    assert not any("state" in note for note in done.plan.notes)
    check(after_a_step(done.target, folder), folder / f"tf_{name}.npz", 5e-3 if name == "RMSprop" else 1e-5)


@pytest.mark.parametrize("form", ["out.h5", "out.weights.h5"])
def test_an_hdf5_file_for_keras_3_states_nothing(form, folder):
    """Keras 3.15.1 makes no optimizer from such a file that knows the weights."""
    done = kc.convert(folder / "adam.h5", folder / form, source="theano", format="keras3")
    assert any("compiled is left out" in note for note in done.plan.notes)
    assert done.plan.training is None and not done.plan.optimizer


@pytest.mark.parametrize(("decay", "same"), [(0.004, False), (1.0, True)])
def test_nadam_of_keras_3_has_one_schedule(decay, same):
    config = {"learning_rate": 0.1, "schedule_decay": decay}
    made, notes = for_keras3({"loss": "mse", "optimizer_config": {"class_name": "Nadam", "config": config}})
    assert bool(made) == same
    assert same or "Nadam with another schedule_decay" in notes[0]


@pytest.mark.parametrize(
    "options", [{"clipnorm": 1.0, "clipvalue": 2.0}, {"rho": 0.4}, {"loss": "cosine_proximity"}, {"loss": "mine"}]
)
def test_what_keras_3_would_train_otherwise_is_left_out(options):
    loss = options.pop("loss", "mse")
    made, (note,) = for_keras3({"loss": loss, "optimizer_config": {"class_name": "SGD", "config": options}})
    assert made is None and "compile" in note


def test_a_decay_is_a_schedule_and_comes_back():
    config = {"learning_rate": 0.1, "decay": 0.5, "momentum": 0.0, "nesterov": False}
    stated = {"loss": "mse", "optimizer_config": {"class_name": "SGD", "config": config}}
    there, _ = for_keras3(stated)
    rate = there["optimizer_config"]["config"]["learning_rate"]
    assert rate["class_name"] == "InverseTimeDecay" and rate["config"]["decay_rate"] == 0.5
    back, _ = for_keras2(there)
    assert back["optimizer_config"] == stated["optimizer_config"]


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("parameters", [1, 3])
def test_arrays_in_turn_and_together_are_inverses(name, parameters):
    structure = STRUCTURES[name]
    slots = [[f"{slot}{i}" for i in range(parameters)] for slot in structure.slots]
    named = dict(zip(structure.slots, slots, strict=True))
    stored = [array for group in structure.groups for array in _in_turn([named[slot] for slot in group])]
    assert _together(stored, parameters, structure) == [array for slot in slots for array in slot]
