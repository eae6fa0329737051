"""Model and Sequential: the graph of layers, and the arrays that make it run on a backend.

A model is itself a layer, so models nest. The graph is data: `nodes` in topological order, each one
call of a layer on tensors named by `Ref`. The weights live in `Model.variables`, by layer and weight name, on
`Model.backend` and in its convention (see `running`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..backend.base import Backend, Compiled, InputSpec, Tensor, Variable
from ..conventions.roles import Weight
from ..conventions.words.calls import MADE_BY_USER, renamed
from ..errors import KconvertError, Problem
from ..layers import InputLayer, Layer
from ..layers.base import Shape, layer_config, layer_from_config
from ..layers.phase import Phase
from ..models.running import Runnable
from ..models.training.methods import Trainable
from . import functional as building
from .nested import Arrays as Arrays
from .nested import as_list, one_or_list

LayerPath = tuple[str, ...]


class Ref(NamedTuple):
    """A tensor of the graph: output `tensor` of call `node` of the layer named `layer`."""

    layer: str
    node: int = 0
    tensor: int = 0

    @property
    def key(self) -> str:
        """How reports name it: `dense_1`, `dense_1#1` (second call), `lstm_1:2` (third output)."""
        call = f"#{self.node}" if self.node else ""
        output = f":{self.tensor}" if self.tensor else ""
        return f"{self.layer}{call}{output}"


class Made(NamedTuple):
    """The layer that makes a tensor, and where it stands."""

    path: LayerPath
    layer: Layer


@dataclass(frozen=True)
class Node:
    """One call of a layer; no inputs for an InputLayer. kwargs: further call arguments, kept."""

    layer: str
    index: int
    inputs: tuple[Ref, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def output(self) -> Ref:
        return Ref(self.layer, self.index)


@dataclass(eq=False)
class Network(Runnable, Trainable, Layer):
    """A graph of layers with named inputs and outputs (Keras's functional Model).

    `Model(inputs, outputs)` takes symbols too: what `Input` and layers called on it gave.
    Errors: KconvertError where the graph names a layer or a tensor that does not exist.

    >>> x = building.Input((4,))
    >>> Network(x, Layer.registry["Dense"](2)(x)).compute_output_shape((None, 4))
    (None, 2)
    """

    class_name = "Model"

    layers: list[Layer]
    nodes: list[Node]
    input_refs: list[Ref]
    output_refs: list[Ref]

    @classmethod
    def spelled(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """`Model(inputs, outputs)` of symbols as a graph; else as given."""
        if "layers" in kwargs or len(args) > 3:
            return args, kwargs
        ends = dict(zip(("inputs", "outputs", "name"), args, strict=False), **kwargs)
        ends = renamed("Model", ends, MADE_BY_USER)
        graph = building.traced(ends.pop("inputs", None), ends.pop("outputs", None))
        return (), {**ends, **graph}

    def __post_init__(self) -> None:
        if not all(isinstance(layer.name, str) for layer in self.layers):
            raise KconvertError("the name of a layer is no text", where=str(self.name), problem=Problem.UNREADABLE)
        self.by_name = {layer.name: layer for layer in self.layers}
        if len(self.by_name) < len(self.layers):
            raise KconvertError("two layers have the same name", where=self.name, problem=Problem.UNREADABLE)
        for ref in (*self.input_refs, *self.output_refs):
            if ref.layer not in self.by_name:
                raise KconvertError(f"there is no layer {ref.layer!r}", where=self.name, problem=Problem.UNREADABLE)
        self._check_ends()
        self.nodes = self._sorted(self.nodes)
        self.layers = self._ordered(self.layers)
        self.variables: dict[LayerPath, Variable] = {}
        self.states: dict[LayerPath, Variable] = {}
        self.backend: Backend | None = None
        self._functions: dict[str, Compiled] = {}

    def _check_ends(self) -> None:
        """Refuses inputs that are no InputLayers, calls of unknown layers, and outputs that no call makes."""
        made = {(node.layer, node.index) for node in self.nodes}
        odd = [ref.layer for ref in self.input_refs if not isinstance(self.by_name.get(ref.layer), InputLayer)]
        odd += [node.layer for node in self.nodes if node.layer not in self.by_name]
        odd += [ref.layer for ref in self.output_refs if (ref.layer, ref.node) not in made]
        if odd or not self.output_refs:
            said = f"layer {odd[0]} is not what the graph takes it for" if odd else "the graph has no output"
            raise KconvertError(said, where=self.name, problem=Problem.UNREADABLE)

    def _sorted(self, nodes: Iterable[Node]) -> list[Node]:
        """`nodes` in an order in which every tensor is made before it is used."""
        waiting, done, order = list(nodes), set[tuple[str, int]](), []
        while waiting:
            ready = [n for n in waiting if all((ref.layer, ref.node) in done for ref in n.inputs)]
            if not ready:
                raise KconvertError(
                    f"the graph has a cycle or an unknown tensor at layer {waiting[0].layer}",
                    where=self.name,
                    problem=Problem.UNREADABLE,
                )
            order += ready
            done |= {(n.layer, n.index) for n in ready}
            waiting = [n for n in waiting if (n.layer, n.index) not in done]
        return order

    def _ordered(self, layers: list[Layer]) -> list[Layer]:
        """Layers as Keras orders them, and so the groups of a file: deepest first, then as met from the outputs."""
        calls = {(node.layer, node.index): node for node in self.nodes}
        depth: dict[tuple[str, int], int] = {}
        for node in reversed(self.nodes):
            for ref in node.inputs:
                below = depth.get((node.layer, node.index), 0) + 1
                depth[ref.layer, ref.node] = max(depth.get((ref.layer, ref.node), 0), below)
        deepest = {layer.name: 0 for layer in layers}
        for (name, _), level in depth.items():
            deepest[name] = max(deepest[name], level)
        met: dict[str, int] = {}
        todo = [(ref.layer, ref.node) for ref in reversed(self.output_refs)]
        seen = set()
        while todo:
            key = todo.pop()
            met.setdefault(key[0], len(met))
            if key not in seen and key in calls:
                seen.add(key)
                todo += [(ref.layer, ref.node) for ref in reversed(calls[key].inputs)]
        return sorted(layers, key=lambda layer: (-deepest[layer.name], met.get(layer.name, len(met))))

    def __getstate__(self) -> dict[str, Any]:
        """A copy, or a pickle, is of the graph alone: what it runs with is bound anew."""
        bound: dict[str, Any] = {"variables": {}, "states": {}, "backend": None, "_functions": {}, "executor": None}
        return {**self.__dict__, **bound}

    # --------------------------------------------------------------- shapes ----

    @property
    def input_layers(self) -> list[InputLayer]:
        return [self.by_name[ref.layer] for ref in self.input_refs]  # type: ignore[misc]

    @property
    def input_shapes(self) -> list[Shape]:
        """Shapes of the inputs, with the batch axis."""
        return [tuple(layer.batch_input_shape or ()) for layer in self.input_layers]

    @property
    def input_specs(self) -> list[InputSpec]:
        """The inputs as compiled functions take them."""
        pairs = zip(self.input_shapes, self.input_layers, strict=True)
        return [InputSpec(shape, layer.dtype or "float32") for shape, layer in pairs]

    def shapes(self, inputs: Sequence[Shape] | None = None) -> dict[Ref, Shape]:
        """Shape of every tensor of the graph; `inputs` default to the model's own."""
        found = dict(zip(self.input_refs, inputs or self.input_shapes, strict=True))
        for node in self.nodes:
            if node.output in found:
                continue
            layer = self.by_name[node.layer]
            given = one_or_list([self._known(found, ref) for ref in node.inputs])
            try:
                shape = layer.compute_output_shape(given)
            except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError) as error:
                raise _at_layer(error, layer, given) from error
            for i, one in enumerate(as_list(shape)):
                found[Ref(node.layer, node.index, i)] = one
        for ref in self.output_refs:
            self._known(found, ref)
        return found

    def _known(self, shapes: Mapping[Ref, Shape], ref: Ref) -> Shape:
        if ref not in shapes:
            raise KconvertError(f"no layer makes the tensor {ref.key}", where=self.name, problem=Problem.UNREADABLE)
        return shapes[ref]

    def compute_output_shape(self, shape: Any) -> Any:
        found = self.shapes(as_list(shape))
        return one_or_list([found[ref] for ref in self.output_refs])

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        found = self.shapes(as_list(shape))
        calls: dict[str, Any] = {}
        for node in self.nodes:
            if node.inputs:
                calls.setdefault(node.layer, one_or_list([found[ref] for ref in node.inputs]))
        return [calls.get(layer.name) for layer in self.sublayers]

    # -------------------------------------------------------------- weights ----

    @property
    def sublayers(self) -> list[Layer]:
        return [layer for layer in self.layers if not isinstance(layer, InputLayer)]

    def weight_table(self) -> list[LeafWeights]:
        """The weights of every layer that has some, in the order of the layers."""
        table = []
        for layer, shape in zip(self.sublayers, self.sublayer_shapes(one_or_list(self.input_shapes)), strict=True):
            table += leaf_weights(layer, shape)
        return table

    # -------------------------------------------------------------- running ----

    def call(self, K: Backend, w: Mapping[str, Any], x: Any, mask: Any = None, training: Phase | None = None) -> Any:
        values, _ = self.run(K, w, as_list(x), as_list(mask), training)
        return one_or_list([values[ref] for ref in self.output_refs])

    def run(
        self,
        K: Backend,
        w: Mapping[str, Any],
        inputs: Sequence[Tensor],
        masks: Sequence[Tensor | None] = (None,),
        training: Phase | None = None,
        record: Callable[[str, Tensor], Tensor] | None = None,
        prefix: str = "",
    ) -> tuple[dict[Ref, Tensor], dict[Ref, Tensor | None]]:
        """Every tensor of the graph and its mask.

        `record` is told each one by name, nested models' too, and gives the one to go on with.
        """
        values = dict(zip(self.input_refs, inputs, strict=True))
        known: dict[Ref, Any] = dict(zip(self.input_refs, list(masks) + [None] * len(inputs), strict=False))
        for node in self.nodes:
            if node.output in values:
                continue
            layer = self.by_name[node.layer]
            x = one_or_list([values[ref] for ref in node.inputs])
            mask = one_or_list([known[ref] for ref in node.inputs])
            weights = w.get(node.layer, {})
            if isinstance(layer, Network):
                inner = f"{prefix}{node.output.key}/"
                result, result_masks = layer.run(K, weights, as_list(x), as_list(mask), training, record, inner)
                y: Any = one_or_list([result[ref] for ref in layer.output_refs])
                y_mask: Any = one_or_list([result_masks[ref] for ref in layer.output_refs])
            else:
                y = layer.call(K, weights, x, mask=mask, training=training)
                if training is not None:
                    training.penalize_activity(layer, as_list(y))
                y_mask = layer.compute_mask(K, x, mask)
            for i, one in enumerate(as_list(y)):
                ref = Ref(node.layer, node.index, i)
                values[ref] = record(prefix + ref.key, one) if record else one
                known[ref] = as_list(y_mask)[i] if i < len(as_list(y_mask)) else None
        return values, known

    def tensor_layers(self, prefix: str = "", outer: LayerPath = ()) -> dict[str, Made]:
        """Where and by which layer each tensor of `activations` is made, by the tensor's name."""
        found: dict[str, Made] = {}
        shapes = self.shapes()
        for node in self.nodes:
            layer, path = self.by_name[node.layer], (*outer, node.layer)
            if isinstance(layer, Network):
                found.update(layer.tensor_layers(f"{prefix}{node.output.key}/", path))
            outputs = [ref for ref in shapes if ref[:2] == node.output[:2]]
            found.update((prefix + ref.key, Made(path, layer)) for ref in outputs)
        return found

    # -------------------------------------------------------- configuration ----

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Network:
        """The graph that a Keras 2 functional configuration describes."""
        layers, nodes = [], []
        for item in config["layers"]:
            layer = layer_from_config(item)
            layer.name = item.get("name", layer.name)
            layers.append(layer)
            if isinstance(layer, InputLayer):
                nodes.append(Node(layer.name, 0, ()))
            for i, call in enumerate(item["inbound_nodes"], start=first_call(layer)):
                nodes.append(
                    Node(layer.name, i, tuple(_ref(ref) for ref in call), dict(call[0][3]) if len(call[0]) > 3 else {})
                )
        return cls(
            layers=layers,
            nodes=_reachable(nodes, [_ref(ref) for ref in config["output_layers"]]),
            input_refs=[_ref(ref) for ref in config["input_layers"]],
            output_refs=[_ref(ref) for ref in config["output_layers"]],
            name=config.get("name") or "model_1",
            trainable=config.get("trainable", True),
        )

    def get_config(self, form: str = "keras2") -> dict[str, Any]:
        calls: dict[str, list[Node]] = {}
        for node in self.nodes:
            calls.setdefault(node.layer, []).append(node)
        layers = []
        for layer in self.layers:
            made = sorted(calls.get(layer.name, []), key=lambda node: node.index)
            inbound = [[[*ref, dict(node.kwargs)] for ref in node.inputs] for node in made if node.inputs]
            layers.append({**layer_config(layer, form), "name": layer.name, "inbound_nodes": inbound})
        return {
            "name": self.name,
            "layers": layers,
            "input_layers": [list(ref) for ref in self.input_refs],
            "output_layers": [list(ref) for ref in self.output_refs],
        }


