"""The source of a conversion: the options of the user, and what the file is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

from ..arguments import argument
from ..conventions.backends import DATA_FORMATS, KERNELS_OF
from ..conventions.generations import (
    GENERATIONS,
    LATEST,
    OF_TENSORFLOW,
    Convention,
    Reader,
    is_later,
    of_release,
    release,
)
from ..conventions.words.keras0 import is_keras0, told_release
from ..errors import KconvertError, Problem
from ..formats.architectures import architecture_json
from ..formats.atomic import NamedPath
from ..formats.checkpoint import Checkpoint
from ..lazy_dataclasses import dataclass
from ..network.input_shapes import InputShape
from .evidence import Fact, akin, backend_of, generation_of, kept_from, releases_like, stated_release


@dataclass(frozen=True)
class Source:
    """A file to read, and what the user states about it."""

    path: str | PathLike[str] | None = None
    """The weight file; None for a checkpoint that is in memory or open already."""
    backend: str | None = None
    """The backend whose kernels the file has; None: as the file shows."""
    data_format: str | None = None
    """The data format of the weights, for layers that do not state theirs and for an `arch` made elsewhere."""
    arch: str | PathLike[str] | None = None
    """The architecture, for a file of weights alone: what `model.to_json()` or `to_yaml()` wrote, or a whole model."""
    layers: Sequence[str] = ()
    """'NAME=Class' or 'NAME=as-is', for layers whose class weights alone do not show."""
    force: bool = False
    """Whether `backend` and `release` hold even where the file says otherwise."""
    release: str | None = None
    """The release that saved the file; None: as the file shows."""
    partial: bool = False
    """Whether only the layers that the file and `arch` both have are taken, by name."""
    arch_belongs: bool = False
    """Whether `arch` was written with the weights, so that it states their data format."""
    otherwise: str | None = None
    """The backend whose kernels the file has where it shows none; None: such a file is refused."""
    input_shape: InputShape | None = None
    """The shapes of inputs whose sizes the architecture leaves free, without the batch axis."""

    @property
    def files(self) -> list[NamedPath]:
        """The files that are read, with their roles."""
        roles = (("source file", self.path), ("architecture given", self.arch))
        return [(role, path) for role, path in roles if path is not None]


@dataclass(frozen=True)
class Origin:
    """What a file is: the facts that its conversion depends on."""

    convention: Convention
    """The generation that wrote the file, and the backend that trained its weights."""
    saved_with: str
    """The backend that the file names, or else that of the convention."""
    release: str | None
    """The release that wrote the file, or else its architecture; None where neither is stated."""
    release_stated: bool
    """Whether the file or the user states the release; otherwise it is that of the architecture, or not known."""
    evidence: Sequence[str]
    """How each of these facts is known, a sentence each."""
    notes: Sequence[str]
    """What contradicts one of these facts."""
    arch_given: bool
    """Whether the architecture is the user's own and not that of the file."""
    reordered: frozenset[str]
    """The Flattens whose features an earlier conversion of this file put in a new order."""
    trained_on: str | None = None
    """The backend that trained the weights, where a conversion without the architecture could not repair layers."""

    @property
    def computes_as(self) -> str:
        """The backend whose padding the layers have."""
        return self.trained_on or self.convention.backend

    @property
    def reader(self) -> Reader | None:
        """The package of today that reads such files."""
        return self.convention.reader(self.release)


# ----------------------------------------------------------------- deciding ----


def decide(checkpoint: Checkpoint, source: Source) -> Origin:
    """What the file is: from the file itself, from the options of the user, and from the architecture, in this order.

    Of the backend the user's word comes first. What contradicts a decision is a note. Raises KconvertError where
    the backend is not known, or where the file contradicts the user.
    """
    where = str(checkpoint.path or "checkpoint")
    if source.data_format not in (None, *DATA_FORMATS):
        what = f"unknown data format {source.data_format!r}"
        raise KconvertError(what, where, f"give {argument('source_data_format', *DATA_FORMATS)}", Problem.USAGE)
    if source.release is None:
        _refuse_later(checkpoint.keras_version, where)
    shown = generation_of(checkpoint)
    release, generation = _release(checkpoint, source, shown, where)
    backend = _backend(source, backend_of(checkpoint), where)
    facts = [("format", generation), ("backend", backend)]
    if not checkpoint.named and release.value and not release.stated:
        facts.append(("release", release))
    return Origin(
        convention=Convention(str(generation.value), str(backend.value)),
        saved_with=checkpoint.backend or str(backend.value),
        release=release.value,
        release_stated=release.stated,
        evidence=[fact.sentence(name) for name, fact in facts],
        notes=[*generation.notes, *release.notes, *backend.notes, *checkpoint.notes],
        arch_given=source.arch is not None,
        reordered=frozenset((checkpoint.provenance or {}).get("reordered", ())),
        trained_on=kept_from(checkpoint),
    )


def _refuse_later(version: str | None, where: str) -> None:
    """Refuses a file of a generation of Keras that is later than all that are known."""
    if is_later(version):
        raise KconvertError(
            f"the file was saved with Keras {version}, and kconvert knows Keras up to {LATEST}",
            where,
            f"give {argument('source_release', LATEST)} if that is what the file means",
            Problem.UNSUPPORTED,
        )


