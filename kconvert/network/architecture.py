"""Architecture JSON of every Keras generation, to and from models.

Layers speak Keras 2.3. A Keras 1 configuration becomes a Keras 2 one, and back, by the rows of `renames`.
Keys that no row knows are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from ..conventions.backends import DATA_FORMATS
from ..conventions.generations import release
from ..conventions.words import keras0 as config0
from ..conventions.words.rules import DIM_ORDERING, RULES, Rule
from ..conventions.words.yaml import parse as parse_yaml
from ..errors import KconvertError, Problem
from ..layers.base import layer_config
from ..layers.registry import CUSTOM, layer_from_config
from .network import Network

Json = dict[str, Any]

NAMED_CHAINS = (2, 2, 3)  # the first release that stores the name of a Sequential

_INNER = ("layer", "encoder", "decoder")  # keys that hold a layer
_BY_OLD = {rule.old: rule for rule in RULES}


# ------------------------------------------------------------ Keras 1 to 2 ----


def to_keras2(item: Json, data_format: str | None = None) -> Json:
    """A Keras 1 `{'class_name', 'config'}` as Keras 2 writes it, nested layers too.

    data_format: for layers whose Keras 1 configuration does not state it (ZeroPadding2D, UpSampling2D,
    Cropping2D, ...: Keras 1 took the user's global setting, which is not in the file). Where None,
    the one that all other layers state is taken; KconvertError where they do not agree.
    """
    return _Reader(item, data_format).item(item)


class _Reader:
    def __init__(self, whole: Json, data_format: str | None) -> None:
        self.chains = 0
        self.stated = sorted(set(stated_data_formats(whole)))
        self.data_format = data_format or (self.stated[0] if len(self.stated) == 1 else None)

    def item(self, item: Json) -> Json:
        name, config = item["class_name"], item["config"]
        if name == "Sequential":
            return self._sequential(config, item.get("name"))
        if name == "Model":
            return {"class_name": "Model", "config": self._graph(config)}
        rule = _BY_OLD.get(name)
        if rule is None:
            return item
        result = self._keys(rule, config)
        result.update((key, self.item(config[key])) for key in _INNER if key in config)
        return {"class_name": rule.new, "config": result}

    def _keys(self, rule: Rule, config: Json) -> Json:
        result = {key: value for key, value in config.items() if key not in rule.dropped.split()}
        for key in rule.keys:
            key.rename(result)
        result = {**rule.unsaid, **result}
        if any(key.new == "data_format" for key in rule.keys) and result.get("data_format") is None:
            result["data_format"] = self._unstated(rule, config)
        return result

    def _unstated(self, rule: Rule, config: Json) -> str:
        if self.data_format is None:
            why = "the other layers disagree" if self.stated else "no other layer states one"
            raise KconvertError(
                f"Keras 1 did not store the dim_ordering of this {rule.old}, and {why}",
                where=f"layer {config.get('name', '?')}",
                fix="say which one it was used with: --source-data-format channels_first or channels_last",
            )
        return self.data_format

    def _graph(self, config: Json) -> Json:
        layers = []
        for entry in config["layers"]:
            item = self.item({"class_name": entry["class_name"], "config": entry["config"], "name": entry["name"]})
            layers.append({**item, "name": entry["name"], "inbound_nodes": entry["inbound_nodes"]})
        return {**config, "layers": layers}

    def _sequential(self, config: Any, name: str | None) -> Json:
        """A chain; one that starts with a Merge of branches becomes a graph."""
        entries = config["layers"] if isinstance(config, Mapping) else config
        if entries and entries[0]["class_name"] == "Merge" and entries[0]["config"].get("layers"):
            return {"class_name": "Model", "config": _Branches(self).graph(entries, name or "model_1")}
        items = [self.item(entry) for entry in entries]
        self.chains += 1  # Keras 1 does not store a chain's name: number them as it did, inner ones first
        return {"class_name": "Sequential", "config": {"name": name or f"sequential_{self.chains}", "layers": items}}


class _Branches:
    """Keras 1's Sequential([Merge([branch, branch]), ...]) as a graph with one input a branch."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.layers: list[Json] = []
        self.inputs: list[list[Any]] = []

    def graph(self, entries: list[Json], name: str) -> Json:
        output = self._chain(entries)
        return {"name": name, "layers": self.layers, "input_layers": self.inputs, "output_layers": [output]}

    def _chain(self, entries: list[Json]) -> list[Any]:
        """Adds the layers of one branch; gives its last tensor."""
        first, output = entries[0], None
        if first["class_name"] == "Merge" and first["config"].get("layers"):
            tensors = [self._branch(branch) for branch in first["config"]["layers"]]
            bare = {key: value for key, value in first["config"].items() if key != "layers"}
            output = self._add(self.reader.item({"class_name": "Merge", "config": bare}), tensors)
            entries = entries[1:]
        for entry in entries:
            item = self.reader.item(entry)
            output = self._add(item, [output or self._input(item)])
        return output or []

    def _branch(self, branch: Json) -> list[Any]:
        if branch["class_name"] == "Sequential":
            config = branch["config"]
            return self._chain(config["layers"] if isinstance(config, Mapping) else config)
        return self._chain([branch])

    def _input(self, item: Json) -> list[Any]:
        """An input for a branch, of the shape its first layer states."""
        model = layer_from_config(item)
        shapes = model.input_shapes if isinstance(model, Network) else [model.batch_input_shape]
        if shapes[0] is None:
            raise KconvertError("the first layer of a merged branch states no input shape", where=f"layer {model.name}")
        name = f"{model.name}_input"
        if isinstance(model, Network) and model.input_layers[0].name == name:
            name += "_1"
        config = {"name": name, "batch_input_shape": list(shapes[0]), "dtype": item["config"].get("dtype") or "float32"}
        if item["class_name"] == "InputLayer":
            return self._add(item, [])
        output = self._add({"class_name": "InputLayer", "config": config}, [])
        self.inputs.append(output)
        return output

    def _add(self, item: Json, tensors: list[Any]) -> list[Any]:
        name = item["config"]["name"]
        known = [entry for entry in self.layers if entry["name"] == name]
        entry = known[0] if known else {**item, "name": name, "inbound_nodes": []}
        if not known:
            self.layers.append(entry)
        if tensors:
            entry["inbound_nodes"].append(tensors)
        first = item["class_name"] in ("Model", "Sequential")
        return [name, max(len(entry["inbound_nodes"]) - 1, 0) + int(first), 0]


def stated_data_formats(value: Any) -> Iterator[str]:
    """The data format of every layer of an architecture that states one, in Keras 2's words."""
    if isinstance(value, Mapping):
        stated = value.get("dim_ordering", value.get("data_format"))
        if isinstance(stated, str) and (word := DIM_ORDERING[0](stated)) in DATA_FORMATS:
            yield word
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from stated_data_formats(item)


# ------------------------------------------------------------ Keras 2 to 1 ----


def to_keras1(item: Json) -> Json:
    """A Keras 2 `{'class_name', 'config'}` in Keras 1's words.

    Raises KconvertError for a layer, an option or a call that Keras 1 did not have.
    """
    name, config = item["class_name"], item["config"]
    if name == "Sequential":
        return {"class_name": name, "config": [to_keras1(entry) for entry in config["layers"]]}
    if name == "Model":
        layers = []
        for entry in config["layers"]:
            old = to_keras1({"class_name": entry["class_name"], "config": entry["config"]})
            inbound = [[_tensor(ref, entry["name"]) for ref in call] for call in entry["inbound_nodes"]]
            layers.append({"name": entry["name"], **old, "inbound_nodes": inbound})
        return {"class_name": name, "config": {**config, "layers": layers}}
    if name in CUSTOM:
        return item
    rule = next((rule for rule in RULES if rule.new == name and rule.fits(config)), None)
    if rule is None:
        raise _not_in_keras1(f"{name} layer", config.get("name", "?"))
    kept = {"name", "trainable", "batch_input_shape", *rule.kept.split()}
    said = kept | {key.new for key in rule.keys} | set(_INNER)
    result = {**rule.demanded, **{key: config[key] for key in config if key in kept | _further(rule, config, said)}}
    for key in rule.keys:
        if key.new in config:
            value = key.write(config[key.new])
            result.update(zip(key.olds, value if len(key.olds) > 1 else [value], strict=True))
    result.update((key, to_keras1(config[key])) for key in _INNER if key in config)
    return {"class_name": rule.old, "config": result}


def _further(rule: Rule, config: Json, said: Iterable[str]) -> set[str]:
    """The keys beside those `said` that nobody knows: they are kept. Refuses an option that only Keras 2 has."""
    usual = layer_from_config({"class_name": rule.new, "config": {key: config[key] for key in said if key in config}})
    for key in config.keys() & usual.unstated.keys():
        if json.dumps(config[key]) != json.dumps(usual.unstated[key]):
            raise _not_in_keras1(f"{key}={config[key]!r} for {rule.old}", config.get("name", "?"))
    return set(config) - set(said) - usual.unstated.keys()


def _tensor(ref: list[Any], layer: str) -> list[Any]:
    """`[layer, call, output]`, without the call's further arguments, of which there must be none."""
    if len(ref) > 3 and ref[3]:
        raise _not_in_keras1(f"call of a layer with {', '.join(ref[3])}", layer)
    return ref[:3]


def _not_in_keras1(what: str, layer: str) -> KconvertError:
    return KconvertError(f"Keras 1 has no {what}", where=f"layer {layer}", fix="use --format keras2")


_SINCE: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "InputLayer": {"sparse": (1, 1, 0), "trainable": (2, 0, 0)},
    "Merge": {**dict.fromkeys(("arguments", "output_mask", "output_mask_type"), (1, 1, 2)), "trainable": (2, 0, 0)},
    **{name: {"consume_less": (1, 0, 3)} for name in ("SimpleRNN", "GRU", "LSTM")},
}
_ONE_REGULARIZER = (1, 2, 0)  # the first release that has L1L2Regularizer for weights and activities alike


