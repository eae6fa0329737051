"""Model: a network that trains, predicts, saves and loads.

Attributes and methods are those of Keras 2.3 (`engine/network.py` and `engine/training.py` of 2.3.1). Each method calls
the function or the object that does the work, in this package.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import fields
from functools import singledispatch
from typing import Any, cast

import numpy as np

from ..backend import default_backend, get_backend
from ..backend.base import Backend, Tensor, Variable
from ..backend.computing import SYMBOLS
from ..backend.context import assigned
from ..conventions.words import yaml as words_yaml
from ..conventions.words.calls import accepts_old_words
from ..conversion.planning import Plan
from ..conversion.source import Source
from ..errors import KconvertError, Problem
from ..formats.hdf5.handles import path_to_read, path_to_write
from ..layers import Layer
from ..layers.calls import Symbol
from ..layers.custom import giving
from ..layers.lists import items_of
from ..layers.names import next_name, observe_names
from ..layers.registry import with_custom_objects
from ..network import summary as summary_table
from ..network.added import added
from ..network.functional import graph_between, known_symbols, symbols_of
from ..network.graph import LayerPath, Node, Ref
from ..network.nested import Arrays
from ..network.network import Network, same_network
from . import predicting, presenting, restoring, saving
from .layer_weights import LayerWeights
from .listing import Listing
from .overwriting import may_replace
from .runtime import Runtime
from .store import run_convention
from .trained import TrainedByFit
from .training.trainer import Trainer

log = logging.getLogger(__name__)


class Model(TrainedByFit):
    """A graph of layers that holds weights and runs on a backend (Keras's functional Model).

    inputs, outputs: symbols or lists of symbols, which `Input` and calls of layers return.
    name: used in messages and files. trainable: whether training changes the weights.
    Raises KconvertError where the outputs need an Input that is not among the inputs.

    >>> from kconvert import Input, layers
    >>> x = Input((4,))
    >>> Model(x, layers.Dense(2)(x)).output_shape
    (None, 2)
    """

    @accepts_old_words(name="Model")
    def __init__(self, inputs: Any = None, outputs: Any = None, name: str = "", trainable: bool = True) -> None:
        name = name or next_name("Model" if inputs is not None else type(self).__name__)
        if inputs is None and self.calls_layers is not None:
            Layer.__init__(self, name=name, trainable=trainable)
            self.set_graph([], [], [], [])
        else:
            Network.__init__(self, **graph_between(inputs, outputs), name=name, trainable=trainable)

    @classmethod
    def from_network(cls, network: Network) -> Model:
        """A model with the layers and calls of `network`."""
        model = cls.__new__(cls)
        Network.__init__(
            model,
            all_layers=network.all_layers,
            nodes=network.nodes,
            input_refs=network.input_refs,
            output_refs=network.output_refs,
            name=network.name,
            trainable=network.trainable,
        )
        return model

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Model:
        """The model with the configuration that `get_config` of a functional model returns.

        custom_objects: your functions and classes, by their names in the configuration.
        """
        with with_custom_objects(custom_objects):
            return as_model(Network.from_config(config))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._start(None)

    def set_graph(self, layers: list[Layer], nodes: list[Node], inputs: list[Ref], outputs: list[Ref]) -> None:
        """Replaces the graph. The model keeps its backend and its weights; it is not compiled any more."""
        super().set_graph(layers, nodes, inputs, outputs)
        runtime: Runtime | None = self.__dict__.get("runtime")
        self._start(runtime.backend if runtime else None)

    def _start(self, backend: Backend | None) -> None:
        """Sets everything but the graph to its initial state. Layers keep the weights that they have."""
        observe_names(self.by_name)
        # The weights and compiled functions of this graph.
        self.runtime = Runtime(self, backend)
        # For each tensor of the graph, the symbol that stands for it.
        self._symbols = self.symbols_of_tensors()
        # None until the model is compiled.
        self._trainer: Trainer | None = None
        # The History of the last `fit`.
        self.history: Any = None
        # The plan of the conversion of the file that was loaded, with notes; None if no file was loaded.
        self.conversion: Plan | None = None
        # The network from which this conversion made the current one.
        self.described: Network | None = None
        # A callback sets this to end `fit`.
        self.stop_training = False

    def symbols_of_tensors(self) -> dict[Ref, Symbol]:
        """The symbol of each tensor of the graph; its layers note the calls that they have not noted."""
        return symbols_of(self) if self.nodes else {}

    def restart(self) -> None:
        """Makes the model not compiled, with the weights that its layers hold, on the same backend."""
        self._start(self.runtime.backend)

    def __repr__(self) -> str:
        return presenting.brief(self)

    def __dir__(self) -> list[str]:
        return presenting.listed(self, super().__dir__())

    def _repr_html_(self) -> str | None:
        return presenting.in_notebook(self)

    def __copy__(self) -> Model:
        """A model of the same layers, which shares their weights and is not compiled."""
        result: Model = super().__copy__()
        result._start(None)
        return result

    def __getstate__(self) -> dict[str, Any]:
        """The state of a deep copy or a pickle: the graph with its weights, the backend and the training."""
        left_out = ("runtime", "_symbols", "history", "conversion", "described")
        state = {key: value for key, value in super().__getstate__().items() if key not in left_out}
        backend = self.runtime.backend
        return {**state, "_runs_on": None if backend is None else (backend.name, backend.convention)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        runs_on, trainer = state["_runs_on"], state["_trainer"]
        self.__dict__.update({key: value for key, value in state.items() if key != "_runs_on"})
        self._start(None)
        if runs_on is not None:
            self.start(get_backend(*runs_on))
        if trainer is not None:
            trainer.runtime, self._trainer = self.runtime, trainer

    # --------------------------------------------------------------- layers ----

    def symbols_in(self, K: Backend, values: Mapping[Ref, Tensor]) -> AbstractContextManager[None]:
        def find(symbol: Symbol) -> Tensor:
            return added(symbol, known_symbols(self, self._symbols), self.name).value(K, values)

        return assigned(SYMBOLS, find)

    @property
    def layers(self) -> list[Layer]:
        return self.listing.of(super().layers)

    @property
    def listing(self) -> Listing:
        """What makes the list `layers`."""
        found: Listing = self.__dict__.setdefault("_listing", Listing())
        return found

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer named `name`, or `layers[index]`. Raises KconvertError for an unknown name or index."""
        if index is not None and -len(self.layers) <= index < len(self.layers):
            return self.layers[index]
        if index is None and name in self.by_name:
            return self.by_name[name]
        what = f"there is no layer {name!r}" if index is None else f"there is no layer {index}"
        raise KconvertError(what, self.name, f"its layers are {', '.join(self.by_name)}", Problem.USAGE)

    # -------------------------------------------------------------- weights ----

    @property
    def backend(self) -> Backend | None:
        """The backend that the model runs on; None until it runs for the first time."""
        return self.runtime.backend

    @property
    def variables(self) -> Mapping[LayerPath, Variable]:
        """The variables of the backend by path: the names of the layers, then that of the weight."""
        return self.runtime.variables

    @property
    def arrays(self) -> Arrays:
        """The current weights, in the convention of the backend, nested by the names of layers and weights."""
        return self.runtime.arrays

    @property
    def updates(self) -> list[Any]:
        """The variables that training updates without gradients, such as moving averages."""
        if not self.trainable:
            return []
        calls = Counter(node.layer for node in self.nodes)
        return [
            one
            for layer in self.sublayers
            for one in (layer.updates if layer.is_network else layer.updates_of(calls[layer.name]))
        ]

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on the inputs of the model; for None, those of its layers on no inputs.

        Raises KconvertError for other symbols.
        """
        free = [one for layer in self.sublayers for one in layer.get_updates_for(None)]
        if inputs is None:
            return free
        if not all(one in self.inputs for one in items_of(inputs)):
            fix = "ask a layer for those of its own inputs"
            raise KconvertError("a symbol is no input of the model", self.name, fix, Problem.USAGE)
        return [one for one in self.updates if not any(one is other for other in free)]

    @property
    def losses(self) -> list[Any]:
        """The terms that are added to the loss of the outputs: penalties of regularizers, and symbols of `add_loss`."""
        return [
            *(one for layer in self.sublayers for one in layer.losses),
            *(one.symbol for one in self.added if one.metric is None and one.noted is None),
        ]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses of the layers that depend on `inputs`; for None, those on no inputs."""
        return [one for layer in self.sublayers for one in layer.get_losses_for(inputs)]

    def _held(self) -> LayerWeights | None:
        """The weights; None where the input shape is not known."""
        return LayerWeights(self.runtime) if self.nodes else None

    def count_params(self) -> int:
        """The number of elements of all weights."""
        return sum(summary_table.weight_counts(self).values())

    def start(self, backend: str | Backend | None = None, seed: int | None = None) -> Backend:
        """Gives the model a backend and initial weights, if it has none; returns the backend.

        backend: None for the default backend. seed: of the initial weights, which are the same on every backend.
        Raises KconvertError where the framework is not installed.
        """
        return self.runtime.start(backend, seed)

    def bind(self, backend: Backend, arrays: Arrays) -> Model:
        """Makes the model run on `backend` with the weights `arrays`; returns the model.

        arrays: in the convention of `backend`, nested by the names of layers and weights.
        """
        self.runtime.bind(backend, arrays)
        self.runtime.start()
        if self._trainer is not None:
            self._trainer.use(self.runtime)
        return self

    def load_weights(
        self,
        filepath: Any,
        by_name: bool = False,
        skip_mismatch: bool = False,
        reshape: bool = False,
        *,
        source: str | None = None,
        source_data_format: str | None = None,
        source_release: str | None = None,
    ) -> Model:
        """Sets the weights from an HDF5 file of any convention, converted to the model's backend; returns the model.

        The file is converted as `load_model` does it. Layers that the backend of the model computes differently from
        the backend that saved the file are rewritten in the model; `conversion` says which, and a warning is logged.

        filepath: the path of the file; or an open `h5py.File` or group of one, or a stream of bytes.
        by_name: whether to set the weights of those layers alone that the file has under the same name;
        `conversion.partial` lists them, and the others with the reason. skip_mismatch: with by_name, whether layers
        whose weights have another number or shape stay as they are. reshape: has no effect.
        source: the backend that saved the file, for files that do not state it. source_data_format: the data format
        that the layers had there, for files of weights alone; by default that of the model. source_release: the release
        that saved the file, for files that do not state it.
        Raises KconvertError where the arrays do not match the layers, or a layer cannot be rewritten; then no weight
        has changed.
        """
        if isinstance(backend := cast(object, by_name), str):
            fix = f"name the backend: source={backend!r}"
            raise KconvertError(f"by_name is True or False, not {backend!r}", str(filepath), fix, Problem.USAGE)
        with path_to_read(filepath) as place:
            said = Source(place, source, source_data_format, release=source_release, partial=by_name)
            self._load(said, skip_mismatch)
        return self

    def _load(self, said: Source, skip_mismatch: bool) -> None:
        """Sets the weights from the file that `said` describes."""
        with giving(self.custom_objects):
            networks = [as_model(self), *([self.described] if self.described else [])]  # a copy: this one may change
            goal = run_convention(self.runtime.start())
            taker = restoring.Taker(goal, goal.generation_name)
            done = restoring.read_weights(taker, networks, said, skip_mismatch)
        if not same_network(done.plan.result.model, self):
            log.warning("%s: %s has new layers; build models that use its old layers again", said.path, self.name)
            self._become(as_model(done.plan.result.model))
            self.described = done.described
        self.conversion = done.plan
        if not restoring.assign(self.runtime, done.arrays):
            if said.partial:
                what = "the file has weights of other shapes than the model, which only a whole file can change"
                raise KconvertError(what, str(said.path))
            self.bind(self.start(), done.arrays)

    def _become(self, new: Network) -> None:
        """Takes the layers of `new`; rewritten layers share the weights of the layers that they replace."""
        before = {leaf.path: leaf for leaf in self.weight_table()}
        for leaf in new.weight_table():
            old = before.get(leaf.path)
            if old and [weight.shape for weight in old.weights] == [weight.shape for weight in leaf.weights]:
                leaf.layer.entry = old.layer.entry
        layers, trainer = [self._kept(layer) for layer in new.all_layers], self._trainer
        self.set_graph(layers, new.nodes, new.input_refs, new.output_refs)
        self._stay_compiled(trainer)

    def _kept(self, layer: Layer) -> Layer:
        """The nested model that a new one of its name replaces, with the layers of that; any other layer as it is."""
        old = self.by_name.get(layer.name)
        if not (isinstance(old, Model) and isinstance(layer, Model)):
            return layer
        if not same_network(old, layer):
            old._become(layer)
        return old

    # ---------------------------------------------------------------- files ----

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Writes architecture, weights and the optimizer with its state into an HDF5 file of Keras 2.3.

        filepath: the path of the file; or an open `h5py.File` or group of one, or a stream of bytes.
        overwrite: whether an existing file is replaced; if not, it raises KconvertError; with `kconvert.keras` on a
        terminal, the user is asked. include_optimizer: whether to write the optimizer.
        Raises KconvertError for a model class of the user with `call`.
        """
        if (replaces := may_replace(filepath, overwrite, "save")) is None:
            return
        self.refuse_code()
        with path_to_write(filepath) as place:
            trainer = self._trainer if include_optimizer else None
            saving.save(self.runtime, trainer, self.training_config() if trainer else None, place, replaces)

    def training_config(self) -> dict[str, Any]:
        """The arguments of `compile` as files state them. Raises KconvertError where the model is not compiled."""
        return saving.training_config(self.trainer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Writes the weights alone into an HDF5 file of Keras 2.3; filepath, overwrite: as in `save`."""
        if (replaces := may_replace(filepath, overwrite, "save_weights")) is None:
            return
        with path_to_write(filepath) as place:
            saving.save_weights(self.runtime, place, replaces)

    def to_json(self, **options: Any) -> str:
        """The architecture as JSON of Keras 2.3; options: of `json.dumps`.

        Raises KconvertError for an option of a layer that only Keras 1 has, and for a model class of the user with
        `call`.
        """
        self.refuse_code()
        backend = default_backend() if self.backend is None else self.backend.convention
        return saving.to_json(self, backend, **options)

    def to_yaml(self, **options: Any) -> str:
        """The architecture as YAML of Keras 2.3; options: of `yaml.dump`. Raises KconvertError as `to_json` does."""
        return words_yaml.dump(json.loads(self.to_json()), **options)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
    ) -> None:
        """Prints the layers with their output shapes and numbers of weights, as Keras 2.3.1 does.

        line_length: the number of characters of a line. positions: the ends of the columns, as parts of the line or as
        numbers of characters. print_fn: is called with each line, in place of printing. Raises KconvertError for a
        model whose input shape is not known.
        """
        for line in summary_table.lines(self, line_length, positions):
            (print_fn or print)(line)

    # -------------------------------------------------------------- running ----

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for `x`: an array (samples, ...), for several outputs a list of arrays.

        x: an array; for several inputs a list, or a dict by their names; or a generator, an iterator or a `Sequence`
        of batches. batch_size: 32 if None. verbose: 1 for a progress bar. steps: the number of batches, needed for a
        generator; with arrays each step takes all samples. max_queue_size, workers, use_multiprocessing: have no
        effect; batches are made in this process.
        Raises KconvertError where number or shapes of the inputs do not match the model.
        """
        self.complete(x)
        return predicting.predict(self, self.runtime, x, batch_size, verbose, steps, callbacks)

    def activations(self, x: Any, replaced: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """The output of every layer by name (in a nested model `outer/inner`), for one batch `x`. Not in Keras.

        replaced: tensors by name that the following layers get in place of the computed ones. With all tensors
        replaced, each layer runs alone. Raises KconvertError where the inputs do not match the model, and for a name
        that no layer computes.
        """
        return predicting.activations(self.runtime, x, replaced)

    def reset_states(self) -> None:
        """Sets the states of stateful layers to zero."""
        self.runtime.reset_states()

    @accepts_old_words()
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """`predict` for a generator, under its older name; the options for workers have no effect."""
        return self.predict(generator, steps=steps, verbose=verbose, callbacks=callbacks)


# ------------------------------------------------------------ from networks ----


@singledispatch
def as_model(network: Network) -> Model:
    """A model with the layers of `network`; networks inside it become models too."""
    with_models = copy(network)
    with_models.all_layers = user_layers(network)
    return Model.from_network(with_models)


def user_layers(network: Network) -> list[Layer]:
    """The layers of `network`, in which every network, also that of a wrapper, is a model."""
    return [_as_user_layer(layer) for layer in network.all_layers]


def _as_user_layer(layer: Layer) -> Layer:
    if isinstance(layer, Network):
        return as_model(layer)
    inner = {f.name: getattr(layer, f.name) for f in fields(layer) if isinstance(getattr(layer, f.name), Network)}
    if not inner:
        return layer
    wrapper = copy(layer)
    for name, network in inner.items():
        setattr(wrapper, name, as_model(network))
    return wrapper
