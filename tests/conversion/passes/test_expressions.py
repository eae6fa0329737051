"""Layers that Keras 3 does not have, written as layers that it has; the numbers are those of the old Keras."""

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError
from kconvert import layers as L
from kconvert.conventions.generations import READER_KERAS3, READER_TF_KERAS
from kconvert.conventions.words.keras3_writing import CLASSES
from kconvert.conversion.passes.expressions import expressed, with_expressions
from kconvert.formats.endings import ARCHIVE
from kconvert.kernels import Chain
from kconvert.models.model import as_model
from kconvert.network.nested import nest
from kconvert.verification.matching import in_layout
from tests.fixtures import case

EXPRESSED = [
    "1.2.2-theano/highway",
    "1.2.2-theano/maxout_dense",
    "1.2.2-theano/maxout_dense_nobias",
    "1.2.2-theano/dense_prelu_srelu_psoftplus",
    "1.2.2-theano/conv_srelu_shared_th",
    "1.2.2-theano/dense_bn_mode1",
    "1.2.2-theano/dense_bn_mode2",
    "1.2.2-theano/conv_bn_mode2_th",
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


@pytest.mark.parametrize("reader", [READER_KERAS3, READER_TF_KERAS], ids=lambda reader: reader.package)
@pytest.mark.parametrize("layer", [L.SReLU(), L.ParametricSoftplus(), L.BatchNormalization(mode=1)])
def test_a_mask_that_other_layers_do_not_keep_is_refused_where_it_counts(layer, reader):
    def network(*last):
        return kc.Sequential([L.Masking(input_shape=(5, 3), name="masking"), layer, *last])

    with pytest.raises(KconvertError, match=r"layer reader: .* do not keep the mask of masking"):
        with_expressions(network(L.LSTM(2, name="reader")), reader)
    assert with_expressions(network(L.Dense(2)), reader).notes
    assert with_expressions(kc.Sequential([L.InputLayer((5, 3)), layer, L.LSTM(2)]), reader)


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


# ------------------------------------------------------------ normalization ----


@pytest.mark.parametrize("options", [{}, {"epsilon": 1e-7}, {"epsilon": 0.0}, {"scale": False}, {"center": False}])
@pytest.mark.parametrize(
    ("mode", "axis", "shape"), [(1, -1, (5,)), (1, -1, (3, 4)), (2, 1, (3, 4, 5)), (2, -1, (3, 4)), (2, -1, (5,))]
)
def test_each_mode_is_written_as_layers_that_compute_it(mode, axis, shape, options):
    """Also where a sample has the same number everywhere, and where its numbers are large."""
    layer = L.BatchNormalization(axis, mode=mode, name="norm", **options)
    model = kc.Sequential([L.InputLayer(batch_input_shape=(None, *shape)), layer])
    model.start("numpy", seed=0)
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.5, 2.0, array.shape) for array in model.get_weights()])
    x = random.standard_normal((4, *shape)).astype("float32") * 3 + 10
    if options.get("epsilon") != 0.0:
        x[0] = 2.0
    for reader in (READER_KERAS3, READER_TF_KERAS):
        done = with_expressions(model, reader)
        other = as_model(done.model)
        other.bind(kc.get_backend("numpy"), nest(taken(done, model)))
        np.testing.assert_allclose(other.predict(x), model.predict(x), atol=2e-5)


@pytest.mark.parametrize(("axis", "shape"), [(-1, (5,)), (-1, (3, 4)), (1, (3, 4, 5)), (2, (3, 4, 5))])
def test_no_normalization_by_the_batch_takes_neighbouring_axes(axis, shape):
    layers = expressed(L.BatchNormalization(axis, mode=2, name="norm"), (None, *shape))
    (axes,) = [one.layer.axis for one in layers if isinstance(one.layer, L.LayerNormalization)]
    assert sorted(axes) != list(range(min(axes), max(axes) + 1))


def taken(done, model):
    """The weights of a rewritten network: (path, array), from those of `model`."""
    values = {path: np.array(model.backend.value(variable)) for path, variable in model.variables.items()}
    for leaf in done.model.weight_table():
        for path in ((*leaf.path, weight.name) for weight in leaf.weights):
            source = done.sources.get(path, path)
            array = values[source] if isinstance(source, tuple) else source
            yield path, done.weights.get(path, Chain()).apply(array)[0]


# ----------------------------------------------------------------- refusals ----


def test_normalization_by_the_batch_of_steps_is_refused():
    inner = L.BatchNormalization(mode=2, name="norm")
    model = kc.Sequential([L.TimeDistributed(inner, input_shape=(3, 4), name="steps")])
    with pytest.raises(KconvertError, match=r"layer steps: Keras 3 runs a TimeDistributed step by step, and norm"):
        with_expressions(model, READER_KERAS3)


def test_a_normalization_of_samples_along_another_axis_is_refused():
    layer = L.BatchNormalization(1, mode=1, name="norm")
    with pytest.raises(KconvertError, match="gamma has the size of axis 1"):
        expressed(layer, (None, 3, 4))


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
