"""Embedding: shapes, masks, and what real Keras computed."""

from __future__ import annotations

import numpy as np
import pytest

from kconvert.backend.numpy_backend import NumpyBackend
from kconvert.conventions.generations import Convention
from kconvert.conventions.storage import storage
from kconvert.errors import KconvertError
from kconvert.layers.embeddings import Embedding

K = NumpyBackend()


@pytest.mark.parametrize("length", [None, 6, (2, 3)])
def test_configuration_round_trips(length: object) -> None:
    config = Embedding(10, 4, input_length=length, dropout=0.5, name="e").stored_config()
    assert "dropout" not in config
    assert Embedding.from_config(config).stored_config() == config


@pytest.mark.parametrize(("length", "expected"), [(None, (None, None)), (6, (None, 6)), ((2, None), (None, 2, None))])
def test_the_input_is_as_long_as_the_layer_says(length: object, expected: tuple) -> None:
    assert Embedding(10, 4, input_length=length).batch_input_shape == expected


@pytest.mark.parametrize(
    ("length", "shape", "expected"),
    [
        (None, (None, None), (None, None, 4)),
        (None, (None, 6), (None, 6, 4)),
        (6, (None, None), (None, 6, 4)),
        ((2, None), (8, 2, 3), (8, 2, 3, 4)),
    ],
)
def test_output_shape(length: object, shape: tuple, expected: tuple) -> None:
    assert Embedding(10, 4, input_length=length).compute_output_shape(shape) == expected


@pytest.mark.parametrize("shape", [(None, 5), (None, 6, 2)])
def test_an_input_of_another_length_is_refused(shape: tuple) -> None:
    with pytest.raises(KconvertError, match="layer e: input_length is 6"):
        Embedding(10, 4, input_length=6, name="e").compute_output_shape(shape)


def test_rows_of_the_table_at_integers_of_any_type(run) -> None:
    table = np.arange(12, dtype="float32").reshape(4, 3)
    x = np.array([[3, 0], [1, 1]])
    for dtype in ("int32", "float32"):
        np.testing.assert_array_equal(run(Embedding(4, 3), x.astype(dtype), embeddings=table), table[x])


def test_zero_is_masked_if_wanted() -> None:
    x = np.array([[3, 0, 1]])
    np.testing.assert_array_equal(Embedding(4, 3, mask_zero=True).compute_mask(K, x), [[True, False, True]])
    assert Embedding(4, 3).compute_mask(K, x, np.ones((1, 3), bool)) is None


def test_as_keras_2(case) -> None:
    case("2.3.1-tensorflow/embedding").check("embedding_1")


def test_keras_0_scales_the_table_when_it_does_not_train(case) -> None:
    """The canonical table is the stored one multiplied by 1 - dropout."""
    layer = Embedding(10, 4, input_length=6, dropout=0.25)
    case("0.3.3-theano/embedding_dropout").check("layer_0", layer)
    for form, op in (("keras0", "multiply by 0.75"), ("keras1", "as is"), ("keras2", "as is")):
        (stored,) = storage(layer.weight_specs((None, 6)), Convention(form, "theano"))
        assert str(stored.chain) == op
