"""The user's Python: functions and classes of layers that are given as `custom_objects`, as in Keras.

A layer remembers the objects that were given when it was made (`Layer.custom_objects`), so two models may have
different functions of the same name.
"""

from __future__ import annotations

import dis
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import field
from functools import cached_property
from inspect import signature, unwrap
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from ..backend import get_backend
from ..backend.base import Backend, Tensor
from ..backend.computing import SYMBOLS, computing
from ..backend.context import assigned
from ..backend.float_settings import floatx
from ..backend.spatial import known_sizes
from ..errors import KconvertError
from ..lazy_dataclasses import dataclass
from .lists import as_list

Function = Callable[..., Tensor]

OUR_FUNCTIONS = "the functions of kconvert.backend (from kconvert import backend as K), which run on every backend"

_SIZES = (11, 17)
"""Two numbers that are tried for each unknown size."""

_FOREIGN = frozenset({"tensorflow", "theano", "keras", "tf_keras", "torch", "jax", "cntk"})
"""Packages whose functions run on one backend alone."""


@dataclass(frozen=True, eq=False)
class CustomFunction:
    """A function of the user: that of a Lambda layer, an activation, or what computes the shape of an output."""

    name: str
    # f(K, x, **arguments) where its first parameter is called K, else f(x, **arguments)
    function: Function
    # The shape of the output without the batch axis, or a function from the input's shape to it. None: the shape that
    # the layer states, else the shape of its input.
    output_shape: Any = None

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters; empty if Python cannot list them, as for many built-in functions."""
        try:
            return tuple(signature(self.function).parameters)
        except (TypeError, ValueError):
            return ()

    def run(self, K: Backend, *inputs: Any, **arguments: Any) -> Tensor:
        """The output for `inputs` on the backend `K`. Raises KconvertError where the function fails."""
        takes_backend = self.parameters[:1] == ("K",)
        y = self.attempt(K, *((K, *inputs) if takes_backend else inputs), **arguments)
        if not all(hasattr(one, "dtype") and hasattr(one, "shape") for one in as_list(y)):
            raise self.failed(f"returned {type(y).__name__}, not a tensor")
        return y

    def attempt(self, K: Backend, *inputs: Any, **arguments: Any) -> Any:
        """Calls the function with `K` as the backend of `kconvert.backend`, and returns its result.

        Raises KconvertError, which names the function, where it fails.
        """
        try:
            with computing(K):
                return self.function(*inputs, **arguments)
        except (KconvertError, MemoryError):
            raise
        except Exception as error:  # a function of the user may raise anything
            raise self.failed(f"fails on {K.name} ({_reason(error)})") from error

    def activate(self, K: Backend, x: Tensor) -> Tensor:
        """`run` as an activation, which keeps the shape. Raises KconvertError where it does not."""
        y = self.run(K, x)
        found, wanted = _known(K, y), _known(K, x)
        if not _fits(found, wanted):
            raise self.failed(f"returned the shape {found} for {wanted}, and an activation keeps the shape")
        return y

    def shape_of(self, shape: Any) -> tuple[int | None, ...]:
        """The shape of an output, by a function that computes it from the shape of the input."""
        try:
            return tuple(self.function(shape))
        except Exception as error:  # a function of the user may raise anything
            raise self.failed(f"gives no output shape for {shape} ({_reason(error)})") from error

    def failed(self, what: str) -> KconvertError:
        """The error for this function. It names what the function uses that runs on one backend only."""
        used = foreign_functions(self.function)
        why = f"; it uses {', '.join(used)}" if used else ""
        return KconvertError(f"the function {self.name!r} {what}{why}", fix=f"write it with {OUR_FUNCTIONS}")

    def shape_for(self, shape: Any, arguments: Mapping[str, Any]) -> tuple[int | None, ...]:
        """The shape of the output for inputs of `shape`, found by running the function on zeros with NumPy.

        It is run twice, with other numbers for the unknown sizes: sizes that differ then are unknown in the result.
        Zeros stand for symbols that the function takes from outside, too.
        """
        inputs = shape if isinstance(shape, list) else [shape]
        found = []
        for number in _SIZES:
            zeros = [zeros_in(sizes, number) for sizes in inputs]
            with np.errstate(all="ignore"), assigned(SYMBOLS, zeros_for_symbols(number)):
                output = self.run(get_backend("numpy"), zeros if isinstance(shape, list) else zeros[0], **arguments)
            found.append(tuple(int(n) for n in output.shape))
        if len(found[0]) != len(found[1]):
            raise ValueError("the number of axes depends on the sizes of the input")
        return tuple(n if n == m else None for n, m in zip(*found, strict=True))


def zeros_for_symbols(number: int) -> Callable[[Any], np.ndarray]:
    """What gives zeros for a symbol, with `number` for each unknown size."""
    return lambda symbol: zeros_in(symbol.shape, number)


def zeros_in(sizes: Sequence[int | None], number: int) -> np.ndarray:
    """Zeros in a shape, with `number` for each unknown size."""
    return np.zeros([number if n is None else n for n in sizes], floatx())


def _known(K: Backend, x: Tensor) -> tuple[int | None, ...]:
    """The sizes of `x` without the batch; None where they are not known."""
    return known_sizes(K, x)[1:]


def _fits(found: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether two shapes have equally many axes, and the same size where both sizes are known."""
    return len(found) == len(wanted) and all(n == m or None in (n, m) for n, m in zip(found, wanted, strict=True))


