"""Sizes and kernels of convolutions (`keras.utils.conv_utils`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...errors import KconvertError, Problem
from ...layers.options import integers
from ...layers.shapes import conv_length, one_of
from ...layers.shapes import deconv_length as _deconv_length


def normalize_tuple(value: int | Iterable[int], n: int, name: str) -> tuple[int, ...]:
    """`value` as `n` integers; one integer stands for all. Raises KconvertError for anything else.

    name: the word for `value` in messages.
    """
    if not isinstance(value, Iterable | int):
        raise KconvertError(f"{name} is {value!r}", fix=f"give {n} integers", problem=Problem.USAGE)
    return tuple(integers(value, n, name))


def normalize_padding(value: str) -> str:
    """`value` in lower case. Raises KconvertError for an unknown padding."""
    return str(one_of(value.lower(), ("valid", "same", "causal"), "padding"))


def convert_kernel(kernel: Any) -> np.ndarray:
    """A kernel (spatial..., in, out), reversed along its spatial axes. Raises KconvertError for other numbers of axes.

    Theano reverses kernels and TensorFlow does not, so this leads from one to the other.
    """
    array = np.asarray(kernel)
    if not 3 <= array.ndim <= 5:
        raise KconvertError(f"a kernel has 3 to 5 axes, not the shape {array.shape}", problem=Problem.USAGE)
    return np.flip(array, range(array.ndim - 2)).copy()


def conv_output_length(input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1) -> Any:
    """The length of the output of a convolution."""
    return conv_length(input_length, filter_size, padding, stride, dilation)


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """The length of the input of a convolution."""
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[one_of(padding, _PADDINGS, "padding")]
    return None if output_length is None else (output_length - 1) * stride - 2 * pad + filter_size


_PADDINGS = ("same", "valid", "full")


def deconv_length(
    dim_size: int | None,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> Any:
    """The length of the output of a transposed convolution."""
    return _deconv_length(dim_size, kernel_size, padding, stride_size, dilation, output_padding)
