"""Infers classes from the names of layers and arrays, without an architecture."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ... import layers as L
from ...conventions.generations import GENERATIONS, KERAS1_NAMES
from ...conventions.roles import GRU_GATES, LSTM_GATES
from ...conventions.words.rules import RULES
from ...layers.base import Layer
from ...layers.registry import LAYERS
from ..taken import without_number

# A layer without a given name is named after its class: convolution2d_1, conv2d_1, batch_normalization_3.
_AUTOMATIC = {rule.old.lower(): rule.new for rule in RULES} | {name.lower(): name for name in LAYERS}
_AROUND_OTHERS = {"TimeDistributed", "Bidirectional", "RNN", "Model", "Sequential"}  # their names show nothing

# What users call layers: block1_conv1, conv_2, local3.
_WORDS: Mapping[str, tuple[type[Layer], ...]] = {
    "conv": (L.Conv1D, L.Conv2D, L.Conv3D),
    "convolution": (L.Conv1D, L.Conv2D, L.Conv3D),
    "deconv": (L.Conv2DTranspose, L.Conv3DTranspose),
    "local": (L.LocallyConnected1D, L.LocallyConnected2D),
}


def automatic_class(name: str) -> str | None:
    """The class that Keras names like this. TensorFlow may have added a second number (keras-facts: taken-names).

    >>> automatic_class("convolution2d_1"), automatic_class("conv_lst_m2d_2"), automatic_class("fc_1")
    ('Conv2D', 'ConvLSTM2D', None)
    >>> automatic_class("conv2d_2_1"), automatic_class("conv_2_1"), automatic_class("lstm_cell_1")
    ('Conv2D', None, 'LSTM')
    """
    stem = re.sub(r"^(forward|backward)_|_\d+(_\d+)?$", "", name)
    found = _AUTOMATIC.get(stem.replace("_", ""))
    if found is None or found in _AROUND_OTHERS:
        return None
    return found.removesuffix("Cell")  # a cell has the arrays of its layer


def words_for(name: str) -> list[type[Layer]]:
    """The classes that words in a name suggest."""
    words = {re.sub(r"\d+$", "", word.lower()) for word in re.split(r"[^A-Za-z0-9]+", name)}
    return [cls for word, classes in _WORDS.items() if word in words for cls in classes]


_KERAS1_SLOTS = "|".join(
    sorted(
        {*KERAS1_NAMES.values(), "gamma", "beta", "depthwise_kernel", "pointwise_kernel"}
        | {"t_left", "a_left", "t_right", "a_right"},
        key=len,
        reverse=True,
    )
)
_KERAS1_NAME = re.compile(rf"(.+?)_((?:{_KERAS1_SLOTS})(?:_[{LSTM_GATES}{GRU_GATES}])?)")


def split_name(name: str, form: str, group: str) -> tuple[str, str, str]:
    """The scope and the slot of the name of an array in `group`, and the number behind them that may be TensorFlow's.

    >>> split_name("forward_lstm_1_W_i:0", "keras1", "bidirectional_1")
    ('forward_lstm_1', 'W_i', '')
    >>> split_name("block1_conv1_W_1:0", "keras1", "block1_conv1")
    ('block1_conv1', 'W', '_1')
    >>> split_name("bidirectional_1/forward_lstm_1/kernel:0", "keras2", "bidirectional_1")
    ('bidirectional_1/forward_lstm_1', 'kernel', '')
    """
    stem, number = without_number(name)
    if GENERATIONS[form].scoped_names:
        scope, _, slot = stem.rpartition("/")
        return scope, slot, number
    found = _KERAS1_NAME.fullmatch(stem)
    return (found[1], found[2], number) if found else (group, stem.removeprefix(f"{group}_"), number)
