"""Activations: the formulas of Keras's documentation, and what real Keras computed."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kconvert as kc
from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.errors import KconvertError
from kconvert.layers import registry
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
    activation_name,
    gelu,
    is_elementwise,
)
from kconvert.layers.base import Layer
from tests.fixtures import FOLDER

K = NumpyBackend()
X = np.linspace(-8, 8, 65, dtype="float32")
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
        (Activation("relu6"), np.clip(X, 0, 6)),
        (Activation("silu"), X / (1 + np.exp(-X))),
        (Activation("gelu"), [x * NormalDist().cdf(float(x)) for x in X]),
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


@pytest.mark.parametrize("name", ["glu", {"class_name": "PReLU", "config": {}}, 3, ["relu"]])
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
    config = layer.stored_config()
    assert type(layer).from_config(config).stored_config() == config


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


# --------------------------------------------------------- of tf.keras and of users ----


def test_the_approximate_gelu_as_tensorflow() -> None:
    """The values that the documentation of `tf.keras.activations.gelu` shows."""
    found = gelu(K, np.float32([-3, -1, 0, 1, 3]), approximate=True)
    np.testing.assert_allclose(found, [-0.00363752, -0.15880796, 0.0, 0.841192, 2.9963627], atol=1e-6)


@pytest.mark.parametrize("name", ["model", "swish"])
def test_activations_that_keras_2_3_knew_from_its_user(name: str) -> None:
    folder = FOLDER / "field" / "custom_activation"
    with np.load(folder / "io.npz") as io:
        found = kc.load_model(folder / f"{name}.h5", "numpy").predict(io["x0"])
        assert np.isfinite(found).all()
        if name == "model":
            np.testing.assert_allclose(found, io["y0"], atol=1e-5)


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered function `halves`."""
    monkeypatch.setitem(registry.FUNCTIONS, "halves", registry.CustomFunction("halves", lambda K, x: 0.5 * x))


@pytest.mark.parametrize(
    "stated",
    ["halves", "Custom>halves", {"module": "builtins", "class_name": "function", "config": "halves"}],
)
def test_a_registered_function_is_an_activation_by_its_name(halves: None, stated: object) -> None:
    np.testing.assert_array_equal(Activation(stated).call(K, {}, X), 0.5 * X)
    assert not is_elementwise(stated), "the function may look at other elements"


def test_a_registered_function_comes_before_the_names_of_tf_keras_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("relu", "swish"):
        monkeypatch.setitem(registry.FUNCTIONS, name, registry.CustomFunction(name, lambda K, x: 0.0 * x))
    assert activation("relu")(K, X).any(), "a Lambda of that name says nothing about the activation of Keras"
    assert not activation("swish")(K, X).any()


def test_an_unknown_activation_says_how_to_register_it() -> None:
    with pytest.raises(KconvertError, match=r"kconvert.register_function\('mine'\)"):
        activation("mine")


def test_layers_as_activations() -> None:
    layer = {"module": "keras.layers", "class_name": "LeakyReLU", "config": {"alpha": 0.1}, "registered_name": None}
    np.testing.assert_allclose(activation(layer)(K, X), np.where(X > 0, X, 0.1 * X), rtol=1e-6)
    assert activation_name(layer) == "LeakyReLU"
    assert activation_name({"value": ["4wEAAAA=", None, None]}) == "<lambda>"
    assert is_elementwise(layer)
    assert not is_elementwise({"class_name": "Softmax", "config": {}})
