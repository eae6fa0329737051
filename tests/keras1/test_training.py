"""Training with the arguments of Keras 1.2.2; the numbers are in `test_numbers.py`."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.keras1 import callbacks, constraints, initializations, layers, models, optimizers, regularizers

X, Y = np.random.default_rng(0).random((6, 3)), np.eye(2)[[0, 1, 0, 1, 0, 1]]


def model(loss="categorical_crossentropy", metrics=None):
    made = models.Sequential([layers.Dense(2, activation="softmax", input_dim=3)])
    made.compile("sgd", loss, metrics=metrics)
    return made


def compiled(**arguments):
    """A model of two layers, 3 -> 4 -> 2, with the weights that real Keras 1.2.2 was given for the numbers below."""
    hidden = [np.arange(12).reshape(3, 4) / 12.0 - 0.4, np.array([0.1, -0.1, 0, 0.2])]
    outer = [np.arange(8).reshape(4, 2) / 8.0 - 0.3, np.array([0.1, -0.1])]
    made = models.Sequential()
    made.add(layers.Dense(4, input_dim=3, activation="tanh", weights=hidden))
    made.add(layers.Dense(2, weights=outer))
    made.compile("sgd", "mse", **arguments)
    return made


def data():
    """The samples and labels (20, 3) and (20, 2) for `compiled`."""
    random = np.random.RandomState(1)
    return [random.uniform(-1, 1, shape).astype("float32") for shape in ((20, 3), (20, 2))]


def batches(sizes):
    while True:
        for size in sizes:
            yield X[:size], Y[:size]


def test_fit_trains_for_ten_epochs_and_logs_acc():
    history = model(metrics=["accuracy", "mse"]).fit(X, Y, verbose=0, validation_split=0.5).history
    assert sorted(history) == ["acc", "loss", "mean_squared_error", "val_acc", "val_loss", "val_mean_squared_error"]
    assert len(history["loss"]) == 10


def test_weights_of_samples_replace_those_of_classes():
    given = {"sample_weight": np.arange(6.0), "class_weight": {0: 5.0, 1: 0.1}}
    first, second = model(), model()
    second.set_weights(first.get_weights())
    alone = second.fit(X, Y, nb_epoch=2, verbose=0, shuffle=False, sample_weight=given["sample_weight"])
    assert first.fit(X, Y, nb_epoch=2, verbose=0, shuffle=False, **given).history == alone.history


def test_an_epoch_of_a_generator_ends_after_its_samples():
    """Batches of 2, 3, 2, 3, ...: with 5 samples two batches make an epoch, with 6 samples three."""
    seen = []
    count = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append((batch, logs["size"])))
    model().fit_generator(batches([2, 3]), 5, 2, verbose=0, callbacks=[count])
    assert seen == [(0, 2), (1, 3)] * 2
    seen.clear()
    with pytest.warns(UserWarning, match="more samples"):
        model().fit_generator(batches([2, 3]), 6, 2, verbose=0, callbacks=[count])
    assert seen == [(0, 2), (1, 3), (2, 2), (0, 3), (1, 2), (2, 3)]


def test_callbacks_have_the_parameters_of_keras_1():
    class Own(callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.seen = {key: self.params[key] for key in ("nb_epoch", "nb_sample")}

    own = Own()
    model().fit(X, Y, nb_epoch=3, verbose=0, callbacks=[own])
    assert own.seen == {"nb_epoch": 3, "nb_sample": 6}
    model().fit_generator(batches([2]), 4, 1, verbose=0, callbacks=[own])
    assert own.seen == {"nb_epoch": 1, "nb_sample": 4}


def test_early_stopping_waits_for_one_epoch_more_than_in_keras_2():
    """Keras 1.2.2 compares the number of epochs before it counts the present one."""
    made = models.Sequential([layers.Dense(1, input_dim=1)])
    made.compile(optimizers.SGD(lr=0.0), "mse")
    stop = callbacks.EarlyStopping("loss", patience=1)
    history = made.fit(np.ones((2, 1)), np.ones((2, 1)), nb_epoch=9, callbacks=[stop], verbose=0)
    assert len(history.history["loss"]) == 3


def test_files_of_checkpoints_count_epochs_from_0(tmp_path):
    save = callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.h5"), save_weights_only=True)
    model().fit(X, Y, nb_epoch=2, verbose=0, callbacks=[save])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.h5", "1.h5"]


@pytest.mark.parametrize(
    ("patience", "cooldown", "wanted"),
    [
        (2, 0, [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2]),
        (0, 0, [1.0, 0.5, 0.25, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]),
        (1, 2, [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]),
    ],
)
@pytest.mark.shows("callbacks.ReduceLROnPlateau", of="keras1")
def test_a_plateau_reduces_the_rate_as_in_keras_1_2_2(patience, cooldown, wanted):
    """wanted: the rates of real Keras 1.2.2 for a loss that does not improve by 10."""
    made, rates = model(), []
    made.optimizer.lr = 1.0
    plateau = callbacks.ReduceLROnPlateau(
        "loss", factor=0.5, patience=patience, min_lr=0.2, epsilon=10.0, cooldown=cooldown
    )
    watch = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: rates.append(round(float(made.optimizer.lr), 4)))
    made.fit(X, Y, nb_epoch=9, verbose=0, callbacks=[plateau, watch])
    assert rates == wanted


@pytest.mark.shows("callbacks.TensorBoard", of="keras1")
@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("on", ["tensorflow"], indirect=True)
def test_tensorboard_writes_the_logs_of_epochs(on, tmp_path):
    model().fit(X, Y, nb_epoch=1, verbose=0, callbacks=[callbacks.TensorBoard(str(tmp_path), 0, True)])
    assert list(tmp_path.rglob("events.*"))


@pytest.mark.shows("initializations.get", "regularizers.get", "constraints.get", of="keras1")
def test_components_are_found_by_name():
    assert initializations.get("glorot_uniform") is initializations.glorot_uniform
    assert initializations.get(initializations.one) is initializations.one and regularizers.get(None) is None
    assert regularizers.get("l2").l2 == pytest.approx(0.01) and constraints.get("maxnorm").max_value == 2
    with pytest.raises(KconvertError, match="unknown initialization 'glorot'"):
        initializations.get("glorot")


def test_a_model_behind_a_merge_of_models_is_saved(tmp_path):
    branches = [models.Sequential([layers.Dense(2, input_dim=3)]) for _ in range(2)]
    merged = models.Sequential([layers.Merge(branches, mode="concat"), layers.Dense(2)])
    merged.compile("sgd", "mse")
    merged.save(tmp_path / "merged.h5")
    again = models.load_model(tmp_path / "merged.h5")
    assert np.allclose(again.predict([X, X]), merged.predict([X, X]), atol=1e-6)


def test_a_schedule_does_not_log_the_learning_rate():
    made = model()
    history = made.fit(
        X, Y, nb_epoch=2, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda e: 0.5 / (e + 1))]
    )
    assert sorted(history.history) == ["loss"] and made.optimizer.lr == 0.25


def test_a_merge_of_models_has_the_inputs_of_all():
    left = models.Sequential([layers.Dense(4, input_dim=3)])
    inner = models.Sequential([layers.Merge([left, layers.Dense(4, input_dim=2)], mode="sum"), layers.Dense(5)])
    outer = models.Sequential()
    outer.add(layers.Merge([inner, left], mode="concat"))
    outer.add(layers.Dense(1))
    assert [layer.name.rpartition("_")[0] for layer in outer.layers] == ["merge", "dense"]
    assert len(outer.inputs) == 2 and outer.layers[0].output_shape == (None, 9)
    outer.compile("sgd", "mse")
    outer.fit([X, X[:, :2]], Y[:, :1], nb_epoch=1, verbose=0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: model(loss="logcosh"),
        lambda: model(metrics=["crossentropy"]),
        lambda: model(metrics="accuracy"),
        lambda: compiled(loss_weights=2.0),
        lambda: compiled(foo=1),
        lambda: model().fit(X, Y, epochs=2),
        lambda: model().fit_generator(iter([(X, Y)]), 12, 1, verbose=0),
        lambda: model().predict_generator(batches([4]), 6),
        lambda: models.Sequential([layers.Dense(2)]),
        lambda: layers.merge([layers.Input((2,)), layers.Input((2,))], mode="sub"),
        lambda: models.Sequential([layers.Dense(2, input_dim=3)]).compile("ftrl", "mse"),
        lambda: model().fit(X, Y[:, :1], verbose=0),
    ],
)
def test_what_keras_1_2_2_does_not_take_is_refused(call):
    with pytest.raises((KconvertError, TypeError)):
        call()


def test_loss_functions_are_the_objectives():
    """As in Keras 1.2.2, whose `loss_functions` have the names of functions."""
    assert [one.__name__ for one in model().loss_functions] == ["categorical_crossentropy"]
    assert models.Sequential([layers.Dense(2, input_dim=3)]).loss_functions == []


class Slow(optimizers.RMSprop):
    """An optimizer of the user."""


def test_a_file_keeps_the_state_of_an_optimizer_of_the_user(tmp_path):
    made = compiled()
    made.compile(Slow(lr=0.01), "mse")
    made.train_on_batch(*data())
    made.save(tmp_path / "model.h5")
    again = models.load_model(tmp_path / "model.h5", custom_objects={"Slow": Slow})
    states = zip(made.optimizer.get_weights(), again.optimizer.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in states)
    assert again.train_on_batch(*data()) == pytest.approx(made.train_on_batch(*data()), rel=1e-5)