def _release(checkpoint: Checkpoint, source: Source, shown: Fact, where: str) -> tuple[Fact, Fact]:
    """The release, and the generation, which is `shown` as far as the release does not tell more."""
    given, own = source.release, _own_release(checkpoint, shown)
    if given is not None:
        _check_release(given, own.value, shown, source.force, where)
        told = Fact(_generation(given), f"the release given is {given}", shown.notes)
        return _with_architecture(Fact(given, "as given", stated=True), source), told
    if own.value or source.arch is None:
        return _with_architecture(own, source), shown
    config = architecture_json(str(source.arch))
    theirs = config.get("keras_version")
    if is_keras0(config) and not checkpoint.named:
        return _told(config, own), shown
    if not isinstance(theirs, str) or of_release(theirs) is None:
        return own, shown
    row = GENERATIONS[str(shown.value)]
    if not akin(GENERATIONS[_generation(theirs)], row):
        note = f"{_other_release(theirs, releases_like(row))}; {shown.evidence}"
        return Fact(None, own.evidence, (note,)), shown
    evidence = f"keras_version of the architecture is {theirs}"
    return Fact(theirs, evidence), Fact(_generation(theirs), evidence, shown.notes) if row.told_by_release else shown


def _told(config: Any, own: Fact) -> Fact:
    """The release of weights of Keras 0, by the words of their architecture: no file of Keras 0 states it."""
    told = told_release(config)
    return Fact(*told) if told else own


def release_of(checkpoint: Checkpoint, source: Source) -> Fact:
    """The release that the user or the file states, or else those that the file may be of."""
    shown = generation_of(checkpoint)
    if source.release is not None:
        return Fact(source.release, "as given", stated=True)
    own = _own_release(checkpoint, shown)
    return own if own.value else Fact(releases_like(GENERATIONS[str(shown.value)]), own.evidence)


def _own_release(checkpoint: Checkpoint, shown: Fact) -> Fact:
    """The release that the file states, or kconvert when it wrote the file."""
    row = GENERATIONS[str(shown.value)]
    stamped = (checkpoint.provenance or {}).get("release")
    candidates = [stated_release(checkpoint), (str(stamped), "what kconvert wrote into the file")]
    for version, place in filter(None, candidates):
        theirs = of_release(version)
        if theirs and akin(theirs, row):
            return Fact(version, f"keras_version of {place}", stated=True)
    return Fact(None, "the file states no release")


def _generation(version: str) -> str:
    row = of_release(version)
    assert row is not None
    return row.name


WHOLE = 3
"""How many numbers a release has: 1.0 may be any of eight."""


def _check_release(given: str, own: str | None, shown: Fact, force: bool, where: str) -> None:
    """Refuses a release that no generation has, and one that the file contradicts."""
    row = of_release(given) if len(release(given.removesuffix(OF_TENSORFLOW))) == WHOLE else None
    if row is None:
        raise KconvertError(
            f"unknown release {given!r}",
            where=where,
            fix=f"give a release of Keras, such as {argument('source_release', '1.0.6')}",
            problem=Problem.USAGE,
        )
    theirs = GENERATIONS[str(shown.value)]
    against = own not in (None, given) or not akin(row, theirs)
    if against and not force:
        raise KconvertError(
            f"the file was saved with Keras {own or releases_like(theirs)}, not {given} ({shown.sentence('format')})",
            where=where,
            fix=f"leave {argument('source_release')} out; {argument('force', True)} overrules the file",
            problem=Problem.USAGE,
        )


def _with_architecture(own: Fact, source: Source) -> Fact:
    """The release of the file, with a note where the architecture is of another one."""
    theirs = architecture_json(str(source.arch)).get("keras_version") if source.arch is not None else None
    if own.value is None or not isinstance(theirs, str) or theirs == own.value:
        return own
    return replace(own, notes=(_other_release(theirs, own.value),))


def _other_release(theirs: str, weights: str) -> str:
    what = "its defaults (the epsilon of a BatchNormalization, the recurrent_activation of an LSTM) may be others"
    return f"the architecture is of Keras {theirs}, the weights are of Keras {weights}: {what}"


def _backend(source: Source, shown: Fact, where: str) -> Fact:
    """The backend whose kernels the arrays are: as given, else as the file shows."""
    if source.backend is None:
        if shown.value is None and source.otherwise and not shown.stated:
            return Fact(KERNELS_OF[source.otherwise], "it is that which runs, as the file shows none")
        if shown.value is None:
            raise KconvertError(
                "the file does not show which backend saved it" + (f" ({shown.evidence})" if shown.stated else ""),
                where=where,
                fix=f"give {argument('source', 'theano', 'tensorflow')}",
                problem=Problem.USAGE,
            )
        return shown
    if source.backend not in KERNELS_OF:
        known = ", ".join(KERNELS_OF)
        raise KconvertError(f"unknown backend {source.backend!r}", where, f"one of: {known}", Problem.USAGE)
    given = KERNELS_OF[source.backend]
    if shown.stated and shown.value and given != shown.value and not source.force:
        raise KconvertError(
            f"the file was saved with {shown.value}, not {source.backend} ({shown.sentence('backend')})",
            where=where,
            fix=f"leave {argument('source')} out or give {argument('source', shown.value)};"
            f" {argument('force', True)} overrules the file",
            problem=Problem.USAGE,
        )
    if given == shown.value:
        return shown
    if shown.value is None:
        return Fact(given, "as given")
    against = f"as given, against the file ({shown.value})"
    return Fact(given, against, (f"backend {given}: {against}: {shown.evidence}",))
