"""Converting files: from one HDF5 file to another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from .._version import __version__
from ..errors import KconvertError, Problem
from ..formats import endings, hdf5
from ..formats.atomic import writable_path, write_text
from ..formats.checkpoint import Checkpoint
from .applying import apply, written_architecture
from .planning import Plan, plan_conversion
from .source import Source
from .target import KEEP, KERAS2, NATIVE, Target


@dataclass(frozen=True, eq=False)
class Conversion:
    """A finished conversion: what was done, from where to where.

    architecture: the JSON file beside the target, where that cannot hold its architecture itself (Keras 0.3).
    """

    plan: Plan
    source: Path
    target: Path
    architecture: Path | None = None


def convert(
    path: str | PathLike[str],
    out: str | PathLike[str] | None = None,
    source: str | None = None,
    target: str | None = None,
    data_format: str = NATIVE,
    format: str = KERAS2,
    arch: str | PathLike[str] | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    repair: bool = True,
    drop_optimizer: bool = False,
    force: bool = False,
    layers: Sequence[str] = (),
    cudnn: bool | None = None,
) -> Conversion:
    """Converts the weight file `path` for backend `target` and writes `out` (default: beside it, `NAME.TARGET.h5`).

    `out` ends in .h5 or .hdf5. The other arguments are those of `plan`; force also overwrites `out`. The file is
    written whole or not at all, and `path` is never written to.
    Raises KconvertError where the file cannot be read or converted; then nothing is written.
    """
    if target is None:
        raise KconvertError(
            "which backend to convert for?", fix="give target='tensorflow' or 'theano'", problem=Problem.USAGE
        )
    said = Source(path, source, source_data_format, arch, tuple(layers), force, source_release)
    return convert_file(said, Target(target, format, data_format, repair, cudnn, drop_optimizer), out)


def convert_file(source: Source, target: Target, out: str | PathLike[str] | None = None) -> Conversion:
    """`convert`, for a file that has a path and a target."""
    if out is not None:
        endings.check(out)
    origin = Path(source.path or "")
    result = Path(out) if out is not None else default_target(origin, target.backend)
    with hdf5.read(origin) as checkpoint:
        refuse_converted(checkpoint, source, target)
        made = plan_conversion(checkpoint, source, target)
        refuse_unchanged(made, origin)
        with ThreadPoolExecutor(1) as beside:  # hashing takes about as long as all the rest
            provenance = _provenance(made, beside.submit(hdf5.sha256, origin))
            architecture = _architecture_path(made, result, source.force)
            hdf5.write(result, apply(made, checkpoint, provenance), made.target.generation, source.force)
    if architecture:
        write_text(architecture, json.dumps(written_architecture(made)))
    return Conversion(made, origin, result, architecture)


def _architecture_path(made: Plan, target: Path, force: bool) -> Path | None:
    """Where the architecture goes, beside weights of a format that has no place for it."""
    if not made.target.generation.architecture_beside:
        return None
    path = writable_path(target.with_suffix(".json"))
    if path.exists() and not force:
        raise KconvertError("exists already", str(path), "pass --force to replace it", Problem.USAGE)
    return path


def default_target(path: Path, target: str) -> Path:
    """`model.h5` for TensorFlow -> `model.tensorflow.h5`."""
    return path.with_name(f"{endings.stem(path)}.{target}{endings.ENDINGS[0]}")


def refuse_converted(checkpoint: Checkpoint, source: Source, target: Target) -> None:
    """A file that kconvert already converted for the target must not be converted for it again."""
    stamp = checkpoint.provenance or {}
    made_for = str(stamp.get("target", "")).split("/")[-1]
    if made_for == target.backend and source.backend not in (None, made_for) and not source.force:
        raise KconvertError(
            f"kconvert {stamp.get('kconvert', '')} already converted this file from {stamp.get('source')} "
            f"to {stamp.get('target')}",
            where=str(checkpoint.path),
            fix="use it as it is",
            problem=Problem.USAGE,
        )


def refuse_unchanged(made: Plan, path: Path) -> None:
    """A file that is already what is asked for needs no conversion."""
    if not made.changes:
        raise KconvertError(
            f"the file already is in the convention {made.target}, data format {made.goal.data_format or KEEP}",
            where=str(path),
            fix="use it as it is",
            problem=Problem.USAGE,
        )


def _provenance(made: Plan, sha256: Future[str]) -> dict[str, Any]:
    return {
        "kconvert": __version__,
        "source_sha256": sha256,
        "source": str(made.source),
        "target": str(made.target),
        "release": made.goal.release,
        "data_format": made.goal.data_format or KEEP,
        "reordered": sorted(made.result.reordered),
        "cudnn": made.goal.cudnn,
    }
