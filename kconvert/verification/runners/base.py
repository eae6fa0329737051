"""What a runner is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

import numpy as np

from ...conventions.generations import Convention
from ...network.network import Network


@dataclass(frozen=True, eq=False)
class Job:
    """One side of a verification: a file, and what is known of it.

    path: the weight file. model: the architecture that it is run with. convention: that of the file. required:
    a backend that is missing is an error, and not replaced by the NumPy reference. custom: modules that register
    layers, imported first. arch: the architecture file of weights alone, for a real Keras; where None it is written
    from `model`.
    """

    path: str
    model: Network
    convention: Convention
    required: bool = False
    custom: tuple[str, ...] = ()
    arch: str | None = None


@dataclass(frozen=True)
class Ran:
    """The output of every layer, each in a `.npy` file, and what computed it.

    tensors: by the names of `Model.activations`, in the order of the graph. ran_on, version: "theano" "1.0.5", or for
    a real Keras "keras" "1.2.2 on theano 1.0.5". reference: NumPy took the framework's part.
    """

    tensors: Mapping[str, Path]
    ran_on: str
    version: str
    reference: bool = False

    def load(self) -> dict[str, np.ndarray]:
        """The tensors themselves, read when they are used."""
        return {name: np.load(path, mmap_mode="r", allow_pickle=False) for name, path in self.tensors.items()}


Self = TypeVar("Self", bound="Runner")


class Runner(Protocol):
    """Where one side runs. Also a context manager, which closes it."""

    def run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, given: Mapping[str, np.ndarray] | None = None
    ) -> Ran:
        """Runs the model on one batch and writes the output of every layer into the folder `out`.

        given: tensors that take the place of the model's own in all that comes after (`Model.activations`). Raises
        KconvertError: of the file as when it is read, UNVERIFIED where the model cannot run.
        """

    def close(self) -> None:
        """Ends whatever was started; running again starts anew."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def save(arrays: Mapping[str, np.ndarray], folder: Path) -> dict[str, Path]:
    """Writes each array into a file of its own, by number: names come from files and may be anything."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{number}.npy" for number, name in enumerate(arrays)}
    for name, array in arrays.items():
        np.save(paths[name], array, allow_pickle=False)
    return paths
