"""Creates the layer classes of Keras 1.2.2 from those of kconvert, with its names, arguments and configurations.

A class of Keras 1.2.2 inherits from that of kconvert which computes the same. Its constructor translates the arguments
by the rows of `conventions/words/rules`, as those of files are. The same rows translate the fields back into the
attributes and the configuration of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from inspect import Parameter, Signature, getdoc
from typing import Any, ClassVar

from ... import layers
from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...backend.image_format import without_settings
from ...conventions.roles import Weight
from ...conventions.words.rules import RULES
from . import activations, constraints, initializations, regularizers
from .arguments import ClassFacts, is_initialization
from .merging import Merge
from .settings import GENERATION
from .signatures import MASKED
from .tensor_chains import as_attributes, from_attributes
from .topology import CLASSES, InputLayer, Layer, item_of_layer, layer_of_item, name_of

_AS_STATED = frozenset({"padding", "input_dim", "input_length", "consume_less", "init", "dropout_W"})
_KINDS_AS_STATED = ("_init", "_regularizer", "_constraint")
"""The arguments, and the ends of the names of arguments, that fields hold in another form than the user states."""

_INPUT_DIM_OF_BUILT = ("Dense", "SimpleRNN", "GRU", "LSTM")
"""Classes whose `input_dim` is the size of the input once they were called."""


CLASSES.update(InputLayer=InputLayer, Merge=Merge)


def in_keras1(layer: layers.Layer) -> layers.Layer:
    """A layer of kconvert as one of the class that it has in Keras 1.2.2; one of another class as it is."""
    if isinstance(layer, Layer):
        return layer
    layer.generation = GENERATION
    rules = [rule for rule in RULES if rule.new == layer.class_name and rule.old in CLASSES]
    found = next((rule for rule in rules if rule.fits(layer.stored_config())), None)
    if found is None:
        return layer
    made = CLASSES[found.old].__new__(CLASSES[found.old])
    made.__dict__.update(layer.__dict__)
    return made


_METHODS = ("call", "compute_mask", "compute_output_shape")
"""The methods that a class of Keras 1.2.2 has of kconvert, also where one that it inherits from defines them."""


class BuiltIn(Layer):
    """A layer of a class that Keras 1.2.2 has, or of a class that inherits from one."""

    facts: ClassVar[ClassFacts]

    def construct(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Sets the fields. Raises KconvertError where the arguments are not those of Keras 1.2.2."""
        stated = self.facts.stated(args, kwargs)
        stated["name"] = name_of(self, stated.get("name"))
        options = self.facts.in_keras2(stated)
        # A layer of Keras 1 without a dim_ordering has no data format.
        with initializations.with_initializations(), without_settings():
            self.facts.made.__init__(self, **options)
        self.as_stated.update((word, value) for word, value in stated.items() if _is_as_stated(word))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer with a configuration that `get_config` returned."""
        return cls(**{key: layer_of_item(value) if key == "layer" else value for key, value in config.items()})

    @property
    def class_name(self) -> str:
        """The name of the class in Keras 2; that of a class of the user is its own."""
        return self.facts.rule.new if self._is_own else type(self).__name__

    @property
    def uses_learning_phase(self) -> bool:
        """Whether the layer computes differently in training: as set, or as its arguments state."""
        if "uses_learning_phase" in self.__dict__:
            return bool(self.__dict__["uses_learning_phase"])
        return self.depends_on_phase

    @uses_learning_phase.setter
    def uses_learning_phase(self, value: bool) -> None:
        self.__dict__["uses_learning_phase"] = value

    @property
    def depends_on_phase(self) -> bool:
        """Whether the arguments tell that the layer computes differently in training."""
        rates = [_shown(self, word) for word in self.facts.rates]
        inner = getattr(self, "layer", None)
        return any(0 < (rate or 0) < 1 for rate in rates) or bool(inner and inner.uses_learning_phase)

    @property
    def takes_mask(self) -> bool:
        own = type(self).compute_mask is not CLASSES[self.facts.name].compute_mask
        return own or bool(self.supports_masking) or self.facts.name in MASKED

    @property
    def _is_own(self) -> bool:
        """Whether Keras 1.2.2 has the class itself."""
        return "facts" in vars(type(self))

    @property
    def as_stated(self) -> dict[str, Any]:
        """The arguments of the constructor that the fields hold in another form."""
        found: dict[str, Any] = self.__dict__.setdefault("_as_stated", {})
        return found

    def show_own_weights(self, weights: Mapping[str, Weight], tensors: Mapping[str, Tensor]) -> None:
        self.__dict__.update(as_attributes(self, list(weights.values()), tensors, current_backend()))

    def shown_own_weights(self, weights: Sequence[Weight]) -> dict[str, Tensor]:
        return from_attributes(self, weights, current_backend())

    def stored_config(self, old_options: bool = False) -> dict[str, Any]:
        if not self._is_own:
            return super().stored_config(old_options)
        config = self.facts.made.stated_config(self, old_options)
        if isinstance(getattr(self, "bias_initializer", None), initializations.ForgetBias):
            del config["bias_initializer"]  # files have no word for it
        return config

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, as Keras 1.2.2 states them."""
        config = super().get_config()
        config.update((word, _in_config(word, _shown(self, word))) for word in self.facts.config_words)
        inner = getattr(self, "layer", None)
        return config if inner is None else {**config, "layer": item_of_layer(inner)}


