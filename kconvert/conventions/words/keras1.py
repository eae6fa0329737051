"""Architecture JSON of Keras 1, to and from Keras 2's words, by the rows of `rules`.

A layer becomes one of Keras 2 and back, nested layers too. Keys that no row knows, and layers of the user's classes,
are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ...arguments import argument
from ...errors import KconvertError
from .files import stated_data_formats
from .items import MODELS, Json, check_model, inner, member, refused
from .options import translate
from .rules import RULES, Key, Rule

Defaults = Callable[[str, Json], Mapping[str, Any]]
"""What a layer of a class has for the keys that its configuration does not state."""

_BY_OLD = {rule.old: rule for rule in RULES}

# ----------------------------------------------------------------- reading ----


def read(config: Json, data_format: str | None = None, custom: Collection[str] = ()) -> Json:
    """The `{'class_name', 'config'}` in Keras 2's words of an architecture of Keras 1."""
    check_model(config)
    return to_keras2({"class_name": config["class_name"], "config": config["config"]}, data_format, custom)


def to_keras2(item: Json, data_format: str | None = None, custom: Collection[str] = ()) -> Json:
    """A Keras 1 `{'class_name', 'config'}` as Keras 2 writes it.

    custom: the classes of the user, which stay as they are.
    data_format: for layers whose Keras 1 configuration does not state it (ZeroPadding2D, UpSampling2D,
    Cropping2D, ...: Keras 1 took the user's global setting, which is not in the file). Where None,
    the one that all other layers state is taken; KconvertError where they do not agree.
    (keras-facts: unstated-data-format)
    """
    return _Reader(item, data_format, custom).item(item)


class _Reader:
    def __init__(self, whole: Json, data_format: str | None, custom: Collection[str]) -> None:
        self.sequentials = 0
        self.custom = custom
        self.stated = sorted(set(stated_data_formats(whole)))
        self.data_format = data_format or (self.stated[0] if len(self.stated) == 1 else None)

    def item(self, item: Json) -> Json:
        name, config = item["class_name"], item["config"]
        if name == "Sequential":
            return self._sequential(config, item.get("name"))
        if name == "Model":
            return {"class_name": "Model", "config": self._graph(config)}
        rule = None if name in self.custom else _BY_OLD.get(name)
        if rule is None:
            return item
        result = self._keys(rule, config)
        result.update((key, self.item(one)) for key, one in inner(config).items())
        return {"class_name": rule.new, "config": result}

    def _keys(self, rule: Rule, config: Json) -> Json:
        result = {key: value for key, value in config.items() if key not in rule.dropped.split()}
        translate(rule.keys, result, f"layer {config.get('name', '?')}")
        result = rule.with_same({**rule.unstated, **result})
        if any(key.new == "data_format" for key in rule.keys) and result.get("data_format") is None:
            result["data_format"] = self._unstated(rule, config)
        return result

    def _unstated(self, rule: Rule, config: Json) -> str:
        if self.data_format is None:
            why = "the other layers disagree" if self.stated else "no other layer states one"
            raise KconvertError(
                f"Keras 1 did not store the dim_ordering of this {rule.old}, and {why}",
                where=f"layer {config.get('name', '?')}",
                fix="say which one it was used with:"
                f" {argument('source_data_format', 'channels_first', 'channels_last')}",
            )
        return self.data_format

    def _graph(self, config: Json) -> Json:
        layers = []
        for entry in config["layers"]:
            item = self.item({"class_name": entry["class_name"], "config": entry["config"], "name": entry["name"]})
            layers.append({**item, "name": entry["name"], "inbound_nodes": entry["inbound_nodes"]})
        return {**config, "layers": layers}

    def _sequential(self, config: Any, name: str | None) -> Json:
        """A Sequential; one that starts with a Merge of branches becomes a graph."""
        entries = _layers(config)
        if entries and _merges(entries[0]):
            return {"class_name": "Model", "config": _Branches(self).graph(entries, name or "model_1")}
        items = [self.item(entry) for entry in entries]
        self.sequentials += (
            1  # Keras 1 does not store the name of a Sequential: number them as it did, inner ones first
        )
        return {
            "class_name": "Sequential",
            "config": {"name": name or f"sequential_{self.sequentials}", "layers": items},
        }


def _layers(config: Any) -> list[Json]:
    """The items of a Sequential: Keras 1 stores a bare list."""
    layers: list[Json] = config["layers"] if isinstance(config, Mapping) else config
    return layers


def _merges(item: Json) -> bool:
    """Whether it is a Merge that holds the branches which it merges."""
    return item["class_name"] == "Merge" and bool(item["config"].get("layers"))


