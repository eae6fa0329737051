"""renamed: a network whose layers have other names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..layers.base import Layer
from ..layers.component_names import stated
from ..layers.options import remade
from .graph import LayerPath, Node, Ref
from .network import Network
from .rewrite import as_first, changed
from .rewritten import Rewritten, Source
from .sequential import Sequential


def renamed(model: Network, rename: Callable[[str], str]) -> Rewritten:
    """`model` with the names that `rename` gives the names of its layers, also inside networks and wrappers.

    Names that would repeat in a network get a number.
    """
    new = _network(model, rename)
    names = zip(model.tensor_layers(), new.tensor_layers(), strict=True)
    inputs = zip(model.input_refs, new.input_refs, strict=True)
    aliases = {old: now for old, now in names if old != now}
    aliases.update((old.key, now.key) for old, now in inputs if old != now)
    return Rewritten(new, aliases, sources=dict(_moved(model, new)))


def _moved(old: Network, new: Network) -> Iterator[tuple[LayerPath, Source]]:
    """The path of each weight that has another one now, and the one that it had."""
    for before, now in zip(old.weight_table(), new.weight_table(), strict=True):
        if before.path != now.path:
            for weight in now.weights:
                yield (*now.path, weight.name), (*before.path, weight.name)


def _network(model: Network, rename: Callable[[str], str]) -> Network:
    names = _distinct([layer.name for layer in model.all_layers], rename)
    layers = {layer.name: _layer(layer, names[layer.name], rename) for layer in model.all_layers}
    own = rename(model.name)
    if isinstance(model, Sequential):
        entry = model.input_layers[0]
        first, *rest = [layer for layer in layers.values() if layer is not layers[entry.name]]
        if first.batch_input_shape is None and not isinstance(first, Network):
            first = as_first(first, entry.batch_input_shape, stated(entry, "dtype"))
        return Sequential([first, *rest], name=own, trainable=model.trainable)

    def ref(old: Ref) -> Ref:
        return old._replace(layer=names[old.layer])

    nodes = [Node(names[node.layer], node.index, tuple(map(ref, node.inputs)), node.kwargs) for node in model.nodes]
    return Network(
        all_layers=list(layers.values()),
        nodes=nodes,
        input_refs=list(map(ref, model.input_refs)),
        output_refs=list(map(ref, model.output_refs)),
        name=own,
        trainable=model.trainable,
    )


def _distinct(names: list[str], rename: Callable[[str], str]) -> dict[str, str]:
    """The new name of each layer of one network; names that stay come first."""
    taken = {name for name in names if rename(name) == name}
    found = {name: name for name in taken}
    for name in names:
        if name not in found:
            new, number = rename(name), 1
            while new in taken:
                number += 1
                new = f"{rename(name)}_{number}"
            taken.add(new)
            found[name] = new
    return found


def _layer(layer: Layer, name: str, rename: Callable[[str], str]) -> Layer:
    if isinstance(layer, Network):
        return changed(_network(layer, rename), name=name)
    inner: Any = getattr(layer, "layer", None)
    if isinstance(inner, Layer):
        return remade(layer, name=name, layer=_layer(inner, rename(inner.name), rename))
    return changed(layer, name=name)
