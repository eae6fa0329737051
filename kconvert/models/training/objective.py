"""Objective: the losses, their weights and the metrics of each output of a model, from the arguments of `compile`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import chain, count
from typing import Any

import numpy as np

from ...backend import get_backend
from ...backend.base import Backend, Tensor
from ...backend.float_settings import epsilon, floatx
from ...errors import AlsoTypeError, KconvertError, Problem
from ...layers.builder import is_in_keras_style
from ...layers.calls import Symbol
from ...layers.deferred import Deferred
from ...layers.lists import items_of
from ...layers.phase import Phase
from ...lazy_dataclasses import dataclass
from ...network.nested import nest
from ...network.network import Network
from . import losses
from .losses import Loss
from .metrics import Metric, resolve

_SAMPLES = 4
"""The size that is tried for each size of an input that is not known."""


@dataclass(frozen=True)
class Tracked:
    """A metric of one output."""

    # The name in the logs.
    label: str
    # The position of the output in the model.
    output: int
    metric: Any
    # Whether sample weights apply to it (`weighted_metrics`).
    weighted: bool


class Objective:
    """Losses, their weights and the metrics of a model, in the order of its outputs.

    loss, loss_weights, metrics, weighted_metrics, sample_weight_mode: as in `compile` of Keras 2.3, each one value, a
    list in the order of the outputs, or a dict by their names. Raises KconvertError for unknown names and lists of the
    wrong length.
    """

    def __init__(
        self,
        network: Network,
        loss: Any,
        loss_weights: Any,
        metrics: Any,
        weighted_metrics: Any,
        sample_weight_mode: Any = None,
        target_tensors: Any = None,
    ) -> None:
        # Losses and metrics compute with it, whatever is set later: Keras builds their graphs in `compile`.
        self.epsilon = epsilon()
        self.names = output_names(network)
        self.shapes = [network.shapes()[ref] for ref in network.output_refs]
        self.losses: list[Loss | None] = [losses.get(one) for one in self._each("loss", loss, repeat=True)]
        if not any(self.losses) and not may_add_losses(network):
            raise KconvertError("no output has a loss", fix="compile(..., loss='mse')", problem=Problem.USAGE)
        self.weights = self._loss_weights(loss_weights)
        # For each output, the variable or expression that its labels always are; None: they are given.
        self.targets = [self._target(one) for one in self._each("target_tensors", target_tensors)]
        # For each output, whether a sample has a weight for each time step.
        modes = self._each("sample_weight_mode", sample_weight_mode, True, whole=self.trained)
        self.temporal = [mode == "temporal" for mode in modes]
        self.tracked = self._tracked(metrics, weighted_metrics)
        # The metrics that layers and models add, by the path of the layer and the name, with their labels.
        self.added = added_metrics(network)

    def track_on(self, K: Backend) -> list[Tracked]:
        """The metrics, which are computed on `K` from now on; copies of those whose variables are in use."""
        used: set[int] = set()
        for i, one in enumerate(self.tracked):
            metric = deepcopy(one.metric) if id(one.metric) in used else one.metric.on(K)
            self.tracked[i] = replace(one, metric=metric)
            used.add(id(metric))
        return self.tracked

    @property
    def trained(self) -> list[int]:
        """The positions of the outputs with a loss; these need labels."""
        return [i for i, loss in enumerate(self.losses) if loss is not None]

    @property
    def loss_labels(self) -> list[str]:
        """`loss` for the total; for a model with several outputs also `<output>_loss` for each output with a loss."""
        several = [f"{self.names[i]}_loss" for i in self.trained] if len(self.names) > 1 else []
        return ["loss", *several]

    @property
    def labels(self) -> list[str]:
        """The labels of all losses and metrics, in the order of Keras."""
        return [*self.loss_labels, *(tracked.label for tracked in self.tracked), *self.added.values()]

    def total(
        self, K: Backend, y_true: Sequence[Any], y_pred: Sequence[Any], weights: Sequence[Any], masks: Any
    ) -> Any:
        """The total loss, a weighted sum, and the loss of each output with a loss; all scalars.

        y_true, y_pred, weights, masks: one item for each output.
        """
        values = [
            loss.of_batch(K, y_true[i], y_pred[i], weights[i], masks[i])
            for i, loss in enumerate(self.losses)
            if loss is not None
        ]
        parts = [K.mean(value) for value in values]  # a loss that is not reduced has several elements
        total: Tensor = sum(self.weights[i] * part for i, part in zip(self.trained, parts, strict=True))
        return total if parts else K.constant(0.0), parts

    def _loss_weights(self, given: Any) -> list[float]:
        """The weight of each output; 1 for those that a dict does not name."""
        _check_kind("loss_weights", given)
        if given is None or isinstance(given, Mapping):
            given = {**dict.fromkeys(self.names, 1.0), **(given or {})}
        weights = self._each("loss_weights", given)
        wrong = next((one for one in weights if not isinstance(one, (int, float, np.number))), 0.0)
        if not isinstance(wrong, float):
            what = f"the weight of a loss is a number, not {wrong!r}"
            raise AlsoTypeError(what, "compile(loss_weights=...)", problem=Problem.USAGE)
        return [float(one) for one in weights]

    def _tracked(self, metrics: Any, weighted: Any) -> list[Tracked]:
        """The metrics of all outputs in the order of Keras, each with a name that no other label is."""
        known, result = set(self.loss_labels), list[Tracked]()
        specs = [(self._lists(metrics), False), (self._lists(weighted), True)]
        for i in self.trained:
            for spec, is_weighted in specs:
                for metric in self._metrics_of(i, spec[i]):
                    label = self._free_label(metric.name, i, known)
                    vars(metric)["name"] = label
                    known.add(label)
                    result.append(Tracked(label, i, metric, is_weighted))
        return result

    def _metrics_of(self, output: int, wanted: Sequence[Any]) -> list[Any]:
        """The metrics that the user wants for an output.

        Of several with one name, the last one counts (keras-facts: metrics-with-one-name).
        """
        found = [resolve(one, self.losses[output], self.shapes[output]) for one in wanted]
        return list({metric.name: metric for metric in found}.values())

    def _free_label(self, name: str, output: int, known: Collection[str]) -> str:
        """The label of a metric: for several outputs `<output>_<metric>`, with a number where another one has it."""
        label = name if len(self.names) == 1 else f"{self.names[output]}_{name}"
        return next(one for one in chain([label], (f"{label}_{i}" for i in count(1))) if one not in known)

    def _lists(self, spec: Any) -> list[list[Any]]:
        """The metrics that the user wants, a list for each output."""
        _check_kind("metrics", spec or None)
        if not spec:
            return [[] for _ in self.names]
        if isinstance(spec, list) and not any(isinstance(one, list) for one in spec):
            return [_own(spec) if len(self.names) > 1 else spec for _ in self.names]
        if isinstance(spec, Mapping):
            spec = {**dict.fromkeys(self.names, ()), **spec}
        return [items_of(one) for one in self._each("metrics", spec)]

    def _each(self, what: str, spec: Any, repeat: bool = False, whole: Collection[int] = ()) -> list[Any]:
        """The value of each output, None where there is none.

        what: the argument of `compile`, for messages. repeat: a single value is for all outputs, not the first alone.
        whole: the outputs that a dict has to name.
        """
        if isinstance(spec, Mapping) and "class_name" not in spec:
            unknown = set(spec) - set(self.names)
            if unknown:
                self._refuse(what, f"there is no output {min(unknown)!r}")
            if missing := [self.names[i] for i in whole if self.names[i] not in spec]:
                self._refuse(what, f"output {missing[0]!r} is missing")
            return [spec.get(name) for name in self.names]
        if isinstance(spec, (list, tuple)):
            if len(spec) != len(self.names):
                self._refuse(what, f"{len(spec)} values were given for {len(self.names)} outputs")
            return list(spec)
        return [spec] * (len(self.names) if repeat else 1) + [None] * (0 if repeat else len(self.names) - 1)

    def _target(self, tensor: Any) -> Any:
        """The variable or expression in `target_tensors`; None for a placeholder, whose values are the labels."""
        if tensor is None or isinstance(tensor, Deferred):
            return tensor
        if not isinstance(tensor, Symbol) or tensor.call.inputs:
            what = f"{type(tensor).__name__} is neither a placeholder nor a variable"
            raise AlsoTypeError(what, "compile(target_tensors=...)", problem=Problem.USAGE)
        return tensor.tensor

    def _refuse(self, what: str, why: str) -> None:
        raise KconvertError(why, f"compile({what}=...)", f"the outputs are {', '.join(self.names)}", Problem.USAGE)


def _check_kind(what: str, value: Any) -> None:
    """Raises AlsoTypeError unless an argument of `compile` for each output is a list, a dict or None."""
    if value is not None and not isinstance(value, (list, Mapping)):
        why, fix = f"{type(value).__name__} is neither a list nor a dict", "give one value for each output, in a list"
        raise AlsoTypeError(why, f"compile({what}=...)", fix, Problem.USAGE)


def _own(metrics: Sequence[Any]) -> list[Any]:
    """Copies of the metrics that are objects: each output has its own."""
    return [deepcopy(one) if isinstance(one, Metric) else one for one in metrics]


def may_add_losses(network: Network) -> bool:
    """Whether there may be losses besides those of outputs: added ones, and those of regularizers."""
    layers = [layer for _, layer in network.leaves()]
    regularized = any(value is not None for one in layers for key, value in vars(one).items() if "regularizer" in key)
    return regularized or bool(_networks_with_added(network)) or any(map(is_in_keras_style, layers))


def _networks_with_added(network: Network) -> list[Network]:
    inner = [one for layer in network.sublayers if isinstance(layer, Network) for one in _networks_with_added(layer)]
    return [network, *inner] if network.added else inner


def added_metrics(network: Network) -> dict[tuple[str, ...], str]:
    """The labels of the metrics that layers and models add, by path and name; those of the model itself come first.

    They are found by running the network on zeros with NumPy.
    """
    layers = [layer for _, layer in network.leaves()]
    if not _networks_with_added(network) and not any(map(is_in_keras_style, layers)):
        return {}
    K = get_backend("numpy")
    phase = Phase(K)
    shapes = {(*leaf.path, weight.name): weight.shape for leaf in network.weight_table() for weight in leaf.weights}
    shapes.update(network.state_shapes())
    held = nest((path, np.zeros(shape, floatx())) for path, shape in shapes.items())
    inputs = [np.zeros([n or _SAMPLES for n in shape], floatx()) for shape in network.input_shapes]
    with np.errstate(all="ignore"):
        network.run(K, held, inputs, training=phase)
    return {path: path[-1] for path in sorted(phase.measures, key=lambda path: len(path) > 1)}


def output_names(network: Network) -> list[str]:
    """The names of the outputs: those of their layers; `lstm_1_1` for the second output of layer `lstm_1`."""
    names: list[str] = []
    for ref in network.output_refs:
        count = sum(name == ref.layer or name.startswith(f"{ref.layer}_") for name in names)
        names.append(f"{ref.layer}_{count}" if ref.layer in names else ref.layer)
    return names
