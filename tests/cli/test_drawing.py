"""Inspections, plans and backends in the terminal: within 80 columns, nothing cut and nothing hidden."""

import shutil

import h5py

from kconvert import inspect
from kconvert.backend import Probe
from kconvert.cli import drawing
from kconvert.conversion.planning import plan
from kconvert.formats import hdf5
from tests.cli.commands import HAZARD as HAZARD_FOLDER
from tests.cli.commands import LENET as LENET_FOLDER
from tests.terminal import shown, unfolded

LENET, HAZARD = LENET_FOLDER / "model.h5", HAZARD_FOLDER / "model.h5"


def test_an_inspection_shows_facts_layers_and_targets():
    lines = shown(drawing.inspection(inspect(LENET)))
    assert "release      1.2.2                 keras_version of the root" in lines
    assert "dense_1          Dense          W       60x8     float32" in lines
    assert "12 layers, 767 parameters" in lines
    assert "can be converted to tensorflow exactly" in lines


def test_an_inspection_shows_hazards_in_full():
    found = inspect(HAZARD)
    assert found.hazards["tensorflow"][0] in unfolded(shown(drawing.inspection(found)))


def test_a_plan_shows_every_weight_and_every_op():
    with hdf5.read(LENET) as checkpoint:
        made = plan(checkpoint, None, "tensorflow")
        lines = shown(drawing.plan(made, LENET), width=100)
    assert "keras1/theano -> keras2/tensorflow, data format channels_last" in lines
    first = lines.index("convolution2d_1_W 4x1x3x3  transpose oihw->hwio             convolution2d_1/kernel:0 3x3x1x4")
    assert lines[first + 1].strip() == "flip hw of hwio"
    assert "dense_1_W 60x8             rows i of io: chw->hwc of 5x4x3  dense_1/kernel:0 60x8" in lines
    assert not any(line.startswith("note: the optimizer") for line in lines)


def test_a_long_beginning_that_all_names_have_is_shown_once(tmp_path):
    shutil.copy(LENET, tmp_path / "model.h5")
    scope = "a_scope_of_theano/" * 2
    with h5py.File(tmp_path / "model.h5", "a") as file:
        for group in file["model_weights"].values():
            for name in group.attrs["weight_names"]:
                group.move(name.decode(), scope + name.decode())
            group.attrs["weight_names"] = [scope.encode() + name for name in group.attrs["weight_names"]]
    with hdf5.read(tmp_path / "model.h5") as checkpoint:
        lines = shown(drawing.plan(plan(checkpoint, None, "tensorflow"), LENET), width=120)
    assert f"the stored names begin with {scope}" in lines
    assert any(line.startswith("convolution2d_1_W 4x1x3x3  transpose") for line in lines)


def test_a_plan_says_what_cannot_be_converted():
    with hdf5.read(HAZARD) as checkpoint:
        made = plan(checkpoint, None, "tensorflow", repair=False)
        lines = shown(drawing.plan(made, HAZARD))
    assert "cannot be converted: 1 layer would compute other outputs with any weights" in lines
    assert str(made.hazards[0]) in unfolded(lines)


def test_backends_and_what_to_do():
    lines = shown(
        drawing.backends(
            {
                "numpy": Probe("numpy", "2.0"),
                "theano": Probe("theano", None, "Theano is not installed", "install it"),
                "tensorflow": Probe("tensorflow", "2.21.0", hint="slow"),
            }
        )
    )
    assert lines[1:] == [
        "numpy       2.0      ready",
        "theano      -        Theano is not installed: install it",
        "tensorflow  2.21.0   ready (slow)",
    ]
