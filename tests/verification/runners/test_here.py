"""Running in this process: every tensor by name, and the arrays of a file only once compiled."""

from dataclasses import replace

import numpy as np
import pytest

from kconvert import KconvertError
from kconvert.errors import Problem
from kconvert.verification.runners.base import save
from kconvert.verification.runners.here import Here
from tests.fixtures import case
from tests.verification.runners.jobs import LENET, NESTED, job, same

pytestmark = pytest.mark.usefixtures("no_frameworks")


@pytest.mark.parametrize("name", [LENET, NESTED])
def test_the_outputs_are_those_of_keras(name, tmp_path):
    work, x = job(name)
    ran = Here().run(work, x, tmp_path)
    outputs = [ran.load()[ref.key] for ref in work.model.output_refs]
    for ours, theirs in zip(outputs, case(name).arrays("y"), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_file_runs_on_another_backend_than_that_of_its_convention(tmp_path):
    """Its arrays are brought to the convention of the backend that runs it; LeNet computes the same on both."""
    work, x = job(LENET)
    runs = [Here().run(replace(work, run_on=name), x, tmp_path / name) for name in ("theano", "tensorflow")]
    assert [result.emulates for result in runs] == ["theano", "tensorflow"]
    ours, theirs = (result.load() for result in runs)
    for name, y in ours.items():
        np.testing.assert_allclose(theirs[name], y, atol=1e-4, err_msg=name)


def test_names_of_tensors_name_no_files(tmp_path):
    odd = {"../../outside": np.zeros(1), "/": np.ones(1), "nul\0#:": np.ones(2)}
    paths = save(odd, tmp_path / "out")
    assert sorted(path.parent for path in paths.values()) == [tmp_path / "out"] * 3
    assert all(np.array_equal(np.load(paths[name]), x) for name, x in odd.items())


def test_a_model_that_cannot_run_is_not_verified(tmp_path):
    work, x = job(LENET)
    with pytest.raises(KconvertError) as refusal:
        Here().run(work, [x[0][:, 1:]], tmp_path)
    assert refusal.value.problem is Problem.UNVERIFIED and str(refusal.value).startswith(work.path)


def test_the_graph_of_a_job_stays_as_it_was(tmp_path):
    work, x = job(LENET)
    same(Here().run(work, x, tmp_path / "a"), Here().run(work, x, tmp_path / "b"))
    assert all(layer.entry is None for _, layer in work.model.leaves())
