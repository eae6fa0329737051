"""The source of a conversion: what the user says of a file, and what the file is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

from ..conventions.backends import BACKENDS
from ..conventions.generations import GENERATIONS, Convention
from ..errors import KconvertError, Problem
from ..formats.checkpoint import Checkpoint, find_format
from ..network.architecture import architecture_json


@dataclass(frozen=True)
class Source:
    """A file to read, and what the user says of it."""

    path: str | PathLike[str] | None = None
    """The weight file; None for a checkpoint that is in memory or open already."""
    backend: str | None = None
    """The backend that saved the file; None: as the file shows."""
    data_format: str | None = None
    """The data format of Keras 1 layers that do not state theirs."""
    arch: str | PathLike[str] | None = None
    """The architecture, for a file of weights alone: what `model.to_json()` or `to_yaml()` wrote."""
    layers: Sequence[str] = ()
    """'NAME=Class' or 'NAME=as-is', for layers that weights alone do not tell."""
    force: bool = False
    """Whether `backend` holds even where the file says otherwise."""


@dataclass(frozen=True)
class Origin:
    """What a file is: the facts that its conversion depends on."""

    convention: Convention
    """The generation that wrote the file, and the backend that trained its weights."""
    release: str | None
    """The release that wrote the file; None where neither the file nor its architecture states it."""
    evidence: Sequence[str]
    """How each of these facts is known, a sentence each."""
    arch_given: bool
    """Whether the architecture is the user's own and not that of the file."""
    reordered: frozenset[str]
    """The Flattens whose features an earlier conversion of this file put in a new order."""


def decide(checkpoint: Checkpoint, source: Source) -> Origin:
    """What the file is: as it says or shows, or as the user says.

    Raises KconvertError where the backend is not known, or where the file contradicts the user.
    """
    where, found = str(checkpoint.path or "checkpoint"), checkpoint.found_backend
    form, evidence = checkpoint.format, list(checkpoint.evidence)
    release = _release(checkpoint, source)
    if source.arch is not None and release and checkpoint.keras_version is None and GENERATIONS[form].told_by_release:
        stated = find_format([("the architecture", release)], None, [])
        form = stated.value or form
        evidence[:1] = [stated.evidence]
    backend = source.backend or found
    if backend is None:
        raise KconvertError(
            "the file does not tell which backend saved it",
            where=where,
            fix="say it with --from theano or --from tensorflow",
            problem=Problem.USAGE,
        )
    if found and backend != found and not source.force:
        raise KconvertError(
            f"the file was saved with {found}, not {backend} ({_about('backend', evidence)})",
            where=where,
            fix=f"leave --from out or say --from {found}; --force overrules the file",
            problem=Problem.USAGE,
        )
    if backend != found:
        evidence.append(f"backend {backend}: as given" + (f", against the file ({found})" if found else ""))
    if backend not in BACKENDS:
        raise KconvertError(f"unknown backend {backend!r}", where=where, fix="say what its kernels are with --from")
    reordered = frozenset((checkpoint.provenance or {}).get("reordered", ()))
    return Origin(Convention(form, backend), release, evidence, source.arch is not None, reordered)


def _release(checkpoint: Checkpoint, source: Source) -> str | None:
    """The release that the file states, or else its architecture."""
    if checkpoint.keras_version:
        return checkpoint.keras_version
    config = checkpoint.model_config if source.arch is None else architecture_json(str(source.arch))
    stated = (config or {}).get("keras_version")
    return stated if isinstance(stated, str) else None


def _about(word: str, evidence: Sequence[str]) -> str:
    return next((line for line in evidence if line.startswith(word)), "no evidence")
