"""What tf.keras has and Keras 2.3 does not: a note for users of the result, which names the layers.

A result for Keras 2 may contain them, because tf.keras and kconvert read the same files.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...layers.activations import ACTIVATION_KEYS, BEYOND_KERAS2, KERAS3_ACTIVATIONS, activation_name
from ...layers.base import Layer
from ...network.network import Network
from ...network.rewritten import Rewritten
from .left_out import every, listed


def notes_on_beyond(network: Network, in_tf_keras: bool) -> Rewritten:
    """`network` of a result for Keras 2, with a note on all in it that Keras 2.3 does not have.

    in_tf_keras: whether tf.keras reads the weights of the result as they are meant.
    """
    names: dict[str, list[str]] = {}
    for layer in every(network):
        for what in _beyond(layer):
            names.setdefault(what, []).append(layer.name)
    if not names:
        return Rewritten(network)
    found = ", ".join(f"{what} ({listed(layers)})" for what, layers in names.items())
    note = f"Keras 2.3 does not have {found}: it loads the result only with custom_objects that define this"
    known = in_tf_keras and not any(f"the activation {name}" in names for name in KERAS3_ACTIVATIONS)
    return Rewritten(network, notes=[f"{note}; tf.keras has it" if known else note])


def _beyond(layer: Layer) -> Iterator[str]:
    """The class, the options and the activations of one layer that Keras 2.3 does not have."""
    if layer.of_tf_keras:
        yield f"the class {layer.class_name}"
    for key, value in layer.later_options().items():
        yield f"the option {key}={value!r} of {layer.class_name}"
    for key in ACTIVATION_KEYS:
        value = getattr(layer, key, None)
        if isinstance(value, dict) or activation_name(value) in BEYOND_KERAS2:
            yield f"the activation {activation_name(value)}"
