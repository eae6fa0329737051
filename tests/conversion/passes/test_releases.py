"""What single releases computed otherwise than their configuration says."""

import json
import re

import numpy as np
import pytest

import kconvert as kc
from conformance.cases import converted
from kconvert import KconvertError, convert, load_model
from kconvert.conversion.passes.oddities.keras2 import FUSED_EPSILON
from kconvert.conversion.passes.releases import (
    read_from_release,
    write_axes_for_release,
    write_for_release,
)
from kconvert.conversion.planning import plan
from kconvert.formats.hdf5 import read
from kconvert.layers import (
    LSTM,
    AveragePooling1D,
    Conv2DTranspose,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    MaxPooling3D,
    ParametricSoftplus,
    PReLU,
    SReLU,
    ZeroPadding1D,
    ZeroPadding3D,
)
from kconvert.models.sequential import as_model
from kconvert.models.training.regularizers import l2
from kconvert.network.rewrite import changed
from kconvert.network.sequential import Sequential
from tests.fixtures import case


def normalization(target):
    """The layer of a 0.3.3 file (epsilon 1e-6) in Keras 2 on `target`, and its variance there and here."""
    found = case("0.3.3-theano/conv_bn_channel_axis_th")
    with read(found.folder / "weights.h5") as checkpoint:
        made = plan(checkpoint, "theano", target, data_format="keep", arch=found.folder / "arch.json")
        (step,) = [step for step in made.steps if step.path[-1] == "moving_variance"]
        (stored,), (written,) = (array.read() for array in step.sources), step.read()
    (layer,) = [layer for layer in made.result.model.layers if layer.class_name == "BatchNormalization"]
    return layer, stored.astype("float64"), written


def test_tensorflow_raises_a_small_epsilon_so_the_variance_gives_it_back():
    layer, deviation, variance = normalization("tensorflow")
    assert layer.epsilon == FUSED_EPSILON
    np.testing.assert_allclose(variance + layer.epsilon, (deviation + 1e-6) ** 2, rtol=1e-6)


def test_theano_takes_the_epsilon_as_it_is():
    layer, deviation, variance = normalization("theano")
    assert layer.epsilon == 1e-6
    np.testing.assert_allclose(variance + 1e-6, (deviation + 1e-6) ** 2, rtol=1e-6)


# ---------------------------------------------------------------- crops ----


@pytest.mark.parametrize(
    "crop", [Cropping1D((2, 0)), Cropping2D(((1, 0), (0, 2))), Cropping3D(((0, 1), (1, 1), (0, 0)))]
)
def test_a_crop_for_1_2_0_cuts_every_end(crop):
    model = Sequential([changed(crop, name="crop", batch_input_shape=(None, *(6, 5, 4)[: crop.rank], 2))])
    written = write_for_release(model, "1.2.0", "theano").model
    (found,) = [layer for layer in written.sublayers if isinstance(layer, type(crop))]
    assert all(after > 0 for _, after in found.amounts)
    x = np.random.default_rng(0).standard_normal((2, *model.input_shapes[0][1:])).astype("float32")
    expected, got = (as_model(network).bind(kc.get_backend("numpy"), {}).predict(x) for network in (model, written))
    np.testing.assert_array_equal(got, expected)
    assert write_for_release(model, "1.2.1", "theano").model.stored_config() == model.stored_config()


@pytest.mark.parametrize(("implementation", "changes"), [(0, True), (1, True), (2, False)])
def test_recurrent_kernels_of_1_2_2_have_the_regularizer_of_the_kernel(implementation, changes):
    """Where each gate has arrays of its own."""
    options = {"implementation": implementation, "batch_input_shape": (None, 3, 2), "name": "x"}
    model = Sequential([LSTM(4, kernel_regularizer=l2(0.1), recurrent_regularizer=l2(0.2), **options)])
    for release, wanted in (("1.2.2", l2(0.1) if changes else l2(0.2)), ("1.1.2", l2(0.2))):
        read = read_from_release(model, release, "theano", False).model.by_name["x"]
        assert (read.kernel_regularizer, read.recurrent_regularizer) == (l2(0.1), wanted)


# --------------------------------------------------- Deconvolution2D of Keras 1 ----


