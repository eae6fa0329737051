"""How models, reports and conversions show themselves."""

import pytest

import kconvert as kc
from kconvert import layers
from kconvert.models.presenting import OF_KCONVERT, OF_KERAS
from kconvert.verification.value import Entry, Summary
from tests.verification.report.reports import DIFFERS, EQUAL


@pytest.fixture
def model():
    return kc.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dense(2)], name="small")


def test_a_model_is_one_line(model):
    assert repr(model) == "<Sequential small: 3 layers, (None, 4) -> (None, 2), 23 parameters>"
    assert repr(kc.Sequential(name="empty")) == "<Sequential empty: 0 layers, 0 parameters>"


def test_a_notebook_shows_the_page_of_a_model(model):
    shown = model._repr_html_()
    assert shown.startswith('<iframe title="small" sandbox="allow-scripts" srcdoc="') and "dense_2" not in repr(model)
    assert all(layer.name in shown for layer in model.layers)
    assert kc.Sequential()._repr_html_() is None


def test_without_a_library_for_pages_a_notebook_shows_the_line(model, monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'jinja2'")

    monkeypatch.setattr("kconvert.models.presenting.import_module", missing)
    monkeypatch.setattr("kconvert.drawing.notebook.import_module", missing)
    assert model._repr_html_() is None and EQUAL._repr_html_() is None


def test_dir_lists_what_a_user_may_use(model):
    listed = {name for name in dir(model) if not name.startswith("_")}
    assert {"fit", "predict", "save", "layers", "summary", "backend", "add", "conversion"} <= listed
    assert listed <= OF_KERAS | OF_KCONVERT
    assert not {"runtime", "nodes", "by_name", "weight_table", "unread"} & listed


def test_dir_lists_what_a_class_of_the_user_adds():
    class Mine(kc.Model):
        def helper(self):
            return 1

    mine = Mine(x := kc.Input((3,)), layers.Dense(2)(x))
    mine.own = 3
    assert {"helper", "own", "fit"} <= set(dir(mine)) and "runtime" not in dir(mine)


def test_reports_are_one_line():
    assert repr(EQUAL) == "<Report models/in.h5 -> models/out.h5: EQUAL with NumPy emulating TensorFlow, 4 layers>"
    assert repr(DIFFERS).startswith("<Report models/in.h5 -> models/out.h5: DIFFERS")
    assert (
        repr(Summary([Entry("a", EQUAL), Entry("b", error="unreadable")])) == "<Summary of 2 files: 1 equal, 1 error>"
    )


@pytest.mark.parametrize("done", [EQUAL, DIFFERS, Summary([Entry("a", EQUAL)])])
def test_a_notebook_shows_the_page_of_a_report(done):
    shown = done._repr_html_()
    assert "kconvert verification" in shown and "&lt;!doctype html&gt;" in shown and "<script" not in shown
