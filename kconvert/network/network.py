"""Network: a graph of layers as data. It computes shapes, lists weights, and runs on any backend.

A network is a layer, so networks can be nested. It holds no arrays: callers pass them to `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from numbers import Integral
from typing import Any

from ..backend.base import Backend, InputSpec, Tensor
from ..backend.computing import IMAGES, TRAINING, images_in
from ..backend.context import assigned
from ..backend.float_settings import widest
from ..conventions.words.call_arguments import always_trains, check_arguments
from ..errors import AlsoRuntimeError, KconvertError, Problem
from ..layers import InputLayer, Layer
from ..layers.activations import unknown_activations
from ..layers.base import Shape, layer_config
from ..layers.custom import with_objects
from ..layers.lists import as_list, one_or_list
from ..layers.phase import Phase, within
from ..layers.registry import built_in, layer_of_graph
from ..layers.shapes import MOST_AXES
from ..lazy_dataclasses import dataclass
from .added import Added
from .graph import (
    LayerPath,
    LeafWeights,
    Node,
    Producer,
    Ref,
    at_layer,
    by_call,
    first_call,
    in_order,
    layers_in_keras_order,
    leaf_weights,
    reachable,
    renumbered,
)
from .known_shapes import known_shapes

_NOTHING: Mapping[str, Sequence[Tensor]] = {}

Record = Callable[[str, Tensor], Tensor]
"""(name, tensor) -> the tensor that the following layers get."""


@dataclass(eq=False, repr=False)
class Network(Layer):
    """A graph of layers, as Keras's functional Model.

    Raises KconvertError where names repeat, the graph refers to an unknown layer or tensor, or it has a cycle.

    >>> from kconvert.layers import Dense
    >>> entry = InputLayer(batch_input_shape=(None, 4), name="entry")
    >>> calls = [Node("entry", 0, ()), Node("dense", 0, (Ref("entry"),))]
    >>> network = Network([entry, Dense(2, name="dense")], calls, [Ref("entry")], [Ref("dense")])
    >>> network.compute_output_shape((None, 4))
    (None, 2)
    """

    class_name = "Model"
    is_network = True
    drops_mask = True

    # All layers of the graph, in the order of Keras (`layers_in_keras_order`).
    all_layers: list[Layer]
    # The calls of the layers, in an order in which every tensor is computed before it is used.
    nodes: list[Node]
    # The outputs of the input layers.
    input_refs: list[Ref]
    output_refs: list[Ref]

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments unchanged: no generation of Keras has a constructor like this one."""
        return args, kwargs

    def __post_init__(self) -> None:
        self._check_names()
        self._check_ends()
        self.nodes = in_order(self.nodes, self.name)
        self.all_layers = layers_in_keras_order(self.all_layers, self.nodes, self.output_refs)

    def set_graph(self, layers: list[Layer], nodes: list[Node], inputs: list[Ref], outputs: list[Ref]) -> None:
        """Replaces the graph. Raises KconvertError as the constructor does, but does not check the order of `nodes`."""
        self.all_layers, self.nodes, self.input_refs, self.output_refs = layers, nodes, inputs, outputs
        self._check_names()
        self._check_ends()

    def _check_names(self) -> None:
        """Raises KconvertError where a name is not a string or repeats, or inputs or outputs name unknown layers."""
        if not all(isinstance(layer.name, str) and _is_text(layer.name) for layer in self.all_layers):
            raise self._unreadable("layer names must be strings without null characters")
        self.by_name = {layer.name: layer for layer in self.all_layers}
        if len(self.by_name) < len(self.all_layers):
            what = "two layers have the same name"
            raise AlsoRuntimeError(what, str(self.name), "give each a name of its own", Problem.UNREADABLE)
        for ref in (*self.input_refs, *self.output_refs):
            if ref.layer not in self.by_name:
                raise self._unreadable(f"the graph refers to the unknown layer {ref.layer!r}")

    def _check_ends(self) -> None:
        """Raises KconvertError unless inputs are InputLayers, called layers exist, and calls compute the outputs."""
        calls = {(node.layer, node.index) for node in self.nodes}
        for ref in self.input_refs:
            if not isinstance(self.by_name[ref.layer], InputLayer):
                raise self._unreadable(f"the input {ref.layer!r} is not an InputLayer")
            if ref.tensor != 0:
                raise self._unreadable(f"the input {ref.layer!r} has no tensor {ref.tensor}")
        if len(set(self.input_refs)) < len(self.input_refs):  # as Keras refuses it
            raise self._unreadable("the list of inputs is redundant: one input is there twice")
        for node in self.nodes:
            if node.layer not in self.by_name:
                raise self._unreadable(f"the graph calls the unknown layer {node.layer!r}")
        for ref in self.output_refs:
            if ref.call not in calls:
                raise self._unreadable(f"no call of the graph computes the output {ref.key!r}")
        if not self.output_refs:
            raise self._unreadable("the graph has no output")

    def _unreadable(self, what: str) -> KconvertError:
        """The error for a graph that cannot be read."""
        return KconvertError(what, where=str(self.name), problem=Problem.UNREADABLE)

    @property
    def built(self) -> bool:
        """Whether the shape of the input is known."""
        return True

    @property
    def added(self) -> list[Added]:
        """The losses and metrics that were added to the network as symbols."""
        return self.__dict__.setdefault("_added", [])

    @property
    def layers(self) -> list[Layer]:
        """The layers that Keras lists: all of them, but in a Sequential those after the input layer."""
        return list(self.all_layers)

    @property
    def stored_layers(self) -> list[Layer]:
        """The layers that have groups in a file, in its order."""
        return self.layers

    @property
    def image_data_format(self) -> str | None:
        """The data format that all layers which state one have; None where there are none or they differ."""
        stated = {getattr(layer, "data_format", None) for _, layer in self.leaves()} - {None}
        return stated.pop() if len(stated) == 1 else None

    # --------------------------------------------------------------- shapes ----

    @property
    def input_layers(self) -> list[InputLayer]:
        """The layers of the inputs."""
        return [self.by_name[ref.layer] for ref in self.input_refs]  # type: ignore[misc]

    @property
    def input_shapes(self) -> list[Shape]:
        """The shapes of the inputs, with the batch axis."""
        return [tuple(layer.batch_input_shape or ()) for layer in self.input_layers]

    @property
    def floatx(self) -> str:
        """The type of floats in which it computes: float64 where a layer has it, else float32."""
        return widest(layer.floatx for layer in self.all_layers)

    @property
    def input_specs(self) -> list[InputSpec]:
        """Shape and dtype of the inputs, for a compiled function. All floats are of the type in which layers compute.

        A batch has any number of samples, unless `fixed_batch` states it.
        """
        floats = self.floatx
        dtypes = [floats if "float" in (layer.dtype or "float") else str(layer.dtype) for layer in self.input_layers]
        shapes = [(self.fixed_batch, *shape[1:]) for shape in self.input_shapes]
        return [InputSpec(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]

    @property
    def stated_batch(self) -> int | None:
        """The number of samples of a batch that the inputs state."""
        return next((shape[0] for shape in self.input_shapes if shape and shape[0]), None)

    @property
    def fixed_batch(self) -> int | None:
        """The batch size, if the inputs state it and a layer depends on it; None: any size is accepted.

        Other layers compute each sample alone.
        """
        stated = self.stated_batch
        return stated if stated and self.counting_layers else None

    @property
    def counting_layers(self) -> list[str]:
        """The names of the layers that depend on the number of samples of a batch."""
        return [layer.name for layer in _inside(self) if layer.counts_samples]

    def shapes(self, inputs: Sequence[Shape] | None = None) -> dict[Ref, Shape]:
        """The shape of every tensor of the graph.

        inputs: the shapes of the inputs, by default `input_shapes`. Raises KconvertError, which names the layer, where
        shapes do not fit.
        """
        given = [tuple(shape) for shape in inputs or self.input_shapes]
        with known_shapes() as known:
            key = (self, IMAGES.get(), *given)
            if key not in known:
                known[key] = self._shapes(given)
            return dict(known[key])

    def _shapes(self, inputs: Sequence[Shape]) -> dict[Ref, Shape]:
        shapes = dict(zip(self.input_refs, inputs, strict=True))
        with images_in(self.image_data_format):
            for node in self.nodes:
                if node.output not in shapes:
                    shapes.update(self._output_shapes(node, shapes))
        for ref in self.output_refs:
            self._known(shapes, ref)
        return shapes

    def _output_shapes(self, node: Node, shapes: Mapping[Ref, Shape]) -> dict[Ref, Shape]:
        """The shapes of the outputs of a call."""
        layer = self.by_name[node.layer]
        shape = one_or_list([self._known(shapes, ref) for ref in node.inputs])
        try:
            result = as_list(layer.as_called.compute_output_shape(shape))
        except (KconvertError, TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise at_layer(error, layer, shape) from error
        for output in result:
            _check_shape(output, layer)
        return {Ref(node.layer, node.index, i): output for i, output in enumerate(result)}

    def _known(self, shapes: Mapping[Ref, Shape], ref: Ref) -> Shape:
        """The shape of tensor `ref`. Raises KconvertError where no layer computes it."""
        if ref not in shapes:
            raise self._unreadable(f"no layer computes the tensor {ref.key}")
        return shapes[ref]

    def compute_output_shape(self, shape: Any) -> Any:
        shapes = self.shapes(as_list(shape))
        return one_or_list([shapes[ref] for ref in self.output_refs])

    def sublayer_shapes(self, shape: Any) -> list[Any]:
        shapes = self.shapes(as_list(shape))
        calls: dict[str, Any] = {}
        for node in self.nodes:
            if node.inputs:
                calls.setdefault(node.layer, one_or_list([shapes[ref] for ref in node.inputs]))
        return [calls.get(layer.name) for layer in self.sublayers]

    # -------------------------------------------------------------- weights ----

    @property
    def sublayers(self) -> list[Layer]:
        return [layer for layer in self.all_layers if not isinstance(layer, InputLayer)]

    def weight_table(self) -> list[LeafWeights]:
        """The weights of all layers, also of those in nested networks and wrappers, in the order of the layers.

        Layers without weights are left out.
        """
        with known_shapes():
            shapes = self.sublayer_shapes(one_or_list(self.input_shapes))
            pairs = zip(self.sublayers, shapes, strict=True)
            return [leaf for layer, shape in pairs for leaf in leaf_weights(layer, shape)]

    def state_shapes(self) -> dict[LayerPath, tuple[int, ...]]:
        """The shapes of the states that stateful layers keep from batch to batch.

        Keys: the path of the layer and the name of the state.
        """
        states: dict[LayerPath, Any] = {}

        def collect(layer: Layer, shape: Any, outer: LayerPath) -> None:
            path = (*outer, layer.name)
            states.update(((*path, name), sizes) for name, sizes in layer.kept_states(shape).items())
            for inner, inner_shape in zip(layer.sublayers, layer.sublayer_shapes(shape), strict=True):
                collect(inner, inner_shape, path)

        shapes = self.sublayer_shapes(one_or_list(self.input_shapes))
        for inner, inner_shape in zip(self.sublayers, shapes, strict=True):
            collect(inner, inner_shape, ())
        return states

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
        record: Record | None = None,
        prefix: str = "",
        given: Mapping[str, Sequence[Tensor]] = _NOTHING,
    ) -> tuple[dict[Ref, Tensor], dict[Ref, Tensor | None]]:
        """Computes every tensor of the graph and its mask.

        On Theano and TensorFlow it is called while a function is compiled, and builds the symbolic graph; on NumPy it
        is called for each batch, and computes arrays.

        w: the weights in the convention of `K`, nested by the names of layers and weights. inputs, masks: one for each
        input; missing masks are None. record: called with the name and the value of each tensor, also in nested
        networks; its result replaces the value. prefix: what the names begin with. given: the outputs of calls that are
        not made, by name; of a call without outputs, nothing is known, and the calls after it are not made either.
        """
        values = dict(zip(self.input_refs, inputs, strict=True))
        images = self.image_data_format
        all_masks: dict[Ref, Any] = dict(zip(self.input_refs, list(masks) + [None] * len(inputs), strict=False))
        for node in self.nodes:
            name = prefix + node.output.key
            values.update((Ref(*node.output.call, i), tensor) for i, tensor in enumerate(given.get(name, ())))
            if node.output in values or name in given or any(ref not in values for ref in node.inputs):
                continue
            layer = self.by_name[node.layer]
            x = one_or_list([values[ref] for ref in node.inputs])
            mask = one_or_list([all_masks.get(ref) for ref in node.inputs])
            weights, phase = w.get(node.layer, {}), within(training, node.layer)
            stated = node.kwargs if node.kwargs.get("training") is not None else {"training": layer.fixed_phase}
            if phase is not None and stated["training"] in (False, 0):
                phase = phase.of_test(moves=stated is not node.kwargs)
            elif always_trains(stated, ""):
                phase = (Phase(K) if phase is None else phase).of_training(getattr(layer, "stateful", False))
            if isinstance(layer, Network):
                result, result_masks = layer.run(
                    K, weights, as_list(x), as_list(mask), phase, record, f"{name}/", given
                )
                y: Any = [result.get(ref) for ref in layer.output_refs]
                y_mask: Any = [result_masks.get(ref) for ref in layer.output_refs]
            else:
                called = layer.as_called
                with (
                    with_objects(layer),
                    images_in(images),
                    assigned(TRAINING, bool(phase)),
                    self.symbols_in(K, values),
                ):
                    y = called.call(K, weights, x, mask=mask, training=phase)
                    y = K.identity(y) if y is x else y  # as Keras does it (keras-facts: crossentropy-on-tensorflow)
                    y_mask = called.compute_mask(K, x, mask)
                if phase is not None:
                    phase.penalize_activity(called, as_list(y))
            for i, one in enumerate(as_list(y)):
                if one is None:  # an output of a nested network behind a call that is not made
                    continue
                ref = Ref(node.layer, node.index, i)
                stands_in = isinstance(layer, Network) and layer.is_given(layer.output_refs[i], f"{name}/", given)
                values[ref] = record(prefix + ref.key, one) if record and not stands_in else one
                all_masks[ref] = as_list(y_mask)[i] if i < len(as_list(y_mask)) else None
        if training is not None:
            self._report_added(K, values, training)
        return values, all_masks

    def symbols_in(self, K: Backend, values: Mapping[Ref, Tensor]) -> AbstractContextManager[None]:
        """A block in which layers of the user may take symbols from outside; values: the tensors that are computed.

        A network without symbols gives none.
        """
        return nullcontext()

    def _report_added(self, K: Backend, values: Mapping[Ref, Tensor], phase: Phase) -> None:
        """Computes the losses and metrics that were added, for `phase`."""
        for one in self.added:
            if one.metric is None:
                phase.add(K.mean(one.value(K, values)))
            else:
                phase.measure(one.metric, one.value(K, values))

    def refused_call(self, node: Node) -> KconvertError | None:
        """Why a call cannot run; None where it can."""
        layer = self.by_name[node.layer]
        refused = layer.cannot_run or always_trains(node.kwargs, f"layer {node.layer}")
        return refused or next(unknown_activations(layer), None)

    @property
    def cannot_run(self) -> KconvertError | None:
        return next(filter(None, map(self.refused_call, self.nodes)), None)

    def is_given(self, ref: Ref, prefix: str, given: Mapping[str, Sequence[Tensor]]) -> bool:
        """Whether a tensor is an output of one of the calls that are not made, in this network or one inside it."""
        name, layer = prefix + Ref(*ref.call).key, self.by_name[ref.layer]
        if name in given:
            return True
        return isinstance(layer, Network) and layer.is_given(layer.output_refs[ref.tensor], f"{name}/", given)

    def tensor_layers(self, prefix: str = "", outer: LayerPath = ()) -> dict[str, Producer]:
        """The layer that computes each tensor, by the name of the tensor (in nested networks `outer/inner`)."""
        with known_shapes():
            return self._producers(prefix, outer)

    def _producers(self, prefix: str, outer: LayerPath) -> dict[str, Producer]:
        producers: dict[str, Producer] = {}
        refs = by_call(self.shapes())
        for node in self.nodes:
            layer, path = self.by_name[node.layer], (*outer, node.layer)
            if isinstance(layer, Network):
                producers.update(layer.tensor_layers(f"{prefix}{node.output.key}/", path))
            outputs = refs.get(node.output.call, [])
            producers.update((prefix + ref.key, Producer(path, layer)) for ref in outputs)
        return producers

    # -------------------------------------------------------- configuration ----

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Network:
        """The network with the configuration `config` of a functional model of Keras 2.

        Raises KconvertError where the graph is not consistent.
        """
        layers, nodes = [], []
        names = frozenset(item.get("name") for item in config["layers"])
        for item in config["layers"]:
            layer = layer_of_graph(item)
            layer.name = item.get("name", layer.name)
            layers.append(layer)
            if isinstance(layer, InputLayer):
                nodes.append(Node(layer.name, 0, ()))
            for i, call in enumerate(item["inbound_nodes"], start=first_call(layer)):
                kwargs = dict(call[0][3]) if len(call[0]) > 3 else {}
                check_arguments(kwargs, names, f"layer {layer.name}")
                nodes.append(Node(layer.name, i, tuple(map(_ref, call)), kwargs))
        inputs, outputs = (list(map(_ref, config[key])) for key in ("input_layers", "output_layers"))
        late = {layer.name for layer in layers if layer.is_network and not getattr(layer, "built", True)}
        nodes = [replace(node, inputs=tuple(_counted(ref, late) for ref in node.inputs)) for node in nodes]
        outputs = [_counted(ref, late) for ref in outputs]
        nodes, outputs = renumbered(reachable(nodes, outputs), outputs, layers)
        return cls(
            all_layers=layers,
            nodes=nodes,
            input_refs=inputs,
            output_refs=outputs,
            name=config.get("name") or "model_1",
            trainable=config.get("trainable", True),
        )

    def stored_config(self, old_options: bool = False) -> dict[str, Any]:
        return self.stated_config(old_options)

    def arranged(self, architecture: dict[str, Any]) -> dict[str, Any]:
        """The architecture of the network, in the words of its Keras, in the form in which its class states it."""
        return architecture

    def get_config(self) -> dict[str, Any]:
        """The configuration, with those of the layers as Keras 2.3.1 shows them."""
        stated = self.stated_config()
        layers = ((item, self.by_name[item.get("name") or item["config"]["name"]]) for item in stated["layers"])
        return {**stated, "layers": [{**item, "config": layer.get_config()} for item, layer in layers]}

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        calls: dict[str, list[Node]] = {}
        for node in self.nodes:
            calls.setdefault(node.layer, []).append(node)
        layers = []
        for layer in self.all_layers:
            layer_calls = sorted(calls.get(layer.name, []), key=lambda node: node.index)
            inbound = [[[*ref, dict(node.kwargs)] for ref in node.inputs] for node in layer_calls if node.inputs]
            layers.append({**layer_config(layer, old_options), "name": layer.name, "inbound_nodes": inbound})
        return {
            "name": self.name,
            "layers": layers,
            "input_layers": [list(ref) for ref in self.input_refs],
            "output_layers": [list(ref) for ref in self.output_refs],
        }


def same_network(one: Network, other: Network) -> bool:
    """Whether two networks have the same graph, and layers of the same configurations.

    Layers that both share are the same, even where they have no configuration that could be stored.
    """
    if (one.nodes, one.input_refs, one.output_refs) != (other.nodes, other.input_refs, other.output_refs):
        return False
    pairs = list(zip(one.all_layers, other.all_layers, strict=False))
    return len(one.all_layers) == len(other.all_layers) and all(_same_layer(*pair) for pair in pairs)


def _same_layer(one: Layer, other: Layer) -> bool:
    if isinstance(one, Network) and isinstance(other, Network):
        return one.name == other.name and same_network(one, other)
    return one is other or layer_config(one) == layer_config(other)


def _inside(layer: Layer) -> Iterator[Layer]:
    """All layers inside `layer`, of wrappers too."""
    for inner in layer.sublayers:
        yield inner
        yield from _inside(inner)


def _ref(value: Any) -> Ref:
    """The tensor that `[layer, call, output, ...]` in a configuration refers to."""
    if not (isinstance(value, list | tuple) and [*map(type, value[:3])] == [str, int, int]):
        raise KconvertError(f"the architecture refers to a tensor by {value!r}", problem=Problem.UNREADABLE)
    layer, call, output = value[:3]
    return Ref(layer, call, output)


def _counted(ref: Ref, late: Collection[str]) -> Ref:
    """A tensor by the number of its call (keras-facts: first-call-of-a-model).

    late: the networks that had no graph, which would be call 0, when they were called.
    """
    return ref._replace(node=ref.node + 1) if ref.layer in late else ref


built_in(Network, name=Network.class_name)


def _is_text(name: str) -> bool:
    """Whether a file can hold a name: JSON may have halves of characters, and names in HDF5 end at a null character."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in name


def _check_shape(shape: Shape, layer: Layer) -> None:
    """Raises KconvertError for a shape that no array has: a value in a file may be anything."""
    numbers = all(size is None or type(size) is int or isinstance(size, Integral) for size in shape)
    if not numbers or len(shape) > MOST_AXES or any(size is not None and abs(size) >= 2**63 for size in shape):
        found = f"the shape {shape}" if not numbers else "a shape that no array has"
        raise KconvertError(
            f"this is not the configuration of a {layer.class_name}: its output would have {found}",
            where=f"layer {layer.name}",
            problem=Problem.UNREADABLE,
        )
