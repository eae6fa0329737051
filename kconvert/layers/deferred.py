"""What has a value without any input: variables, expressions of them, and the weights of layers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from ..backend import default_backend, get_backend
from ..backend.base import Backend, Tensor
from ..backend.computing import SYMBOLS, UPDATED, computing, current_backend, is_computing
from ..backend.float_settings import floatx
from ..backend.tensor_chains import applied
from ..conventions.storage import Storage
from ..errors import KconvertError, Problem
from ..kernels import Chain
from ..lazy_dataclasses import dataclass
from .calls import Symbol
from .operators import Operators

_LOG = logging.getLogger(__name__)

_TYPES = {"b": "bool", "i": "int32", "u": "int32"}
"""The types of the constants that arrays become, by the kind of their elements; float32 for others."""

STANDING: ContextVar[Mapping[int, Tensor]] = ContextVar("standing", default=MappingProxyType({}))
"""Within a block: the tensors that stand for variables and expressions, by their identity."""


class Deferred(Operators):
    """What has a value without any input: a variable, or an expression of variables."""

    # Whether its value differs between training and testing, under its name in Keras.
    _uses_learning_phase = False

    def tensor(self, K: Backend) -> Tensor:
        """The tensor on the backend `K`, while `K` computes or a function is compiled."""
        standing = STANDING.get()
        return standing[id(self)] if id(self) in standing else self.computed(K)

    def computed(self, K: Backend) -> Tensor:
        """The tensor on the backend `K` where no other one stands for it."""
        raise NotImplementedError

    def sample_on(self, K: Backend) -> Tensor:
        """A tensor of NumPy with the shape and the type of the value."""
        return self.tensor(K)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, found by computing the value with NumPy."""
        return tuple(np.shape(self.sample_on(emulation())))

    @property
    def dtype(self) -> str:
        """The name of the type of the elements, found by computing the value with NumPy."""
        return str(np.asarray(self.sample_on(emulation())).dtype)

    @property
    def _as_TensorVariable(self) -> Callable[[], Tensor]:
        """What gives the tensor to Theano's own functions and operators, while a backend computes."""
        if not is_computing():
            raise AttributeError("_as_TensorVariable")
        return lambda: self.tensor(current_backend())

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        """The tensor for TensorFlow's own functions and operators, while a backend computes."""
        return self.tensor(current_backend())

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def _keras_shape(self) -> tuple[int, ...]:
        return self.shape

    def eval(self) -> np.ndarray:
        """The value, computed on the default backend."""
        K = get_backend(default_backend())
        (value,) = K.compile_reading(lambda values, inputs: [self.tensor(K)], [], [])([])
        return value


class Variable(Deferred):
    """A value that can be replaced. It lies on each framework that computes with it."""

    def __init__(self, value: Any, dtype: str | None = None, name: str = "") -> None:
        self._array = np.asarray(value, dtype or floatx())
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

    def computed(self, K: Backend) -> Tensor:
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

    def sample_on(self, K: Backend) -> Tensor:
        return self.sample

    @property
    def dtype(self) -> str:
        return type_of(self.sample, (self.function, self.arguments, self.options))

    def check(self) -> None:
        """Raises KconvertError where the function refuses its arguments; other errors come where it is computed."""
        try:
            _ = self.sample
        except KconvertError:
            raise
        except Exception as error:  # a function of the user may raise anything, and another backend may not
            _LOG.debug("%s is not computed by NumPy: %s", self.function, error)

    def computed(self, K: Backend) -> Tensor:
        with computing(K):
            result = self.function(*filled(K, self.arguments, {}), **filled(K, dict(self.options), {}))
        return result if self.index is None else result[self.index]


