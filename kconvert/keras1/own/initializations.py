"""Initializers of Keras 1.2.2: the initial values of weights, drawn for each array as Keras 1 stored it.

Keras 1 drew each gate of a recurrent layer by itself, took its fans from the stored shape, and orthogonal matrices had
a gain of 1.1 (keras-facts: initializers-of-keras1). Source: `initializations.py` of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from inspect import Parameter, Signature, signature
from typing import Any

import numpy as np

from ...backend import get_backend
from ...backend.computing import computing
from ...backend.float_settings import floatx
from ...conventions.generations import Convention
from ...conventions.roles import Weight
from ...conversion.binding import leaf_storage
from ...errors import KconvertError, Problem
from ...keras.own.backend import variable
from ...layers.cells import LSTM_GATES
from ...layers.custom import CustomObjects, given, giving
from ...lazy_dataclasses import dataclass
from ...models.training.initializers import Initializer
from ...network.graph import LeafWeights
from .generic import get_from_module
from .settings import ORDERINGS

Shape = tuple[int, ...]
Draw = Callable[..., np.ndarray]

_STORED = Convention("keras1", "tensorflow")
_FANS_OF_IMAGES = ("Conv2D", "Conv3D", "Conv2DTranspose", "SeparableConv2D")
"""The classes that tell their initializer the dim_ordering; the others mean 'th'."""

# -------------------------------------------------------------------- draws ----


def get_fans(shape: Shape, dim_ordering: str = "th") -> tuple[float, float]:
    """The number of inputs of a unit, and of units that an input goes to, by the shape of the stored array.

    >>> get_fans((3, 1, 5, 8))  # the kernel of a Convolution1D
    (40, 120)
    """
    if len(shape) == 2:
        return shape[0], shape[1]
    if len(shape) not in (4, 5):
        root = float(np.sqrt(np.prod(shape)))
        return root, root
    if dim_ordering == "th":
        field = int(np.prod(shape[2:]))
        return shape[1] * field, shape[0] * field
    if dim_ordering != "tf":
        raise KconvertError(f"unknown dim_ordering {dim_ordering!r}", fix="use 'th' or 'tf'", problem=Problem.USAGE)
    field = int(np.prod(shape[:2]))
    return shape[-2] * field, shape[-1] * field


def _uniform(rng: Any, shape: Shape, scale: float = 0.05, dim_ordering: str = "th") -> np.ndarray:
    return rng.uniform(-scale, scale, shape)


def _normal(rng: Any, shape: Shape, scale: float = 0.05, dim_ordering: str = "th") -> np.ndarray:
    return rng.normal(0.0, scale, shape)


def _scaled(draw: Draw, scale: Callable[[float, float], float]) -> Draw:
    """`draw` with a scale that is computed from the fans."""

    def drawn(rng: Any, shape: Shape, dim_ordering: str = "th") -> np.ndarray:
        return draw(rng, shape, scale(*get_fans(shape, dim_ordering)))

    return drawn


def _orthogonal(rng: Any, shape: Shape, scale: float = 1.1, dim_ordering: str = "th") -> np.ndarray:
    flat = (shape[0], int(np.prod(shape[1:])))
    u, _, v = np.linalg.svd(rng.normal(0.0, 1.0, flat), full_matrices=False)
    return scale * (u if u.shape == flat else v).reshape(shape)


def _identity(rng: Any, shape: Shape, scale: float = 1, dim_ordering: str = "th") -> np.ndarray:
    if len(shape) != 2 or shape[0] != shape[1]:
        what = f"the initialization identity needs a square matrix, not the shape {tuple(shape)}"
        raise KconvertError(what, problem=Problem.USAGE)
    return scale * np.eye(shape[0])


def _zero(rng: Any, shape: Shape, dim_ordering: str = "th") -> np.ndarray:
    return np.zeros(shape)


def _one(rng: Any, shape: Shape, dim_ordering: str = "th") -> np.ndarray:
    return np.ones(shape)


DRAWS: Mapping[str, Draw] = {
    "uniform": _uniform,
    "normal": _normal,
    "lecun_uniform": _scaled(_uniform, lambda n, m: np.sqrt(3.0 / n)),
    "glorot_normal": _scaled(_normal, lambda n, m: np.sqrt(2.0 / (n + m))),
    "glorot_uniform": _scaled(_uniform, lambda n, m: np.sqrt(6.0 / (n + m))),
    "he_normal": _scaled(_normal, lambda n, m: np.sqrt(2.0 / n)),
    "he_uniform": _scaled(_uniform, lambda n, m: np.sqrt(6.0 / n)),
    "orthogonal": _orthogonal,
    "identity": _identity,
    "zero": _zero,
    "one": _one,
}
"""The initializations of Keras 1.2.2 by name: (generator, shape of the stored array, ..., dim_ordering) -> values."""


def _function(name: str) -> Callable[..., Any]:
    """The function of `keras.initializations`, whose values come from NumPy's global generator."""

    def initialization(*args: Any, **kwargs: Any) -> Any:
        given = initialization.__signature__.bind(*args, **kwargs).arguments  # type: ignore[attr-defined]
        variable_name = given.pop("name", None)
        return variable(draw(np.random, tuple(given.pop("shape")), **given), name=variable_name)

    draw = DRAWS[name]
    _, shape, *scale, ordering = signature(draw).parameters.values()
    named = Parameter("name", Parameter.POSITIONAL_OR_KEYWORD, default=None)
    initialization.__name__ = name
    initialization.__signature__ = Signature([shape, *scale, named, ordering])  # type: ignore[attr-defined]
    return initialization


