"""The ways into a model other than a converted file: `load_model`, `load_weights`, and weights alone.

What they give is compared with what Keras computed. A model with the same network and the same weights as one that was
compared already is not run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kconvert import load_model
from kconvert.conversion.planning import Plan, plan_conversion
from kconvert.conversion.reading import read_architecture
from kconvert.conversion.source import Source
from kconvert.conversion.target import KERAS2, SAME, Target
from kconvert.errors import KconvertError
from kconvert.formats import hdf5
from kconvert.layers.lists import as_list
from kconvert.models.model import Model
from kconvert.models.sequential import as_model
from kconvert.network.nested import walk

from .cases import Case, Result, compared, same_arrays


@dataclass(frozen=True)
class File:
    """One file of a case: the whole model, or its weights alone with their architecture."""

    path: Path
    arch: Path | None


def files(case: Case) -> list[File]:
    """The whole model, where the release could write one, and the weights alone."""
    whole = [] if case.arch else [File(case.model, None)]
    archives = [File(path, None) for path in sorted(case.folder.glob("*.keras"))]
    weights = sorted(case.folder.glob("*weights.h5"))
    return [*whole, *archives, *(File(path, case.folder / "arch.json") for path in weights)]


def load(case: Case) -> Result:
    """L: each file, loaded on the other backend, predicts what Keras computed."""
    return _as_computed(case, ((file.path.name, _loaded(case, file)) for file in files(case)))


def _loaded(case: Case, file: File) -> Model:
    return load_model(file.path, case.other, case.backend, file.arch, case.data_format)


def load_weights(case: Case) -> Result:
    """W: a model that was built on the other backend predicts the same after it loaded the weights of each file."""
    return _as_computed(case, ((file.path.name, _built(case, file)) for file in files(case)))


def _built(case: Case, file: File) -> Model:
    model = as_model(read_architecture(str(case.folder / "arch.json"), case.data_format))
    model.start(case.other, seed=0)
    return model.load_weights(file.path, source=case.backend, source_release=case.release)  # no architecture tells it


def _as_computed(case: Case, models: Iterable[tuple[str, Model]]) -> Result:
    """Each model in turn against what Keras computed: the first that fails, else the result of the first."""
    inputs, wanted = case.arrays("x"), case.arrays("y")
    passed: list[tuple[Model, Result]] = []
    for name, model in models:
        if not any(_identical(model, earlier) for earlier, _ in passed):
            result = compared(as_list(model.predict(inputs)), wanted)
            if not result.passed:
                return replace(result, reason=f"{name}: {result.reason}")
            passed.append((model, result))
    return passed[0][1]


def _identical(one: Model, other: Model) -> bool:
    """Whether the networks and the weights of two models are the same."""
    networks = [model.runtime.network.stored_config() for model in (one, other)]
    ours, theirs = (dict(walk(model.arrays)) for model in (one, other))
    return networks[0] == networks[1] and ours.keys() == theirs.keys() and same_arrays(ours.values(), theirs.values())


# ------------------------------------------------------------ weights alone ----


def alone(case: Case) -> Result:
    """V: weights alone are converted to the arrays and the architecture that the whole model is converted to."""
    for generation in (KERAS2, SAME):
        with ExitStack() as opened:
            whole, weights = (_plan(case, file, generation, opened) for file in files(case))
            if wrong := _difference(whole, weights):
                return Result(False, reason=f"--format {generation}: {wrong}")
    return Result(True)


def _plan(case: Case, file: File, generation: str, opened: ExitStack) -> Plan | str:
    """The conversion of a file, or why it is refused."""
    checkpoint = opened.enter_context(hdf5.read(file.path))
    source = Source(file.path, case.backend, case.data_format, file.arch, force=True)
    try:
        return plan_conversion(checkpoint, source, Target(case.other, generation))
    except KconvertError as error:
        return error.what


def _difference(whole: Plan | str, weights: Plan | str) -> str:
    """How the conversion of weights alone differs from that of the whole model; '' where it does not."""
    if isinstance(whole, str) or isinstance(weights, str):
        return "" if whole == weights else f"the whole model: {_short(whole)}; weights alone: {_short(weights)}"
    if whole.result.model.stored_config() != weights.result.model.stored_config():
        return "the whole model has another architecture"
    return "" if same_arrays(_arrays(whole), _arrays(weights)) else "the whole model has other arrays"


def _short(plan: Plan | str) -> str:
    return f"refused: {plan}" if isinstance(plan, str) else "converted"


def _arrays(plan: Plan) -> Iterator[np.ndarray]:
    return (array for step in plan.steps for array in step.read())
