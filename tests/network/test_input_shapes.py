"""Input shapes that the user gives for networks of free size."""

import subprocess
import sys

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.errors import Problem
from kconvert.formats import hdf5
from kconvert.network.architecture import model_from_config
from kconvert.network.input_shapes import check_input_shape, with_input_shape
from tests.fixtures import FOLDER

FIELD = FOLDER / "field" / "free_image_size"
FREE = FOLDER / "free_size"
CASES = [
    (FIELD / "model.h5", FIELD / "io.npz", (33, 30, 3)),
    (FREE / "sequential.h5", FREE / "sequential.npz", (13, 18, 2)),
    (FREE / "two_inputs.h5", FREE / "two_inputs.npz", {"left": (14, 11, 2), "right": (14, 11, 1)}),
]


def _io(path):
    with np.load(path) as io:
        x = [io[name] for name in sorted(io) if name.startswith("x")]
        return (x if len(x) > 1 else x[0]), io["y0"]


def _shapes(path):
    with hdf5.read(path) as checkpoint:
        return [shape[1:] for shape in model_from_config(checkpoint.model_config, "2.3.1").input_shapes]


@pytest.mark.parametrize(("path", "io", "shape"), CASES)
def test_a_network_of_free_size_is_converted_for_one_size(path, io, shape, tmp_path):
    out, (x, y) = tmp_path / "out.h5", _io(io)
    with pytest.raises(KconvertError, match="input_shape="):
        kc.convert(path, out, source="tensorflow", target="theano", data_format="keep")
    done = kc.convert(path, out, source="tensorflow", target="theano", data_format="keep", input_shape=shape)
    sizes = list(shape.values()) if isinstance(shape, dict) else [shape]
    assert _shapes(out) == sizes
    assert any(note.startswith("the sizes of the inputs are fixed") for note in done.plan.notes)
    np.testing.assert_allclose(kc.load_model(out, "numpy", convention="theano").predict(x), y, atol=1e-5)
    assert kc.verify(path, out, source="tensorflow", input_shape=shape).equal

    model = kc.load_model(path, "numpy", source="tensorflow", convention="theano", input_shape=shape)
    np.testing.assert_allclose(model.predict(x), y, atol=1e-5)


def test_sizes_on_which_nothing_depends_stay_free(tmp_path):
    out, (x, y) = tmp_path / "out.h5", _io(FREE / "any_size.npz")
    done = kc.convert(FREE / "any_size.h5", out, target="theano", data_format="keep", input_shape=(9, 8, 2))
    assert _shapes(out) == [(None, None, 2)]
    assert any(note.startswith("the sizes of the inputs stay free") for note in done.plan.notes)
    np.testing.assert_allclose(kc.load_model(out, "numpy", convention="theano").predict(x), y, atol=1e-5)


def test_inspect_judges_hazards_for_the_size():
    free = kc.inspect(FIELD / "model.h5").hazards["theano"]
    assert len(kc.inspect(FIELD / "model.h5", input_shape=(33, 31, 3)).hazards["theano"]) < len(free)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((33, 30), "has the shape"),
        ((33, 30, 4), "has the shape"),
        ((1, 33, 30, 3), "has the shape"),
        ((0, 30, 3), "positive integers"),
        ((-1, 30, 3), "positive integers"),
        ((None, 30, 3), "positive integers"),
        ((33.5, 30, 3), "positive integers"),
        ((True, 30, 3), "positive integers"),
        ("33,30,3", "positive integers"),
        ((), "positive integers"),
        ((10**9, 10**9, 3), "elements"),
        ({"other": (33, 30, 3)}, "no input 'other'"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shape, said, tmp_path):
    for run in (
        lambda: kc.convert(FIELD / "model.h5", tmp_path / "out.h5", target="theano", input_shape=shape),
        lambda: kc.inspect(FIELD / "model.h5", input_shape=shape),
        lambda: kc.load_model(FIELD / "model.h5", "numpy", input_shape=shape),
    ):
        with pytest.raises(KconvertError, match=said) as refusal:
            run()
        assert refusal.value.problem is Problem.USAGE
    assert not (tmp_path / "out.h5").exists()


def test_several_inputs_are_named():
    with hdf5.read(FREE / "two_inputs.h5") as checkpoint:
        network = model_from_config(checkpoint.model_config, "2.1.6")
    with pytest.raises(KconvertError, match="several inputs: left, right"):
        with_input_shape(network, (14, 11, 2))
    assert with_input_shape(network, {"right": (5, 6, 1)}).input_shapes == [(None, None, None, 2), (None, 5, 6, 1)]


def test_numpy_integers_are_sizes():
    check_input_shape(tuple(np.array([3, 4])))


def _command(*words):
    done = subprocess.run([sys.executable, "-m", "kconvert", *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_option(tmp_path):
    out = str(tmp_path / "out.h5")
    names = ("--input-shape", "left=14,11,2", "--input-shape", "right=14,11,1")
    code, said = _command(str(FREE / "two_inputs.h5"), "--to", "theano", "-o", out, "--no-verify", *names)
    assert code == 0, said
    code, said = _command("plan", str(FREE / "two_inputs.h5"), "--to", "theano", *names)
    assert code == 0, said


@pytest.mark.parametrize("text", ["0,3,3", "-1,3,3", "", "a,b", "3,,3", "3.5,3", "x=", "99999,99999,3", "9999999999,1"])
def test_bad_options_are_refused(text):
    code, said = _command("inspect", str(FIELD / "model.h5"), "--input-shape", text)
    assert code == Problem.USAGE, said
    assert "Traceback" not in said