globals().update({name: _function(name) for name in DRAWS})


def get(identifier: Any, **kwargs: Any) -> Any:
    """The initialization that a name means; anything else as it is. Raises KconvertError for an unknown name."""
    return get_from_module(identifier, {name: globals()[name] for name in DRAWS}, "initialization", kwargs=kwargs)


# --------------------------------------------------------------- components ----


@dataclass(frozen=True)
class Initialization(Initializer):
    """An initializer of Keras 1.2.2 for the weights of a layer, array by array.

    function: a name of DRAWS, or a function of the user, `f(shape, name=None)`.
    """

    function: Any

    @property
    def class_name(self) -> str:
        return str(getattr(self.function, "__name__", self.function))

    def to_config(self) -> Any:
        return self.class_name

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return self._array(shape, rng, "th")

    def for_weight(self, leaf: LeafWeights, weight: Weight, rng: np.random.Generator) -> np.ndarray:
        """The values of a weight in canonical form, drawn for each array that Keras 1.2.2 stored of it."""
        (stored,) = (one for one in leaf_storage(leaf, _STORED) if one.weight.name == weight.name)
        ordering = "th"
        if leaf.layer.class_name in _FANS_OF_IMAGES:
            ordering = ORDERINGS[getattr(leaf.layer, "data_format", None) or "channels_first"]
        arrays = [np.asarray(self._array(shape, rng, ordering), floatx()) for shape in stored.shapes]
        return np.asarray(stored.chain.apply(*arrays)[0])

    def _array(self, shape: Shape, rng: np.random.Generator, ordering: str) -> np.ndarray:
        if isinstance(self.function, str):
            return DRAWS[self.function](rng, tuple(shape), dim_ordering=ordering)
        words = signature(self.function).parameters
        takes_all = any(word.kind is Parameter.VAR_KEYWORD for word in words.values())
        given = {"name": None, "dim_ordering": ordering}
        with computing(get_backend("numpy")):
            return np.asarray(
                self.function(tuple(shape), **{key: one for key, one in given.items() if key in words or takes_all})
            )


@dataclass(frozen=True)
class ForgetBias(Initialization):
    """The bias of an LSTM whose forget gate has the values of `function`; the other gates have zeros."""

    def for_weight(self, leaf: LeafWeights, weight: Weight, rng: np.random.Generator) -> np.ndarray:
        units = weight.shape[0] // len(LSTM_GATES)
        drawn = self._array((units,), rng, "th")
        return np.concatenate([drawn if gate == "f" else np.zeros(units) for gate in LSTM_GATES])


def initialization(spec: Any) -> Any:
    """The initializer that the argument of a layer means. Raises KconvertError for names that Keras 1.2.2 lacks."""
    if isinstance(spec, Initializer):
        return spec
    if not callable(spec) and spec not in DRAWS:
        fix = f"its initializations are {', '.join(DRAWS)}"
        raise KconvertError(f"Keras 1.2.2 has no initialization {spec!r}", fix=fix, problem=Problem.USAGE)
    name = next((name for name in DRAWS if spec is globals().get(name)), None)
    return Initialization(name or spec)


_COMPONENTS = {name: partial(Initialization, name) for name in DRAWS}


def with_initializations() -> AbstractContextManager[None]:
    """In the block, the names of initializers mean what they mean in Keras 1.2.2."""
    before = given()
    return giving(CustomObjects(before.functions, before.classes, {**_COMPONENTS, **before.components}))
