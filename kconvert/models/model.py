"""Model: a network that trains, predicts, saves and loads, as in Keras 2.3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from ..backend.base import Backend, Variable
from ..conventions.words.calls import MADE_BY_USER, accepts_old_words, renamed
from ..errors import KconvertError, Problem
from ..layers import Layer
from ..layers.calls import Symbol
from ..layers.lists import one_or_list
from ..network import summary as summary_table
from ..network.functional import graph_between, symbols_of
from ..network.graph import LayerPath, Node, Ref
from ..network.nested import Arrays
from ..network.network import Network
from . import predicting, restoring, saving
from .runtime import Runtime
from .training import optimizers
from .training.fit import Fit
from .training.trainer import Trainer


class Model(Network):
    """A graph of layers between symbols, and the arrays it runs with (Keras's functional Model).

    inputs, outputs: symbols, or lists of them: what `Input` and layers called on it gave. Raises KconvertError where
    the outputs need an Input that is not among the inputs.

    >>> from kconvert import Input, layers
    >>> x = Input((4,))
    >>> Model(x, layers.Dense(2)(x)).output_shape
    (None, 2)
    """

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str = "", trainable: bool = True) -> None:
        super().__init__(**graph_between(inputs, outputs), name=name, trainable=trainable)

    @classmethod
    def native_arguments(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """`Model(input=..., output=...)` in the words of Keras 2."""
        return args, renamed("Model", kwargs, MADE_BY_USER)

    @classmethod
    def from_network(cls, network: Network) -> Model:
        """A model of the same layers and calls."""
        model = cls.__new__(cls)
        Network.__init__(
            model,
            layers=network.layers,
            nodes=network.nodes,
            input_refs=network.input_refs,
            output_refs=network.output_refs,
            name=network.name,
            trainable=network.trainable,
        )
        return model

    def __post_init__(self) -> None:
        super().__post_init__()
        self._start(None)

    def set_graph(self, layers: list[Layer], nodes: list[Node], inputs: list[Ref], outputs: list[Ref]) -> None:
        super().set_graph(layers, nodes, inputs, outputs)
        runtime: Runtime | None = self.__dict__.get("runtime")
        self._start(runtime.backend if runtime else None)

    def _start(self, backend: Backend | None) -> None:
        """The graph is new: nothing is compiled yet, and layers keep the arrays they have."""
        self.runtime = Runtime(self, backend)
        self._symbols = symbols_of(self) if self.nodes else {}
        self._trainer: Trainer | None = None
        self.history: Any = None
        self.stop_training = False

    def __getstate__(self) -> dict[str, Any]:
        """A copy, or a pickle, is of the graph alone: what it runs with is made anew."""
        run = ("runtime", "_symbols", "_trainer", "history")
        return {key: value for key, value in super().__getstate__().items() if key not in run}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start(None)

    # ------------------------------------------------------- inputs, outputs ----

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols that the model starts from."""
        return [self._symbols[ref] for ref in self.input_refs]

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols that the model gives."""
        return [self._symbols[ref] for ref in self.output_refs]

    @property
    def input(self) -> Any:
        """The input, or the list of them."""
        return one_or_list(self.inputs)

    @property
    def output(self) -> Any:
        """The output, or the list of them."""
        return one_or_list(self.outputs)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer called `name`, or number `index` of `layers`. Raises KconvertError where there is none."""
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                what = f"there is no layer {index}"
                raise KconvertError(what, self.name, f"the model has {len(self.layers)} layers", Problem.USAGE)
            return self.layers[index]
        if name not in self.by_name:
            fix = f"its layers are {', '.join(self.by_name)}"
            raise KconvertError(f"there is no layer {name!r}", self.name, fix, Problem.USAGE)
        return self.by_name[name]

    # -------------------------------------------------------------- weights ----

    @property
    def backend(self) -> Backend | None:
        """Where the model runs; None until it runs for the first time."""
        return self.runtime.backend

    @property
    def variables(self) -> Mapping[LayerPath, Variable]:
        """The weights on the backend, by the names of layers and weight."""
        return self.runtime.variables

    @property
    def arrays(self) -> Arrays:
        """The weights as they are now, in the convention of the backend, nested by names."""
        return self.runtime.arrays

    @property
    def weights(self) -> list[Variable]:
        """The variables of the backend in Keras's order, as `get_weights` gives their values."""
        paths = self.runtime.paths()
        return [self.runtime.variables[path] for path in paths]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training changes, in Keras's order."""
        trained = self._trained_paths()
        return [self.runtime.variables[path] for path in self.runtime.paths() if path in trained]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training does not change, in Keras's order."""
        trained = self._trained_paths()
        return [self.runtime.variables[path] for path in self.runtime.paths() if path not in trained]

    def _trained_paths(self) -> set[LayerPath]:
        leaves = [leaf for leaf in self.weight_table() if leaf.trainable and self.trainable]
        return {(*leaf.path, weight.name) for leaf in leaves for weight in leaf.weights if weight.trainable}

    def count_params(self) -> int:
        """How many numbers the weights hold."""
        return sum(summary_table.weight_counts(self).values())

    def start(self, backend: str | Backend | None = None, seed: int | None = None) -> Backend:
        """Gives the model a backend and initial weights, where it has none; returns the backend.

        backend: the default one if None. seed: of the weights, the same network on every backend.
        """
        return self.runtime.start(backend, seed)

    def bind(self, backend: Backend, arrays: Arrays) -> Model:
        """Makes the model run on `backend` with `arrays`, nested by names, in that backend's convention."""
        self.runtime.bind(backend, arrays)
        self.runtime.start()
        self._forget_steps()
        return self

    def get_weights(self) -> list[np.ndarray]:
        """The weights in Keras's order, in the convention of the model's backend."""
        return self.runtime.get_weights()

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Takes weights as `get_weights` gives them. Raises KconvertError where number or shapes differ."""
        self.runtime.set_weights(weights)

    def load_weights(self, path: str | PathLike[str], source: str | None = None) -> Model:
        """Takes the weights of an HDF5 file of any convention, converted to the model's backend.

        source: the backend that saved the file, where it does not tell. The data format of the layers
        must be the one the file was saved with. Raises KconvertError where arrays do not fit.
        """
        restoring.load_weights(self.runtime, path, source)
        return self

    # ---------------------------------------------------------------- files ----

    def save(self, path: str | PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Writes the whole model, with the state of its optimizer, as a file of Keras 2 (HDF5)."""
        saving.save(self.runtime, self._trainer if include_optimizer else None, path, overwrite)

    def save_weights(self, path: str | PathLike[str], overwrite: bool = True) -> None:
        """Writes the weights alone as a file of Keras 2 (HDF5)."""
        saving.save_weights(self.runtime, path, overwrite)

    def to_json(self, **options: Any) -> str:
        """The architecture as Keras 2 writes it; options are those of `json.dumps`."""
        backend = {} if self.backend is None else {"backend": self.backend.convention}
        return saving.to_json(self, **backend, **options)

    def summary(self) -> None:
        """Prints the layers with their shapes and numbers of weights."""
        summary_table.summary(self)

    # -------------------------------------------------------------- running ----

    def predict(self, x: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None) -> Any:
        """Outputs for `x` (an array, or a list of them for several inputs), `batch_size` samples at a time.

        x may also give the batches itself, as in `fit`. Raises KconvertError where number or shapes of the
        inputs do not fit.
        """
        self.complete(x)
        return predicting.predict(self.runtime, x, batch_size, steps)

    def activations(self, x: Any, given: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """The output of every layer by name (nested: `outer/inner`), for one batch `x`.

        given: tensors by name that replace the model's own in all that comes after: with every one given, each layer
        runs alone. Raises KconvertError where inputs do not fit, or no layer computes a tensor that is given.
        """
        return predicting.activations(self.runtime, x, given)

    def reset_states(self) -> None:
        """Sets the states of stateful layers to zero."""
        self.runtime.reset_states()

    def complete(self, x: Any) -> None:
        """Builds a model that does not know its input shape yet from data; the graph of a Model is always whole."""

    # ------------------------------------------------------------- training ----

    @accepts_old_words
    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        backend: str | None = None,
        seed: int | None = None,
        jit_compile: bool = False,
    ) -> None:
        """Says what to minimise, how, and what to measure; as in Keras 2.3, plus:

        backend: where a model without one runs ('theano', 'tensorflow'); seed: of its initial weights, the order
        of samples and the noise; jit_compile: through XLA, on TensorFlow. Raises KconvertError for unknown names.
        """
        trainer = Trainer(
            self.runtime,
            optimizers.get(optimizer),
            loss,
            metrics,
            loss_weights,
            sample_weight_mode,
            weighted_metrics,
            backend,
            seed,
            jit_compile,
        )
        self._trainer = None
        if self.output_refs:
            trainer.executor  # noqa: B018  (refuses what does not fit the outputs now, not at the first batch)
        self._trainer = trainer

    @property
    def is_compiled(self) -> bool:
        """Whether the model knows how it trains."""
        return self._trainer is not None

    @property
    def trainer(self) -> Trainer:
        """What `compile` was told. Raises KconvertError where the model is not compiled."""
        if self._trainer is None:
            raise KconvertError(
                "the model is not compiled", self.name, "call model.compile(optimizer, loss)", Problem.USAGE
            )
        self._trainer.runtime = self.runtime
        return self._trainer

    @property
    def optimizer(self) -> Any:
        """The optimizer; None where the model is not compiled."""
        return self._trainer.optimizer if self._trainer else None

    @property
    def loss(self) -> Any:
        """What `compile` was told of the loss; None where the model is not compiled."""
        return self._trainer.loss if self._trainer else None

    @property
    def metrics_names(self) -> list[str]:
        """The labels of what `evaluate` and `train_on_batch` give."""
        return self.trainer.executor.objective.labels

    def _forget_steps(self) -> None:
        if self._trainer is not None:
            self._trainer.forget()

    @accepts_old_words
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Trains for `epochs` rounds through the data; gives the History of losses and metrics.

        x: an array (a list, or a dict by input, where there are several), or what gives batches by itself: a
        generator, an iterator, or a `Sequence`. All as in Keras 2.3. Raises KconvertError where the data does
        not fit the model, and where the loss is no longer a number.
        """
        trainer = self._trainer_for(x)
        loop = Fit(
            self,
            trainer.executor,
            x,
            y,
            batch_size,
            validation_split,
            validation_data,
            shuffle,
            class_weight,
            sample_weight,
            steps_per_epoch,
            validation_steps,
            validation_freq,
            trainer.seed,
        )
        return loop.run(callbacks, epochs, initial_epoch, verbose)

    @accepts_old_words
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
    ) -> Any:
        """The loss over the data, followed by the metrics where there are some (`metrics_names` names them)."""
        return self._trainer_for(x).evaluate(x, y, batch_size, sample_weight, steps)

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        """One step of the optimizer on one batch; its loss (before the step), followed by the metrics."""
        return self._trainer_for(x).on_batch(True, x, y, sample_weight, class_weight)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """The loss of one batch, followed by the metrics."""
        return self._trainer_for(x).on_batch(False, x, y, sample_weight)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        return self.predict(x, batch_size=len(x[0] if isinstance(x, list) else x))

    def _trainer_for(self, x: Any) -> Trainer:
        """The trainer, of a model that learned its input shape from `x` if it had none."""
        trainer = self.trainer
        self.complete(x)
        trainer.runtime = self.runtime
        return trainer

    # ----------------------------------------------------------- generators ----

    @accepts_old_words
    def fit_generator(self, generator: Any, steps_per_epoch: int | None = None, **options: Any) -> Any:
        """`fit` under its older name for what gives batches by itself."""
        return self.fit(generator, steps_per_epoch=steps_per_epoch, **_without_workers(options))

    @accepts_old_words
    def evaluate_generator(self, generator: Any, steps: int | None = None, **options: Any) -> Any:
        """`evaluate` under its older name for what gives batches by itself."""
        return self.evaluate(generator, steps=steps, **_without_workers(options))

    @accepts_old_words
    def predict_generator(self, generator: Any, steps: int | None = None, **options: Any) -> Any:
        """`predict` under its older name for what gives batches by itself."""
        return self.predict(generator, steps=steps, **_without_workers(options))


def _without_workers(options: dict[str, Any]) -> dict[str, Any]:
    """Batches are made in this process: what Keras says about others has no meaning here."""
    return {k: v for k, v in options.items() if k not in ("max_queue_size", "workers", "use_multiprocessing")}
