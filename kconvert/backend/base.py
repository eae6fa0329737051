"""The contract of a backend: the operations that layers use.

A layer calls these on `K` and never imports a framework. Arithmetic (`+ - * / **`) and basic indexing (`x[:, 0]`,
slices with steps) work on the tensors of every backend; comparisons are methods (`K.greater`). A shape may hold
symbolic sizes if the framework does not know them before it runs.

Kernels have the axes (spatial..., in, out) in both data formats; those of `conv_transpose` (spatial..., out, in), those
of `depthwise_conv` (spatial..., in, multiplier). Their values are in the convention of the backend: where it convolves
(`BACKENDS[...].convolves`), the framework reverses the kernel itself (Theano: `filter_flip=True`). kconvert adds no
flip of its own, so weights that were not converted give wrong numbers, as in Keras.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field
from typing import Any, ClassVar

import numpy as np

from ..conventions.backends import BACKENDS, BackendFacts
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .float_settings import floatx

Tensor = Any  # a tensor of the framework
Variable = Any  # a tensor that the framework keeps between runs
Size = Any  # an int, or a symbolic scalar of the framework
Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]  # (x_t, states) -> (output_t, states)
# (values of the variables, inputs) -> outputs
BuildOutputs = Callable[[list[Tensor], list[Tensor]], Sequence[Tensor]]
# (values of the variables, inputs) -> (outputs, new values by position in the variables)
BuildOutputsAndUpdates = Callable[[list[Tensor], list[Tensor]], tuple[Sequence[Tensor], Mapping[int, Tensor]]]
Compiled = Callable[[Sequence[np.ndarray]], list[np.ndarray]]  # inputs -> outputs


@dataclass(frozen=True)
class InputSpec:
    """Shape and dtype of one input of a compiled function."""

    shape: tuple[int | None, ...]  # None for a size that may differ from run to run, as that of the batch
    dtype: str = field(default_factory=floatx)


class Backend(ABC):
    """One framework, as the operations that layers use."""

    name: ClassVar[str]
    convention: str  # the framework whose convention the kernels have: the backend itself, or the one numpy emulates

    @property
    def facts(self) -> BackendFacts:
        """The row of BACKENDS for the convention of this backend."""
        return BACKENDS[self.convention]

    # ------------------------------------------------------------- running ----

    @abstractmethod
    def variable(self, array: np.ndarray, name: str = "") -> Variable:
        """A tensor that the framework keeps between runs, with the values, shape and dtype of `array`.

        name: what the framework shows it as; NumPy shows none.
        """

    @abstractmethod
    def value(self, variable: Variable) -> np.ndarray:
        """A copy of the present values of a variable."""

    @abstractmethod
    def assign(self, variable: Variable, array: np.ndarray) -> None:
        """Replaces the values of a variable; the shape must be the same."""

    @abstractmethod
    def compile_reading(
        self, build: BuildOutputs, inputs: Sequence[InputSpec], variables: Sequence[Variable]
    ) -> Compiled:
        """Compiles a function that reads the variables and returns outputs. Compiles fast, for few runs.

        The compiled function takes and returns NumPy arrays. At each run it uses the present values of the variables,
        which other compiled functions may share.
        build: called to build the graph: `(values, inputs) -> outputs`, with a tensor for each variable and each input.
        """

    @abstractmethod
    def compile_updating(
        self,
        build: BuildOutputsAndUpdates,
        inputs: Sequence[InputSpec],
        variables: Sequence[Variable],
        jit_compile: bool = False,
    ) -> Compiled:
        """Compiles a function that returns outputs and updates the variables at each run. Optimised for many runs.

        The compiled function takes and returns NumPy arrays.
        build: called to build the graph: `(values, inputs) -> (outputs, updates)`. `updates` holds new values by their
            position in `variables`; all of them are computed from the old values.
        jit_compile: compile with XLA; without effect on a framework that does not have it.
        """

    @abstractmethod
    def gradients(self, y: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The derivative of the scalar `y` with respect to each tensor; zeros if `y` does not depend on it.

        Raises KconvertError where `y` depends on none of the tensors.
        """

    @abstractmethod
    def stop_gradient(self, x: Tensor) -> Tensor:
        """`x`, which `gradients` treats as a constant."""

    @abstractmethod
    def version(self) -> str:
        """The version of the framework, for reports."""

    # -------------------------------------------------------------- shapes ----

    @abstractmethod
    def shape(self, x: Tensor) -> tuple[Size, ...]:
        """The sizes of `x`: ints if known, else symbolic scalars that `reshape` accepts."""

    @abstractmethod
    def ndim(self, x: Tensor) -> int:
        """The number of axes."""

    def hashable_tensors(self) -> AbstractContextManager[None]:
        """A block in which tensors can be keys of a dict."""
        return nullcontext()

    @abstractmethod
    def reshape(self, x: Tensor, shape: Sequence[Size]) -> Tensor:
        """`x` with new sizes, elements in C order; one size may be -1."""

    @abstractmethod
    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """`x` with its axes in the given order."""

    @abstractmethod
    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        """`x` with a new axis of size 1 at position `axis`."""

    @abstractmethod
    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        """`x` without the axis `axis`, whose size is 1."""

    @abstractmethod
    def concatenate(self, tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
        """The tensors joined along an existing axis."""

    @abstractmethod
    def split(self, x: Tensor, parts: int, axis: int = -1) -> list[Tensor]:
        """`x` in equal parts along an axis whose size is known."""

    @abstractmethod
    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        """The tensors joined along a new axis."""

    @abstractmethod
    def repeat(self, x: Tensor, times: int, axis: int) -> Tensor:
        """Each element repeated `times` times along `axis`: a, a, b, b."""

    @abstractmethod
    def flip(self, x: Tensor, axis: int) -> Tensor:
        """`x` reversed along `axis`."""

    @abstractmethod
    def pad(self, x: Tensor, padding: Sequence[tuple[int, int]]) -> Tensor:
        """`x` padded with zeros; padding: (number before, number after) for each axis."""

    @abstractmethod
    def zeros(self, shape: Sequence[Size], dtype: str | None = None) -> Tensor:
        """A tensor of zeros; dtype: by default `floatx`."""

    @abstractmethod
    def constant(self, value: Any, dtype: str | None = None) -> Tensor:
        """A tensor with the values of a number or an array; dtype: by default `floatx`."""

    @abstractmethod
    def arange(self, size: Size) -> Tensor:
        """The integers 0 ... size-1, as int32."""

    @abstractmethod
    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """`x` with elements of `dtype` ('bool', 'int32', 'float32', ...)."""

    # --------------------------------------------------------- elementwise ----

    @abstractmethod
    def exp(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def log(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def sqrt(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def abs(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def sign(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def round(self, x: Tensor) -> Tensor:
        """The nearest integer; halves are rounded to the even one."""

    @abstractmethod
    def tanh(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def sin(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def cos(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def erf(self, x: Tensor) -> Tensor:
        """The error function: the integral of exp(-t * t) from 0 to x, times 2 / sqrt(pi)."""

    @abstractmethod
    def sigmoid(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def softplus(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def relu(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def maximum(self, x: Tensor, y: Tensor) -> Tensor: ...

    @abstractmethod
    def minimum(self, x: Tensor, y: Tensor) -> Tensor: ...

    @abstractmethod
    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        """`x` within limits. At a limit itself, the gradient is that of the framework."""

    @abstractmethod
    def equal(self, x: Tensor, y: Tensor) -> Tensor: ...

    @abstractmethod
    def not_equal(self, x: Tensor, y: Tensor) -> Tensor: ...

    @abstractmethod
    def greater(self, x: Tensor, y: Tensor) -> Tensor: ...

    @abstractmethod
    def logical_and(self, x: Tensor, y: Tensor) -> Tensor: ...

    @abstractmethod
    def logical_or(self, x: Tensor, y: Tensor) -> Tensor: ...

    @abstractmethod
    def where(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """The elements of `x` where `condition` is true, else those of `y`; the three broadcast."""

    # ---------------------------------------------------------- reductions ----

    @abstractmethod
    def sum(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor: ...

    @abstractmethod
    def mean(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor: ...

    @abstractmethod
    def prod(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor: ...

    @abstractmethod
    def cumsum(self, x: Tensor, axis: int) -> Tensor:
        """The sums of the elements up to each one, along `axis`."""

    @abstractmethod
    def cumprod(self, x: Tensor, axis: int) -> Tensor:
        """The products of the elements up to each one, along `axis`."""

    @abstractmethod
    def max(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor: ...

    @abstractmethod
    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """The index of the greatest element along `axis` (the first if several are equal), as int32."""

    @abstractmethod
    def any(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """Whether any of the booleans is true."""

    @abstractmethod
    def all(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """Whether all of the booleans are true."""

    # ------------------------------------------------------ linear algebra ----

    @abstractmethod
    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        """The product of `x` (..., n) and the matrix `y` (n, m): (..., m)."""

    @abstractmethod
    def batch_dot(self, x: Tensor, y: Tensor, axes: tuple[int, int]) -> Tensor:
        """The product of `x` and `y` for each sample, summed over one axis of each.

        x, y: 2 or 3 axes, the first of which is the batch.
        axes: the axis of `x` and the axis of `y` to sum over.

        The result has the batch, the remaining axes of `x`, then those of `y`; (batch, 1) if none remains.
        """

    @abstractmethod
    def gather(self, table: Tensor, indices: Tensor) -> Tensor:
        """The rows of `table` (n, ...) at integer `indices`: (indices..., ...)."""

    @abstractmethod
    def softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along `axis`, computed without overflow."""

    @abstractmethod
    def identity(self, x: Tensor) -> Tensor:
        """`x` itself, as a tensor that hides how it was computed."""

    @abstractmethod
    def input_of(self, y: Tensor, function: str) -> Tensor | None:
        """The argument of the 'sigmoid' or 'softmax' that computed `y`; None if that is not known."""

    def ctc_beam_search(
        self, logs: Tensor, lengths: Tensor, beam_width: int, top_paths: int, merge_repeated: bool
    ) -> list[Tensor]:
        """The `top_paths` most probable labels of connectionist temporal classification, then their logarithms.

        logs: logarithms of probabilities, (time, batch, classes); the last class is the blank. lengths: the numbers of
        steps, (batch,), int32. The labels are (batch, labels), filled up with -1. Raises KconvertError on a framework
        that does not have the search.
        """
        raise KconvertError(f"{self.name} has no beam search", fix="give greedy=True", problem=Problem.UNSUPPORTED)

    # --------------------------------------------------------- convolution ----

    @abstractmethod
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
        """The convolution layer of this backend (on Theano a convolution, else a correlation), 1 to 3 spatial axes.

        x: (batch, channels, spatial...) or (batch, spatial..., channels), according to `data_format`.
        kernel: (spatial..., in / groups, out).
        groups: how many equal groups the channels are in; each gives as many consecutive outputs, from itself alone.
        padding: 'valid'; 'same', by the rule of this backend (`facts.conv_padding`); or 'full', not on TensorFlow.
        """

    @abstractmethod
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
        """The gradient of `conv` with respect to its input, 2 or 3 spatial axes.

        kernel: (spatial..., out, in).
        output_size: the spatial sizes of the result.
        """

    @abstractmethod
    def depthwise_conv(
        self,
        x: Tensor,
        kernel: Tensor,
        strides: tuple[int, ...],
        padding: str,
        data_format: str,
        dilation: tuple[int, ...],
    ) -> Tensor:
        """Applies separate kernels to each channel, 1 or 2 spatial axes.

        It is a correlation on every backend (keras-facts: depthwise-not-reversed).

        kernel: (spatial..., in, multiplier); input channel c gives outputs c*multiplier ... (c+1)*multiplier-1.
        """

    @abstractmethod
    def pool(
        self, x: Tensor, size: tuple[int, ...], strides: tuple[int, ...], padding: str, data_format: str, mode: str
    ) -> Tensor:
        """Pools windows of 1 to 3 spatial axes.

        size: the sizes of the window.
        padding: 'valid', or 'same' by the rule of this backend (`facts.pool_padding`).
        mode: 'max', or 'average', in which padded elements do not count.
        """

    @abstractmethod
    def resize_bilinear(self, x: Tensor, factors: tuple[int, int], data_format: str) -> Tensor:
        """Images enlarged by integer factors with bilinear interpolation, as UpSampling2D does on this backend."""

    # --------------------------------------------------------------- noise ----

    @abstractmethod
    def random_uniform(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        """Uniform numbers in [0, 1). The same shape and seed (two int32) give the same numbers."""

    @abstractmethod
    def random_normal(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        """Normal numbers of mean 0 and standard deviation 1; `seed` as in `random_uniform`."""

    @abstractmethod
    def fresh_seed(self, seed: int | None = None) -> Tensor:
        """A seed for one draw, another one in each run of the compiled function.

        seed: fixes the series of a compiled function; None: NumPy's global generator (`np.random.seed`) does.
        """

    # ----------------------------------------------------------- recurrence ----

    @abstractmethod
    def rnn(
        self,
        step: Step,
        inputs: Tensor,
        states: list[Tensor],
        mask: Tensor | None = None,
        go_backwards: bool = False,
        unroll: bool = False,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Runs a recurrent step over time.

        step: `(x_t, states) -> (output_t, states)`.
        inputs: (batch, time, ...).
        states: the initial states.
        mask: booleans (batch, time). At a step that is False, the states stay as they are and the output of the step
            before is repeated (zeros at the first step).
        go_backwards: run from the last step to the first.
        unroll: build the graph of every step instead of a loop; `time` must be known.

        Returns the last output, all outputs (batch, time, ...) in the order in which they were computed, and the last
        states.
        """


def check_connected(gradients: Sequence[Any]) -> Sequence[Any]:
    """`gradients`, with None for tensors on which nothing depends. Raises KconvertError where all are None."""
    if gradients and all(gradient is None for gradient in gradients):
        raise KconvertError(
            "the loss does not depend on any of the weights, so there is nothing to train",
            fix="check that no layer or loss stops the gradient, as argmax and round do",
            problem=Problem.USAGE,
        )
    return gradients