class _Branches:
    """Keras 1's Sequential([Merge([branch, branch]), ...]) as a graph with one input a branch.

    (keras-facts: merged-sequentials)
    """

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.layers: list[Json] = []
        self.inputs: list[list[Any]] = []

    def graph(self, entries: list[Json], name: str) -> Json:
        output = self._chain(entries)
        return {"name": name, "layers": self.layers, "input_layers": self.inputs, "output_layers": [output]}

    def _chain(self, entries: list[Json]) -> list[Any]:
        """Adds the layers of one branch; gives its last tensor."""
        if not entries:
            raise refused("a branch of a Merge has no layers")
        output: list[Any] = []
        if _merges(entries[0]):
            config = entries[0]["config"]
            tensors = [self._branch(branch) for branch in config["layers"]]
            bare = {key: value for key, value in config.items() if key != "layers"}
            output = self._add(self.reader.item({"class_name": "Merge", "config": bare}), tensors)
            entries = entries[1:]
        for entry in entries:
            item = self.reader.item(entry)
            if item["class_name"] == "InputLayer":
                output = self._entry(item)
            else:
                output = self._add(item, [output or self._input(item)])
        return output

    def _branch(self, branch: Json) -> list[Any]:
        if branch["class_name"] == "Model":
            return self._part(self.reader.item(branch)["config"])
        return self._chain(_layers(branch["config"]) if branch["class_name"] == "Sequential" else [branch])

    def _part(self, config: Json) -> list[Any]:
        """Adds the layers of a branch that is a graph, in Keras 2's words; gives its first output."""
        known = {entry["name"] for entry in self.layers}
        self.layers += [entry for entry in config["layers"] if entry["name"] not in known]
        self.inputs += [ref for ref in config["input_layers"] if ref not in self.inputs]
        output: list[Any] = config["output_layers"][0]
        return output

    def _input(self, item: Json) -> list[Any]:
        """An input for a branch, of the shape that its first layer states."""
        called = _name(item)
        taken, shape = _input_of(item)
        if shape is None:
            raise KconvertError("the first layer of a merged branch states no input shape", where=f"layer {called}")
        name = f"{called}_input"
        if item["class_name"] in MODELS and taken == name:
            name += "_1"
        config = {"name": name, "batch_input_shape": shape, "dtype": item["config"].get("dtype") or "float32"}
        return self._entry({"class_name": "InputLayer", "config": config})

    def _entry(self, item: Json) -> list[Any]:
        output = self._add(item, [])
        self.inputs.append(output)
        return output

    def _add(self, item: Json, tensors: list[Any]) -> list[Any]:
        name = _name(item)
        known = [entry for entry in self.layers if entry["name"] == name]
        entry = known[0] if known else {**item, "name": name, "inbound_nodes": []}
        if not known:
            self.layers.append(entry)
        if tensors:
            entry["inbound_nodes"].append(tensors)
        first = item["class_name"] in MODELS
        return [name, max(len(entry["inbound_nodes"]) - 1, 0) + int(first), 0]


def _name(item: Json) -> str:
    name: str = member(item["config"], "name", str, f"a {item['class_name']}")
    return name


def _input_of(item: Json) -> tuple[str, list[int | None] | None]:
    """The name and the shape of the first input of a layer or model in Keras 2's words; None where it states none."""
    config = item["config"]
    if item["class_name"] == "Model":
        names = [ref[0] for ref in config["input_layers"]]
        entries = [entry for entry in config["layers"] if entry["name"] in names[:1]]
        return (names[0], entries[0]["config"].get("batch_input_shape")) if entries else ("", None)
    if item["class_name"] == "Sequential":
        if not config["layers"]:
            return "", None
        first = config["layers"][0]
        name = first["config"].get("name")
        return name if first["class_name"] == "InputLayer" else f"{name}_input", _input_of(first)[1]
    return config.get("name", ""), config.get("batch_input_shape")


# ----------------------------------------------------------------- writing ----


def write(item: Json, version: tuple[int, ...], custom: Collection[str], defaults: Defaults) -> Json:
    """A Keras 2 `{'class_name', 'config'}` as release `version` of Keras 1 writes it."""
    return _without_later(to_keras1(item, custom, defaults), version)


