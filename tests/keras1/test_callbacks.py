"""Callbacks, logs and the text of the progress are those of Keras 1.2.2; its numbers come from the same calls there."""

from __future__ import annotations

import re

import numpy as np
import pytest
from kconvert.keras1.layers import Dense
from kconvert.keras1.utils.generic_utils import Progbar

from kconvert.keras1 import backend as K
from kconvert.keras1 import callbacks, models, optimizers
from tests.keras1.test_training import compiled, data

OPTIONS = {"batch_size": 8, "shuffle": False}


class Record(callbacks.Callback):
    """Keeps the logs of batches and epochs."""

    def __init__(self):
        self.batches, self.epochs = [], []

    def on_batch_end(self, batch, logs=None):
        self.batches.append(dict(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))


def trained(callback, **options):
    made = compiled(metrics=["mae"])
    return made, made.fit(*data(), **{"nb_epoch": 1, "verbose": 0, "callbacks": [callback], **OPTIONS, **options})


def printed(capsys):
    """What was printed, with T in place of times."""
    return re.sub(r"\d+s", "T", capsys.readouterr().out)


def test_logs_of_a_batch_have_the_metrics_of_that_batch():
    """Those of an epoch have the means over its samples."""
    record = Record()
    trained(record)
    found = [[logs["loss"], logs["mean_absolute_error"]] for logs in (*record.batches, *record.epochs)]
    wanted = [[0.33314, 0.49713], [0.33937, 0.48898], [0.31873, 0.40305], [0.33275, 0.47505]]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert record.epochs[0]["loss"].item() == record.epochs[0]["loss"]


def test_parameters_have_the_words_of_keras_1():
    record = Record()
    _, history = trained(record)
    stated = {"batch_size": 8, "nb_epoch": 1, "nb_sample": 20, "verbose": 0, "do_validation": False}
    assert history.params == {**stated, "metrics": ["loss", "mean_absolute_error"]}
    x, y = data()
    history = compiled().fit_generator(iter([(x[:5], y[:5])] * 4), 10, 1, verbose=0)
    stated = {"nb_epoch": 1, "nb_sample": 10, "verbose": 0, "do_validation": False}
    assert history.params == {**stated, "metrics": ["loss", "val_loss"]}


def test_the_samples_of_an_epoch_may_be_a_fraction():
    """Such as the result of a division: the epoch ends after the batch that reaches it."""
    x, y = data()
    record = Record()
    compiled().fit_generator(iter([(x[:5], y[:5])] * 3), 10.5, 1, verbose=0, callbacks=[record])
    assert len(record.batches) == 3 and record.params["nb_sample"] == 10.5


def test_an_epoch_ends_after_all_its_batches():
    """`stop_training` is read after the epoch."""

    class Stop(Record):
        def on_batch_end(self, batch, logs=None):
            super().on_batch_end(batch, logs)
            self.model.stop_training = True

    stop = Stop()
    trained(stop, nb_epoch=4)
    assert (len(stop.batches), len(stop.epochs)) == (3, 1)


def test_the_model_has_the_arrays_of_the_validation():
    made, _ = trained(Record(), validation_split=0.2)
    assert [array.shape for array in made.validation_data] == [(4, 3), (4, 2), (4,)]
    assert trained(Record())[0].validation_data is None


def test_a_loss_that_is_no_number_does_not_end_the_training():
    """Weights of 0 for a whole batch make its loss NaN."""
    weights = np.repeat([1.0, 0.0], [16, 4])
    history = compiled().fit(*data(), nb_epoch=2, batch_size=4, shuffle=False, verbose=0, sample_weight=weights)
    assert np.isnan(history.history["loss"]).all()


def test_the_progress_is_printed_as_in_keras_1_2_2(capsys):
    made = compiled(metrics=["mae"])
    made.fit(*data(), nb_epoch=2, verbose=2, validation_split=0.2, **OPTIONS)
    assert printed(capsys) == (
        "Train on 16 samples, validate on 4 samples\nEpoch 1/2\n"
        "T - loss: 0.3363 - mean_absolute_error: 0.4931 - val_loss: 0.3187 - val_mean_absolute_error: 0.4030\n"
        "Epoch 2/2\n"
        "T - loss: 0.3348 - mean_absolute_error: 0.4916 - val_loss: 0.3179 - val_mean_absolute_error: 0.4030\n"
    )
    made.predict_classes(data()[0])
    assert printed(capsys) == "\r20/20 [==============================] - T\n"
    made.evaluate(*data(), verbose=2)
    made.predict(data()[0])
    assert printed(capsys) == ""


