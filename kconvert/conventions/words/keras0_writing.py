"""Translates architecture JSON of Keras 1 to Keras 0.2 and 0.3; `keras0` describes that format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...arguments import argument
from ...errors import KconvertError
from . import keras02
from .items import Json
from .keras0 import GRAPH, MERGE_KEYS, OTHER_NAMES, OWN_KEYS, Ref

# The classes that Keras 0.3 has (keras-facts: keras0-classes).
CLASSES = {
    "Activation", "ActivityRegularization", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "BatchNormalization", "Convolution1D", "Convolution2D", "Convolution3D", "Dense", "Dropout", "ELU", "Embedding",
    "Flatten", "GRU", "GaussianDropout", "GaussianNoise", "Highway", "LSTM", "LeakyReLU", "Masking", "MaxPooling1D",
    "MaxPooling2D", "MaxPooling3D", "MaxoutDense", "Merge", "PReLU", "ParametricSoftplus", "Permute", "RepeatVector",
    "Reshape", "SReLU", "SimpleRNN", "ThresholdedLinear", "ThresholdedReLU", "TimeDistributed",
    "TimeDistributedDense", "TimeDistributedMerge", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D",
    "ZeroPadding2D", "ZeroPadding3D",
}  # fmt: skip
# The first release of the classes that not every Keras 0.3 has (keras-facts: keras0-releases).
SINCE = {
    "ELU": (0, 3, 0),
    "AveragePooling1D": (0, 3, 1), "AveragePooling2D": (0, 3, 1), "Highway": (0, 3, 1),
    "TimeDistributed": (0, 3, 2),
    "AveragePooling3D": (0, 3, 3), "Convolution3D": (0, 3, 3), "MaxPooling3D": (0, 3, 3), "SReLU": (0, 3, 3),
    "UpSampling3D": (0, 3, 3), "ZeroPadding3D": (0, 3, 3),
}  # fmt: skip
_AFTER_0_2 = (0, 3, 0)  # other words, and no JZS layers
_CACHED_SINCE = (0, 3, 1)  # layers state cache_enabled
_NAMED_SINCE = (0, 3, 2)  # layers have a custom_name
_DTYPES = {"int32": "int"}
_NO_AXES = dict.fromkeys(MERGE_KEYS, -1)
_MERGE_DETAILS = {"mode_type", "output_shape", "output_shape_type", "output_mask", "output_mask_type", "arguments"}
# Keys of Keras 1 that Keras 0.3 lacks (keras-facts: keras0-lacks).
LATER_KEYS = {"bias", "consume_less", "input_dtype", "sparse", "unroll", "shared_axes"}


def to_keras0(item: Json, order: Sequence[str]) -> Json:
    """A Keras 1 `{'class_name', 'config'}` as Keras 0.3 writes it; `order`: the nodes of a Graph one after the other.

    Raises KconvertError naming the layer that Keras 0.3 did not have.
    """
    cls, config = item["class_name"], item["config"]
    if cls == "Model" and config["name"] == GRAPH:
        return _written_graph(config, order)
    if cls == "Model":
        return _Tree(config).sequential(config["output_layers"][0])
    if cls == "Sequential":
        return {"name": cls, "layers": [to_keras0(layer, ()) for layer in config]}
    if cls == "AutoEncoder":
        parts = {f"{part}_config": to_keras0(config[part], ()) for part in ("encoder", "decoder")}
        return {"name": cls, **parts, "output_reconstruction": False}
    return _written_layer(cls, config)


def for_release(written: Any, version: tuple[int, ...]) -> Any:
    """What `to_keras0` wrote as release `version` has it. Raises KconvertError naming a layer that it does not have."""
    if isinstance(written, list):
        return [for_release(item, version) for item in written]
    if not isinstance(written, Mapping):
        return written
    if "custom_name" in written:
        written = _layer_of(written, version)
    return {key: for_release(value, version) for key, value in written.items()}


def _layer_of(item: Mapping[str, Any], version: tuple[int, ...]) -> Mapping[str, Any]:
    """A layer or node with the keys that the layers of release `version` have."""
    later = item["name"] in keras02.JZS and version >= _AFTER_0_2
    if version < SINCE.get(item["name"], version) or later:
        raise KconvertError(
            f"Keras {'.'.join(map(str, version))} has no {item['name']} layer",
            where=f"layer {item['custom_name']}",
            fix=f"use {argument('format', 'keras2')}",
        )
    if version < _AFTER_0_2:
        item = keras02.from_keras03(dict(item), item["custom_name"])
    if item["name"] in CLASSES and version >= _CACHED_SINCE:
        item = {**item, "cache_enabled": True}
    return item if version >= _NAMED_SINCE else {key: value for key, value in item.items() if key != "custom_name"}


def _written_layer(cls: str, config: Json) -> Json:
    name = config["name"]
    if cls not in (*CLASSES, *keras02.JZS):
        raise KconvertError(
            f"Keras 0.3 has no {cls} layer", where=f"layer {name}", fix=f"use {argument('format', 'keras2')}"
        )
    if cls.startswith("ZeroPadding") and not _is_symmetric(cls, config["padding"]):
        raise KconvertError(
            "Keras 0.3 adds as many zeros before as after",
            where=f"layer {name}",
            fix=f"use {argument('format', 'keras2')}",
        )
    names = {(named, new): old for (named, old), new in OTHER_NAMES.items()}
    later = LATER_KEYS | _MERGE_DETAILS if cls == "Merge" else LATER_KEYS
    kept = {names.get((cls, key), key): value for key, value in config.items() if key not in later | OWN_KEYS}
    if "layer" in kept:
        kept["layer"] = to_keras0(kept["layer"], ())
    return {"name": cls, "custom_name": name, **kept, **({} if cls == "Embedding" else _stated_shape(config))}


def _stated_shape(config: Json) -> Json:
    """The input shape that a configuration states, without the batch size where that is free."""
    shape = config.get("batch_input_shape")
    if not shape:
        return {}
    return {"batch_input_shape": shape} if shape[0] else {"input_shape": shape[1:]}


def _is_symmetric(cls: str, padding: Any) -> bool:
    """Whether one number for each axis is enough."""
    sizes = [padding] if isinstance(padding, int) else padding
    return len(sizes) == int(cls[-2])


class _Tree:
    """A Model that is a Sequential over merged branches."""

    def __init__(self, config: Json) -> None:
        self.entries = {entry["name"]: entry for entry in config["layers"]}
        self.used: Counter[str] = Counter()

    def sequential(self, output: Ref) -> Json:
        """The Sequential that ends in a tensor: back to an input, or to a Merge of such Sequentials."""
        layers: list[Json] = []
        while True:
            entry = self.entries[output[0]]
            if entry["class_name"] == "InputLayer":
                return {"name": "Sequential", "layers": _with_shape(layers, entry["config"])}
            self._once(entry)
            (given,) = entry["inbound_nodes"]
            if entry["class_name"] == "Merge":
                branches = [self.sequential(ref) for ref in given]
                merge = {**_written_layer("Merge", entry["config"]), "layers": branches}
                return {"name": "Sequential", "layers": [merge, *layers]}
            layers.insert(0, to_keras0({key: entry[key] for key in ("class_name", "config")}, ()))
            (output,) = given

    def _once(self, entry: Json) -> None:
        self.used[entry["name"]] += 1
        if self.used[entry["name"]] > 1 or len(entry["inbound_nodes"]) > 1:
            raise KconvertError(
                "a Sequential of Keras 0.3 cannot use a layer twice",
                where=f"layer {entry['name']}",
                fix=f"use {argument('format', 'keras2')}",
            )


def _with_shape(layers: list[Json], entry: Json) -> list[Json]:
    """A branch whose first layer states the shape of its input."""
    if not layers:
        raise KconvertError(
            "a Merge of Keras 0.3 takes branches of layers, not an input itself",
            where=f"layer {entry['name']}",
            fix=f"use {argument('format', 'keras2')}",
        )
    first, *rest = layers
    return layers if first["name"] in ("Embedding", "Sequential") else [{**first, **_stated_shape(entry)}, *rest]


def _written_graph(config: Json, order: Sequence[str]) -> Json:
    """A Graph: its nodes in `order`."""
    entries = {entry["name"]: entry for entry in config["layers"]}
    writer = _GraphWriter(entries)
    for name in order or entries:
        writer.node(name)
    inputs = [entries[ref[0]]["config"] for ref in config["input_layers"]]
    outputs = [{"name": writer.source(ref), **writer.connection([ref])} for ref in config["output_layers"]]
    return {
        "name": "Graph",
        "input_config": [
            {"name": c["name"], "dtype": _DTYPES.get(c.get("input_dtype"), "float"), **_stated_shape(c)} for c in inputs
        ],
        "node_config": writer.config,
        "output_config": outputs,
        "input_order": [c["name"] for c in inputs],
        "output_order": [output["name"] for output in outputs],
        "nodes": writer.nodes,
    }


class _GraphWriter:
    """The nodes of a Graph; a Merge is part of how the layer after it is connected."""

    def __init__(self, entries: Mapping[str, Json]) -> None:
        self.entries = entries
        self.config: list[Json] = []
        self.nodes: dict[str, Json] = {}

    def node(self, name: str) -> None:
        entry = self.entries[name]
        calls = entry["inbound_nodes"]
        if entry["class_name"] == "InputLayer" or self._is_part(name):
            return
        if entry["class_name"] == "Merge":
            self._merge(name, entry)
        elif len(calls) > 1:
            self._shared(name, name, {"merge_mode": None, **_NO_AXES})
        else:
            self._add(name, to_keras0(_item(entry), ()), self.connection(calls[0]))

    def _is_part(self, name: str) -> bool:
        """Whether another node says what this one is: a merge before a layer, a layer inside a Siamese."""
        before, _, kind = name.rpartition("_")
        return (kind == "merge" and self.entries[name]["class_name"] == "Merge") or (
            kind == "layer" and before in self.entries and len(self.entries[name]["inbound_nodes"]) > 1
        )

    def _merge(self, name: str, entry: Json) -> None:
        """A merge by itself: of a shared layer's outputs, or before a layer that changes nothing."""
        (given,) = entry["inbound_nodes"]
        mode = _mode(entry["config"])
        if all(ref[0] == f"{name}_layer" for ref in given):
            self._shared(name, f"{name}_layer", mode)
            return
        connected = {"input": None, "inputs": [self.source(ref) for ref in given], **mode}
        self._add(name, {"name": "Activation", "custom_name": name, "activation": "linear"}, connected)

    def _shared(self, name: str, layer: str, mode: Json) -> None:
        entry = self.entries[layer]
        heads = [self.source(given[0]) for given in entry["inbound_nodes"]]
        inputs = [{"name": "Layer", "custom_name": head} for head in heads]
        item = {"name": "Siamese", "custom_name": name, "layer": to_keras0(_item(entry), ()), "inputs": inputs}
        self._add(name, {**item, **mode, "is_graph": True}, {"inputs": heads, **mode})
        if mode["merge_mode"] is None:
            for i in range(len(heads)):
                head = self.source([name, i, 0])
                self._add(head, {"name": "SiameseHead", "custom_name": head, "head": i}, {"inputs": [name]})

    def _add(self, name: str, item: Json, connected: Json) -> None:
        self.nodes[name] = item
        self.config.append({"name": name, **connected, "create_output": False})

    def connection(self, given: list[Ref]) -> Json:
        """How a node is connected to its only tensor, which may be a merge of several."""
        entry = self.entries[given[0][0]]
        if entry["class_name"] != "Merge" or not self._is_part(entry["name"]):
            return {"input": self.source(given[0]), "inputs": [], "merge_mode": "concat", **_NO_AXES}
        sources = [self.source(ref) for ref in entry["inbound_nodes"][0]]
        return {"input": None, "inputs": sources, **_mode(entry["config"])}

    def source(self, ref: Ref) -> str:
        """The node that makes a tensor."""
        name, call, _ = ref
        if self.entries[name]["class_name"] == "Merge":
            return name.removesuffix("_merge")
        shared = len(self.entries[name]["inbound_nodes"]) > 1
        return f"{name}_{call + 1}" if shared else name


def _item(entry: Json) -> Json:
    return {key: entry[key] for key in ("class_name", "config")}


def _mode(config: Json) -> Json:
    return {"merge_mode": config["mode"], **{key: config.get(key, -1) for key in MERGE_KEYS}}
