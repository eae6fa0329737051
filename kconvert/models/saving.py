"""Saves a model as a file for its release of Keras, with weights, configuration and optimizer.

Source: `engine/saving.py` of Keras 2.3.1, `models.py` of Keras 1.2.2.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..conventions.generations import GENERATIONS, Convention
from ..conversion.binding import places
from ..conversion.optimizer_state import laid_out
from ..conversion.passes.surplus import with_even_kernel
from ..errors import KconvertError, Problem
from ..formats import hdf5
from ..formats.checkpoint import Checkpoint, Group, InMemory, LazyArray
from ..network.architecture import model_config
from ..network.network import Network
from .runtime import Runtime
from .store import as_stored
from .training.trainer import Trainer

log = logging.getLogger(__name__)


def save(
    runtime: Runtime,
    trainer: Trainer | None,
    training: Mapping[str, Any] | None,
    path: str | PathLike[str],
    overwrite: bool = True,
) -> Path:
    """Writes the configuration, the weights, and with a trainer the optimizer and its state; returns the path.

    training: the arguments of `compile`, in the form of the model's release of Keras.
    """
    return _written(runtime, checkpoint_of(runtime, trainer, training), path, overwrite)


def save_weights(runtime: Runtime, path: str | PathLike[str], overwrite: bool = True) -> Path:
    """Writes the weights alone; returns the path."""
    return _written(runtime, checkpoint_of(runtime, whole=False), path, overwrite)


def _written(runtime: Runtime, checkpoint: Checkpoint, path: str | PathLike[str], overwrite: bool) -> Path:
    return hdf5.write(path, checkpoint, runtime.shown_convention().generation, overwrite)


def to_json(network: Network, backend: str = "tensorflow", **options: Any) -> str:
    """The architecture as JSON for the Keras that the network is of, on `backend`; options: of `json.dumps`.

    Raises KconvertError for an option of a layer that Keras 2 dropped.
    """
    generation = GENERATIONS[network.generation]
    if not generation.words.old_options:
        _refuse_old_options(network)
    return json.dumps(model_config(network, generation.name, generation.last_release, backend), **options)


def _refuse_old_options(network: Network) -> None:
    for path, layer in network.leaves():
        for key, value in layer.old_options().items():
            what = f"Keras 2 has no {key}={value!r} for {layer.class_name}"
            raise KconvertError(what, f"layer {path}", "leave it out, or convert the file of Keras 1 instead")


def checkpoint_of(
    runtime: Runtime,
    trainer: Trainer | None = None,
    training: Mapping[str, Any] | None = None,
    whole: bool = True,
) -> Checkpoint:
    """The current model in the convention of its backend.

    trainer, training: add the optimizer with its state. whole: whether the checkpoint has the configuration.
    """
    goal = runtime.shown_convention()
    if whole:
        _refuse_missing(runtime.network)
    if goal.facts.surplus:
        _refuse_surplus(runtime.network)
    return Checkpoint(
        groups=_groups(runtime, goal),
        backend=goal.backend,
        keras_version=goal.generation.last_release,
        whole_model=whole,
        model_config=json.loads(to_json(runtime.network, goal.backend)) if whole else None,
        training_config=dict(training) if training else None,
        optimizer=_optimizer(trainer, goal) if trainer else (),
    )


def _refuse_missing(network: Network) -> None:
    """Raises KconvertError where a user has taken a layer with weights out of `model.layers`."""
    listed = {layer.name for layer in network.stored_layers}
    missing = [leaf.path[0] for leaf in network.weight_table() if leaf.path[0] not in listed]
    if missing:
        what = f"layer {missing[0]} was taken out of model.layers, and the model still computes it"
        fix = "save Model(model.inputs, model.layers[-1].output), which ends with the last layer of the list"
        raise KconvertError(what, network.name, fix, Problem.USAGE)


def _refuse_surplus(network: Network) -> None:
    """Raises KconvertError for a layer whose output Keras on Theano crops less than kconvert does."""
    for path, layer in network.leaves():
        if with_even_kernel(layer):
            raise KconvertError(
                f"Keras on Theano gives one element more for this {layer.class_name} with padding='same' and an even"
                " kernel",
                where=f"layer {path}",
                fix="use padding='valid' behind a ZeroPadding layer",
            )


def _groups(runtime: Runtime, goal: Convention) -> list[Group]:
    """The weights of each layer, in the form of files."""
    K = runtime.start()
    groups = []
    for name, found in places(runtime.network, goal):
        arrays: list[LazyArray] = []
        for place in found:
            stored = as_stored(place.stored, K.value(runtime.variables[place.path]))
            arrays.append(InMemory(place.name(goal), np.asarray(stored[place.index], order="C")))
        groups.append(Group(name, arrays))
    return groups


# ----------------------------------------------------------------- training ----


def training_config(trainer: Trainer) -> dict[str, Any]:
    """The arguments of `compile` as Keras 2.3 stores them."""
    return {
        "optimizer_config": trainer.optimizer.to_config(),
        "loss": _plain(trainer.loss),
        "metrics": _plain(trainer.metrics),
        "weighted_metrics": _plain(trainer.weighted_metrics),
        "loss_weights": _plain(trainer.loss_weights),
        "sample_weight_mode": _plain(trainer.sample_weight_mode),
    }


def _plain(value: Any) -> Any:
    """`value` as JSON: losses and metrics become their configurations, functions their names."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "to_config"):
        return value.to_config()
    return getattr(value, "__name__", value) if callable(value) else value


def _runs_as_stored(network: Network, goal: Convention) -> bool:
    """Whether each weight runs in the form in which it is stored, and so what an optimizer keeps for it."""
    forms = [place.stored for _, found in places(network, goal) for place in found]
    return not any(len((one.from_run >> one.chain.inverse).simplified) for one in forms)


def _optimizer(trainer: Trainer, goal: Convention) -> list[LazyArray]:
    """The state of the optimizer in the order of Keras; of one of the user, as it is on the backend."""
    executor, network = trainer.executor, trainer.runtime.network
    if executor.optimizer is not trainer.optimizer:
        if not _runs_as_stored(network, goal):
            log.warning("the file has no state of the optimizer %s", trainer.optimizer.class_name)
            return []
        arrays = enumerate(trainer.optimizer.get_weights())
        return [InMemory(f"optimizer/variable_{i}", np.asarray(array, order="C")) for i, array in arrays]
    scalars = {key[0]: array for key, array in executor.read("scalar").items()}
    slots: dict[str, dict[Any, np.ndarray]] = {}
    for key, array in executor.read("slot").items():
        slots.setdefault(key[-1], {})[key[:-1]] = array
    stored = {place.path: place.stored for _, found in places(network, goal) for place in found}
    converted = {
        name: {path: (array,) if array.shape == (1,) else as_stored(stored[path], array) for path, array in own.items()}
        for name, own in slots.items()
    }
    return laid_out(executor.optimizer.structure, scalars, converted, network, goal)
