"""The reference backend: plain NumPy, which emulates Theano or TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..conventions.backends import BACKENDS, CHANNELS_LAST, same_padding
from ..errors import KconvertError, Problem
from . import noise
from .base import (
    Backend,
    BuildOutputs,
    BuildOutputsAndUpdates,
    Compiled,
    InputSpec,
    Size,
    Step,
    Tensor,
    Variable,
)
from .float_settings import floatx
from .spatial import batch_dot_subscripts, dilated_sizes, in_groups, move_channels

Pairs = list[tuple[int, int]]
_erf = np.frompyfunc(math.erf, 1, 1)


class NumpyBackend(Backend):
    """Keras on NumPy, with the kernels and the padding 'same' of the framework that it emulates.

    convention: the framework to emulate, 'tensorflow' or 'theano'.

    It also computes, by the same formulas, what Keras on that framework refuses. Theano: even kernels in a transposed
    'same' convolution, bilinear factors other than 2. TensorFlow: padding 'full'.
    """

    name = "numpy"

    def __init__(self, convention: str = "tensorflow") -> None:
        if convention not in BACKENDS:
            raise KconvertError(
                f"unknown convention {convention!r}", fix=f"one of: {', '.join(BACKENDS)}", problem=Problem.USAGE
            )
        self.convention = convention

    # ------------------------------------------------------------- running ----

    def variable(self, array: np.ndarray, name: str = "") -> Variable:
        return [np.array(array)]

    def value(self, variable: Variable) -> np.ndarray:
        return variable[0].copy()

    def assign(self, variable: Variable, array: np.ndarray) -> None:
        variable[0] = np.array(array, variable[0].dtype)

    def compile_reading(
        self, build: BuildOutputs, inputs: Sequence[InputSpec], variables: Sequence[Variable]
    ) -> Compiled:
        return self.compile_updating(lambda values, given: (build(values, given), {}), inputs, variables)

    def compile_updating(
        self,
        build: BuildOutputsAndUpdates,
        inputs: Sequence[InputSpec],
        variables: Sequence[Variable],
        jit_compile: bool = False,
    ) -> Compiled:
        def run(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            given = [np.asarray(x, spec.dtype) for x, spec in zip(arrays, inputs, strict=True)]
            with np.errstate(all="ignore"):  # infinities and NaN without a warning, as in the frameworks
                outputs, updates = build([array for (array,) in variables], given)
            for i, new in updates.items():
                self.assign(variables[i], new)
            return [np.asarray(y) for y in outputs]

        return run

    def gradients(self, y: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
        raise KconvertError("NumPy has no gradients, so it does not train", fix="train on theano or tensorflow")

    def stop_gradient(self, x: Tensor) -> Tensor:
        return x

    def version(self) -> str:
        return np.__version__

    # -------------------------------------------------------------- shapes ----

    def shape(self, x: Tensor) -> tuple[Size, ...]:
        return np.shape(x)

    def ndim(self, x: Tensor) -> int:
        return np.ndim(x)

    def reshape(self, x: Tensor, shape: Sequence[Size]) -> Tensor:
        return np.reshape(x, tuple(shape))

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        return np.transpose(x, axes)

    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        return np.expand_dims(x, axis)

    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        return np.squeeze(x, axis)

    def concatenate(self, tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
        return np.concatenate(tensors, axis)

    def split(self, x: Tensor, parts: int, axis: int = -1) -> list[Tensor]:
        return np.split(x, parts, axis)

    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        return np.stack(tensors, axis)

    def repeat(self, x: Tensor, times: int, axis: int) -> Tensor:
        return np.repeat(x, times, axis)

    def flip(self, x: Tensor, axis: int) -> Tensor:
        return np.flip(x, axis)

    def pad(self, x: Tensor, padding: Sequence[tuple[int, int]]) -> Tensor:
        return np.pad(x, padding)

    def zeros(self, shape: Sequence[Size], dtype: str | None = None) -> Tensor:
        return np.zeros(tuple(shape), dtype or floatx())

    def constant(self, value: Any, dtype: str | None = None) -> Tensor:
        return np.asarray(value, dtype or floatx())

    def arange(self, size: Size) -> Tensor:
        return np.arange(size, dtype="int32")

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return np.asarray(x).astype(dtype)

    # --------------------------------------------------------- elementwise ----

    def exp(self, x: Tensor) -> Tensor:
        return np.exp(x)

    def log(self, x: Tensor) -> Tensor:
        return np.log(x)

    def sqrt(self, x: Tensor) -> Tensor:
        return np.sqrt(x)

    def abs(self, x: Tensor) -> Tensor:
        return np.abs(x)

    def sign(self, x: Tensor) -> Tensor:
        return np.sign(x)

    def round(self, x: Tensor) -> Tensor:
        return np.round(x)

    def tanh(self, x: Tensor) -> Tensor:
        return np.tanh(x)

    def sin(self, x: Tensor) -> Tensor:
        return np.sin(x)

    def cos(self, x: Tensor) -> Tensor:
        return np.cos(x)

    def erf(self, x: Tensor) -> Tensor:
        return np.asarray(_erf(x), x.dtype)

    def sigmoid(self, x: Tensor) -> Tensor:
        return 0.5 * np.tanh(0.5 * x) + 0.5

    def softplus(self, x: Tensor) -> Tensor:
        return np.logaddexp(x, np.zeros_like(x))

    def relu(self, x: Tensor) -> Tensor:
        return np.maximum(x, 0)

    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        return np.maximum(x, y)

    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        return np.minimum(x, y)

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        return np.clip(x, low, high)

    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        return np.equal(x, y)

    def not_equal(self, x: Tensor, y: Tensor) -> Tensor:
        return np.not_equal(x, y)

    def greater(self, x: Tensor, y: Tensor) -> Tensor:
        return np.greater(x, y)

    def logical_and(self, x: Tensor, y: Tensor) -> Tensor:
        return np.logical_and(x, y)

    def logical_or(self, x: Tensor, y: Tensor) -> Tensor:
        return np.logical_or(x, y)

    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return np.where(condition, x, y)

    # ---------------------------------------------------------- reductions ----

    def sum(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return np.sum(x, _axes(axis), self._type_of_sums(x), keepdims=keepdims)

    def mean(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return np.mean(x, _axes(axis), keepdims=keepdims)

    def prod(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return np.prod(x, _axes(axis), self._type_of_sums(x), keepdims=keepdims)

    def _type_of_sums(self, x: Tensor) -> Any:
        """The type of the sum of `x`, where that of NumPy is another one."""
        known = np.asarray(x).dtype
        return known if known.kind in "iu" and not self.facts.long_sums else None

    def cumsum(self, x: Tensor, axis: int) -> Tensor:
        return np.cumsum(x, axis)

    def cumprod(self, x: Tensor, axis: int) -> Tensor:
        return np.cumprod(x, axis)

    def max(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return np.max(x, _axes(axis), keepdims=keepdims)

    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        return np.argmax(x, axis).astype("int32")

    def any(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return np.any(x, _axes(axis), keepdims=keepdims)

    def all(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return np.all(x, _axes(axis), keepdims=keepdims)

    # ------------------------------------------------------ linear algebra ----

    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        return np.dot(x, y)

    def batch_dot(self, x: Tensor, y: Tensor, axes: tuple[int, int]) -> Tensor:
        result = np.einsum(batch_dot_subscripts(x.ndim, y.ndim, axes), x, y)
        return result if result.ndim > 1 else result[:, None]

    def gather(self, table: Tensor, indices: Tensor) -> Tensor:
        return np.take(table, indices, axis=0)

    def softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        weights = np.exp(x - np.max(x, axis, keepdims=True))
        return weights / np.sum(weights, axis, keepdims=True)

    def identity(self, x: Tensor) -> Tensor:
        return x

    def input_of(self, y: Tensor, function: str) -> Tensor | None:
        return None

    # --------------------------------------------------------- convolution ----

    def conv(
        self,
        x: Tensor,
        kernel: Tensor,
        strides: tuple[int, ...],
        padding: str,
        data_format: str,
        dilation: tuple[int, ...],
        groups: int = 1,
    ) -> Tensor:
        if groups > 1:
            return in_groups(self, x, kernel, strides, padding, data_format, dilation, groups)
        rank = x.ndim - 2
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        window = dilated_sizes(kernel.shape[:rank], dilation)
        pairs = _pairs(self.facts.conv_padding, x.shape[1:-1], window, strides, padding)
        windows = _windows(_padded(x, pairs, 0), window, strides, dilation)
        taps, space = range(rank + 1, 2 * rank + 2), range(rank)
        y = np.tensordot(windows, self._applied(kernel, rank), (taps, (rank, *space)))
        return move_channels(self, y, CHANNELS_LAST, data_format)

    def conv_transpose(
        self,
        x: Tensor,
        kernel: Tensor,
        output_size: tuple[int, ...],
        strides: tuple[int, ...],
        padding: str,
        data_format: str,
        dilation: tuple[int, ...],
    ) -> Tensor:
        rank = x.ndim - 2
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        sizes = kernel.shape[:rank]
        window = dilated_sizes(sizes, dilation)
        pairs = _pairs(self.facts.conv_padding, output_size, window, strides, padding)
        spans = [(n - 1) * s + 1 for n, s in zip(x.shape[1:-1], strides, strict=True)]
        room = [max(n + b, span + w - 1) for n, (b, _), span, w in zip(output_size, pairs, spans, window, strict=True)]
        y = np.zeros((x.shape[0], *room, kernel.shape[-2]), np.result_type(x, kernel))
        # Each tap of the kernel adds the whole input to the positions that a forward convolution would read with it.
        columns = np.tensordot(x, self._applied(kernel, rank), (-1, -1))
        for tap in product(*map(range, sizes)):
            starts = [t * d for t, d in zip(tap, dilation, strict=True)]
            place = [slice(b, b + span, s) for b, span, s in zip(starts, spans, strides, strict=True)]
            y[_inside(place)] += columns[(slice(None),) * (rank + 1) + tap]
        y = y[_inside([slice(b, b + n) for (b, _), n in zip(pairs, output_size, strict=True)])]
        return move_channels(self, y, CHANNELS_LAST, data_format)

    def depthwise_conv(
        self,
        x: Tensor,
        kernel: Tensor,
        strides: tuple[int, ...],
        padding: str,
        data_format: str,
        dilation: tuple[int, ...],
    ) -> Tensor:
        rank = x.ndim - 2
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        window = dilated_sizes(kernel.shape[:rank], dilation)
        pairs = _pairs(self.facts.conv_padding, x.shape[1:-1], window, strides, padding)
        windows = _windows(_padded(x, pairs, 0), window, strides, dilation)
        space = "hw"[:rank]
        y = np.einsum(f"...c{space},{space}cm->...cm", windows, kernel)
        y = y.reshape(*y.shape[:-2], -1)
        return move_channels(self, y, CHANNELS_LAST, data_format)

    def pool(
        self, x: Tensor, size: tuple[int, ...], strides: tuple[int, ...], padding: str, data_format: str, mode: str
    ) -> Tensor:
        rank = x.ndim - 2
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        pairs = _pairs(self.facts.pool_padding, x.shape[1:-1], size, strides, padding)
        taps = tuple(range(-rank, 0))

        def windows(values: Tensor, fill: float) -> Tensor:
            return _windows(_padded(values, pairs, fill), size, strides, (1,) * rank)

        if mode == "max":
            y = windows(x, -np.inf).max(taps)
        else:
            y = windows(x, 0).sum(taps) / windows(np.ones_like(x[:1, ..., :1]), 0).sum(taps)
        return move_channels(self, y, CHANNELS_LAST, data_format)

    def resize_bilinear(self, x: Tensor, factors: tuple[int, int], data_format: str) -> Tensor:
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        for axis, factor in enumerate(factors, 1):
            # Element i of the result lies at position i / factor of the source; the last element is repeated.
            lower, part = np.divmod(np.arange(x.shape[axis] * factor), factor)
            upper = np.minimum(lower + 1, x.shape[axis] - 1)
            share = (part / factor).astype(x.dtype).reshape(-1, *(1,) * (3 - axis))
            x = x.take(lower, axis) * (1 - share) + x.take(upper, axis) * share
        return move_channels(self, x, CHANNELS_LAST, data_format)

    def _applied(self, kernel: Tensor, rank: int) -> Tensor:
        """The kernel for a correlation: reversed along the spatial axes if the convention convolves."""
        return np.flip(kernel, range(rank)) if self.facts.convolves else kernel

    # --------------------------------------------------------------- noise ----

    def random_uniform(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        return noise.uniform(shape, seed).astype(floatx(), copy=False)

    def random_normal(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        return noise.normal(shape, seed).astype(floatx(), copy=False)

    def fresh_seed(self, seed: int | None = None) -> Tensor:
        return noise.fresh_seed(noise.series(seed))

    # ----------------------------------------------------------- recurrence ----

    def rnn(
        self,
        step: Step,
        inputs: Tensor,
        states: list[Tensor],
        mask: Tensor | None = None,
        go_backwards: bool = False,
        unroll: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        outputs: list[Tensor] = []
        times = range(inputs.shape[1])
        for t in reversed(times) if go_backwards else times:
            output, new_states = step(inputs[:, t], states)
            if mask is not None:
                before = outputs[-1] if outputs else np.zeros_like(output)
                output = _keep(mask[:, t], output, before)
                new_states = [_keep(mask[:, t], new, old) for new, old in zip(new_states, states, strict=True)]
            outputs.append(output)
            states = new_states
        return outputs[-1], np.stack(outputs, 1), states


def _axes(axis: int | Sequence[int] | None) -> Any:
    """The axes of a reduction in the form that NumPy accepts."""
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


def _keep(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` for the samples whose mask (batch,) is true, else `old`."""
    return np.where(mask.reshape(-1, *(1,) * (new.ndim - 1)), new, old)


