"""One case of the corpus, and the checks of its conversion."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from kconvert import load_model
from kconvert.conventions.words.files import stated_data_formats
from kconvert.conversion.files import Conversion, convert, convert_file
from kconvert.conversion.passes.relayout import image_data_format
from kconvert.conversion.source import Source
from kconvert.conversion.target import KEEP, SAME, Target
from kconvert.errors import KconvertError, Problem
from kconvert.formats import hdf5
from kconvert.formats.architectures import architecture_json
from kconvert.formats.checkpoint import Checkpoint
from kconvert.kernels import AddHalves, Grow, Order
from kconvert.layers.lists import as_list
from kconvert.verification.matching import in_layout
from kconvert.verification.pairing import Inputs
from kconvert.verification.planted import HARMLESS, LOCATED, REFUSED
from kconvert.verification.runs import judge
from kconvert.verification.selftest import self_test
from kconvert.verification.verifier import Running, Verifier

ATOL = 1e-4
OTHER = {"theano": "tensorflow", "tensorflow": "theano"}
_ENLARGING = {Grow, Order}  # without the provenance, larger kernels and layers without CuDNN stay
_DATA_FORMATS = {"th": "channels_first", "tf": "channels_last"}


@dataclass(frozen=True)
class Case:
    """What real Keras `release` on `backend` saved and computed for one model."""

    folder: Path

    @cached_property
    def meta(self) -> dict[str, Any]:
        return json.loads((self.folder / "meta.json").read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def release(self) -> str:
        return self.folder.parent.name.rpartition("-")[0]

    @property
    def backend(self) -> str:
        return self.folder.parent.name.rpartition("-")[2]

    @property
    def other(self) -> str:
        return OTHER[self.backend]

    @property
    def model(self) -> Path:
        """The whole model, or the weights alone (Keras 0.3)."""
        whole = self.folder / "model.h5"
        return whole if whole.exists() else self.folder / "weights.h5"

    @property
    def arch(self) -> Path | None:
        """The architecture, for weights alone."""
        return None if self.model.name == "model.h5" else self.folder / "arch.json"

    @property
    def runs(self) -> bool:
        """Whether there is an architecture: Keras 0.3 could not write that of a Lambda."""
        return self.arch is None or self.arch.exists()

    @property
    def data_format(self) -> str | None:
        """What the user's global setting was: Keras 1 does not store it with every layer, nor does Keras 0.3.

        It is what all layers state that state one: before Keras 1.0.8 the setting was read when Keras was imported, so
        that of a case had no effect. Keras 0.3 had no setting; there it was each layer's argument, and the case is
        called after it.
        """
        arch = self.folder / "arch.json"
        stated = set(stated_data_formats(architecture_json(str(arch)))) if arch.exists() else set()
        if len(stated) == 1:
            return str(*stated)
        ordering = self.meta["dim_ordering"] or self.name.rpartition("_")[2]
        return self.meta["data_format"] or _DATA_FORMATS.get(ordering)

    def sides(self, done: Conversion) -> tuple[Source, Source]:
        """The two files of a conversion of it, to be verified."""
        return (
            Source(done.source, self.backend, self.data_format, self.arch),
            Source(done.target, self.other, done.plan.goal.data_format or self.data_format, self.arch_of(done)),
        )

    def arch_of(self, done: Conversion) -> Path | None:
        """The architecture of a converted file: the file beside it, else that of the case; None if it has its own."""
        return done.architecture or (None if done.plan.holds_architecture else self.arch)

    def arrays(self, letter: str) -> list[np.ndarray]:
        """Inputs (`x`) or outputs (`y`), in order."""
        with np.load(self.folder / "io.npz") as stored:
            names = sorted((n for n in stored.files if n[0] == letter), key=lambda n: int(n[1:]))
            return [stored[n] for n in names]


@dataclass
class Result:
    """What became of one check: True, False, or None where it does not apply; the largest error; why.

    relative: B: the largest error of a layer as a part of its scale; D: the smallest one of a planted error.
    """

    passed: bool | None
    error: float | None = None
    reason: str = ""
    relative: float | None = None


@dataclass
class Outcome:
    """All checks on one case."""

    case: str
    release: str
    backend: str
    checks: dict[str, Result] = field(default_factory=dict)


def own_backend(case: Case) -> Result:
    """A, for a file that cannot be converted: real Keras's outputs on the backend that saved the file."""
    model = load_model(case.model, case.backend, case.backend, case.arch, case.data_format)
    return compared(as_list(model.predict(case.arrays("x"))), case.arrays("y"))


