"""Architecture JSON of Keras 3, read into Keras 2's words (keras-facts: words-of-keras3).

Words that Keras 3 shares with tf.keras are not translated here, but in `tf_keras`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import KconvertError
from .items import GRAPHS, Json, is_item, refused
from .keras3_writing import ACTIVATIONS, RENAMED

FUNCTIONAL, SEQUENTIAL = "Functional", "Sequential"
TENSOR = "__keras_tensor__"

NO_VALUE = ("zero_output_for_mask",)
"""Keys that are written without a value, so that a Bidirectional computes what that of Keras 2 does."""

LOOPS = ("RNN", "SimpleRNN", "GRU", "LSTM")
"""Recurrent layers that can have zeros at masked steps."""

_OLD = {(name, new): old for (name, old), new in RENAMED.items()}


def read(config: Json) -> Json:
    """The `{'class_name', 'config'}` of a model of Keras 3 in Keras 2's words.

    Raises KconvertError naming the layer whose activation Keras 2 does not have.
    """
    return _item(config)


def _item(item: Json) -> Json:
    """A layer or a model."""
    name, config = item["class_name"], item["config"]
    if not isinstance(config, dict):
        raise refused(f"the configuration of a {name} should be an object")
    if name == FUNCTIONAL or name in GRAPHS:
        return {"class_name": name, "config": _graph(config)}
    if name == SEQUENTIAL:
        return {"class_name": name, "config": _sequential(config)}
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
    if item["class_name"] not in LOOPS or "zero_output_for_mask" not in config:
        return item
    return {**item, "config": {**config, "zero_output_for_mask": config.get("return_sequences", False)}}


def _value(key: str, value: Any, config: Json) -> Any:
    if key.rpartition("_")[2] == "activation":
        return _activation(value, config)
    if isinstance(value, list):
        return [_value("", one, config) for one in value]
    return _item(value) if is_item(value) and isinstance(value["class_name"], str) else value


def _activation(value: Any, config: Json) -> Any:
    """An activation by its name: also that of a Sequential that stands for one of Keras 2."""
    if isinstance(value, str) and value in ACTIVATIONS:
        raise KconvertError(
            f"the {value} of Keras 3 is not that of Keras 2, and Keras 2 has no other",
            where=f"layer {config.get('name', '?')}",
            fix="replace it in the model by another activation, and train it again",
        )
    if not is_item(value):
        return value
    inside = value["config"] if isinstance(value["config"], Mapping) else {}
    return inside["name"] if value["class_name"] == SEQUENTIAL and inside.get("name") in ACTIVATIONS else _item(value)


# ------------------------------------------------------------------ models ----


def _sequential(config: Json) -> Json:
    """A Sequential whose first layer states the shape of the input, as in Keras 2."""
    layers = [_item(layer) for layer in config.get("layers") or []]
    kept = {key: value for key, value in config.items() if key != "build_input_shape"}
    if len(layers) > 1 and layers[0]["class_name"] == "InputLayer":
        entry, first, *others = layers
        if first["class_name"] not in (SEQUENTIAL, FUNCTIONAL, *GRAPHS):
            stated = {key: entry["config"].get(key) for key in ("batch_input_shape", "dtype")}
            first = {**first, "config": {**first["config"], **stated}}
        layers = [first, *others]
    return {**kept, "layers": layers}


def _graph(config: Json) -> Json:
    entries = config.get("layers")
    if not isinstance(entries, list) or not all(map(_has_name, entries)):
        raise refused(f"'layers' of {config.get('name')!r} should be a list of layers with names")
    classes = {entry["name"]: entry["class_name"] for entry in entries}
    layers = [
        {
            **_item(entry),
            "name": entry["name"],
            "inbound_nodes": [_call(call, classes) for call in entry.get("inbound_nodes") or []],
        }
        for entry in entries
    ]
    ends = {key: [_end(ref, classes) for ref in _listed(config.get(key))] for key in ("input_layers", "output_layers")}
    return {**config, "layers": layers, **ends}


def _has_name(entry: Any) -> bool:
    return is_item(entry) and isinstance(entry.get("name"), str)


def _listed(refs: Any) -> list[Any]:
    """The tensors of a model: a single one is not in a list."""
    if not isinstance(refs, list) or not refs:
        raise refused("a model should have inputs and outputs")
    return [refs] if isinstance(refs[0], str) else refs


def _end(ref: Any, classes: Mapping[str, str]) -> list[Any]:
    layer, call, output = _history(ref)
    return [layer, call + (classes.get(layer) == SEQUENTIAL), output]


def _call(call: Any, classes: Mapping[str, str]) -> list[Any]:
    """One call of a layer: all its tensors, and its further arguments with the first one."""
    if not isinstance(call, Mapping):
        raise refused("a call should have arguments")
    arguments = {key: value for key, value in (call.get("kwargs") or {}).items() if not list(_tensors(value))}
    found: list[Any] = []
    for value in (call.get("args"), call.get("kwargs")):
        for layer, number, output in _tensors(value):
            is_model = classes.get(layer) in (SEQUENTIAL, FUNCTIONAL, *GRAPHS)
            found.append([layer, number + is_model, output, {} if found else arguments])
    return found


def _tensors(value: Any) -> Iterator[tuple[str, int, int]]:
    """The tensors in the arguments of a call, in order."""
    if isinstance(value, Mapping) and value.get("class_name") == TENSOR:
        yield _history((value.get("config") or {}).get("keras_history"))
        return
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inside:
        yield from _tensors(one)


def _history(ref: Any) -> tuple[str, int, int]:
    kinds: Sequence[type] = (str, int, int)
    if not isinstance(ref, list) or len(ref) != len(kinds) or not all(map(isinstance, ref, kinds)):
        raise refused(f"a tensor should be ['layer', 0, 0], not {ref!r}")
    return ref[0], ref[1], ref[2]
