"""Operations on symbols: functions of tensors that are called before there are tensors.

    x = Input((4,))
    y = record(K.mean, x * 2.0, axis=-1)

A function of symbols becomes an `Operation`, a layer of the network. A function of values and variables alone becomes
an `Expression`, which is computed when its value is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import field
from functools import cached_property
from itertools import islice, product
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from ..backend import default_backend, get_backend
from ..backend.base import Backend, Tensor
from ..backend.computing import IMAGES, SYMBOLS, UPDATED, computing, current_backend, is_computing
from ..backend.context import assigned
from ..backend.image_format import default_data_format
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass
from .base import Layer, Shape, Weights
from .calls import Symbol, images_behind
from .inputs import Input
from .lists import as_list, one_or_list
from .operators import Operators
from .phase import Phase

_LOG = logging.getLogger(__name__)

_TYPES = {"b": "bool", "i": "int32", "u": "int32"}
"""The types of the constants that arrays become, by the kind of their elements; float32 for others."""

STANDING: ContextVar[Mapping[int, Tensor]] = ContextVar("standing", default=MappingProxyType({}))
"""Within a block: the tensors that stand for variables, by the identity of the variables."""

SLOPES: ContextVar[Callable[[Symbol, Any], Tensor]] = ContextVar("slopes")
"""Within a block: what gives the derivative of the sum of a symbol with respect to the variable of a weight."""

_SIZES = (11, 17)
"""Two numbers that are tried for each unknown size."""

_TRIED = 27
"""So many times a function is tried with sizes of other inputs in place of unknown ones."""


class Deferred(Operators):
    """What has a value without any input: a variable, or an expression of variables."""

    def tensor(self, K: Backend) -> Tensor:
        """The tensor on the backend `K`, while `K` computes or a function is compiled."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, found by computing the value with NumPy."""
        return tuple(np.shape(self.tensor(emulation())))

    def eval(self) -> np.ndarray:
        """The value, computed on the default backend."""
        K = get_backend(default_backend())
        (value,) = K.compile_reading(lambda values, inputs: [self.tensor(K)], [], [])([])
        return value


class Variable(Deferred):
    """A value that can be replaced. It lies on each framework that computes with it."""

    def __init__(self, value: Any, dtype: str = "float32", name: str = "") -> None:
        self._array = np.asarray(value, dtype)
        self.name = name
        # A function that each step of an optimizer applies to the new value.
        self.constraint: Callable[[Any], Any] | None = None
        # The variable of each framework, with its backend, by the name of that.
        self._natives: dict[str, tuple[Backend, Any]] = {}

    @property
    def value(self) -> np.ndarray:
        """The present value."""
        for K, native in self._natives.values():
            return K.value(native)
        return self._array

    @value.setter
    def value(self, array: Any) -> None:
        new = np.asarray(array, self._array.dtype)
        if new.shape != self.shape:
            what = f"a value of shape {new.shape} does not fit a variable of shape {self.shape}"
            raise KconvertError(what, self.name or None, problem=Problem.USAGE)
        self._array = new
        for K, native in self._natives.values():
            K.assign(native, new)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._array.shape

    @property
    def dtype(self) -> str:
        """The name of the type of its elements."""
        return str(self._array.dtype)

    def assign(self, value: Any) -> None:
        """Replaces the value: at once, or within a method of a metric, with the batch that it adds.

        Raises KconvertError while a backend computes anything else.
        """
        update = UPDATED.get(None)
        if update is not None:
            update(self, value)
        elif is_computing():
            what = "a variable is assigned where updates are not known"
            raise KconvertError(what, self.name or None, "use add_update in a layer", Problem.USAGE)
        else:
            self.value = value.tensor(emulation()) if isinstance(value, Deferred) else value

    def assign_add(self, value: Any) -> None:
        """Adds to the value: see `assign`."""
        self.assign(self + value)

    def assign_sub(self, value: Any) -> None:
        """Subtracts from the value: see `assign`."""
        self.assign(self - value)

    def lies_on(self, K: Backend) -> bool:
        """Whether it lies on no other framework than that of `K`."""
        return not set(self._natives) - {K.name}

    def native(self, K: Backend) -> Any:
        """The variable of the backend `K`."""
        if K.name not in self._natives:
            self._natives[K.name] = K, K.variable(self.value)
        return self._natives[K.name][1]

    def tensor(self, K: Backend) -> Tensor:
        standing = STANDING.get()
        if id(self) in standing:
            return standing[id(self)]
        if K.name != K.convention:  # NumPy, which computes anew in each run
            return K.constant(self.value, self.dtype)
        return K.reshape(K.identity(self.native(K)), self.shape)

    def eval(self) -> np.ndarray:
        return self.value

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": self.value, "_natives": {}}