def _without_later(value: Any, version: tuple[int, ...], key: str = "") -> Any:
    """Keras 1 JSON, found under `key`, without the words that release `version` did not have yet."""
    if isinstance(value, list):
        return [_without_later(item, version) for item in value]
    if not isinstance(value, Mapping):
        return value
    since = _SINCE.get(key, {})
    inner = value.get("class_name", "")
    result = {
        name: _without_later(item, version, inner if name == "config" else name)
        for name, item in value.items()
        if since.get(name, version) <= version
    }
    if result.get("name") == "L1L2Regularizer" and version < _ONE_REGULARIZER:
        result["name"] = "ActivityRegularizer" if key == "activity_regularizer" else "WeightRegularizer"
    return result


# ------------------------------------------------------------------ models ----


def generation(config: Json, keras_version: str | None = None) -> str:
    """Which generation of Keras wrote an architecture: 'keras0', 'keras1' or 'keras2'.

    By its `keras_version`, else by the words that only one generation uses.
    """
    if config0.is_keras0(config):
        return "keras0"
    version = keras_version or config.get("keras_version")
    if version:
        return "keras1" if str(version).startswith("1.") else "keras2"
    words = set(_words(config))
    if words & {"nb_filter", "border_mode", "dim_ordering", "W_regularizer", "consume_less", "input_dtype"}:
        return "keras1"
    return "keras2"


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _words(item)


