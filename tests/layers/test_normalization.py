"""BatchNormalization: its weights, its modes, and what real Keras computed."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.layers.normalization import BatchNormalization

X = np.random.default_rng(0).normal(3, 2, size=(4, 5, 6)).astype("float32")


def test_configuration_round_trips_without_the_mode_of_keras_1() -> None:
    config = BatchNormalization(1, epsilon=1e-2, mode=2, name="bn").stored_config()
    assert "mode" not in config
    assert BatchNormalization.from_config(config).stored_config() == config


@pytest.mark.parametrize(
    ("scale", "center", "names"),
    [
        (True, True, ["gamma", "beta", "moving_mean", "moving_variance"]),
        (False, True, ["beta", "moving_mean", "moving_variance"]),
        (True, False, ["gamma", "moving_mean", "moving_variance"]),
        (False, False, ["moving_mean", "moving_variance"]),
    ],
)
def test_weights_are_vectors_of_the_axis(scale: bool, center: bool, names: list[str]) -> None:
    weights = BatchNormalization(1, scale=scale, center=center).weight_specs((None, 5, None))
    assert [w.name for w in weights] == names
    assert {w.shape for w in weights} == {(5,)}
    assert [w.trainable for w in weights] == [not w.name.startswith("moving") for w in weights]


def test_the_axis_has_to_be_known() -> None:
    with pytest.raises(KconvertError, match="needs to know axis -1"):
        BatchNormalization().weight_specs((None, 5, None))


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_with_the_true_moments_every_index_of_the_axis_is_normal(run, axis: int) -> None:
    others = tuple(i for i in range(3) if i != axis % 3)
    moments = {"moving_mean": X.mean(others), "moving_variance": X.var(others)}
    y = run(BatchNormalization(axis, epsilon=1e-9, scale=False, center=False), X, **moments)
    np.testing.assert_allclose(y.mean(others), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(others), 1, rtol=1e-5)


@pytest.mark.parametrize(("mode", "axes"), [(1, (2,)), (2, (0, 1))])
def test_modes_of_keras_1_take_their_own_moments(run, mode: int, axes: tuple[int, ...]) -> None:
    weights = {"moving_mean": np.full(6, 9.0), "moving_variance": np.full(6, 9.0)}
    y = run(BatchNormalization(mode=mode, epsilon=1e-9, scale=False, center=False), X, **weights)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axes), 1, rtol=1e-5)


@pytest.mark.parametrize("path", ["dense_bn", "conv_bn_axis_1_tf", "conv_bn_noscale_nocenter_th"])
def test_as_keras_2(case, path: str) -> None:
    case(f"2.3.1-tensorflow/{path}").check("batch_normalization_1")


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("dense_bn_mode1", BatchNormalization(mode=1)),
        ("dense_bn_mode2", BatchNormalization(mode=2)),
        ("conv_bn_mode2_th", BatchNormalization(1, mode=2)),
    ],
)
def test_as_keras_1(case, path: str, layer: BatchNormalization) -> None:
    case(f"1.2.2-theano/{path}").check("batchnormalization_1", layer)