def check_output(function: CustomFunction, K: Backend, y: Tensor, declared: tuple[int | None, ...]) -> None:
    """Raises KconvertError where the sizes of `y` are not those that were declared for it, without the batch."""
    found = _known(K, y)
    if not _fits(found, declared):
        what = f"returned the shape {found} without the batch, and the output shape that is stated is {declared}"
        raise function.failed(what)


def _reason(error: Exception) -> str:
    """The class of an exception, and the first line of its message."""
    return ": ".join([type(error).__name__, *str(error).strip().splitlines()[:1]])


def foreign_functions(function: Function) -> list[str]:
    """What a function uses of packages that run on one backend alone, by the names in its code: `tf.nn.relu`."""
    function = unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return []
    known = {**getattr(function, "__globals__", {}), **_enclosed(function)}
    return list(dict.fromkeys(_foreign(code, known)))


def _enclosed(function: Any) -> dict[str, Any]:
    """The variables of the functions around `function` that it uses."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    found = {}
    for name, cell in cells:
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def _foreign(code: CodeType, known: Mapping[str, Any]) -> Iterator[str]:
    words: list[str] = []
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and words:
            words.append(str(step.argval))
            continue
        if words:
            yield ".".join(words)
        words = []
        if step.opname == "IMPORT_NAME" and str(step.argval).partition(".")[0] in _FOREIGN:
            yield str(step.argval)
        elif step.opname in ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME") and _is_foreign(known.get(step.argval)):
            words = [str(step.argval)]
    if words:
        yield ".".join(words)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _foreign(inner, known)


def _is_foreign(value: Any) -> bool:
    module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] in _FOREIGN


# -------------------------------------------------------------------- objects ----


@dataclass(frozen=True, eq=False)
class CustomObjects:
    """What a user gave as `custom_objects`: functions and classes, by the names that files have for them."""

    functions: Mapping[str, CustomFunction] = field(default_factory=dict)
    # Classes of layers.
    classes: Mapping[str, Any] = field(default_factory=dict)
    # Classes of losses, metrics, optimizers, initializers, regularizers and constraints.
    components: Mapping[str, Any] = field(default_factory=dict)

    def __deepcopy__(self, memo: Any) -> CustomObjects:
        return self

    def __getstate__(self) -> dict[str, Any]:
        """The state for another process, which imports the functions.

        Raises PicklingError for a function of the main program, which cannot be imported.
        """
        for name, function in self.functions.items():
            if getattr(function.function, "__module__", "__main__") == "__main__":
                raise pickle.PicklingError(f"the function {name!r} is not in a module that can be imported")
        return self.__dict__

    def __bool__(self) -> bool:
        return bool(self.functions or self.classes or self.components)


NONE_GIVEN = CustomObjects()

_GIVEN: ContextVar[CustomObjects] = ContextVar("custom_objects", default=NONE_GIVEN)


def given() -> CustomObjects:
    """The custom objects of the enclosing `giving` block; none outside of one."""
    return _GIVEN.get()


def giving(objects: CustomObjects) -> AbstractContextManager[None]:
    """Makes `objects` the custom objects within a block."""
    return assigned(_GIVEN, objects)


def give_from_now_on(objects: CustomObjects) -> None:
    """Makes `objects` the custom objects outside of every block."""
    _GIVEN.set(objects)


@contextmanager
def with_objects(layer: Any) -> Iterator[None]:
    """Makes the objects of `layer` the custom objects within a block. Errors without a place name the layer."""
    try:
        with giving(layer.custom_objects):
            yield
    except KconvertError as error:
        raise (error if error.where else error.within(f"layer {layer.name}")) from error
