"""Operations on symbols: functions of tensors that are called before there are tensors.

    x = Input((4,))
    y = record(K.mean, x * 2.0, axis=-1)

A function of symbols becomes an `Operation`, a layer of the network. A function of values and variables alone becomes
an `Expression`, which is computed when its value is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from ..backend.base import Backend, Tensor
from ..backend.computing import IMAGES, computing, current_backend, is_computing
from ..backend.context import assigned
from ..backend.image_format import default_data_format
from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .calls import Symbol, images_behind
from .deferred import Deferred, Expression, emulation, filled, leaves, type_of
from .inputs import Input
from .lists import as_list, one_or_list
from .operators import Operators
from .phase import Phase
from .trial_sizes import levels

_SIZES = (11, 17)
"""Two numbers that are tried for each unknown size."""


@dataclass(eq=False)
class Operation(Layer):
    """A function of the layer's inputs, recorded by `record`. It has no configuration that a file could hold."""

    drops_mask = True

    function: Any = None
    # The arguments of the function, in which symbols stand for the inputs.
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    # The symbols in the order of the inputs.
    symbols: list[Any] = field(default_factory=list)
    # The data format of images, by the layers that led to the symbols.
    images: str | None = None
    # The shape of the output, where it cannot be found by running the function with NumPy.
    output: Any = None
    # A function whose result has the shape of that of `function`, which cannot be run with unknown sizes.
    _shaped_by: Any = field(default=None, init=False)

    def compute_output_shape(self, shape: Any) -> Any:
        if self.output is not None:
            return self.output
        inputs = shape if isinstance(shape, list) else [shape]
        found = self._accepted(inputs)
        sizes = [tuple(_common(axis) for axis in zip(*shapes, strict=True)) for shapes in zip(*found, strict=True)]
        return sizes if self._several else sizes[0]

    def dtype_of(self, index: int) -> str:
        return self._types[index] if self.output is None else super().dtype_of(index)

    @property
    def gives_sizes(self) -> bool:
        """Whether the result is computed from the sizes of tensors alone, so that it is known where they are."""
        if getattr(self.function, "gives_sizes", False):
            return True
        return bool(self.symbols) and all(getattr(one.call.layer, "gives_sizes", False) for one in self.symbols)

    def _accepted(self, inputs: list[Shape]) -> list[list[Shape]]:
        """The shapes of the results, for numbers in place of unknown sizes that the function accepts.

        Where it fails with any, known ones are tried: the sum of (None, 4) and (None, None) is (None, 4). These are
        sizes of other inputs and of values among the arguments, and integers among them.
        """
        failed: KconvertError | None = None
        for level in levels(inputs, self._stated_sizes()):
            found: list[list[Shape]] = []
            for tried in level:
                try:
                    found += [self._shapes(tried, number) for number in _SIZES]
                except KconvertError as error:
                    failed = failed or error
            if found:
                return found
        assert failed is not None
        if not hasattr(self.function, "stand_in"):
            raise failed
        self._shaped_by = self.function.stand_in
        return [self._shapes(inputs, number) for number in _SIZES]

    def _stated_sizes(self) -> Iterator[int]:
        """The sizes of values among the arguments, and the integers among them."""
        for one in leaves((self.arguments, self.options)):
            if isinstance(one, (Deferred, np.ndarray)):
                yield from one.shape
            elif type(one) is int and one > 0:
                yield one

    def _shapes(self, inputs: list[Shape], number: int) -> list[Shape]:
        """The shapes of the results for inputs of these shapes, with `number` for each unknown size."""
        result = self._sample(inputs, number)
        self._several = isinstance(result, (list, tuple))
        made_by = self.function, self.arguments, self.options
        self._types = [type_of(one, made_by) for one in as_list(result)]
        return [tuple(int(n) for n in np.shape(one)) for one in as_list(result)]

    def _sample(self, inputs: list[Shape], number: int) -> Any:
        """The result by NumPy for inputs of these shapes, with `number` for each unknown size."""
        given = [_sample_of(symbol, sizes, number) for symbol, sizes in zip(self.symbols, inputs, strict=True)]
        with np.errstate(all="ignore"):
            return self._result(emulation(), given, self._shaped_by or self.function)

    def _result(self, K: Backend, inputs: list[Tensor], function: Callable[..., Any]) -> Any:
        known = dict(zip(self.symbols, inputs, strict=True))
        try:
            with computing(K), assigned(IMAGES, self.images or default_data_format()):
                return function(*filled(K, self.arguments, known), **filled(K, self.options, known))
        except (KconvertError, MemoryError):
            raise
        except Exception as error:  # a function of the user may raise anything
            name = getattr(self.function, "__name__", "function")
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise KconvertError(f"{name} of {[s.shape for s in self.symbols]} fails ({reason})") from error

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        result = self._result(K, as_list(x), self.function)
        return list(result) if isinstance(result, tuple) else result

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        raise KconvertError(
            f"an operation on symbols ({getattr(self.function, '__name__', 'function')}) cannot be stored in a file",
            where=f"layer {self.name}",
            fix="save the weights alone (save_weights), or write the operation into a Lambda layer",
        )


