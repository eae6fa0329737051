"""The examples run on each backend, with generated data and with files in the format of Keras."""

import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from kconvert import KconvertError

FOLDER = Path(__file__).parents[1] / "examples"
TINY = ("--samples", "40", "--tests", "8", "--epochs", "1")
BACKENDS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("theano", "tensorflow")]


@pytest.fixture
def run(monkeypatch, capsys):
    """run(script, *options): runs the script and returns the text that it prints."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def runs(script, *options):
        monkeypatch.setattr(sys, "argv", [script, *TINY, *map(str, options)])
        runpy.run_path(str(FOLDER / script), run_name="__main__")
        return capsys.readouterr().out

    return runs


@pytest.fixture
def data(monkeypatch):
    """The module that reads the data."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return __import__("data")


@pytest.fixture
def mnist(tmp_path):
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (50, 28, 28), "uint8"), random.integers(0, 10, 50)
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return tmp_path / "mnist.npz"


@pytest.fixture
def imdb(tmp_path):
    """Twenty reviews, ten negative ones first; the last one is longer than the part that the example reads."""
    reviews = [[n, 7, 50_000] for n in range(19)] + [list(range(150))]
    x = np.empty(20, object)
    x[:] = reviews
    y = np.repeat([0, 1], 10)
    np.savez(tmp_path / "imdb.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return tmp_path / "imdb.npz"


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("script", ["mnist_mlp.py", "mnist_cnn.py", "imdb_lstm.py"])
def test_each_example_runs_on_generated_data_and_prints_a_note(run, script, name):
    printed = run(script, "--backend", name)
    assert printed.startswith("Made-up data: 40 + 8 seeded")
    assert "Epoch 1/1" in printed and f"{name}: test loss" in printed


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize(("script", "file"), [("mnist_mlp.py", "mnist"), ("imdb_lstm.py", "imdb")])
def test_the_files_of_keras_are_read(run, request, script, file):
    printed = run(script, "--backend", "tensorflow", "--data", request.getfixturevalue(file))
    assert "Made-up" not in printed and "test accuracy" in printed


@pytest.mark.needs("theano", "tensorflow")
def test_a_model_trained_on_theano_continues_on_tensorflow(run):
    printed = run("train_on_theano_serve_on_tensorflow.py")
    assert "100.00% of the digits are the same" in printed
    losses = np.array([line.split() for line in printed.splitlines()[-2:]], float)
    np.testing.assert_allclose(losses[:, 1], losses[:, 2], rtol=1e-4)


def test_reviews_are_the_last_words_as_keras_numbers_them(data, imdb):
    (x, y), _ = data.imdb(imdb, 20, 20, words=1000, length=100)
    assert x.shape == (20, 100) and sorted(y[:, 0]) == [0] * 10 + [1] * 10
    short = x[np.flatnonzero(x[:, 96] == 1)]
    assert sorted(short[:, 97]) == [n + 3 for n in range(19)]
    assert (short[:, 98:] == [10, 2]).all() and (short[:, :96] == 0).all()
    (long,) = x[x[:, 0] > 0]
    np.testing.assert_array_equal(long, np.arange(50, 150) + 3)


def test_no_pickle_runs_anything(data, tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "run"),)

    x = np.empty(1, object)
    x[:] = [Hostile()]
    np.savez(tmp_path / "imdb.npz", x_train=x, y_train=x, x_test=x, y_test=x)
    with pytest.raises(KconvertError, match=r"asks for posix\.mkdir"):
        data.imdb(tmp_path / "imdb.npz", 1, 1, 10, 10)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["missing.npz", "text.npz", "other.npz"])
def test_a_file_that_is_not_the_right_one_ends_with_one_sentence(run, tmp_path, name):
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", x=np.zeros(1))
    with pytest.raises(SystemExit) as end:
        run("mnist_mlp.py", "--data", tmp_path / name)
    assert str(tmp_path / name) in end.value.code and ";" in end.value.code
