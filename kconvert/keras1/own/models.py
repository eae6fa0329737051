"""Model and Sequential of Keras 1.2.2, and functions that make them from networks and configurations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import fields
from typing import Any

import numpy as np

from ...backend.image_format import default_data_format
from ...conventions.words.files import stated_data_formats
from ...errors import KconvertError, Problem
from ...layers import Layer
from ...layers.base import layer_config
from ...layers.calls import Call, Symbol, calls_behind
from ...layers.component_names import stated
from ...layers.names import next_name
from ...layers.registry import with_custom_objects
from ...models import configurations, model, sequential
from ...network import sequential as networks
from ...network.functional import graph_between
from ...network.network import Network
from .built_in import in_keras1
from .container import Container
from .ignored import ignoring
from .initializations import with_initializations
from .merging import Merge as Merge
from .topology import CLASSES, InputLayer, item_of_layer

Node = Call
"""A call of a layer, under its name in Keras."""


class Model(Container):
    """A graph of layers between symbols.

    input, output: symbols or lists of symbols.
    """

    class_name = "Model"

    def __init__(self, input: Any, output: Any, name: str | None = None) -> None:
        super().__init__(input, output, name or "")

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The model with a configuration that `get_config` returned. custom_objects: as for `model_from_config`."""
        return model_from_config({"class_name": "Model", "config": config}, custom_objects)