@pytest.mark.shows("utils.generic_utils.Progbar", "callbacks.ProgbarLogger", of="keras1")
def test_a_bar_shows_means_over_the_samples(capsys):
    bar = Progbar(4, interval=0)
    bar.update(2, [("loss", 0.5)])
    bar.add(2, [("loss", 1.5), ("acc", 1e-4)])
    wanted = "\r2/4 [==============>...............] - ETA: T - loss: 0.5000"
    shown = printed(capsys)
    assert shown.startswith(wanted) and shown.rstrip().endswith("] - T - loss: 1.0000 - acc: 1.0000e-04")
    logger = callbacks.ProgbarLogger()
    logger.set_params({"verbose": 2, "nb_epoch": 3, "nb_sample": 2, "metrics": ["loss"]})
    logger.on_train_begin()
    logger.on_epoch_begin(0)
    logger.on_batch_begin(0)
    logger.on_batch_end(0, {"size": 2, "loss": 0.25})
    logger.on_epoch_end(0, {"loss": 0.25})
    assert printed(capsys) == "Epoch 1/3\nT - loss: 0.2500\n"


@pytest.mark.shows("callbacks.CallbackList", "callbacks.LambdaCallback", of="keras1")
def test_a_list_calls_all_callbacks():
    seen = []
    one = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs)), note=3)
    both = callbacks.CallbackList([one])
    both.append(callbacks.History())
    both.on_train_begin()
    both.on_epoch_end(2, {"loss": 1.0})
    assert seen == [(2, {"loss": 1.0})] and one.note == 3 and both.callbacks[1].epoch == [2]


def test_callbacks_have_the_arguments_of_keras_1_2_2():
    assert callbacks.EarlyStopping(patience=3).patience == 3
    assert not callbacks.ReduceLROnPlateau().in_cooldown()
    assert callbacks.RemoteMonitor().headers["Accept"] == "application/json"
    for name, option in (
        ("RemoteMonitor", {"send_as_json": True}),
        ("ProgbarLogger", {"count_mode": "steps"}),
        ("BaseLogger", {"stateful_metrics": []}),
    ):
        with pytest.raises(TypeError):
            getattr(callbacks, name)(**option)


def test_a_schedule_gets_the_epoch_alone():
    """Keras 2 gives the rate to a schedule that takes two arguments."""
    made = models.Sequential([Dense(1, input_dim=1)])
    made.compile(optimizers.SGD(lr=1.0), "mse")
    rate = callbacks.LearningRateScheduler(lambda epoch, start=0.5: start / (epoch + 1))
    made.fit(np.ones((2, 1)), np.ones((2, 1)), nb_epoch=2, verbose=0, callbacks=[rate])
    assert float(K.get_value(made.optimizer.lr)) == 0.25


def test_callbacks_print_what_those_of_keras_1_2_2_print(capsys, tmp_path):
    """They count epochs from 0, and ModelCheckpoint has no line in front of its own."""
    place = str(tmp_path / "weights.h5")
    saving = callbacks.ModelCheckpoint(place, "loss", verbose=1, save_best_only=True, mode="max")
    stopping = callbacks.EarlyStopping("loss", min_delta=1.0, patience=1, verbose=1)
    reducing = callbacks.ReduceLROnPlateau("loss", epsilon=1.0, patience=0, verbose=1, min_lr=0.005)
    compiled().fit(*data(), nb_epoch=5, verbose=0, callbacks=[saving, stopping, reducing], **OPTIONS)
    assert capsys.readouterr().out == (
        f"Epoch 00000: loss improved from -inf to 0.33275, saving model to {place}\n"
        "Epoch 00001: loss did not improve\n\nEpoch 00001: reducing learning rate to 0.005.\n"
        "Epoch 00002: loss did not improve\nEpoch 00002: early stopping\n"
    )


def test_the_rate_after_a_reduction_is_that_of_float32(capsys):
    reducing = callbacks.ReduceLROnPlateau("loss", epsilon=1.0, patience=0, verbose=1)
    made = compiled()
    made.compile(optimizers.SGD(lr=0.001), "mse")
    made.fit(*data(), nb_epoch=2, verbose=0, callbacks=[reducing])
    assert capsys.readouterr().out == "\nEpoch 00001: reducing learning rate to 0.00010000000474974513.\n"
    reducing._reset()
    assert (reducing.best, reducing.wait) == (np.inf, 0)


def test_callbacks_refuse_names_that_the_logs_do_not_have(tmp_path):
    with pytest.raises(TypeError, match="val_loss"):
        trained(callbacks.EarlyStopping())
    with pytest.raises(KeyError, match="foo"):
        trained(callbacks.ModelCheckpoint(str(tmp_path / "{foo}")))


@pytest.mark.needs("theano")
@pytest.mark.parametrize("on", ["theano"], indirect=True)
def test_tensorboard_needs_tensorflow(on, tmp_path):
    with pytest.raises(RuntimeError, match="theano"):
        callbacks.TensorBoard(str(tmp_path))
