"""Files whose weights, architecture and name tell different things, with what real Keras computed of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kconvert import convert, inspect, load_model
from kconvert.conventions.backends import BACKENDS
from kconvert.conversion.planning import plan
from kconvert.formats import hdf5
from tests.fixtures import FOLDER

FIELD = FOLDER / "field"


def agrees(folder, weights="weights.h5", arch="arch.json", inputs="io.npz", **words):
    """Loaded for either backend, the file computes what real Keras did; gives the notes of its conversion."""
    with np.load(folder / inputs) as numbers:
        x, y = numbers["x0"], numbers["y0"]
    for backend in BACKENDS:
        model = load_model(folder / weights, "numpy", arch=folder / arch, convention=backend, **words)
        assert np.abs(model.predict(x) - y).max() <= 1e-5 * np.abs(y).max(), backend
    with hdf5.read(folder / weights) as checkpoint:
        return list(plan(checkpoint, words.pop("source", None), "tensorflow", arch=folder / arch, **words).notes)


# ----------------------------------------------- names of Keras 1, words of Keras 2 ----


def test_weights_of_keras_1_with_an_architecture_of_keras_2():
    notes = agrees(FIELD / "keras1_weights_keras2_arch", arch="arch_k2.json")
    assert "the architecture is of Keras 2.3.1, the weights are of Keras 1.0 - 1.2" in notes[0]
    agrees(FIELD / "keras1_weights_keras2_arch", "th_weights.h5", "arch_k2_th.json", "th_io.npz")


# ---------------------------------------------------------------- whose kernels ----


def test_kernels_of_theano_saved_under_tensorflow(tmp_path):
    folder, weights = FIELD / "th_kernels_saved_under_tensorflow", "net_weights_tf_dim_ordering_th_kernels.h5"
    assert "':0'" in agrees(folder, weights)[0]
    assert "':0'" in agrees(folder, weights, source="theano")[0]
    renamed = tmp_path / "net.h5"
    renamed.write_bytes((folder / weights).read_bytes())
    with pytest.raises(AssertionError):
        agrees(folder, renamed)
    assert "as given, against the file (tensorflow)" in agrees(folder, renamed, source="theano")[0]


@pytest.mark.parametrize("source", [None, "cntk", "tensorflow"])
def test_a_file_of_cntk(source, tmp_path):
    file = FIELD / "cntk_backend" / "cntk.h5"
    assert inspect(file).facts["backend"].value == "tensorflow"
    for target in BACKENDS:
        done = convert(file, tmp_path / f"{target}.h5", source, target)
        assert "saved with cntk" in done.plan.notes[0]


# ------------------------------------------------------------------- the release ----


def test_the_release_that_the_user_states_tells_what_a_batch_normalization_stored(tmp_path):
    folder = FIELD / "batchnorm_of_unknown_release"
    agrees(folder)
    later = json.loads((folder / "arch_of_122.json").read_text())
    assert later["config"][1]["config"].pop("epsilon") == 1e-3  # what Keras 1.0.4 has as 1e-6
    later["config"][1]["config"]["epsilon"] = 1e-6
    arch = tmp_path / "arch.json"
    arch.write_text(json.dumps(later))
    assert "the epsilon of a BatchNormalization" in agrees(folder, arch=arch, source_release="1.0.4")[0]
    assert inspect(folder / "weights.h5").facts["release"].value == "1.0 - 1.2"
    assert inspect(folder / "weights.h5", source_release="1.0.4").facts["release"].value == "1.0.4"