# --------------------------------------------------------------- attributes ----


def _is_as_stated(word: str) -> bool:
    return word in _AS_STATED or word.endswith(_KINDS_AS_STATED)


def _shown(layer: BuiltIn, word: str) -> Any:
    """The value of an argument of Keras 1.2.2 as the attribute of a layer."""
    if word in layer.as_stated:
        value = layer.as_stated[word]
    elif key := layer.facts.keys.get(word):
        value = key.write(layer.__dict__.get(layer.facts.field_of(key.new) or ""))
        value = value[key.olds.index(word)] if len(key.olds) > 1 else value
    else:
        value = layer.__dict__.get(layer.facts.field_of(word) or word)
    if word == "input_dim" and layer.facts.name in _INPUT_DIM_OF_BUILT and layer.shapes_of_weights:
        return layer.shapes_of_weights[0][-1]
    return _as_object(word, value)


def _as_object(word: str, value: Any) -> Any:
    """A value with the functions and the objects that names in it stand for."""
    if is_initialization(word) and isinstance(value, str):
        return initializations.get(value)
    if is_initialization(word) and isinstance(value, initializations.Initialization):
        return initializations.get(value.function)
    if word.endswith("activation"):
        return activations.get(value)
    if word.endswith("_regularizer"):
        return regularizers.get(value)
    return constraints.get(value) if word.endswith("_constraint") else value


def _in_config(word: str, value: Any) -> Any:
    """An attribute as `get_config` states it."""
    if hasattr(value, "get_config"):
        return value.get_config()
    return value.__name__ if callable(value) else value


class Attribute:
    """An argument of Keras 1.2.2 as an attribute of a layer; the fields of kconvert hold it in another form."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __get__(self, layer: Any, owner: Any = None) -> Any:
        return self if layer is None else _shown(layer, self.word)

    def __set__(self, layer: Any, value: Any) -> None:
        key = layer.facts.keys.get(self.word)
        if _is_as_stated(self.word):
            layer.as_stated[self.word] = value
        if key is None:
            layer.__dict__[self.word] = value
        elif field := layer.facts.field_of(key.new):
            setattr(layer, field, self._read(layer, key, value))

    def _read(self, layer: Any, key: Any, value: Any) -> Any:
        """The value of the field, from that of the attribute."""
        if len(key.olds) == 1:
            return key.read(value)
        values = list(key.write(getattr(layer, key.new)))
        values[key.olds.index(self.word)] = value
        return key.read(tuple(values))


def class_of(facts: ClassFacts, base: type[Any], module: str) -> type[BuiltIn]:
    """The class of Keras 1.2.2 that `facts` describe; base: BuiltIn, or a class that inherits from it."""

    def __init__(self: BuiltIn, *args: Any, **kwargs: Any) -> None:
        self.construct(args, kwargs)

    parameters = [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *facts.signature.parameters.values()]
    __init__.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    held = {f.name for f in fields(facts.made)}.union(dir(facts.made)) - {"activation"}  # a function in Keras 1
    words: dict[str, Any] = {word: Attribute(word) for word in facts.attribute_words if word not in held}
    words.update((name, getattr(facts.made, name)) for name in _METHODS)
    words["get_output_shape_for"] = facts.made.compute_output_shape
    if facts.name not in MASKED:
        words["supports_masking"] = False
    purpose = (getdoc(facts.made) or "").split("\n\n")[0]  # the examples below it use the arguments of Keras 2
    body = {"__init__": __init__, "__module__": module, "__doc__": purpose, "facts": facts, **words}
    bases = (base,) if issubclass(base, facts.made) else (base, facts.made)
    metaclass: Any = type(facts.made)
    made: type[BuiltIn] = metaclass(facts.name, bases, body)
    return made