@pytest.mark.parametrize("cls", [PReLU, SReLU, ParametricSoftplus])
def test_shared_axes_for_1_2_0_are_counted_from_0(cls):
    model = Sequential([cls(shared_axes=[1, 3], name="x", batch_input_shape=(None, 3, 5, 4))])
    written = write_axes_for_release(model, "1.2.0", "theano").model
    assert written.by_name["x"].shared_axes == [0, 2]
    assert read_from_release(written, "1.2.0", "theano", False).model.by_name["x"].shared_axes == [1, 3]
    assert write_axes_for_release(model, "1.2.1", "theano").model.by_name["x"].shared_axes == [1, 3]


def test_shared_axes_of_a_file_for_1_2_0_are_those_of_its_data_format(tmp_path):
    found = case("1.2.0-tensorflow/conv_prelu_shared_tf")
    done = kc.convert(found.model, tmp_path / "out.h5", target="theano", format="same")
    with read(done.target) as checkpoint:
        (prelu,) = [layer for layer in checkpoint.model_config["config"] if layer["class_name"] == "PReLU"]
    assert prelu["config"]["shared_axes"] == [0, 2], "channels and columns"
    predicted = kc.load_model(done.target, "numpy").predict(np.moveaxis(found.arrays("x")[0], -1, 1))
    np.testing.assert_allclose(np.moveaxis(predicted, 1, -1), found.arrays("y")[0], atol=1e-5)


def deconvolution(batch):
    layer = Conv2DTranspose(
        2, 3, keras1_output_shape=[batch, 7, 8, 2], name="deconv", batch_input_shape=(None, 5, 6, 3)
    )
    return Sequential([layer])


@pytest.mark.parametrize("version", ["1.0.8", "1.1.2"])
def test_a_graph_with_a_constant_output_shape_needs_a_batch_size(version):
    with pytest.raises(KconvertError, match=r"layer deconv.* batch size in its output_shape.*arch="):
        write_for_release(deconvolution(None), version, "tensorflow")


@pytest.mark.parametrize(("version", "target"), [("1.2.1", "tensorflow"), ("1.1.2", "theano")])
def test_other_releases_take_the_batch_size_of_the_input(version, target):
    (layer,) = write_for_release(deconvolution(None), version, target).model.sublayers
    assert layer.keras1_output_shape == [None, 7, 8, 2]


def test_a_stated_batch_size_is_kept_by_a_repair_too(tmp_path):
    found = case("1.1.2-tensorflow/deconv2d_same_stride2_th")
    there = converted(found, tmp_path / "there.h5", "same").plan
    stated = [layer.keras1_output_shape for layer in there.result.model.sublayers if isinstance(layer, Conv2DTranspose)]
    assert [shape[0] for shape in stated] == [len(found.arrays("x")[0])]
    assert len(there.result.model.sublayers) == 2, "repaired"


# ---------------------------------------------------- zero padding of Keras 1 ----


@pytest.mark.parametrize(
    ("layer", "version", "wide", "cut"),
    [
        (ZeroPadding1D((1, 2)), "1.1.0", (3, 3), (2, 1)),
        (ZeroPadding3D(((0, 1), (2, 2), (3, 0))), "1.2.2", ((2, 2), (3, 3), (4, 4)), ((2, 1), (1, 1), (1, 4))),
    ],
    ids=["1D", "3D"],
)
def test_zeros_on_one_side_are_more_zeros_and_a_crop(layer, version, wide, cut):
    layer.name, layer.batch_input_shape = "pad", (None, *[4] * layer.rank, 3)
    padding, cropping = write_for_release(Sequential([layer]), version, "theano").model.sublayers
    assert (padding.padding, cropping.cropping) == (wide, cut)
    assert [one.class_name for one in write_for_release(Sequential([layer]), "2.3.1", "theano").model.sublayers] == [
        layer.class_name
    ]


# --------------------------------------------------------------- what is said ----


@pytest.mark.parametrize(
    ("name", "note"),
    [
        (
            "2.0.9-theano/averagepooling1d_same",
            r"average_pooling1d_1: read as ZeroPadding1D \+ AveragePooling1D, "
            r"for AveragePooling1D of Keras 2.0.4 - 2.1.4 on theano counts the zeros of padding='same'",
        ),
        (
            "0.3.3-theano/conv_bn_channel_axis_th",
            "written as BatchNormalization, for BatchNormalization of Keras 2.1.0 - 2.3.1 on tensorflow raises",
        ),
        (
            "0.3.3-theano/autoencoder_code",
            "autoencoder_1: the decoder .* and its weights are left out: it does not run",
        ),
    ],
)
def test_nothing_is_changed_without_a_line(name, note, tmp_path):
    found = case(name)
    made = converted(found, tmp_path / "out.h5", "keras2").plan
    assert [line for line in made.notes if re.search(note, line)], made.notes


