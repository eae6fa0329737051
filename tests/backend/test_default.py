"""The backend of a model that is given none."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import Sequential
from kconvert import layers as L
from kconvert.backend import _chosen, default_backend, set_backend
from kconvert.errors import KconvertError


@pytest.fixture(autouse=True)
def nothing_stated(monkeypatch, tmp_path):
    monkeypatch.delenv("KCONVERT_BACKEND", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield
    _chosen.clear()


def configure(tmp_path, text):
    (tmp_path / ".kconvert").mkdir()
    (tmp_path / ".kconvert" / "config.json").write_text(text)


def test_the_nearest_statement_holds(monkeypatch, tmp_path):
    assert default_backend() in ("tensorflow", "theano")
    configure(tmp_path, '{"backend": "numpy"}')
    assert default_backend() == "numpy"
    monkeypatch.setenv("KCONVERT_BACKEND", "theano")
    assert default_backend() == "theano"
    set_backend("tensorflow")
    assert default_backend() == "tensorflow"


def test_what_is_no_backend_is_refused(monkeypatch, tmp_path):
    with pytest.raises(KconvertError, match="set_backend: unknown backend 'cntk'; one of: numpy"):
        set_backend("cntk")
    configure(tmp_path, "{}")
    with pytest.raises(KconvertError, match=r"config.json: the configuration names no backend; write {"):
        default_backend()
    monkeypatch.setenv("KCONVERT_BACKEND", "cntk")
    with pytest.raises(KconvertError, match="KCONVERT_BACKEND: unknown backend 'cntk'"):
        default_backend()


@pytest.mark.needs("theano", "tensorflow")
def test_two_models_train_on_two_backends_in_one_process():
    models = {}
    for name in ("theano", "tensorflow"):
        kc.set_backend(name)
        models[name] = Sequential([L.Dense(1, kernel_initializer="ones", input_shape=(4,))])
        models[name].compile("sgd", "mse")
    losses = [{name: model.train_on_batch(np.eye(4), np.zeros((4, 1))) for name, model in models.items()} for _ in "12"]
    assert {name: model.backend.name for name, model in models.items()} == {name: name for name in models}
    for both in losses:
        assert both["theano"] == pytest.approx(both["tensorflow"])
