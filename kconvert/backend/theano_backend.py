"""Theano 1.0.5 as Keras used it: true convolution, channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..conventions.backends import CHANNELS_FIRST
from ..errors import KconvertError
from . import theano_compat, theano_compiling, theano_noise
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
    check_connected,
)
from .float_settings import floatx
from .quiet import quiet_run
from .spatial import move_channels, unit_axis
from .theano_sizes import known_sizes, sized

theano = theano_compat.load()
T = theano.tensor

_BORDER_MODES = {"valid": "valid", "same": "half", "full": "full"}
_POOL_MODES = {"max": "max", "average": "average_exc_pad"}


class TheanoBackend(Backend):
    """Keras on Theano."""

    name = "theano"
    convention = "theano"

    # ------------------------------------------------------------- running ----

    def variable(self, array: np.ndarray, name: str = "") -> Variable:
        return theano.shared(np.array(array), name or None, broadcastable=tuple(n == 1 for n in np.shape(array)))

    def value(self, variable: Variable) -> np.ndarray:
        return variable.get_value()

    def assign(self, variable: Variable, array: np.ndarray) -> None:
        variable.set_value(np.asarray(array, variable.dtype))

    def compile_reading(
        self, build: BuildOutputs, inputs: Sequence[InputSpec], variables: Sequence[Variable]
    ) -> Compiled:
        with theano_compiling.compiling():
            return self._compile(lambda values, given: (build(values, given), {}), inputs, variables)

    def compile_updating(
        self,
        build: BuildOutputsAndUpdates,
        inputs: Sequence[InputSpec],
        variables: Sequence[Variable],
        jit_compile: bool = False,
    ) -> Compiled:
        with theano_compiling.compiling(many_runs=True):
            return self._compile(build, inputs, variables)

    def _compile(
        self, build: BuildOutputsAndUpdates, inputs: Sequence[InputSpec], variables: Sequence[Variable]
    ) -> Compiled:
        """The graph that `build` makes, compiled in the mode of `theano_compiling`; updates go to the variables."""
        placeholders = [_placeholder(spec) for spec in inputs]
        with quiet_run(), theano.change_flags(floatX=floatx()):
            outputs, updates = build(list(variables), placeholders)
            compiled = theano.function(
                placeholders,
                [T.as_tensor_variable(y) for y in outputs],
                updates=[(variables[i], _as(variables[i], new)) for i, new in updates.items()],
                mode=theano_compiling.mode(),
                on_unused_input="ignore",
            )
        compiled.trust_input = True

        def run(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            given = [np.asarray(x, spec.dtype) for x, spec in zip(arrays, inputs, strict=True)]
            with quiet_run(), np.errstate(all="ignore"):  # numbers as in Theano's C++
                return [np.asarray(y) for y in compiled(*given)]

        return run

    def gradients(self, y: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
        options = {"disconnected_inputs": "ignore", "return_disconnected": "None"}
        known = zip(check_connected(theano.grad(y, list(tensors), **options)), tensors, strict=True)
        found = [T.zeros_like(x) if gradient is None else gradient for gradient, x in known]
        return [sized(gradient, self.shape(x)) for gradient, x in zip(found, tensors, strict=True)]

    def stop_gradient(self, x: Tensor) -> Tensor:
        return sized(theano.gradient.disconnected_grad(x), self.shape(x))

    def version(self) -> str:
        return theano.__version__

    # -------------------------------------------------------------- shapes ----

    def shape(self, x: Tensor) -> tuple[Size, ...]:
        return tuple(x.shape[axis] if n is None else n for axis, n in enumerate(known_sizes(x)))

    def ndim(self, x: Tensor) -> int:
        return x.ndim

    def reshape(self, x: Tensor, shape: Sequence[Size]) -> Tensor:
        y = T.reshape(x, tuple(shape), ndim=len(shape))
        known = [n if isinstance(n, int) and n >= 0 else found for n, found in zip(shape, known_sizes(y), strict=True)]
        return sized(y, known)

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        return x.dimshuffle(*axes)

    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        order: list[int | str] = list(range(x.ndim))
        order.insert(axis % (x.ndim + 1), "x")
        return x.dimshuffle(*order)

    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        return x[(slice(None),) * (axis % x.ndim) + (0,)]

    def concatenate(self, tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
        return T.concatenate(tensors, axis)

    def split(self, x: Tensor, parts: int, axis: int = -1) -> list[Tensor]:
        axis = axis % x.ndim
        sizes = list(self.shape(x))
        sizes[axis] //= parts
        return [sized(y, sizes) for y in T.split(x, [sizes[axis]] * parts, parts, axis)]

    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        return T.stack(tensors, axis)

    def repeat(self, x: Tensor, times: int, axis: int) -> Tensor:
        sizes = list(self.shape(x))
        sizes[axis] *= times
        return sized(T.repeat(x, times, axis % x.ndim), sizes)

    def flip(self, x: Tensor, axis: int) -> Tensor:
        return sized(x[(slice(None),) * (axis % x.ndim) + (slice(None, None, -1),)], self.shape(x))

    def pad(self, x: Tensor, padding: Sequence[tuple[int, int]]) -> Tensor:
        sizes = self.shape(x)
        frame = T.zeros([n + before + after for n, (before, after) in zip(sizes, padding, strict=True)], x.dtype)
        inside = tuple(slice(before, before + n) for n, (before, _) in zip(sizes, padding, strict=True))
        return T.set_subtensor(frame[inside], x)

    def zeros(self, shape: Sequence[Size], dtype: str | None = None) -> Tensor:
        return T.zeros(tuple(shape), dtype or floatx())

    def constant(self, value: Any, dtype: str | None = None) -> Tensor:
        return T.constant(np.asarray(value, dtype or floatx()))

    def arange(self, size: Size) -> Tensor:
        return T.arange(size, dtype="int32")

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return T.neq(x, 0) if dtype == "bool" and x.dtype != "bool" else T.cast(x, dtype)

    # --------------------------------------------------------- elementwise ----

    def exp(self, x: Tensor) -> Tensor:
        return T.exp(x)

    def log(self, x: Tensor) -> Tensor:
        return T.log(x)

    def sqrt(self, x: Tensor) -> Tensor:
        return T.sqrt(x)

    def abs(self, x: Tensor) -> Tensor:
        return T.abs_(x)

    def sign(self, x: Tensor) -> Tensor:
        return T.sgn(x)

    def round(self, x: Tensor) -> Tensor:
        return T.round(x, "half_to_even")

    def tanh(self, x: Tensor) -> Tensor:
        return T.tanh(x)

    def sin(self, x: Tensor) -> Tensor:
        return T.sin(x)

    def cos(self, x: Tensor) -> Tensor:
        return T.cos(x)

    def erf(self, x: Tensor) -> Tensor:
        return T.erf(x)

    def sigmoid(self, x: Tensor) -> Tensor:
        return T.nnet.sigmoid(x)

    def softplus(self, x: Tensor) -> Tensor:
        return T.nnet.softplus(x)

    def relu(self, x: Tensor) -> Tensor:
        return T.maximum(x, 0.0)

    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        return T.maximum(x, y)

    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        return T.minimum(x, y)

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        return T.clip(x, low, high)

    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        return T.eq(x, y)

    def not_equal(self, x: Tensor, y: Tensor) -> Tensor:
        return T.neq(x, y)

    def greater(self, x: Tensor, y: Tensor) -> Tensor:
        return T.gt(x, y)

    def logical_and(self, x: Tensor, y: Tensor) -> Tensor:
        return T.and_(x, y)

    def logical_or(self, x: Tensor, y: Tensor) -> Tensor:
        return T.or_(x, y)

    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return T.switch(condition, x, y)

    # ---------------------------------------------------------- reductions ----

    def sum(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return T.sum(x, axis, keepdims=keepdims)

    def mean(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return T.mean(x, axis, keepdims=keepdims)

    def prod(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return T.prod(x, axis, keepdims=keepdims)

    def cumsum(self, x: Tensor, axis: int) -> Tensor:
        return sized(T.extra_ops.cumsum(x, axis), self.shape(x))

    def cumprod(self, x: Tensor, axis: int) -> Tensor:
        return sized(T.extra_ops.cumprod(x, axis), self.shape(x))

    def max(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return T.max(x, axis, keepdims=keepdims)

    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        return T.cast(T.argmax(x, axis), "int32")

    def any(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return T.any(x, axis, keepdims=keepdims)

    def all(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return T.all(x, axis, keepdims=keepdims)

    # ------------------------------------------------------ linear algebra ----

    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        *sizes, inner = self.shape(x)
        if x.ndim == 2:
            return sized(T.dot(x, y), (sizes[0], self.shape(y)[1]))
        return self.reshape(T.dot(self.reshape(x, (-1, inner)), y), (*sizes, self.shape(y)[1]))

    def batch_dot(self, x: Tensor, y: Tensor, axes: tuple[int, int]) -> Tensor:
        sizes, y_sizes = list(self.shape(x)), list(self.shape(y))
        del sizes[axes[0]], y_sizes[axes[1]]
        result = T.batched_tensordot(x, y, [axes[0] % x.ndim, axes[1] % y.ndim])
        result = sized(result, sizes + y_sizes[1:])
        return result if result.ndim > 1 else result.dimshuffle(0, "x")

    def gather(self, table: Tensor, indices: Tensor) -> Tensor:
        return self.reshape(table[indices.flatten()], (*self.shape(indices), *self.shape(table)[1:]))

    def softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        weights = T.exp(x - T.max(x, axis, keepdims=True))
        return weights / T.sum(weights, axis, keepdims=True)

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
        rank = x.ndim - 2
        if rank == 1:
            axis = unit_axis(data_format)
            image, kernel = self.expand_dims(x, axis), self.expand_dims(kernel, 1)
            y = self.conv(image, kernel, strides * 2, padding, data_format, dilation * 2, groups)
            return self.squeeze(y, axis)
        x = move_channels(self, x, data_format, CHANNELS_FIRST)
        y = (T.nnet.conv2d if rank == 2 else T.nnet.conv3d)(
            x,
            self.transpose(kernel, (rank + 1, rank, *range(rank))),
            border_mode=_BORDER_MODES[padding],
            subsample=strides,
            filter_flip=True,
            filter_dilation=dilation,
            num_groups=groups,
        )
        return move_channels(self, self._cropped(y, x, strides, padding), CHANNELS_FIRST, data_format)

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
        sizes = known_sizes(kernel)[:rank]
        if padding == "same" and any(n is not None and n % 2 == 0 for n in sizes):
            raise KconvertError(
                f"Theano has no transposed convolution with padding 'same' and an even kernel such as {sizes}",
                fix="use an odd kernel or padding 'valid'",
            )
        x = move_channels(self, x, data_format, CHANNELS_FIRST)
        abstract = T.nnet.abstract_conv
        gradient = abstract.AbstractConv2d_gradInputs if rank == 2 else abstract.AbstractConv3d_gradInputs
        op = gradient(border_mode=_BORDER_MODES[padding], subsample=strides, filter_flip=True, filter_dilation=dilation)
        y = op(self.transpose(kernel, (rank + 1, rank, *range(rank))), x, T.stack(output_size))
        return move_channels(self, y, CHANNELS_FIRST, data_format)

    def depthwise_conv(
        self,
        x: Tensor,
        kernel: Tensor,
        strides: tuple[int, ...],
        padding: str,
        data_format: str,
        dilation: tuple[int, ...],
    ) -> Tensor:
        if x.ndim == 3:
            axis = unit_axis(data_format)
            image, kernel = self.expand_dims(x, axis), self.expand_dims(kernel, 1)
            y = self.depthwise_conv(image, kernel, strides * 2, padding, data_format, dilation * 2)
            return self.squeeze(y, axis)
        x = move_channels(self, x, data_format, CHANNELS_FIRST)
        rows, columns, channels, multiplier = self.shape(kernel)
        filters = self.reshape(self.transpose(kernel, (2, 3, 0, 1)), (channels * multiplier, 1, rows, columns))
        y = T.nnet.conv2d(
            x,
            filters,
            border_mode=_BORDER_MODES[padding],
            subsample=strides,
            filter_flip=False,
            filter_dilation=dilation,
            num_groups=channels,
        )
        return move_channels(self, self._cropped(y, x, strides, padding), CHANNELS_FIRST, data_format)

    def pool(
        self, x: Tensor, size: tuple[int, ...], strides: tuple[int, ...], padding: str, data_format: str, mode: str
    ) -> Tensor:
        rank = x.ndim - 2
        if rank == 1:
            axis = unit_axis(data_format)
            image = self.expand_dims(x, axis)
            y = self.pool(image, (*size, 1), strides * 2, padding, data_format, mode)
            return self.squeeze(y, axis)
        x = move_channels(self, x, data_format, CHANNELS_FIRST)
        both_sides = (0,) * rank
        if padding == "same":
            axes = zip(self.shape(x)[2:], size, strides, strict=True)
            both_sides = tuple(self.facts.pool_padding(n, k, s) for n, k, s in axes)

        def pooled(values: Tensor, mode: str) -> Tensor:
            pool = T.signal.pool.pool_2d if rank == 2 else T.signal.pool.pool_3d
            return pool(values, size, ignore_border=True, stride=strides, pad=both_sides, mode=mode)

        if mode == "average" and any(both_sides):  # Theano has no gradient of this average
            ones = T.ones((1, 1, *self.shape(x)[2:]), x.dtype)  # its first two axes are broadcast
            y = pooled(x, "sum") / pooled(ones, "sum")
        else:
            y = pooled(x, _POOL_MODES[mode])
        return move_channels(self, self._cropped(y, x, strides, padding), CHANNELS_FIRST, data_format)

    def resize_bilinear(self, x: Tensor, factors: tuple[int, int], data_format: str) -> Tensor:
        if tuple(factors) != self.facts.bilinear:
            raise KconvertError(
                f"Keras on Theano has bilinear interpolation by {self.facts.bilinear} only, not by {tuple(factors)}",
                fix="use interpolation 'nearest' or run the model on another backend",
            )
        x = move_channels(self, x, data_format, CHANNELS_FIRST)
        batch, channels, height, width = self.shape(x)
        y = T.nnet.abstract_conv.bilinear_upsampling(x, ratio=2)
        y = sized(y, (batch, channels, height * 2, width * 2))
        return move_channels(self, y, CHANNELS_FIRST, data_format)

    def _cropped(self, y: Tensor, x: Tensor, strides: tuple[int, ...], padding: str) -> Tensor:
        """The first ceil(size / stride) elements for 'same': Theano gives more with even kernels and in pooling."""
        if padding != "same":
            return y
        sizes = zip(self.shape(x)[2:], strides, strict=True)
        kept = (slice(None), slice(None), *(slice((n + s - 1) // s) for n, s in sizes))
        return y[kept]

    # --------------------------------------------------------------- noise ----

    def random_uniform(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        return sized(T.cast(theano_noise.uniform(shape, seed), floatx()), shape)

    def random_normal(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        return sized(T.cast(theano_noise.normal(shape, seed), floatx()), shape)

    def fresh_seed(self, seed: int | None = None) -> Tensor:
        return theano_noise.fresh_seed(seed)

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
        first = T.zeros_like(step(inputs[:, 0], states)[0])

        def masked_step(x_t: Tensor, mask_t: Any, before: Tensor, states: list[Tensor]) -> list[Tensor]:
            output, new_states = step(x_t, states)
            if mask is None:
                return [output, *new_states]
            kept = [_keep(mask_t, new, old) for new, old in zip(new_states, states, strict=True)]
            return [_keep(mask_t, output, before), *kept]

        if unroll:
            output, outputs = first, []
            times = range(self.shape(inputs)[1])
            for t in reversed(times) if go_backwards else times:
                mask_t = None if mask is None else mask[:, t]
                output, *states = masked_step(inputs[:, t], mask_t, output, states)
                outputs.append(output)
            batch, *sizes = self.shape(first)
            return output, sized(T.stack(outputs, 1), (batch, len(outputs), *sizes)), states

        initial = [first, *states]
        batch, _, *features = self.shape(inputs)

        def body(x_t: Tensor, *rest: Tensor) -> list[Tensor]:
            mask_t, *old = rest if mask is not None else (None, *rest)
            for tensor, outer in zip(old, initial, strict=True):
                sized(tensor, self.shape(outer))
            before, *old = old
            return [_unbroadcast(y) for y in masked_step(sized(x_t, (batch, *features)), mask_t, before, old)]

        results, _ = theano.scan(
            body,
            sequences=[x.swapaxes(0, 1) for x in (inputs, mask) if x is not None],
            outputs_info=[_unbroadcast(x) for x in initial],
            go_backwards=go_backwards,
            mode=theano_compiling.mode(),
        )
        results = results if isinstance(results, list) else [results]
        steps = self.shape(inputs)[1]
        results = [sized(y, (steps, *self.shape(x))) for y, x in zip(results, initial, strict=True)]
        lasts = [T.patternbroadcast(y[-1], x.broadcastable) for y, x in zip(results, initial, strict=True)]
        return lasts[0], results[0].swapaxes(0, 1), lasts[1:]


def _as(variable: Variable, value: Tensor) -> Tensor:
    """`value` with the dtype and the broadcastable axes of `variable`."""
    value = T.as_tensor_variable(value)
    value = T.cast(value, variable.dtype) if value.dtype != variable.dtype else value
    return T.patternbroadcast(value, variable.broadcastable)


def _placeholder(spec: InputSpec) -> Tensor:
    """An input of the graph with its known sizes; axes of size 1 broadcast."""
    x = T.TensorType(spec.dtype, tuple(n == 1 for n in spec.shape))()
    x.tag.sizes = spec.shape
    return x


def _keep(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` for the samples whose mask (batch,) is true, else `old`."""
    return T.switch(mask.dimshuffle(0, *["x"] * (new.ndim - 1)), new, old)


def _unbroadcast(x: Tensor) -> Tensor:
    """`x` with no broadcastable axes: scan requires that the type of a state stays the same from step to step."""
    return T.unbroadcast(x, *range(x.ndim))
