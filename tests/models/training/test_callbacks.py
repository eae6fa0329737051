"""Callbacks: each epoch against real Keras 2.3.1, and the text and the files that they write."""

import csv
import json

import numpy as np
import pytest

from kconvert import Sequential
from kconvert import layers as L
from kconvert.errors import KconvertError
from kconvert.keras1.own import callbacks as keras1
from kconvert.models.training import callbacks, optimizers
from tests.fixtures import FOLDER
from tests.models.training.keras_numbers import CASES

TRACES = json.loads((FOLDER / "training" / "callbacks.json").read_text(encoding="utf-8"))
SCRIPTED = [
    (f"{i}/{script}", name, config, script)
    for i, (name, config, scripts) in enumerate(CASES["callbacks"])
    for script in scripts
]


class Trained:
    """What a callback sees of a model. Its weights are the number of the epoch, as in make.py."""

    def __init__(self):
        self.optimizer, self.stop_training, self.epoch, self.saved = optimizers.SGD(0.01), False, 0, []

    def get_weights(self):
        return [self.epoch]

    def set_weights(self, weights):
        (self.epoch,) = weights

    def save(self, path):
        self.saved.append(f"model {path}")

    def save_weights(self, path):
        self.saved.append(f"weights {path}")


def run(callback, script, model=None):
    """For each epoch of the script, the state of the model and the names in the logs after it."""
    model = model or Trained()
    several = callbacks.CallbackList([callback])
    several.set_model(model)
    several.on_train_begin()
    for epoch, (key, value) in enumerate(script):
        model.epoch, logs = epoch, {key: np.nan if value is None else value, "loss": 0.5}
        several.on_epoch_begin(epoch)
        several.on_epoch_end(epoch, logs)
        yield [model.optimizer.learning_rate, model.stop_training, model.epoch, list(model.saved), sorted(logs)]
        if model.stop_training:
            break
    several.on_train_end()


@pytest.mark.parametrize(("key", "name", "config", "script"), SCRIPTED, ids=[f"{c[1]} {c[2]} {c[3]}" for c in SCRIPTED])
def test_every_epoch_is_that_of_keras(key, name, config, script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = list(run(getattr(callbacks, name)(**config), CASES["logs"][script]))
    expected = TRACES[key]["epochs"]
    assert [epoch[1:] for epoch in found] == [epoch[1:] for epoch in expected]
    assert np.allclose([epoch[0] for epoch in found], [epoch[0] for epoch in expected])
    if TRACES[key]["text"] is not None:
        with open(config["filename"], encoding="utf-8", newline="") as file:
            assert file.read().replace("\r\n", "\n") == TRACES[key]["text"]


def test_learning_rates_are_scheduled_and_logged():
    for schedule in (lambda epoch, rate: rate / 2, lambda epoch: 0.01 / 2 ** (epoch + 1)):
        found = list(run(callbacks.LearningRateScheduler(schedule), CASES["logs"]["falling"]))
        assert np.allclose([epoch[0] for epoch in found], [0.01 / 2**n for n in range(1, 6)])
        assert all("lr" in epoch[-1] for epoch in found)
    with pytest.raises(KconvertError, match="returned None for epoch 1; it must return a float"):
        next(run(callbacks.LearningRateScheduler(lambda epoch: None), CASES["logs"]["falling"]))


def test_a_schedule_that_fails_is_not_tried_twice():
    def schedule(epoch, rate):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        next(run(callbacks.LearningRateScheduler(schedule), CASES["logs"]["falling"]))


@pytest.mark.parametrize(("loss", "stops"), [(1.0, False), (np.nan, True), (np.inf, True), (None, False)])
def test_training_stops_where_the_loss_is_not_finite(loss, stops, capsys):
    model, callback = Trained(), callbacks.TerminateOnNaN()
    callback.set_model(model)
    callback.on_train_batch_end(3, {"loss": loss})
    assert model.stop_training is stops
    assert ("Batch 3: Invalid loss" in capsys.readouterr().out) is stops


def test_history_has_every_epoch_and_what_others_logged():
    history, model = callbacks.History(), Trained()
    several = callbacks.CallbackList([callbacks.ReduceLROnPlateau(), history])
    several.set_model(model)
    several.on_train_begin()
    for epoch in (3, 4):
        several.on_epoch_end(epoch, {"loss": 1.0 / epoch, "val_loss": 1.0})
    assert history.epoch == [3, 4]
    assert history.history == {"loss": [1 / 3, 1 / 4], "val_loss": [1.0, 1.0], "lr": [np.float32(0.01)] * 2}


def test_lambdas_and_the_order_of_hooks():
    seen = []
    functions = {
        name: lambda *given, name=name: seen.append(name) for name in ("on_train_begin", "on_batch_end", "on_test_end")
    }
    several = callbacks.CallbackList([callbacks.LambdaCallback(lambda e, logs: seen.append(e), **functions)])
    several.on_train_begin()
    several.on_epoch_begin(7, {})
    several.on_batch_end(0, {})
    several.on_train_batch_end(1, {})
    several.on_test_end()
    assert seen == ["on_train_begin", 7, "on_batch_end", "on_batch_end", "on_test_end"]


def test_an_existing_table_is_continued(tmp_path):
    path, script = tmp_path / "log.csv", CASES["logs"]["falling"]
    list(run(callbacks.CSVLogger(path), script[:2]))
    list(run(callbacks.CSVLogger(path, append=True), script[2:]))
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    assert [float(row["val_loss"]) for row in rows] == [value for _, value in script]
    list(run(callbacks.CSVLogger(path), script[:1]))
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2


def test_a_value_that_an_epoch_did_not_log_is_written_as_na(tmp_path):
    logger = callbacks.CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.0, "val_loss": np.array([1, 2])})
    logger.on_epoch_end(1, {"loss": 0.5})
    logger.on_train_end()
    rows = list(csv.reader((tmp_path / "log.csv").open(encoding="utf-8")))
    assert rows == [["epoch", "loss", "val_loss"], ["0", "1.0", '"[1, 2]"'], ["1", "0.5", "NA"]]


