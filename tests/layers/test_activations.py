"""Activations: the formulas of Keras's documentation, and what real Keras computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers.activations import (
    ACTIVATIONS,
    ELU,
    Activation,
    LeakyReLU,
    ParametricSoftplus,
    PReLU,
    ReLU,
    Softmax,
    SReLU,
    ThresholdedLinear,
    ThresholdedReLU,
    activation,
)
from kconvert.layers.base import Layer

K = NumpyBackend()
X = np.linspace(-4, 4, 33, dtype="float32")
slopes = st.sampled_from([0.0, 0.1, 0.5, 1.5])


# ----------------------------------------------------------------- formulas ----


@given(slope=slopes, threshold=st.sampled_from([0.0, 0.2, 1.0]), ceiling=st.sampled_from([None, 1.5, 6.0]))
def test_relu_is_three_lines(slope: float, threshold: float, ceiling: float | None) -> None:
    expected = np.where(threshold < X, X, slope * (X - threshold))
    expected = expected if ceiling is None else np.minimum(expected, ceiling)
    result = ReLU(ceiling, slope, threshold).call(K, {}, X)
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (LeakyReLU(0.2), np.where(X > 0, X, 0.2 * X)),
        (ELU(0.5), np.where(X > 0, X, 0.5 * np.expm1(X))),
        (ThresholdedReLU(0.7), np.where(X > 0.7, X, 0)),
        (ThresholdedLinear(1.0), np.where(np.abs(X) < 1.0, 0, X)),
        (Activation("hard_sigmoid"), np.clip(0.2 * X + 0.5, 0, 1)),
        (Activation("softsign"), X / (1 + np.abs(X))),
        (Activation("exponential"), np.exp(X)),
        (Activation(None), X),
    ],
)
def test_formula(layer: Layer, expected: np.ndarray) -> None:
    np.testing.assert_allclose(layer.call(K, {}, X), expected, rtol=1e-5, atol=1e-6)


@given(slope=slopes)
def test_prelu_of_one_alpha_is_leaky(slope: float) -> None:
    alpha = np.full(X.shape, slope, "float32")
    np.testing.assert_allclose(PReLU().call(K, {"alpha": alpha}, X), LeakyReLU(slope).call(K, {}, X), rtol=1e-6)


@given(left=st.sampled_from([-1.5, 0.0, 0.5]), right=st.sampled_from([-2.0, 0.0, 1.5]), slope=slopes)
def test_srelu_is_three_lines(left: float, right: float, slope: float) -> None:
    w = {"t_left": left, "a_left": slope, "t_right": right, "a_right": 2.0}
    end = left + abs(right)
    middle = np.clip(X, left, end)
    expected = middle + slope * np.minimum(X - left, 0) + 2.0 * np.maximum(X - end, 0)
    np.testing.assert_allclose(SReLU().call(K, w, X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_softmax_sums_to_one_along_its_axis(axis: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    np.testing.assert_allclose(Softmax(axis).call(K, {}, x).sum(axis), 1.0, rtol=1e-6)


def test_softmax_of_a_matrix_goes_along_its_last_axis_whatever_axis_says() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    np.testing.assert_array_equal(Softmax(0).call(K, {}, x), Softmax(-1).call(K, {}, x))


@pytest.mark.parametrize("name", ["swish", {"class_name": "PReLU", "config": {}}, 3])
def test_what_is_no_known_name_is_refused_with_the_known(name: object) -> None:
    with pytest.raises(KconvertError, match=r"unknown activation .*; one of: linear, relu"):
        activation(name)


# ------------------------------------------------------- configuration, shapes ----


@pytest.mark.parametrize(
    "layer",
    [
        Activation("relu"),
        ReLU(6.0, 0.1, 0.5),
        LeakyReLU(),
        ELU(2.0),
        ThresholdedReLU(),
        ThresholdedLinear(0.5),
        Softmax(1),
        PReLU(shared_axes=(1, 2)),
        ParametricSoftplus(0.3),
        SReLU(shared_axes=[1]),
    ],
)
def test_configuration_round_trips(layer: Layer) -> None:
    layer.name = "some"
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


def test_shared_axes_have_size_one() -> None:
    (alpha,) = PReLU(shared_axes=[1, 2]).weight_specs((None, None, 9, 4))
    assert (alpha.name, alpha.shape, alpha.role.axes) == ("alpha", (1, 1, 4), "abc")


def test_a_parameter_of_unknown_size_is_refused() -> None:
    with pytest.raises(KconvertError, match="needs to know axis 1"):
        PReLU(name="p").weight_specs((None, None, 4))


# --------------------------------------------------------- what Keras computed ----


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"exponential"}))
def test_named_activations_as_keras_2(case, name: str) -> None:
    case("2.3.1-tensorflow/dense_all_activations").check(f"dense_{name}")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("dense_exponential", "dense_1"),
        ("conv_relu_all_tf", "re_lu_1"),
        ("conv_prelu_shared_rows_tf", "p_re_lu_1"),
        ("softmax_axis_1_tf", "softmax_1"),
    ],
)
def test_layers_as_keras_2(case, path: str, name: str) -> None:
    case(f"2.3.1-tensorflow/{path}").check(name)


@pytest.mark.parametrize(
    ("path", "name", "layer"),
    [
        ("dense_prelu_srelu_psoftplus", "prelu_1", PReLU()),
        ("dense_prelu_srelu_psoftplus", "srelu_1", SReLU()),
        ("dense_prelu_srelu_psoftplus", "parametricsoftplus_1", ParametricSoftplus()),
        ("dense_prelu_srelu_psoftplus", "leakyrelu_1", LeakyReLU(0.3)),
        ("conv_srelu_shared_th", "srelu_1", SReLU(shared_axes=[2, 3])),
    ],
)
def test_layers_as_keras_1(case, path: str, name: str, layer: Layer) -> None:
    case(f"1.2.2-theano/{path}").check(name, layer)


def test_thresholded_linear_as_keras_0(case) -> None:
    case("0.3.3-theano/conv_thresholdedlinear_th").check("layer_1", ThresholdedLinear(0.5))
