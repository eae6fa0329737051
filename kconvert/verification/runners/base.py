"""The input and the result of a runner: Job, RunResult; and their contract, Runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

import numpy as np

from ...conventions.generations import Convention
from ...lazy_dataclasses import dataclass
from ...network.network import Network
from ...network.outputs import Given
from ..tensors import StoredTensor, Tensor, write


@dataclass(frozen=True, eq=False)
class Job:
    """One side of a verification: a file, and how to run it."""

    path: str  # the weight file
    model: Network  # the architecture that it is run with
    convention: Convention  # the convention of the file
    run_on: str  # the backend that runs it
    required: bool = False  # a missing backend is an error; otherwise NumPy emulates it
    custom: tuple[str, ...] = ()  # modules that register layers, imported first
    arch: str | None = None  # the architecture that is given with the file; None: a real Keras gets that of `model`
    partial: bool = False  # whether the file is read by name, because it has the weights of only some layers
    given: Given = field(default_factory=dict)  # outputs of the calls that cannot run, by name (`Network.run`)
    bound: int | None = None  # bytes that a program may use beyond its size; None: any, as kconvert made it


@dataclass(frozen=True)
class RunResult:
    """The output of every layer, and what computed it."""

    tensors: Mapping[str, Path]  # a `.npy` file for each tensor, by its name, in the order of the graph
    ran_on: str  # the backend, or the package of a real Keras
    version: str  # "1.0.5", or for a real Keras "1.2.2 on theano 1.0.5"
    emulates: str | None = None  # the backend that NumPy emulated
    lacking: str = ""  # why the emulated backend did not run
    stands_in_for: str | None = None  # the reader of the file, if kconvert ran in its place: 'Keras 3'
    why: str = ""  # why the reader did not run the file
    outputs_alone: bool = False  # only the outputs of the model are known, not those of its layers
    quantized: str | None = None  # the type of its quantized weights: 'float16'

    def load(self) -> dict[str, StoredTensor]:
        """The tensors themselves, read when they are used."""
        return {name: StoredTensor(path) for name, path in self.tensors.items()}


Self = TypeVar("Self", bound="Runner")


class Runner(Protocol):
    """Runs one side. It is a context manager, which closes the runner at its end."""

    def run(
        self, job: Job, inputs: Sequence[np.ndarray], out: Path, overrides: Mapping[str, Tensor] | None = None
    ) -> RunResult:
        """Runs the model on one batch and writes the output of every layer into the folder `out`.

        overrides: tensors that replace those of the model in all following layers (`network.outputs.Activations`).
        Raises KconvertError: of the file as when it is read, UNVERIFIED where the model cannot run.
        """

    def close(self) -> None:
        """Ends the processes that were started; the next run starts them again."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


Name = TypeVar("Name")


def save(arrays: Mapping[Name, Tensor], folder: Path) -> dict[Name, Path]:
    """Writes each array into a file named by its number, because names of tensors may not be valid file names."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{number}.npy" for number, name in enumerate(arrays)}
    for name, array in arrays.items():
        with open(paths[name], "wb") as file:
            write(file, array)
    return paths
