"""Decorators for layers of the user that are also called in the words of Keras 1 (`keras.legacy.interfaces`).

The words are those of the layers of kconvert. Source: the module of this name in Keras 2.3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from inspect import Parameter, signature
from typing import Any, NoReturn

from ...conventions.words.calls import layer_arguments, renamed, warn_of_old
from ...conventions.words.rules import RULES
from ...errors import AlsoTypeError, Problem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def generate_legacy_interface(
    allowed_positional_args: Sequence[str] | None = None,
    conversions: Sequence[tuple[str, str]] | None = None,
    preprocessor: Callable[..., Any] | None = None,
    value_conversions: Mapping[str, Mapping[Any, Any]] | None = None,
    object_type: str = "class",
) -> Decorator:
    """A decorator for a method whose arguments have had other names.

    allowed_positional_args: the arguments that may be given by position; None: all. conversions: pairs of an old and a
    new name. preprocessor: a function of (args, kwargs) that returns both, and a list of such pairs that it changed.
    value_conversions: for old names, new values of old ones. object_type: 'class' for a constructor, whose class
    messages name, else 'method'. The method raises KconvertError for more positional arguments, and for an argument
    under both names.
    """

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def called(*args: Any, **kwargs: Any) -> Any:
            name = type(args[0]).__name__ if object_type == "class" else method.__name__
            changed: list[Any] = []
            if preprocessor:
                args, kwargs, changed = preprocessor(args, kwargs)
            if allowed_positional_args is not None and len(args) > len(allowed_positional_args) + 1:
                what = f"{name} takes {len(allowed_positional_args)} arguments by position, not {len(args) - 1}"
                raise AlsoTypeError(what, fix="give the others by name", problem=Problem.USAGE)
            for old, values in (value_conversions or {}).items():
                if old in kwargs:
                    kwargs[old] = values.get(kwargs[old], kwargs[old])
            for old, new in conversions or ():
                if old in kwargs:
                    if new in kwargs:
                        raise_duplicate_arg_error(old, new)
                    kwargs[new] = kwargs.pop(old)
                    changed.append((new, old))
            if changed:
                warn_of_old(f"{name}({_listed(changed, 1)})", f"{name}({_listed(changed, 0)})")
            return method(*args, **kwargs)

        called._original_function = method  # type: ignore[attr-defined]
        return called

    return decorate


def _listed(pairs: Sequence[Any], which: int) -> str:
    return ", ".join(f"{pair[which]}=..." for pair in pairs if pair[which])


generate_legacy_method_interface = partial(generate_legacy_interface, object_type="method")


def raise_duplicate_arg_error(old_arg: str, new_arg: str) -> NoReturn:
    """Raises KconvertError, which says that an argument is given under both its names."""
    what = f"{old_arg} and {new_arg} are the same argument"
    raise AlsoTypeError(what, fix=f"give {new_arg} alone", problem=Problem.USAGE)


# ------------------------------------------------------------- constructors ----

_CLASSES = {
    "batchnorm": "BatchNormalization",
    "conv1d": "Conv1D",
    "conv2d": "Conv2D",
    "conv3d": "Conv3D",
    "convlstm2d": "ConvLSTM2D",
    "cropping2d": "Cropping2D",
    "cropping3d": "Cropping3D",
    "deconv2d": "Conv2DTranspose",
    "dense": "Dense",
    "dropout": "Dropout",
    "embedding": "Embedding",
    "gaussiandropout": "GaussianDropout",
    "gaussiannoise": "GaussianNoise",
    "global_pooling": "GlobalMaxPooling2D",
    "lambda": "Lambda",
    "pooling1d": "MaxPooling1D",
    "pooling2d": "MaxPooling2D",
    "pooling3d": "MaxPooling3D",
    "prelu": "PReLU",
    "recurrent": "LSTM",
    "separable_conv2d": "SeparableConv2D",
    "spatialdropout1d": "SpatialDropout1D",
    "spatialdropoutNd": "SpatialDropout2D",
    "upsampling1d": "UpSampling1D",
    "upsampling2d": "UpSampling2D",
    "upsampling3d": "UpSampling3D",
    "zeropadding2d": "ZeroPadding2D",
    "zeropadding3d": "ZeroPadding3D",
}
"""`legacy_NAME_support` -> the class of layers whose words the constructor takes."""


def _of_class(layer: str) -> Decorator:
    """A decorator for a constructor that takes the words of Keras 1 for `layer`."""
    old = {word for rule in RULES if rule.new == layer for key in rule.keys for word in key.olds if key.old != key.new}

    def decorate(constructor: Callable[..., None]) -> Callable[..., None]:
        parameters = list(signature(constructor).parameters.values())[1:]
        positional = [one.name for one in parameters if one.kind is Parameter.POSITIONAL_OR_KEYWORD]
        named = {one.name for one in parameters if one.kind is Parameter.KEYWORD_ONLY}
        takes_any = any(one.kind is Parameter.VAR_KEYWORD for one in parameters)

        @wraps(constructor)
        def called(self: Any, *args: Any, **kwargs: Any) -> None:
            known = named | (set(kwargs) - old if takes_any else set())
            args, kwargs = layer_arguments(layer, positional, known, args, kwargs)
            constructor(self, *args, **kwargs)

        called._original_function = constructor  # type: ignore[attr-defined]
        return called

    return decorate


globals().update({f"legacy_{name}_support": _of_class(layer) for name, layer in _CLASSES.items()})

# ------------------------------------------------------------------ methods ----


def _of_method(name: str) -> Decorator:
    """A decorator for a method or a function that takes the words of Keras 1 for `name`, a row of METHODS."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def called(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **renamed(name, kwargs))

        called._original_function = method  # type: ignore[attr-defined]
        return called

    return decorate


legacy_generator_methods_support = _of_method("fit_generator")
legacy_model_constructor_support = generate_legacy_interface(conversions=[("input", "inputs"), ("output", "outputs")])
legacy_input_support = generate_legacy_interface(conversions=[("input_dtype", "dtype")])


def get_updates_arg_preprocessing(args: Any, kwargs: Any) -> tuple[Any, Any, list[Any]]:
    """The arguments of `get_updates` as (loss, params), also those of Keras 1: (params, constraints, loss)."""
    optimizer, *others = args
    names = ("params", "constraints", "loss")
    if len(others) == len(names) or (len(others) == 2 and isinstance(others[0], (list, tuple)) and "loss" in kwargs):
        given = {**dict(zip(names, others, strict=False)), **kwargs}
        return [optimizer], {name: given[name] for name in ("loss", "params")}, []
    if len(others) > len(names):
        raise AlsoTypeError(f"get_updates takes (loss, params), not {len(others)} arguments", problem=Problem.USAGE)
    return args, kwargs, []


def add_weight_args_preprocessing(args: Any, kwargs: Any) -> tuple[Any, Any, list[Any]]:
    """The arguments of `add_weight` with the shape, and the name behind it, by name, as Keras 1 gave them first."""
    layer, *others = args
    if not (others and isinstance(others[0], (tuple, list))):
        return args, kwargs, []
    shape, *others = others
    named = others[:1] if isinstance(next(iter(others), None), str) else []
    return (layer, *others[len(named) :]), {**kwargs, "shape": shape, **({"name": named[0]} if named else {})}, []


legacy_get_updates_support = generate_legacy_interface(preprocessor=get_updates_arg_preprocessing)
legacy_add_weight_support = generate_legacy_interface(["name", "shape"], preprocessor=add_weight_args_preprocessing)
