"""The source of a conversion: the options of the user, and what the file is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike

from ..conventions.backends import BACKENDS
from ..conventions.generations import GENERATIONS, Convention, Generation, of_release
from ..conventions.words.files import architecture_json
from ..errors import KconvertError, Problem
from ..formats.checkpoint import Checkpoint


@dataclass(frozen=True)
class Source:
    """A file to read, and what the user states about it."""

    path: str | PathLike[str] | None = None
    """The weight file; None for a checkpoint that is in memory or open already."""
    backend: str | None = None
    """The backend that saved the file; None: as the file shows."""
    data_format: str | None = None
    """The data format of Keras 1 layers that do not state theirs."""
    arch: str | PathLike[str] | None = None
    """The architecture, for a file of weights alone: what `model.to_json()` or `to_yaml()` wrote."""
    layers: Sequence[str] = ()
    """'NAME=Class' or 'NAME=as-is', for layers whose class weights alone do not show."""
    force: bool = False
    """Whether `backend` and `release` hold even where the file says otherwise."""
    release: str | None = None
    """The release that saved the file; None: as the file shows."""


@dataclass(frozen=True)
class Origin:
    """What a file is: the facts that its conversion depends on."""

    convention: Convention
    """The generation that wrote the file, and the backend that trained its weights."""
    release: str | None
    """The release that wrote the file; None where neither the file, the user nor the architecture states it."""
    evidence: Sequence[str]
    """How each of these facts is known, a sentence each."""
    arch_given: bool
    """Whether the architecture is the user's own and not that of the file."""
    reordered: frozenset[str]
    """The Flattens whose features an earlier conversion of this file put in a new order."""


@dataclass(frozen=True)
class Fact:
    """What is known of a file, and how."""

    value: str | None
    """None: it cannot be known."""
    evidence: str
    """How it is known, or why it cannot be."""

    def sentence(self, name: str) -> str:
        """'backend theano: the backend attribute of the root'."""
        return f"{name} {self.value or 'unknown'}: {self.evidence}"


# ----------------------------------------------------------------- deciding ----


def decide(checkpoint: Checkpoint, source: Source) -> Origin:
    """What the file is: from the file itself, or from the options of the user.

    Raises KconvertError where the backend is not known, or where the file contradicts the user.
    """
    where = str(checkpoint.path or "checkpoint")
    release = _release(checkpoint, source, where)
    generation = _generation(checkpoint, source, release)
    shown = backend_of(checkpoint)
    evidence = [generation.sentence("format"), shown.sentence("backend")]
    backend = source.backend or shown.value
    if backend is None:
        raise KconvertError(
            "the file does not show which backend saved it",
            where=where,
            fix="give --from theano or --from tensorflow",
            problem=Problem.USAGE,
        )
    if shown.value and backend != shown.value and not source.force:
        raise KconvertError(
            f"the file was saved with {shown.value}, not {backend} ({shown.sentence('backend')})",
            where=where,
            fix=f"leave --from out or give --from {shown.value}; --force overrules the file",
            problem=Problem.USAGE,
        )
    if backend != shown.value:
        against = f", against the file ({shown.value})" if shown.value else ""
        evidence.append(f"backend {backend}: as given{against}")
    if backend not in BACKENDS:
        raise KconvertError(f"unknown backend {backend!r}", where=where, fix="say what its kernels are with --from")
    reordered = frozenset((checkpoint.provenance or {}).get("reordered", ()))
    return Origin(Convention(str(generation.value), backend), release, evidence, source.arch is not None, reordered)


def _release(checkpoint: Checkpoint, source: Source, where: str) -> str | None:
    """The release that the file states, or else the user, or else the architecture."""
    own = checkpoint.keras_version or (checkpoint.model_config or {}).get("keras_version")
    if source.release is not None:
        _check_release(source, own, where)
        return source.release
    if own is None and source.arch is not None:
        own = architecture_json(str(source.arch)).get("keras_version")
    return own if isinstance(own, str) else None