class CountedPooling(AveragePooling1D):
    """A class of a user."""


def test_what_a_release_computed_holds_for_subclasses_too():
    """Keras 2.0.9 on Theano counts the zeros of padding='same', in a class that inherits the layer as well."""
    for cls in (AveragePooling1D, CountedPooling):
        model = Sequential([cls(3, padding="same", name="pool", batch_input_shape=(None, 5, 3))])
        done = read_from_release(model, "2.0.9", "theano", False)
        assert [layer.class_name for layer in done.model.sublayers] == ["ZeroPadding1D", cls.__name__]


def test_an_output_shape_that_the_release_did_not_save_is_noted_where_the_architecture_is_given(tmp_path):
    found = case("1.0.8-theano/deconv2d_same_stride2_th")
    with read(found.model) as checkpoint:
        (tmp_path / "arch.json").write_text(json.dumps(checkpoint.model_config), encoding="utf-8")
        made = plan(checkpoint, found.backend, found.other, arch=tmp_path / "arch.json")
    assert any("saves the smallest output_shape" in note and "deconvolution2d_1" in note for note in made.notes)


@pytest.mark.parametrize(("version", "refused"), [("1.0.5", True), ("1.0.7", True), ("1.0.8", False)])
def test_a_crop_that_the_release_lacks_is_refused(version, refused):
    layer = ZeroPadding1D((1, 2), batch_input_shape=(None, 4, 3), name="pad")
    if refused:
        with pytest.raises(KconvertError, match=f"Keras {re.escape(version)} has no Cropping1D layer"):
            write_for_release(Sequential([layer]), version, "theano")
    else:
        assert len(write_for_release(Sequential([layer]), version, "theano").model.sublayers) == 2


# ------------------------------------------------- 3-D pooling of Keras 2.0 - 2.1.5 ----


@pytest.mark.parametrize("convention", ["theano", "tensorflow"])
def test_pooling_of_volumes_keeps_the_elements_that_it_should_cut_off(convention, tmp_path):
    """The second pooling takes the elements that the first gives, not those that it declares."""
    found = case("2.0.9-theano/pooling3d_same")
    loaded = kc.load_model(found.model, "numpy", convention=convention)
    np.testing.assert_allclose(loaded.predict(found.arrays("x")), found.arrays("y")[0], atol=1e-6)
    done = kc.convert(found.model, tmp_path / "out.h5", target="tensorflow", data_format="keep")
    again = kc.load_model(done.target, "numpy", convention="tensorflow")
    np.testing.assert_allclose(again.predict(found.arrays("x")), found.arrays("y")[0], atol=1e-6)
    assert sum("gives more elements than it declares" in note for note in done.plan.notes) == 2


def test_pooling_of_volumes_stays_where_nothing_is_too_many():
    layer = MaxPooling3D(3, strides=2, padding="same", batch_input_shape=(None, 5, 6, 7, 2))
    assert not read_from_release(Sequential([layer]), "2.0.9", "theano").notes


def test_pooling_of_volumes_of_2_1_6_stays(tmp_path):
    """This release cuts off what is too many."""
    found = case("2.1.6-theano/maxpooling3d_same_th")
    done = kc.convert(found.model, tmp_path / "out.h5", target="tensorflow", data_format="keep")
    for path in (found.model, done.target):
        predicted = kc.load_model(path, "numpy").predict(found.arrays("x"))
        np.testing.assert_allclose(predicted, found.arrays("y")[0], atol=1e-6)
    assert not any("than it declares" in note for note in done.plan.notes)


# ------------------------------------------------------ Convolution3D of 1.0 ----


@pytest.mark.parametrize(
    "name", ["1.0.5-theano/conv3d_even", "1.0.8-theano/conv3d_even", "1.0.8-theano/conv3d_even_dense"]
)
def test_even_volumes_of_theano(name, tmp_path):
    found = case(name)
    (x,), (y,) = found.arrays("x"), found.arrays("y")
    weights, arch = found.folder / "weights.h5", found.folder / "arch.json"
    said = {"source": "theano", "arch": arch, "source_release": found.release, "data_format": "keep"}
    out = tmp_path / "out.h5"
    done = convert(weights, out, target="tensorflow", **said)
    np.testing.assert_allclose(load_model(out, "numpy", arch=done.architecture).predict(x), y, atol=1e-5)
