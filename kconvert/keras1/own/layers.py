"""The layers of Keras 1.2.2: constructors that take its arguments and make the layers of kconvert.

The words and values of the arguments are translated by the rows of `conventions/words/rules`, as those of files are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from inspect import Signature
from typing import Any

from ... import layers
from ...backend.image_format import without_settings
from ...conventions.words.options import translate
from ...conventions.words.rules import RULES, Key, Rule
from ...errors import KconvertError, Problem
from ...layers import Layer as Layer
from ...layers.calls import INPUT_WORDS
from ...layers.constructors import constructor_parameters
from ...layers.custom import CustomObjects, given, giving
from ...layers.inputs import Input as Input
from ...layers.names import next_name
from ...layers.options import is_old, key_of
from . import normalization
from .components import constraint_on, regularizer_on
from .initializations import OBJECTS, initialization
from .merging import Merge as Merge
from .merging import merge as merge
from .settings import GENERATION, ORDERINGS, data_format_of
from .signatures import ALIASES, ARGUMENTS, signature_of

_RULES: Mapping[str, Rule] = {rule.old: rule for rule in RULES}

_MADE: Mapping[str, type[Layer]] = {"BatchNormalization": normalization.BatchNormalization}
"""The classes of this dialect that compute otherwise than those of Keras 2."""

_NOT_STORED: Mapping[str, tuple[Key, ...]] = {
    "BatchNormalization": (Key("beta_init", "beta_initializer"), Key("gamma_init", "gamma_initializer")),
}
"""The arguments of a class that no file of Keras 1 states."""

_EVERYWHERE = frozenset({"name", "trainable", "input_dtype"})
_OF_RECURRENT = frozenset({"return_sequences", "go_backwards", "stateful", "unroll", "consume_less"})
_RECURRENT = ("SimpleRNN", "GRU", "LSTM", "ConvLSTM2D")
_INPUT_DIM_KEPT = ("MaxoutDense", "Highway")
"""Classes that store the argument `input_dim`, which states the shape of their input."""
_ACTIVATIONS = frozenset(
    ["softmax", "elu", "softplus", "softsign", "relu", "tanh", "sigmoid", "hard_sigmoid", "linear"]
)


class Constructor:
    """A layer class of Keras 1.2.2: called as there, it returns a layer of kconvert.

    `isinstance` and subclasses mean the class of kconvert.
    """

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.rule = _RULES[name]
        self.made: type[Layer] = _MADE.get(name) or getattr(layers, self.rule.new)

    @cached_property
    def __signature__(self) -> Signature:
        return signature_of(self.__name__)

    def __repr__(self) -> str:
        return f"<class {self.__name__} of Keras 1.2.2>"

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, self.made)

    def __subclasscheck__(self, subclass: Any) -> bool:
        return isinstance(subclass, type) and issubclass(subclass, self.made)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise KconvertError(
            f"a subclass of {self.__name__} of Keras 1.2.2 cannot be defined",
            fix=f"inherit from kconvert.layers.{self.rule.new}, whose arguments are those of Keras 2",
            problem=Problem.USAGE,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Layer:
        """The layer. Raises KconvertError where the arguments are not those of Keras 1.2.2."""
        stated = self._stated(args, kwargs)
        # Keras 1 writes names in lower case: `maxpooling2d_1`.
        stated["name"] = stated.get("name") or next_name(self.__name__.lower())
        arguments, objects = self._in_keras2(stated), given()
        known = CustomObjects(objects.functions, objects.classes, {**OBJECTS.components, **objects.components})
        with giving(known), without_settings():  # a layer of Keras 1 without a dim_ordering has no data format
            made = self.made(**arguments)
        made.generation = GENERATION
        return made

    def _stated(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """All arguments by their names in Keras 1.2.2, with the defaults."""
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            what = f"{self.__name__} of Keras 1.2.2: {error}"
            raise KconvertError(what, fix=f"its arguments are {self.__signature__}", problem=Problem.USAGE) from None
        bound.apply_defaults()
        further = bound.arguments.pop("kwargs")
        stated = {**bound.arguments, **further}
        return stated

    def _in_keras2(self, stated: dict[str, Any]) -> dict[str, Any]:
        if stated.get("dim_ordering") is not None:
            stated["dim_ordering"] = ORDERINGS[data_format_of(stated["dim_ordering"])]
        shape = {word: stated.pop(word) for word in _shape_words(self.rule) if word in stated}
        if self.__name__ in _INPUT_DIM_KEPT and stated["input_dim"] is not None:
            shape.setdefault("input_shape", (stated["input_dim"],))
        unknown = set(stated) - self.known
        if unknown:
            what = f"{self.__name__} of Keras 1.2.2 has no argument {min(unknown)!r}"
            raise KconvertError(what, fix=f"its arguments are {self.__signature__}", problem=Problem.USAGE)
        not_stored = _NOT_STORED.get(self.__name__, ())
        for key in not_stored:  # a file could not state them
            for word in [word for word in key.olds if stated[word] == self.__signature__.parameters[word].default]:
                del stated[word]
        for word in stated:
            stated[word] = self._value(word, stated)
        translate((*self.rule.keys, *not_stored), stated, self.__name__)
        result = self.rule.with_same({**self.rule.unstated, **stated, **shape})
        taken = {parameter.name for parameter in constructor_parameters(self.made)}
        if "implementation" not in taken:
            result.pop("implementation", None)  # no number depends on it
        for f in fields(self.made):
            if f.init and is_old(f) and key_of(f) in result:
                result[f.name] = result.pop(key_of(f))
        needed = {parameter.name for parameter in constructor_parameters(self.made) if parameter.default is None}
        return {key: value for key, value in result.items() if value is not None or key in needed}

    def _value(self, word: str, stated: Mapping[str, Any]) -> Any:
        """The value of an argument, with names and objects of this dialect as those of the layers."""
        value = stated[word]
        if value is None:
            return value
        if word == "forget_bias_init":
            name = getattr(value, "__name__", value)
            if name not in ("one", "zero"):
                what = f"forget_bias_init={name!r} of Keras 1.2.2 is not in kconvert"
                raise KconvertError(what, fix="it is 'one' or 'zero'", problem=Problem.UNSUPPORTED)
            return name
        if (word == "init" or word.endswith("_init")) and not isinstance(value, (int, float)):
            found = initialization(value)
            return value if isinstance(value, str) else found
        if word.endswith("activation") and isinstance(value, str) and value not in _ACTIVATIONS:
            fix = f"its activations are {', '.join(sorted(_ACTIVATIONS))}"
            raise KconvertError(f"Keras 1.2.2 has no activation {value!r}", fix=fix, problem=Problem.USAGE)
        if word.endswith("_regularizer"):
            return regularizer_on(value, self.__name__, word)
        if word.endswith("_constraint"):
            return constraint_on(value, self.__name__, word, stated.get("dim_ordering"))
        return value

    @cached_property
    def known(self) -> frozenset[str]:
        """The arguments of the class, beside those that state the shape of its input."""
        own = frozenset(self.__signature__.parameters) - {"kwargs"}
        return own | _EVERYWHERE | (_OF_RECURRENT if self.__name__ in _RECURRENT else frozenset())


def _shape_words(rule: Rule) -> frozenset[str]:
    """The words that state the shape of the input, in place of an argument of the layer itself."""
    return (INPUT_WORDS | {"batch_input_shape"}) - set(rule.kept.split())


globals().update({name: Constructor(name) for name in ARGUMENTS})
globals().update({short: globals()[name] for short, name in ALIASES.items()})