@dataclass(eq=False)
class Expression(Deferred):
    """A function of variables, values and other expressions."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    # Which of the results of the function it is; None: the function has one.
    index: int | None = None

    @cached_property
    def sample(self) -> Any:
        """The value by NumPy when it is first asked for; it has the shape of all later values."""
        K = emulation()
        with computing(K), np.errstate(all="ignore"):
            result = self.function(*_sampled(K, self.arguments), **_sampled(K, dict(self.options)))
        return result if self.index is None else result[self.index]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(np.shape(self.sample))

    def check(self) -> None:
        """Raises KconvertError where the function refuses its arguments; other errors come where it is computed."""
        try:
            _ = self.sample
        except KconvertError:
            raise
        except Exception as error:  # a function of the user may raise anything, and another backend may not
            _LOG.debug("%s is not computed by NumPy: %s", self.function, error)

    def tensor(self, K: Backend) -> Tensor:
        with computing(K):
            result = self.function(*filled(K, self.arguments, {}), **filled(K, dict(self.options), {}))
        return result if self.index is None else result[self.index]


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
    # The data format of images, by the layers behind the symbols.
    images: str | None = None
    # The shape of the output, where it cannot be found by running the function with NumPy.
    output: Any = None

    def compute_output_shape(self, shape: Any) -> Any:
        if self.output is not None:
            return self.output
        inputs = self._consistent(shape if isinstance(shape, list) else [shape])
        first, second = (self._shapes(inputs, number) for number in _SIZES)
        pairs = zip(first, second, strict=True)
        sizes = [tuple(n if n == m else None for n, m in zip(*pair, strict=True)) for pair in pairs]
        return sizes if self._several else sizes[0]

    def _consistent(self, inputs: list[Shape]) -> list[Shape]:
        """The shapes with known sizes of other inputs where the function fails with any size.

        An example is the sum of (None, 4) and (None, None), which becomes (None, 4). The number of samples stays
        unknown where other sizes are known.
        """
        known = sorted({n for sizes in inputs for n in sizes if n is not None})
        unknown = [
            (i, j) for i, sizes in enumerate(inputs) for j, n in enumerate(sizes) if n is None and (j or not any(sizes))
        ]
        failed: KconvertError | None = None
        for chosen in islice(product([None, *known], repeat=len(unknown)), _TRIED):
            tried = [list(sizes) for sizes in inputs]
            for (i, j), size in zip(unknown, chosen, strict=True):
                tried[i][j] = size
            try:
                self._shapes([tuple(sizes) for sizes in tried], _SIZES[0])
            except KconvertError as error:
                failed = failed or error
            else:
                return [tuple(sizes) for sizes in tried]
        assert failed is not None
        raise failed

    def _shapes(self, inputs: list[Shape], number: int) -> list[Shape]:
        """The shapes of the results for inputs of these shapes, with `number` for each unknown size."""
        zeros = [np.zeros([number if n is None else n for n in sizes], "float32") for sizes in inputs]
        with np.errstate(all="ignore"):
            result = self._result(emulation(), zeros)
        self._several = isinstance(result, (list, tuple))
        return [tuple(int(n) for n in np.shape(one)) for one in as_list(result)]

    def _result(self, K: Backend, inputs: list[Tensor]) -> Any:
        known = dict(zip(self.symbols, inputs, strict=True))
        try:
            with computing(K), assigned(IMAGES, self.images or default_data_format()):
                return self.function(*filled(K, self.arguments, known), **filled(K, self.options, known))
        except (KconvertError, MemoryError):
            raise
        except Exception as error:  # a function of the user may raise anything
            name = getattr(self.function, "__name__", "function")
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise KconvertError(f"{name} of {[s.shape for s in self.symbols]} fails ({reason})") from error

    def call(self, K: Backend, w: Weights, x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        result = self._result(K, as_list(x))
        return list(result) if isinstance(result, tuple) else result

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        raise KconvertError(
            f"an operation on symbols ({getattr(self.function, '__name__', 'function')}) cannot be stored in a file",
            where=f"layer {self.name}",
            fix="save the weights alone (save_weights), or write the operation into a Lambda layer",
        )


def emulation() -> Backend:
    """NumPy, in the convention of the default backend."""
    name = default_backend()
    return get_backend("numpy", None if name == "numpy" else name)


def leaves(value: Any) -> Iterator[Any]:
    """Everything inside lists, tuples and dicts."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, Mapping):
        yield from leaves(list(value.values()))
    else:
        yield value


