"""Optimizers: each step against real Keras 2.3.1 on both backends and against Keras 3, on every backend of kconvert."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from kconvert import Sequential
from kconvert.backend import InputSpec, get_backend
from kconvert.errors import KconvertError
from kconvert.keras.own.backend import get_value, set_value
from kconvert.layers import Dense
from kconvert.models.training import optimizers
from tests.models.training.keras_numbers import CASES, differing, numbers

OPTIMIZERS = [optimizers.get({"class_name": name, "config": config}) for name, config in CASES["optimizers"]]
NAMES = [f"{name} {config}" for name, config in CASES["optimizers"]]
START = [numbers("theano")[f"optimizers/start/{j}"] for j in range(2)]
GRADIENTS = list(zip(*[numbers("theano")[f"optimizers/gradients/{j}"] for j in range(2)], strict=True))


def compiled_steps(K, several):
    """A compiled step of several optimizers: from their states and the gradients to their new states."""
    layout = []

    def build(_, given):
        given, after = iter(given), []
        for optimizer in several:
            weights, gradients = [[next(given) for _ in START] for _ in range(2)]
            slots = [{name: next(given) for name in optimizer.slots(w.shape)} for w in START]
            scalars = {name: next(given) for name in optimizer.scalars()}
            numbers = {name: next(given) for name in optimizer.numbers}
            weights, slots, scalars = optimizer.step(K, weights, gradients, slots, scalars, numbers)
            after += [*weights, *(x for own in slots for x in own.values()), *scalars.values()]
        return after

    for optimizer in several:
        layout += [*START, *START, *(x for w in START for x in optimizer.slots(w.shape).values())]
        layout += [*optimizer.scalars().values(), *map(np.float32, optimizer.numbers.values())]
    run = K.compile_reading(build, [InputSpec(np.shape(x), str(x.dtype)) for x in layout], [])

    def step(states, gradients):
        given = []
        for optimizer, (weights, slots, scalars) in zip(several, states, strict=True):
            given += [*weights, *gradients, *(x for own in slots for x in own.values()), *scalars.values()]
            given += map(np.float32, optimizer.numbers.values())
        after = iter(run(given))
        return [
            (
                [next(after) for _ in weights],
                [{name: next(after) for name in own} for own in slots],
                {name: next(after) for name in scalars},
            )
            for weights, slots, scalars in states
        ]

    return step


def start(optimizer):
    return START, [optimizer.slots(w.shape) for w in START], optimizer.scalars()


def trajectories(K, several, iterations=0):
    """The state of each optimizer after each step on the gradients of the fixture."""
    step, states = compiled_steps(K, several), [start(optimizer) for optimizer in several]
    for _, _, scalars in states:
        scalars["iterations"] += iterations
    for gradients in GRADIENTS:
        states = step(states, list(gradients))
        yield states


@pytest.mark.parametrize("convention", ["theano", "tensorflow"])
def test_every_step_and_the_state_are_those_of_keras(backend, convention):
    """On TensorFlow the count is one step ahead (keras-facts: iterations-count-first-on-tensorflow)."""
    ahead = int(convention == "tensorflow")
    stored, found, expected = numbers(convention), {}, {}
    for k, states in enumerate(trajectories(backend, OPTIMIZERS, ahead)):
        for i, (weights, _, _) in enumerate(states):
            for j, weight in enumerate(weights):
                found[f"{NAMES[i]}, weight {j} after step {k}"] = weight
                expected[f"{NAMES[i]}, weight {j} after step {k}"] = stored[f"optimizers/{i}/weights/{j}"][k]
    for i, (optimizer, (_, slots, scalars)) in enumerate(zip(OPTIMIZERS, states, strict=True)):
        scalars["iterations"] -= ahead
        for j, (name, array) in enumerate(optimizer.state(scalars, slots).items()):
            found[f"{NAMES[i]}, {name}"] = array
            expected[f"{NAMES[i]}, {name}"] = stored[f"optimizers/{i}/state/{j}"]
        assert f"optimizers/{i}/state/{j + 1}" not in stored, "Keras stores more"
    assert len(found) > 300
    assert not differing(found, expected, rtol=1e-5)


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("optimizer", [o for o in OPTIMIZERS if not (o.clipnorm and o.clipvalue)], ids=str)
def test_every_step_is_that_of_keras_3(optimizer):
    """With options for which both definitions agree.

    epsilon is small, because RMSprop of Keras 3 adds it inside the root; schedule_decay of Nadam is 1.
    """
    import tensorflow as tf
    from keras import optimizers as keras3

    if hasattr(optimizer, "epsilon"):
        optimizer = replace(optimizer, epsilon=1e-7)
    if hasattr(optimizer, "schedule_decay"):
        optimizer = replace(optimizer, schedule_decay=1.0)
    config = optimizer.get_config()
    config["global_clipnorm"] = config.pop("clipnorm", None)
    decay = config.pop("decay", 0.0)
    config.pop("schedule_decay", None)
    if isinstance(optimizer, optimizers.Adagrad):
        config["initial_accumulator_value"] = 0.0
    theirs, variables = getattr(keras3, optimizer.class_name)(**config), [tf.Variable(w) for w in START]
    theirs.build(variables)
    ours = trajectories(get_backend("numpy"), [optimizer])
    for k, (gradients, ((weights, _, _),)) in enumerate(zip(GRADIENTS, ours, strict=True)):
        theirs.learning_rate = optimizer.learning_rate / (1 + decay * k)
        theirs.apply([tf.constant(g) for g in gradients], variables)
        for weight, variable in zip(weights, variables, strict=True):
            np.testing.assert_allclose(weight, variable.numpy(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=NAMES)
def test_training_continues_from_a_stored_state(optimizer):
    """The state is written in the order of Keras and read back after three steps; the next three are the same."""
    K = get_backend("numpy")
    *_, (last,) = trajectories(K, [optimizer])
    step, (state,) = compiled_steps(K, [optimizer]), [start(optimizer)]
    for gradients in GRADIENTS[:3]:
        (state,) = step([state], list(gradients))
    weights, slots, scalars = state
    stored = list(optimizer.state(scalars, slots).values())
    scalars, slots = optimizer.from_state(stored, [w.shape for w in START])
    assert scalars["iterations"] == 3
    for gradients in GRADIENTS[3:]:
        ((weights, slots, scalars),) = step([(weights, slots, scalars)], list(gradients))
    assert all(np.array_equal(a, b) for a, b in zip(weights, last[0], strict=True))


def test_a_state_of_another_model_is_refused():
    stored = list(optimizers.Adam().state(*start(optimizers.Adam())[:0:-1]).values())
    with pytest.raises(KconvertError, match="are not the state of Adam for 1 weights"):
        optimizers.Adam().from_state(stored, [(3, 2)])
    with pytest.raises(KconvertError, match="are not the state of Adam for 2 weights"):
        optimizers.Adam().from_state(stored, [(3, 2), (5,)])


def test_hyperparameters_by_position_as_in_keras():
    assert optimizers.SGD(0.1, 0.9, True) == optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
    assert optimizers.Adam(0.1, 0.8, 0.9, True).amsgrad


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=NAMES)
def test_configurations_round_trip(optimizer):
    assert optimizers.get(optimizer.to_config()) == optimizer


def test_configurations_of_older_releases_are_read():
    old = {"class_name": "RMSprop", "config": {"lr": 0.01, "rho": 0.9, "epsilon": None, "decay": 0.0}}
    assert optimizers.get(old) == optimizers.RMSprop(0.01)
    assert optimizers.get({"class_name": "sgd", "config": {"lr": 0.5}}).lr == 0.5
    assert "clipnorm" not in optimizers.SGD().get_config()
    assert optimizers.SGD(clipnorm=2.0).get_config()["clipnorm"] == 2.0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("adm", "unknown optimizer 'adm'; did you mean Adam"),
        (
            {"class_name": "Adam", "config": {"beta1": 0.9}},
            "optimizer Adam has no argument 'beta1'; did you mean beta_1",
        ),
        ({"class_name": "Adam", "config": "lr"}, "unknown optimizer"),
        ({"class_name": ["Adam"], "config": {}}, "unknown optimizer"),
        (None, "unknown optimizer None; one of: SGD, RMSprop"),
        (len, "unknown optimizer <built-in function len>; one of: SGD, RMSprop"),
    ],
)
def test_unknown_names_are_refused(spec, message):
    with pytest.raises(KconvertError) as error:
        optimizers.get(spec)
    assert message in str(error.value)


def dense(optimizer, backend="tensorflow"):
    """A model of one weight, which is 0, in training with inputs and labels of 1: its first gradient is -2."""
    model = Sequential([Dense(1, use_bias=False, kernel_initializer="zeros", input_shape=(1,))])
    model.compile(optimizer, "mse", backend=backend)
    return model


def step(model, times=1):
    for _ in range(times):
        model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))
    return float(model.get_weights()[0][0, 0])


@pytest.mark.parametrize("backend_name", ["theano", "tensorflow"])
def test_hyperparameters_are_set_between_steps(backend_name):
    model = dense(optimizers.SGD(0.5), backend_name)
    assert step(model) == 1.0
    set_value(model.optimizer.momentum, 0.5)
    assert step(model) == 1.5  # the gradient is 0, and half of the last change is done again
    assert model.optimizer.get_config() == {"learning_rate": 0.5, "decay": 0.0, "momentum": 0.5, "nesterov": False}
    set_value(model.optimizer.decay, 1.0)
    assert model.optimizer.initial_decay == 0.0  # so that the decay has no effect, as in Keras
    assert json.loads(json.dumps(model.optimizer.get_config()))["decay"] == 1.0


def test_the_count_of_steps_is_a_variable():
    model = dense(optimizers.SGD(0.5, decay=1.0))
    assert get_value(model.optimizer.iterations) == 0
    step(model, 2)
    assert get_value(model.optimizer.iterations) == 2
    set_value(model.optimizer.iterations, 7)
    before = float(model.get_weights()[0][0, 0])
    assert np.isclose(step(model), before + 0.5 / 8 * 2 * (1 - before))
    assert get_value(model.optimizer.iterations) == 8


def test_the_count_of_steps_goes_on_where_another_model_is_compiled_with_the_optimizer():
    optimizer = optimizers.Adam()
    step(dense(optimizer), 3)
    again = dense(optimizer)
    step(again)
    assert get_value(again.optimizer.iterations) == 4
    assert len(optimizer.weights) == len(optimizer.get_weights()) == 4
    assert optimizers.Adam().weights == optimizers.Adam().updates == []


def test_an_optimizer_that_has_trained_is_copied():
    model = dense(optimizers.Nadam())
    step(model, 2)
    again = pickle.loads(pickle.dumps(model.optimizer))
    assert get_value(again.iterations) == 2 and again == model.optimizer
