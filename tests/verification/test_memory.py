"""A file of kilobytes can describe tensors of terabytes: such a run is refused before it begins."""

import json
import shutil

import numpy as np
import pytest

from kconvert import KconvertError, Sequential, limited, verify
from kconvert import layers as L
from kconvert.errors import Problem
from kconvert.network.architecture import model_from_config
from kconvert.verification.memory import elements
from kconvert.verification.verifier import Verifier
from tests.cli.commands import LENET

MANY = 1000  # samples whose tensors are larger than 100 times the file


@pytest.fixture
def pair(tmp_path):
    """A file, and a copy of it."""
    return shutil.copy(LENET / "model.h5", tmp_path / "a.h5"), shutil.copy(LENET / "model.h5", tmp_path / "b.h5")


def refusal(pair, **options):
    with limited(bytes=1000), pytest.raises(KconvertError) as caught:
        verify(*pair, source="theano", target="theano", **options)
    return caught.value


def test_tensors_that_are_too_large_are_refused_before_the_run(pair, monkeypatch):
    monkeypatch.setattr(Verifier, "run", lambda *arguments: pytest.fail("it ran"))
    error = refusal(pair, samples=MANY)
    assert error.problem is Problem.UNREADABLE
    assert str(error).startswith(f"{pair[0]}: computes ")
    assert f" bytes for {MANY} samples from a file of " in str(error)
    assert "raise the limit with kconvert.limited(bytes=" in str(error)


def test_a_run_within_the_limit(pair):
    with limited(bytes=1000):
        assert verify(*pair, source="theano", target="theano", samples=4).equal


def test_inputs_of_the_user_count_too(pair):
    shape = json.loads((LENET / "arch.json").read_text())["config"][0]["config"]["batch_input_shape"]
    error = refusal(pair, inputs=[np.zeros((MANY, *shape[1:]), "float32")])
    assert f"for {MANY} samples" in str(error)


def test_tensors_of_nested_models_count():
    inner = Sequential([L.RepeatVector(10, input_shape=(4,)), L.Flatten()], name="inner")
    network = model_from_config(json.loads(Sequential([inner, L.Dense(2)]).to_json()))
    outer, within = 4 + 40 + 2, 4 + 40 + 40
    assert elements(network, [(3, 4)]) == 3 * (outer + within)


def test_sizes_that_double_are_counted_and_not_computed():
    layers = [L.UpSampling1D(2, input_shape=(4, 1)), *(L.UpSampling1D(2) for _ in range(39))]
    network = model_from_config(json.loads(Sequential(layers).to_json()))
    assert elements(network, [(1, 4, 1)]) == 4 * (2**41 - 1)