def _check_release(source: Source, own: object, where: str) -> None:
    """Refuses a release that no generation has, and one that the file contradicts."""
    if of_release(source.release) is None:
        raise KconvertError(
            f"unknown release {source.release!r}",
            where=where,
            fix="give --source-release a release of Keras, such as 1.0.6",
            problem=Problem.USAGE,
        )
    if own not in (None, source.release) and not source.force:
        raise KconvertError(
            f"the file was saved with Keras {own}, not {source.release}",
            where=where,
            fix="leave --source-release out; --force overrules the file",
            problem=Problem.USAGE,
        )


def _generation(checkpoint: Checkpoint, source: Source, release: str | None) -> Fact:
    """As the file shows; where only a release can tell, as the user or the user's architecture states."""
    shown = generation_of(checkpoint)
    given = source.release is not None
    stated = of_release(release) if given or (source.arch is not None and checkpoint.keras_version is None) else None
    if stated and GENERATIONS[str(shown.value)].told_by_release:
        return Fact(
            stated.name, f"{'the release given' if given else 'keras_version of the architecture'} is {release}"
        )
    return shown


# ------------------------------------------------------------ what a file shows ----

# Keras 1 ends a name in _W, _b_i ...; a '/' in it comes from the name of a layer (fire2/squeeze1x1_W).
# (keras-facts: names-of-arrays)
_KERAS1_NAME = re.compile(
    r"[^/]*_(W|U|b|gamma|beta|running_mean|running_std|alphas|betas|[ta]_left|[ta]_right)(_[a-z]+)?(:0)?"
)


def generation_of(checkpoint: Checkpoint) -> Fact:
    """The generation that wrote a file: by its release, else by its backend attribute, else by the names of arrays.

    (keras-facts: form-by-release, who-wrote-it, names-of-arrays)
    """
    if not checkpoint.named:
        return Fact(_NUMBERED, "weights have numbers and no names, as in Keras 0.2 - 0.3")
    inside = (checkpoint.model_config or {}).get("keras_version")
    stated = {checkpoint.stated_in.get("keras_version", "the file"): checkpoint.keras_version, "model_config": inside}
    for place, version in stated.items():
        known = of_release(version) if isinstance(version, str) else None
        if known:
            return Fact(known.name, f"keras_version of {place} is {version}")
    if checkpoint.backend:
        return Fact(_SCOPED, f"no keras_version, but backend {checkpoint.backend!r} is named, as from Keras 2.0 on")
    names = checkpoint.names
    scoped = [name for name in names if "/" in name and not _KERAS1_NAME.fullmatch(name.rpartition("/")[2])]
    if scoped:
        return Fact(_SCOPED, f"no keras_version; {scoped[0]!r} is how Keras 2 names a weight")
    if names:
        how = f"{names[0]!r} is how Keras 1 names a weight (1.0 cannot be distinguished from 1.1 and later)"
        return Fact(_UNSCOPED, f"no keras_version; {how}")
    return Fact(_UNSCOPED, "a guess, as nothing shows the version; Keras 2 would have named its backend")


def _last(kind: Callable[[Generation], bool]) -> str:
    return [generation.name for generation in GENERATIONS.values() if kind(generation)][-1]


_NUMBERED = _last(lambda generation: generation.numbered)
_UNSCOPED = _last(lambda generation: not generation.numbered and not generation.scoped_names)
_SCOPED = _last(lambda generation: generation.scoped_names)


def backend_of(checkpoint: Checkpoint) -> Fact:
    """The backend that trained the weights: by attribute, else by the ':0' that TensorFlow ends names with.

    (keras-facts: names-end-in-colon-zero)
    """
    if checkpoint.backend:
        return Fact(checkpoint.backend, f"the backend attribute of {checkpoint.stated_in.get('backend', 'the file')}")
    if not checkpoint.named:
        return Fact(None, "files of Keras 0.2 - 0.3 do not tell it")
    names = checkpoint.names
    if not names:
        return Fact(None, "no backend attribute and no weights")
    ending = [name for name in names if name.endswith(":0")]
    if ending:
        return Fact("tensorflow", f"no backend attribute; {ending[0]!r} ends in ':0'")
    return Fact("theano", f"no backend attribute; no name ends in ':0', see {names[0]!r}")
