"""Converts images to another data format: changes axes and Dense rows, and inserts Permutes where necessary.

Every tensor of the new network is the old one with its axes in another order, or with the features of its last
axis in another order, or the same: its `Layout`. A rule for each class of layers (relayout_rules.py) says which
layouts a layer takes and gives. Where a layer cannot take the layout that a tensor has, a Permute back to the old
order is inserted before it; where features were flattened in an order that no weight can absorb, it is inserted
before the Flatten (keras-facts: dense-rows-follow-flatten, permute-where-no-weight-can-follow).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ... import layers as L
from ...arguments import argument
from ...errors import KconvertError
from ...kernels import Chain
from ...layers.base import Layer, Shape
from ...layers.component_names import stated
from ...network.graph import LayerPath, Node, Ref
from ...network.known_shapes import known_shapes
from ...network.layout import Layout, identity
from ...network.network import Network
from ...network.rewrite import as_first, changed
from ...network.rewritten import Rewritten, renamed_inputs
from ...network.sequential import Sequential
from .relayout_rules import IMAGE_LAYERS
from .relayout_tables import Restore, RuleInput, RuleResult, keeps_layout, rule, wanted_layout


def relayout(model: Network, data_format: str | None, reordered: frozenset[str] = frozenset()) -> Rewritten:
    """`model` with every image layer in `data_format`; None keeps all as it is.

    reordered: Flattens (by path) that should leave a new order of features to the weights even where
    they could keep it by a data format of their own, so that a converted model comes back as it was.
    The outputs of the new model are those of the old one for inputs brought to `inputs`, brought to
    `outputs`. Kernels never change; Dense rows, map-shaped parameters and vectors do (`weights`).
    """
    if data_format is None:
        return Rewritten(model)
    with known_shapes():
        return _relayout(model, data_format, reordered)


def _relayout(model: Network, data_format: str, reordered: frozenset[str]) -> Rewritten:
    restored: frozenset[str] = frozenset()
    while True:
        try:
            result = _Walk(model, data_format, "", restored, reordered).run()
            late = frozenset().union(*(layout.origins for layout in result.outputs))
            if not late:
                return result
            raise Restore(late)
        except Restore as found:
            if found.origins <= restored:
                raise KconvertError(
                    f"the order of the features that {', '.join(sorted(found.origins))} makes cannot be kept",
                    where=model.name,
                    fix=f"use {argument('data_format', 'keep')}",
                ) from None
            restored = restored | found.origins


class _Walk:
    """One walk over a graph, from the inputs to the outputs."""

    def __init__(
        self, model: Network, data_format: str, prefix: str, restored: frozenset[str], reordered: frozenset[str]
    ) -> None:
        self.model, self.data_format, self.prefix = model, data_format, prefix
        self.restored, self.reordered = restored, reordered
        self.origins: set[str] = set()
        self.shapes = model.shapes()
        self.layouts: dict[Ref, Layout] = {}
        self.inner: dict[str, Layout] = {}  # of tensors in nested networks
        self.aliases: dict[str, str] = {}
        self.done: dict[str, RuleResult] = {}
        self.called: dict[tuple[str, tuple[Layout, ...], str], RuleResult] = {}  # by layer, layouts and shapes
        self.weights: dict[LayerPath, Chain] = {}
        self.inserted: list[tuple[Layer, Node]] = []
        self.nodes: list[Node] = []
        self.notes: list[str] = []
        self.permuted: dict[tuple[Ref, Layout], Ref] = {}

    def run(self) -> Rewritten:
        wanted = wants(self.model, self.model.input_refs, self.data_format)
        self.layouts.update(zip(self.model.input_refs, wanted, strict=True))
        for node in self.model.nodes:
            if node.inputs:
                self._call(node)
            else:
                self.nodes.append(node)
        model = self._model()
        aliases = self.aliases | renamed_inputs(self.model, model)
        layouts = {ref.key: layout for ref, layout in self.layouts.items()} | self.inner
        return Rewritten(
            model=model,
            aliases=aliases,
            weights=self.weights,
            notes=self.notes,
            layouts={aliases.get(name, name): layout for name, layout in layouts.items()},
            reordered=frozenset(self.origins),
        )

    def _call(self, node: Node) -> None:
        layer = self.model.by_name[node.layer]
        shapes = [self.shapes[ref] for ref in node.inputs]
        given = [self.layouts[ref] for ref in node.inputs]
        path = self.prefix + layer.name
        call = RuleInput(layer, shapes, given, self.data_format, path, self.restored, self.reordered)
        alike = (layer.name, tuple(given), str(shapes))
        if alike not in self.called:
            self.called[alike] = call.unchanged() if path in self.restored else rule(layer, call)
        result = self._agreed(layer, self.called[alike], path)
        inputs = tuple(
            self._brought(ref, have, want, layer)
            for ref, have, want in zip(node.inputs, given, result.inputs, strict=True)
        )
        self.nodes.append(replace(node, inputs=inputs))
        self.layouts.update((Ref(node.layer, node.index, i), layout) for i, layout in enumerate(result.outputs))
        self.origins.update(*(layout.origins for layout in result.outputs))
        inside = f"{node.output.key}/"
        self.inner.update((inside + name, layout) for name, layout in result.layouts.items())
        self.aliases.update((inside + old, inside + new) for old, new in result.aliases.items())
        self.weights.update(((layer.name, *path), chain) for path, chain in result.weights.items())

    def _agreed(self, layer: Layer, result: RuleResult, path: str) -> RuleResult:
        """What becomes of a layer at this call: as at its first call, if it would become something else."""
        first = self.done.setdefault(layer.name, result)
        if first is result:
            self.notes += result.notes
            self.origins |= result.reordered
        elif first.weights != result.weights or first.layer.stored_config() != result.layer.stored_config():
            if [len(layout.axes) for layout in first.inputs] != [len(layout.axes) for layout in result.inputs]:
                raise Restore({path})
            return first
        return result

    def _brought(self, ref: Ref, have: Layout, want: Layout, layer: Layer) -> Ref:
        """The tensor `ref` in the layout `want`, through a Permute where it is not."""
        if have == want:
            return ref
        if have.features or want.features:
            raise Restore(have.origins | want.origins)
        if (ref, want) not in self.permuted:
            dims = tuple(have.axes.index(axis) for axis in want.axes[1:])
            name = self._fresh(f"permute_{ref.layer}")
            permute = L.Permute(dims, name=name)
            self.inserted.append((permute, Node(name, 0, (ref,))))
            self.nodes.append(Node(name, 0, (ref,)))
            self.permuted[ref, want] = Ref(name)
            order = "the old order" if want.is_identity else self.data_format
            self.notes.append(f"{self.prefix}{name}: a Permute{dims} brings {ref.key} to {order} for {layer.name}")
        return self.permuted[ref, want]

    def _fresh(self, name: str) -> str:
        taken = set(self.model.by_name) | {layer.name for layer, _ in self.inserted}
        return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 1000))) if n not in taken)

    def _model(self) -> Network:
        """The new graph; a Sequential stays one."""
        layers = {
            name: self.done[name].layer if name in self.done else layer for name, layer in self.model.by_name.items()
        }
        for ref, layout in self.layouts.items():
            layer = layers[ref.layer]
            if ref in self.model.input_refs and layer.batch_input_shape is not None:
                shape = layout.shape(tuple(layer.batch_input_shape))
                layers[ref.layer] = changed(layer, batch_input_shape=shape)
        layers.update((layer.name, layer) for layer, _ in self.inserted)
        if isinstance(self.model, Sequential):
            return self._sequential(layers)
        return Network(
            all_layers=list(layers.values()),
            nodes=self.nodes,
            input_refs=self.model.input_refs,
            output_refs=self.model.output_refs,
            name=self.model.name,
            trainable=self.model.trainable,
        )

    def _sequential(self, layers: dict[str, Layer]) -> Sequential:
        entry, first, *rest = (layers[node.layer] for node in self.nodes)
        first = as_first(first, entry.batch_input_shape, stated(entry, "dtype"))
        return Sequential([first, *rest], name=self.model.name, trainable=self.model.trainable)


def image_data_format(model: Network) -> str | None:
    """The data format that all image layers of `model` state, None where there are none or they differ."""
    stated = {layer.data_format for _, layer in model.leaves() if isinstance(layer, IMAGE_LAYERS)}
    return stated.pop() if len(stated) == 1 else None


# ------------------------------------------------------------ what is wanted ----


def wants(model: Network, refs: Sequence[Ref], data_format: str) -> list[Layout]:
    """The layouts in which the layers that use tensors `refs` want them: those of the first image layers reached."""
    shapes = model.shapes()
    users: dict[Ref, list[Node]] = {}
    for node in model.nodes:
        for tensor in dict.fromkeys(node.inputs):
            users.setdefault(tensor, []).append(node)
    return [_wanted(model, ref, shapes, users, data_format) for ref in refs]


def _wanted(
    model: Network, ref: Ref, shapes: Mapping[Ref, Shape], users: Mapping[Ref, list[Node]], data_format: str
) -> Layout:
    """The layout in which the layers that use tensor `ref` want it; users: the calls that each tensor goes into."""
    todo, seen = deque([ref]), {ref}
    while todo:
        tensor = todo.popleft()
        for node in users.get(tensor, ()):
            layer = model.by_name[node.layer]
            found = wanted_layout(layer, [shapes[r] for r in node.inputs], data_format, node.inputs.index(tensor))
            if found is not None:
                return found if len(found.axes) == len(shapes[ref]) else identity(len(shapes[ref]))
            if keeps_layout(layer) and node.output not in seen:
                seen.add(node.output)
                todo.append(node.output)
    return identity(len(shapes[ref]))


# ---------------------------------------------------------- nested networks ----


@rule.register(Network)
def _nested(model: Network, call: RuleInput) -> RuleResult:
    """A nested network is carried over by itself, from the layouts that its own layers want."""
    result = _Walk(model, call.data_format, call.path + "/", call.restored, call.reordered).run()
    return RuleResult(
        inputs=result.inputs,
        layer=result.model,
        outputs=result.outputs,
        weights=result.weights,
        layouts=result.layouts,
        aliases=result.aliases,
        reordered=result.reordered,
        notes=result.notes,
    )


@wanted_layout.register(Network)
def _wanted_by_nested(model: Network, shapes: list[Shape], data_format: str, position: int) -> Layout:
    return wants(model, [model.input_refs[position]], data_format)[0]