def to_keras1(item: Json, custom: Collection[str], defaults: Defaults) -> Json:
    """A Keras 2 `{'class_name', 'config'}` in Keras 1's words.

    custom: the classes of the user, which stay as they are. Raises KconvertError for a layer, an option or a call
    that Keras 1 did not have (keras-facts: words-only-keras2-has).
    """
    name, config = item["class_name"], item["config"]
    if name == "Sequential":
        return {"class_name": name, "config": [to_keras1(entry, custom, defaults) for entry in config["layers"]]}
    if name == "Model":
        layers = []
        for entry in config["layers"]:
            old = to_keras1({"class_name": entry["class_name"], "config": entry["config"]}, custom, defaults)
            inbound = [[_tensor(ref, entry["name"]) for ref in call] for call in entry["inbound_nodes"]]
            layers.append({"name": entry["name"], **old, "inbound_nodes": inbound})
        return {"class_name": name, "config": {**config, "layers": layers}}
    if name in custom:
        return {"class_name": name, "config": _in_own_words(name, config)}
    rule = next((rule for rule in RULES if rule.new == name and rule.fits(config)), None)
    if rule is None:
        raise _not_in_keras1(f"{name} layer", config.get("name", "?"))
    config = rule.without_same(config)
    items = inner(config)
    kept = {"name", "trainable", "batch_input_shape", *rule.kept.split()}
    stated = kept | {key.new for key in rule.keys} | set(items)
    kept |= _unknown(rule, config, stated, defaults)
    result = {**rule.required, **{key: config[key] for key in config if key in kept}}
    for key in rule.keys:
        if key.new in config:
            result.update(_written(key, config[key.new]))
    result = {key: value for key, value in result.items() if key not in rule.implied or value != rule.implied[key]}
    result.update((key, to_keras1(one, custom, defaults)) for key, one in items.items())
    return {"class_name": rule.old, "config": result}


def _in_own_words(name: str, config: Json) -> Json:
    """The configuration of a user's class that has the name of a class of Keras 1: with that class's keys."""
    keys = _BY_OLD[name].keys if name in _BY_OLD else ()
    result = {key: value for key, value in config.items() if key not in {one.new for one in keys}}
    for key in keys:
        if key.new in config:
            result.update(_written(key, config[key.new]))
    return result


def _written(key: Key, value: Any) -> dict[str, Any]:
    """A value of Keras 2 under the key or keys of Keras 1."""
    written = key.write(value)
    return dict(zip(key.olds, written if len(key.olds) > 1 else [written], strict=True))


def _unknown(rule: Rule, config: Json, stated: Iterable[str], defaults: Defaults) -> set[str]:
    """The keys beside those `stated` that no release knows: they are kept. Refuses an option that only Keras 2 has."""
    usual = defaults(rule.new, {key: config[key] for key in stated if key in config})
    for key in config:
        if key in usual and json.dumps(config[key]) != json.dumps(usual[key]):
            raise _not_in_keras1(f"{key}={config[key]!r} for {rule.old}", config.get("name", "?"))
    return set(config) - set(stated) - usual.keys()


def _tensor(ref: list[Any], layer: str) -> list[Any]:
    """`[layer, call, output]`, without the call's further arguments, of which there must be none."""
    if len(ref) > 3 and ref[3]:
        raise _not_in_keras1(f"call of a layer with {', '.join(ref[3])}", layer)
    return ref[:3]


def _not_in_keras1(what: str, layer: str) -> KconvertError:
    return KconvertError(f"Keras 1 has no {what}", where=f"layer {layer}", fix=f"use {argument('format', 'keras2')}")


# The releases that first had a key of a class (keras-facts: keras1-words-by-release).
SINCE: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "InputLayer": {"sparse": (1, 1, 0), "trainable": (2, 0, 0)},
    "Merge": {**dict.fromkeys(("arguments", "output_mask", "output_mask_type"), (1, 1, 2)), "trainable": (2, 0, 0)},
    **{name: {"consume_less": (1, 0, 3)} for name in ("SimpleRNN", "GRU", "LSTM")},
}
ONE_REGULARIZER = (1, 2, 0)  # the first release that has L1L2Regularizer for weights and activities alike


def _without_later(value: Any, version: tuple[int, ...], key: str = "") -> Any:
    """Keras 1 JSON, found under `key`, without the words that release `version` did not have yet."""
    if isinstance(value, list):
        return [_without_later(item, version) for item in value]
    if not isinstance(value, Mapping):
        return value
    since = SINCE.get(key, {})
    name = str(value.get("class_name"))
    result = {
        word: _without_later(item, version, name if word == "config" else word)
        for word, item in value.items()
        if since.get(word, version) <= version
    }
    if result.get("name") == "L1L2Regularizer" and version < ONE_REGULARIZER:
        result["name"] = "ActivityRegularizer" if key == "activity_regularizer" else "WeightRegularizer"
    return result