def both_backends(case: Case, folder: Path) -> tuple[Result, Result]:
    """A and B: the file runs on its backend as real Keras did, the converted one on the other; every layer agrees."""
    done = in_other_backend(case, folder / f"{case.name}.h5")
    with Verifier(Running(required=True)) as verifier:
        runs = verifier.run(verifier.pair(*case.sides(done), Inputs(arrays=case.arrays("x"))))
        wanted = [in_layout(y, layout) for y, layout in zip(case.arrays("y"), done.plan.result.outputs, strict=True)]
        ours = compared([np.asarray(pair.source) for pair in runs.outputs], wanted)
        report = judge(runs)
    if report.left_out:  # random tensors stood in for what cannot run
        refused = Result(None, reason=f"refused: {report.left_out[0].reason}")
        return refused, refused
    error = max(comparison.max_error for comparison in report.outputs)
    if report.equal and not report.weights:
        why = "" if error <= ATOL else f"outputs differ by {error:.2g}"
        return ours, Result(error <= ATOL, error, why, max(comparison.relative for comparison in report.comparisons))
    first = report.first_divergence
    why = f"{first.name} differs by {first.max_error:.2g}" if first else f"weights differ: {report.weights}"
    return ours, Result(False, error, why)


def detection(case: Case, folder: Path) -> Result:
    """D: every known error that can be planted in the converted file is found, and its layer named as the cause."""
    done = in_other_backend(case, folder / f"{case.name}.planted.h5")
    with Verifier() as verifier:
        tested = self_test(verifier, *case.sides(done))
    found = [planted for planted in tested.planted if planted.outcome not in (HARMLESS, REFUSED)]
    lost = [f"{planted.layer}: {planted.words}" for planted in found if planted.outcome != LOCATED]
    smallest = min((planted.error for planted in found if planted.error), default=None)
    why = (
        f"not located: {'; '.join(lost)}"
        if lost
        else f"{len(found)} located, {len(tested.planted) - len(found)} harmless"
    )
    return Result(tested.passed if found else None, reason=why, relative=smallest)


def there_and_back(case: Case, folder: Path) -> Result:
    """E: the file comes back as it was, in its own generation; without its provenance, every array does."""
    there = converted(case, folder / f"{case.name}.there.h5", SAME)
    said = Source(there.target, case.other, there.plan.goal.data_format, case.arch_of(there), force=True)
    back = convert_file(said, Target(case.backend, SAME), folder / f"{case.name}.back.h5")
    changed, ops = _changed(case, back), {type(op) for step in there.plan.steps for op in step.chain}
    if changed == ["arrays"] and AddHalves in ops:
        return Result(None, reason="the two biases of cuDNN were added: they come back as two halves of the sum")
    if not changed and not ops & _ENLARGING:
        target = Target(case.backend, SAME, _stated(case, there), restore=False)
        planned = convert_file(said, target, folder / f"{case.name}.planned.h5")
        with hdf5.read(case.model) as first, hdf5.read(planned.target) as last:
            changed = [] if same_arrays(_arrays(first), _arrays(last)) else ["arrays, without the provenance"]
    return Result(not changed, reason=f"came back changed: {', '.join(changed)}" if changed else "")


def _changed(case: Case, back: Conversion) -> list[str]:
    """What is not as it was."""
    with hdf5.read(case.model) as first, hdf5.read(back.target) as last:
        parts = {
            "groups": ([group.name for group in one.groups] for one in (first, last)),
            "names": (one.names for one in (first, last)),
            "what the file states": ((one.backend, one.keras_version, one.stated_in) for one in (first, last)),
            "architecture": (one.model_config for one in (first, last)),
            "training": (one.training_config for one in (first, last)),
            "optimizer": ([array.name for array in one.optimizer] for one in (first, last)),
        }
        changed = [what for what, (ours, theirs) in parts.items() if ours != theirs]
        for what, arrays in (("arrays", _arrays), ("state", lambda one: (array.read() for array in one.optimizer))):
            changed += [] if same_arrays(arrays(first), arrays(last)) else [what]
    if case.arch and back.architecture:
        ours, theirs = (json.loads(path.read_text(encoding="utf-8")) for path in (case.arch, back.architecture))
        changed += [] if ours == theirs else ["architecture"]
    return changed


