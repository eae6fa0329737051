"""Optimizers of Keras 1.2.2 (`keras.optimizers`): those of kconvert, with its arguments, configurations and states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ...backend.base import Backend, Tensor
from ...conventions.optimizers import Structure
from ...errors import AlsoNotImplementedError, AlsoTypeError, KconvertError, Problem
from ...keras.own.objects import get_custom_objects as get_custom_objects
from ...keras.own.optimizers import clip_norm as clip_norm
from ...layers.deferred import ShownWeight
from ...models.training import optimizers
from ...models.training.optimizer import Numbers, Scalars
from .generic import get_from_module

EPSILON = 1e-8
"""That of the optimizers of Keras 1.2.2."""

_LIMITS = ("clipnorm", "clipvalue")
_VARIABLES = ("lr", "momentum", "decay", "rho", "beta_1", "beta_2")
"""Arguments that Keras 1.2.2 holds in float32."""
_LATER_WORDS = {"lr": "learning_rate"}
"""Arguments whose attribute has another name."""


class _NoConstraints(dict[Any, Any]):
    """The constraints that a class of the user gets: none, since each step applies them after its updates."""

    def __contains__(self, key: object) -> bool:
        return False  # tensors of TensorFlow have no hash


class Optimizer(optimizers.Optimizer):
    """Base class of the optimizers.

    A class of the user has `get_updates(params, constraints, loss)`, which returns pairs of a variable and its new
    value. Raises KconvertError, which is a TypeError too, for arguments that the class does not have.
    """

    # The arguments beside the limits of gradients, in the order of the configuration.
    words: ClassVar[tuple[str, ...]] = ()
    # Those among them that Keras 1.2.2 keeps as they are given, in place of float32.
    exact: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **kwargs: Any) -> None:
        if unknown := set(kwargs) - {*self.words, *_LIMITS}:
            what = f"{type(self).__name__} of Keras 1.2.2 has no argument {min(unknown)!r}"
            fix = f"its arguments are {', '.join((*self.words, *_LIMITS))}"
            raise AlsoTypeError(what, fix=fix, problem=Problem.USAGE)
        super().__init__(**kwargs)

    @property
    def shown(self) -> Structure:
        return self.structure.of_keras1

    def get_config(self) -> dict[str, Any]:
        """The configuration as Keras 1.2.2 writes it; limits of gradients only where they are set."""
        limits = {word: value for word in _LIMITS if (value := getattr(self, word)) is not None}
        return {**limits, **{word: self._stated(word) for word in self.words}}

    def _stated(self, word: str) -> Any:
        value = getattr(self, _LATER_WORDS.get(word, word))
        return float(np.float32(value)) if word in _VARIABLES and word not in self.exact else value

    @classmethod
    def has_own_updates(cls) -> bool:
        return cls.get_updates is not Optimizer.get_updates

    def call_updates(self, loss: Any, params: Sequence[Any]) -> Any:
        return self.get_updates(params, _NoConstraints(), loss)

    def get_updates(  # type: ignore[override]
        self, params: Sequence[Any], constraints: Any, loss: Any
    ) -> list[tuple[Any, Any]]:
        """The pairs of a variable and its new value of one step, for the updates of `K.function`.

        params: variables, and weights of layers. constraints: what is applied to the new values, by these; or an empty
        list. loss: an expression.
        """
        if self.kind is None:
            what = "the base class Optimizer has no step"
            raise AlsoNotImplementedError(what, fix="define get_updates", problem=Problem.USAGE)
        return self._updated(loss, params, lambda one: _constraint_of(one, constraints))


def _constraint_of(param: Any, constraints: Any) -> Any:
    """What is applied to the new values of a variable; None without it. Tensors of TensorFlow have no hash."""
    pairs = constraints.items() if isinstance(constraints, Mapping) else ()
    return next((one for own, one in pairs if own is param or (isinstance(own, ShownWeight) and own == param)), None)


class _CountsForDecay(Optimizer):
    """An optimizer that counts its steps only where its learning rate decays."""

    def rates(self, K: Backend, scalars: Scalars, numbers: Numbers) -> tuple[Numbers, dict[str, Tensor]]:
        found, counted = super().rates(K, scalars, numbers)
        return found, counted if self.initial_decay else dict(scalars)  # type: ignore[attr-defined]


class SGD(_CountsForDecay, optimizers.SGD):
    """Stochastic gradient descent, with momentum or with Nesterov momentum."""

    words = ("lr", "momentum", "decay", "nesterov")

    def __init__(
        self, lr: float = 0.01, momentum: float = 0.0, decay: float = 0.0, nesterov: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(lr=lr, momentum=momentum, decay=decay, nesterov=nesterov, **kwargs)


class RMSprop(_CountsForDecay, optimizers.RMSprop):
    """Divides each gradient by the root of a moving average of its square."""

    words = ("lr", "rho", "decay", "epsilon")

    def __init__(
        self, lr: float = 0.001, rho: float = 0.9, epsilon: float = EPSILON, decay: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(lr=lr, rho=rho, epsilon=epsilon, decay=decay, **kwargs)


class Adagrad(_CountsForDecay, optimizers.Adagrad):
    """Divides each gradient by the root of the sum of all its squares so far."""

    words = ("lr", "decay", "epsilon")

    def __init__(self, lr: float = 0.01, epsilon: float = EPSILON, decay: float = 0.0, **kwargs: Any) -> None:
        super().__init__(lr=lr, epsilon=epsilon, decay=decay, **kwargs)


class Adadelta(_CountsForDecay, optimizers.Adadelta):
    """RMSprop, with each step multiplied by the root of a moving average of the squared steps."""

    words = ("lr", "rho", "decay", "epsilon")
    exact = ("rho",)

    def __init__(
        self, lr: float = 1.0, rho: float = 0.95, epsilon: float = EPSILON, decay: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(lr=lr, rho=rho, epsilon=epsilon, decay=decay, **kwargs)


class Adam(Optimizer, optimizers.Adam):
    """Divides the first moment of the gradients by the root of the second."""

    words = ("lr", "beta_1", "beta_2", "decay", "epsilon")

    def __init__(
        self,
        lr: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = EPSILON,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr=lr, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, decay=decay, **kwargs)


class Adamax(Optimizer, optimizers.Adamax):
    """Adam with a decaying maximum of the absolute gradients in place of the root of the second moment."""

    words = Adam.words

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = EPSILON,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr=lr, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, decay=decay, **kwargs)


class Nadam(Optimizer, optimizers.Nadam):
    """Adam with Nesterov momentum; the momentum grows with the steps, by `schedule_decay`."""

    words = ("lr", "beta_1", "beta_2", "epsilon", "schedule_decay")

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = EPSILON,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr=lr, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, schedule_decay=schedule_decay, **kwargs)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    name: cls
    for cls in (SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam)
    for name in (cls.__name__, cls.__name__.lower())
}
"""The optimizers by the names that `compile` takes."""

sgd, rmsprop, adagrad, adadelta, adam, adamax, nadam = SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam


def optimizer(spec: Any) -> Optimizer:
    """The optimizer that the argument of `compile` means. Raises KconvertError for unknown names and other values."""
    found = get(spec)
    if isinstance(found, Optimizer):
        return found
    if isinstance(found, optimizers.Optimizer) and found.class_name in OPTIMIZERS:
        return _from_later(found)
    known = ", ".join(OPTIMIZERS)
    raise KconvertError(f"Keras 1.2.2 has no optimizer {spec!r}", fix=f"the names are {known}", problem=Problem.USAGE)


def _from_later(used: optimizers.Optimizer) -> Optimizer:
    """The optimizer that computes as one of Keras 2 does. Raises KconvertError for options that Keras 1.2.2 lacks."""
    cls = OPTIMIZERS[used.class_name]
    later = {new: old for old, new in _LATER_WORDS.items()}
    stated = {later.get(word, word): value for word, value in used.get_config().items()}
    lacking = [word for word, value in stated.items() if value and word not in (*cls.words, *_LIMITS)]
    if lacking:
        what = f"{used.class_name} of Keras 1.2.2 has no option {lacking[0]!r}"
        raise KconvertError(what, fix="compile the model with another optimizer", problem=Problem.UNSUPPORTED)
    return cls(**{word: value for word, value in stated.items() if word in (*cls.words, *_LIMITS)})


def get(identifier: Any, kwargs: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that a name, or a dict with `name` and arguments, means; anything else as it is.

    kwargs: the arguments for a name. Raises KconvertError for an unknown name.
    """
    return get_from_module(identifier, OPTIMIZERS, "optimizer", True, kwargs)


def optimizer_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer that `{'class_name': ..., 'config': ...}` describes. Raises KconvertError for an unknown class.

    custom_objects: your classes by name, beside `get_custom_objects()`.
    """
    own = {**get_custom_objects(), **(custom_objects or {})}
    name = config["class_name"]
    cls = own[name] if name in own else get_from_module(name.lower(), OPTIMIZERS, "optimizer")
    return cls.from_config(config["config"])
