"""The contract of a backend: the operations that layers are written in.

A layer calls these on `K` and never imports a framework. Arithmetic (`+ - * / **`), comparison by
method, and basic indexing (`x[:, 0]`, slices with steps) work on the tensors of every backend.
Shapes may hold symbolic sizes where the framework does not know them beforehand.

Kernels are in the backend's own convention: axes are always (spatial..., in, out), and on a backend
that convolves (`BACKENDS[...].convolves`) they are applied reversed, by the framework's own
convolution. Nothing is flipped here, so unconverted weights give wrong numbers, as in real Keras.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..conventions.backends import BACKENDS, BackendFacts

Tensor = Any
Variable = Any
Size = Any
Step = Callable[[Tensor, list[Tensor]], tuple[Tensor, list[Tensor]]]
Pure = Callable[[list[Tensor], list[Tensor]], Sequence[Tensor]]
Updating = Callable[[list[Tensor], list[Tensor]], tuple[Sequence[Tensor], Mapping[int, Tensor]]]
Compiled = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


@dataclass(frozen=True)
class InputSpec:
    """One input of a compiled function: sizes (None where free, as the batch axis) and dtype."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"


class Backend(ABC):
    """One framework, behind the operations that layers need."""

    name: ClassVar[str]
    convention: str

    @property
    def facts(self) -> BackendFacts:
        """The convention of the kernels this backend takes."""
        return BACKENDS[self.convention]

    # ------------------------------------------------------------- running ----

    @abstractmethod
    def variable(self, array: np.ndarray) -> Variable:
        """A tensor that the framework keeps, of the shape and dtype of `array`."""

    @abstractmethod
    def value(self, variable: Variable) -> np.ndarray:
        """What a variable holds now, copied."""

    @abstractmethod
    def assign(self, variable: Variable, array: np.ndarray) -> None:
        """Gives a variable another value of its shape."""

    def function(self, build: Pure, inputs: Sequence[InputSpec], weights: Sequence[np.ndarray]) -> Compiled:
        """Compiles `build(weights, inputs) -> outputs` once; the result takes and gives NumPy arrays."""
        held = [self.variable(np.asarray(w, "float32")) for w in weights]
        return self.reader(build, inputs, held)

    @abstractmethod
    def reader(self, build: Pure, inputs: Sequence[InputSpec], variables: Sequence[Variable]) -> Compiled:
        """As `function`, on variables that other functions share. Compiles fast, for few runs."""

    @abstractmethod
    def step(
        self, build: Updating, inputs: Sequence[InputSpec], variables: Sequence[Variable], jit_compile: bool = False
    ) -> Compiled:
        """Compiles `build(values, inputs) -> outputs, updates`; each run gives the outputs and updates the variables.

        updates: new values by position in `variables`; all are computed from the old ones. Compiles for many runs.
        jit_compile: through XLA, where the framework has it.
        """

    @abstractmethod
    def gradients(self, y: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The derivative of the scalar `y` by each tensor; zeros where it does not depend on one."""

    @abstractmethod
    def stop_gradient(self, x: Tensor) -> Tensor:
        """`x`, constant for `gradients`."""

    @abstractmethod
    def version(self) -> str:
        """Version of the framework, for reports."""

    # -------------------------------------------------------------- shapes ----

    @abstractmethod
    def shape(self, x: Tensor) -> tuple[Size, ...]:
        """Sizes of `x`: ints where known, else symbolic scalars that `reshape` accepts."""

    @abstractmethod
    def ndim(self, x: Tensor) -> int:
        """Number of axes."""

    @abstractmethod
    def reshape(self, x: Tensor, shape: Sequence[Size]) -> Tensor:
        """`x` in C order with new sizes; one of them may be -1."""

    @abstractmethod
    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """Axes in the given order."""

    @abstractmethod
    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        """A new axis of size 1."""

    @abstractmethod
    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        """Without an axis of size 1."""

    @abstractmethod
    def concatenate(self, tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
        """Joined along an existing axis."""

    @abstractmethod
    def split(self, x: Tensor, parts: int, axis: int = -1) -> list[Tensor]:
        """Equal parts along an axis of known size."""

    @abstractmethod
    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        """Joined along a new axis."""

    @abstractmethod
    def repeat(self, x: Tensor, times: int, axis: int) -> Tensor:
        """Each element `times` times in a row along `axis`."""

    @abstractmethod
    def flip(self, x: Tensor, axis: int) -> Tensor:
        """Reversed along `axis`."""

    @abstractmethod
    def pad(self, x: Tensor, padding: Sequence[tuple[int, int]]) -> Tensor:
        """Zeros before and after, one pair an axis."""

    @abstractmethod
    def zeros(self, shape: Sequence[Size], dtype: str = "float32") -> Tensor:
        """Zeros."""

    @abstractmethod
    def constant(self, value: Any, dtype: str = "float32") -> Tensor:
        """A tensor with a value known now."""

    @abstractmethod
    def arange(self, size: Size) -> Tensor:
        """The integers 0 ... size-1, as int32."""

    @abstractmethod
    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """Elements as `dtype` ('bool', 'int32', 'float32', ...)."""

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
        """The nearest whole number, halves to the even one."""

    @abstractmethod
    def tanh(self, x: Tensor) -> Tensor: ...

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
        """Elements of `x` where `condition` holds, else of `y`; the three broadcast."""

    # ---------------------------------------------------------- reductions ----

    @abstractmethod
    def sum(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor: ...

    @abstractmethod
    def mean(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor: ...

    @abstractmethod
    def max(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor: ...

    @abstractmethod
    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """Index of the first of the greatest elements along `axis`, as int32."""

    @abstractmethod
    def any(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """Logical or of booleans."""

    @abstractmethod
    def all(self, x: Tensor, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
        """Logical and of booleans."""

    # ------------------------------------------------------ linear algebra ----

    @abstractmethod
    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Last axis of `x` (any rank) with the first of the matrix `y`."""

    @abstractmethod
    def batch_dot(self, x: Tensor, y: Tensor, axes: tuple[int, int]) -> Tensor:
        """For each sample, `x` and `y` (each of 2 or 3 axes with the batch) summed over one axis of each.

        The remaining axes of `x` come first, then those of `y`; two matrices of (batch, n) give (batch, 1).
        """

    @abstractmethod
    def gather(self, table: Tensor, indices: Tensor) -> Tensor:
        """Rows of `table` at integer `indices`."""

    @abstractmethod
    def softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along `axis`, computed without overflow."""

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
    ) -> Tensor:
        """Convolution (or correlation: the framework's own) of 1, 2 or 3 spatial axes.

        x: (batch, channels, spatial...) or (batch, spatial..., channels) by `data_format`; kernel:
        (spatial..., in, out). padding: 'valid', 'same' in the way of this backend (`conv_padding`),
        or 'full' where the framework has it.
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

        kernel: (spatial..., out, in); output_size: the spatial sizes of the result.
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
        """Each channel with its own kernels, 1 or 2 spatial axes; a correlation on every backend (rulebook A2).

        kernel: (spatial..., in, multiplier); channel c gives outputs c*multiplier ... (c+1)*multiplier-1.
        """

    @abstractmethod
    def pool(
        self, x: Tensor, size: tuple[int, ...], strides: tuple[int, ...], padding: str, data_format: str, mode: str
    ) -> Tensor:
        """Windows of 1, 2 or 3 spatial axes: mode 'max', or 'average' (the padding left out of the mean)."""

    @abstractmethod
    def resize_bilinear(self, x: Tensor, factors: tuple[int, int], data_format: str) -> Tensor:
        """Images enlarged by whole factors with bilinear interpolation, as UpSampling2D of this backend does."""

    # --------------------------------------------------------------- noise ----

    @abstractmethod
    def random_uniform(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        """Numbers from [0, 1); the same seed (two int32) and shape give the same numbers."""

    @abstractmethod
    def random_normal(self, shape: Sequence[Size], seed: Tensor) -> Tensor:
        """Numbers of mean 0 and standard deviation 1, by a seed as above."""

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
        """Runs `step(x_t, states) -> (output_t, states)` over axis 1 of `inputs` (batch, time, ...).

        mask: (batch, time) booleans; at a False step the states stay and the output of the step
        before is repeated (zeros before the first). go_backwards: from the last step to the first.
        Gives (last output, outputs (batch, time, ...) in the order computed, last states).
        """
