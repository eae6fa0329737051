"""Executor: a model and its objective as compiled steps, one for each kind of pass.

A step is one function of the backend: the pass through the layers, the losses, and in training the gradients,
the optimizer's update and the constraints. All that changes lives in variables which the steps share: weights,
the optimizer's slots and scalars, states of stateful layers, sums of metrics, the seed of the noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...backend.base import Backend, Compiled, InputSpec, Tensor, Variable
from ...layers.phase import Phase
from ...network.graph import LayerPath, LeafWeights
from ...network.nested import nest
from ...network.network import Network
from ..runtime import Runtime
from . import constraints, regularizers
from .objective import Objective, Tracked
from .optimizers import Optimizer
from .weighting import masked_weights

Key = tuple[Any, ...]
Values = Mapping[Key, Tensor]

SEED, RATE = ("seed",), ("learning rate",)


class Executor:
    """The steps of one compiled model on its backend.

    seed: of the noise. jit_compile: steps through XLA, on TensorFlow.
    """

    def __init__(
        self, runtime: Runtime, objective: Objective, optimizer: Optimizer, seed: int = 0, jit_compile: bool = False
    ) -> None:
        self.network, self.objective, self.optimizer = runtime.network, objective, optimizer
        self.K: Backend = runtime.start()
        self.jit_compile = jit_compile
        self.leaves: list[LeafWeights] = self.network.weight_table()
        self.trained = trained_paths(self.network)
        self.variables: dict[Key, Variable] = {("weight", *path): v for path, v in runtime.variables.items()}
        self.variables.update((("state", *path), v) for path, v in runtime.keep_states().items())
        self._steps: dict[Any, Compiled] = {}
        self._rate = float("nan")
        made: dict[Key, Any] = {SEED: np.array([seed, 0], "int32")}
        for tracked in objective.tracked:
            made.update((("metric", tracked.label, n), a) for n, a in _zeros(tracked).items())
        made.update((("mean", label), np.zeros(2, "float32")) for label in objective.loss_labels)
        self._add(made)
        self.start_optimizer()

    def _add(self, arrays: Mapping[Key, Any]) -> None:
        self.variables.update((key, self.K.variable(np.asarray(array))) for key, array in arrays.items())

    # ------------------------------------------------------------ variables ----

    def start_optimizer(self) -> None:
        """The optimizer as before its first step."""
        made: dict[Key, Any] = {("scalar", name): array for name, array in self.optimizer.scalars().items()}
        for path in self.trained:
            shape = self.K.value(self.variables[_of("weight", path)]).shape
            made.update((("slot", *path, name), array) for name, array in self.optimizer.slots(shape).items())
        self._add({RATE: np.float32(0.0), **made})

    def read(self, kind: str) -> dict[Key, np.ndarray]:
        """The variables of one kind ('weight', 'slot', 'scalar', 'state', ...), by what follows the kind."""
        return {key[1:]: self.K.value(v) for key, v in self.variables.items() if key[0] == kind}

    def write(self, kind: str, arrays: Mapping[Key, np.ndarray]) -> None:
        for key, array in arrays.items():
            self.K.assign(self.variables[_of(kind, key)], array)

    def reset(self, *kinds: str) -> None:
        """Zeros in all variables of these kinds."""
        for key, variable in self.variables.items():
            if key[0] in kinds:
                self.K.assign(variable, np.zeros_like(self.K.value(variable)))

    # ---------------------------------------------------------------- steps ----

    def step(self, training: bool, xs: Sequence[Any], ys: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
        """Runs one batch; the total loss, and that of each output where there are several.

        ys, weights: for every output, None where it has no loss or no sample weights.
        """
        given = [array for array in (*xs, *ys, *weights) if array is not None]
        shape = tuple(None if array is None else np.shape(array)[1:] for array in (*ys, *weights))
        key = training, shape
        if key not in self._steps:
            self._steps[key] = self._compiled(training, ys, weights)
        if training and self.optimizer.learning_rate != self._rate:
            self._rate = float(self.optimizer.learning_rate)
            self.K.assign(self.variables[RATE], np.array(self._rate))
        return self._steps[key](given)

    def _compiled(self, training: bool, ys: Sequence[Any], weights: Sequence[Any]) -> Compiled:
        """The step for labels and sample weights of these shapes."""
        there = [array is not None for array in (*ys, *weights)]
        specs = self.network.input_specs + [
            InputSpec((None, *np.shape(array)[1:])) for array in (*ys, *weights) if array is not None
        ]
        keys = [key for key in self.variables if training or key[0] not in ("slot", "scalar", *SEED, *RATE)]
        n = len(self.network.input_refs)

        def build(values: list[Tensor], inputs: list[Tensor]) -> tuple[list[Tensor], dict[int, Tensor]]:
            rest = iter(inputs[n:])
            given = [next(rest) if is_there else None for is_there in there]
            half = len(given) // 2
            outputs, updates = self._pass(
                dict(zip(keys, values, strict=True)), inputs[:n], given[:half], given[half:], training
            )
            return outputs, {keys.index(key): new for key, new in updates.items()}

        return self.K.step(build, specs, [self.variables[key] for key in keys], self.jit_compile)

    def _pass(
        self, values: Values, xs: list[Tensor], ys: list[Any], weights: list[Any], training: bool
    ) -> tuple[list[Tensor], dict[Key, Tensor]]:
        """The losses of one batch, and the new values of variables."""
        K, objective = self.K, self.objective
        phase = Phase(K, training, values.get(SEED))
        held = {key[1:]: value for key, value in values.items() if key[0] in ("weight", "state")}
        found, masks = self.network.run(K, nest(held.items()), xs, training=phase)
        outputs = [found[ref] for ref in self.network.output_refs]
        output_masks = [masks[ref] for ref in self.network.output_refs]
        total, parts = objective.total(K, ys, outputs, weights, output_masks)
        total = total + self._penalty(K, values, phase)

        updates = self._reported(values, phase)
        for tracked in objective.tracked:
            i, label = tracked.output, tracked.label
            sums = {name: values["metric", label, name] for name in _zeros(tracked)}
            weight = masked_weights(K, weights[i] if tracked.weighted else None, output_masks[i])
            new = tracked.metric.update(K, sums, ys[i], outputs[i], weight)
            updates.update((("metric", label, name), K.stop_gradient(one)) for name, one in new.items())
        size = K.cast(K.shape(xs[0])[0], "float32")
        shown = [total, *(parts if len(objective.loss_labels) > 1 else ())]
        for label, loss in zip(objective.loss_labels, shown, strict=True):
            share = size if label == "loss" else K.constant(1.0)  # as Keras 2.3.1: that of an output is a plain mean
            updates["mean", label] = values["mean", label] + K.stack([loss * share, share])
        if training:
            updates.update(self._learned(values, total))
            updates[SEED] = values[SEED] + K.constant([0, 1], "int32")
        return shown, updates

    def _penalty(self, K: Backend, values: Values, phase: Phase) -> Tensor:
        """What regularizers cost: of weights, and of outputs that layers reported."""
        cost: Tensor = K.constant(0.0)
        for leaf in self.leaves:
            for weight in leaf.weights:
                regularizer = regularizers.get(leaf.layer.option(weight.name, "regularizer"))
                if regularizer is not None:
                    cost = cost + regularizer(K, values[_of("weight", (*leaf.path, weight.name))])
        for spec, x in phase.penalties:
            regularizer = regularizers.get(spec)
            if regularizer is not None:
                cost = cost + regularizer(K, x)
        return cost

    def _reported(self, values: Values, phase: Phase) -> dict[Key, Tensor]:
        """New values that layers reported: of states always, of weights where the layer is not frozen."""
        live = {leaf.path for leaf in self.leaves if leaf.trainable and self.network.trainable}
        updates: dict[Key, Tensor] = {}
        for path, new in phase.updates.items():
            if ("state", *path) in values:
                updates[_of("state", path)] = new
            elif path[:-1] in live:
                updates[_of("weight", path)] = new
        return updates

    def _learned(self, values: Values, total: Tensor) -> dict[Key, Tensor]:
        """Weights, slots and scalars after a step of the optimizer, weights within their constraints."""
        K = self.K
        keys = [("weight", *path) for path in self.trained]
        names = {path: [key[-1] for key in values if key[:-1] == ("slot", *path)] for path in self.trained}
        slots = [{name: values[_of("slot", (*path, name))] for name in names[path]} for path in self.trained]
        scalars = {key[1]: value for key, value in values.items() if key[0] == "scalar"}
        before = [values[key] for key in keys]
        gradients = K.gradients(total, before)
        after, new_slots, new_scalars = self.optimizer.step(K, before, gradients, slots, scalars, values[RATE])
        constrained = [
            new if constraint is None else constraint(K, new)
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
        layer = next(leaf.layer for leaf in self.leaves if leaf.path == path[:-1])
        return constraints.get(layer.option(path[-1], "constraint"))

    # -------------------------------------------------------------- results ----

    def start_metrics(self) -> None:
        """Losses and metrics are measured anew from here on."""
        self.reset("metric", "mean")

    def results(self) -> dict[str, float]:
        """Losses and metrics over all batches since `start_metrics`, by label."""
        means = self.read("mean")
        found = {label: float(total / max(n, 1e-30)) for (label,), (total, n) in means.items()}
        sums = self.read("metric")
        for tracked in self.objective.tracked:
            own = {name: sums[tracked.label, name] for name in _zeros(tracked)}
            found[tracked.label] = tracked.metric.result(own)
        return {label: found[label] for label in self.objective.labels}


def _of(kind: str, name: Key) -> Key:
    """The key of a variable: its kind and its name."""
    return (kind, *name)


def _zeros(tracked: Tracked) -> dict[str, np.ndarray]:
    """The sums of a metric before the first batch."""
    return {name: np.zeros(shape, "float32") for name, shape in tracked.metric.states().items()}


def trained_paths(network: Network) -> list[LayerPath]:
    """The weights that training changes, in the order of the layers."""
    leaves = network.weight_table() if network.trainable else []
    return [(*leaf.path, w.name) for leaf in leaves if leaf.trainable for w in leaf.weights if w.trainable]
