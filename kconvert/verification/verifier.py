"""Verifier: runs pairs of files, each side by its runner, and brings their tensors together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import numpy as np

from ..layers import Softmax
from ..layers.base import Layer
from ..layers.registry import custom_modules
from ..network.sample_inputs import checked_inputs, input_arrays, sample_inputs
from .kept import check_folder, keep
from .matching import FilePath, Finding, Match, findings_of, match, moved
from .runners import Job, Ran, Runner, open_runner
from .runs import Pair, Runs, environment, judge
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import Report, Side

Inputs = Sequence[np.ndarray]


@dataclass(frozen=True)
class Running:
    """How the sides are run.

    isolate: each in a process of its own. timeout: seconds that one run of a side may take (None: any time). pythons:
    other interpreters, by backend; they have kconvert or a real Keras. package: 'keras' or 'tf_keras', to run
    the target in the real one. required: no NumPy reference in the place of a missing backend.
    """

    isolate: bool = False
    timeout: float | None = None
    pythons: Mapping[str, str] = field(default_factory=dict)
    package: str | None = None
    required: bool = False


@dataclass(frozen=True, eq=False)
class Pairing:
    """Two files, and the inputs that both are run on: arrays in the source's layout, and what they are in words."""

    match: Match
    inputs: Inputs
    given: str


class Verifier:
    """Runs pairs of files as often as asked. Processes start when they are needed and live until it is closed."""

    def __init__(self, running: Running | None = None) -> None:
        self.running = running or Running()
        self._open = ExitStack()
        self._folder = self._open.enter_context(TemporaryDirectory(prefix="kconvert-"))
        self._runners: dict[tuple[str, str | None], Runner] = {}

    def __enter__(self) -> Verifier:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes and removes what they wrote."""
        self._stop()
        self._open.close()

    def verify(
        self,
        source_path: FilePath,
        target_path: FilePath,
        tolerance: Tolerance = DEFAULT_TOLERANCE,
        folder: FilePath | None = None,
        **options: Any,
    ) -> Report:
        """Runs both files and compares every layer; where they differ, it looks for the cause.

        folder: where to keep all that the verdict is made from. options: those of `pair`. Raises KconvertError where
        a file cannot be read or its model cannot run.
        """
        return self.report(self.pair(source_path, target_path, **options), tolerance, folder)

    def report(
        self, pairing: Pairing, tolerance: Tolerance, folder: FilePath | None = None, source: Ran | None = None
    ) -> Report:
        """The same for files that were paired before; source: what its side gave before, if it need not run again."""
        if folder is not None:
            check_folder(folder)  # before hours of running
        runs = self.run(pairing, source)
        report = judge(runs, tolerance)
        if folder is not None or not report.equal:
            runs = self.alone(pairing, runs)
            report = judge(runs, tolerance)
        if folder is not None:
            keep(runs, folder)
        return report

    def pair(
        self,
        source_path: FilePath,
        target_path: FilePath,
        samples: int = 4,
        seed: int = 0,
        inputs: Inputs | FilePath | None = None,
        **files: Any,
    ) -> Pairing:
        """The two files and their inputs.

        inputs: one array an input in the source's layout, or an .npy or .npz file of them, instead of `samples`
        seeded random ones. files: those of `match`.
        """
        matched = match(source_path, target_path, **files)
        model = matched.made.model
        if inputs is None:
            return Pairing(matched, sample_inputs(model, samples, seed), f"random, seed {seed}")
        if isinstance(inputs, (str, PathLike)):
            return Pairing(matched, input_arrays(model, inputs), f"from {Path(inputs).name}")
        return Pairing(matched, checked_inputs(model, list(inputs)), "as given")

    def run(self, pairing: Pairing, source: Ran | None = None) -> Runs:
        """Runs both sides; source: what its side gave before, if it need not run again.

        Each in a process of its own, they run at the same time.
        """
        sides = [lambda: source or self.source(pairing), lambda: self.target(pairing)]
        ours, theirs = self._at_once(sides) if self.running.isolate else (side() for side in sides)
        return paired(pairing, ours, theirs)

    def _at_once(self, sides: Sequence[Callable[[], Ran]]) -> Sequence[Ran]:
        """Runs sides that have processes of their own; where one fails, nobody waits for the others."""
        with ThreadPoolExecutor(len(sides)) as pool:
            waiting = [pool.submit(side) for side in sides]
            try:
                return [side.result() for side in waiting]
            except BaseException:
                self._stop()
                raise

    def alone(self, pairing: Pairing, runs: Runs) -> Runs:
        """The same runs with each layer of the target run by itself, on what the source's layers are given."""
        given = {
            pair.target_name: pair.source.reshape(pair.target.shape)
            for pair in runs.layers
            if pair.source.size == pair.target.size
        }
        found = self.target(pairing, given).load()
        return replace(runs, layers=[replace(pair, alone=found.get(pair.target_name)) for pair in runs.layers])

    def source(self, pairing: Pairing) -> Ran:
        """Runs the source."""
        files = pairing.match
        job = Job(
            files.source, files.made.model, files.made.source, self.running.required, custom_modules(), files.arch
        )
        return self._runner(job.convention.backend).run(job, pairing.inputs, self._out())

    def target(self, pairing: Pairing, given: Mapping[str, np.ndarray] | None = None) -> Ran:
        """Runs the target; given: tensors that replace its own in what follows (kconvert runs it then)."""
        files = pairing.match
        job = Job(files.target, files.model, files.goal, self.running.required, custom_modules(), files.target_arch)
        inputs = [moved(x, layout) for x, layout in zip(pairing.inputs, files.made.result.inputs, strict=True)]
        runner = self._runner(job.convention.backend, self.running.package if given is None else None)
        return runner.run(job, inputs, self._out(), given)

    def _runner(self, backend: str, package: str | None = None) -> Runner:
        """The runner of a backend, made when it is first asked for."""
        key = backend, package
        if key not in self._runners:
            running = self.running
            self._runners[key] = open_runner(
                backend, running.pythons.get(backend), running.timeout, package, not running.isolate
            )
        return self._runners[key]

    def _out(self) -> Path:
        return Path(mkdtemp(dir=self._folder))

    def _stop(self) -> None:
        for runner in self._runners.values():
            runner.close()


