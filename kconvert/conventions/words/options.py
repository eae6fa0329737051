"""Configuration keys that the layer classes of this package do not have: what becomes of them.

Real Keras refuses a key that a class does not know, so a file with one comes from another Keras: tf.keras, Keras 3, a
fork, or an editor. If the value of the key changes what the layer computes, to ignore it would give wrong numbers.
`UNKNOWN` lists the keys that do not, and the values at which they do not (keras-facts: keys-of-other-keras).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from ...arguments import argument, own_code
from ...errors import KconvertError
from ...lazy_dataclasses import dataclass
from .items import shown
from .rules import RULES, Key


@dataclass(frozen=True)
class Unknown:
    """A key that changes nothing at some of its values."""

    # The key; it may have the wildcard *.
    key: str
    # The values at which it changes nothing; None: at every value.
    harmless: tuple[Any, ...] | None = None
    # The classes it stands in; none: all.
    classes: tuple[str, ...] = ()
    # Whether Keras 1 or 2 reads the key, so that it is kept.
    kept: bool = False

    def describes(self, class_name: str, key: str) -> bool:
        return fnmatchcase(key, self.key) and (not self.classes or class_name in self.classes)

    def is_harmless(self, value: Any) -> bool:
        return self.harmless is None or any(value == one and type(value) is type(one) for one in self.harmless)


_OFF = (False,)
_LOCAL = ("LocallyConnected1D", "LocallyConnected2D")
_SEPARABLE = ("SeparableConv1D", "SeparableConv2D")
_PLAIN_MERGE = "mode_type output_shape output_shape_type output_mask output_mask_type arguments"

UNKNOWN: tuple[Unknown, ...] = (
    # tf.keras and Keras 3: options at the only value that Keras 2 has
    Unknown("groups", (1,)),
    Unknown("keepdims", _OFF),
    Unknown("time_major", _OFF),
    Unknown("zero_output_for_mask", _OFF),
    Unknown("ragged", _OFF),
    Unknown("sparse", _OFF),
    Unknown("optional", _OFF),
    Unknown("synchronized", _OFF),
    Unknown("renorm", _OFF),
    Unknown("rms_scaling", _OFF),
    Unknown("implementation", (1,), _LOCAL),
    Unknown("data_format", ("channels_last",), ("LocallyConnected1D", "ZeroPadding1D")),
    Unknown("dilation_rate", ([1, 1, 1],), ("Conv3DTranspose",)),
    # tf.keras and Keras 3: what no output depends on
    Unknown("seed"),
    Unknown("fused", classes=("BatchNormalization",)),
    Unknown("renorm_*", classes=("BatchNormalization",)),
    Unknown("autocast"),
    Unknown("experimental_autocast"),
    Unknown("dynamic", _OFF),
    Unknown("kernel_regularizer", classes=_SEPARABLE),
    Unknown("kernel_constraint", classes=_SEPARABLE),
    Unknown("lora_rank"),  # Keras 3 saves the sum of the kernel and the product of the two small arrays
    Unknown("lora_alpha"),
    Unknown("build_config"),
    Unknown("build_input_shape"),
    # a Lambda computes its function and nothing else; tf.keras states its module
    Unknown("*", classes=("Lambda",)),
    # forks of Keras 1
    Unknown("causal", _OFF),
    Unknown("*_learning_rate_multiplier"),
    # words of Keras 1 and 2 that nothing here depends on
    Unknown("implementation", classes=("SimpleRNN", "SimpleRNNCell", "ConvLSTM2D"), kept=True),
    Unknown("kernel_initializer", classes=_SEPARABLE, kept=True),
    *(Unknown(key, classes=("Merge",), kept=True) for key in _PLAIN_MERGE.split()),
)
"""For every other key, null alone is harmless."""

_NOT_SET = Unknown("*", (None,))


def sorted_out(class_name: str, keys: Mapping[str, Any], where: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The `keys` that a class does not know, as those that are kept and those that are left out as harmless.

    Raises KconvertError that names a key which is not harmless.
    """
    kept: dict[str, Any] = {}
    left_out: dict[str, Any] = {}
    for key, value in keys.items():
        row = next((row for row in UNKNOWN if row.describes(class_name, key)), _NOT_SET)
        if not (row.is_harmless(value) or _NOT_SET.is_harmless(value)):
            raise _refused(class_name, key, value, where, row)
        (kept if row.kept else left_out)[key] = value
    return kept, left_out


def _refused(class_name: str, key: str, value: Any, where: str, row: Unknown) -> KconvertError:
    usual = [repr(one) for one in row.harmless or () if one is not None]
    known = f"it is known at {' or '.join(usual)} only" if usual else "no Keras from 0.2 to 2.3 has it"
    return KconvertError(
        f"{class_name} has no option {key!r}, here {shown(value)}: {known}",
        where=where,
        fix=f"{own_code('class', class_name, 'kconvert.register_layer')}, or take the key out of"
        f" the architecture and give that with {argument('arch')} if it changes nothing",
    )


# --------------------------------------------------------------- old words ----


def in_keras2(class_name: str, config: Mapping[str, Any], known: set[str], where: str) -> dict[str, Any]:
    """`config` with the words of Keras 1 that its class does not have under their names in Keras 2, if it has these.

    Keras 2 reads such words too. Raises KconvertError where a word and its Keras 2 name state different values.
    """
    result = dict(config)
    translate(_old_words(class_name, frozenset(known)), result, where)
    return result


@lru_cache(1024)
def _old_words(class_name: str, known: frozenset[str]) -> Sequence[Key]:
    """The keys of a class in Keras 1 that it does not have itself, while it has their names in Keras 2."""
    rules = [rule for rule in RULES if class_name in (rule.old, rule.new)]
    return [key for rule in rules for key in rule.keys if key.new in known and known.isdisjoint(key.olds)]


def translate(keys: Iterable[Key], config: dict[str, Any], where: str) -> None:
    """Renames the words of Keras 1 in `config`. Raises KconvertError where one contradicts its Keras 2 name."""
    for key in keys:
        if config.keys().isdisjoint(key.olds):
            continue
        olds = {old: config[old] for old in key.olds if old in config and old != key.new}
        stated, before = key.new in config, config.get(key.new)
        key.rename(config)
        if olds and stated and before != config[key.new]:
            words = ", ".join(f"{old}={value!r}" for old, value in olds.items())
            what = f"{words} contradicts {key.new}={before!r}: they are one option"
            raise KconvertError(
                what, where=where, fix=f"keep one of them in the architecture and give it with {argument('arch')}"
            )
