"""The functions of `keras.utils.test_utils` of Keras 1.2.2: data for a training, and a check of a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...keras.own import testing
from .layers import Input
from .loading import model_from_json
from .models import Model, Sequential


def get_test_data(
    nb_train: int = 1000,
    nb_test: int = 500,
    input_shape: Sequence[int] = (10,),
    output_shape: Sequence[int] = (2,),
    classification: bool = True,
    nb_class: int = 2,
) -> Any:
    """Random samples that a model can learn: see `get_test_data` of Keras 2."""
    return testing.get_test_data(nb_train, nb_test, input_shape, output_shape, classification, nb_class)


def keras_test(func: Callable[..., Any]) -> Callable[..., Any]:
    """`func` as it is: there are no sessions of TensorFlow, which Keras 1 clears after it."""
    return func


def layer_test(
    layer_cls: Any,
    kwargs: Mapping[str, Any] | None = None,
    input_shape: Sequence[int | None] | None = None,
    input_dtype: Any = None,
    input_data: Any = None,
    expected_output: Any = None,
    expected_output_dtype: Any = None,
    fixed_batch_size: bool = False,
) -> np.ndarray:
    """The output of the layer `layer_cls(**kwargs)` for `input_data`, by default for random numbers.

    The layer is put into a functional model and, made again from its configuration, into a Sequential. Raises
    KconvertError where an output has another shape, dtype or value than the layer states, or than it is expected.
    """
    layer = layer_cls(**(kwargs or {}))
    x, symbol, output = testing.called(
        layer, Input, input_shape, input_dtype, input_data, expected_output_dtype, fixed_batch_size
    )
    shape = tuple(input_shape or x.shape)
    model = Model(input=symbol, output=output)
    y = testing.checked_output(layer, model, x, shape, expected_output)
    Model.from_config(model.get_config()).compile("rmsprop", "mse")
    again = type(layer).from_config({**layer.get_config(), "batch_input_shape": shape})
    alone = Sequential([again])
    alone.compile("rmsprop", "mse")
    testing.checked_output(again, alone, x, shape, expected_output)
    model_from_json(alone.to_json())
    return y
