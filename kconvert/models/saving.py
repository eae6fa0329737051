"""A model as the checkpoint that real Keras 2.3 loads: weights, configuration, and what training goes on with."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..conventions.generations import GENERATIONS, Convention
from ..conversion.binding import Binding, bind, places
from ..conversion.optimizer_state import laid_out, read_state
from ..errors import KconvertError
from ..formats import hdf5
from ..formats.checkpoint import Checkpoint, Group, InMemory, LazyArray
from ..network.architecture import model_config
from ..network.nested import one_or_list
from ..network.network import Network

KERAS = "2.3.1"
"""The release whose files are written."""


def save(model: Network, path: str | PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> Path:
    """Writes configuration, weights, and the optimizer with its state: what `load_model` and Keras 2.3 read."""
    return hdf5.write(path, checkpoint_of(model, True, include_optimizer), GENERATIONS["keras2"], overwrite)


def save_weights(model: Network, path: str | PathLike[str], overwrite: bool = True) -> Path:
    """Writes the weights alone."""
    return hdf5.write(path, checkpoint_of(model, False, False), GENERATIONS["keras2"], overwrite)


def to_json(model: Network, **options: Any) -> str:
    """The architecture, as Keras 2.3 reads it; options are those of `json.dumps`.

    Raises KconvertError for what only Keras 1 can say.
    """
    for path, layer in model.leaves():
        for key, value in layer.only_in("keras1").items():
            what = f"Keras 2 has no {key}={value!r} for {layer.class_name}"
            raise KconvertError(what, f"layer {path}", "leave it out, or convert the file of Keras 1 instead")
    backend = model.backend.convention if model.backend else "tensorflow"
    return json.dumps(model_config(model, "keras2", KERAS, backend), **options)


def checkpoint_of(model: Network, whole: bool = True, optimizer: bool = True) -> Checkpoint:
    """The model as it is now, in the convention of its backend."""
    goal = Convention("keras2", model.ready().convention)
    training = optimizer and model.said is not None
    return Checkpoint(
        groups=_groups(model, goal),
        backend=goal.backend,
        keras_version=KERAS,
        whole_model=whole,
        model_config=json.loads(to_json(model)) if whole else None,
        training_config=training_config(model) if training else None,
        optimizer=_optimizer(model, goal) if training else (),
    )


def _groups(model: Network, goal: Convention) -> list[Group]:
    """The weights, layer by layer, as files hold them."""
    K = model.ready()
    groups = []
    for name, found in places(model, goal):
        arrays: list[LazyArray] = []
        for place in found:
            stored = place.stored.weight.role.packed.inverse.apply(K.value(model.variables[place.path]))
            arrays.append(InMemory(place.name(goal), np.ascontiguousarray(stored[place.index])))
        groups.append(Group(name, arrays))
    return groups


# ----------------------------------------------------------------- training ----


def training_config(model: Network) -> dict[str, Any]:
    """What `compile` was told, as Keras 2.3 stores it."""
    said, executor = model.said or {}, model.trainer()
    keep = {key: said[key] for key in ("metrics", "weighted_metrics", "loss_weights", "sample_weight_mode")}
    losses = [None if loss is None else loss.to_config() for loss in executor.objective.losses]
    return {
        "optimizer_config": executor.optimizer.to_config(),
        "loss": one_or_list(losses),
        **{key: _plain(value) for key, value in keep.items()},
    }


def _plain(value: Any) -> Any:
    """`value` with every piece of training as its configuration."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "to_config"):
        return value.to_config()
    return getattr(value, "__name__", value) if callable(value) else value


def _optimizer(model: Network, goal: Convention) -> list[LazyArray]:
    """The optimizer's state in the order of Keras 2.3."""
    executor = model.trainer()
    scalars = {key[0]: array for key, array in executor.read("scalar").items()}
    slots: dict[str, dict[Any, np.ndarray]] = {}
    for key, array in executor.read("slot").items():
        slots.setdefault(key[-1], {})[key[:-1]] = array
    packed = {place.path: place.stored.weight.role.packed for _, found in places(model, goal) for place in found}
    moved = {
        name: {
            path: array if array.shape == (1,) else packed[path].inverse.apply(array)[0] for path, array in own.items()
        }
        for name, own in slots.items()
    }
    return laid_out(executor.optimizer.class_name, scalars, moved, model, goal)


def restore(model: Network, checkpoint: Checkpoint, origin: Convention) -> str | None:
    """Compiles `model` as the file says and takes the optimizer's state; why it does not, if it does not."""
    said = checkpoint.training_config
    if not said or not said.get("optimizer_config"):
        return None
    model.compile(
        said["optimizer_config"],
        said.get("loss"),
        metrics=said.get("metrics"),
        loss_weights=said.get("loss_weights"),
        sample_weight_mode=said.get("sample_weight_mode"),
        weighted_metrics=said.get("weighted_metrics"),
    )
    if not checkpoint.optimizer:
        return None
    bindings, _ = bind(model, checkpoint, origin)
    state = read_state(checkpoint, model, bindings, origin)
    if isinstance(state, str):
        return state
    executor = model.trainer()
    structure = executor.optimizer.structure
    if state.scalars:
        executor.write("scalar", {(n,): a.read() for n, a in zip(structure.scalars, state.scalars, strict=False)})
    goal = {place.path: place.stored for _, found in places(model, _convention(model)) for place in found}
    for name, slot in zip(structure.slots, state.slots, strict=False):
        for binding in bindings:
            keys = [(binding.path[:-1], part) for part in binding.stored.slots]
            if all(key in slot for key in keys):
                array = _moved(binding, goal[binding.path], [slot[key].read() for key in keys])
                executor.write("slot", {(*binding.path, name): array})
    return None


def _convention(model: Network) -> Convention:
    return Convention("keras2", model.ready().convention)


def _moved(binding: Binding, goal: Any, arrays: list[np.ndarray]) -> np.ndarray:
    """One slot of a parameter, from the form of the file to that of the backend; an unused one as it is."""
    if all(array.shape == (1,) for array in arrays) and binding.weight.shape != (1,):
        return arrays[0]
    chain = (binding.stored.chain >> goal.chain.inverse >> binding.weight.role.packed).simplified
    return np.ascontiguousarray(chain.apply(*arrays)[0])
