"""Merging layers: several inputs, one output.

Shapes, inputs and masks are lists. Keras 2 has a class for each operation; Keras 1 has one class with a `mode`
(keras-facts: merge-modes).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any, ClassVar

from ..backend.base import Backend, Tensor
from ..backend.computing import current_backend
from ..backend.float_settings import epsilon
from ..backend.vectors import unit_vectors
from ..conventions.words.calls import warn_of_old
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from . import python_functions
from .base import Layer, Shape, Weights
from .calls import Symbol
from .core import Lambda
from .custom import CustomFunction, giving
from .phase import Phase
from .reshaping import Reshape

# ---------------------------------------------------------------- operations ----

_OPERATIONS: Mapping[str, Callable[[Backend], Callable[[Tensor, Tensor], Tensor]]] = {
    "sum": lambda K: operator.add,
    "ave": lambda K: operator.add,
    "sub": lambda K: operator.sub,
    "mul": lambda K: operator.mul,
    "max": lambda K: K.maximum,
    "min": lambda K: K.minimum,
}


def _combine(K: Backend, mode: str, tensors: Sequence[Tensor]) -> Tensor:
    """The operation `mode` on tensors of one shape, element by element."""
    combined = reduce(_OPERATIONS[mode](K), tensors)
    return combined / len(tensors) if mode == "ave" else combined


def _broadcast(a: Shape, b: Shape) -> Shape:
    """The broadcast shape of two shapes without the batch axis, aligned at their last axes.

    Raises KconvertError where they do not broadcast.
    """
    short, long = sorted((a, b), key=len)
    pairs = list(zip((1,) * (len(long) - len(short)) + short, long, strict=True))
    if any(None not in pair and 1 not in pair and pair[0] != pair[1] for pair in pairs):
        raise KconvertError(f"shapes {a} and {b} cannot be merged element by element")
    return tuple(None if None in (i, j) else j if i == 1 else i for i, j in pairs)


def _joined(shapes: Sequence[Shape], axis: int) -> Shape:
    """The shape of a concatenation along `axis`. Raises KconvertError where other axes differ."""
    others = [[size for i, size in enumerate(shape) if i != axis % len(shape)] for shape in shapes]
    for each in zip_longest(*others, fillvalue=0):
        if len({size for size in each if size is not None}) > 1:
            what = f"inputs of shapes {', '.join(map(str, shapes))} differ in other axes than {axis}, which joins them"
            raise KconvertError(what, problem=Problem.USAGE)
    sizes = [shape[axis] for shape in shapes]
    known = [size for size in sizes if size is not None]
    joined = list(shapes[0])
    joined[axis] = sum(known) if len(known) == len(sizes) else None
    return tuple(joined)


def _joined_mask(K: Backend, tensors: Sequence[Tensor], masks: Sequence[Any], axis: int) -> Tensor:
    """The mask of a concatenation along `axis`; an input without a mask counts as all True."""

    def full(x: Tensor, mask: Any) -> Tensor:
        if mask is None:
            return K.cast(K.zeros(K.shape(x)) + 1.0, "bool")
        return K.expand_dims(mask, -1) if K.ndim(mask) < K.ndim(x) else mask

    full_masks = [full(x, mask) for x, mask in zip(tensors, masks, strict=True)]
    return K.all(K.concatenate(full_masks, axis=axis), axis=-1)


def _common_mask(K: Backend, masks: Sequence[Any]) -> Tensor:
    """True where all masks that are not None are True."""
    return reduce(K.logical_and, [mask for mask in masks if mask is not None])


def _dot_axes(axes: Any, ranks: Sequence[int]) -> tuple[int, int]:
    """The axis of each of two inputs that a dot product sums over, counted from the batch axis.

    axes: one axis for both inputs, or one for each; in Keras 0.3 each in its own list (keras-facts: keras0-merges).
    ranks: the number of axes of each input.
    """
    first, second = _axis_of_each(axes)
    return first % ranks[0], second % ranks[1]


def _axis_of_each(axes: Any) -> tuple[int, int]:
    """The axes of a dot product as they are stated, one for each input. Raises KconvertError for other values."""
    pair = (axes, axes) if isinstance(axes, int) else tuple(axes)
    flat = [axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis for axis in pair]
    if len(flat) != 2 or not all(isinstance(axis, int) for axis in flat):
        what = f"a dot product sums over one axis of each of two inputs, not {axes!r}"
        raise KconvertError(what, problem=Problem.USAGE)
    return flat[0], flat[1]


def _dot_shape(shapes: Sequence[Shape], axes: Any) -> Shape:
    """The shape of a dot product: the remaining axes of the first input, then those of the second."""
    first, second = _dot_axes(axes, [len(shape) for shape in shapes])
    x, y = shapes
    if None not in (x[first], y[second]) and x[first] != y[second]:
        raise KconvertError(f"axes {first} and {second} of shapes {x} and {y} differ in size")
    rest = (*x[:first], *x[first + 1 :], *y[1:second], *y[second + 1 :])
    return rest if len(rest) > 1 else (*rest, 1)


def _check_count(layer: Layer, tensors: Any, count: int | None = None) -> None:
    """Raises KconvertError unless there are at least two inputs, or exactly `count`."""
    inputs = len(tensors) if isinstance(tensors, (list, tuple)) else 1
    if inputs < 2 or inputs != (count or inputs):
        wanted = f"{count} inputs" if count else "a list of at least 2 inputs"
        raise KconvertError(f"a {layer.class_name} layer takes {wanted}", f"layer {layer.name}", problem=Problem.USAGE)


# ------------------------------------------------------------------- Keras 2 ----


@dataclass(eq=False, kw_only=True)
class Elementwise(Layer):
    """An operation element by element on inputs whose shapes are equal or broadcast.

    A class of the user defines it as `_merge_function(self, inputs)`, as in Keras.
    """

    supports_masking: ClassVar[bool] = True
    # The operation, a key of `_OPERATIONS`.
    mode: ClassVar[str]
    # The number of inputs; None: two or more.
    count: ClassVar[int | None] = None

    def compute_output_shape(self, shape: Sequence[Shape]) -> Shape:
        _check_count(self, shape, self.count)
        batch = {sizes[0] for sizes in shape} - {None}
        return (batch.pop() if len(batch) == 1 else None, *reduce(_broadcast, [sizes[1:] for sizes in shape]))

    def call(self, K: Backend, w: Weights, x: list[Tensor], mask: Any = None, training: Phase | None = None) -> Tensor:
        rank = max(K.ndim(tensor) for tensor in x)
        function = CustomFunction(f"{self.class_name}._merge_function", self._merge_function)
        return function.attempt(K, [_with_rank(K, tensor, rank) for tensor in x])

    def _merge_function(self, inputs: list[Tensor]) -> Tensor:
        """The result for tensors with equally many axes."""
        return _combine(current_backend(), self.mode, inputs)

    def compute_mask(self, K: Backend, x: list[Tensor], mask: Any = None) -> Any:
        return _common_mask(K, mask) if any(m is not None for m in mask or ()) else None


def _with_rank(K: Backend, x: Tensor, rank: int) -> Tensor:
    """`x` with axes of size 1 after the batch axis, so that it has `rank` axes."""
    for _ in range(rank - K.ndim(x)):
        x = K.expand_dims(x, 1)
    return x


@dataclass(eq=False)
class Add(Elementwise):
    """Sum of the inputs."""

    mode: ClassVar[str] = "sum"


@dataclass(eq=False)
class Subtract(Elementwise):
    """The first of two inputs minus the second."""

    mode: ClassVar[str] = "sub"
    count: ClassVar[int | None] = 2


@dataclass(eq=False)
class Multiply(Elementwise):
    """Product of the inputs."""

    mode: ClassVar[str] = "mul"


@dataclass(eq=False)
class Average(Elementwise):
    """Mean of the inputs."""

    mode: ClassVar[str] = "ave"


@dataclass(eq=False)
class Maximum(Elementwise):
    """Maximum of the inputs."""

    mode: ClassVar[str] = "max"


@dataclass(eq=False)
class Minimum(Elementwise):
    """Minimum of the inputs."""

    mode: ClassVar[str] = "min"


@dataclass(eq=False)
class Concatenate(Layer):
    """The inputs concatenated along `axis`."""

    axis: int = -1

    supports_masking: ClassVar[bool] = True

    def compute_output_shape(self, shape: Sequence[Shape]) -> Shape:
        _check_count(self, shape)
        return _joined(shape, self.axis)

    def call(self, K: Backend, w: Weights, x: list[Tensor], mask: Any = None, training: Phase | None = None) -> Tensor:
        return K.concatenate(x, axis=self.axis)

    def compute_mask(self, K: Backend, x: list[Tensor], mask: Any = None) -> Any:
        return _joined_mask(K, x, mask, self.axis) if any(m is not None for m in mask or ()) else None


@dataclass(eq=False)
class Dot(Layer):
    """Dot product of two inputs, sample by sample.

    axes: the axis to sum over, counted from the batch axis, or one for each input. normalize: scale the vectors along
    these axes to length 1 first.
    """

    axes: Any
    normalize: bool = False

    supports_masking: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _axis_of_each(self.axes)

    def compute_output_shape(self, shape: Sequence[Shape]) -> Shape:
        _check_count(self, shape, 2)
        return _dot_shape(shape, self.axes)

    def call(self, K: Backend, w: Weights, x: list[Tensor], mask: Any = None, training: Phase | None = None) -> Tensor:
        axes = _dot_axes(self.axes, [K.ndim(tensor) for tensor in x])
        if self.normalize:
            x = [unit_vectors(K, tensor, axis) for tensor, axis in zip(x, axes, strict=True)]
        return K.batch_dot(x[0], x[1], axes)

    def compute_mask(self, K: Backend, x: list[Tensor], mask: Any = None) -> None:
        return None


# ------------------------------------------------------------------- Keras 1 ----


@dataclass(eq=False)
class Merge(Layer):
    """The merging layer of Keras 0 and 1 (keras-facts: merge-modes).

    mode: 'sum', 'mul', 'concat', 'ave', 'cos', 'dot' or 'max', or a function of the user as in a Lambda. The cosine of
    two matrices has the shape (batch, 1, 1) (keras-facts: cosine-has-an-axis-more).
    """

    mode: Any = "sum"
    concat_axis: int = -1
    dot_axes: Any = -1

    supports_masking: ClassVar[bool] = True
    elementwise: ClassVar[tuple[str, ...]] = ("sum", "mul", "ave", "max")

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        branches = args[0] if args else kwargs.get("layers")
        if isinstance(branches, (list, tuple)) and any(isinstance(branch, Layer) for branch in branches):
            raise KconvertError(
                "a Merge that contains its branches can be read from a file, but not constructed",
                fix="call the branches on inputs a and b, and use Model([a, b], merge([left(a), right(b)], mode=...))",
                problem=Problem.USAGE,
            )
        return super().native_arguments(args, kwargs)

    def compute_output_shape(self, shape: Sequence[Shape]) -> Shape:
        _check_count(self, shape, 2 if self.mode in ("dot", "cos") else None)
        if self.is_function:
            return self.as_lambda().compute_output_shape(list(shape))
        if self.mode in self.elementwise:
            return shape[0]
        if self.mode == "concat":
            return _joined(shape, self.concat_axis)
        if self.mode == "dot":
            return _dot_shape(shape, self.dot_axes)
        if self.mode == "cos":
            batch, *rest = _dot_shape(shape, self.dot_axes)
            return (batch, 1, *rest)
        raise self._refusal()

    def call(self, K: Backend, w: Weights, x: list[Tensor], mask: Any = None, training: Phase | None = None) -> Tensor:
        if self.is_function:
            return self.as_lambda().call(K, w, x, mask, training)
        if self.mode in self.elementwise:
            return _combine(K, self.mode, x)
        if self.mode == "concat":
            return K.concatenate(x, axis=self.concat_axis)
        if self.mode in ("dot", "cos"):
            axes = _dot_axes(self.dot_axes, [K.ndim(tensor) for tensor in x])
            return K.batch_dot(x[0], x[1], axes) if self.mode == "dot" else _cosine(K, x[0], x[1], axes)
        raise self._refusal()

    def compute_mask(self, K: Backend, x: list[Tensor], mask: Any = None) -> Any:
        if all(m is None for m in mask or ()) or self.mode in ("dot", "cos"):
            return None
        if self.is_function:
            return self.as_lambda().compute_mask(K, x, mask)
        return _joined_mask(K, x, mask, self.concat_axis) if self.mode == "concat" else _common_mask(K, mask)

    @property
    def is_unknown(self) -> bool:
        return self.is_function and self.as_lambda().is_unknown

    @property
    def cannot_run(self) -> KconvertError | None:
        return self.as_lambda().cannot_run if self.is_function else None

    @property
    def is_function(self) -> bool:
        """Whether the mode is a function of the user, which Keras 2 has in a Lambda."""
        return self.extra.get("mode_type", "raw") != "raw" or not isinstance(self.mode, str)

    def _refusal(self) -> KconvertError:
        what = f"a Merge layer with mode {self.mode!r} cannot run"
        return KconvertError(what, f"layer {self.name}", "replace it with a custom layer")

    def as_lambda(self) -> Lambda:
        """The Lambda that computes the function which is the mode.

        Raises KconvertError where the function of a mask belongs to it.
        """
        output_mask = self.extra.get("output_mask")
        if output_mask is not None and not callable(output_mask):
            output_mask = python_functions.found(output_mask, self.extra.get("output_mask_type", "raw"), self.name)
        if output_mask is None and self.extra.get("output_mask") is not None:
            what = "a Merge layer with a Python function for its mask cannot run"
            raise KconvertError(what, f"layer {self.name}", "replace it with a custom layer")
        with giving(self.custom_objects):
            found = Lambda(
                self.mode,
                self.extra.get("output_shape"),
                None if output_mask is None else lambda _, masks: output_mask(masks),
                arguments=self.extra.get("arguments") or {},
                function_type=self.extra.get("mode_type", "lambda"),
                output_shape_type=self.extra.get("output_shape_type", "raw"),
                name=self.name,
                trainable=self.trainable,
            )
        found.infers, found.assumed = True, self.assumed
        return found


def _cosine(K: Backend, x: Tensor, y: Tensor, axes: tuple[int, int]) -> Tensor:
    """Cosine similarity along `axes`, with a new axis after the batch axis, as in Keras 1.2."""
    squares = K.batch_dot(x, x, axes) * K.batch_dot(y, y, axes)
    return K.expand_dims(K.batch_dot(x, y, axes) / K.maximum(K.sqrt(squares), epsilon()), 1)


_CLASSES: Mapping[str, type[Layer]] = {"sum": Add, "mul": Multiply, "ave": Average, "max": Maximum}


def in_keras2(merge: Merge) -> list[Layer]:
    """The Keras 2 layers, to be applied in this order, that compute the same as `merge`; empty if Keras 2 has none.

    >>> in_keras2(Merge("concat", concat_axis=1, name="joined"))
    [Concatenate(name='joined', trainable=True, dtype=None, batch_input_shape=None, axis=1)]
    """
    common: dict[str, Any] = {"name": merge.name, "trainable": merge.trainable}
    if merge.is_function:
        return [merge.as_lambda()]
    if merge.mode in _CLASSES:
        return [_CLASSES[merge.mode](**common)]
    if merge.mode == "concat":
        return [Concatenate(merge.concat_axis, **common)]
    if merge.mode == "dot":
        return [Dot(merge.dot_axes, **common)]
    if merge.mode == "cos":
        inner = merge.name and f"{merge.name}_dot"
        return [Dot(merge.dot_axes, normalize=True, name=inner), Reshape((1, 1), **common)]
    return []


def add(inputs: Sequence[Symbol], **options: Any) -> Any:
    """The sum of symbols; options: of the layer `Add`. Returns a symbol, as the functions below do."""
    return Add(**options)(inputs)


def subtract(inputs: Sequence[Symbol], **options: Any) -> Any:
    """The first symbol minus the second."""
    return Subtract(**options)(inputs)


def multiply(inputs: Sequence[Symbol], **options: Any) -> Any:
    """The product of symbols, element by element."""
    return Multiply(**options)(inputs)


def average(inputs: Sequence[Symbol], **options: Any) -> Any:
    """The mean of symbols, element by element."""
    return Average(**options)(inputs)


def maximum(inputs: Sequence[Symbol], **options: Any) -> Any:
    """The maximum of symbols, element by element."""
    return Maximum(**options)(inputs)


def minimum(inputs: Sequence[Symbol], **options: Any) -> Any:
    """The minimum of symbols, element by element."""
    return Minimum(**options)(inputs)


def concatenate(inputs: Sequence[Symbol], axis: int = -1, **options: Any) -> Any:
    """Symbols joined along `axis`."""
    return Concatenate(axis, **options)(inputs)


def dot(inputs: Sequence[Symbol], axes: Any, normalize: bool = False, **options: Any) -> Any:
    """The dot product of two symbols over `axes`, sample by sample."""
    return Dot(axes, normalize, **options)(inputs)


def merge(
    inputs: Sequence[Symbol], mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1, name: str = ""
) -> Any:
    """The function `merge` of Keras 1: merges the symbols `inputs` by layers of Keras 2. Returns a symbol.

    Raises KconvertError for a mode without an equivalent in Keras 2.
    """
    layers = [] if callable(mode) else in_keras2(Merge(mode, concat_axis, dot_axes, name=name))
    if not layers:
        what = f"Keras 2 cannot merge with mode={mode!r}"
        raise KconvertError(what, fix="use a Lambda or a custom layer", problem=Problem.USAGE)
    warn_of_old(f"merge(mode={mode!r})", " and ".join(layer.class_name for layer in layers))
    return reduce(lambda symbols, layer: layer(symbols), layers, inputs)
