"""Bilinear enlarging by the centres of pixels, as tf.keras does it, in layers of Keras 2."""

import shutil

import h5py
import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conversion.passes.half_pixel import with_pixel_centers
from kconvert.network.sequential import Sequential
from tests.fixtures import FOLDER

FIELD = FOLDER / "field" / "tfkeras_bilinear"
TF_KERAS = FOLDER / "tf_keras"
SAVED = [
    (FIELD / "model.h5", FIELD / "io.npz"),
    (TF_KERAS / "bilinear_3x2.h5", TF_KERAS / "bilinear_3x2.npz"),
    (TF_KERAS / "bilinear_channels_first.h5", TF_KERAS / "bilinear_channels_first.npz"),
]


@pytest.mark.parametrize(("path", "io"), SAVED, ids=lambda path: path.parent.name + path.stem)
@pytest.mark.parametrize("data_format", ["keep", "native"])
@pytest.mark.parametrize("target", ["theano", "tensorflow"])
def test_results_compute_what_tf_keras_computed(path, io, target, data_format, tmp_path):
    done = kc.convert(path, tmp_path / "out.h5", target=target, data_format=data_format)
    assert any("by the centres of pixels" in note for note in done.plan.notes)
    with np.load(io) as stored:
        x, y = stored["x0"], stored["y0"]
    (layout,), (given,) = done.plan.result.inputs, done.plan.result.outputs
    outputs = kc.load_model(done.target, backend="numpy").predict(np.transpose(x, layout.axes))
    np.testing.assert_allclose(outputs, np.transpose(y, given.axes), rtol=1e-4, atol=1e-5)


def by_centers(x, factor, axis):
    """The formula itself, along one axis."""
    n = x.shape[axis]
    at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    share = (at - low).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return x.take(low, axis) * (1 - share) + x.take(np.minimum(low + 1, n - 1), axis) * share


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("factors", [(1, 2), (2, 2), (3, 1), (3, 5), (4, 3), (6, 2)])
def test_every_factor_is_exact(factors, data_format):
    axes = (1, 2) if data_format == "channels_last" else (2, 3)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 4, 3, 5)).astype("float32")
    layer = L.UpSampling2D(factors, data_format, "bilinear", input_shape=x.shape[1:])
    network = with_pixel_centers(Sequential([layer]), "2.15.0").model
    (outputs,) = network.run(kc.get_backend("numpy"), {}, [x])[0][network.output_refs[0]][None]
    expected = by_centers(by_centers(x, factors[0], axes[0]), factors[1], axes[1])
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def stating(tmp_path, version):
    path = shutil.copy(FIELD / "model.h5", tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["keras_version"] = file["model_weights"].attrs["keras_version"] = version
    return path


@pytest.mark.parametrize("version", ["2.3.0-tf", "2.4.0", "2.15.0", "2.21.0"])
def test_every_release_from_tensorflow_2_2_on_enlarges_so(tmp_path, version):
    with np.load(FIELD / "io.npz") as stored:
        model = kc.load_model(stating(tmp_path, version), backend="numpy")
        np.testing.assert_allclose(model.predict(stored["x0"]), stored["y0"], atol=1e-5)


def test_2_2_4_of_tf_keras_is_either_and_the_user_is_asked(tmp_path):
    path = stating(tmp_path, "2.2.4-tf")
    with pytest.raises(KconvertError, match=r"layer up_sampling2d: tf.keras 2.2.4-tf is of TensorFlow") as asked:
        kc.convert(path, tmp_path / "out.h5", target="theano")
    assert "source_release='2.3.0-tf' if" in asked.value.fix
    found = []
    for release in ("2.3.0-tf", "2.2.4"):
        out = tmp_path / f"{release}.h5"
        made = kc.convert(path, out, target="theano", source_release=release, force=True).plan
        found.append([layer.class_name for layer in made.result.model.layers].count("AveragePooling2D"))
    assert found == [2, 0]


@pytest.mark.parametrize("version", ["2.3.1", "2.2.4", None])
def test_keras_itself_keeps_the_first_pixel_in_its_place(version):
    layer = L.UpSampling2D(2, None, "bilinear", input_shape=(4, 5, 2))
    assert not with_pixel_centers(Sequential([layer]), version).notes


def test_an_unknown_size_is_refused():
    layer = L.UpSampling2D(2, None, "bilinear", input_shape=(None, 5, 2), name="up")
    with pytest.raises(KconvertError, match=r"layer up: bilinear enlarging of tf.keras.*size of the image is known"):
        with_pixel_centers(Sequential([layer]), "2.15.0")
