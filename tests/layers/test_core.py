"""Core layers: shapes, configuration, masks, and what real Keras computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers import core, regularization
from kconvert.layers.base import Layer
from kconvert.layers.core import Dense, Highway, InputLayer, Lambda, Masking, MaxoutDense, TimeDistributedDense
from kconvert.layers.regularization import Dropout
from kconvert.layers.reshaping import Flatten, Permute, RepeatVector, Reshape, TimeDistributedMerge

K = NumpyBackend()
RANDOM = np.random.default_rng(0)
shapes = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype("float32")


# ------------------------------------------------------------ configuration ----


@pytest.mark.parametrize(
    "layer",
    [
        InputLayer(batch_input_shape=(None, 4), dtype="float32"),
        Dense(4, "relu", use_bias=False, kernel_regularizer={"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.1}}),
        TimeDistributedDense(4),
        MaxoutDense(3, nb_feature=2, bias=False),
        Highway(activation="tanh"),
        Dropout(0.5, (None, 1, 4), 7),
        regularization.SpatialDropout1D(0.5),
        regularization.SpatialDropout2D(0.5, "channels_first", seed=3),
        regularization.SpatialDropout3D(0.5),
        regularization.GaussianNoise(0.1),
        regularization.GaussianDropout(0.1),
        regularization.AlphaDropout(0.1),
        regularization.ActivityRegularization(0.1, 0.2),
        Flatten("channels_first"),
        Reshape([2, -1]),
        Permute([2, 1]),
        RepeatVector(3),
        TimeDistributedMerge("mul"),
        Masking(-1.0),
        Lambda("twice", (3,), arguments={"by": 2}, function_type="function"),
    ],
)
def test_configuration_round_trips(layer: Layer) -> None:
    layer.name = "some"
    config = layer.stored_config()
    assert type(layer).from_config(config).stored_config() == config


@pytest.mark.parametrize("path", ["dense_bn", "noise_and_dropout", "repeat_permute_reshape", "flatten_data_format_th"])
def test_configuration_is_written_as_keras_2_wrote_it(case, path: str) -> None:
    model = case(f"2.3.1-tensorflow/{path}")
    for name, node in model.nodes.items():
        if node["class_name"] in {**vars(core), **vars(regularization)}:
            written = model.layer(name).stored_config()
            assert {key: written[key] for key in node["config"]} == node["config"]


def test_what_only_keras_1_has_is_read_but_not_written() -> None:
    layer = Highway.from_config({"transform_bias": -2})
    assert layer.weight_specs((None, 3))[-1].initializer["config"] == {"value": -2}
    assert "transform_bias" not in layer.stored_config()


def test_an_input_layer_is_not_trainable_in_a_configuration() -> None:
    assert set(InputLayer(batch_input_shape=(None, 3)).stored_config()) == {"name", "batch_input_shape", "sparse"}


# ------------------------------------------------------------------- shapes ----


@given(shapes)
def test_reshape_there_and_back(shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod((2, *shape)), dtype="float32").reshape(2, *shape)
    flat = Reshape((-1,)).call(K, {}, x)
    np.testing.assert_array_equal(Reshape(shape).call(K, {}, flat), x)
    assert Reshape(shape).compute_output_shape((None, flat.shape[1])) == (None, *shape)


@given(shapes, st.data())
def test_permute_there_and_back(shape: tuple[int, ...], data: st.DataObject) -> None:
    x = np.arange(np.prod((2, *shape))).reshape(2, *shape)
    dims = data.draw(st.permutations(range(1, len(shape) + 1)))
    there, back = Permute(dims), Permute([dims.index(i) + 1 for i in range(1, len(dims) + 1)])
    y = there.call(K, {}, x)
    assert y.shape == there.compute_output_shape(x.shape)
    np.testing.assert_array_equal(back.call(K, {}, y), x)


@given(shapes)
def test_flatten_of_channels_first_is_flatten_of_channels_last(shape: tuple[int, ...]) -> None:
    x = normal(2, *shape)
    first = np.moveaxis(x, -1, 1)
    np.testing.assert_array_equal(Flatten("channels_first").call(K, {}, first), Flatten().call(K, {}, x))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (Dense(5), (None, None, 3), (None, None, 5)),
        (Flatten(), (None, None, 3), (None, None)),
        (Flatten(), (None, 2, 3), (None, 6)),
        (Reshape((-1, 2)), (None, None, 3), (None, None, 2)),
        (Reshape((-1, 2)), (None, 4, 3), (None, 6, 2)),
        (Permute((2, 1)), (None, None, 3), (None, 3, None)),
        (RepeatVector(4), (None, 3), (None, 4, 3)),
        (TimeDistributedMerge(), (None, None, 3), (None, 3)),
        (Lambda("f", (7,)), (None, 3), (None, 7)),
        (Lambda("f"), (None, 3), (None, 3)),
    ],
)
def test_output_shape_with_unknown_sizes(layer: Layer, shape: tuple, expected: tuple) -> None:
    assert layer.compute_output_shape(shape) == expected


@pytest.mark.parametrize("target", [(5,), (-1, 5), (-1, -1), (0, -1)])
def test_a_reshape_that_does_not_fit_is_refused(target: tuple[int, ...]) -> None:
    with pytest.raises(KconvertError, match="cannot reshape"):
        Reshape(target).compute_output_shape((None, 3, 4))


def test_dense_needs_to_know_its_features() -> None:
    with pytest.raises(KconvertError, match="Dense layer needs to know axis -1"):
        Dense(3).weight_specs((None, None))


def test_dense_works_on_the_last_axis_of_any_rank(run) -> None:
    x, kernel, bias = normal(2, 3, 4, 5), normal(5, 6), normal(6)
    expected = np.tanh(np.einsum("...i,io->...o", x, kernel) + bias)
    np.testing.assert_allclose(run(Dense(6, "tanh"), x, kernel=kernel, bias=bias), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("mode", "reduce"), [("sum", np.sum), ("ave", np.mean), ("mul", np.prod)])
def test_time_distributed_merge_reduces_time(run, mode: str, reduce) -> None:
    x = normal(2, 5, 3)
    np.testing.assert_allclose(run(TimeDistributedMerge(mode), x), reduce(x, axis=1), rtol=1e-5, atol=1e-6)


def test_an_unknown_merge_over_time_is_refused() -> None:
    with pytest.raises(KconvertError, match="unknown mode 'max'; one of: sum, ave, mul"):
        TimeDistributedMerge("max").call(K, {}, normal(2, 3, 4))


# -------------------------------------------------------------------- masks ----


def test_masking_masks_and_zeroes_steps() -> None:
    x = np.array([[[7, 7], [1, 7], [7, 7]]], "float32")
    np.testing.assert_array_equal(Masking(7.0).compute_mask(K, x), [[False, True, False]])
    np.testing.assert_array_equal(Masking(7.0).call(K, {}, x), [[[0, 0], [1, 7], [0, 0]]])


def test_masks_pass_dense_and_dropout_but_end_where_the_shape_changes() -> None:
    x, mask = normal(2, 3, 4), np.ones((2, 3), bool)
    assert Dense(2).compute_mask(K, x, mask) is mask
    assert Dropout(0.5).compute_mask(K, x, mask) is mask
    assert all(layer.compute_mask(K, x, mask) is None for layer in (Flatten(), Reshape((12,)), Permute((2, 1))))


# ------------------------------------------------------------------- Lambda ----


def test_a_lambda_is_kept_but_never_loaded() -> None:
    code = ["4wEAAAAAAAAAAQAAAAIAAABTAAAAcwwAAAB8", None, None]
    layer = Lambda.from_config({"name": "f", "function": code, "output_shape": [3]})
    assert (layer.stored_config()["function"], layer.stored_config()["output_shape"]) == (code, [3])
    with pytest.raises(KconvertError, match="layer f: a Lambda layer cannot run"):
        layer.call(K, {}, normal(2, 3))


def test_an_output_shape_that_is_code_is_not_known() -> None:
    coded = Lambda("f", ["4wEA", None, None], output_shape_type="lambda")
    assert coded.is_unknown and not Lambda("f", output_shape=[3]).is_unknown


# --------------------------------------------------------- what Keras computed ----


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("dense_3d_input", "dense_1 dense_2"),
        ("noise_and_dropout", "gaussian_noise_1 dropout_1 gaussian_dropout_1 alpha_dropout_1 dense_3"),
        ("repeat_permute_reshape", "repeat_vector_1 permute_1 reshape_1 activity_regularization_1 flatten_1"),
        ("reshape_minus_one", "reshape_1"),
        ("flatten_data_format_th", "flatten_1"),
        ("masking_lstm", "masking_1"),
    ],
)
def test_as_keras_2(case, path: str, names: str) -> None:
    for name in names.split():
        case(f"2.3.1-tensorflow/{path}").check(name)


@pytest.mark.parametrize(
    ("path", "name", "layer"),
    [
        ("1.2.2-theano/highway", "highway_1", Highway(activation="relu")),
        ("1.2.2-theano/highway", "highway_2", Highway(activation="tanh", bias=False)),
        ("1.2.2-theano/maxout_dense", "maxoutdense_1", MaxoutDense(4, nb_feature=2)),
        ("1.2.2-theano/maxout_dense_nobias", "maxoutdense_1", MaxoutDense(4, nb_feature=2, bias=False)),
        ("0.3.3-theano/highway", "layer_1", Highway(activation="relu")),
        ("0.3.3-theano/time_distributed_merge_mul", "layer_0", TimeDistributedDense(4)),
        ("0.3.3-theano/time_distributed_merge_mul", "layer_1", TimeDistributedMerge("mul")),
    ],
)
def test_as_keras_1_and_0(case, path: str, name: str, layer: Layer) -> None:
    case(path).check(name, layer)
