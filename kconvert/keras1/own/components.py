"""Optimizers, regularizers and constraints of Keras 1.2.2: those of kconvert, with its arguments and defaults."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...errors import KconvertError, Problem
from ...models.training import constraints, optimizers, regularizers
from ...models.training.constraints import Constraint as Constraint
from ...models.training.constraints import MinMaxNorm as MinMaxNorm
from ...models.training.optimizers import Optimizer as Optimizer
from ...models.training.regularizers import L1L2, l1_l2
from ...models.training.regularizers import Regularizer as Regularizer
from ...models.training.regularizers import l1 as l1
from ...models.training.regularizers import l2 as l2

# --------------------------------------------------------------- optimizers ----

EPSILON = 1e-8
"""That of the optimizers of Keras 1.2.2."""

_ARGUMENTS = {
    "SGD": "lr momentum decay nesterov",
    "RMSprop": "lr rho epsilon decay",
    "Adagrad": "lr epsilon decay",
    "Adadelta": "lr rho epsilon decay",
    "Adam": "lr beta_1 beta_2 epsilon decay",
    "Adamax": "lr beta_1 beta_2 epsilon decay",
    "Nadam": "lr beta_1 beta_2 epsilon schedule_decay",
}
"""The optimizers, with their arguments in the order of Keras 1.2.2."""

_LIMITS = ("clipnorm", "clipvalue")
_LATER_WORDS = {"lr": "learning_rate"}
"""Arguments whose attribute has another name."""


class Maker:
    """An optimizer class of Keras 1.2.2: called as there, it returns an optimizer of kconvert."""

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.words = _ARGUMENTS[name].split()
        self.made: type[Optimizer] = getattr(optimizers, name)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self.made)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        what = f"a subclass of {self.__name__} of Keras 1.2.2 cannot be defined"
        raise KconvertError(what, fix="inherit from Optimizer", problem=Problem.UNSUPPORTED)

    def __call__(self, *args: Any, **kwargs: Any) -> Optimizer:
        """The optimizer. Raises KconvertError where the arguments are not those of Keras 1.2.2."""
        stated = {**dict(zip(self.words, args, strict=False)), **kwargs}
        unknown = set(kwargs) - {*self.words, *_LIMITS}
        if len(args) > len(self.words) or unknown or len(stated) < len(args) + len(kwargs):
            what = f"{self.__name__} of Keras 1.2.2 does not take these arguments"
            raise KconvertError(what, fix=f"its arguments are {', '.join(self.words)}", problem=Problem.USAGE)
        epsilon = {"epsilon": EPSILON} if "epsilon" in self.words else {}
        return self.made(**{**epsilon, **stated})


OPTIMIZERS = {name.lower(): Maker(name) for name in _ARGUMENTS}
OPTIMIZERS |= {maker.__name__: maker for maker in OPTIMIZERS.values()}
globals().update(OPTIMIZERS)


def optimizer(spec: Any) -> Any:
    """The optimizer that the argument of `compile` means. Raises KconvertError for unknown names and other values."""
    if isinstance(spec, str) and spec in OPTIMIZERS:
        return OPTIMIZERS[spec]()
    if isinstance(spec, Optimizer):
        return spec
    known = ", ".join(OPTIMIZERS)
    raise KconvertError(f"Keras 1.2.2 has no optimizer {spec!r}", fix=f"the names are {known}", problem=Problem.USAGE)


def optimizer_config(used: Optimizer) -> dict[str, Any]:
    """`{'class_name': ..., 'config': ...}` of an optimizer as files of Keras 1.2.2 state it."""
    words = [*_ARGUMENTS[used.class_name].split(), *_LIMITS]
    stated = {word: getattr(used, _LATER_WORDS.get(word, word), None) for word in words}
    config = {word: value for word, value in stated.items() if value is not None}
    return {"class_name": used.class_name, "config": {word: _number(value) for word, value in config.items()}}


def _number(value: Any) -> Any:
    return value if isinstance(value, bool) else float(value)


# ------------------------------------------------------------- regularizers ----

WeightRegularizer = ActivityRegularizer = L1L2Regularizer = L1L2
l1l2 = activity_l1l2 = l1_l2
activity_l1, activity_l2 = l1, l2

REGULARIZERS = {
    "L1L2Regularizer": L1L2,
    "WeightRegularizer": L1L2,
    "ActivityRegularizer": L1L2,
    "l1": l1,
    "l2": l2,
    "l1l2": l1_l2,
    "activity_l1": l1,
    "activity_l2": l2,
    "activity_l1l2": l1_l2,
}

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


def MaxNorm(m: float = 2, axis: Any = 0) -> constraints.MaxNorm:
    """Scales a weight so that its norms over `axis` are at most `m`."""
    return constraints.MaxNorm(m, axis)


NonNeg = nonneg = constraints.NonNeg
UnitNorm = unitnorm = constraints.UnitNorm
maxnorm = MaxNorm

CONSTRAINTS = {
    "MaxNorm": MaxNorm,
    "maxnorm": MaxNorm,
    "NonNeg": NonNeg,
    "nonneg": NonNeg,
    "UnitNorm": UnitNorm,
    "unitnorm": UnitNorm,
    "MinMaxNorm": MinMaxNorm,
}


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
    if "LocallyConnected" in layer or layer == "SeparableConvolution2D":
        return None if layer != "SeparableConvolution2D" or dim_ordering == "tf" else []
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
