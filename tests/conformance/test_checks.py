"""The checks of the conformance table pass on what is right, and can fail."""

import shutil

import numpy as np
import pytest

from conformance import checks, loading
from conformance.cases import Case, Result
from conformance.checks import check
from kconvert import KconvertError
from tests.fixtures import FOLDER

# Strided convolution with padding 'same', which the two backends pad differently.
NAME = "2.3.1-theano/conv2d_same_stride2_th"


@pytest.fixture
def case(tmp_path):
    """A copy of a case, with its weights alone beside the whole model."""
    folder = tmp_path / NAME
    shutil.copytree(FOLDER / NAME, folder)
    return Case(folder)


@pytest.mark.needs("theano", "tensorflow")
def test_a_right_case_passes_each_check(case, tmp_path):
    outcome = check(case, tmp_path, "ABELWV")
    assert {letter: result.passed for letter, result in outcome.checks.items()} == dict.fromkeys("ABELWV", True)


@pytest.mark.needs("theano", "tensorflow")
def test_other_numbers_than_those_of_keras_fail(case, tmp_path):
    io = dict(np.load(case.folder / "io.npz"))
    np.savez(case.folder / "io.npz", **{**io, "y0": io["y0"] + 0.1})
    outcome = check(case, tmp_path, "LW")
    assert [result.passed for result in outcome.checks.values()] == [False, False]
    assert outcome.checks["L"].reason.startswith("model.h5: outputs differ by 0.1")


@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("name", ["1.2.2-tensorflow/conv_prelu_shared_rows_th", "1.2.2-theano/conv_srelu_shared_th"])
def test_weights_are_loaded_whose_shape_the_architecture_does_not_state(name):
    """Keras 1.2 does not write `shared_axes`: a model that is built from the architecture has larger weights."""
    assert loading.load_weights(Case(FOLDER / name)).passed


def test_weights_alone_that_are_converted_otherwise_fail(case):
    assert loading.alone(case).passed
    other = FOLDER / "2.3.1-theano/conv2d_dilated_tf"
    shutil.copy(other / "weights.h5", case.folder / "weights.h5")
    shutil.copy(other / "arch.json", case.folder / "arch.json")
    assert loading.alone(case).passed is False


@pytest.mark.parametrize(("converts", "passed"), [(Result(True), False), (Result(None), None), (Result(False), None)])
def test_a_file_that_converts_may_not_be_refused_by_loading(converts, passed, case, tmp_path, monkeypatch):
    def refuse(case):
        raise KconvertError("cannot be loaded")

    monkeypatch.setattr(checks, "both_backends", lambda case, folder: (Result(True), converts))
    monkeypatch.setattr(loading, "load", refuse)
    found = check(case, tmp_path, "BL").checks["L"]
    assert (found.passed, found.reason) == (passed, "refused: cannot be loaded")


@pytest.mark.needs("theano", "tensorflow")
def test_a_model_that_cannot_run_whole_is_refused_and_not_compared(tmp_path):
    lambdas = FOLDER / "lambda" / "2.3.1-tensorflow"
    shutil.copytree(lambdas, tmp_path / "2.3.1-tensorflow" / "lambda_layer")
    found = check(Case(tmp_path / "2.3.1-tensorflow" / "lambda_layer"), tmp_path, "AB").checks
    assert {letter: result.passed for letter, result in found.items()} == {"A": None, "B": None}
    assert all("a Lambda layer cannot run" in result.reason for result in found.values())
