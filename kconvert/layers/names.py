"""Names for layers without a name: the class and a number, as in Keras."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any


def free_name(class_name: str, taken: Collection[str] = ()) -> str:
    """The first of `dense_1`, `dense_2`, ... that is not taken.

    >>> free_name("BatchNormalization"), free_name("Conv2DTranspose", {"conv2d_transpose_1"})
    ('batch_normalization_1', 'conv2d_transpose_2')
    """
    stem = "input" if class_name == "InputLayer" else snake_case(class_name)
    number = 1
    while f"{stem}_{number}" in taken:
        number += 1
    return f"{stem}_{number}"


def snake_case(name: str) -> str:
    """A class name in the form that Keras uses in layer names.

    >>> snake_case("SimpleRNN"), snake_case("MaxPooling2D"), snake_case("GRU")
    ('simple_rnn', 'max_pooling2d', 'gru')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z0-9])(?=[A-Z][a-z])", "_", name).lower()


def name_layers(layers: Iterable[Any]) -> None:
    """Gives a name to each layer that has none."""
    layers = list(layers)
    taken = {layer.name for layer in layers}
    for layer in layers:
        if not layer.name:
            layer.name = free_name(layer.class_name, taken)
            taken.add(layer.name)
