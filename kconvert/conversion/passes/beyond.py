"""Notes on features of tf.keras in the result that Keras 2.3 does not have.

A result for Keras 2 may contain them, because tf.keras and kconvert read the same files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...conventions.words.items import is_item
from ...conventions.words.tf_keras import LATER_REGULARIZERS
from ...layers.activations import ACTIVATION_KEYS, BEYOND_KERAS2, KERAS3_ACTIVATIONS, activation_name
from ...layers.base import Layer, json_value
from ...layers.component_names import stated
from ...network.network import Network
from ...network.rewritten import Rewritten
from .left_out import every, listed
from .masks import masked_layers


def notes_on_beyond(network: Network, in_tf_keras: bool) -> Rewritten:
    """`network` of a result for Keras 2, with a note on each feature that Keras 2.3 does not have.

    in_tf_keras: whether tf.keras reads the weights of the result correctly.
    """
    masks = list(_notes_on_masks(network))
    names: dict[str, list[str]] = {}
    for layer in every(network):
        for what in _beyond(layer):
            names.setdefault(what, []).append(layer.name)
    if not names:
        return Rewritten(network, notes=masks)
    found = ", ".join(f"{what} ({listed(layers)})" for what, layers in names.items())
    note = f"Keras 2.3 does not have {found}: it loads the result only with custom_objects that define this"
    known = in_tf_keras and not any(f"the activation {name}" in names for name in KERAS3_ACTIVATIONS)
    return Rewritten(network, notes=[f"{note}; tf.keras has it" if known else note, *masks])


def _notes_on_masks(network: Network) -> Iterator[str]:
    """A note on layers that get a mask, which those of tf.keras and Keras 3 drop and those of Keras 2.3 refuse."""
    refusing = {
        name: mask.made_by
        for name, layer, mask, _ in masked_layers(network)
        if mask is not None and layer.name == name and not layer.takes_mask
    }
    if refusing:
        yield (
            f"Keras 2.3 does not load the result: its {listed(list(refusing))} takes no mask, and gets that of"
            f" {listed(list(dict.fromkeys(refusing.values())))}; build the model without the mask, load the weights"
            " into it and save that"
        )


def _beyond(layer: Layer) -> Iterator[str]:
    """The class, the options and the activations of one layer that Keras 2.3 does not have."""
    if layer.of_tf_keras:
        yield f"the class {layer.class_name}"
    for key, value in layer.later_options().items():
        yield f"the option {key}={value!r} of {layer.class_name}"
    for regularizer in _regularizers(layer):
        if is_item(regularizer) and regularizer["class_name"] in LATER_REGULARIZERS:
            yield f"the regularizer {regularizer['class_name']}"
    for key in ACTIVATION_KEYS:
        value = vars(layer).get(key)
        if isinstance(value, dict) or activation_name(value) in BEYOND_KERAS2:
            yield f"the activation {activation_name(value)}"


def _regularizers(layer: Layer) -> Iterator[Any]:
    """The regularizers of one layer, as JSON values."""
    options = {field.name: stated(layer, field.name) for field in layer.config_fields()} | layer.extra
    for name, value in options.items():
        if name.endswith("_regularizer"):
            yield json_value(value)
