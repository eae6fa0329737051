"""EinsumDense: a product of the input and a kernel along any axes, in tf.keras and Keras 3."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..conventions.roles import Role, Weight
from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .activations import activation
from .base import Layer, Shape, Weights
from .component_names import stated
from .fields import KernelFields
from .phase import Phase

FURTHER = "..."


@dataclass(frozen=True)
class Equation:
    """An equation such as 'bi,io->bo': one letter for each axis of the input, the kernel and the output.

    In '...i,io->...o' and 'bi...,io->bo...' the input and the output have further axes: any number of them behind the
    others, at least that of the batch before them.
    """

    inputs: str
    kernel: str
    output: str

    @classmethod
    def parse(cls, text: str, rank: int | None = None) -> Equation:
        """The equation for an input of `rank` axes; None: with as few further axes as there may be.

        Raises KconvertError for an equation that EinsumDense does not take.

        >>> Equation.parse("...x,xy->...y", 3)
        Equation(inputs='abx', kernel='xy', output='aby')
        """
        left, arrow, output = _without_further(text.replace(" ", ""), rank).partition("->")
        inputs, comma, kernel = left.partition(",")
        found = (inputs, kernel, output)
        if not (arrow and comma and all(part.isalpha() and len(set(part)) == len(part) for part in found)):
            raise KconvertError(
                f"the equation {text!r} is not 'axes of the input,axes of the kernel->axes of the output'"
            )
        if set(output) - set(inputs + kernel) or inputs[0] != output[0] or inputs[0] in kernel:
            raise KconvertError(f"the equation {text!r} does not keep the batch axis, or makes an axis of nothing")
        return cls(*found)

    @property
    def shared(self) -> str:
        """The axes of all three, of which each index is multiplied by itself."""
        return "".join(axis for axis in self.kernel if axis in self.inputs and axis in self.output)

    @property
    def summed(self) -> str:
        """The axes of input and kernel that the output does not have."""
        return "".join(axis for axis in self.kernel if axis in self.inputs and axis not in self.output)

    @property
    def of_input(self) -> str:
        """The axes of input and output alone, the batch axis among them."""
        return "".join(axis for axis in self.inputs if axis not in self.kernel)

    @property
    def of_kernel(self) -> str:
        """The axes of kernel and output alone."""
        return "".join(axis for axis in self.kernel if axis not in self.inputs)


def _without_further(text: str, rank: int | None) -> str:
    """An equation with letters in the place of '...', which stands at the same end of the input and the output."""
    inputs, output = text.partition(",")[0], text.partition("->")[2]
    before = inputs.startswith(FURTHER) and output.startswith(FURTHER)
    if text.count(FURTHER) != 2 or not (before or (inputs.endswith(FURTHER) and output.endswith(FURTHER))):
        return text
    letters = [letter for letter in string.ascii_letters if letter not in text]
    count = int(before) if rank is None else rank - len(inputs.replace(FURTHER, ""))
    return text.replace(FURTHER, "".join(letters[: max(count, int(before))]))


@dataclass(eq=False)
class EinsumDense(KernelFields, Layer):
    """activation(einsum(equation, x, kernel) + bias).

    output_shape: the sizes of the output without the batch axis and without those of '...'; None is the size of the
    input. bias_axes: the axes of the output that the bias has; none: there is no bias.

    >>> layer = EinsumDense("bi,fio->bfo", (3, 4), bias_axes="fo")
    >>> layer.compute_output_shape((None, 5)), [weight.shape for weight in layer.weight_specs((None, 5))]
    ((None, 3, 4), [(3, 5, 4), (3, 4)])
    """

    equation: str
    declared_shape: Any = field(metadata={"key": "output_shape"})
    activation: Any = None
    bias_axes: str | None = None

    of_tf_keras: ClassVar[bool] = True

    def __post_init__(self) -> None:
        shape = self.declared_shape
        self.declared_shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if len(self.declared_shape) != len(self.declared_axes(Equation.parse(self.equation))):
            raise KconvertError(f"output_shape {self.declared_shape} does not fit the equation {self.equation!r}")

    def parsed(self, shape: Shape) -> Equation:
        """The equation for an input of a shape. Raises KconvertError where it does not fit."""
        parsed = Equation.parse(self.equation, len(shape))
        if len(shape) != len(parsed.inputs):
            raise KconvertError(f"the input has shape {shape}, which does not fit the equation {self.equation!r}")
        return parsed

    def declared_axes(self, parsed: Equation) -> list[str]:
        """The axes of the output that `output_shape` has: those which the equation names, without the first one."""
        return [axis for axis in parsed.output[1:] if axis in self.equation]

    def sizes(self, shape: Shape) -> dict[str, int | None]:
        """The size of each axis, by its letter."""
        parsed = self.parsed(shape)
        declared = zip(self.declared_axes(parsed), self.declared_shape, strict=True)
        stated = {axis: size for axis, size in declared if size is not None}
        return {**stated, **dict(zip(parsed.inputs, shape, strict=True))}

    def weight_specs(self, shape: Shape) -> list[Weight]:
        sizes, parsed = self.sizes(shape), self.parsed(shape)
        for axis in parsed.kernel:
            if sizes.get(axis) is None:
                self.known(shape, parsed.inputs.find(axis))
        kernel = self._weight("kernel", parsed.kernel, sizes, stated(self, "kernel_initializer"))
        if not self.bias_axes:
            return [kernel]
        first = min(parsed.output.find(axis) for axis in self.bias_axes)
        axes = "".join(axis if axis in self.bias_axes else "1" for axis in parsed.output[first:])
        return [kernel, self._weight("bias", axes, sizes, stated(self, "bias_initializer"))]

    def _weight(self, name: str, axes: str, sizes: dict[str, int | None], initializer: Any) -> Weight:
        shape = tuple(1 if axis == "1" else sizes[axis] or 0 for axis in axes)
        return Weight(name, shape, Role(f"einsum_{name}", axes), initializer=initializer)

    def compute_output_shape(self, shape: Shape) -> Shape:
        sizes = self.sizes(shape)
        return tuple(sizes[axis] for axis in self.parsed(shape).output)

    def call(self, K: Backend, w: Weights, x: Tensor, mask: Any = None, training: Phase | None = None) -> Tensor:
        parsed = self.parsed(K.shape(x))
        sizes = {**self.sizes(tuple(None if not isinstance(n, int) else n for n in K.shape(x)))}
        sizes = {**sizes, **dict(zip(parsed.inputs, K.shape(x), strict=True))}
        rows, columns = parsed.of_input, parsed.of_kernel
        left = _matrices(K, x, parsed.inputs, (parsed.shared, rows, parsed.summed), sizes)
        right = _matrices(K, w["kernel"], parsed.kernel, (parsed.shared, parsed.summed, columns), sizes)
        product = K.batch_dot(left, right, (2, 1))
        axes = parsed.shared + rows + columns
        y = K.reshape(product, [sizes[axis] for axis in axes])
        y = K.transpose(y, [axes.index(axis) for axis in parsed.output])
        return activation(stated(self, "activation"))(K, y + w["bias"] if self.bias_axes else y)


def _matrices(K: Backend, x: Tensor, axes: str, groups: Sequence[str], sizes: dict[str, Any]) -> Tensor:
    """`x` with three axes, each of them those of one group joined; an empty group has size 1."""
    ordered = K.transpose(x, [axes.index(axis) for group in groups for axis in group])
    return K.reshape(ordered, [math.prod(sizes[axis] for axis in group) for group in groups])
