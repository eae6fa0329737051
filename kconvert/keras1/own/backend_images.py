"""Convolutions, pooling and images of `keras.backend`, with the arguments of Keras 1.2.2.

In the ordering 'th', kernels have the axes (filters, channels, rows, columns), else (rows, columns, channels, filters).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Signature
from typing import Any

from ...errors import KconvertError, Problem
from ...keras.own import backend as later
from ...lazy_dataclasses import dataclass
from .settings import ORDERINGS, data_format_of
from .signatures import parameters_of

_SHAPES = ("image_shape", "filter_shape", "volume_shape")
"""Arguments that only help Theano to compile."""

_WORDS = {
    "X": "x",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "filter_dilation": "dilation_rate",
    "rate": "dilation_rate",
    "stride": "strides",
}
"""Arguments that have another name in Keras 2."""


@dataclass(frozen=True)
class _Row:
    """A function of Keras 1.2.2."""

    # Its arguments, as Python writes them.
    arguments: str
    # The function of Keras 2 that computes the same.
    later: str
    # Whether its kernel is that of a transposed convolution.
    transposed: bool = False
    # Arguments of the function of Keras 2 that have the same value for all calls.
    fixed: Mapping[str, Any] | None = None


_IMAGES = "border_mode='valid', dim_ordering='default', image_shape=None, filter_shape=None"
_ROWS: Mapping[str, _Row] = {
    "conv1d": _Row(
        "x, kernel, stride=1, border_mode='valid', image_shape=None, filter_shape=None",
        "conv1d",
        fixed={"data_format": "channels_last"},
    ),
    "conv2d": _Row(f"x, kernel, strides=(1, 1), {_IMAGES}, filter_dilation=(1, 1)", "conv2d"),
    "deconv2d": _Row(f"x, kernel, output_shape, strides=(1, 1), {_IMAGES}", "conv2d_transpose", transposed=True),
    "atrous_conv2d": _Row(f"x, kernel, rate=1, {_IMAGES}", "conv2d"),
    "separable_conv2d": _Row(
        "x, depthwise_kernel, pointwise_kernel, strides=(1, 1), border_mode='valid', dim_ordering='default'",
        "separable_conv2d",
    ),
    "conv3d": _Row(
        "x, kernel, strides=(1, 1, 1), border_mode='valid', dim_ordering='default', volume_shape=None, "
        "filter_shape=None, filter_dilation=(1, 1, 1)",
        "conv3d",
    ),
    "pool2d": _Row(
        "x, pool_size, strides=(1, 1), border_mode='valid', dim_ordering='default', pool_mode='max'", "pool2d"
    ),
    "pool3d": _Row(
        "x, pool_size, strides=(1, 1, 1), border_mode='valid', dim_ordering='default', pool_mode='max'", "pool3d"
    ),
    "resize_images": _Row("X, height_factor, width_factor, dim_ordering", "resize_images"),
    "resize_volumes": _Row("X, depth_factor, height_factor, width_factor, dim_ordering", "resize_volumes"),
    "spatial_2d_padding": _Row("x, padding=(1, 1), dim_ordering='default'", "spatial_2d_padding"),
    "spatial_3d_padding": _Row("x, padding=(1, 1, 1), dim_ordering='default'", "spatial_3d_padding"),
}


def _function(name: str, row: _Row) -> Callable[..., Any]:
    signature = Signature(parameters_of(row.arguments))
    computed = getattr(later, row.later)

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            what = f"K.{name} of Keras 1.2.2: {error}"
            raise KconvertError(what, fix=f"its arguments are {signature}", problem=Problem.USAGE) from None
        bound.apply_defaults()
        given = {_WORDS.get(word, word): value for word, value in bound.arguments.items() if word not in _SHAPES}
        if "data_format" in given:
            given["data_format"] = data_format_of(given["data_format"])
        ordering = ORDERINGS.get(given.get("data_format", ""), "tf")
        for word in [word for word in given if word.endswith("kernel")]:
            given[word] = _kernel(given[word], ordering, row.transposed)
        return computed(**given, **(row.fixed or {}))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`keras.backend.{row.later}` with the arguments of Keras 1.2.2."
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def _kernel(kernel: Any, ordering: str, transposed: bool) -> Any:
    """A kernel with its axes as in Keras 2: (spatial..., in, out), of a transposed convolution (spatial..., out, in).

    Keras 1.2.2 has the axes of a transposed one as those of others, with its filters as the outputs.
    """
    axes = list(range(later.ndim(kernel)))
    if ordering == "th":
        axes = [*axes[2:], 1, 0]
    if transposed:
        axes[-2:] = axes[:-3:-1]
    return kernel if axes == sorted(axes) else later.permute_dimensions(kernel, axes)  # type: ignore[attr-defined]


globals().update({name: _function(name, row) for name, row in _ROWS.items()})

# ------------------------------------------------------------------ padding ----


def temporal_padding(x: Any, padding: int = 1) -> Any:
    """Sequences with `padding` steps of zeros on both sides."""
    return later.temporal_padding(x, (padding, padding))  # type: ignore[attr-defined]


def asymmetric_temporal_padding(x: Any, left_pad: int = 1, right_pad: int = 1) -> Any:
    """Sequences with steps of zeros before and after."""
    return later.temporal_padding(x, (left_pad, right_pad))  # type: ignore[attr-defined]


def asymmetric_spatial_2d_padding(
    x: Any,
    top_pad: int = 1,
    bottom_pad: int = 1,
    left_pad: int = 1,
    right_pad: int = 1,
    dim_ordering: str = "default",
) -> Any:
    """Images with rows and columns of zeros."""
    sides = ((top_pad, bottom_pad), (left_pad, right_pad))
    return later.spatial_2d_padding(x, sides, data_format_of(dim_ordering))  # type: ignore[attr-defined]