def _common(sizes: Sequence[int]) -> int | None:
    """The size that all have; None where they differ."""
    return sizes[0] if len(set(sizes)) == 1 else None


def _sample_of(symbol: Symbol, shape: Shape, number: int) -> np.ndarray:
    """A value of a symbol, with `number` for each unknown size: zeros, but the sizes themselves where it has them."""
    layer = symbol.call.layer
    if getattr(layer, "gives_sizes", False):
        result = layer._sample([one.shape for one in layer.symbols], number)
        return np.asarray(as_list(result)[symbol.index])
    return np.zeros([number if n is None else n for n in shape], symbol.dtype)


def record(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What stands for the result of `function`: a symbol, where symbols are among the arguments, else an expression.

    While a backend computes, variables and expressions give their values, and the function is called at once.
    """
    if is_computing():
        K = current_backend()
        return function(*filled(K, arguments, {}), **filled(K, options, {}))
    symbols = list(dict.fromkeys(one for one in leaves((arguments, options)) if isinstance(one, Symbol)))
    if not symbols:
        expression = Expression(function, arguments, options)
        expression.check()
        return expression
    operation = Operation(function=function, arguments=arguments, options=options, symbols=symbols)
    operation.images = images_behind(symbols)
    return operation(one_or_list(symbols))


def as_inputs(values: list[Any]) -> list[Any]:
    """`values` with symbols in place of variables and expressions, which a layer is called on.

    They are computed beside the first symbol, in each run; where there is none, they become inputs that are not given.
    """
    first = next((one for one in values if isinstance(one, Symbol)), None)
    return [_input(one, first) if isinstance(one, Deferred) else one for one in values]


def _input(value: Deferred, beside: Symbol | None) -> Symbol:
    return Input(tensor=value) if beside is None else record(_second, beside, value)


def _second(x: Tensor, value: Tensor) -> Tensor:
    return value


@dataclass(eq=False)
class WithMask(Operation):
    """The first input, with the second as its mask."""

    @property
    def makes_mask(self) -> bool:
        return True

    def compute_mask(self, K: Backend, x: Any, mask: Any = None) -> Any:
        return K.cast(x[1], "bool")


def with_mask(x: Symbol, mask: Symbol) -> Symbol:
    """The symbol `x` with the symbol `mask`, (batch, time), as its mask."""
    pair = [x, mask]
    return WithMask(function=_first, arguments=(x, mask), symbols=pair, output=x.shape, images=images_behind([x]))(pair)


def _first(x: Tensor, value: Tensor) -> Tensor:
    return x


Operators.record = staticmethod(record)
Operators.with_mask = staticmethod(with_mask)
Operators.as_inputs = staticmethod(as_inputs)