Layer.registry["Model"] = Network
Model = Network


class Sequential(Network):
    """A chain of layers, each fed by the one before (Keras's Sequential).

    Without layers, or where the first one states no input shape, it is a chain in the making: `add` and
    `build` complete it, at the latest the first batch does.

    >>> model = Sequential()
    >>> model.add(Layer.registry["Dense"](2, input_shape=(4,)))
    >>> [layer.name for layer in model.layers]
    ['dense_1_input', 'dense_1']
    """

    class_name = "Sequential"

    def __init__(self, layers: Sequence[Layer] = (), name: str = "sequential_1", trainable: bool = True) -> None:
        Layer.__init__(self, name=name, trainable=trainable)
        self._chain(layers)

    @classmethod
    def spelled(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs

    @property
    def built(self) -> bool:
        """Whether the chain is complete, from the shape of its input on."""
        return bool(self.output_refs)

    def add(self, layer: Layer) -> None:
        """One more layer at the end; weights that there are stay."""
        if not isinstance(layer, Layer):
            raise KconvertError(f"{layer!r} is no layer", where=self.name, problem=Problem.USAGE)
        self._chain([*self.layers, layer])

    def pop(self) -> None:
        """Takes the last layer away."""
        self._chain(self.layers[:-1])

    def complete(self, x: Any) -> None:
        if not self.built:
            if not hasattr(x, "shape") or not self.layers:
                raise KconvertError(
                    "the model does not know the shape of its input", self.name, "give the first layer input_shape=..."
                )
            self.build((None, *x.shape[1:]))

    def build(self, shape: Shape) -> None:
        """Completes a chain whose first layer states no input shape: for inputs of `shape`, with the batch axis."""
        if self.layers and not self.built:
            self.layers[0].batch_input_shape = tuple(shape)
            self._chain(self.layers)

    def _chain(self, layers: Sequence[Layer]) -> None:
        chain = list(layers)
        building.name_layers(chain)
        if not chain or (not isinstance(chain[0], (InputLayer, Network)) and chain[0].batch_input_shape is None):
            self.layers, self.nodes, self.input_refs, self.output_refs = chain, [], [], []
            return
        if not isinstance(chain[0], InputLayer):
            chain.insert(
                0,
                InputLayer(
                    batch_input_shape=_input_shape(chain[0]),
                    dtype=_input_dtype(chain[0]),
                    name=f"{chain[0].name}_input",
                ),
            )
        nodes = [Node(chain[0].name, 0, ())]
        for layer in chain[1:]:
            nodes.append(Node(layer.name, first_call(layer), (nodes[-1].output,)))
        backend = getattr(self, "backend", None)
        super().__init__(
            layers=chain,
            nodes=nodes,
            input_refs=[nodes[0].output],
            output_refs=[nodes[-1].output],
            name=self.name,
            trainable=self.trainable,
        )
        self.backend = backend  # a chain that grows or shrinks stays where it runs

    @classmethod
    def from_config(cls, config: Any) -> Sequential:
        """The chain that a Keras 2 configuration describes: a list of layers, or (2.2.3+) a dict with `layers`."""
        if isinstance(config, list):
            config = {"layers": config}
        layers = [layer_from_config(item) for item in config["layers"]]
        model = cls(layers, name=config.get("name") or "sequential_1", trainable=config.get("trainable", True))
        if not model.built:
            what = "the first layer states no input shape" if layers else "a Sequential model needs at least one layer"
            raise KconvertError(what, where=model.name, fix="add batch_input_shape to the first layer")
        return model

    def get_config(self, form: str = "keras2") -> dict[str, Any]:
        return {"name": self.name, "layers": [layer_config(layer, form) for layer in self.sublayers]}


def _ref(value: Sequence[Any]) -> Ref:
    """The tensor that `[layer, call, output, ...]` names in a configuration."""
    layer, call, output = value[:3]
    if not (isinstance(layer, str) and isinstance(call, int) and isinstance(output, int)):
        raise TypeError(f"{value!r} names no tensor")
    return Ref(layer, call, output)


def first_call(layer: Layer) -> int:
    """Index of a layer's first call: Keras counts a nested model's own graph as its call 0."""
    return int(isinstance(layer, Network))


@dataclass(frozen=True)
class LeafWeights:
    """A layer that holds weights itself, where it stands (names from the outermost in), and what weights it has."""

    path: LayerPath
    layer: Layer
    weights: list[Weight]
    trainable: bool


def leaf_weights(layer: Layer, shape: Any, outer: LayerPath = (), trainable: bool = True) -> list[LeafWeights]:
    """The weights of `layer` and of every layer inside it, for inputs of `shape`."""
    path, trainable = (*outer, layer.name), trainable and layer.trainable
    try:
        weights = [] if layer.sublayers else layer.weight_specs(shape)
        inner_shapes = layer.sublayer_shapes(shape)
    except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise _at_layer(error, layer, shape) from error
    table = [LeafWeights(path, layer, weights, trainable)] if weights else []
    for inner, inner_shape in zip(layer.sublayers, inner_shapes, strict=True):
        table += leaf_weights(inner, inner_shape, path, trainable)
    return table


def _at_layer(error: Exception, layer: Layer, shape: Any) -> KconvertError:
    """`error` with the layer it came from; other exceptions mean that the shapes do not fit."""
    if isinstance(error, KconvertError):
        return error if error.where and layer.name in error.where else error.within(f"layer {layer.name}")
    return KconvertError(
        f"a {layer.class_name} cannot take an input of shape {shape}",
        where=f"layer {layer.name}",
        problem=Problem.UNREADABLE,
    )


def _input_shape(layer: Layer) -> Shape:
    """The shape a Sequential takes: its first layer's, or that of the first layer inside it."""
    return layer.input_shapes[0] if isinstance(layer, Network) else tuple(layer.batch_input_shape or ())


def _input_dtype(layer: Layer) -> str | None:
    return layer.input_layers[0].dtype if isinstance(layer, Network) else layer.dtype


def _reachable(nodes: list[Node], outputs: list[Ref]) -> list[Node]:
    """The calls that the outputs need: a layer may also have been called in another model."""
    known = {(node.layer, node.index): node for node in nodes}
    wanted, todo = set(), [(ref.layer, ref.node) for ref in outputs]
    while todo:
        key = todo.pop()
        if key not in wanted and key in known:
            wanted.add(key)
            todo += [(ref.layer, ref.node) for ref in known[key].inputs]
    return [node for node in nodes if (node.layer, node.index) in wanted or not node.inputs]
