"""Names for layers without a name: the class and a number, as in Keras."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any


def free_name(class_name: str, taken: Collection[str] = ()) -> str:
    """The first of `dense_1`, `dense_2`, ... that is not taken.

    >>> free_name("BatchNormalization"), free_name("Conv2DTranspose", {"conv2d_transpose_1"})
    ('batch_normalization_1', 'conv2d_transpose_2')
    """
    stem, number = _stem(class_name), 1
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def snake_case(name: str) -> str:
    """A class name in the form that Keras uses in layer names (keras-facts: names-of-layers).

    >>> snake_case("SimpleRNN"), snake_case("MaxPooling2D"), snake_case("ConvLSTM2D")
    ('simple_rnn', 'max_pooling2d', 'conv_lst_m2d')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


_counts: Counter[str] = Counter()


def next_name(class_name: str) -> str:
    """The next of `dense_1`, `dense_2`, ... for a layer or model of a user; numbers are unique in a process.

    Models of the layers of other models so have layers of different names, as in Keras.
    """
    stem = _stem(class_name)
    return f"{stem}_{next_number(stem)}"


def next_number(stem: str) -> int:
    """The number of the next name that begins with `stem`."""
    _counts[stem] += 1
    return _counts[stem]


def observe_names(names: Iterable[str]) -> None:
    """Makes `next_name` go on behind the numbers of these names, as those of a model from a file."""
    for name in names:
        stem, _, number = name.rpartition("_")
        if number.isdecimal() and len(number) < 9:
            _counts[stem] = max(_counts[stem], int(number))


def reset_names() -> None:
    """Starts the numbers of `next_name` from 1 again."""
    _counts.clear()


def _stem(class_name: str) -> str:
    return "input" if class_name == "InputLayer" else snake_case(class_name)


def name_layers(layers: Iterable[Any]) -> None:
    """Gives a name to each layer that has none."""
    layers = list(layers)
    taken = {layer.name for layer in layers}
    for layer in layers:
        if not layer.name:
            layer.name = free_name(layer.class_name, taken)
            taken.add(layer.name)
