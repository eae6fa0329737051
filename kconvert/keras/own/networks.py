"""Functions of `keras.utils` on models, layers and symbols."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from ...conventions.backends import CHANNELS_FIRST, DATA_FORMATS
from ...errors import KconvertError
from ...layers import InputLayer as _InputLayer
from ...layers.calls import Symbol, calls_behind
from ...layers.shapes import one_of
from ...layers.wrappers import Wrapper
from ...network.network import Network
from . import backend
from .lengths import convert_kernel

_WITH_KERNELS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose")


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
) -> None:
    """Prints the layers of a model: see `Model.summary`."""
    model.summary(line_length, positions, print_fn)


def is_model(layer: Any) -> bool:
    """Whether a layer is a model."""
    return isinstance(layer, Network)


def is_wrapped_model(layer: Any) -> bool:
    """Whether a layer is a wrapper around a model."""
    return isinstance(layer, Wrapper) and isinstance(layer.layer, Network)


def count_params(weights: Iterable[Any]) -> int:
    """The number of elements of weights, each of which is counted once."""
    return sum(map(backend.count_params, {id(weight): weight for weight in weights}.values()))


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> Any:
    """The symbols of the inputs that a symbol is computed from; anything else as it is.

    layer, node_index: have no effect; a symbol knows its call.
    """
    if not isinstance(tensor, Symbol):
        return tensor
    ends = [call for call in calls_behind([tensor]) if isinstance(call.layer, _InputLayer)]
    return [symbol for call in calls_behind([tensor], ends) if call in ends for symbol in call.outputs]


def convert_all_kernels_in_model(model: Any) -> None:
    """Reverses the kernels of the convolutions of a model, as needed where another backend saved them.

    `load_weights` of kconvert does so itself.
    """
    for layer in model.layers:
        if layer.class_name in _WITH_KERNELS:
            kernel, *others = layer.get_weights()
            layer.set_weights([convert_kernel(kernel), *others])


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Sequence[int], target_data_format: str = "channels_first"
) -> None:
    """Orders the rows of the kernel of a Dense after a Flatten for features in another data format.

    previous_feature_map_shape: that of an image before the Flatten, in the data format `target_data_format`.
    Raises KconvertError for an unknown data format.
    """
    data_format = one_of(target_data_format, DATA_FORMATS, "data_format")
    kernel, *others = dense.get_weights()
    shape = tuple(previous_feature_map_shape)
    if data_format == CHANNELS_FIRST:
        before, order = (*shape[1:], shape[0]), (2, 0, 1, 3)
    else:
        before, order = (shape[-1], *shape[:-1]), (1, 2, 0, 3)
    rows = kernel.reshape(*before, -1).transpose(order).reshape(kernel.shape)
    dense.set_weights([rows, *others])


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """`arrays[start:stop]`, or the samples with the indices `start`; of a list of arrays the same of each.

    None in a list stays None; for None alone the result is [None].
    """
    if arrays is None:
        return [None]
    if isinstance(arrays, list):
        return [None if array is None else _slice(array, start, stop) for array in arrays]
    return _slice(arrays, start, stop)


def _slice(array: Any, start: Any, stop: int | None) -> Any:
    if hasattr(start, "__len__"):
        return array[np.asarray(start).tolist()]
    return array[start:stop]


def multi_gpu_model(model: Any, gpus: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises KconvertError: kconvert runs a model on one device."""
    raise KconvertError(
        "multi_gpu_model copies a model to several GPUs, and kconvert runs a model on one device",
        fix="train the model itself: it has the same weights and losses",
    )
