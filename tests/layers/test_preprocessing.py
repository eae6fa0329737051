"""Normalization and Rescaling: what their arrays must fit, and the least deviation."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.errors import KconvertError
from kconvert.layers import Normalization, Rescaling


def test_the_least_deviation(run) -> None:
    """Measured with tf_keras 2.21."""
    x = np.float32([[1.0, 2.0]])
    np.testing.assert_allclose(run(Normalization(mean=[1.0, 1.0], variance=0.0), x), [[0.0, 1e7]], rtol=1e-6)


def test_integers_are_taken(run) -> None:
    x = np.array([[0, 255]], "uint8")
    np.testing.assert_allclose(run(Rescaling(1 / 127.5, -1), x), [[-1, 1]], rtol=1e-6)
    np.testing.assert_allclose(run(Normalization(mean=1, variance=4), x), [[-0.5, 127]], rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (Rescaling([1.0, 2.0]), r"scale of shape \(2,\) does not broadcast to \(None, 3\)"),
        (Rescaling(1.0, np.ones((1, 1, 3))), "offset of shape"),
        (Normalization(mean=[1.0, 2.0], variance=1.0), r"mean of shape \(2,\) does not broadcast to \(3,\)"),
        (Normalization(2), "axis 2 is not one of 2 axes"),
        (Normalization([1, -1]), "names an axis twice"),
    ],
)
def test_what_does_not_fit_is_refused(layer, named: str) -> None:
    with pytest.raises(KconvertError, match=named):
        layer.compute_output_shape((None, 3))
        layer.weight_specs((None, 3))


def test_a_mean_without_a_variance_is_refused() -> None:
    with pytest.raises(KconvertError, match="both a mean and a variance"):
        Normalization(mean=1.0)
