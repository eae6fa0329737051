"""Converting files: from one HDF5 file to another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from threading import Event
from typing import Any

from .._version import __version__
from ..errors import KconvertError, Problem, errors_in
from ..formats import endings, files
from ..formats.atomic import NamedPath, derived_path, refuse_collisions, replacing
from ..formats.checkpoint import Checkpoint
from ..formats.endings import HDF5, Form
from ..formats.writing import write
from ..layers.registry import with_custom_objects
from ..lazy_dataclasses import dataclass
from ..network.input_shapes import InputShape
from .applying import written_architecture
from .evidence import kept_from
from .inference.without_graph import WithoutGraph
from .known_plans import Planned, Planner, planned
from .opening import open_source
from .planning import Plan
from .source import Source
from .target import KEEP, NATIVE, Target, Wanted

SMALL = 2**20  # files up to this many bytes are hashed faster than a thread starts


class NothingToConvert(KconvertError):
    """The file is already in the requested form."""


class AlreadyConverted(KconvertError):
    """kconvert already converted the file for the requested backend."""


@dataclass(frozen=True, eq=False)
class Conversion:
    """A finished conversion: the plan, the source and the target.

    architecture: the JSON file beside the target, where that holds weights alone for another architecture than the one
    that was given (`plan.differing`), or where its format cannot hold the architecture (Keras 0.3).
    """

    plan: Plan
    source: Path
    target: Path
    architecture: Path | None = None

    def __repr__(self) -> str:
        return f"<Conversion {self.source} -> {self.target}: {self.plan!r}>"

    def sides(self, source: Source) -> tuple[Source, Source]:
        """The source and the result, for a verification."""
        result = replace(
            source,
            path=self.target,
            backend=self.plan.target.backend,
            arch=self.architecture,
            release=None,
            input_shape=None,
        )
        return replace(source, backend=self.plan.source.backend), result

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values, with the file of the architecture."""
        return {**self.plan.to_json(), "architecture": None if self.architecture is None else str(self.architecture)}


def convert(
    path: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    source: str | None = None,
    target: str | None = None,
    data_format: str = NATIVE,
    format: str | None = None,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    repair: bool = True,
    drop_optimizer: bool = False,
    force: bool = False,
    layers: Sequence[str] = (),
    cudnn: bool | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    partial: bool = False,
    input_shape: InputShape | None = None,
) -> Conversion:
    """Converts a weight file for another backend or another reader. The file itself is never changed.

    path: the file to convert.
    out: the file to write; by default `NAME.TARGET.h5` beside `path`. Its ending says what is written: .keras a model
    of Keras 3, .weights.h5 weights of Keras 3, .h5 and .hdf5 what `format` says, .safetensors 'keras2' or 'same'.
    source: the backend that saved the file, where the file does not tell: 'theano', 'tensorflow', or another one.
    target: the backend to convert for, 'theano' or 'tensorflow'. It may be left out with Keras 3 and tf_keras, which
    are for TensorFlow.
    data_format: 'native' (as usual on the target: theano channels_first, tensorflow channels_last), 'keep', or one of
    the two.
    format: 'keras2', 'same' (the generation of the source), 'keras3' or 'tf_keras'; by default what the ending of `out`
    says, 'keras2' for .h5.
    arch: the file with the architecture (JSON, YAML, or a whole model), for files of weights alone.
    source_data_format: the data format of the weights, where layers do not state it or `arch` was made on another
    backend.
    source_release: the release of Keras that saved the file, where the file does not state it.
    repair: whether layers that the two backends compute differently are rewritten; otherwise they are refused.
    drop_optimizer: whether the state of the optimizer is left out.
    force: whether `source` holds even where the file says otherwise, and an existing `out` is replaced.
    layers: 'NAME=Class' or 'NAME=as-is' for layers whose class the weights alone do not show.
    cudnn: whether LSTM and GRU are written as CuDNN layers (True), or those as LSTM and GRU (False); by default what
    the target has.
    custom_objects: your functions and classes of layers, by their names in the file, as in Keras; a Lambda that is
    stored as code finds its function under the name of the layer.
    partial: whether only the layers are taken that the file and `arch` both have, by name.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free.

    The result is written whole or not at all. Weights alone whose architecture the conversion changes get the new one
    beside `out`, under its name with the ending .json (`Conversion.architecture`).

    Raises KconvertError where the file cannot be read or converted; then nothing is written.
    """
    said = Source(
        path, source, source_data_format, arch, tuple(layers), force, source_release, partial, input_shape=input_shape
    )
    wanted = Wanted(target, format, data_format, repair, cudnn, drop_optimizer)
    with with_custom_objects(custom_objects):
        return convert_file(said, wanted.target(out), out)


