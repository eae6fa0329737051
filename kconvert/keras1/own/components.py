"""Regularizers and constraints of Keras 1.2.2: those of kconvert, with its arguments and configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from ...backend.base import Backend, Tensor
from ...errors import KconvertError, Problem
from ...lazy_dataclasses import dataclass
from ...models.training import constraints, regularizers
from ...models.training.regularizers import L1L2

# ------------------------------------------------------------- regularizers ----


class Regularizer(regularizers.Regularizer):
    """Base class of the regularizers: `regularizer(x)` is the penalty on a tensor."""

    def penalty(self, K: Backend, w: Tensor) -> Tensor:
        return K.constant(0.0)

    def get_config(self) -> dict[str, Any]:
        """The name of the class, as Keras 1.2.2 writes it."""
        return {"name": type(self).__name__}

    def set_param(self, _: Any) -> None:
        """Nothing, as in Keras 1.2.2."""

    def set_layer(self, _: Any) -> None:
        """Nothing, as in Keras 1.2.2."""


@dataclass(frozen=True)
class L1L2Regularizer(L1L2, Regularizer):
    """`l1` times the sum of the absolute values, plus `l2` times the sum of the squares."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "l1": float(np.float32(self.l1)), "l2": float(np.float32(self.l2))}

    def to_config(self) -> Any:
        """The configuration as Keras 2.3.1 writes it, from which files get their words."""
        return L1L2(self.l1, self.l2).to_config()


@dataclass(frozen=True)
class EigenvalueRegularizer(Regularizer):
    """`k` times the root of the greatest eigenvalue of the products of the columns of a matrix."""

    k: float

    def penalty(self, K: Backend, w: Tensor) -> Tensor:
        if K.ndim(w) != 2:
            what = f"EigenvalueRegularizer takes a matrix, not {K.ndim(w)} axes"
            raise KconvertError(what, fix="use another regularizer", problem=Problem.USAGE)
        products = K.dot(K.transpose(w, [1, 0]), w)
        vector = K.sum(products, 1, keepdims=True)  # the first step of the power method, from ones
        for _ in range(_POWER - 1):
            vector = K.dot(products, vector)
        value = K.sum(K.dot(products, vector) * vector) / K.sum(vector * vector)
        return K.sqrt(value) * self.k


_POWER = 9
"""The steps of the power method in EigenvalueRegularizer of Keras 1.2.2."""

WeightRegularizer = ActivityRegularizer = L1L2Regularizer


def l1(l: float = 0.01) -> L1L2Regularizer:  # noqa: E741 (the name that Keras has)
    """A penalty on absolute values alone."""
    return L1L2Regularizer(l1=l)


def l2(l: float = 0.01) -> L1L2Regularizer:  # noqa: E741
    """A penalty on squares alone."""
    return L1L2Regularizer(l2=l)


def l1l2(l1: float = 0.01, l2: float = 0.01) -> L1L2Regularizer:
    """A penalty on absolute values and on squares."""
    return L1L2Regularizer(l1, l2)


activity_l1, activity_l2, activity_l1l2 = l1, l2, l1l2

_REGULARIZERS = (
    "Regularizer EigenvalueRegularizer L1L2Regularizer WeightRegularizer ActivityRegularizer l1 l2 l1l2 "
    "activity_l1 activity_l2 activity_l1l2"
)
REGULARIZERS: dict[str, Any] = {name: globals()[name] for name in _REGULARIZERS.split()}
"""The regularizers by name."""

_MANY_ARRAYS = ("SimpleRNN", "GRU", "LSTM", "ConvLSTM2D")
_OWN_AXES = ("Convolution", "LocallyConnected", "Deconvolution", "SeparableConvolution", "ConvLSTM2D")


def regularizer_on(spec: Any, layer: str, word: str) -> Any:
    """The regularizer that an argument of a layer means.

    layer, word: the class and the argument. Raises KconvertError for unknown names, and for a regularizer of the user
    on a weight that Keras 1 stored in another form.
    """
    if isinstance(spec, str):
        return _named(spec, REGULARIZERS, "regularizer")()
    own = not isinstance(spec, L1L2)
    if own and word != "activity_regularizer" and _is_stored_otherwise(layer):
        raise _stored_otherwise(f"{word} of your own", layer)
    return regularizers.get(spec)


# -------------------------------------------------------------- constraints ----


