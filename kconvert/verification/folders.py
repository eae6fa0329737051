"""Verifies all pairs of files in two folders."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path

from ..conventions.backends import BACKENDS
from ..conversion.files import default_target
from ..conversion.source import Source
from ..errors import KconvertError, Problem
from ..formats import endings
from ..formats.endings import ARCHIVE, HDF5
from .pairing import Inputs
from .tolerance import DEFAULT_TOLERANCE, Tolerance
from .value import Entry, Summary
from .verifier import Verifier

log = logging.getLogger(__name__)


def verify_folders(
    verifier: Verifier,
    source: Source,
    target: Source,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    inputs: Inputs | None = None,
    folder: str | PathLike[str] | None = None,
) -> Summary:
    """Verifies every weight file of one folder (and of those in it) with its counterpart in another.

    The paths of `source` and `target` are those of the folders; what else they state holds for every file. A
    counterpart has the same name, or the one that a conversion gives (`NAME.tensorflow.h5`). A file without one, or
    one that cannot be run, is an entry that says so, and the others are still verified. folder: where to save what was
    computed, a folder for each pair. Raises KconvertError where there are no files.
    """
    pairs = list(_pairs(Path(source.path or ""), Path(target.path or "")))
    if not pairs:
        what = f"there is no weight file ({', '.join(endings.ENDINGS)})"
        raise KconvertError(what, str(source.path), problem=Problem.USAGE)
    entries = []
    for number, (name, path, counterpart) in enumerate(pairs, start=1):
        log.info("%d of %d: %s", number, len(pairs), name, extra={"progress": (number - 1, len(pairs))})
        place = Path(folder, name) if folder is not None else None
        start = time.monotonic()
        try:
            if counterpart is None:
                raise KconvertError("has no counterpart", str(path), "convert it", Problem.USAGE)
            files = replace(source, path=path), replace(target, path=counterpart)
            entry = Entry(name, verifier.verify(*files, tolerance, inputs, place))
        except KconvertError as error:
            entry = Entry(name, error=str(error), code=error.problem)
        entries.append(replace(entry, seconds=time.monotonic() - start))
    return Summary(entries)


def _pairs(source: Path, target: Path) -> Iterator[tuple[str, Path, Path | None]]:
    """(name, source, its counterpart), by name."""
    converted = tuple(f".{backend}" for backend in BACKENDS)
    for path in sorted(source.rglob("*")):
        if endings.is_known(path) and path.is_file() and not (source == target and path.stem.endswith(converted)):
            name = path.relative_to(source)
            same = [target / name] if source != target else []
            results = [default_target(target / name, one, form) for form in (HDF5, ARCHIVE) for one in BACKENDS]
            candidates = [*same, *results]
            yield str(name), path, next((candidate for candidate in candidates if candidate.is_file()), None)