def filled(K: Backend, value: Any, known: Mapping[Any, Tensor]) -> Any:
    """`value` with tensors in place of symbols, variables, expressions and arrays."""
    if isinstance(value, (list, tuple)):
        items = [filled(K, one, known) for one in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        return {key: filled(K, one, known) for key, one in value.items()}
    if isinstance(value, Symbol):
        return known[value] if value in known else _resolved(value)
    if isinstance(value, np.ndarray):
        return K.constant(value, _TYPES.get(value.dtype.kind, "float32"))
    return value.tensor(K) if isinstance(value, Deferred) else value


def _sampled(K: Backend, value: Any) -> Any:
    """`value` with samples in place of expressions, and arrays in place of variables."""
    if isinstance(value, (list, tuple)):
        items = [_sampled(K, one) for one in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        return {key: _sampled(K, one) for key, one in value.items()}
    if isinstance(value, Slope):
        return K.zeros(value.shape)
    return value.sample if isinstance(value, Expression) else filled(K, value, {})


def _resolved(symbol: Symbol) -> Tensor:
    """The tensor of a symbol that a function of the user took from outside."""
    find = SYMBOLS.get(None)
    if find is None:
        raise KconvertError(
            f"the value of {symbol!r} is not known here",
            fix="give it to the layer as an input",
            problem=Problem.USAGE,
        )
    return find(symbol)


def stands_for_tensors(*values: Any) -> bool:
    """Whether a symbol, a variable or an expression is among `values`."""
    return any(isinstance(one, (Symbol, Deferred)) for one in leaves(values))


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


def gradient(y: Any, x: Any) -> Any:
    """What stands for the derivative of the sum of `y` with respect to `x`.

    y: a symbol, and `x` is one too, or the variable of a weight of a layer; or an expression, and `x` is a variable.
    Raises KconvertError for anything else.
    """
    if isinstance(y, Symbol) and (hasattr(x, "assign") or hasattr(x, "set_value")) and not isinstance(x, Deferred):
        return WeightSlope(y, x)
    kinds = (Symbol, Symbol) if isinstance(y, Symbol) else (Deferred, Variable)
    if not isinstance(y, kinds[0]) or not isinstance(x, kinds[1]):
        what = "gradients takes a symbol and symbols or weights, or an expression and variables"
        raise KconvertError(what, problem=Problem.USAGE)
    if isinstance(y, Symbol):
        return Operation(function=_gradient, arguments=(y, x), symbols=[y, x], output=x.shape)([y, x])
    return Slope(y, cast(Variable, x))


def _gradient(y: Tensor, x: Tensor) -> Tensor:
    K = current_backend()
    return K.gradients(K.sum(y), [x])[0]


@dataclass(eq=False)
class Slope(Deferred):
    """The derivative of the sum of an expression with respect to a variable."""

    of: Deferred
    variable: Variable

    @property
    def shape(self) -> tuple[int, ...]:
        return self.variable.shape

    def tensor(self, K: Backend) -> Tensor:
        x = self.variable.tensor(K)
        with assigned(STANDING, {**STANDING.get(), id(self.variable): x}):
            return K.gradients(K.sum(self.of.tensor(K)), [x])[0]


@dataclass(eq=False)
class WeightValue(Deferred):
    """The value of a weight of a layer."""

    # The variable of the backend.
    weight: Any

    def __post_init__(self) -> None:
        self._sizes = _sizes_of(self.weight)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._sizes

    def tensor(self, K: Backend) -> Tensor:
        standing = STANDING.get()
        if id(self.weight) in standing:
            return standing[id(self.weight)]
        if K.name != K.convention:  # NumPy, which finds shapes
            return K.zeros(self.shape)
        return K.reshape(K.identity(self.weight), self.shape)


@dataclass(eq=False)
class WeightSlope(Deferred):
    """The derivative of the sum of a symbol with respect to a weight of a layer: `K.function` computes it."""

    of: Symbol
    # The variable of the backend.
    weight: Any

    def __post_init__(self) -> None:
        self._sizes = _sizes_of(self.weight)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._sizes

    def tensor(self, K: Backend) -> Tensor:
        find = SLOPES.get(None)
        if find is not None:
            return find(self.of, self.weight)
        if K.name != K.convention:  # NumPy, which finds shapes
            return K.zeros(self.shape)
        what, fix = "the gradient of a weight has no value without inputs", "K.function([inputs], [gradients])"
        raise KconvertError(what, fix=fix, problem=Problem.USAGE)


def _sizes_of(variable: Any) -> tuple[int, ...]:
    """The sizes of a variable of the default backend."""
    return tuple(int(n) for n in get_backend(default_backend()).value(variable).shape)


def symbols_within(value: Any) -> Iterator[Symbol]:
    """The symbols that a value is computed from, as far as an expression knows them."""
    for one in leaves(value):
        if isinstance(one, Symbol):
            yield one
        elif isinstance(one, WeightSlope):
            yield one.of
        elif isinstance(one, Expression):
            yield from symbols_within((one.arguments, one.options))


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
