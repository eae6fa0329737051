"""Merging layers: shapes, masks, and what real Keras computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers.base import Layer
from kconvert.layers.merge import Add, Average, Concatenate, Dot, Maximum, Merge, Minimum, Multiply, Subtract

K = NumpyBackend()
RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype("float32")


A, B, C = normal(2, 3, 4), normal(2, 3, 4), normal(2, 3, 4)


# ----------------------------------------------------------------- formulas ----


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Add(), A + B + C),
        (Multiply(), A * B * C),
        (Average(), (A + B + C) / 3),
        (Maximum(), np.max([A, B, C], axis=0)),
        (Minimum(), np.min([A, B, C], axis=0)),
        (Concatenate(1), np.concatenate([A, B, C], 1)),
        (Merge("sum"), A + B + C),
        (Merge("mul"), A * B * C),
        (Merge("ave"), (A + B + C) / 3),
        (Merge("max"), np.max([A, B, C], axis=0)),
        (Merge("concat", concat_axis=1), np.concatenate([A, B, C], 1)),
    ],
)
def test_three_inputs(run, layer: Layer, expected: np.ndarray) -> None:
    np.testing.assert_allclose(run(layer, A, B, C), expected, rtol=1e-6)


def test_inputs_of_fewer_axes_get_new_ones_after_the_batch(run) -> None:
    x, y = normal(2, 3, 4), normal(2, 4)
    np.testing.assert_array_equal(run(Subtract(), x, y), x - y[:, None])


@given(
    left=st.lists(st.integers(2, 4), min_size=1, max_size=2),
    right=st.lists(st.integers(2, 4), min_size=1, max_size=2),
    shared=st.integers(2, 4),
    data=st.data(),
)
def test_dot_sums_over_one_axis_of_each(left: list, right: list, shared: int, data: st.DataObject) -> None:
    i, j = data.draw(st.integers(0, len(left) - 1)), data.draw(st.integers(0, len(right) - 1))
    left[i] = right[j] = shared
    x, y = normal(2, *left), normal(2, *right)
    layer = Dot((i + 1, j - len(right)))
    expected = np.stack([np.tensordot(a, b, (i, j)) for a, b in zip(x, y, strict=True)])
    expected = expected if expected.ndim > 1 else expected[:, None]
    np.testing.assert_allclose(layer.call(K, {}, [x, y]), expected, rtol=1e-4, atol=1e-5)
    assert layer.compute_output_shape([x.shape, y.shape]) == expected.shape


def test_a_normalized_dot_of_a_vector_with_itself_is_one(run) -> None:
    x = normal(3, 5)
    np.testing.assert_allclose(run(Dot(-1, normalize=True), x, x), np.ones((3, 1)), rtol=1e-6)


def test_the_cosine_of_keras_1_has_an_axis_more(run) -> None:
    x, y = normal(3, 5), normal(3, 5)
    cosine = run(Merge("cos", dot_axes=1), x, y)
    np.testing.assert_allclose(cosine, run(Dot(1, normalize=True), x, y)[:, None], rtol=1e-5)


def test_keras_0_lists_the_axes_of_each_input(run) -> None:
    x, y = normal(3, 5), normal(3, 5)
    np.testing.assert_array_equal(run(Merge("dot", dot_axes=[[1], [1]]), x, y), run(Dot(1), x, y))


# ------------------------------------------------------------------- shapes ----


@pytest.mark.parametrize(
    ("layer", "shapes", "expected"),
    [
        (Add(), [(None, None, 4), (8, 3, 4)], (8, None, 4)),
        (Add(), [(None, 3, 1), (None, 1, 4)], (None, 3, 4)),
        (Concatenate(), [(None, 3, 4), (None, 3, 2)], (None, 3, 6)),
        (Concatenate(1), [(None, None, 4), (None, 3, 4)], (None, None, 4)),
        (Dot((2, 1)), [(None, None, 4), (None, 4, 5)], (None, None, 5)),
        (Merge("cos", dot_axes=[1, 1]), [(None, 4), (None, 4)], (None, 1, 1)),
    ],
)
def test_output_shape_with_unknown_sizes(layer: Layer, shapes: list, expected: tuple) -> None:
    assert layer.compute_output_shape(shapes) == expected


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (Add(), [(None, 3), (None, 4)], "cannot be merged"),
        (Add(), [(None, 3)], "takes a list of at least 2 inputs"),
        (Subtract(), [(None, 3)] * 3, "takes 2 inputs"),
        (Dot(1), [(None, 3), (None, 4)], "differ in size"),
        (Merge("join"), [(None, 3), (None, 3)], "a Merge layer with mode 'join' cannot run"),
    ],
)
def test_what_cannot_be_merged_is_refused(layer: Layer, shapes: list, message: str) -> None:
    with pytest.raises(KconvertError, match=message):
        layer.compute_output_shape(shapes)


# -------------------------------------------------------------------- masks ----


M, N = np.array([[True, True, False]] * 2), np.array([[True, False, True]] * 2)


@pytest.mark.parametrize("layer", [Add(), Multiply(), Merge("sum")])
def test_elementwise_masks_are_joined_by_and(layer: Layer) -> None:
    np.testing.assert_array_equal(layer.compute_mask(K, [A, B], [M, N]), M & N)
    np.testing.assert_array_equal(layer.compute_mask(K, [A, B], [None, N]), N)
    assert layer.compute_mask(K, [A, B], [None, None]) is None
    assert layer.compute_mask(K, [A, B]) is None


@pytest.mark.parametrize(("time", "features"), [(Concatenate(1), Concatenate()), (Merge("concat", 1), Merge("concat"))])
def test_masks_of_a_concatenation(time: Layer, features: Layer) -> None:
    np.testing.assert_array_equal(time.compute_mask(K, [A, B], [M, N]), np.concatenate([M, N], 1))
    np.testing.assert_array_equal(features.compute_mask(K, [A, B], [M, N]), M & N)
    np.testing.assert_array_equal(features.compute_mask(K, [A, B], [M, None]), M)
    assert features.compute_mask(K, [A, B], [None, None]) is None


def test_a_dot_product_has_no_mask() -> None:
    assert Dot(1).compute_mask(K, [A, B], [M, N]) is None
    assert Merge("dot").compute_mask(K, [A, B], [M, N]) is None


# ------------------------------------------------------------ configuration ----


@pytest.mark.parametrize(
    "layer",
    [
        Add(),
        Subtract(),
        Multiply(),
        Average(),
        Maximum(),
        Minimum(),
        Concatenate(1),
        Dot((1, 2), True),
        Merge("dot", dot_axes=[1, 1], extra={"mode_type": "raw"}),
    ],
)
def test_configuration_round_trips(layer: Layer) -> None:
    layer.name = "some"
    config = layer.stored_config()
    assert type(layer).from_config(config).stored_config() == config


# --------------------------------------------------------- what Keras computed ----


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("merge_dot_3d_axes12", "dot_1"),
        ("merge_dot_3d_normalized", "dot_1"),
        ("merge_dot_normalized", "dot_1"),
        ("merge_concatenate_axis1", "concatenate_1"),
        ("merge_subtract", "subtract_1"),
        ("merge_add_three", "add_1"),
    ],
)
def test_as_keras_2(case, path: str, name: str) -> None:
    case(f"2.3.1-tensorflow/{path}").check(name)


@pytest.mark.parametrize("path", ["merge_functional_cos", "merge_functional_dot", "merge_dot_axes_3d"])
def test_as_keras_1(case, path: str) -> None:
    case(f"1.2.2-theano/{path}").check("merge_1")
