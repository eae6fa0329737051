"""Partial conversion: the layers that a file and an architecture both have, as a file of weights alone."""

import json

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import kconvert as kc
from kconvert import KconvertError, cli
from kconvert.conversion.planning import plan
from kconvert.conversion.reading import read_architecture
from kconvert.errors import Problem
from kconvert.formats import hdf5
from kconvert.models.model import as_model
from tests.fixtures import FOLDER, case

FIELD = FOLDER / "field" / "partial_weights_by_name"


def run(*words):
    return CliRunner().invoke(cli.main, [*map(str, words), "--in-process"])


def test_a_new_top_is_left_out_and_said(tmp_path):
    out = tmp_path / "out.h5"
    result = run(FIELD / "weights.h5", "--arch", FIELD / "full_arch.json", "--partial", "--to", "theano", "-o", out)
    words = " ".join(result.output.split())
    assert result.exit_code == Problem.PARTLY_VERIFIED, words
    assert "taken by name: block1_conv1, block1_conv2" in words
    assert "left as they are: mynew (the file has no such layer)" in words
    with h5py.File(out) as file:
        assert [name.decode() for name in file.attrs["layer_names"]] == [
            "input_1",
            "block1_conv1",
            "block1_conv2",
            "flatten_1",
        ]
        assert "model_config" not in file.attrs


def test_what_the_architecture_lacks_is_left_out_and_the_rest_is_verified(tmp_path):
    out = tmp_path / "out.h5"
    result = run(FIELD / "full_weights.h5", "--arch", FIELD / "arch.json", "--partial", "--to", "theano", "-o", out)
    words = " ".join(result.output.split())
    assert result.exit_code == 0, words
    assert "in the file alone: mynew" in words and "EQUAL" in words


@pytest.mark.parametrize("file", ["weights.h5", "model.h5"])
def test_the_result_is_loaded_by_name(file, tmp_path):
    """Dense rows behind a Flatten are in the data format of the target; the file of a whole model is taken as well."""
    found = case("1.2.2-theano/lenet_th")
    config = json.loads((found.folder / "arch.json").read_text().replace('"dense_2"', '"new_top"'))
    (tmp_path / "arch.json").write_text(json.dumps(config))
    done = kc.convert(
        found.folder / file, tmp_path / "out.h5", "theano", "tensorflow", arch=tmp_path / "arch.json", partial=True
    )
    assert list(done.plan.partial.left) == ["new_top"] and list(done.plan.partial.unused) == ["dense_2"]
    assert done.plan.to_json()["partial"]["taken"] == ["convolution2d_1", "convolution2d_2", "dense_1"]
    model = as_model(read_architecture(str(done.architecture)))
    model.start(kc.get_backend("numpy", "tensorflow"), seed=0)
    model.load_weights(done.target, by_name=True)
    computed = model.activations([np.moveaxis(x, 1, -1) for x in found.arrays("x")])
    with np.load(found.folder / "activations.npz") as real:
        np.testing.assert_allclose(computed["dense_1"], real["dense_1"], atol=1e-4)
    with pytest.raises(KconvertError, match="new_top"):
        model.load_weights(done.target)


def test_layers_of_other_shapes_are_left_out(tmp_path):
    found = case("1.2.2-theano/lenet_th")
    text = (found.folder / "arch.json").read_text().replace('"output_dim": 6', '"output_dim": 5')
    (tmp_path / "arch.json").write_text(text)
    with hdf5.read(found.folder / "weights.h5") as weights:
        made = plan(weights, "theano", "tensorflow", arch=tmp_path / "arch.json", partial=True)
    assert list(made.partial.left) == ["dense_2"] and "(8, 6)" in made.partial.left["dense_2"]


def test_it_needs_an_architecture_and_something_in_common():
    with hdf5.read(FIELD / "weights.h5") as weights:
        with pytest.raises(KconvertError, match="none is given") as refusal:
            plan(weights, None, "theano", partial=True)
        assert refusal.value.problem is Problem.USAGE
        other = FOLDER / "1.2.2-theano" / "lenet_th" / "arch.json"
        with pytest.raises(KconvertError, match="no layer in common that fits"):
            plan(weights, None, "theano", arch=other, partial=True)


@pytest.mark.parametrize(("file", "arch", "verdict"), [("full_weights", "arch", 0), ("weights", "full_arch", 6)])
def test_files_of_a_partial_conversion_are_verified_later(file, arch, verdict, tmp_path):
    source, out = FIELD / f"{file}.h5", tmp_path / "out.h5"
    said = ["--arch", FIELD / f"{arch}.json", "--partial"]
    kc.convert(source, out, target="theano", arch=said[1], partial=True)
    result = run("verify", source, out, *said, "-q")
    assert result.exit_code == verdict and result.output.startswith("EQUAL"), result.output
    result = run("verify", source, out, *said, "--self-test")
    assert result.exit_code == 0 and "0 missed" in result.output, result.output
    assert run("verify", source, out, *said[:2]).exit_code == Problem.UNREADABLE  # the files have not the same layers


def test_the_architecture_of_the_file_itself_is_named_in_the_note(tmp_path):
    done = kc.convert(case("1.2.2-theano/lenet_th").model, tmp_path / "out.weights.h5")
    (note,) = [note for note in done.plan.notes if "written beside it" in note]
    assert "not for that of the file: convolution2d_1 (data_format)" in note