@dataclass(frozen=True)
class Constraint(constraints.Constraint):
    """Base class of the constraints: `constraint(p)` is the value that replaces a weight."""

    # The arguments of Keras 1.2.2 by those of the class in Keras 2.
    words: ClassVar[Mapping[str, str]] = {}

    def constrained(self, K: Backend, w: Tensor) -> Tensor:
        return w

    def __getattr__(self, name: str) -> Any:
        for later, own in self.words.items():
            if own == name:
                return getattr(self, later)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_config(self) -> dict[str, Any]:
        """The name of the class and its arguments, as Keras 1.2.2 writes them."""
        config = super().get_config()
        return {"name": type(self).__name__, **{self.words.get(key, key): value for key, value in config.items()}}

    def to_config(self) -> Any:
        """The configuration as Keras 2.3.1 writes it, from which files get their words."""
        return {"class_name": self.class_name, "config": super().get_config()}


@dataclass(frozen=True)
class MaxNorm(constraints.MaxNorm, Constraint):
    """Scales a weight so that its norms over `axis` are at most `m`."""

    words: ClassVar[Mapping[str, str]] = {"max_value": "m"}


@dataclass(frozen=True)
class NonNeg(constraints.NonNeg, Constraint):
    """Replaces negative elements by 0."""


@dataclass(frozen=True)
class UnitNorm(constraints.UnitNorm, Constraint):
    """Scales a weight so that its norms over `axis` are 1."""


@dataclass(frozen=True)
class MinMaxNorm(constraints.MinMaxNorm, Constraint):
    """Scales a weight so that its norms over `axis` move towards the range from `low` to `high`, by `rate`."""

    words: ClassVar[Mapping[str, str]] = {"min_value": "low", "max_value": "high"}


maxnorm, nonneg, unitnorm = MaxNorm, NonNeg, UnitNorm

_CONSTRAINTS = "Constraint MaxNorm maxnorm NonNeg nonneg UnitNorm unitnorm MinMaxNorm"
CONSTRAINTS: dict[str, Any] = {name: globals()[name] for name in _CONSTRAINTS.split()}
"""The constraints by name."""


def constraint_on(spec: Any, layer: str, word: str, dim_ordering: str | None) -> Any:
    """The constraint that an argument of a layer means, for the canonical form of the weight.

    dim_ordering: of the layer. Raises KconvertError as `regularizer_on`, and for an axis that Keras 2 does not have.
    """
    found: Any = _named(spec, CONSTRAINTS, "constraint")() if isinstance(spec, str) else constraints.get(spec)
    if word.startswith("b_") or not _is_stored_otherwise(layer):
        return found
    if not isinstance(found, (constraints.MaxNorm, NonNeg, UnitNorm, MinMaxNorm)):
        raise _stored_otherwise(f"{word} of your own", layer)
    axes = _axes(layer, dim_ordering)
    if isinstance(found, NonNeg) or axes is None:
        return found
    wanted = [found.axis] if isinstance(found.axis, int) else list(found.axis)
    try:
        translated: list[Any] = [axes[axis] for axis in wanted]
    except (KeyError, IndexError):
        raise _stored_otherwise(f"{word} over axis {found.axis}", layer) from None
    if None in translated:
        raise _stored_otherwise(f"{word} over axis {found.axis}", layer)
    return replace(found, axis=translated)


def _axes(layer: str, dim_ordering: str | None) -> list[int | None] | None:
    """For each axis of the kernel as Keras 1.2.2 stored it, its axis in canonical form; None where they are the same.

    >>> _axes("Convolution2D", "th")
    [3, 2, 0, 1]
    """
    if "LocallyConnected" in layer:
        return None
    if layer.endswith("1D"):  # (length, 1, in, out)
        return [0, None, 1, 2]
    rank = int(layer[-2])
    return [rank + 1, rank, *range(rank)] if dim_ordering == "th" else None


def _is_stored_otherwise(layer: str) -> bool:
    return layer in _MANY_ARRAYS or any(layer.startswith(own) or own in layer for own in _OWN_AXES)


def _stored_otherwise(what: str, layer: str) -> KconvertError:
    return KconvertError(
        f"{what} is not in kconvert for {layer}, whose weights Keras 1.2.2 had in another form",
        fix="use one of keras.regularizers or keras.constraints",
        problem=Problem.UNSUPPORTED,
    )


def _named(name: str, known: dict[str, Any], kind: str) -> Any:
    if name not in known:
        fix = f"the names are {', '.join(known)}"
        raise KconvertError(f"Keras 1.2.2 has no {kind} {name!r}", fix=fix, problem=Problem.USAGE)
    return known[name]
