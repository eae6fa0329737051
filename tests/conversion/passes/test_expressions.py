"""Layers that Keras 3 does not have, written as layers that it has; the numbers are those of the old Keras."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.generations import READER_TF_KERAS
from kconvert.conventions.words.keras3_writing import CLASSES
from kconvert.conversion.passes.expressions import expressed, with_expressions
from kconvert.formats.endings import ARCHIVE
from kconvert.verification.matching import in_layout
from tests.fixtures import case

EXPRESSED = [
    "1.2.2-theano/highway",
    "1.2.2-theano/maxout_dense",
    "1.2.2-theano/maxout_dense_nobias",
    "1.2.2-theano/dense_prelu_srelu_psoftplus",
    "1.2.2-theano/conv_srelu_shared_th",
    "2.3.1-theano/locally_connected2d_th",
    "2.3.1-tensorflow/locally_connected2d_th",
    "2.3.1-tensorflow/upsampling2d_bilinear_tf",
    "2.3.1-tensorflow/upsampling2d_bilinear_44_tf",
    "2.3.1-theano/upsampling2d_bilinear_22_th",
]


def converted(found, tmp_path):
    return kc.convert(found.model, tmp_path / "out.keras", source=found.backend, force=True)


def outputs(path, inputs):
    predicted = kc.load_model(path, backend="numpy").predict(inputs)
    return predicted if isinstance(predicted, list) else [predicted]


@pytest.mark.parametrize("name", EXPRESSED)
def test_the_expression_computes_what_the_layer_computed(name, tmp_path):
    found = case(name)
    done = converted(found, tmp_path)
    used = {layer.class_name for _, layer in done.plan.result.model.leaves()}
    assert used <= CLASSES
    inputs = [in_layout(x, layout) for x, layout in zip(found.arrays("x"), done.plan.result.inputs, strict=True)]
    computed = outputs(done.target, inputs if len(inputs) > 1 else inputs[0])
    for y, layout, other in zip(found.arrays("y"), done.plan.result.outputs, computed, strict=True):
        np.testing.assert_allclose(other, in_layout(y, layout), atol=1e-5)


def saved(tmp_path, *layers):
    """A file of Keras 2 on TensorFlow of a Sequential, and what it computes for random inputs."""
    model = kc.Sequential(list(layers))
    shape = (4, *(6 if n is None else n for n in model.input_shape[1:]))
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    y = model.predict(x)
    model.save(tmp_path / "model.h5")
    return tmp_path / "model.h5", x, y


@pytest.mark.parametrize(
    "layers",
    [
        [L.ThresholdedReLU(0.4, input_shape=(7,))],
        [L.LocallyConnected1D(3, 2, strides=2, activation="tanh", input_shape=(9, 4))],
        [L.LocallyConnected1D(3, 1, use_bias=False, input_shape=(5, 4))],
        [L.LocallyConnected2D(3, (2, 3), strides=(2, 1), input_shape=(7, 6, 2))],
        [L.TimeDistributed(L.LocallyConnected2D(3, 2), input_shape=(3, 5, 4, 2))],
        [L.TimeDistributed(L.Highway(), input_shape=(3, 5))],
        [L.TimeDistributed(L.MaxoutDense(3, nb_feature=2), input_shape=(3, 5))],
        [L.Masking(input_shape=(5, 3)), L.Softmax(), L.LSTM(2)],
        [L.UpSampling2D((3, 2), interpolation="bilinear", input_shape=(4, 5, 2))],
    ],
    ids=lambda layers: layers[0].class_name,
)
def test_it_computes_the_same_inside_wrappers_and_for_all_options(layers, tmp_path):
    path, x, y = saved(tmp_path, *layers)
    done = kc.convert(path, tmp_path / "out.keras")
    np.testing.assert_allclose(outputs(done.target, x)[0], y, atol=1e-5)


def test_its_parts_are_called_after_the_layer_and_its_class(tmp_path):
    path, _, _ = saved(tmp_path, L.MaxoutDense(3, input_shape=(5,), name="max"), L.Dense(2, name="dense"))
    model = kc.convert(path, tmp_path / "out.keras").plan.result.model
    assert [layer.name for layer in model.sublayers] == ["max", "max__MaxoutDense__max", "dense"]


def test_a_slash_in_a_name_becomes_an_underscore(tmp_path):
    found = case("1.2.2-theano/squeezenet_fire_th")
    model = converted(found, tmp_path).plan.result.model
    assert model.name and not any("/" in name for name, _ in model.by_name.items())


def test_a_slash_in_a_nested_network_and_a_wrapper_becomes_an_underscore(tmp_path):
    inner = kc.Sequential([L.Dense(3, input_shape=(4,), name="a/b"), L.Dense(3, name="a_b")], name="in/side")
    path, x, y = saved(tmp_path, inner, L.RepeatVector(2), L.TimeDistributed(L.Dense(2, name="c/d"), name="t/d"))
    done = kc.convert(path, tmp_path / "out.keras")
    paths = [leaf.path for leaf in done.plan.result.model.weight_table()]
    assert len(set(paths)) == 3 and not any("/" in name for path in paths for name in path)
    np.testing.assert_allclose(outputs(done.target, x)[0], y, atol=1e-6)


# -------------------------------------------------------------------- masks ----


def masked(merge, other):
    """Two sequences, of which at least one is masked, merged before a recurrent layer."""
    x, z = kc.Input((5, 3)), kc.Input((5, 3))
    first, second = L.Masking()(x), L.Masking()(z) if other == "masked" else z
    second = first if other == "same" else second
    return kc.Model([x, z], L.GRU(2, name="reader")([merge([first, second])][0]))


@pytest.mark.parametrize("merge", [L.Add(name="merge"), L.Concatenate(name="merge")])
@pytest.mark.parametrize("other", ["masked", "open"])
def test_masks_that_keras_3_merges_otherwise_are_refused_where_they_count(merge, other, tmp_path):
    masked(merge, other).save(tmp_path / "model.h5")
    words = "layer merge: Keras 3 does not merge different masks as Keras 2 does, and reader depends on the result"
    with pytest.raises(KconvertError, match=words):
        kc.convert(tmp_path / "model.h5", tmp_path / "out.keras")


def test_one_mask_of_all_inputs_is_merged_alike():
    x = kc.Input((5, 3))
    both = L.Masking()(x)
    merged = L.Add()([L.LSTM(2, return_sequences=True)(both), L.GRU(2, return_sequences=True)(both)])
    assert kc.Model(x, L.GRU(2)(merged))


def test_a_softmax_of_masked_inputs_along_another_axis_is_refused(tmp_path):
    path, _, _ = saved(tmp_path, L.Masking(input_shape=(5, 3)), L.Softmax(axis=1, name="soft"), L.LSTM(2))
    with pytest.raises(KconvertError, match="layer soft: Keras 3 has no Softmax of masked inputs"):
        kc.convert(path, tmp_path / "out.keras")
    several = kc.Sequential([L.Masking(input_shape=(5, 3)), L.Softmax(axis=[1, 2], name="soft")])
    with pytest.raises(KconvertError, match="tf_keras has no Softmax of masked inputs"):
        with_expressions(several, READER_TF_KERAS)


# ----------------------------------------------------------------- refusals ----


@pytest.mark.parametrize("name", ["dense_bn_mode1", "dense_bn_mode2"])
def test_what_no_layers_of_keras_3_compute_is_refused(name, tmp_path):
    with pytest.raises(KconvertError, match="BatchNormalization"):
        converted(case(f"1.2.2-theano/{name}"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_parameter_that_all_elements_share_is_refused():
    layer = L.SReLU(shared_axes=[1], name="bent")
    with pytest.raises(KconvertError, match="layer bent: a SReLU with one parameter for all elements"):
        expressed(layer, (None, 4))


def test_layers_of_other_generations_are_not_expressed_for_keras_2(tmp_path):
    path, _, _ = saved(tmp_path, L.MaxoutDense(3, input_shape=(5,), name="max"))
    done = kc.convert(path, tmp_path / "out.h5", target="theano")
    assert [layer.class_name for layer in done.plan.result.model.sublayers] == ["MaxoutDense"]


def test_the_layout_of_a_result_is_that_of_tensorflow(tmp_path):
    done = converted(case("2.3.1-theano/lenet_th"), tmp_path)
    assert done.plan.goal.form == ARCHIVE
    assert done.plan.result.inputs[0].axes == (0, 2, 3, 1)


@pytest.mark.parametrize(("data_format", "noted"), [("keep", 1), ("native", 0)])
def test_images_that_keep_channels_first_are_noted(data_format, noted, tmp_path):
    found = case("2.3.1-theano/lenet_th")
    done = kc.convert(found.model, tmp_path / "out.keras", data_format=data_format)
    assert len([note for note in done.plan.notes if "in channels_first" in note]) == noted
