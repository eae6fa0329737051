"""Executor: the compiled steps of a model that is trained or evaluated.

A step is one compiled function of the backend, for one batch: it runs the layers and computes the losses and, in
training, the gradients, the update of the optimizer and the constraints. There is one step for training and one for
testing, and for each combination of shapes of labels and sample weights. All steps share variables: the weights, the
slots and scalars of the optimizer, the states of stateful layers, the sums of metrics, and the seed of random layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...backend.base import Backend, Compiled, InputSpec, Tensor, Variable
from ...backend.computing import PRESENT, SYMBOLS, TRAINING
from ...backend.context import assigned
from ...backend.float_settings import as_float, floatx, keeping_epsilon
from ...conventions.roles import Weight
from ...errors import KconvertError, Problem
from ...layers.calls import Symbol
from ...layers.custom import giving
from ...layers.phase import Phase
from ...network.added import added
from ...network.float_type import in_type_of_network
from ...network.functional import symbols_of
from ...network.graph import LayerPath, LeafWeights, Ref
from ...network.nested import nest
from ...network.network import Network
from ...network.sample_inputs import check_batch
from ..runtime import Runtime
from . import constraints, regularizers
from .objective import Objective
from .optimizer import Optimizer
from .weighting import masked_weights

VariableKey = tuple[Any, ...]
"""The kind of a variable, then its name:

    ("weight", "dense_1", "kernel")       the path of the weight
    ("state", "lstm_1", ...)              the path of the state of a stateful layer
    ("slot", "dense_1", "kernel", "m")    the path of the weight, the name of the slot
    ("scalar", "iterations")              the name of the scalar of the optimizer
    ("number", "momentum")                the name of the hyperparameter, which callbacks may change
    ("metric", "acc", "total")            the label of the metric, the name of its variable
    ("mean", "loss")                      the label of the loss; the sum over batches, and the number of samples
