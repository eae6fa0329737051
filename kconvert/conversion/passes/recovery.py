"""Recovers layers that Keras 3 does not have from the layers that `expressions` wrote for them.

Keras 3 keeps the names of layers when it saves a model again. The names NAME__CLASS__PART show which layers belong to
one layer. That layer is built from their options, and expressed again. If this gives the same layers, with the same
options and inputs, the layer replaces them. Otherwise they stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from ... import layers as L
from ...conventions.backends import CHANNELS_FIRST, CHANNELS_LAST
from ...errors import KconvertError
from ...kernels import Chain
from ...layers.base import Layer, Shape
from ...layers.component_names import stated
from ...lazy_dataclasses import dataclass
from ...network.graph import LayerPath, Node, Ref
from ...network.network import Network
from ...network.rewrite import NewLayer, as_first, changed, rebuilt
from ...network.rewritten import Rewritten, Source, renamed_inputs
from ...network.sequential import Sequential
from .expressions import expressed
from .modernize import modern
from .parts import part_of

Parts = Mapping[str, Any]
"""The layers that make up one layer, by their part; the one that has its name by ''."""

Builder = Callable[[str, Parts], Layer]

NOT_COMPARED = frozenset({"batch_input_shape", "dtype", "kernel_initializer", "bias_initializer", "alpha_initializer"})
"""Options that do not change what a layer with weights computes."""


def recovered(model: Network) -> Rewritten:
    """`model` with the layers that its layers were written for, where Keras 2 has them."""
    done = _inside(model)
    while True:
        found = next(filter(None, (_Group(done.model, *key).recovered() for key in _keys(done.model))), None)
        if found is None:
            return done
        done = done.then(found)


def _inside(model: Network) -> Rewritten:
    """`model` with its nested networks recovered."""
    inner = {layer.name: recovered(layer) for layer in model.all_layers if isinstance(layer, Network)}
    inner = {name: done for name, done in inner.items() if done.notes}
    if not inner:
        return Rewritten(model)
    aliases: dict[str, str] = {}
    weights: dict[LayerPath, Chain] = {}
    sources: dict[LayerPath, Source] = {}
    for name, done in inner.items():
        weights.update({(name, *path): ops for path, ops in done.weights.items()})
        sources.update(
            {
                (name, *path): (name, *source) if isinstance(source, tuple) else source
                for path, source in done.sources.items()
            }
        )
        calls = [node.output.key for node in model.nodes if node.layer == name]
        aliases.update({f"{call}/{old}": f"{call}/{new}" for call in calls for old, new in done.aliases.items()})
    new = rebuilt(model, {**model.by_name, **{name: done.model for name, done in inner.items()}})
    return Rewritten(new, aliases, weights, sources, [note for done in inner.values() for note in done.notes])


def _keys(model: Network) -> Iterator[tuple[str, str]]:
    """The name and the class of each layer that layers of `model` seem to make up."""
    found = (part_of(layer) for layer in model.all_layers)
    return iter(dict.fromkeys(one[:2] for one in found if one and one[1] in BUILDERS))


@dataclass(frozen=True)
class _Group:
    """The layers of a network that seem to make up the layer `name` of class `cls`."""

    network: Network
    name: str
    cls: str
    nodes: Mapping[tuple[str, int], Node] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", {node.output.call: node for node in self.network.nodes})

    @property
    def parts(self) -> dict[str, Layer]:
        found = {one[2]: layer for layer in self.network.all_layers if (one := part_of(layer)) and one[:2] == self.key}
        return {"": self.network.by_name[self.name], **found} if self.name in self.network.by_name else found

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.cls

    def recovered(self) -> Rewritten | None:
        """The network with the one layer; None where the layers do not make it up."""
        parts = self.parts
        names = {layer.name for layer in parts.values()}
        outer = self._outer(names)
        if not outer:
            return None
        shapes = self.network.shapes()
        try:
            layer = BUILDERS[self.cls](self.name, parts)
            (new,) = {shapes[ref]: self._written(layer, shapes[ref]) for ref in outer}.values()
        except (KconvertError, LookupError, AttributeError, TypeError, ValueError):  # other layers of such names
            return None
        if {one.layer.name for one in new} != names or not all(map(self._stands, new)):
            return None
        last = new[-1].layer.name
        if not self._only_last_is_used(names, last) or not all(
            self._is_wired(new, ref, i) for i, ref in enumerate(outer)
        ):
            return None
        return self._replaced(layer, new, outer, shapes[outer[0]])

    def _written(self, layer: Layer, shape: Shape) -> list[NewLayer]:
        """What `layer` is written as. Raises KconvertError where Keras 2 does not have it either."""
        modern(layer, shape)
        return list(expressed(layer, shape) or ())

    def _outer(self, names: set[str]) -> list[Ref]:
        """The tensor that each call of the layer takes; none where the calls do not take one each."""
        found: dict[int, set[Ref]] = {}
        counts = dict.fromkeys(names, 0)
        for node in self.network.nodes:
            if node.layer in names:
                counts[node.layer] += 1
                found.setdefault(node.index, set()).update(ref for ref in node.inputs if ref.layer not in names)
                if node.kwargs:
                    return []
        calls = len(found)
        if set(counts.values()) != {calls} or any(len(refs) != 1 for refs in found.values()):
            return []
        return [next(iter(found[i])) for i in range(calls)] if set(found) == set(range(calls)) else []

    def _stands(self, new: NewLayer) -> bool:
        """Whether the network has that layer."""
        stated = self.network.by_name[new.layer.name]
        return type(stated) is type(new.layer) and _compared(stated) == _compared(new.layer)

    def _only_last_is_used(self, names: set[str], last: str) -> bool:
        used = [ref for node in self.network.nodes if node.layer not in names for ref in node.inputs]
        return not any(ref.layer in names - {last} for ref in (*used, *self.network.output_refs))

    def _is_wired(self, new: list[NewLayer], outer: Ref, call: int) -> bool:
        """Whether the layers take the inputs that they have where `outer` is the input of them all."""
        made = {one.layer.name: Ref(one.layer.name, call) for one in new}
        return all(self.nodes[one.layer.name, call].inputs == (one.refs(made) or (outer,)) for one in new)

    def _replaced(self, layer: Layer, new: list[NewLayer], outer: list[Ref], shape: Shape) -> Rewritten | None:
        names, last = {one.layer.name for one in new}, new[-1].layer.name
        weights: dict[LayerPath, Chain] = {}
        sources: dict[LayerPath, Source] = {}
        for weight in layer.weight_specs(shape):
            places = [(one, path) for one in new for path, source in one.sources.items() if source == (weight.name,)]
            holder = next(one for one in new if one.layer.name == self.name)
            if len(places) > 1:  # they may have been trained apart
                return None
            piece, path = places[0] if places else (holder, (weight.name,))
            weights[self.name, weight.name] = piece.weights[path].inverse if path in piece.weights else Chain()
            if places:
                sources[self.name, weight.name] = (piece.layer.name, *path)
        ends = {Ref(last, i): Ref(self.name, i) for i in range(len(outer))}
        nodes = [Node(self.name, i, (ends.get(ref, ref),)) for i, ref in enumerate(outer)]
        nodes = [
            nodes[node.index]
            if node.layer == last
            else replace(node, inputs=tuple(ends.get(ref, ref) for ref in node.inputs))
            for node in self.network.nodes
            if node.layer == last or node.layer not in names
        ]
        layers = [one for one in self.network.all_layers if one.name not in names]
        network = _assembled(self.network, [*layers, layer], nodes, ends)
        aliases = {old.key: end.key for old, end in ends.items() if old != end}
        aliases |= {end: old for old, end in aliases.items()}  # the name is that of another tensor now
        note = f"{self.name}: the {self.cls} that {len(new)} layers were written for"
        return Rewritten(
            network,
            {**aliases, **renamed_inputs(self.network, network)},
            {path: chain for path, chain in weights.items() if len(chain)},
            sources,
            [note],
        )


def _compared(layer: Layer) -> dict[str, Any]:
    """The options that count; one without a value, and the activation that changes nothing, are as good as none."""
    stated = layer.stored_config().items()
    return {key: value for key, value in stated if value not in (None, "linear") and key not in NOT_COMPARED}


def _assembled(model: Network, layers: list[Layer], nodes: list[Node], ends: Mapping[Ref, Ref]) -> Network:
    """The network of `layers`; a Sequential where it was one before the layers were written for Keras 3."""
    outputs = [ends.get(ref, ref) for ref in model.output_refs]
    new = Network(layers, nodes, model.input_refs, outputs, name=model.name, trainable=model.trainable)
    entry, *others = (new.by_name[node.layer] for node in new.nodes)
    chain = len(new.input_refs) == len(outputs) == 1 and len(others) == len(new.all_layers) - 1
    chain = chain and all(
        node.inputs == (before.output,) for before, node in zip(new.nodes, new.nodes[1:], strict=False)
    )
    if chain and outputs[0] == new.nodes[-1].output and (isinstance(model, Sequential) or _is_entry(entry, others[0])):
        first = as_first(others[0], entry.batch_input_shape, stated(entry, "dtype"))
        return Sequential([first, *others[1:]], name=model.name, trainable=model.trainable)
    return new


def _is_entry(entry: Layer, first: Layer) -> bool:
    """Whether an input has the name that Keras gives that of a Sequential."""
    return entry.name == f"{first.name}_input"


# ---------------------------------------------------------------- builders ----


def _thresholded(name: str, parts: Parts) -> Layer:
    return L.ThresholdedReLU(theta=parts[""].threshold, name=name, trainable=parts[""].trainable)


def _bilinear(name: str, parts: Parts) -> Layer:
    found: Layer = changed(parts["nearest"], name=name, interpolation="bilinear")
    return found


def _of_dense(dense: Any, bias: bool) -> dict[str, Any]:
    """The options that a layer of Keras 1 has of the dense layer that was written for it."""
    return {
        "bias": bias,
        "W_regularizer": stated(dense, "kernel_regularizer"),
        "b_regularizer": stated(dense, "bias_regularizer"),
        "W_constraint": stated(dense, "kernel_constraint"),
        "b_constraint": stated(dense, "bias_constraint"),
        "trainable": dense.trainable,
    }


def _maxout(name: str, parts: Parts) -> Layer:
    dense = parts[""]
    nb_feature, output_dim = dense.declared_shape
    options = _of_dense(dense, dense.bias_axes is not None)
    return L.MaxoutDense(output_dim, nb_feature=nb_feature, name=name, **options)


def _highway(name: str, parts: Parts) -> Layer:
    dense = parts[""]
    return L.Highway(activation=stated(dense, "activation"), name=name, **_of_dense(dense, dense.use_bias))


def _local(cls: type[Any]) -> Builder:
    """The builder of a locally connected layer: its window and its strides are those of the elements of a patch."""

    def build(name: str, parts: Parts) -> Layer:
        dense = parts[""]
        picked = {tuple(map(int, re.findall(r"\d+", what))): layer for what, layer in parts.items() if _PICKED(what)}
        offsets = list(picked) or [(0,) * cls.rank]
        pools = [layer.strides for what, layer in parts.items() if what.startswith("picked_")]
        data_format = CHANNELS_FIRST if CHANNELS_FIRST in parts else CHANNELS_LAST
        found: Layer = cls(
            dense.declared_shape[-1],
            tuple(max(at) + 1 for at in zip(*offsets, strict=True)),
            strides=pools[0] if pools else 1,
            activation=stated(dense, "activation"),
            use_bias=dense.bias_axes is not None,
            kernel_regularizer=stated(dense, "kernel_regularizer"),
            bias_regularizer=stated(dense, "bias_regularizer"),
            activity_regularizer=stated(dense, "activity_regularizer"),
            kernel_constraint=stated(dense, "kernel_constraint"),
            bias_constraint=stated(dense, "bias_constraint"),
            name=name,
            trainable=dense.trainable,
            **({"data_format": data_format} if cls.rank > 1 else {}),
        )
        return found

    return build


_PICKED = re.compile(r"(at|picked)(_\d+)+").fullmatch

BUILDERS: Mapping[str, Builder] = {
    cls.__name__: build
    for cls, build in (
        (L.ThresholdedReLU, _thresholded),
        (L.UpSampling2D, _bilinear),
        (L.MaxoutDense, _maxout),
        (L.Highway, _highway),
        (L.LocallyConnected1D, _local(L.LocallyConnected1D)),
        (L.LocallyConnected2D, _local(L.LocallyConnected2D)),
    )
}
"""How a layer is built from those that make it up, by its class: for layers that Keras 2 has."""
