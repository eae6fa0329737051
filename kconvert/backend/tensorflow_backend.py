"""TensorFlow 2 as Keras used it: correlation; channels last, as its CPU kernels require."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np

from ..conventions.backends import CHANNELS_LAST
from ..errors import KconvertError
from . import noise, tensorflow_compat
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
from .spatial import batch_dot_subscripts, in_groups, move_channels, unit_axis

tf = tensorflow_compat.load()

_BY_IDENTITY = RLock()
_BLOCKS: list[None] = []
"""One entry for each block in which tensors are compared by identity: a setting of the whole process."""


class TensorflowBackend(Backend):
    """Keras on TensorFlow."""

    name = "tensorflow"
    convention = "tensorflow"

    # ------------------------------------------------------------- running ----

    def variable(self, array: np.ndarray, name: str = "") -> Variable:
        return tf.Variable(array, name=name or None)

    def value(self, variable: Variable) -> np.ndarray:
        with tf.init_scope():  # functions of users ask for values while a graph is made
            return variable.numpy()

    def assign(self, variable: Variable, array: np.ndarray) -> None:
        variable.assign(np.asarray(array, variable.dtype.as_numpy_dtype))

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
        signature = [tf.TensorSpec(spec.shape, spec.dtype) for spec in inputs]

        @tf.function(input_signature=signature, autograph=False, jit_compile=jit_compile or None)
        def compiled(*tensors: Tensor) -> list[Tensor]:
            outputs, updates = build([tf.convert_to_tensor(v) for v in variables], list(tensors))
            outputs = [tf.convert_to_tensor(y) for y in outputs]
            with tf.control_dependencies(outputs):
                for i, new in updates.items():
                    variables[i].assign(new, read_value=False)
            return outputs

        with quiet_run():
            concrete = compiled.get_concrete_function()

        def run(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
            given = [tf.constant(x, spec.dtype) for x, spec in zip(arrays, inputs, strict=True)]
            with quiet_run():
                return [y.numpy() for y in concrete(*given)]

        return run

    def gradients(self, y: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
        found = check_connected(tf.gradients(y, tensors))
        pairs = zip(found, tensors, strict=True)
        return [tf.zeros_like(x) if gradient is None else tf.convert_to_tensor(gradient) for gradient, x in pairs]

    def stop_gradient(self, x: Tensor) -> Tensor:
        return tf.stop_gradient(x)

    def version(self) -> str:
        return tf.__version__

    @contextmanager
    def hashable_tensors(self) -> Iterator[None]:
        with _BY_IDENTITY:  # blocks are nested where `build` reads the weights of another layer
            _BLOCKS.append(None)
            tf.compat.v1.disable_tensor_equality()
            try:
                yield
            finally:
                _BLOCKS.pop()
                if not _BLOCKS:
                    tf.compat.v1.enable_tensor_equality()

    # -------------------------------------------------------------- shapes ----

    def shape(self, x: Tensor) -> tuple[Size, ...]:
        symbolic = tf.shape(x)
        return tuple(symbolic[axis] if n is None else n for axis, n in enumerate(x.shape))

    def ndim(self, x: Tensor) -> int:
        return x.shape.rank

    def reshape(self, x: Tensor, shape: Sequence[Size]) -> Tensor:
        return tf.reshape(x, shape)

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        return tf.transpose(x, axes)

    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        return tf.expand_dims(x, axis)

    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        return tf.squeeze(x, axis)

    def concatenate(self, tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
        return tf.concat(tensors, axis)

    def split(self, x: Tensor, parts: int, axis: int = -1) -> list[Tensor]:
        return tf.split(x, parts, axis)

    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        return tf.stack(tensors, axis)

    def repeat(self, x: Tensor, times: int, axis: int) -> Tensor:
        return tf.repeat(x, times, axis)

    def flip(self, x: Tensor, axis: int) -> Tensor:
        return tf.reverse(x, [axis])

    def pad(self, x: Tensor, padding: Sequence[tuple[int, int]]) -> Tensor:
        return tf.pad(x, padding)

    def zeros(self, shape: Sequence[Size], dtype: str | None = None) -> Tensor:
        return tf.zeros(shape, dtype or floatx())

    def constant(self, value: Any, dtype: str | None = None) -> Tensor:
        return tf.constant(value, dtype or floatx())

    def arange(self, size: Size) -> Tensor:
        return tf.range(size, dtype="int32")

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        return tf.cast(x, dtype)

    # --------------------------------------------------------- elementwise ----

    def exp(self, x: Tensor) -> Tensor:
        return tf.exp(x)

    def log(self, x: Tensor) -> Tensor:
        return tf.math.log(x)

    def sqrt(self, x: Tensor) -> Tensor:
        return tf.sqrt(x)

    def abs(self, x: Tensor) -> Tensor:
        return tf.abs(x)

    def sign(self, x: Tensor) -> Tensor:
        return tf.sign(x)

    def round(self, x: Tensor) -> Tensor:
        return tf.round(x)

    def tanh(self, x: Tensor) -> Tensor:
        return tf.tanh(x)

    def sin(self, x: Tensor) -> Tensor:
        return tf.sin(x)

    def cos(self, x: Tensor) -> Tensor:
        return tf.cos(x)

    def erf(self, x: Tensor) -> Tensor:
        return tf.math.erf(x)

    def sigmoid(self, x: Tensor) -> Tensor:
        return tf.sigmoid(x)

    def softplus(self, x: Tensor) -> Tensor:
        return tf.math.softplus(x)

    def relu(self, x: Tensor) -> Tensor:
        # TensorFlow 2.21 fuses a matrix product or convolution, a bias and a ReLU into one operation, which returns 0
        # for NaN. `ensure_shape` changes no value; it prevents the fusion.
        return tf.nn.relu(tf.ensure_shape(x, x.shape))

    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.maximum(x, y)

    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.minimum(x, y)

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        return tf.clip_by_value(x, low, high)

    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.equal(x, y)

    def not_equal(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.not_equal(x, y)

    def greater(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.greater(x, y)

    def logical_and(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.logical_and(x, y)

    def logical_or(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.logical_or(x, y)

    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return tf.where(condition, x, y)

    # ---------------------------------------------------------- reductions ----

    def sum(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return tf.reduce_sum(x, axis, keepdims)

    def mean(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return tf.reduce_mean(x, axis, keepdims)

    def prod(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return tf.reduce_prod(x, axis, keepdims)

    def cumsum(self, x: Tensor, axis: int) -> Tensor:
        return tf.cumsum(x, axis)

    def cumprod(self, x: Tensor, axis: int) -> Tensor:
        return tf.math.cumprod(x, axis)

    def max(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return tf.reduce_max(x, axis, keepdims)

    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        return tf.argmax(x, axis, "int32")

    def any(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return tf.reduce_any(x, axis, keepdims)

    def all(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        return tf.reduce_all(x, axis, keepdims)

    # ------------------------------------------------------ linear algebra ----

    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        return tf.matmul(x, y) if self.ndim(x) == 2 else tf.tensordot(x, y, 1)

    def batch_dot(self, x: Tensor, y: Tensor, axes: tuple[int, int]) -> Tensor:
        result = tf.einsum(batch_dot_subscripts(self.ndim(x), self.ndim(y), axes), x, y)
        return result if self.ndim(result) > 1 else result[:, None]

    def gather(self, table: Tensor, indices: Tensor) -> Tensor:
        return tf.gather(table, indices)

    def softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        return tf.nn.softmax(x, axis)

    def identity(self, x: Tensor) -> Tensor:
        return tf.identity(x)

    def input_of(self, y: Tensor, function: str) -> Tensor | None:
        op = None if tf.executing_eagerly() else getattr(y, "op", None)
        return op.inputs[0] if op is not None and op.type.lower() == function else None

    def ctc_beam_search(
        self, logs: Tensor, lengths: Tensor, beam_width: int, top_paths: int, merge_repeated: bool
    ) -> list[Tensor]:
        search = tf.compat.v1.nn.ctc_beam_search_decoder
        paths, scores = search(logs, lengths, beam_width, top_paths, merge_repeated)
        return [*(tf.sparse.to_dense(path, default_value=-1) for path in paths), scores]

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
        if max(strides) > 1 and max(dilation) > 1:
            kernel, dilation = _spread(kernel, dilation), (1,) * len(dilation)
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        y = tf.nn.convolution(x, kernel, strides, _padding(padding), dilations=dilation)
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
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        shape = (self.shape(x)[0], *output_size, kernel.shape[-2])
        y = tf.nn.conv_transpose(x, _spread(kernel, dilation), tf.stack(shape), strides, _padding(padding))
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
        if self.ndim(x) == 3:
            axis = unit_axis(data_format)
            image, kernel = self.expand_dims(x, axis), self.expand_dims(kernel, 1)
            y = self.depthwise_conv(image, kernel, strides * 2, padding, data_format, (*dilation, 1))
            return self.squeeze(y, axis)
        if max(strides) > 1 and max(dilation) > 1:
            kernel, dilation = _spread(kernel, dilation), (1, 1)
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        y = tf.nn.depthwise_conv2d(x, kernel, (1, *strides, 1), _padding(padding), dilations=dilation)
        return move_channels(self, y, CHANNELS_LAST, data_format)

    def pool(
        self, x: Tensor, size: tuple[int, ...], strides: tuple[int, ...], padding: str, data_format: str, mode: str
    ) -> Tensor:
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        y = (tf.nn.max_pool if mode == "max" else tf.nn.avg_pool)(x, size, strides, _padding(padding))
        return move_channels(self, y, CHANNELS_LAST, data_format)

    def resize_bilinear(self, x: Tensor, factors: tuple[int, int], data_format: str) -> Tensor:
        x = move_channels(self, x, data_format, CHANNELS_LAST)
        height, width = self.shape(x)[1:3]
        size = tf.stack((height * factors[0], width * factors[1]))
        y = tf.cast(
            tf.raw_ops.ResizeBilinear(images=x, size=size, align_corners=False, half_pixel_centers=False), x.dtype
        )
        return move_channels(self, y, CHANNELS_LAST, data_format)

    # --------------------------------------------------------------- noise ----

    def random_uniform(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        return tf.random.stateless_uniform(shape, seed, dtype=floatx())

    def random_normal(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        return tf.random.stateless_normal(shape, seed, dtype=floatx())

    def fresh_seed(self, seed: int | None = None) -> Tensor:
        first = int(noise.fresh_seed(noise.series(seed))[0])
        return tf.random.uniform((2,), 0, 2**31 - 1, "int32", seed=first)

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
        steps = self.shape(inputs)[1]
        first = tf.zeros_like(step(inputs[:, 0], states)[0])
        at = _steps_of(inputs, unroll)
        mask_at = None if mask is None else _steps_of(mask, unroll)

        def masked_step(i: Any, before: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            t = steps - 1 - i if go_backwards else i
            output, new_states = step(at(t), states)
            if mask_at is None:
                return output, new_states
            kept = [_keep(mask_at(t), new, old) for new, old in zip(new_states, states, strict=True)]
            return _keep(mask_at(t), output, before), kept

        if unroll:
            output, outputs = first, []
            for i in range(steps):
                output, states = masked_step(i, output, states)
                outputs.append(output)
            return output, tf.stack(outputs, 1), states

        def body(i: Tensor, output: Tensor, states: list[Tensor], outputs: Any) -> tuple[Any, ...]:
            new_output, new_states = masked_step(i, output, states)
            for new, old in zip((new_output, *new_states), (output, *states), strict=True):
                new.set_shape(old.shape)
            return i + 1, new_output, new_states, outputs.write(i, new_output)

        written = tf.TensorArray(first.dtype, steps)
        loop = (tf.constant(0), first, list(states), written)
        _, output, states, written = tf.while_loop(lambda i, *_: i < steps, body, loop, maximum_iterations=steps)
        outputs = written.stack()
        outputs.set_shape((inputs.shape[1], *first.shape))
        return output, tf.transpose(outputs, (1, 0, *range(2, outputs.shape.rank))), states


def _steps_of(x: Tensor, unroll: bool) -> Callable[[Any], Tensor]:
    """A function that gives a time step of `x` (batch, time, ...) by its index.

    It reads from a TensorArray: the gradient of a slice of `x` would have the size of the whole of `x` at every step.
    """
    by_time = tf.transpose(x, (1, 0, *range(2, x.shape.rank)))
    if unroll:
        return tf.unstack(by_time).__getitem__
    array = tf.TensorArray(x.dtype, tf.shape(by_time)[0], element_shape=by_time.shape[1:]).unstack(by_time)
    return array.read


def _keep(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` for the samples whose mask (batch,) is true, else `old`."""
    return tf.where(tf.reshape(mask, (-1, *(1,) * (new.shape.rank - 1))), new, old)


def _padding(padding: str) -> str:
    """TensorFlow's name of a padding. Raises KconvertError for 'full', which only Theano has."""
    if padding == "full":
        raise KconvertError("TensorFlow does not have padding 'full'", fix="run the model on theano or numpy")
    return padding.upper()


def _spread(kernel: Tensor, dilation: tuple[int, ...]) -> Tensor:
    """The kernel with zeros between its taps: dilation for operations that TensorFlow does not dilate itself."""
    for axis, d in enumerate(dilation):
        sizes = list(kernel.shape)
        gaps = [(0, d - 1) if i == axis + 1 else (0, 0) for i in range(len(sizes) + 1)]
        spaced = tf.reshape(tf.pad(tf.expand_dims(kernel, axis + 1), gaps), sizes[:axis] + [-1] + sizes[axis + 1 :])
        kernel = tf.split(spaced, [(sizes[axis] - 1) * d + 1, d - 1], axis)[0]
    return kernel
