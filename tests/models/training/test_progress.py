"""The text of loops: Progbar, and what fit, evaluate and predict print, in the form of Keras 2.3.1."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from kconvert import Sequential, layers
from kconvert.models.training import callbacks
from kconvert.models.training.callbacks import Progbar

X, Y = np.ones((10, 3), "float32"), np.ones((10, 2), "float32")


@pytest.fixture
def model():
    model = Sequential([layers.Dense(2, kernel_initializer="ones", input_shape=(3,), name="d")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def lines(text):
    """The text without times, which differ from run to run."""
    text = re.sub(r" - \d+s \d+[mu]?s/step", " - T/step", text)
    return re.sub(r"ETA: \d+s", "ETA", text).split("\n")


def test_a_bar_shows_means_and_the_time_that_is_left(capsys):
    bar = Progbar(4, width=8, interval=0)
    bar.update(1, [("loss", 1.0)])
    bar.add(3, [("loss", 3.0)])
    found = lines(capsys.readouterr().out)
    assert found == ["", "1/4 [=>......] - ETA - loss: 1.0000", "4/4 [========] - T/step - loss: 2.5000", ""]


def test_a_bar_in_a_terminal_is_drawn_over_the_last_one(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    bar = Progbar(2, width=4, interval=0)
    bar.update(1)
    bar.update(2)
    first, last = capsys.readouterr().out.split("\r")[1:]
    assert first.startswith("1/2 [=>..] - ETA: ") and set(first.partition("s")[2]) == {"\b"}
    assert last.startswith("2/2 [====] - ") and last.endswith("\n")


def test_a_bar_of_unknown_length_and_one_in_one_line(capsys):
    Progbar(None).update(3, [("loss", 1e-4)])
    quiet = Progbar(2, verbose=2, stateful_metrics=["n"])
    quiet.update(1, [("n", 5.0)])
    quiet.update(2, [("n", 7.0)])
    out = re.sub(r"\d+us", "T", capsys.readouterr().out)
    assert out == "\n      3/Unknown - 0s T/step - loss: 1.0000e-04 - 0s - n: 7.0000\n"


@pytest.mark.parametrize(("seconds", "shown"), [(5.9, "5s"), (125, "2:05"), (3725, "1:02:05")])
def test_long_times(seconds, shown, monkeypatch, capsys):
    bar = Progbar(2, interval=0)
    monkeypatch.setattr("time.monotonic", lambda: bar._start + seconds)
    bar.update(1)
    assert f" - ETA: {shown}" in capsys.readouterr().out


@pytest.mark.needs("tensorflow")
def test_the_text_of_fit(model, capsys):
    model.fit(X, Y, batch_size=10, epochs=2, verbose=1, validation_data=(X[:4], Y[:4]))
    first = lines(capsys.readouterr().out)
    assert first[:3] == ["Train on 10 samples, validate on 4 samples", "Epoch 1/2", ""]
    assert re.fullmatch(r"10/10 \[={30}\] - T/step( - (loss|mae|val_loss|val_mae): [\d.e-]+){4}", first[3])
    assert first[4] == "Epoch 2/2"
    model.fit(X, Y, verbose=2)
    first, last, _ = lines(capsys.readouterr().out)
    assert first == "Epoch 1/1" and re.fullmatch(r" - \d+s - loss: [\d.e-]+ - mae: [\d.e-]+", last)


@pytest.mark.needs("tensorflow")
def test_the_text_of_evaluate_and_predict(model, capsys):
    model.evaluate(X, Y)
    model.predict(X, verbose=1)
    model.evaluate(X, Y, verbose=2)
    model.predict(X)
    found = [line for line in lines(capsys.readouterr().out) if line]
    assert found == ["10/10 [==============================] - T/step"] * 2


def params_of(call):
    """What callbacks get as `params` in a call."""
    seen = callbacks.Callback()
    call([seen])
    return dict(seen.params)


@pytest.mark.needs("tensorflow")
def test_the_parameters_of_callbacks(model):
    names, more = ["loss", "mae"], ["loss", "mae", "val_loss", "val_mae"]
    pairs = iter([(X, Y)] * 9)
    common = {"epochs": 1, "verbose": 0, "do_validation": False}
    assert params_of(lambda seen: model.fit(X, Y, verbose=0, callbacks=seen)) == {
        **common,
        "batch_size": 32,
        "steps": None,
        "samples": 10,
        "metrics": names,
    }
    given = params_of(lambda seen: model.fit_generator(pairs, 2, verbose=0, callbacks=seen))
    assert given == {**common, "steps": 2, "metrics": more}
    given = params_of(lambda seen: model.evaluate(X, Y, 5, 0, callbacks=seen))
    assert given == {"batch_size": 5, "steps": None, "samples": 10, "verbose": 0, "metrics": names}
    given = params_of(lambda seen: model.evaluate_generator(pairs, 2, callbacks=seen))
    assert given == {"steps": 2, "verbose": 0, "metrics": names}
    given = params_of(lambda seen: model.predict(X, callbacks=seen))
    assert given == {"batch_size": 32, "steps": None, "samples": 10, "verbose": 0}


@pytest.mark.needs("tensorflow")
def test_stated_steps_take_all_samples(model):
    sizes = []
    model.fit(
        X,
        Y,
        steps_per_epoch=3,
        verbose=0,
        callbacks=[callbacks.LambdaCallback(on_batch_end=lambda batch, logs: sizes.append(logs["size"]))],
    )
    assert sizes == [10, 10, 10]
    assert model.predict(X, steps=2).shape == (20, 2)
    with pytest.raises(ValueError, match="each step takes all samples"):
        model.fit(X, Y, batch_size=2, steps_per_epoch=3, verbose=0)
    with pytest.raises(ValueError, match="validation_steps"):
        model.fit(X, Y, validation_steps=3, verbose=0)
    with pytest.raises(ValueError, match="validation_steps"):
        model.fit(X, Y, steps_per_epoch=3, validation_data=(X, Y), verbose=0)
