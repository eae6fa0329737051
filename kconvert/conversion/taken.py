"""Numbers that TensorFlow adds to a name that is taken in its graph (keras-facts: taken-names)."""

from __future__ import annotations

import re

_ENDING = re.compile(r"(.*?)(_\d+)?:0")


def without_number(name: str) -> tuple[str, str]:
    """The name of an array without its ending, and what TensorFlow may have added to it.

    The number may be the layer's own: whoever asks has to know that. Theano adds none, and its names have no ':0'.

    >>> without_number("block1_conv1_W_1:0"), without_number("dense_1/kernel:0"), without_number("own_W_1")
    (('block1_conv1_W', '_1'), ('dense_1/kernel', ''), ('own_W_1', ''))
    """
    found = _ENDING.fullmatch(name)
    return (found[1], found[2] or "") if found else (name, "")
