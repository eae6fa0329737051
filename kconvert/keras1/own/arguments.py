"""Translates the arguments of the layers of Keras 1.2.2 into those of kconvert.

The words and values of the arguments are translated by the rows of `conventions/words/rules`, as those of files are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from inspect import Signature
from typing import Any

from ...conventions.words.options import translate
from ...conventions.words.rules import NOT_STORED, Key, Rule
from ...errors import AlsoTypeError, KconvertError, Problem
from ...layers import Layer
from ...layers.calls import INPUT_WORDS
from ...layers.constructors import constructor_parameters
from ...layers.options import is_old, key_of
from ...layers.phase import RATES
from ...lazy_dataclasses import dataclass
from . import activations, constraints, regularizers
from .components import constraint_on, regularizer_on
from .initializations import ForgetBias, initialization
from .settings import ORDERINGS, data_format_of
from .signatures import attribute_words, config_words, further, signature_of
from .topology import dtype_of_input

_EVERYWHERE = frozenset({"name", "trainable", "input_dtype"})
_INPUT_DIM_KEPT = ("MaxoutDense", "Highway")
"""Classes whose configuration has `input_dim`. It also states the shape of their input."""
_SEVERAL_ARRAYS, _ONE_ARRAY = ("GRU", "LSTM"), "gpu"
"""Classes with an array for each gate, and the `consume_less` with which they have one for all."""
_DROPS_INPUTS_ON_CPU = "SimpleRNN"
"""The class whose `dropout_W` has no effect but with `consume_less='cpu'`."""
_UNREGULARIZED = "ConvLSTM2D"
"""The class whose regularizers have no effect."""
_FORGET_BIAS = "forget_bias_init"
_DTYPES = {"Embedding": "int32"}
"""The type of the input of a class, whatever `input_dtype` states."""


@dataclass(frozen=True, eq=False)
class ClassFacts:
    """A layer class of Keras 1.2.2: its name, its arguments, and the class of kconvert that computes the same."""

    name: str
    rule: Rule
    made: type[Layer]

    @cached_property
    def signature(self) -> Signature:
        """The parameters of the constructor, as Keras 1.2.2 shows them."""
        return signature_of(self.name)

    @cached_property
    def config_words(self) -> list[str]:
        """The arguments that `get_config` states, beside those of every layer."""
        return config_words(self.name)

    @cached_property
    def attribute_words(self) -> list[str]:
        """The arguments that layers have as attributes, beside those of every layer."""
        return attribute_words(self.name)

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        """The rows that translate arguments, by the names of these in Keras 1.2.2."""
        return {old: key for key in self.rule.keys for old in key.olds}

    @cached_property
    def rates(self) -> list[str]:
        """The arguments that are rates of dropout, or scales of noise."""
        words = {**{word: word for word in RATES}, **{old: key.new for old, key in self.keys.items()}}
        return [word for word in self.signature.parameters if words.get(word) in RATES]

    def field_of(self, key: str) -> str | None:
        """The field of the class of kconvert that holds a key of Keras 2; None where it has none."""
        return next((f.name for f in fields(self.made) if key_of(f) == key), None)

    def stated(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments by their names in Keras 1.2.2, with the defaults. Raises KconvertError for unknown ones."""
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self._refusal(str(error)) from None
        bound.apply_defaults()
        given = bound.arguments.pop("kwargs", {})
        stated = {**further(self.name), **bound.arguments, **given}
        unknown = set(stated) - self._known
        if unknown:
            raise self._refusal(f"there is no argument {min(unknown)!r}")
        return stated

    def _refusal(self, what: str) -> KconvertError:
        fix = f"its arguments are {self.signature}"
        return AlsoTypeError(f"{self.name} of Keras 1.2.2: {what}", fix=fix, problem=Problem.USAGE)

    @cached_property
    def _known(self) -> frozenset[str]:
        own = frozenset(self.signature.parameters) - {"kwargs"}
        return own | further(self.name).keys() | _EVERYWHERE | self._shape_words

    @cached_property
    def _shape_words(self) -> frozenset[str]:
        """The words that state the shape of the input, in place of an argument of the layer itself."""
        return (INPUT_WORDS | {"batch_input_shape"}) - set(self.rule.kept.split())

    def in_keras2(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of the class of kconvert, from all those of Keras 1.2.2."""
        stated = dict(stated)
        if stated.get("dim_ordering") is not None:
            stated["dim_ordering"] = ORDERINGS[data_format_of(stated["dim_ordering"])]
        shape = {word: stated.pop(word) for word in self._shape_words if word in stated}
        if self.name in _INPUT_DIM_KEPT and stated["input_dim"] is not None:
            shape["input_shape"] = (stated["input_dim"],)
        elif shape.get("input_dim") is not None:
            shape.pop("input_shape", None)  # input_dim counts
        stated["input_dtype"] = self._dtype({**stated, **shape})
        stated.update(self._replaced(stated))
        bias = self._bias(stated)
        not_stored = NOT_STORED.get(self.name, ())
        for key in not_stored:  # a file could not state them
            for word in [word for word in key.olds if stated[word] == self.signature.parameters[word].default]:
                del stated[word]
        for word in stated:
            stated[word] = self._value(word, stated)
        translate((*self.rule.keys, *not_stored), stated, self.name)
        return self._without_defaults(self.rule.with_same({**self.rule.unstated, **stated, **shape, **bias}))

    def _replaced(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        """Replaces arguments that have no effect in Keras 1.2.2.

        (keras-facts: regularizers-of-gates, dropout-of-simple-rnn)
        """
        if self.name in _SEVERAL_ARRAYS and stated["consume_less"] != _ONE_ARRAY:
            return {"U_regularizer": stated["W_regularizer"]}
        if self.name == _DROPS_INPUTS_ON_CPU and stated["consume_less"] != "cpu":
            return {"dropout_W": 0.0}
        return dict.fromkeys(("W_regularizer", "U_regularizer", "b_regularizer")) if self.name == _UNREGULARIZED else {}

    def _bias(self, stated: dict[str, Any]) -> dict[str, Any]:
        """The initializer of the bias where `forget_bias_init`, which it replaces, is neither 'one' nor 'zero'."""
        value = stated.get(_FORGET_BIAS)
        name = getattr(value, "__name__", value)
        if value is None or name in ("one", "zero"):
            stated.update({} if value is None else {_FORGET_BIAS: name})
            return {}
        stated[_FORGET_BIAS] = "zero"
        return {"bias_initializer": ForgetBias(initialization(value).function)}

    def _dtype(self, stated: Mapping[str, Any]) -> str | None:
        """The type of the input; None where its shape is not stated."""
        if self.name in _DTYPES:
            return _DTYPES[self.name]
        words = INPUT_WORDS | {"batch_input_shape"}
        shape = next((stated[word] for word in words if stated.get(word) is not None), None)
        return dtype_of_input(shape, stated.get("input_dtype"))

    def _without_defaults(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of the class of kconvert, without those that it does not need, or that are None by default."""
        parameters = constructor_parameters(self.made)
        if all(parameter.name != "implementation" for parameter in parameters):
            options.pop("implementation", None)  # no number depends on it
        for f in fields(self.made):
            if f.init and is_old(f) and key_of(f) in options:
                options[f.name] = options.pop(key_of(f))
        needed = {parameter.name for parameter in parameters if parameter.default is None}
        needed |= {name for name, one in self.signature.parameters.items() if one.default is not None}
        return {key: value for key, value in options.items() if value is not None or key in needed}

    def _value(self, word: str, stated: Mapping[str, Any]) -> Any:
        """The value of an argument, with names and objects of this dialect as those of the layers."""
        value = stated[word]
        if value is None:
            return value
        if is_initialization(word) and not isinstance(value, (int, float)):
            found = initialization(value)
            return value if isinstance(value, str) else found
        if word.endswith("activation") and isinstance(value, str) and value not in activations.FUNCTIONS:
            fix = f"its activations are {', '.join(sorted(activations.FUNCTIONS))}"
            raise KconvertError(f"Keras 1.2.2 has no activation {value!r}", fix=fix, problem=Problem.USAGE)
        if word.endswith("_regularizer"):
            return regularizer_on(regularizers.get(value), self.name, word)
        if word.endswith("_constraint"):
            return constraint_on(constraints.get(value), self.name, word, stated.get("dim_ordering"))
        return value


def is_initialization(word: str) -> bool:
    """Whether an argument is the initialization of a weight."""
    return word == "init" or word.endswith("_init")
