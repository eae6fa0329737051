"""Weights without an architecture keep their data format where it is not said, and say so."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert.conversion.planning import plan
from kconvert.formats import hdf5
from tests.fixtures import FOLDER

FIELD = FOLDER / "field"
VGG = FIELD / "tensorflow_uniquified_names"
ELSEWHERE = FIELD / "theano_weights_arch_made_on_tensorflow"
CASES = {
    "vgg": (VGG / "vgg16_weights_tf_dim_ordering_tf_kernels.h5", VGG, "theano", "fc1"),
    "lenet": (FOLDER / "1.2.2-theano/lenet_th/weights.h5", FOLDER / "1.2.2-theano/lenet_th", "tensorflow", "dense_1"),
    "nested": (FOLDER / "taken/nested/weights.h5", FOLDER / "taken/nested", "theano", None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_data_format_is_kept_with_a_note(name, tmp_path):
    """The result computes what real Keras did, with the architecture in the data format that the weights have."""
    weights, folder, target, dense = CASES[name]
    done = kc.convert(weights, tmp_path / "out.h5", target=target)
    (note,) = [note for note in done.plan.notes if "the data format stays" in note]
    assert done.plan.goal.data_format is None and "without the architecture" in note
    assert (f"{dense} would be wrong" in note) if dense else ("would be wrong" not in note)
    model = kc.load_model(done.target, arch=folder / "arch.json", backend="numpy", convention=target)
    with np.load(folder / "io.npz") as io:
        np.testing.assert_allclose(model.predict(io["x0"]), io["y0"], rtol=1e-4, atol=1e-5)


def test_a_data_format_that_is_said_is_refused():
    with hdf5.read(CASES["vgg"][0]) as weights, pytest.raises(KconvertError, match="brought to channels_first"):
        plan(weights, None, "theano", data_format="channels_first")


def test_without_images_nothing_is_said():
    with hdf5.read(FOLDER / "taken/cells/weights.h5") as weights:
        made = plan(weights, None, "theano")
    assert made.goal.data_format == "channels_first" and not any("data format" in note for note in made.notes)


def test_what_is_kept_is_asked_for_when_the_architecture_is_given(tmp_path):
    """The weights of Theano went to TensorFlow in channels_first, and the architecture says channels_last."""
    done = kc.convert(ELSEWHERE / "weights.h5", tmp_path / "out.h5", target="tensorflow")
    arch, options = ELSEWHERE / "arch_made_on_tf.json", {"backend": "numpy", "convention": "tensorflow"}
    with pytest.raises(KconvertError, match="weights are those of theano") as refusal:
        kc.load_model(done.target, arch=arch, **options)
    assert "source_data_format=" in refusal.value.fix
    model = kc.load_model(done.target, arch=arch, source_data_format="channels_first", **options)
    with np.load(ELSEWHERE / "io.npz") as io:
        np.testing.assert_allclose(model.predict(io["x0"]), io["y0"], rtol=1e-4, atol=1e-5)


def test_layers_that_backends_pad_differently_compute_as_where_they_were_trained(tmp_path):
    """Nothing could be rewritten without the architecture, so this is done when one is given."""
    folder = FOLDER / "1.2.2-theano" / "conv1d_same_even"
    done = kc.convert(folder / "weights.h5", tmp_path / "out.h5", source="theano", target="tensorflow")
    model = kc.load_model(done.target, "numpy", arch=folder / "arch.json", convention="tensorflow")
    assert any("what theano computes is spelled out" in note for note in model.conversion.notes)
    with np.load(folder / "io.npz") as io:
        np.testing.assert_allclose(model.predict(io["x0"]), io["y0"], rtol=1e-4, atol=1e-5)
