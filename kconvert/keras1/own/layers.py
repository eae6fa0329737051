"""The layers of Keras 1.2.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import layers
from ...conventions.words.rules import RULES, Rule
from . import normalization, wrappers
from .arguments import ClassFacts
from .built_in import CLASSES, BuiltIn, class_of
from .merging import Merge as Merge
from .merging import merge as merge
from .recurrent import Recurrent as Recurrent
from .recurrent import StepsOfGRU, StepsOfLSTM, StepsOfSimpleRNN
from .recurrent import time_distributed_dense as time_distributed_dense
from .signatures import ALIASES, ARGUMENTS, BASES
from .topology import Input as Input
from .topology import InputLayer as InputLayer
from .topology import Layer as Layer
from .wrappers import Wrapper as Wrapper

_RULES: Mapping[str, Rule] = {rule.old: rule for rule in RULES}

_MADE: Mapping[str, type[layers.Layer]] = {
    "BatchNormalization": normalization.BatchNormalization,
    "TimeDistributed": wrappers.TimeDistributed,
}
"""The classes of this dialect that compute differently from those of Keras 2."""


def _class(name: str) -> type[BuiltIn]:
    rule = _RULES[name]
    facts = ClassFacts(name, rule, _MADE.get(name) or getattr(layers, rule.new))
    base = CLASSES[BASES[name]] if name in BASES else _OWN.get(name, BuiltIn)
    return class_of(facts, base, __name__)


class _OfFunction(BuiltIn):
    """The configuration of a Lambda, which states its functions by their names."""

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor; functions by their names."""
        words = ("function", "function_type", "output_shape", "output_shape_type", "arguments")
        stated = self.stored_config()
        return {**super().get_config(), **{word: stated[word] for word in words}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The layer with a configuration that `get_config` returned."""
        stated = {key: getattr(value, "function", value) for key, value in config.items()}
        types = {key: stated.pop(key, "raw") for key in ("function_type", "output_shape_type")}
        made: Any = cls(**stated)
        made.function_type, made.output_shape_type = types.values()
        return made


class _OfBatches(BuiltIn):
    """A BatchNormalization. With mode=0, it uses the moments of the batch in training."""

    mode: int

    @property
    def depends_on_phase(self) -> bool:
        return self.mode == 0


class _Wrapped(BuiltIn, Wrapper):
    """A wrapper of Keras itself."""


class _SimpleRNN(StepsOfSimpleRNN, BuiltIn):
    """A SimpleRNN whose methods a class of the user may replace."""


class _GRU(StepsOfGRU, BuiltIn):
    """A GRU whose methods a class of the user may replace."""


class _LSTM(StepsOfLSTM, BuiltIn):
    """An LSTM whose methods a class of the user may replace."""


_OWN: Mapping[str, type[BuiltIn]] = {
    "Lambda": _OfFunction,
    "TimeDistributed": _Wrapped,
    "Bidirectional": _Wrapped,
    "BatchNormalization": _OfBatches,
    "SimpleRNN": _SimpleRNN,
    "GRU": _GRU,
    "LSTM": _LSTM,
}
"""The base classes of classes with methods of their own."""

for _name in sorted(ARGUMENTS, key=lambda name: name in BASES):  # a class comes before those that inherit from it
    CLASSES[_name] = _class(_name)

globals().update(CLASSES)
globals().update({short: CLASSES[name] for short, name in ALIASES.items()})