@pytest.mark.needs("tensorflow")
@pytest.mark.shows("callbacks.TensorBoard")
def test_tensorboard_reads_what_tensorflow_wrote(tmp_path):
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    model = Sequential([L.Dense(2, name="fc", batch_input_shape=(None, 3))])
    model.get_weights = lambda: [np.ones((3, 2)), np.zeros(2)]
    board = callbacks.TensorBoard(tmp_path, histogram_freq=2, update_freq=4)
    board.set_model(model)
    board.on_train_begin()
    for epoch in range(3):
        for batch in range(4):
            board.on_batch_end(batch, {"batch": batch, "size": 2, "loss": 1.0})
        board.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.25, "lr": 0.1})
    board.on_train_end()

    def events(name):
        found = {}
        for path in (tmp_path / name).iterdir():
            for record in tf.data.TFRecordDataset(str(path)):
                event = event_pb2.Event.FromString(record.numpy())
                for value in event.summary.value:
                    found.setdefault(value.tag, {})[event.step] = value
        return found

    train, validation = events("train"), events("validation")
    assert set(train) == {"epoch_loss", "epoch_lr", "batch_loss", "fc/kernel", "fc/bias"}
    assert set(validation) == {"epoch_loss"}
    assert float(tf.make_ndarray(validation["epoch_loss"][2].tensor)) == 0.25
    assert set(train["batch_loss"]) == {2, 4, 6, 8, 10, 12}
    assert set(train["fc/kernel"]) == {0, 2}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: callbacks.ReduceLROnPlateau(factor=1), "the factor of ReduceLROnPlateau must be below 1, not 1"),
        (lambda: callbacks.LambdaCallback(on_epoch=print), "callbacks have no 'on_epoch'; one of: on_train_begin, "),
        (lambda: callbacks.TensorBoard(update_freq="step"), "unknown update_freq 'step' of TensorBoard"),
        (lambda: callbacks.CallbackList([3]), "3 is not a callback: it has no method set_model; inherit from"),
        (
            lambda: next(run(callbacks.ModelCheckpoint("{acc}.h5"), CASES["logs"]["falling"])),
            "the file name '{acc}.h5' of ModelCheckpoint needs 'acc'; the logs have: epoch, val_loss, loss",
        ),
    ],
)
def test_invalid_arguments_are_refused(make, message):
    with pytest.raises(KconvertError) as error:
        make()
    assert message in str(error.value)


def test_a_value_missing_from_the_logs_gives_a_warning():
    for callback in (
        callbacks.EarlyStopping("val_mae"),
        callbacks.ReduceLROnPlateau("val_mae"),
        callbacks.ModelCheckpoint("x", "val_mae", save_best_only=True),
    ):
        with pytest.warns(RuntimeWarning, match="needs 'val_mae' in the logs, which have val_loss, loss"):
            found = list(run(callback, CASES["logs"]["plateau"]))
        assert found[-1][:4] == [0.01, False, 9, []]


def test_only_checkpoints_take_an_fmeasure_for_better_where_it_is_greater():
    """As in Keras 2.3.1; in 1.2.2, EarlyStopping does so too."""
    assert callbacks.ModelCheckpoint("x", "fmeasure").monitor_op is np.greater
    assert callbacks.EarlyStopping("fmeasure").monitor_op is np.less
    assert keras1.EarlyStopping("fmeasure").monitor_op is np.greater


def test_attributes_that_classes_of_the_user_read():
    stopping = callbacks.EarlyStopping("val_loss", min_delta=0.5)
    stopping.on_train_begin()
    assert stopping.monitor_op(1.0 - stopping.min_delta, 2.0) and not stopping.monitor_op(1.6 - stopping.min_delta, 2.0)
    assert keras1.EarlyStopping(patience=3).patience == 3
    reducing = callbacks.ReduceLROnPlateau(min_delta=0.5, cooldown=2)
    assert reducing.monitor_op(1.0, 2.0) and not reducing.monitor_op(1.6, 2.0)
    assert (reducing.cooldown_counter, reducing.in_cooldown()) == (0, False)
    assert callbacks.LambdaCallback(rate=0.5).rate == 0.5


def test_arguments_of_keras_2_0():
    assert callbacks.ReduceLROnPlateau(epsilon=0.5).min_delta == 0.5
