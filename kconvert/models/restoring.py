"""Restoring: sets the weights of an existing model, or the state of its optimizer, from a file."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np

from ..conventions.generations import Convention
from ..conventions.storage import Storage
from ..conversion.binding import Binding, arrays_for, bind, places
from ..conversion.optimizer_state import read_state
from ..conversion.source import Source, decide
from ..formats import hdf5
from ..formats.checkpoint import Checkpoint
from ..network.nested import walk
from .runtime import Runtime
from .store import run_convention
from .training.trainer import Trainer


def load_weights(runtime: Runtime, path: str | PathLike[str], source: str | None = None) -> None:
    """Sets the weights from an HDF5 file. Parameters and errors: see `Model.load_weights`."""
    K = runtime.start()
    with hdf5.read(path) as checkpoint:
        origin = decide(checkpoint, Source(path, source)).convention
        arrays = arrays_for(runtime.network, checkpoint, origin, run_convention(K))
    for where, array in walk(arrays):
        K.assign(runtime.variables[where], array)


def restore_optimizer(trainer: Trainer, checkpoint: Checkpoint, origin: Convention) -> None:
    """Sets the state of the optimizer from a file. Raises StateDropped where it cannot be read.

    origin: the convention of the file.
    """
    network = trainer.runtime.network
    bindings, _ = bind(network, checkpoint, origin)
    state = read_state(checkpoint, network, bindings, origin)
    executor, goal = trainer.executor, run_convention(trainer.runtime.start())
    structure = executor.optimizer.structure
    if state.scalars:
        executor.write("scalar", {(n,): a.read() for n, a in zip(structure.scalars, state.scalars, strict=False)})
    stored = {place.path: place.stored for _, found in places(network, goal) for place in found}
    for name, slot in zip(structure.slots, state.slots, strict=False):
        for binding in bindings:
            keys = [(binding.path[:-1], part) for part in binding.stored.slots]
            if all(key in slot for key in keys):
                array = _run_form(binding, stored[binding.path], [slot[key].read() for key in keys])
                executor.write("slot", {(*binding.path, name): array})


def _run_form(binding: Binding, goal: Storage, arrays: list[Any]) -> np.ndarray:
    """One slot of a weight, converted from the form of the file to that of the backend.

    arrays: those of the slot in the file. An unused slot, of one element, stays (keras-facts: empty-vhat).
    """
    if all(array.shape == (1,) for array in arrays) and binding.weight.shape != (1,):
        return arrays[0]
    chain = (binding.stored.chain >> goal.to_run).simplified
    return np.ascontiguousarray(chain.apply(*arrays)[0])
