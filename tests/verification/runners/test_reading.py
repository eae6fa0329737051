"""Results for Keras 3 run in Keras 3; where that is not possible, kconvert stands in and says so."""

import json
from dataclasses import replace

import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conventions.generations import READER_KERAS3, READER_TF_KERAS
from kconvert.errors import Problem
from kconvert.verification.report.writing import write_report
from kconvert.verification.runners.choice import open_reader
from kconvert.verification.runners.here import Here
from kconvert.verification.runners.reading import Reading
from kconvert.verification.runners.real_keras import RealKeras
from tests.fixtures import FOLDER
from tests.verification.runners.jobs import LAMBDA, job

HIGHWAY = FOLDER / "1.2.2-theano" / "highway" / "model.h5"
KERAS3 = READER_KERAS3


@pytest.fixture
def result(tmp_path):
    return kc.convert(HIGHWAY, tmp_path / "result.keras", "theano").target


def verified(result, **running):
    return kc.verify(HIGHWAY, result, running=kc.Running(**running), source="theano")


@pytest.mark.needs("tensorflow")
def test_a_result_for_keras_3_runs_in_keras_3(result):
    report = verified(result)
    assert report.title == "EQUAL" and report.layers
    assert report.target.ran_on == "keras" and report.target.version.startswith("3.")


def test_kconvert_stands_in_and_every_report_says_so(result, bare, tmp_path):
    report = verified(result)
    assert report.title == "EQUAL with NumPy emulating Theano and TensorFlow, with kconvert standing in for Keras 3"
    assert report.target.stands_in_for == "Keras 3" and report.source.stands_in_for is None
    assert any("Keras 3 has none of its backends (tensorflow, jax, torch)" in note for note in report.notes)
    for ending in ("html", "md", "txt", "xml", "json"):
        write_report(tmp_path / f"report.{ending}", report)
        assert "standing in for Keras 3" in (tmp_path / f"report.{ending}").read_text().replace("\n", " ")
    assert json.loads((tmp_path / "report.json").read_text())["target"]["stands_in_for"] == "Keras 3"


def test_it_may_be_asked_for(result):
    report = verified(result, package="kconvert")
    assert report.equal and report.qualifiers[-1] == "with kconvert standing in for Keras 3"


@pytest.mark.parametrize(
    ("running", "problem"),
    [({"required": True}, Problem.UNVERIFIED), ({"keras_backend": "tensorflow"}, Problem.USAGE)],
    ids=["required", "backend"],
)
def test_what_is_required_is_not_stood_in_for(running, problem, result, bare):
    with pytest.raises(KconvertError, match=r"none of its backends|[Tt]ensor[Ff]low is not installed") as refusal:
        open_reader(KERAS3, Here(), backend=running.get("keras_backend"), required=bool(running.get("required")))
    assert refusal.value.problem is problem
    with pytest.raises(KconvertError):
        verified(result, **running)


def test_a_layer_of_ones_own_is_not_given_to_keras_3(tmp_path):
    """A reader that is there is not asked for what it cannot know."""
    work, x = job(LAMBDA)
    runner = Reading("Keras 3", Here(), RealKeras("tensorflow"))
    assert "has a Lambda" in runner.real.unsuited(work)
    given = replace(work, given={"dense_1": [x[0]]})
    assert "cannot be given to a real Keras" in runner.real.unsuited(given)


# ----------------------------------------------------------------- tf_keras ----


@pytest.fixture
def for_tf_keras(tmp_path):
    return kc.convert(HIGHWAY, tmp_path / "result.h5", "theano", format="tf_keras").target


@pytest.mark.needs("tensorflow")
def test_a_result_for_tf_keras_runs_in_tf_keras(for_tf_keras):
    pytest.importorskip("tf_keras")
    report = verified(for_tf_keras)
    assert report.title == "EQUAL" and report.layers
    assert (report.target.ran_on, report.target.version[:2]) == ("tf_keras", "2.")


def test_kconvert_stands_in_for_tf_keras(for_tf_keras, bare):
    report = verified(for_tf_keras)
    assert report.qualifiers[-1] == "with kconvert standing in for tf_keras"


def test_tf_keras_runs_on_tensorflow_alone():
    with pytest.raises(KconvertError, match=r"tf_keras (does not run on jax|is not installed)"):
        open_reader(READER_TF_KERAS, Here(), backend="jax")


@pytest.mark.needs("tensorflow")
def test_a_cause_names_what_tf_keras_computes_otherwise():
    pytest.importorskip("tf_keras")
    file = FOLDER / "2.3.1-tensorflow" / "upsampling2d_bilinear_tf" / "model.h5"
    report = kc.verify(file, file, running=kc.Running(package="tf_keras"))
    (cause,) = report.causes
    assert cause.words.endswith("in tf_keras it enlarges bilinearly by the centres of pixels (from TensorFlow 1.15 on)")