class Sequential(sequential.Sequential, Model):
    """A list of layers. The first one may be a `Merge` of layers or models; then the model has their inputs.

    layers: the list. Raises KconvertError where the first layer states no input shape.
    """

    # The layers after a Merge of models, with the Merge; None for other models.
    merged: list[Layer] | None = None
    # Whether its first layer is an InputLayer that the user gave, which Keras 1.2.2 lists.
    states_input = False

    def __init__(self, layers: Sequence[Layer] | None = None, name: str | None = None) -> None:
        super().__init__((), name)
        for layer in layers or ():
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        if self.merged is not None:
            return self.merged
        return self.listing.of(self.all_layers if self.states_input else super().layers)

    @property
    def model(self) -> Sequential:
        """The model itself, which in Keras 1.2.2 holds the graph of its layers."""
        return self

    @property
    def flattened_layers(self) -> list[Layer]:
        """All layers: behind a Merge of models those of the models first, and the Merge itself is left out."""
        if self.merged is None:
            return self.layers
        branches = self.merged[0].__dict__["_branches"]
        inner = [layer for branch in branches for layer in _flattened(branch)]
        return [*dict.fromkeys(inner), *self.merged[1:]]

    @property
    def stored_layers(self) -> list[Layer]:
        return self.flattened_layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer named `name`, or that with the number `index`, where the InputLayer has the number 0.

        Raises KconvertError for an unknown name or index.
        """
        if index is not None and self.merged is None and -len(self.all_layers) <= index < len(self.all_layers):
            return self.all_layers[index]
        return super().get_layer(name, index)

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        config = (Network if self.merged else networks.Sequential).stated_config(self, old_options)
        if self.states_input and self.merged is None:
            config["layers"].insert(0, layer_config(self.all_layers[0], old_options))
        return config

    def get_config(self) -> Any:
        """The class and the configuration of each layer, as a list."""
        return self.items_by(item_of_layer)

    def arranged(self, architecture: dict[str, Any]) -> dict[str, Any]:
        if self.merged is None or not self.is_of_models:
            return architecture
        entries = {entry["name"]: entry for entry in architecture["config"]["layers"]}

        def item_of(layer: Layer) -> dict[str, Any]:
            if layer.name in entries:
                return {key: entries[layer.name][key] for key in ("class_name", "config")}
            if isinstance(layer, Sequential):
                return {"class_name": "Sequential", "config": layer.items_by(item_of)}
            assert isinstance(layer, Network)
            ends = {"input_layers": layer.input_refs, "output_layers": layer.output_refs}
            return {
                "class_name": "Model",
                "config": {
                    "name": layer.name,
                    "layers": [entries[one.name] for one in layer.layers],
                    **{key: [list(ref) for ref in refs] for key, refs in ends.items()},
                },
            }

        return {**architecture, "class_name": "Sequential", "config": self.items_by(item_of)}

    @property
    def is_of_models(self) -> bool:
        """Whether all branches of its Merge are models, and those of a Merge in them."""
        branches = () if self.merged is None else self.merged[0].__dict__["_branches"]
        return all(isinstance(one, Network) and getattr(one, "is_of_models", True) for one in branches)

    def items_by(self, item_of: Callable[[Layer], dict[str, Any]]) -> list[dict[str, Any]]:
        """The class and the configuration of each layer; item_of: those of one layer, or of a branch of a Merge."""
        entries = [item_of(layer) for layer in self.layers]
        if self.merged is not None:
            branches = [item_of(branch) for branch in self.merged[0].__dict__["_branches"]]
            entries[0] = {**entries[0], "config": {**entries[0]["config"], "layers": branches}}
        return entries

    @classmethod
    def from_config(cls, config: Any, layer_cache: Any = None) -> Any:
        """The model with a configuration that `get_config` returned. layer_cache: has no effect."""
        return model_from_config({"class_name": "Sequential", "config": config})

    def add(self, layer: Layer) -> None:
        """Adds a layer at the end. Raises KconvertError where the first layer states no input shape."""
        if isinstance(layer, Layer) and not self.all_layers and _merges(layer):
            self.put_behind([layer], layer.output)
        elif self.merged is not None:
            self.put_behind([*self.merged, layer], layer(self.outputs[0]))
        else:
            if not self.all_layers and isinstance(layer, Layer):
                self._begin_with(layer)
            super().add(layer)

    def _begin_with(self, layer: Layer) -> None:
        """Adds the input in front of the first layer. Raises KconvertError where that states no input shape."""
        self.states_input = isinstance(layer, InputLayer)
        if entry := _entry(layer):
            super().add(entry)
        elif layer.batch_input_shape is None and not (layer.is_network and layer.built):
            fix = "give it input_shape=..."
            raise KconvertError("the first layer states no input shape", f"layer {layer.name}", fix, Problem.USAGE)

    def put_behind(self, layers: list[Layer], output: Any) -> None:
        """Makes the model a graph that ends with `output`, which `layers` compute."""
        self.merged, self.class_name = layers, "Model"
        inputs = [call.outputs[0] for call in calls_behind([output]) if not call.inputs]
        graph = graph_between(inputs, output)
        self.set_graph(graph["all_layers"], graph["nodes"], graph["input_refs"], graph["output_refs"])

    def pop(self) -> None:
        """Removes the last layer. Raises KconvertError behind a Merge of models."""
        if self.merged is not None:
            what = "layers behind a Merge cannot be removed"
            raise KconvertError(what, self.name, "build the model again", Problem.UNSUPPORTED)
        super().pop()

    @ignoring("class_mode")
    def compile(
        self, optimizer: Any, loss: Any, metrics: Any = None, sample_weight_mode: Any = None, **kwargs: Any
    ) -> None:
        """Sets loss, optimizer and metrics, as `Model.compile`; loss_weights goes by name."""
        weights = kwargs.pop("loss_weights", None)
        Container.compile(self, optimizer, loss, metrics, weights, sample_weight_mode, **kwargs)

    fit = ignoring("show_accuracy")(Container.fit)
    fit_generator = ignoring("show_accuracy", "nb_val_worker")(Container.fit_generator)
    evaluate = ignoring("show_accuracy")(Container.evaluate)
    evaluate_generator = ignoring("show_accuracy", "verbose")(Container.evaluate_generator)
    test_on_batch = ignoring("accuracy")(Container.test_on_batch)

    @ignoring("accuracy")
    def train_on_batch(self, x: Any, y: Any, class_weight: Any = None, sample_weight: Any = None) -> Any:
        """As `Model.train_on_batch`, with the weights in the other order."""
        return Container.train_on_batch(self, x, y, sample_weight, class_weight)

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: int = 1) -> np.ndarray:  # type: ignore[override]
        """The outputs for `x`, of a model whose outputs are probabilities."""
        return super().predict_proba(x, batch_size, verbose)

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: int = 1) -> np.ndarray:  # type: ignore[override]
        """The class of each sample: the position of the greatest output; for one output 1 above 0.5, else 0."""
        return super().predict_classes(x, batch_size, verbose)


def _entry(layer: Any) -> InputLayer | None:
    """The input in front of the first layer of a Sequential, with the name that Keras 1.2.2 gives it."""
    shape = None if getattr(layer, "is_network", True) or isinstance(layer, InputLayer) else layer.batch_input_shape
    if shape is None:
        return None
    name = next_name(f"{type(layer).__name__.lower()}_input")
    return InputLayer(batch_input_shape=shape, input_dtype=stated(layer, "dtype"), name=name)


def _merges(layer: Layer) -> bool:
    """Whether a layer merges layers and models already."""
    return "_branches" in layer.__dict__


def _flattened(branch: Layer) -> list[Layer]:
    """The layers of a branch of a Merge: of a model all of them, else the layer itself."""
    if isinstance(branch, Sequential):
        return branch.flattened_layers
    return branch.layers if isinstance(branch, Network) else [branch]


CLASSES.update(Model=Model, Sequential=Sequential)


def as_stated(network: Network, config: Any) -> Any:
    """The model of Keras 1.2.2 with the layers of `network`, of the class that its configuration states.

    config: `{'class_name': ..., 'config': ...}` in the words of any Keras.
    """
    made = as_keras1(network)
    if isinstance(made, Sequential):
        made.states_input = _states_input(config)
    return _behind_merge(config["config"], made.outputs[0]) if _states_branches(config, made.by_name) else made


def _states_input(config: Any) -> bool:
    """Whether a configuration is of a Sequential that begins with an InputLayer."""
    entries = config.get("config")
    listed = entries.get("layers") if isinstance(entries, Mapping) else entries
    return bool(listed) and next(iter(listed or ())).get("class_name") == "InputLayer"


def _states_branches(config: Any, known: Collection[str]) -> bool:
    """Whether a configuration is of a Sequential of known layers that begins with a Merge of models."""
    entries = config["config"] if config.get("class_name") == "Sequential" else None
    if not isinstance(entries, list) or not all(entry.get("config", {}).get("name") in known for entry in entries):
        return False
    branches = entries[0]["config"].get("layers") if entries and entries[0].get("class_name") == "Merge" else ()
    return bool(branches) and all(branch["class_name"] in ("Sequential", "Model") for branch in branches)


def _behind_merge(entries: Sequence[Mapping[str, Any]], output: Symbol) -> Sequential:
    """The Sequential with the configuration `entries`, which begins with a Merge and computes `output`."""
    calls = calls_behind([output])
    by_name = {call.layer.name: call for call in calls}
    found = [by_name[entry["config"]["name"]] for entry in entries]
    merge = found[0].layer
    branches = zip(entries[0]["config"]["layers"], found[0].inputs, strict=True)
    merge.__dict__["_branches"] = [_branch(item, symbol) for item, symbol in branches]
    made = Sequential()
    made.put_behind([call.layer for call in found], output)
    return made


def _branch(item: Mapping[str, Any], output: Symbol) -> Container:
    """The model with the configuration `item`, which computes `output`."""
    calls = calls_behind([output])
    if item["class_name"] == "Model":
        inputs = {call.layer.name: call.outputs[0] for call in calls}
        config = item["config"]
        return Model([inputs[name] for name, *_ in config["input_layers"]], output, config.get("name"))
    layers = [call.layer for call in calls]
    known = [layer.name for layer in layers]
    if _states_branches(item, known):
        return _behind_merge(item["config"], output)
    made = Sequential(layers)
    made.states_input = _states_input(item)
    return made


def as_keras1(network: Network) -> Any:
    """A model of Keras 1.2.2 with the layers of `network`, also those of networks in it."""
    layers = [in_dialect(layer) for layer in network.all_layers]
    if isinstance(network, networks.Sequential):
        made = Sequential(layers, network.name)
        made.states_input = False  # the network has one in any case
        return made
    copied = copy(network)
    copied.all_layers = layers
    return Model.from_network(copied)


def in_dialect(layer: Layer) -> Layer:
    """The layer as one of the class that it has in Keras 1.2.2; networks in it are models of Keras 1.2.2."""
    if isinstance(layer, Network):
        made: Layer = as_keras1(layer)
        return made
    for f in fields(layer):
        if isinstance(inner := getattr(layer, f.name, None), Layer):
            setattr(layer, f.name, in_dialect(inner))
    return in_keras1(layer)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `{'class_name': ..., 'config': ...}` describes, with initial weights.

    A layer that does not state its dim_ordering has that of all others, else that of `K.image_dim_ordering`.
    """
    data_format = None if len(set(stated_data_formats(config))) == 1 else default_data_format()
    with with_custom_objects(custom_objects), with_initializations():
        return as_stated(configurations.network_of(config, data_format), config)


class _Listed(model.Model):
    """A graph whose layers a file has in the order of a list."""

    listed: Sequence[Layer]

    @property
    def stored_layers(self) -> list[Layer]:
        return [self.by_name[layer.name] for layer in self.listed]


@model.as_model.register
def _as_model(network: Sequential) -> model.Model:
    """A model with the layers of `network`: behind a Merge of models, one for a graph."""
    if network.merged is None:
        plain: model.Model = model.as_model.dispatch(networks.Sequential)(network)
        return plain
    with_models = copy(network)
    with_models.all_layers = model.user_layers(network)
    made = _Listed.from_network(with_models)
    made.listed = network.flattened_layers
    return made
