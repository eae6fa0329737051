"""Metric: the base class of all metrics, and of those of the user, with the methods of Keras 2.3.1.

A metric holds variables. `update_state` adds a batch to them, `result` computes the value from them, `reset_states`
sets them to zero. Both methods run on a backend: within a compiled step, where tensors stand for the variables, or on
NumPy, where the user calls them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import numpy as np

from ....backend.base import Backend, Tensor
from ....backend.computing import UPDATED, computing, current_backend, is_computing
from ....backend.context import assigned
from ....backend.float_settings import floatx, keeping_floatx
from ....backend.spatial import known_sizes
from ....errors import KconvertError, Problem
from ....layers.custom import CustomFunction
from ....layers.deferred import STANDING, Variable, emulation, filled
from ....layers.names import next_name
from ....lazy_dataclasses import dataclass
from .. import initializers
from ..registry import Component

Sums = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Metric(Component):
    """Base class of the metrics. One of the user makes its variables in `__init__` by `add_weight`, as in Keras."""

    # In the logs; by default the name that Keras gives the metric.
    name: str = ""
    # The type of its variables, in which it computes; by default `floatx`.
    dtype: str = ""

    common = ("name", "dtype")
    stateful = True
    built = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in {"update_state", "result"} & set(vars(cls)):
            setattr(cls, name, _on_a_backend(vars(cls)[name]))

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.default_name)
        object.__setattr__(self, "dtype", self.dtype or floatx())

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = super().native_arguments(args, kwargs)
        return args, {key: value for key, value in kwargs.items() if value is not None or key not in cls.common}

    @property
    def default_name(self) -> str:
        """The name of the class and the next number, as for layers: `precision_1`."""
        return next_name(self.class_name)

    # ------------------------------------------------------------ variables ----

    def add_weight(self, name: str, shape: Any = (), initializer: Any = None, dtype: Any = None) -> Variable:
        """A new variable. initializer: None for zeros."""
        made = self.made
        draw = initializers.get(initializer or "zeros")
        variable = Variable(draw.values(tuple(shape), np.random.default_rng()), dtype or self.dtype, name)
        made[name if name not in made else f"{name}_{len(made)}"] = variable
        return variable

    @property
    def made(self) -> dict[str, Variable]:
        """The variables of `add_weight` by name."""
        found: dict[str, Variable] = vars(self).setdefault("_made", {})
        return found

    @property
    def weights(self) -> list[Variable]:
        """The variables of `add_weight`."""
        return list(self.made.values())

    @property
    def trainable_weights(self) -> list[Variable]:
        """None of its variables: training does not change them."""
        return []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables of `add_weight`."""
        return self.weights

    def get_weights(self) -> list[np.ndarray]:
        """The values of the variables of `add_weight`."""
        return [one.value for one in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Sets the variables of `add_weight`. Raises KconvertError where number or shapes differ."""
        if len(weights) != len(self.weights):
            what = f"{len(weights)} arrays were given for {len(self.weights)} variables"
            raise KconvertError(what, f"metric {self.name}", problem=Problem.USAGE)
        for variable, value in zip(self.weights, weights, strict=True):
            variable.value = value

    @property
    def variables(self) -> dict[str, Variable]:
        """All variables by name: those of `add_weight`, and others that are attributes."""
        made = self.made
        known = set(map(id, made.values()))
        others = {f"attribute {key}": value for key, value in vars(self).items() if isinstance(value, Variable)}
        return {**made, **{key: value for key, value in others.items() if id(value) not in known}}

    def on(self, K: Backend) -> Metric:
        """This metric; a copy of it where its variables lie on another backend already."""
        return self if all(one.lies_on(K) for one in self.variables.values()) else deepcopy(self)

    # ------------------------------------------------------ methods of Keras ----

    @abstractmethod
    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch to the variables."""

    @abstractmethod
    def result(self) -> Any:
        """The value of the metric: a number; an array for a metric with several values."""

    def reset_states(self) -> None:
        """Sets the variables of `add_weight` to zero."""
        for variable in self.weights:
            variable.value = np.zeros(variable.shape)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state`, then `result`."""
        self.update_state(*args, **kwargs)
        return self.result()

    # ------------------------------------------------------- within a step ----

    def updated(self, K: Backend, values: Sums, y_true: Tensor, y_pred: Tensor, weight: Any = None) -> dict[str, Any]:
        """The values of the variables after one more batch, by name; values: those before it.

        weight: of samples or steps, with the mask included: see `weighting.masked_weights`.
        """
        if self.dtype != floatx():
            y_true, y_pred, weight = (x if x is None else K.cast(x, self.dtype) for x in (y_true, y_pred, weight))
        held = self.variables
        before = {id(held[name]): value for name, value in values.items()}
        with keeping_floatx(self.dtype), _standing(K, before) as after:
            self._add(y_true, y_pred, weight)
        return {name: after[id(held[name])] for name in values}

    def _add(self, y_true: Tensor, y_pred: Tensor, weight: Any) -> None:
        """Calls `update_state` with what it takes: labels and predictions, or values alone."""
        words = signature(self.update_state).parameters
        needed = [one for one in words.values() if one.default is Parameter.empty and one.kind not in _FURTHER]
        takes_weight = "sample_weight" in words or any(one.kind is Parameter.VAR_KEYWORD for one in words.values())
        if weight is not None and not takes_weight:
            what = f"update_state of {self.class_name} takes no sample_weight, and the samples or steps have weights"
            raise KconvertError(what, f"metric {self.name}", problem=Problem.USAGE)
        given = (y_pred,) if [one.name for one in needed] == ["values"] else (y_true, y_pred)
        self.update_state(*given, **({"sample_weight": weight} if takes_weight else {}))


_FURTHER = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _on_a_backend(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a metric that runs on NumPy where no backend computes; then it changes the variables."""

    @wraps(method)
    def called(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if is_computing():
            return _applied(self, method, args, kwargs)
        K, held = emulation(), self.variables.values()
        with keeping_floatx(self.dtype), _standing(K, {id(one): one.value for one in held}) as after:
            given = filled(K, _arrays([list(args), kwargs]), {})
            result = filled(K, _applied(self, method, given[0], given[1]), {})
        for one in held:
            one.value = after[id(one)]
        return result

    return called


def _applied(metric: Metric, method: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> Any:
    """The result of a method, by which variables are updated that it did not update by a function.

    Raises KconvertError, which names the method, where it fails.
    """
    function = CustomFunction(f"{metric.class_name}.{method.__name__}", method)
    result = function.attempt(current_backend(), metric, *args, **kwargs)
    if isinstance(result, (list, tuple)):
        for one in result:
            if type(one) is tuple and len(one) == 2 and isinstance(one[0], Variable):  # as on Theano
                one[0].assign(one[1])
    return result


@contextmanager
def _standing(K: Backend, values: dict[int, Tensor]) -> Iterator[dict[int, Tensor]]:
    """Lets `values` stand for variables, by their identity; an update replaces the value, which the block yields."""
    known = {**STANDING.get(), **values}

    def update(variable: Any, value: Any) -> None:
        if id(variable) not in values:
            what = "an update changes what is no variable of the metric"
            raise KconvertError(what, fix="make it in __init__ with add_weight", problem=Problem.USAGE)
        new = filled(K, value, {})
        new = K.cast(new if hasattr(new, "dtype") else K.constant(new), variable.dtype)
        sizes = known_sizes(K, new)
        if len(sizes) != len(variable.shape) or any(
            n not in (None, m) for n, m in zip(sizes, variable.shape, strict=True)
        ):
            what = f"a value of shape {sizes} does not fit a variable of shape {variable.shape}"
            raise KconvertError(what, variable.name or None, "reduce it, as with K.sum", Problem.USAGE)
        known[id(variable)] = new

    with computing(K), assigned(STANDING, known), assigned(UPDATED, update):
        yield known


def _arrays(value: Any) -> Any:
    """Arguments of the user, with arrays in place of lists of numbers."""
    if isinstance(value, Mapping):
        return {key: _array(one) for key, one in value.items()}
    return [_arrays(one) if isinstance(one, Mapping) else [_array(x) for x in one] for one in value]


def _array(value: Any) -> Any:
    return np.asarray(value, floatx()) if isinstance(value, (list, tuple, int, float)) else value


@dataclass(frozen=True, kw_only=True)
class OfSums(Metric):
    """Base class of the metrics of Keras, which are computed from sums over the samples."""

    @abstractmethod
    def sums(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the sums, by name. All sums start at 0."""

    @abstractmethod
    def add_batch(self, K: Backend, sums: Sums, y_true: Tensor, y_pred: Tensor, weight: Any = None) -> dict[str, Any]:
        """The sums after one more batch; weight: as for `updated`."""

    @abstractmethod
    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        """The value of the metric: a number; an array for a metric with several thresholds."""

    @property
    def made(self) -> dict[str, Variable]:
        if "_made" not in vars(self):
            sums = self.sums().items()
            vars(self)["_made"] = {name: Variable(np.zeros(shape), self.dtype, name) for name, shape in sums}
        return super().made

    def __getattr__(self, name: str) -> Any:
        """A variable, such as `total`, as in Keras."""
        if name.startswith("_") or name not in self.sums():
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return self.made[name]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        K = current_backend()
        held = {name: self.made[name].tensor(K) for name in self.sums()}
        for name, value in self.add_batch(K, held, y_true, y_pred, sample_weight).items():
            self.made[name].assign(value)

    def result(self) -> Any:
        K = current_backend()
        return self.value_of({name: np.asarray(self.made[name].tensor(K)) for name in self.sums()})