@dataclass(eq=False)
class WeightValue(Deferred):
    """The value of a weight of a layer."""

    # The variable of the backend.
    weight: Any
    # By default the shape of the value. While a backend computes, the value cannot be read.
    _shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self._shape = self._shape or np.shape(self.value)

    @staticmethod
    def of(x: Any) -> Any:
        """What has the value of a variable of a backend; anything else is itself."""
        return WeightValue(x) if is_native(x) else x

    @property
    def value(self) -> np.ndarray:
        """The present value."""
        array: np.ndarray = get_backend(default_backend()).value(self.weight)
        return array

    @value.setter
    def value(self, array: Any) -> None:
        get_backend(default_backend()).assign(self.weight, self._fitting(array))

    def _fitting(self, array: Any) -> np.ndarray:
        """An array as a new value. Raises KconvertError for one of another shape."""
        if np.shape(array) != self.shape:
            what = f"a value of shape {np.shape(array)} does not fit a variable of shape {self.shape}"
            raise KconvertError(what, problem=Problem.USAGE)
        return np.asarray(array, self.value.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    def eval(self) -> np.ndarray:
        return self.value

    def tensor(self, K: Backend) -> Tensor:
        standing = STANDING.get()
        return standing[id(self.weight)] if id(self.weight) in standing else self.computed(K)

    def computed(self, K: Backend) -> Tensor:
        if K.name != K.convention:  # NumPy, which finds shapes
            return K.zeros(self.shape)
        return K.reshape(K.identity(self.weight), self.shape)


class ShownWeight(WeightValue):
    """A weight of a layer, or the part of one of its gates, in the form in which a Keras has it as a variable.

    weight: the variable of the backend. stored: how that Keras stores the weight. index: which of its arrays it is.
    """

    def __init__(self, weight: Any, stored: Storage, index: int, name: str) -> None:
        self.weight, self.stored, self.index, self.name = weight, stored, index, name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShownWeight) and (other.weight is self.weight and other.index == self.index)

    def __hash__(self) -> int:
        return hash((id(self.weight), self.index))

    def _arrays(self) -> list[np.ndarray]:
        """All arrays of the weight."""
        return list(self._chain.apply(get_backend(default_backend()).value(self.weight)))

    @property
    def _chain(self) -> Chain:
        return (self.stored.from_run >> self.stored.chain.inverse).simplified

    @property
    def value(self) -> np.ndarray:
        return self._arrays()[self.index]

    @value.setter
    def value(self, array: Any) -> None:
        arrays = self._arrays()
        arrays[self.index] = self._fitting(array)
        get_backend(default_backend()).assign(self.weight, self._chain.inverse.apply(*arrays)[0])

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shapes[self.index]

    @property
    def whole(self) -> WeightValue:
        """The weight as the backend runs it."""
        return WeightValue(self.weight, tuple(self.stored.weight.shape))

    def tensor(self, K: Backend) -> Tensor:
        standing = STANDING.get()
        return standing[id(self)] if id(self) in standing else self.shown(K, self.whole.tensor(K))

    def shown(self, K: Backend, tensor: Tensor) -> Tensor:
        """What is shown of a tensor in the form in which the backend runs the weight."""
        return applied(self._chain, K, [tensor], [self.stored.weight.shape])[self.index]


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

    def tensor(one: Any) -> Any:
        if isinstance(one, Symbol):
            return known[one] if one in known else _resolved(one)
        if isinstance(one, np.ndarray):
            return K.constant(one, _TYPES.get(one.dtype.kind, floatx()))
        return one.tensor(K) if isinstance(one, Deferred) else one

    return _with_leaves(tensor, value)


def _sampled(K: Backend, value: Any) -> Any:
    """`value` with samples in place of expressions, and arrays in place of variables."""
    return _with_leaves(lambda one: one.sample_on(K) if isinstance(one, Deferred) else filled(K, one, {}), value)


def _with_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """`value` with the results of `function` in place of everything inside lists, tuples and dicts."""
    if isinstance(value, (list, tuple)):
        items = [_with_leaves(function, one) for one in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, Mapping):
        return {key: _with_leaves(function, one) for key, one in value.items()}
    return function(value)


def type_of(value: Any, made_by: Any) -> str:
    """The name of the type of the elements of a value that NumPy computed; made_by: the function and its arguments.

    NumPy gives a number of float32 and a number of Python together the type float64, which frameworks do not.
    """
    found = str(np.asarray(value).dtype)
    if found != "float64" or floatx() == found or np.ndim(value) or any(_is_double(one) for one in leaves(made_by)):
        return found
    return "float32"


def _is_double(value: Any) -> bool:
    return value == "float64" if isinstance(value, str) else str(getattr(value, "dtype", "")) == "float64"


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


def is_native(x: Any) -> bool:
    """Whether `x` is a variable of a framework, as those of the weights of layers."""
    return not isinstance(x, Operators) and (hasattr(x, "assign") or hasattr(x, "set_value"))


def stands_for_tensors(*values: Any) -> bool:
    """Whether a symbol, a variable or an expression is among `values`."""
    return any(isinstance(one, (Symbol, Deferred)) for one in leaves(values))
