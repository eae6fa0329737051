"""Verifying: both files run on the same inputs, each on the backend that saved it, and every layer compared.

`match` reads the files, a `Verifier` runs them, `judge` compares. `save_runs` writes what was computed into a folder,
and `load_runs` reads it again.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import field, replace
from os import PathLike
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import numpy as np

from ..conventions.generations import Convention, Reader
from ..conversion.planning import Plan
from ..conversion.source import Source
from ..errors import KconvertError, Problem, errors_in
from ..formats.atomic import scratch
from ..formats.endings import Runtime, program_runtime
from ..layers.registry import custom_modules, with_custom_objects
from ..lazy_dataclasses import dataclass
from ..network.input_shapes import InputShape
from ..network.network import Network
from ..network.outputs import Given
from .matching import Match, match
from .memory import check_memory
from .noise import noisy_copy
from .pairing import Inputs, Pairing, pair_tensors, with_given, with_noise
from .programs import match_program
from .runners.base import Job, Runner, RunResult
from .runners.choice import OWN, open_reader, open_runner
from .runners.programs import ProgramRunner
from .runners.reading import Reading
from .runs import Runs, judge
from .saved_runs import check_folder, save_runs
from .tensors import Tensor, reshaped
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import PRECISION, Report

FilePath = str | PathLike[str]

log = logging.getLogger(__name__)

_AGAIN = 0.1  # seconds until the sides of a run that failed are stopped again


@dataclass(frozen=True)
class Running:
    """How the sides are run.

    isolate: whether each side runs in a process of its own.
    timeout: the seconds that one run of a side may take; None: any time.
    pythons: interpreters by backend, with kconvert or a real Keras.
    package: 'keras' or 'tf_keras': the target runs in that real Keras; 'kconvert': in no real Keras; None: in what
    reads it.
    required: whether a missing backend or reader is an error; otherwise NumPy emulates it, or kconvert stands in.
    keras_backend: of Keras 3: 'tensorflow', 'jax' or 'torch'; None: the first that is installed.
    keras_python: the interpreter whose Keras runs the target.
    """

    isolate: bool = False
    timeout: float | None = None
    pythons: Mapping[str, str] = field(default_factory=dict)
    package: str | None = None
    required: bool = False
    keras_backend: str | None = None
    keras_python: str | None = None


def verify(
    source_path: FilePath,
    target_path: FilePath,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    running: Running | None = None,
    source: str | None = None,
    target: str | None = None,
    arch: FilePath | None = None,
    target_arch: FilePath | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    force: bool = False,
    samples: int = 4,
    seed: int = 0,
    inputs: Sequence[np.ndarray] | FilePath | None = None,
    folder: FilePath | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    input_shape: InputShape | None = None,
    partial: bool = False,
) -> Report:
    """Runs both files, each on its own backend, and compares every layer; where they differ, it looks for the cause.

    source_path, target_path: the two files; the target may also be a program (LiteRT, ONNX, SavedModel).
    tolerance: how large an error may be.
    running: where the sides run; by default in this process.
    source, target: the backends that saved the files, where these do not tell.
    arch, target_arch: architectures, for files of weights alone; `target_arch` is by default the converted `arch`.
    source_data_format: the data format of the weights, where layers do not state it or `arch` was made on another
    backend.
    source_release: the release of Keras that saved the first file, where that does not state it.
    force: whether `source` and `target` hold even where the files say otherwise.
    samples, seed: the number of the random inputs, and their seed.
    inputs: used in place of random ones: one array for each input in the source's layout, or an .npy or .npz file of
    them.
    folder: where to save all that was computed, for `kconvert report`.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer.
    input_shape: the shape of the source's input without the batch axis, or a dict of them by the names of inputs, for
    networks that leave sizes free.
    partial: whether only the layers are compared that the first file and `arch` both have, by name; the second file is
    a partial conversion of the first.

    Raises KconvertError where a file cannot be read or its model cannot run.
    """
    with with_custom_objects(custom_objects), Verifier(running) as verifier:
        shape = input_shape
        return verifier.verify(
            Source(
                source_path, source, source_data_format, arch, (), force, source_release, partial, input_shape=shape
            ),
            Source(target_path, target, source_data_format, target_arch, (), force, None, partial, arch_belongs=True),
            tolerance,
            Inputs(samples, seed, inputs),
            folder,
        )


class Verifier:
    """Runs pairs of files as often as asked. Processes start when they are needed and live until it is closed."""

    def __init__(self, running: Running | None = None) -> None:
        self.running = running or Running()
        self._open = ExitStack()
        self._folder = self._open.enter_context(scratch())
        weakref.finalize(self, self._open.close)
        self._runners: dict[tuple[str, str | Reader | Runtime | None], Runner] = {}
        self._changing = threading.Lock()
        """Held while runners are added or listed: both sides run at once."""

    def __enter__(self) -> Verifier:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes and removes what they wrote."""
        self._stop()
        self._open.close()

    def clear(self) -> None:
        """Removes what the runs wrote; the processes and their compiled functions stay."""
        for folder in Path(self._folder).iterdir():
            rmtree(folder)

    def verify(
        self,
        source: Source,
        target: Source,
        tolerance: Tolerance = DEFAULT_TOLERANCE,
        inputs: Inputs | None = None,
        folder: FilePath | None = None,
        plan: Plan | None = None,
    ) -> Report:
        """Runs both files and compares every layer; where they differ, it looks for the cause.

        folder: where to save all that the verdict is made from. plan: the conversion that made the target, if that is
        a program. Raises KconvertError where a file cannot be read or its model cannot run.
        """
        return self.report(self.pair(source, target, inputs, plan), tolerance, folder)

    def report(
        self, pairing: Pairing, tolerance: Tolerance, folder: FilePath | None = None, source: RunResult | None = None
    ) -> Report:
        """The same for files that were paired before; source: an earlier result of that side, instead of a new run."""
        if folder is not None:
            check_folder(folder)  # before hours of running
        tolerance.check_layers(pairing.match.plan.model.tensor_layers())
        start = time.monotonic()
        runs = self.run(pairing, source)
        report = judge(runs, tolerance)
        if folder is not None or report.first_divergence:
            runs = _explained(self.run_alone, pairing, runs)
            report = judge(runs, tolerance)
        if folder is not None or any(cause.kind == PRECISION for cause in report.causes):
            runs = _explained(self.measure_noise, pairing, runs)
            report = judge(runs, tolerance)
        seconds = time.monotonic() - start
        if folder is not None:
            save_runs(replace(runs, seconds=seconds), folder)
        return replace(report, seconds=seconds)

    def pair(self, source: Source, target: Source, inputs: Inputs | None = None, plan: Plan | None = None) -> Pairing:
        """Reads two files, and makes their inputs. plan: see `verify`."""
        runtime = plan.goal.form.runtime if plan else program_runtime(target.path or "")
        found = match_program(source, target, plan) if runtime else match(source, target)
        inputs = inputs or Inputs()
        with errors_in(source.path if inputs.arrays is None else None):
            arrays, inputs_from = inputs.of(found.plan.model)
        pairing = Pairing(found, arrays, inputs_from)
        check_memory(source, found.plan.model, [x.shape for x in pairing.inputs])
        if not runtime:
            check_memory(target, found.model, [x.shape for x in pairing.target_inputs])
        return self._that_runs(with_given(pairing))

    def _that_runs(self, pairing: Pairing) -> Pairing:
        """The pairing without the layers after those that cannot run, where they do not run on random tensors."""
        if not pairing.given and not pairing.target_given:
            return pairing
        try:
            self.run_source(pairing)
            self.run_target(pairing)
        except KconvertError as error:
            if error.problem is not Problem.UNVERIFIED:
                raise
            before = ", ".join(pairing.reasons)
            why = f"the layers behind {before} cannot run on random tensors: {error.what}"
            return pairing.without_layers_behind(why)
        return pairing

    def run(self, pairing: Pairing, source: RunResult | None = None) -> Runs:
        """Runs both sides, at the same time if they are isolated. The tensors are in files until this is closed.

        source: an earlier result of that side, instead of a new run.
        """
        sides = [lambda: source or self.run_source(pairing), lambda: self.run_target(pairing)]
        ours, theirs = self._at_once(sides, pairing.match) if self.running.isolate else (side() for side in sides)
        return pair_tensors(pairing, ours, theirs)

    def run_alone(self, pairing: Pairing, runs: Runs) -> Runs:
        """The same runs with each layer of the target also run alone, on the inputs of the source's layer."""
        overrides = {
            pair.target_name: reshaped(pair.source, pair.target.shape)
            for pair in runs.layers
            if pair.source.size == pair.target.size
        }
        found = self.run_target(pairing, overrides).load()
        return replace(runs, layers=[replace(pair, alone=found.get(pair.target_name)) for pair in runs.layers])

    def measure_noise(self, pairing: Pairing, runs: Runs) -> Runs:
        """The same runs with what one rounding of its weights changes in each tensor of the source."""
        found = pairing.match
        copy = noisy_copy(found.source, found.plan.source.generation, self._out() / "noisy.h5")
        return with_noise(pairing, runs, self.run_source(pairing, copy))

    def run_source(self, pairing: Pairing, copy: Source | None = None) -> RunResult:
        """Runs the source, or a copy of it with other weights."""
        found = pairing.match
        job = self._job(copy or found.source, found.plan.model, found.plan.source, pairing.given)
        return self._runner(job.run_on).run(job, pairing.inputs, self._out())

    def run_target(self, pairing: Pairing, overrides: Mapping[str, Tensor] | None = None) -> RunResult:
        """Runs the target; overrides: tensors that replace its own in what follows."""
        found = pairing.match
        job = self._job(found.target, found.model, found.convention, pairing.target_given)
        runtime = found.plan.goal.form.runtime
        if runtime is not None:
            job = replace(job, bound=found.bound)
            return self._runner(job.run_on, runtime).run(job, pairing.target_inputs, self._out(), overrides)
        package, reader = self.running.package, found.reader
        runner = self._runner(job.run_on, reader if package in (None, OWN) else package)
        return runner.run(job, pairing.target_inputs, self._out(), overrides)

    def _job(self, file: Source, model: Network, convention: Convention, given: Given) -> Job:
        """One side, to run on the backend that saved its file."""
        arch = None if file.arch is None else str(file.arch)
        custom, required = custom_modules(), self.running.required
        return Job(str(file.path), model, convention, convention.backend, required, custom, arch, file.partial, given)

    def _at_once(self, sides: Sequence[Callable[[], RunResult]], found: Match) -> Sequence[RunResult]:
        """Runs both sides, which have processes of their own; where one fails, the other is stopped."""
        with ThreadPoolExecutor(len(sides)) as pool:
            waiting = [pool.submit(side) for side in sides]
            try:
                wait(waiting, return_when=FIRST_COMPLETED)
                files = ((found.source, found.plan.source), (found.target, found.convention))
                for side, (file, convention) in zip(waiting, files, strict=True):
                    if not side.done():
                        log.info("still running %s on %s", Path(str(file.path)).name, convention.backend)
                return [side.result() for side in waiting]
            except BaseException:
                self._stop()
                while wait(waiting, _AGAIN).not_done:  # a side that had not started by then
                    self._stop()
                raise

    def _runner(self, backend: str, reader: str | Reader | Runtime | None = None) -> Runner:
        """The runner of a backend, or of what reads the target, created when it is first needed."""
        key = backend, reader
        found = self._runners.get(key) or self._opened(backend, reader)
        with self._changing:
            return self._runners.setdefault(key, found)

    def _opened(self, backend: str, reader: str | Reader | Runtime | None) -> Runner:
        running, python = self.running, self.running.pythons.get(backend)
        if isinstance(reader, Runtime):
            return ProgramRunner(reader, running.timeout)
        if isinstance(reader, Reader):
            own, given = self._runner(backend), (running.keras_python, running.keras_backend)
            if running.package == OWN:
                return Reading(reader.title, own, why="it ran in kconvert as asked")
            return open_reader(reader, own, *given, running.timeout, running.required)
        if reader is None:
            return open_runner(backend, python, running.timeout, here=not running.isolate)
        runs_on = running.keras_backend or backend
        return open_runner(runs_on, running.keras_python or python, running.timeout, reader)

    def _out(self) -> Path:
        return Path(mkdtemp(dir=self._folder))

    def _stop(self) -> None:
        with self._changing:
            runners = list(self._runners.values())
        for runner in runners:
            runner.close()


def _explained(explain: Callable[[Pairing, Runs], Runs], pairing: Pairing, runs: Runs) -> Runs:
    """The runs with what `explain` adds; without it where a side cannot run so: then the verdict stays as it is."""
    try:
        return explain(pairing, runs)
    except KconvertError as error:
        log.warning("the difference cannot be explained further: %s", error)
        return runs