def _inside(space: Sequence[slice], taps: Sequence[slice] = ()) -> tuple[slice, ...]:
    """Slices of the spatial axes and the taps, as an index into (batch, spatial..., channels, taps...)."""
    return (slice(None), *space, slice(None), *taps)


def _pairs(
    before: Callable[[int, int, int], int],
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> Pairs:
    """Padding (before, after) of each spatial axis.

    before: the rule of the convention for 'same': (size, window, stride) -> number of elements before the first.
    """
    axes = zip(sizes, window, strides, strict=True)
    if padding == "same":
        return [same_padding(before(n, k, s), n, k, s) for n, k, s in axes]
    return [(k - 1, k - 1) if padding == "full" else (0, 0) for _, k, _ in axes]


def _padded(x: Tensor, pairs: Pairs, fill: float) -> Tensor:
    """`x` (batch, spatial..., channels) padded with `fill`; a negative number after the last element crops."""
    x = x[_inside([slice(n + min(after, 0)) for n, (_, after) in zip(x.shape[1:-1], pairs, strict=True)])]
    return np.pad(x, [(0, 0), *((b, max(a, 0)) for b, a in pairs), (0, 0)], constant_values=fill)


def _windows(x: Tensor, window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """Views (batch, positions..., channels, taps...) into x (batch, spatial..., channels)."""
    views = sliding_window_view(x, tuple(window), tuple(range(1, x.ndim - 1)))  # type: ignore[call-overload]
    return views[_inside([slice(None, None, s) for s in strides], [slice(None, None, d) for d in dilation])]
