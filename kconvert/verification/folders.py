"""Folders: many pairs of files in one verification."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..conventions.backends import BACKENDS
from ..conversion.files import default_target
from ..errors import KconvertError, Problem
from ..formats import endings
from .matching import FilePath
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import Entry, Summary
from .verifier import Verifier

log = logging.getLogger(__name__)


def verify_folders(
    verifier: Verifier,
    source_path: FilePath,
    target_path: FilePath,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    folder: FilePath | None = None,
    **options: Any,
) -> Summary:
    """Verifies every weight file of one folder (and of those in it) with its counterpart in another.

    A counterpart has the same name, or the one that a conversion gives (`NAME.tensorflow.h5`). A file without one, or
    one that cannot be run, is an entry that says so and stops nothing. folder: where to keep what was computed,
    a folder a pair. options: those of `Verifier.pair`. Raises KconvertError where there are no files.
    """
    pairs = list(_pairs(Path(source_path), Path(target_path)))
    if not pairs:
        raise KconvertError(
            f"there is no weight file ({', '.join(endings.ENDINGS)})", str(source_path), problem=Problem.USAGE
        )
    entries = []
    for number, (name, ours, theirs) in enumerate(pairs, start=1):
        log.info("%d of %d: %s", number, len(pairs), name)
        place = Path(folder, name) if folder is not None else None
        entries.append(_entry(verifier, name, ours, theirs, tolerance, place, options))
    return Summary(entries)


def _entry(
    verifier: Verifier,
    name: str,
    source: Path,
    target: Path | None,
    tolerance: Tolerance,
    folder: Path | None,
    options: dict[str, Any],
) -> Entry:
    try:
        if target is None:
            raise KconvertError("has no counterpart", str(source), "convert it", Problem.USAGE)
        return Entry(name, verifier.verify(source, target, tolerance, folder=folder, **options))
    except KconvertError as error:
        return Entry(name, error=str(error), code=error.problem)


def _pairs(source: Path, target: Path) -> Iterator[tuple[str, Path, Path | None]]:
    """(name, source, its counterpart), by name."""
    made = tuple(f".{backend}" for backend in BACKENDS)
    for path in sorted(source.rglob("*")):
        if endings.is_known(path) and path.is_file() and not (source == target and path.stem.endswith(made)):
            name = path.relative_to(source)
            same = [target / name] if source != target else []
            ways = [*same, *(default_target(target / name, backend) for backend in BACKENDS)]
            yield str(name), path, next((way for way in ways if way.is_file()), None)
