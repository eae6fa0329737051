"""Architecture JSON of Keras 3, written from Keras 2's words (keras-facts: words-of-keras3).

Every option of a layer is stated, because Keras 3 has other defaults than Keras 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from ...arguments import argument
from ...errors import KconvertError, Problem
from ...lazy_dataclasses import dataclass
from .items import GRAPHS, Json, is_item, shown
from .keras1 import Defaults
from .keras3_masks import RECURRENT


@dataclass(frozen=True)
class Graph:
    """The inputs and the shapes of a network, which its configuration does not state."""

    # the configurations of its input layers
    inputs: Sequence[Json]
    # the shapes of all tensors, by the name of the layer, the number of the call, and that of the output
    shapes: Mapping[Any, Sequence[int | None]]


Graphs = Mapping[tuple[str, ...], Graph]
"""Every network by its path: the names of the layers around it, and its own."""

FLOAT = "float32"
"""The dtype of all tensors but inputs that state another one."""

CLASSES = frozenset({
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D",
    "AveragePooling3D", "BatchNormalization", "Bidirectional", "Concatenate", "Conv1D", "Conv2D", "Conv2DTranspose",
    "Conv3D", "Conv3DTranspose", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Cropping1D", "Cropping2D", "Cropping3D",
    "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dot", "Dropout", "ELU", "EinsumDense", "Embedding", "Flatten",
    "GRU", "GRUCell", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "InputLayer", "LSTM",
    "LSTMCell", "LayerNormalization", "LeakyReLU", "Masking", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "Permute", "RNN", "ReLU", "RepeatVector", "Rescaling",
    "Reshape", "SeparableConv1D", "SeparableConv2D", "SimpleRNN", "SimpleRNNCell", "Softmax", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "StackedRNNCells", "Subtract", "TimeDistributed", "UpSampling1D",
    "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
})  # fmt: skip
"""The classes of layers that are written."""

LEFT_OUT = frozenset({"batch_input_shape", "dtype", "implementation", "input_length", "keras1_output_shape", "mode"})
"""Keys that no layer of Keras 3 has, or needs."""

_NO_KERNEL = frozenset({"kernel_initializer", "kernel_regularizer", "kernel_constraint"})
_NOT_TRAINED = frozenset({"trainable", "noise_shape"})
LEFT_OUT_OF: Mapping[str, frozenset[str]] = {
    "ConvLSTM1D": frozenset({"unroll"}),
    "ConvLSTM2D": frozenset({"unroll"}),
    "ConvLSTM3D": frozenset({"unroll"}),
    "Embedding": frozenset({"dropout"}),
    "InputLayer": frozenset({"trainable", "sparse"}),
    "RNN": frozenset({"num_constants"}),  # only cells of the user take constants
    "SeparableConv1D": _NO_KERNEL,
    "SeparableConv2D": _NO_KERNEL,
    "SpatialDropout1D": _NOT_TRAINED,
    "SpatialDropout2D": _NOT_TRAINED,
    "SpatialDropout3D": _NOT_TRAINED,
}
"""Further keys that are left out, by class."""

RENAMED: Mapping[tuple[str, str], str] = {("LeakyReLU", "alpha"): "negative_slope"}
"""Keys that have another name in Keras 3, by class."""

ACTIVATIONS: Mapping[str, Sequence[tuple[str, Json]]] = {
    "hard_sigmoid": (("Rescaling", {"scale": 0.2, "offset": 0.5}), ("ReLU", {"max_value": 1.0})),
}
"""Activations that have another meaning in Keras 3, as layers in sequence (keras-facts: hard-sigmoid)."""

NAMES = frozenset({
    "celu", "elu", "exponential", "gelu", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear",
    "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus",
    "softsign", "squareplus", "swish", "tanh", "tanh_shrink",
})  # fmt: skip
"""The activations that kconvert computes as Keras 3 does."""

OTHER_NAMES = {"log_softmax_v2": "log_softmax", "hard_sigmoid_of_keras3": "hard_sigmoid"}
"""Activations that have another name in Keras 3."""

INITIALIZERS = {"zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform"}
"""Names of initializers that Keras 3 does not have."""

MODULES = {"initializer": "keras.initializers", "regularizer": "keras.regularizers", "constraint": "keras.constraints"}
"""The modules of objects, by the end of the key that holds them."""

OF_KERAS: Mapping[str, frozenset[str]] = {
    "keras.initializers": frozenset({
        "Constant", "Identity", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal",
        "VarianceScaling", "Zeros",
    }),
    "keras.regularizers": frozenset({"L1L2", "OrthogonalRegularizer"}),
    "keras.constraints": frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}),
}  # fmt: skip
"""The classes of these modules that files are written with: those of Keras 2, and what files of Keras 3 have beside."""


def write(item: Json, graphs: Graphs, defaults: Defaults) -> Json:
    """The `{'class_name', 'config'}` of a model in Keras 2's words as Keras 3 writes it.

    Raises KconvertError naming the layer that Keras 3 does not have.
    """
    return _Writer(graphs, defaults).item(item)


@dataclass(frozen=True)
class _Writer:
    graphs: Graphs
    defaults: Defaults
    # the names of the layers around an item
    outer: tuple[str, ...] = field(default=())

    def item(self, item: Json) -> Json:
        """A layer or a model."""
        name, config = item["class_name"], item["config"]
        inside = _Writer(self.graphs, self.defaults, (*self.outer, config.get("name", "")))
        if name in GRAPHS:
            return _object("keras.src.models.functional", "Functional", inside._graph(config))
        if name == "Sequential":
            return _object("keras", name, inside._sequential(config))
        if name not in CLASSES:
            what = f"kconvert has no words of Keras 3 for the layer {name}"
            raise KconvertError(what, f"layer {config.get('name', '?')}", f"use {argument('format', 'keras2')}")
        return _object("keras.layers", name, inside._config(name, config))

    def _config(self, name: str, config: Json) -> Json:
        if name == "InputLayer":
            return _entry(config)
        if name == "Bidirectional":
            config = {**config, **_both_directions(config["layer"])}
        stated = {**self.defaults(name, config), **config}
        left_out = LEFT_OUT | LEFT_OUT_OF.get(name, frozenset())
        return {
            RENAMED.get((name, key), key): self._value(key, value, config.get("name", "?"))
            for key, value in stated.items()
            if key not in left_out
        }

    def _value(self, key: str, value: Any, layer: str) -> Any:
        kind = key.rpartition("_")[2]
        if kind == "activation":
            if is_item(value) and not isinstance(value["config"], Mapping):
                what = f"the activation {value['config']!r} is a function of your own"
                fix = f"use {argument('format', 'keras2')}, or build the model with an activation of Keras"
                raise KconvertError(what, f"layer {layer}", fix)
            return self.item(value) if is_item(value) else _activation(value, layer)
        if kind in MODULES:
            return _of_keras(value, MODULES[kind], f"{key} of layer {layer}")
        if isinstance(value, (list, tuple)):
            return [self._value("", one, layer) for one in value]
        return self.item(value) if is_item(value) else value

    # ---------------------------------------------------------------- models ----

    def _sequential(self, config: Json) -> Json:
        """The layers of a Sequential after the input that Keras 2 leaves out."""
        (entry,) = self.graphs[self.outer].inputs
        first = _object("keras.layers", "InputLayer", _entry(entry))
        trainable = config.get("trainable", True)
        layers = [first, *map(self.item, config["layers"])]
        return {"name": config["name"], "trainable": trainable, "layers": layers}

    def _graph(self, config: Json) -> Json:
        classes = {entry["name"]: entry["class_name"] for entry in config["layers"]}
        layers = []
        for entry in config["layers"]:
            calls = [self._call(entry, call, classes) for call in entry["inbound_nodes"]]
            layers.append({**self.item(entry), "name": entry["name"], "inbound_nodes": calls})
        ends = {key: [_end(ref, classes) for ref in config[key]] for key in ("input_layers", "output_layers")}
        return {
            "name": config["name"],
            "trainable": config.get("trainable", True),
            "layers": layers,
            **{key: refs[0] if len(refs) == 1 else refs for key, refs in ends.items()},
        }

    def _call(self, entry: Json, call: Sequence[Any], classes: Mapping[str, str]) -> Json:
        """One call of a layer: its tensors, with the states of a recurrent layer by keyword."""
        for name, value in (call[0][3] if len(call[0]) > 3 else {}).items():
            if value not in (None, False):
                where = f"layer {entry['name']}"
                what = f"it is called with {name}={value!r}, which predict and fit of Keras 3 do not use"
                fix = "build the model without the argument, load the weights into it, and save that"
                raise KconvertError(what, where, fix)
        first, *others = [self._tensor(ref, classes) for ref in call]
        if not others:
            return {"args": [first], "kwargs": {}}
        if entry["class_name"] in RECURRENT:
            return {"args": [first], "kwargs": {"initial_state": others}}
        return {"args": [[first, *others]], "kwargs": {}}

    def _tensor(self, ref: Sequence[Any], classes: Mapping[str, str]) -> Json:
        layer, call, output = ref[:3]
        graph = self.graphs[self.outer]
        dtypes = {entry["name"]: entry.get("dtype") or FLOAT for entry in graph.inputs}
        return {
            "class_name": "__keras_tensor__",
            "config": {
                "shape": list(graph.shapes[layer, call, output]),
                "dtype": dtypes.get(layer, FLOAT),
                "keras_history": [layer, call - _is_model(classes[layer]), output],
            },
        }


def _is_model(name: str) -> bool:
    return name == "Sequential" or name in GRAPHS


def _end(ref: Sequence[Any], classes: Mapping[str, str]) -> list[Any]:
    """An input or output of a graph: the calls of a nested Sequential count from 0, of a nested graph from 1."""
    layer, call, output = ref[:3]
    return [layer, call - (classes[layer] == "Sequential"), output]


def _object(module: str, name: str, config: Json) -> Json:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _entry(config: Json) -> Json:
    """The configuration of an input layer."""
    return {
        "name": config["name"],
        "batch_shape": list(config["batch_input_shape"]),
        "dtype": config.get("dtype") or FLOAT,
    }


def _both_directions(item: Json) -> Json:
    """Returns the forward and the backward layer of a Bidirectional. Keras 2 states only the forward layer.

    The backward layer has to be stated, too: Keras 3 would always create it with `go_backwards=True`
    (keras-facts: both-directions). `zero_output_for_mask` is None, because Keras 3 sets the outputs of masked steps to
    0 if it has a value (keras-facts: masked-bidirectional).
    """
    config = {"zero_output_for_mask": None, **item["config"]}
    back = {"name": f"backward_{config.get('name', '')}", "go_backwards": not config.get("go_backwards", False)}
    return {"layer": {**item, "config": config}, "backward_layer": {**item, "config": {**config, **back}}}


def _activation(value: Any, layer: str) -> Any:
    """An activation by its name; one that Keras 3 computes differently as a Sequential of that name."""
    name = value or "linear"
    if not isinstance(name, str):
        what = f"{shown(value)} is the activation, and not the name or the configuration of one"
        raise KconvertError(what, f"layer {layer}", problem=Problem.UNREADABLE)
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    if name in ACTIVATIONS:
        layers = [
            _object("keras.layers", cls, {"name": f"{name}_{i}", **config})
            for i, (cls, config) in enumerate(ACTIVATIONS[name])
        ]
        return _object("keras", "Sequential", {"name": name, "layers": layers})
    if name not in NAMES:
        raise KconvertError(
            f"Keras 3 has no activation {name!r}", f"layer {layer}", f"use {argument('format', 'keras2')}"
        )
    return name


def _of_keras(value: Any, module: str, what: str) -> Any:
    """An initializer, a regularizer or a constraint, as Keras 3 writes it."""
    if not is_item(value):
        return INITIALIZERS.get(value, value) if isinstance(value, str) else value
    if value["class_name"] in OF_KERAS[module]:
        return _object(module, value["class_name"], value["config"])
    if module == MODULES["initializer"]:
        return "zeros"  # the weights are in the file and are not drawn
    raise KconvertError(f"Keras 3 has no {value['class_name']}", where=what)