"""

Values = Mapping[VariableKey, Tensor]

SEED: VariableKey = ("seed",)
"""Two integers: the seed of random layers, and the number of the step."""


class Executor:
    """The compiled steps of one model on its backend, and their variables.

    seed: of random layers. jit_compile: whether TensorFlow compiles the steps with XLA.
    """

    def __init__(
        self, runtime: Runtime, objective: Objective, optimizer: Optimizer, seed: int = 0, jit_compile: bool = False
    ) -> None:
        self.network, self.objective, self.optimizer = runtime.network, objective, optimizer
        self.K: Backend = runtime.start()
        self.jit_compile = jit_compile
        self.leaves: list[LeafWeights] = self.network.weight_table()
        self.trained = trained_paths(self.network)
        self.variables: dict[VariableKey, Variable] = {("weight", *path): v for path, v in runtime.variables.items()}
        self.variables.update((("state", *path), v) for path, v in runtime.keep_states().items())
        self._steps: dict[Any, Compiled] = {}
        # The hyperparameters of the last step.
        self._numbers: dict[str, float] = {}
        made: dict[VariableKey, Any] = {SEED: np.array([seed, 0], "int32")}
        means = (*objective.loss_labels, *objective.added.values())
        made.update((("mean", label), np.zeros(2, self.network.floatx)) for label in means)
        self._add(made)
        for tracked in objective.track_on(self.K):
            held = tracked.metric.variables.items()
            self.variables.update((("metric", tracked.label, name), one.native(self.K)) for name, one in held)
        self.start_optimizer()
        optimizer.attach(self)

    def _add(self, arrays: Mapping[VariableKey, Any]) -> None:
        self.variables.update((key, self.K.variable(np.asarray(array))) for key, array in arrays.items())

    # ------------------------------------------------------------ variables ----

    @in_type_of_network
    def start_optimizer(self) -> None:
        """Makes the slots of the optimizer, with their values before the first step; its scalars stay as they are."""
        shapes = {path: array.shape for path, array in zip(self.trained, self.read_trained(), strict=True)}
        self.optimizer.prepare(list(shapes.values()))
        held = self.optimizer.variables(self.K)
        self.variables.update((("scalar", name), variable) for name, variable in held.items())
        scalars = self.optimizer.scalars().items()
        made: dict[VariableKey, Any] = {("scalar", name): array for name, array in scalars if name not in held}
        for path, shape in shapes.items():
            made.update((("slot", *path, name), array) for name, array in self.optimizer.slots(shape).items())
        made.update((("number", name), as_float(0.0)) for name in self.optimizer.numbers)
        self._numbers = {}
        self._add(made)

    def read_trained(self) -> list[np.ndarray]:
        """The values of the weights that training changes, in the order of the layers."""
        return [self.K.value(self.variables[_key("weight", path)]) for path in self.trained]

    def variables_of(self, kind: str) -> dict[VariableKey, Variable]:
        """The variables of one kind ('weight', 'slot', 'scalar', ...), by their names."""
        return {key[1:]: variable for key, variable in self.variables.items() if key[0] == kind}

    def read(self, kind: str) -> dict[VariableKey, np.ndarray]:
        """The values of the variables of one kind, by their names."""
        return {name: self.K.value(variable) for name, variable in self.variables_of(kind).items()}

    def write(self, kind: str, arrays: Mapping[VariableKey, np.ndarray]) -> None:
        """Sets variables of one kind, by their names."""
        for key, array in arrays.items():
            self.K.assign(self.variables[_key(kind, key)], array)

    def reset(self, *kinds: str) -> None:
        """Sets all variables of these kinds to zero."""
        for key, variable in self.variables.items():
            if key[0] in kinds:
                self.K.assign(variable, np.zeros_like(self.K.value(variable)))

    def reset_loss(self) -> None:
        """Sets the sum of the total loss to zero; those of the losses of outputs go on."""
        self.K.assign(self.variables[_key("mean", ("loss",))], np.zeros(2, floatx()))

    # ---------------------------------------------------------------- steps ----

    def step(self, training: bool, xs: Sequence[Any], ys: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
        """Runs one batch; returns the values of `Objective.loss_labels`: the total loss, for several outputs each loss.

        training: whether the optimizer changes the weights. xs: an array for each input. ys, weights: labels and sample
        weights of each output, None where it has no loss or no sample weights.
        """
        check_batch(self.network, len(xs[0]))
        given = [array for array in (*xs, *ys, *weights) if array is not None]
        shape = tuple(None if array is None else np.shape(array)[1:] for array in (*ys, *weights))
        key = training, shape
        if key not in self._steps:
            self._steps[key] = self._compile(training, ys, weights)
        if training:
            self._set_numbers()
        return self._steps[key](given)

    def _set_numbers(self) -> None:
        """Sets the variables of the hyperparameters that have changed since the last step."""
        numbers = self.optimizer.numbers
        for name, number in numbers.items():
            if number != self._numbers.get(name):
                self.K.assign(self.variables[_key("number", (name,))], np.array(number))
        self._numbers = numbers

    @in_type_of_network
    def _compile(self, training: bool, ys: Sequence[Any], weights: Sequence[Any]) -> Compiled:
        """Compiles the step for labels and sample weights of these shapes."""
        present = [array is not None for array in (*ys, *weights)]
        specs = self.network.input_specs + [
            InputSpec((None, *np.shape(array)[1:])) for array in (*ys, *weights) if array is not None
        ]
        keys = [key for key in self.variables if training or key[0] not in ("slot", "scalar", "number", *SEED)]
        n = len(self.network.input_refs)

        def build(values: list[Tensor], inputs: list[Tensor]) -> tuple[list[Tensor], dict[int, Tensor]]:
            rest = iter(inputs[n:])
            given = [next(rest) if is_present else None for is_present in present]
            half = len(given) // 2
            held = dict(zip(keys, values, strict=True))
            weights = nest((key[1:], value) for key, value in held.items() if key[0] == "weight")
            with assigned(PRESENT, (self.K, self.network, weights)):
                outputs, updates = self._run_batch(held, inputs[:n], given[:half], given[half:], training)
            return outputs, {keys.index(key): new for key, new in updates.items()}

        with giving(self.network.custom_objects):
            return self.K.compile_updating(build, specs, [self.variables[key] for key in keys], self.jit_compile)

    def _run_batch(
        self, values: Values, xs: list[Tensor], ys: list[Any], weights: list[Any], training: bool
    ) -> tuple[list[Tensor], dict[VariableKey, Tensor]]:
        """The losses of one batch, and the new values of variables by their keys."""
        K, objective = self.K, self.objective
        phase = Phase(K, training, values.get(SEED))
        held = {key[1:]: value for key, value in values.items() if key[0] in ("weight", "state")}
        tensors, masks = self.network.run(K, nest(held.items()), xs, training=phase)
        outputs = [tensors[ref] for ref in self.network.output_refs]
        output_masks = [masks[ref] for ref in self.network.output_refs]
        find: Callable[[Symbol], Tensor] = partial(self._tensor_of, tensors)
        during_losses = assigned(TRAINING, training and self.network.uses_phase)
        with assigned(SYMBOLS, find), during_losses, keeping_epsilon(objective.epsilon):
            total, parts = objective.total(K, ys, outputs, weights, output_masks)
        if not objective.trained and not phase.penalties and not self._regularized():
            raise KconvertError("no output has a loss, and no layer adds one", self.network.name, problem=Problem.USAGE)
        total = total + self._penalty(K, values, phase)

        updates = self._layer_updates(values, phase)
        for tracked in objective.tracked:
            i, label = tracked.output, tracked.label
            before = {name: values["metric", label, name] for name in tracked.metric.variables}
            weight = masked_weights(K, weights[i] if tracked.weighted else None, output_masks[i])
            with keeping_epsilon(objective.epsilon):
                new = tracked.metric.updated(K, before, ys[i], outputs[i], weight)
            updates.update((("metric", label, name), K.stop_gradient(one)) for name, one in new.items())
        for path, label in objective.added.items():
            value = K.stop_gradient(K.cast(phase.measures[path], floatx()))
            count = K.sum(K.zeros(K.shape(value)) + 1.0)
            updates["mean", label] = values["mean", label] + K.stack([K.sum(value), count])
        size = K.cast(K.shape(xs[0])[0], floatx())
        shown = [total, *(parts if len(objective.loss_labels) > 1 else ())]
        by_samples = [True, *(one.by_samples for one in objective.losses if one is not None)]
        for label, loss, over_samples in zip(objective.loss_labels, shown, by_samples, strict=False):
            # As in Keras 2.3.1, the total is averaged over samples, the loss of an output over batches.
            count = size if over_samples else K.constant(1.0)
            updates["mean", label] = values["mean", label] + K.stack([loss * count, count])
        if training:
            updates.update(self._optimizer_updates(values, total))
            updates[SEED] = values[SEED] + K.constant([0, 1], "int32")
        return shown, updates

    def _tensor_of(self, tensors: Mapping[Ref, Tensor], symbol: Symbol) -> Tensor:
        """The tensor of a symbol that a loss of the user takes from outside; tensors: those of the batch."""
        known = {one: ref for ref, one in symbols_of(self.network).items()}
        return added(symbol, known, self.network.name).value(self.K, tensors)

    def _penalty(self, K: Backend, values: Values, phase: Phase) -> Tensor:
        """The sum of the penalties of regularizers: on weights, and on outputs that layers reported to `phase`."""
        penalty: Tensor = K.constant(0.0)
        for leaf in self.leaves:
            for weight in leaf.weights:
                regularizer = regularizers.get(regularizer_of(leaf, weight))
                if regularizer is not None:
                    penalty = penalty + regularizer.penalty(K, values[_key("weight", (*leaf.path, weight.name))])
        for spec, x in phase.penalties:
            regularizer = regularizers.get(spec)
            if regularizer is not None:
                penalty = penalty + regularizer.penalty(K, x)
        return penalty

    def _regularized(self) -> bool:
        """Whether a weight has a regularizer."""
        return any(regularizer_of(leaf, weight) for leaf in self.leaves for weight in leaf.weights)

    def _layer_updates(self, values: Values, phase: Phase) -> dict[VariableKey, Tensor]:
        """The new values that layers reported to `phase`: of all states, and of weights whose layer is trainable."""
        trainable = {
            leaf.path for leaf in self.leaves if (leaf.trainable and self.network.trainable) or leaf.layer.moves_frozen
        }
        updates: dict[VariableKey, Tensor] = {}
        for path, new in phase.updates.items():
            if ("state", *path) in values:
                updates[_key("state", path)] = new
            elif path[:-1] in trainable:
                updates[_key("weight", path)] = new
        return updates

    def _optimizer_updates(self, values: Values, total: Tensor) -> dict[VariableKey, Tensor]:
        """The new weights, with their constraints applied, and the new slots and scalars of the optimizer."""
        K = self.K
        keys = [("weight", *path) for path in self.trained]
        slots = [
            {key[-1]: value for key, value in values.items() if key[:-1] == ("slot", *path)} for path in self.trained
        ]
        scalars = {key[1]: value for key, value in values.items() if key[0] == "scalar"}
        before = [values[key] for key in keys]
        # With respect to variables: a loss of the user may read the weights of layers itself.
        gradients = K.gradients(total, [self.variables[key] for key in keys])
        numbers = {key[1]: value for key, value in values.items() if key[0] == "number"}
        after, new_slots, new_scalars = self.optimizer.step(K, before, gradients, slots, scalars, numbers)
        constrained = [
            new if constraint is None else constraint.constrained(K, new)
            for new, constraint in zip(after, map(self._constraint, self.trained), strict=True)
        ]
        return {
            **dict(zip(keys, constrained, strict=True)),
            **{
                ("slot", *path, name): new
                for path, own in zip(self.trained, new_slots, strict=True)
                for name, new in own.items()
            },
            **{("scalar", name): new for name, new in new_scalars.items()},
        }

    def _constraint(self, path: LayerPath) -> Any:
        leaf = next(leaf for leaf in self.leaves if leaf.path == path[:-1])
        weight = next(weight for weight in leaf.weights if weight.name == path[-1])
        return constraints.get(weight.constraint or leaf.layer.as_called.option(weight.name, "constraint"))

    # -------------------------------------------------------------- results ----

    def start_metrics(self) -> None:
        """Resets the sums of losses and metrics."""
        self.reset("mean")
        for tracked in self.objective.tracked:
            tracked.metric.reset_states()

    def results(self) -> dict[str, Any]:
        """The losses and metrics over all batches since `start_metrics`, by label, in the order of Keras."""
        means = self.read("mean")
        values: dict[str, Any] = {label: np.float64(total / max(n, 1e-30)) for (label,), (total, n) in means.items()}
        values.update(self.metric_values())
        return {label: values[label] for label in self.objective.labels}

    def running_values(self) -> dict[str, Any]:
        """What the logs of a batch have besides its loss: the losses of outputs and the metrics so far, by label."""
        values = self.results()
        values.pop("loss")
        return values

    def metric_values(self) -> dict[str, Any]:
        """The metrics of `compile` over all batches since `start_metrics`, by label."""
        found = {tracked.label: np.asarray(tracked.metric.result()) for tracked in self.objective.tracked}
        return {label: value if value.ndim else np.float64(value) for label, value in found.items()}


def regularizer_of(leaf: LeafWeights, weight: Weight) -> Any:
    """The regularizer of a weight, as the layer or its `add_weight` states it."""
    return weight.regularizer or leaf.layer.as_called.option(weight.name, "regularizer")


def _key(kind: str, name: VariableKey) -> VariableKey:
    """The key of the variable `name` of a kind."""
    return (kind, *name)


def trained_paths(network: Network) -> list[LayerPath]:
    """The paths of the weights that training changes, in the order of the layers."""
    leaves = network.weight_table() if network.trainable else []
    return [(*leaf.path, w.name) for leaf in leaves if leaf.trainable for w in leaf.weights if w.trainable]