def model_from_config(config: Json, keras_version: str | None = None, data_format: str | None = None) -> Network:
    """The model that the architecture JSON of any known generation describes.

    Raises KconvertError for an unknown layer class (named) or a configuration that is not a model's.
    """
    if config0.is_keras0(config):
        return _built(lambda: to_keras2(config0.to_keras1(config), data_format))
    if not isinstance(config, Mapping) or config.get("class_name") not in ("Sequential", "Model", "Functional"):
        raise KconvertError(
            "this is not the architecture of a Sequential or Model",
            fix="give the JSON that model.to_json() wrote",
            problem=Problem.UNREADABLE,
        )
    item = {"class_name": config["class_name"], "config": config.get("config")}
    old = generation(dict(config), keras_version) == "keras1"
    return _built(lambda: to_keras2(item, data_format) if old else _with_names(item, count(1)))


def _built(item: Callable[[], Json]) -> Network:
    """The model of a Keras 2 `{'class_name', 'config'}`."""
    try:
        model = layer_from_config(item())
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # a file may hold anything
        raise KconvertError(
            f"the architecture is not one that Keras writes ({type(error).__name__}: {error})",
            problem=Problem.UNREADABLE,
        ) from error
    if not isinstance(model, Network):
        raise KconvertError("the architecture is a single layer, not a model", problem=Problem.UNREADABLE)
    return model


