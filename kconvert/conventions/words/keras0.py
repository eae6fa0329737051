"""Translates architecture JSON of Keras 0.2 and 0.3 to Keras 1.

Keras 0.3 writes a layer as one dict: its class under `name`, its own name under `custom_name`, its
arguments beside them. Names repeat ("dense", "dense"), so layers are numbered here. Containers:

    Sequential    layers; the first may be a Merge of branches
    Graph         nodes by name, how they are connected, inputs and outputs; becomes a Model named `graph`
    Siamese       one layer called on several nodes of a Graph, its outputs merged
    AutoEncoder   an encoder and a decoder

(keras-facts: keras0-layers, keras0-graph, keras0-shared-nodes, keras0-merges)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import KconvertError
from . import keras02
from .files import keys
from .items import Json, checked, each, member, refused

Ref = list[Any]  # [layer, call, output], as Keras 1 names a tensor

GRAPH = "graph"

OTHER_NAMES = {("Reshape", "dims"): "target_shape"}
OWN_KEYS = {"name", "custom_name", "cache_enabled", "input_shape", "batch_input_shape"}
MERGE_KEYS = ("concat_axis", "dot_axes")


_OPTIONS = {"init", "activation", "dim_ordering", "border_mode", "go_backwards", "mask_zero", "mask_value"}


def told_release(config: Json) -> tuple[str, str] | None:
    """The release that wrote an architecture of Keras 0, with the evidence; None if nothing shows it.

    (keras-facts: keras0-releases)
    """
    stated = {*keys(config), *_classes(config)}
    if "custom_name" in stated:
        return "0.3.3", "its layers state 'custom_name', as in Keras 0.3.2 and 0.3.3, which compute the same"
    if "cache_enabled" in stated:
        return "0.3.1", "its layers state 'cache_enabled' and no 'custom_name', as in Keras 0.3.1"
    only = sorted(keras02.ALONE & stated)
    if only:
        return "0.2.0", f"it has {only[0]!r}, as Keras 0.2.0 alone"
    if _OPTIONS & stated:
        return "0.3.0", "its layers state no 'cache_enabled', as in Keras 0.3.0 and before"
    return None


def _classes(value: Any) -> Iterator[str]:
    """Every class that JSON of Keras 0 names, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str):
            yield value["name"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _classes(item)


def is_keras0(config: Any) -> bool:
    """Whether an architecture is one that Keras 0.2 or 0.3 wrote."""
    return isinstance(config, Mapping) and "class_name" not in config and config.get("name") in ("Sequential", "Graph")


def to_keras1(config: Json) -> Json:
    """The `{'class_name', 'config'}` of Keras 1 for an architecture of Keras 0.3.

    Raises KconvertError where it cannot be read, and naming the layer that later releases do not have.
    """
    _check_item(config, "the architecture")
    told = told_release(config)
    return _Reader(of_0_2=told is not None and told[0] == "0.2.0").item(config)


# ---------------------------------------------------------- shape of the JSON ----

_ITEMS = {"TimeDistributed": ("layer",), "Siamese": ("layer",), "AutoEncoder": ("encoder_config", "decoder_config")}
_REQUIRED = {"Siamese": ("merge_mode",), "AutoEncoder": ("output_reconstruction",), "Merge": ("mode",)}


def _check_item(item: Any, what: str) -> None:
    """Refuses what is not a layer or a container, with all layers inside."""
    cls = member(item, "name", str, what)
    what = f"{cls} {item['custom_name']!r}" if item.get("custom_name") else what
    _check_shape(item, what)
    _require(item, _REQUIRED.get(cls, ()), what)
    for key in _ITEMS.get(cls, ()):
        _check_item(item.get(key), f"{key!r} of {what}")
    if cls in ("Sequential", "Merge"):
        each(item.get("layers"), _check_item, f"'layers' of {what}")
    if cls == "Graph":
        _check_graph(item, what)


def _check_shape(item: Json, what: str) -> None:
    for key in ("input_shape", "batch_input_shape"):
        checked(item.get(key), (list, None), f"{key!r} of {what}")


def _check_graph(item: Json, what: str) -> None:
    nodes = member(item, "nodes", Mapping, what)
    for name, node in nodes.items():
        _check_item(node, f"node {name!r} of {what}")
    each(item.get("input_config"), _check_input, f"'input_config' of {what}")
    for key in ("node_config", "output_config"):
        each(item.get(key), _check_connection, f"{key!r} of {what}")
    each(item.get("input_order"), _check_name, f"'input_order' of {what}")
    _require(nodes, [entry["name"] for entry in item["node_config"]], f"'nodes' of {what}")


def _check_input(entry: Any, what: str) -> None:
    member(entry, "name", str, what)
    member(entry, "dtype", str, what)
    _check_shape(entry, what)


def _check_connection(entry: Any, what: str) -> None:
    """What a node or an output takes: the node `input`, or several nodes `inputs`."""
    member(entry, "name", str, what)
    if not checked(entry.get("input"), (str, None), f"'input' of {what}"):
        each(entry.get("inputs"), _check_name, f"'inputs' of {what}")
        if not entry["inputs"]:
            raise refused(f"'inputs' of {what} should name a node")


def _check_name(value: Any, what: str) -> None:
    checked(value, str, what)


def _require(holder: Mapping[str, Any], keys: Iterable[str], what: str) -> None:
    for key in keys:
        if key not in holder:
            raise refused(f"{what} has no {key!r}")


# ----------------------------------------------------------------- reading ----


class _Reader:
    """One architecture; numbers the layers as it meets them.

    of_0_2: whether it has the words of Keras 0.2.0.
    """

    def __init__(self, of_0_2: bool) -> None:
        self.of_0_2 = of_0_2
        self.met: Counter[str] = Counter()
        self.used: set[str] = set()

    def name(self, item: Json) -> str:
        """The layer's own name; with a number where it is only that of its class, or taken."""
        plain = str(item["name"]).lower()
        wanted = str(item.get("custom_name") or plain)
        name = wanted if wanted != plain else ""
        while not name or name in self.used:
            self.met[wanted] += 1
            name = f"{wanted}_{self.met[wanted]}"
        self.used.add(name)
        return name

    def item(self, item: Json, name: str | None = None) -> Json:
        """A layer or a container, called `name` where that is given."""
        cls = item["name"]
        if cls == "Graph":
            return {"class_name": "Model", "config": _Graph(self, item).config(name or GRAPH)}
        name = name or self.name(item)
        if cls == "Sequential":
            return {"class_name": cls, "name": name, "config": [self.item(layer) for layer in item["layers"]]}
        if cls == "AutoEncoder":
            return self._autoencoder(item, name)
        if cls in ("Siamese", "SiameseHead"):
            raise KconvertError("a layer shared outside of a Graph is not supported", where=f"layer {name}")
        item = keras02.to_keras03(item, name) if self.of_0_2 else item
        cls = item["name"]
        config = {OTHER_NAMES.get((cls, key), key): value for key, value in item.items() if key not in OWN_KEYS}
        if cls != "Embedding" and (shape := _batch_shape(item)):  # an Embedding states the size of its table
            config["batch_input_shape"] = shape
        if cls == "TimeDistributed":
            config["layer"] = self.item(item["layer"])
        if cls == "Merge":
            config["layers"] = [self.item(branch) for branch in item["layers"]]
            _check_mode(item["mode"], name)
        return {"class_name": cls, "config": {"name": name, **config}}

    def _autoencoder(self, item: Json, name: str) -> Json:
        """Encoder and decoder as a Sequential; an AutoEncoder where the decoder is kept but does not run."""
        encoder, decoder = self.item(item["encoder_config"]), self.item(item["decoder_config"])
        if item["output_reconstruction"]:
            return {"class_name": "Sequential", "name": name, "config": [encoder, decoder]}
        return {"class_name": "AutoEncoder", "config": {"name": name, "encoder": encoder, "decoder": decoder}}


def _batch_shape(item: Json) -> list[int | None] | None:
    """The input shape a layer states, with the batch axis."""
    if item.get("batch_input_shape"):
        return list(item["batch_input_shape"])
    return [None, *item["input_shape"]] if item.get("input_shape") else None


def _check_mode(mode: Any, name: str) -> None:
    if mode == "cos":
        raise KconvertError("Merge(mode='cos') of Keras 0.3 gives what later releases do not", where=f"layer {name}")
    if mode == "join":
        raise KconvertError("Merge(mode='join') has no equal in later releases", where=f"layer {name}")


class _Graph:
    """A Graph as the functional Model of Keras 1."""

    def __init__(self, reader: _Reader, item: Json) -> None:
        self.reader, self.item = reader, item
        self.layers: list[Json] = []
        self.calls: Counter[str] = Counter()
        self.outputs: dict[str, list[Ref]] = {}  # by node: its tensor, or one a head of a shared node
        reader.used |= {entry["name"] for key in ("input_config", "node_config") for entry in item[key]}

    def config(self, name: str) -> Json:
        for entry in self.item["input_config"]:
            self._input(entry)
        for entry in self.item["node_config"]:
            self._node(entry)
        outputs = [self._tensor(entry, f"{entry['name']}_merge") for entry in self.item["output_config"]]
        inputs = [ref for name in self.item["input_order"] for ref in self._made(name)]
        return {"name": name, "layers": self.layers, "input_layers": inputs, "output_layers": outputs}

    def _input(self, entry: Json) -> None:
        dtype = {"float": "float32", "int": "int32"}.get(entry["dtype"], entry["dtype"])
        config = {"name": entry["name"], "batch_input_shape": _batch_shape(entry), "input_dtype": dtype}
        self._add({"class_name": "InputLayer", "config": config}, entry["name"])
        self.outputs[entry["name"]] = [[entry["name"], 0, 0]]

    def _node(self, entry: Json) -> None:
        name = entry["name"]
        item = self.item["nodes"][name]
        if item["name"] == "SiameseHead":
            heads = dict(enumerate(self._made(entry["inputs"][0])))
            if item.get("head") not in heads:
                raise refused(f"node {name!r} should be one of {len(heads)} outputs of {entry['inputs'][0]!r}")
            self.outputs[name] = [heads[item["head"]]]
        elif item["name"] == "Siamese":
            self._shared(entry, item)
        else:
            tensor = self._tensor(entry, f"{name}_merge")
            self.outputs[name] = [self._call(self._add(self.reader.item(item, name), name), [tensor])]

    def _shared(self, entry: Json, item: Json) -> None:
        """One layer called on every input; without a merge mode, its outputs are heads."""
        node, merged = entry["name"], item["merge_mode"] is not None
        name = f"{node}_layer" if merged else node
        layer = self._add(self.reader.item(item["layer"], name), name)
        heads = [self._call(layer, [ref]) for source in entry["inputs"] for ref in self._made(source)]
        self.outputs[node] = [self._merge(node, item, heads)] if merged else heads

    def _tensor(self, entry: Json, name: str) -> Ref:
        """What a node or an output is fed with: one tensor, or several merged."""
        if entry.get("input"):
            return self._made(entry["input"])[0]
        given = [ref for source in entry["inputs"] for ref in self._made(source)]
        return given[0] if len(given) == 1 else self._merge(name, entry, given)

    def _made(self, node: str) -> list[Ref]:
        """The outputs of a node before this one."""
        if node not in self.outputs:
            raise refused(f"there is no node {node!r} before the one that takes it")
        return self.outputs[node]

    def _merge(self, name: str, entry: Json, given: list[Ref]) -> Ref:
        _require(entry, ("merge_mode",), f"node {name!r}")
        _check_mode(entry["merge_mode"], name)
        config = {"name": name, "mode": entry["merge_mode"], **{key: entry.get(key, -1) for key in MERGE_KEYS}}
        return self._call(self._add({"class_name": "Merge", "config": config}, name), given)

    def _add(self, item: Json, name: str) -> Json:
        entry = {**item, "name": name, "inbound_nodes": []}
        self.layers.append(entry)
        return entry

    def _call(self, entry: Json, given: list[Ref]) -> Ref:
        """The output of one more call; the first call of a container is its own graph."""
        entry["inbound_nodes"].append(given)
        first = int(entry["class_name"] in ("Sequential", "Model"))
        return [entry["name"], len(entry["inbound_nodes"]) - 1 + first, 0]