def convert_file(
    source: Source,
    target: Target,
    out: str | PathLike[str] | None = None,
    written: Sequence[NamedPath] = (),
    read: Sequence[NamedPath] = (),
    replaces: bool = False,
    planner: Planner = planned,
) -> Conversion:
    """`convert`, for a `Source` and a `Target`.

    written, read: the other files of the command, which the result must not replace. replaces: an existing result is
    replaced even if `source.force` does not say so. planner: makes the plan, or reuses that of another file.
    """
    if target.form.runtime is not None:
        what = f"is a program for {target.form.runtime.title}, and no weight file"
        raise KconvertError(what, str(out), "use kconvert.export_model", Problem.USAGE)
    replaces = replaces or source.force
    origin = Path(source.path or "")
    result = Path(out) if out is not None else default_target(origin, target.backend, target.form)
    read = [*source.files, *read]
    written = [("result", result), *written]
    refuse_collisions(written, read)
    with open_source(source) as checkpoint, _sha256(origin) as sha256:
        refuse_converted(checkpoint, source, target)
        with planner(checkpoint, source, target) as its:
            architecture = _write(its, checkpoint, sha256, result, written, read, replaces)
            return Conversion(its.plan, origin, result, architecture)


def _write(
    its: Planned,
    checkpoint: Checkpoint,
    sha256: Future[str],
    result: Path,
    written: Sequence[NamedPath],
    read: Sequence[NamedPath],
    replaces: bool,
) -> Path | None:
    """Applies the plan of an open file and writes the result. Returns the file of the architecture beside it."""
    made = its.plan
    refuse_unchanged(made, checkpoint)
    beside = result.with_suffix(".json") if made.architecture_beside else None
    if beside is not None:
        refuse_collisions([*written, ("architecture of the result", beside)], read)
    with _architecture(made, beside, replaces) as architecture:
        with errors_in(checkpoint.path):
            converted = its.apply(checkpoint, _provenance(made, checkpoint, sha256))
        write(result, converted, made.goal.form, made.target.generation, replaces)
    return architecture


@contextmanager
def _sha256(path: Path) -> Iterator[Future[str]]:
    """The SHA-256 of a file, which another thread computes while the block runs.

    This takes about as long as the rest of a conversion. If the block ends first, the thread stops.
    """
    if files.size(path) <= SMALL:
        done: Future[str] = Future()
        done.set_result(files.sha256(path))
        yield done
        return
    ended = Event()
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(files.sha256, path, ended)
        finally:
            ended.set()


@contextmanager
def _architecture(made: Plan, path: Path | None, force: bool) -> Iterator[Path | None]:
    """Writes the architecture of a result after the block has written the weights; nothing if the block fails."""
    if path is None:
        yield None
        return
    target = derived_path(path, force)
    with replacing(target, force) as temporary:
        temporary.write_text(json.dumps(written_architecture(made)), encoding="utf-8")
        yield path


def default_target(path: Path, backend: str, form: Form = HDF5) -> Path:
    """`model.h5` for TensorFlow -> `model.tensorflow.h5`; as an archive of Keras 3 `model.keras`."""
    path = path if path.name else path.resolve()
    convention = f".{backend}" if form.is_of_any_backend else ""
    return path.with_name(f"{endings.stem(path)}{convention}{form.endings[0]}")


def refuse_converted(checkpoint: Checkpoint, source: Source, target: Target) -> None:
    """Raises AlreadyConverted (USAGE) if kconvert already converted the file for this target."""
    stamp = checkpoint.provenance or {}
    made_for = str(stamp.get("target", "")).split("/")[-1]
    if made_for == target.backend and source.backend not in (None, made_for) and not source.force:
        raise AlreadyConverted(
            f"kconvert {stamp.get('kconvert', '')} already converted this file from {stamp.get('source')} "
            f"to {stamp.get('target')}",
            where=str(checkpoint.path),
            fix="use it as it is",
            problem=Problem.USAGE,
        )


def refuse_unchanged(made: Plan, checkpoint: Checkpoint) -> None:
    """Raises NothingToConvert (USAGE) if the file is already in the requested form."""
    if not made.changes and checkpoint.format is None and checkpoint.form == made.goal.form:
        raise NothingToConvert(
            f"the file already is in the convention {made.target}, data format {made.goal.data_format or KEEP}",
            where=str(checkpoint.path),
            fix="use it as it is",
            problem=Problem.USAGE,
        )


def _provenance(made: Plan, checkpoint: Checkpoint, sha256: Future[str]) -> dict[str, Any]:
    """How a file was made. trained_on: the backend of weights that keep their data format."""
    trained_on = kept_from(checkpoint) or made.source.backend
    return {
        "kconvert": __version__,
        "source_sha256": sha256,
        "source": str(made.source),
        "target": str(made.target),
        "release": made.goal.release,
        "data_format": made.goal.data_format or KEEP,
        "reordered": sorted(made.result.reordered),
        "cudnn": made.goal.cudnn,
        "restored": made.restored is not None,
        "original": made.original,
        "trained_on": trained_on if isinstance(made.model, WithoutGraph) else None,
    }
