"""The functions of `keras.utils.test_utils`: data for a training, and a check of a layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...backend.float_settings import floatx
from ...errors import KconvertError, Problem
from ...layers.inputs import Input
from ...models.model import Model
from . import backend

_RTOL = 1e-3
"""How far outputs may lie from what is expected, relative to it."""


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: Sequence[int] = (10,),
    output_shape: Sequence[int] = (2,),
    classification: bool = True,
    num_classes: int = 2,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Random samples that a model can learn, for training and for testing: ((x, y), (x, y)).

    classification: whether y are integer classes (samples,), below num_classes; otherwise numbers (samples,
    *output_shape). The inputs of a sample are normal numbers around its class, or around the mean of its numbers.
    """
    samples = num_train + num_test
    mean = np.random.randint(0, num_classes, samples) if classification else np.random.random(samples)
    sizes = [math.prod(input_shape), 0 if classification else math.prod(output_shape)]
    numbers = np.random.normal(mean[:, None], 0.7, (samples, sum(sizes))).astype(floatx())
    x = numbers[:, : sizes[0]].reshape(samples, *input_shape)
    y = mean if classification else numbers[:, sizes[0] :].reshape(samples, *output_shape)
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


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

    The layer is put into a model, made again from its configuration, and trained for one batch. Raises KconvertError
    where an output has another shape, dtype or value than the layer states, or than it is expected.
    """
    layer = layer_cls(**(kwargs or {}))
    x, symbol, output = called(
        layer, Input, input_shape, input_dtype, input_data, expected_output_dtype, fixed_batch_size
    )
    shape = tuple(input_shape or x.shape)
    model = Model(symbol, output)
    y = checked_output(layer, model, x, shape, expected_output)
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    check(np.allclose(again.predict(x), y, _RTOL), layer, "configuration makes another layer")
    model.compile("rmsprop", "mse")
    model.train_on_batch(x, y)
    type(layer).from_config({**layer.get_config(), "batch_input_shape": shape})
    return y


def checked_output(layer: Any, model: Any, x: np.ndarray, shape: tuple[int | None, ...], expected: Any) -> np.ndarray:
    """What `model` predicts for `x`.

    Raises KconvertError where it has another shape than `layer` states for inputs of `shape`, or other values.
    """
    y: np.ndarray = model.predict(x)
    stated = layer.compute_output_shape(shape)
    check(all(n in (None, m) for n, m in zip(stated, y.shape, strict=True)), layer, f"output has the shape {y.shape}")
    check(expected is None or np.allclose(y, expected, _RTOL), layer, "output has other values")
    return y


def samples(shape: Sequence[int | None], dtype: Any) -> np.ndarray:
    """Random numbers below 10 of a type, by default float32; sizes that are not known are 1 to 3."""
    sizes = [np.random.randint(1, 4) if n is None else n for n in shape]
    return (10 * np.random.random(sizes)).astype(dtype or floatx())


def check(agrees: Any, layer: Any, what: str) -> None:
    if not agrees:
        raise KconvertError(f"its {what}", f"layer {layer.name}", problem=Problem.USAGE)


def called(
    layer: Any,
    new_input: Callable[..., Any],
    input_shape: Sequence[int | None] | None,
    input_dtype: Any,
    input_data: Any,
    expected_output_dtype: Any,
    fixed_batch_size: bool,
) -> tuple[Any, Any, Any]:
    """The data for a layer, the symbol of its input, and that of its output.

    new_input: `Input` of the dialect. The other parameters are those of `layer_test`. Raises KconvertError where the
    output has another dtype than it is expected.
    """
    layer.set_weights(layer.get_weights())
    x = samples(input_shape or (), input_dtype) if input_data is None else input_data
    shape, dtype = tuple(input_shape or x.shape), input_dtype or (floatx() if input_data is None else x.dtype)
    size = {"batch_shape": shape} if fixed_batch_size else {"shape": shape[1:]}
    symbol = new_input(**size, dtype=str(dtype))
    output = layer(symbol)
    check(backend.dtype(output) == str(expected_output_dtype or dtype), layer, "output has another dtype")
    return x, symbol, output