# ------------------------------------------------------------------ pairing ----


def paired(pairing: Pairing, ours: Ran, theirs: Ran) -> Runs:
    """What both sides gave, tensor by tensor."""
    files = pairing.match
    return Runs(
        source=Side(files.source, str(files.made.source), ours.ran_on, ours.version, ours.reference),
        target=Side(files.target, str(files.goal), theirs.ran_on, theirs.version, theirs.reference),
        layers=_layers(files, ours.load(), theirs.load()),
        outputs=_outputs(files, ours.load(), theirs.load()),
        inputs=pairing.inputs,
        given=pairing.given,
        arrays=files.arrays,
        odd=list(files.odd),
        plan=files.made.to_json(),
        environment=environment(),
    )


def _layers(files: Match, ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> list[Pair]:
    """Every tensor that both sides have, in the order of the graph."""
    made, layers = files.made, files.made.model.tensor_layers()
    found = []
    for name, x in ours.items():
        new = made.aliases.get(name, name)
        if new in theirs:
            layout = made.result.layouts.get(new)
            x = moved(x, layout) if layout and not layout.is_identity else x
            found.append(_pair(name, new, layers[name].layer, x, theirs[new], findings_of(files, name)))
    return found


def _outputs(files: Match, ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> list[Pair]:
    """The outputs of both models, in order, whatever their layers are called."""
    layers = files.made.model.tensor_layers()
    triples = zip(files.made.model.output_refs, files.model.output_refs, files.made.result.outputs, strict=True)
    return [
        _pair(old.key, new.key, layers[old.key].layer, moved(ours[old.key], layout), theirs[new.key])
        for old, new, layout in triples
    ]


def _pair(
    name: str, target_name: str, layer: Layer, x: np.ndarray, y: np.ndarray, findings: Sequence[Finding] = ()
) -> Pair:
    classes = x.ndim == 2 and x.shape[-1] > 1 and _gives_classes(layer)
    return Pair(name, target_name, layer.class_name, x, y, classes, findings=findings)


def _gives_classes(layer: Layer) -> bool:
    return isinstance(layer, Softmax) or getattr(layer, "activation", None) == "softmax"