def model_config(model: Network, form: str, keras_version: str, backend: str) -> Json:
    """The architecture JSON of `model` as a Keras of generation `form` writes it."""
    generation = form.split(".")[0]
    item = layer_config(model, "keras2" if generation == "keras2" else "keras1")
    if generation == "keras0":
        return config0.to_keras0(to_keras1(item), list(model.by_name))
    if generation == "keras1":
        return {**_without_later(to_keras1(item), release(keras_version)), "keras_version": keras_version}
    item = item if release(keras_version) >= NAMED_CHAINS else _as_lists(item)
    return {**item, "keras_version": keras_version, "backend": backend}


def _as_lists(item: Json) -> Json:
    """A Keras 2 `{'class_name', 'config'}` with chains as the bare lists of their layers."""
    config = dict(item["config"])
    config.update((key, _as_lists(config[key])) for key in _INNER if key in config)
    if "layers" in config:
        config["layers"] = [_as_lists(layer) for layer in config["layers"]]
    return {**item, "config": config["layers"] if item["class_name"] == "Sequential" else config}


def _with_names(item: Json, numbers: Iterator[int]) -> Json:
    """A Keras 2 item with names for the chains that have none: `sequential_1`, ..., inner ones first, as Keras does."""
    config = item["config"]
    if isinstance(config, Mapping):
        config = dict(config)
        config.update((key, _with_names(config[key], numbers)) for key in _INNER if key in config)
        if "layers" in config:
            config["layers"] = [_with_names(layer, numbers) for layer in config["layers"]]
        return {**item, "config": config}
    layers = [_with_names(layer, numbers) for layer in config]
    return {**item, "config": {"name": item.get("name") or f"sequential_{next(numbers)}", "layers": layers}}


def architecture_json(path: str) -> Json:
    """What `model.to_json()` or `model.to_yaml()` wrote into the file `path`; YAML by its ending `.yaml` or `.yml`.

    Raises KconvertError where it is neither, or no model's.
    """
    yaml = path.lower().endswith((".yaml", ".yml"))
    try:
        with open(path, encoding="utf-8") as file:
            config = parse_yaml(file.read()) if yaml else json.load(file)
    except OSError as error:
        raise KconvertError(f"cannot be read ({error.strerror})", where=path, problem=Problem.UNREADABLE) from error
    except (ValueError, RecursionError) as error:
        raise _no_model(path, f"is not YAML of Keras ({error})" if yaml else "is not JSON") from error
    if not isinstance(config, dict):
        raise _no_model(path, f"is not the {'YAML' if yaml else 'JSON'} of a model")
    return config


def _no_model(path: str, what: str) -> KconvertError:
    fix = "give what model.to_json() or (in a file .yaml) model.to_yaml() wrote"
    return KconvertError(what, where=path, fix=fix, problem=Problem.UNREADABLE)


def read_architecture(path: str, data_format: str | None = None) -> Network:
    """The model described by a file that `model.to_json()` or `model.to_yaml()` wrote."""
    try:
        return model_from_config(architecture_json(path), data_format=data_format)
    except KconvertError as error:
        raise (error if error.where == path else error.within(path)) from None