def _arrays(checkpoint: Checkpoint) -> Iterable[np.ndarray]:
    return (array.read() for group in checkpoint.groups for array in group.arrays)


def same_arrays(ours: Iterable[np.ndarray], theirs: Iterable[np.ndarray]) -> bool:
    """Whether two rows of arrays are the same, bit for bit."""
    pairs = zip_longest(ours, theirs)
    return all(
        a is not None and b is not None and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
        for a, b in pairs
    )


def in_other_backend(case: Case, target: Path) -> Conversion:
    """The case's file for Keras 2 on the other backend; what Keras 2 cannot express stays in its own generation."""
    try:
        return converted(case, target, "keras2")
    except KconvertError:
        return converted(case, target, SAME)


def converted(case: Case, target: Path, form: str) -> Conversion:
    """The case's file for the other backend."""
    return convert(
        case.model,
        target,
        case.backend,
        case.other,
        format=form,
        arch=case.arch,
        source_data_format=case.data_format,
        force=True,
    )


def for_keras3(case: Case, target: Path) -> Conversion:
    """The case's file as one of Keras 3."""
    return convert(case.model, target, case.backend, arch=case.arch, source_data_format=case.data_format, force=True)


def for_tf_keras(case: Case, target: Path) -> Conversion:
    """The case's file as one of tf_keras."""
    return convert(
        case.model,
        target,
        case.backend,
        format="tf_keras",
        arch=case.arch,
        source_data_format=case.data_format,
        force=True,
    )


def saved_again(case: Case, again: Path) -> Result:
    """R: the file that Keras 3 saved again becomes the Keras 2 file, on TensorFlow, that the original becomes.

    Both have the same layers with weights, and the same arrays. Both are in channels_last, as the file of Keras 3 is:
    in channels_first, either the rows of a Dense or a Flatten can state the order. Keras 3 takes no names with '/'.
    """
    target, reference = again.with_suffix(".h5"), _for_keras2(case, again.with_suffix(".reference.h5"))
    back = convert(again, target, None, "tensorflow", format="keras2", force=True)
    with hdf5.read(reference) as first, hdf5.read(back.target) as last:
        ours, theirs = ([group.name for group in one.groups if group.arrays] for one in (first, last))
        changed = [] if [name.replace("/", "_") for name in ours] == theirs else ["layers"]
        changed += [] if same_arrays(_arrays(first), _arrays(last)) else ["arrays"]
    return Result(not changed, reason=f"came back changed: {', '.join(changed)}" if changed else "")


def _for_keras2(case: Case, target: Path) -> Path:
    """Converts the original for Keras 2 on TensorFlow, in channels_last; returns the original if it is such a file."""
    try:
        done = convert(
            case.model,
            target,
            case.backend,
            "tensorflow",
            format="keras2",
            source_data_format=case.data_format,
            force=True,
        )
    except KconvertError as error:
        if error.problem is not Problem.USAGE:  # the file already is what is asked for
            raise
        return case.model
    return done.target


def _stated(case: Case, there: Conversion) -> str:
    """The data format to come back to: what the image layers of the original state."""
    return image_data_format(there.plan.model) or case.data_format or KEEP


def compared(got: list[np.ndarray], wanted: list[np.ndarray]) -> Result:
    """Whether outputs are those that Keras computed."""
    if [a.shape for a in got] != [b.shape for b in wanted]:
        return Result(False, reason=f"shapes {[a.shape for a in got]} where Keras gave {[b.shape for b in wanted]}")
    error = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(got, wanted, strict=True))
    return Result(error <= ATOL, error, "" if error <= ATOL else f"outputs differ by {error:.2g}")
