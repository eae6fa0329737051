"""Architecture JSON of Keras 3, read into Keras 2's words (keras-facts: words-of-keras3).

Words that Keras 3 shares with tf.keras are not translated here, but in `tf_keras`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import KconvertError
from .items import GRAPHS, Json, flat, is_item, refused
from .keras3_masks import RECURRENT, Masks, history, is_operation, is_tensor, tensors
from .keras3_writing import ACTIVATIONS, OTHER_NAMES, RENAMED
from .tf_keras import dtype
from .tf_keras_classes import of_tf_keras

FUNCTIONAL, SEQUENTIAL = "Functional", "Sequential"

NO_VALUE = ("zero_output_for_mask",)
"""Keys that are written without a value, so that a Bidirectional computes what that of Keras 2 does."""

LOOPS = ("RNN", "SimpleRNN", "GRU", "LSTM")
"""Recurrent layers that can have zeros at masked steps."""

_OLD = {(name, new): old for (name, old), new in RENAMED.items()}
_OLD_NAMES = {new: old for old, new in OTHER_NAMES.items() if new in ACTIVATIONS}


def read(config: Json) -> Json:
    """The `{'class_name', 'config'}` of a model of Keras 3 in Keras 2's words.

    Raises KconvertError naming the layer that has no words in Keras 2.
    """
    return _item(config)


def _item(item: Json) -> Json:
    """A layer or a model."""
    name, config = _class_name(item), item["config"]
    if not isinstance(config, dict):
        raise refused(f"the configuration of a {name} should be an object")
    if name == FUNCTIONAL or name in GRAPHS:
        return {"class_name": name, "config": _graph(config)}
    if name == SEQUENTIAL:
        return {"class_name": name, "config": _sequential(config)}
    if name == "Bidirectional":
        config = _two_way(config)
    if name == "Identity":
        name, config = "Activation", {**config, "activation": "linear"}
    changed = {
        _OLD.get((name, key), key): _value(key, value, config)
        for key, value in config.items()
        if value is not None or key not in NO_VALUE
    }
    if name == "Bidirectional" and is_item(changed.get("layer")):
        changed["layer"] = _of_both_directions(changed["layer"])
    if name == "InputLayer" and "batch_shape" in changed:
        changed["batch_input_shape"] = changed.pop("batch_shape")
    return {"class_name": name, "config": changed}


def _of_both_directions(item: Json) -> Json:
    """The layer in a Bidirectional, which sets this option to the value of `return_sequences` if it has a value.

    (keras-facts: masked-bidirectional)
    """
    config = item["config"]
    if "zero_output_for_mask" not in config:
        return item
    if item["class_name"] not in LOOPS:  # a pass refuses it where there is a mask
        return {**item, "config": {key: value for key, value in config.items() if key != "zero_output_for_mask"}}
    return {**item, "config": {**config, "zero_output_for_mask": config.get("return_sequences", False)}}


def _class_name(item: Json) -> str:
    """The class of an item: for one of the user with its package, so that it is not taken for a class of Keras."""
    name, registered = str(item["class_name"]), item.get("registered_name")
    if "module" not in item or str(item["module"]).partition(".")[0] == "keras":
        return name
    return registered if isinstance(registered, str) and ">" in registered else f"{item['module'] or 'Custom'}>{name}"


def _two_way(config: Json) -> Json:
    """A Bidirectional, whose two layers Keras 3 states; Keras 2 has one and its copy (keras-facts: both-directions).

    Raises KconvertError where one is no copy of the other.
    """
    forward: Any = config.get("layer")
    backward: Any = config.get("backward_layer")
    kept = {key: value for key, value in config.items() if key != "backward_layer"}
    if backward is None or not is_item(forward) or not is_item(backward):
        return kept
    name = str(forward["config"].get("name")).removeprefix("forward_")
    alike = [
        {**item, "config": {**item["config"], "name": name, "go_backwards": False}} for item in (forward, backward)
    ]
    ways = [item["config"].get("go_backwards", False) for item in (forward, backward)]
    if _options(alike[0]) != _options(alike[1]) or ways[0] == ways[1]:
        raise KconvertError(
            "its backward_layer is no copy of its layer: Keras 2 has only copies",
            where=f"layer {config.get('name', '?')}",
            fix="build the model with two recurrent layers and one layer that merges them",
        )
    return {**kept, "layer": {**forward, "config": {**forward["config"], "name": name}}}


OWN = ("shared_object_id", "build_config", "seed")
"""Keys that two layers of one kind never share."""


def _options(value: Any) -> Any:
    """A configuration without the keys of OWN."""
    if isinstance(value, Mapping):
        return {
            key: _options(one) for key, one in value.items() if key not in ("shared_object_id", "build_config", "seed")
        }
    return [_options(one) for one in value] if isinstance(value, list) else value


def _value(key: str, value: Any, config: Json) -> Any:
    if key.rpartition("_")[2] == "activation":
        return _activation(value, config)
    if isinstance(value, list):
        return [_value("", one, config) for one in value]
    return _item(value) if is_item(value) and isinstance(value["class_name"], str) else value


def _activation(value: Any, config: Json) -> Any:
    """An activation by its name: also that of a Sequential that stands for one of Keras 2."""
    if not is_item(value):
        return _OLD_NAMES.get(value, value) if isinstance(value, str) else value
    inside = value["config"]
    if not isinstance(inside, Mapping):
        return value  # a function of the user
    return inside["name"] if value["class_name"] == SEQUENTIAL and inside.get("name") in ACTIVATIONS else _item(value)


# ------------------------------------------------------------------ models ----


def _sequential(config: Json) -> Json:
    """A Sequential whose first layer states the shape of the input, as in Keras 2."""
    layers = [_item(layer) for layer in config.get("layers") or []]
    kept = {key: value for key, value in config.items() if key != "build_input_shape"}
    if len(layers) > 1 and layers[0]["class_name"] == "InputLayer":
        entry, first, *others = layers
        if first["class_name"] not in (SEQUENTIAL, FUNCTIONAL, *GRAPHS):
            dtype(first["config"].get("dtype"), f"layer {first['config'].get('name', '?')}")  # refuses mixed precision
            stated = {key: entry["config"].get(key) for key in ("batch_input_shape", "dtype")}
            first = {**first, "config": {**first["config"], **stated}}
        layers = [first, *others]
    return {**kept, "layers": layers}


def _graph(config: Json) -> Json:
    entries = config.get("layers")
    if not isinstance(entries, list) or not all(map(_has_name, entries)):
        raise refused(f"'layers' of {config.get('name')!r} should be a list of layers with names")
    masks = Masks({entry["name"]: entry for entry in entries})
    classes = {entry["name"]: entry["class_name"] for entry in entries if not is_operation(entry)}
    operations = {entry["name"]: entry["class_name"] for entry in entries if is_operation(entry)}
    layers = []
    for entry in entries:
        if entry["name"] in classes:
            calls = entry.get("inbound_nodes") or []
            read = [_call(entry, call, classes, masks) for call in calls]
            layers.append({**_item(entry), "name": entry["name"], "inbound_nodes": read})
    ends = {key: [_end(ref, classes) for ref in _listed(config.get(key))] for key in ("input_layers", "output_layers")}
    used = [ref[0] for layer in layers for call in layer["inbound_nodes"] for ref in call]
    for name in [*used, *(ref[0] for ref in ends["output_layers"])]:
        if name in operations:
            raise KconvertError(
                f"{operations[name]} is an operation of keras.ops, and no layer of Keras 0.2 - 2.3",
                where=f"layer {name}",
                fix="build the model with layers (Add, Multiply, Reshape, Rescaling, Activation, ...) in place of"
                " operations, load the weights into it, and save that",
            )
    return {**config, "layers": layers, **ends}


def _has_name(entry: Any) -> bool:
    return is_item(entry) and isinstance(entry.get("name"), str) and isinstance(entry["class_name"], str)


def _listed(refs: Any) -> list[Any]:
    """The tensors of a model: a single one is not in a list; those of a dict are in the order of its keys."""
    if not isinstance(refs, list | Mapping) or not refs:
        raise refused("a model should have inputs and outputs")
    return flat([refs] if isinstance(refs, list) and isinstance(refs[0], str) else refs)


def _end(ref: Any, classes: Mapping[str, str]) -> list[Any]:
    layer, call, output = history(ref)
    return [layer, call + (classes.get(layer) == SEQUENTIAL), output]


def _call(entry: Json, call: Any, classes: Mapping[str, str], masks: Masks) -> list[Any]:
    """One call of a layer: all its tensors, and its further arguments with the first one."""
    if not isinstance(call, Mapping) or not isinstance(call.get("args"), list):
        raise refused("a call should have arguments")
    masks.check(entry, dict(call))
    keywords = {key: value for key, value in (call.get("kwargs") or {}).items() if key != "mask"}
    _check_arguments(entry, call["args"], keywords)
    arguments = {key: value for key, value in keywords.items() if not list(tensors(value)) and value is not None}
    found: list[Any] = []
    for layer, number, output in tensors([call["args"], keywords]):
        is_model = classes.get(layer) in (SEQUENTIAL, FUNCTIONAL, *GRAPHS)
        found.append([layer, number + is_model, output, {} if found else arguments])
    return found


def _check_arguments(entry: Json, args: list[Any], keywords: Json) -> None:
    """Raises KconvertError for a call that takes tensors in another way than a layer of Keras 2 does."""
    several = len(args) > 1 and not (entry["class_name"] in RECURRENT and len(args) == 2)
    named = [key for key, value in keywords.items() if list(tensors(value)) and key != "initial_state"]
    known = all(is_tensor(one) or isinstance(one, list) for one in args)
    if several or named or not known or any(isinstance(one, Mapping) and not is_tensor(one) for one in args):
        if reason := of_tf_keras(_class_name(entry)):
            fix = "build the model without the layer, or keep it in Keras 3"
            raise KconvertError(f"{entry['class_name']}{reason}", f"layer {entry['name']}", fix)
        what = named[0] if named else f"{len(args)} arguments"
        raise KconvertError(
            f"{entry['class_name']} is called with {what}, which no layer of Keras 0.2 - 2.3 takes so",
            where=f"layer {entry['name']}",
            fix="build the model with one tensor, or one list of tensors, as the argument of each call",
        )
