"""Files run in a real Keras: every tensor by our names, and nothing loaded that holds code.

Keras 3 comes with TensorFlow. It reads few of the files of Keras 2 (no chain whose first layer states its shape), so
graphs are run here. A legacy Keras runs where KCONVERT_LEGACY_PYTHON names its interpreter:

    KCONVERT_LEGACY_PYTHON=... KCONVERT_LEGACY_BACKEND=theano pytest -m long tests/verification/runners
"""

import json
import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from kconvert import KconvertError
from kconvert.conventions.words.files import stated_data_formats
from kconvert.conversion.reading import read_source
from kconvert.conversion.source import Source
from kconvert.errors import Problem
from kconvert.formats import hdf5
from kconvert.verification.runners.base import Job
from kconvert.verification.runners.here import Here
from kconvert.verification.runners.real_keras import RealKeras
from tests.fixtures import FOLDER, case, identify
from tests.verification.runners.jobs import LAMBDA, job

GRAPHS = ["tiny_resnet_th", "inception_block_th", "merge_dot_3d_axes12", "multi_input_multi_output"]
LEGACY = os.environ.get("KCONVERT_LEGACY_PYTHON", "")
LEGACY_BACKEND = os.environ.get("KCONVERT_LEGACY_BACKEND", "theano")
FEW = {
    "lenet_th",
    "lstm_cpu",
    "lstm_impl1",
    "merge_sequential_sum",
    "nested_sequential_then_flatten_th",
    "nested_frozen_bn_th",
    "siamese_conv_model_tf",
    "masking_lstm_middle",
}


@pytest.fixture(scope="module")
def keras3():
    with RealKeras("tensorflow", timeout=120) as runner:
        yield runner


def close(ran, wanted, atol=1e-5):
    for name, x in wanted.items():
        scale = 1 + np.abs(x).max(initial=0)
        np.testing.assert_allclose(ran[name], x, rtol=0, atol=atol * scale, err_msg=name)


# ------------------------------------------------------------------ Keras 3 ----


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("name", GRAPHS)
def test_keras_3_computes_what_keras_2_did(name, keras3, tmp_path):
    work, x = job(f"2.3.1-tensorflow/{name}")
    ran = keras3.run(work, x, tmp_path)
    assert list(ran.tensors)[-1] in {ref.key for ref in work.model.output_refs}
    assert set(ran.tensors) == set(work.model.tensor_layers()) - {ref.key for ref in work.model.input_refs}
    with np.load(case(f"2.3.1-tensorflow/{name}").folder / "activations.npz") as stored:
        close(ran.load(), dict(stored))
    assert ran.ran_on == "keras" and ran.version.startswith("3.") and " on tensorflow 2." in ran.version
    assert ran.emulates is None


@pytest.mark.needs("tensorflow")
def test_in_keras_3_each_layer_runs_alone_on_what_is_given(keras3, tmp_path, no_frameworks):
    work, x = job("2.3.1-tensorflow/tiny_resnet_th")
    given = keras3.run(work, x, tmp_path / "a").load()
    close(keras3.run(work, x, tmp_path / "b", given).load(), given)
    other = {name: y + np.float32(1) for name, y in given.items()}
    ours = Here().run(work, x, tmp_path / "c", other).load()
    close(keras3.run(work, x, tmp_path / "d", other).load(), ours, atol=1e-4)


@pytest.mark.needs("tensorflow")
def test_what_a_real_keras_cannot_read_is_not_verified(keras3, tmp_path):
    work, x = job("2.3.1-tensorflow/cudnnlstm")
    with pytest.raises(KconvertError, match="keras on tensorflow cannot run it") as refusal:
        keras3.run(work, x, tmp_path)
    assert refusal.value.problem is Problem.UNVERIFIED and "\n" not in str(refusal.value)


# --------------------------------------------------------------------- code ----


def test_a_file_with_a_lambda_is_refused(tmp_path):
    work, x = job(LAMBDA)
    with RealKeras("tensorflow") as runner, pytest.raises(KconvertError, match="has a Lambda") as refusal:
        runner.run(work, x, tmp_path)
    assert refusal.value.problem is Problem.UNVERIFIED


@pytest.mark.parametrize(
    "item",
    [
        {"class_name": "Merge", "config": {"mode": "bytecode", "mode_type": "lambda"}},
        {"class_name": "Dense", "config": {"activation": {"class_name": "__lambda__", "config": {}}}},
        {"class_name": "TimeDistributed", "config": {"layer": {"class_name": "Lambda", "config": {}}}},
    ],
    ids=["merge", "activation", "wrapped"],
)
def test_other_code_in_an_architecture_is_refused_too(item, tmp_path):
    work, x = job("2.3.1-tensorflow/merge_dot_3d_axes12")
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps({"class_name": "Sequential", "config": {"layers": [item]}}))
    with RealKeras("tensorflow") as runner, pytest.raises(KconvertError, match="has a Lambda"):
        runner.run(replace(work, arch=str(arch)), x, tmp_path / "out")


# ------------------------------------------------------------------- legacy ----


def legacy_cases():
    """The fixtures of the release that the legacy interpreter has."""
    if not LEGACY:
        return []
    asked = [LEGACY, "-c", "import keras; print(keras.__version__)"]
    said = subprocess.run(
        asked, env={**os.environ, "KERAS_BACKEND": LEGACY_BACKEND}, capture_output=True, text=True, check=True
    )
    folder = FOLDER / f"{said.stdout.split()[-1]}-{LEGACY_BACKEND}"
    return [case(f"{folder.name}/{name}") for name in sorted(FEW) if (folder / name).exists()]


@pytest.mark.long
@pytest.mark.skipif(not LEGACY, reason="KCONVERT_LEGACY_PYTHON names no interpreter")
@pytest.mark.parametrize("found", legacy_cases(), ids=identify)
def test_the_very_keras_that_saved_a_file(found, tmp_path):
    work, x = job(identify(found))
    with RealKeras(LEGACY_BACKEND, LEGACY, timeout=1200) as runner:
        ran = runner.run(work, x, tmp_path / "a")
        tensors = ran.load()
        close(runner.run(work, x, tmp_path / "b", tensors).load(), tensors)
        for arch in (None, str(found.folder / "arch.json")):
            bare = replace(work, path=str(found.folder / "weights.h5"), arch=arch)
            close(runner.run(bare, x, tmp_path / "w").load(), tensors)
    assert {ref.key for ref in work.model.output_refs} <= set(tensors)
    for ref, wanted in zip(work.model.output_refs, found.arrays("y"), strict=True):
        np.testing.assert_allclose(tensors[ref.key], wanted, atol=1e-5)
    ours = Here().run(work, x, tmp_path / "c").load()
    close(tensors, {name: y for name, y in ours.items() if name in tensors}, atol=1e-4)
    assert ran.version.startswith(f"{found.release} on {LEGACY_BACKEND}")


def test_an_architecture_made_on_another_backend_is_run_in_the_data_format_of_the_weights(tmp_path):
    folder = FOLDER / "field" / "theano_weights_arch_made_on_tensorflow"
    said = Source(folder / "weights.h5", None, "channels_first", folder / "arch_made_on_tf.json")
    with hdf5.read(said.path) as checkpoint:
        found = read_source(checkpoint, said)
    job = Job(str(said.path), found.network, found.origin.convention, "theano", arch=str(said.arch))
    RealKeras("theano")._described(job, tmp_path)
    written = json.loads((tmp_path / "arch.json").read_text())
    assert set(stated_data_formats(written)) == {"channels_first"}
