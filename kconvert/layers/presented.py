"""The configuration of a layer as Keras 2.3.1 shows it to its user.

It states every option: components of training as their configurations, activations by their names, sizes as tuples. A
file keeps what it states, in the form in which it states it (see `Layer.stated_config`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..conventions.backends import CHANNELS_LAST
from ..errors import KconvertError
from .component_names import component, stated, takes_component
from .options import is_later, is_old, key_of


def presented(layer: Any) -> dict[str, Any]:
    """The configuration of `layer`, with what `stated_config` leaves out because no file states it."""
    config = layer.stated_config()
    own = [f for f in type(layer).config_fields() if not is_old(f)]
    for f in own:
        if key_of(f) in config or (f.name in layer.unstated and not is_later(f)):
            value = stated(layer, f.name)
            config[key_of(f)] = _shown(f.name, value, config.get(key_of(f), value))
    first = {"name": layer.name}
    if layer.states_trainable:
        first["trainable"] = layer.trainable
    if layer.batch_input_shape is not None:
        first["batch_input_shape"] = tuple(layer.batch_input_shape)
    return {**first, "dtype": layer.dtype, **{key: value for key, value in config.items() if key not in first}}


def _shown(option: str, value: Any, stated: Any) -> Any:
    """The value of an option; stated: the same as it is stored."""
    if hasattr(value, "stated_config"):
        return {"class_name": value.class_name, "config": value.get_config()}
    if isinstance(value, list) and value and all(hasattr(one, "stated_config") for one in value):
        return [_shown(option, one, None) for one in value]
    if "activation" in option:
        return "linear" if value is None else stated
    if option == "data_format" and value is None:
        return CHANNELS_LAST
    if takes_component(option):
        return _component(option, value, stated)
    return value if isinstance(value, tuple) else stated


def _component(option: str, value: Any, stated: Any) -> Any:
    """The configuration of a component; as it is stored where nothing is known of it."""
    if not isinstance(value, (str, Mapping)):
        return stated
    try:
        found = component(option, value)
    except KconvertError:
        return stated
    return found.to_config() if hasattr(found, "to_config") else stated
