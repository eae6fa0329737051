"""What a file shows about the Keras that wrote it, each fact with its evidence.

The arrays and their names have priority over the attributes, and these over the name of the file. Each fact also has
the evidence against it. source.py decides what follows from the facts and from the arguments of the user.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..conventions.backends import BACKENDS, KERNELS_OF
from ..conventions.generations import GENERATIONS, Generation, of_release
from ..formats.checkpoint import Checkpoint
from ..lazy_dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """A fact about a file, with its evidence."""

    value: str | None
    """None: it cannot be known."""
    evidence: str
    """How it is known, or why it cannot be."""
    notes: tuple[str, ...] = ()
    """What in the file contradicts it."""
    stated: bool = False
    """Whether an attribute of the file states it; otherwise it is inferred."""

    def sentence(self, name: str) -> str:
        """'backend theano: the backend attribute of the root'."""
        return f"{name} {self.value or 'unknown'}: {self.evidence}"


# --------------------------------------------------------------- generation ----


def _all(kind: Callable[[Generation], bool]) -> list[Generation]:
    return [generation for generation in GENERATIONS.values() if kind(generation)]


_NUMBERED = _all(lambda generation: generation.numbered)[-1]
_UNSCOPED = _all(lambda generation: not generation.numbered and not generation.scoped_names)[-1]
_SCOPED = _all(lambda generation: generation.scoped_names)[0]  # a file of Keras 3 states its release


def akin(one: Generation, other: Generation) -> bool:
    """Whether two generations use the same names of arrays, so that only the release distinguishes them."""
    return (one.numbered, one.scoped_names) == (other.numbered, other.scoped_names)


def releases_like(generation: Generation) -> str:
    """The releases whose files have such names: '1.0 - 1.2' for any row of Keras 1."""
    rows = [row for row in GENERATIONS.values() if akin(row, generation)]
    if len(rows) == 1:
        return generation.releases
    first, last = rows[0].releases.split(" ")[0], rows[-1].last_release
    return f"{first.rpartition('.')[0]} - {last.rpartition('.')[0]}"


# Keras 1 ends a name in _W, _b_i ...; a '/' in it comes from the name of a layer (fire2/squeeze1x1_W). TensorFlow adds
# _1 to a name that is taken. (keras-facts: names-of-arrays)
_KERAS1_NAME = re.compile(
    r"[^/]*_(W|U|b|gamma|beta|running_mean|running_std|alphas|betas|[ta]_left|[ta]_right)(_[a-z]+)?(_\d+)?(:0)?"
)


def _unscoped(name: str) -> bool:
    """Whether a name is one of Keras 1. In Keras 2, the array 'att_1_W' of a user's layer is called 'att_1/att_1_W'."""
    scope, _, last = name.rpartition("/")
    inner = scope.rpartition("/")[2]
    return bool(_KERAS1_NAME.fullmatch(last)) and not (inner and last.startswith(f"{inner}_"))


def _by_names(checkpoint: Checkpoint) -> Fact | None:
    """The generation that all names agree on; None if they do not."""
    names = checkpoint.names
    unscoped = [name for name in names if _unscoped(name)]
    scoped = [name for name in names if "/" in name and name not in unscoped]
    if names and len(unscoped) == len(names):
        return Fact(_UNSCOPED.name, _like(1, names[0]))
    if names and len(scoped) == len(names):
        return Fact(_SCOPED.name, _like(2, names[0]))
    return None


def _like(keras: int, name: str) -> str:
    return f"{name!r} is how Keras {keras} names a weight"


def stated_release(checkpoint: Checkpoint) -> tuple[str, str] | None:
    """(release, the place where the file states it); None if it states no known release."""
    inside = (checkpoint.model_config or {}).get("keras_version")
    stated = {checkpoint.stated_in.get("keras_version", "the file"): checkpoint.keras_version, "model_config": inside}
    known = ((version, place) for place, version in stated.items() if isinstance(version, str) and of_release(version))
    return next(known, None)


def generation_of(checkpoint: Checkpoint) -> Fact:
    """The generation that wrote a file: from the names of its arrays, or from the attributes if these do not show it.

    (keras-facts: form-by-release, who-wrote-it, names-of-arrays)
    """
    if not checkpoint.named:
        return Fact(_NUMBERED.name, "weights have numbers and no names, as in Keras 0.2 - 0.3")
    named, release = _by_names(checkpoint), stated_release(checkpoint)
    if release and (named is None or akin(_row(release[0]), GENERATIONS[str(named.value)])):
        return Fact(_row(release[0]).name, f"keras_version of {release[1]} is {release[0]}", stated=True)
    if named:
        return _by_stamp(checkpoint, named) or replace(named, notes=tuple(_against(checkpoint, named, release)))
    if checkpoint.format:
        return Fact(_SCOPED.name, f"the file is of a format of tf.keras alone ({checkpoint.format})")
    if checkpoint.backend:
        return Fact(
            _SCOPED.name, f"no keras_version, but backend {checkpoint.backend!r} is named, as from Keras 2.0 on"
        )
    if not checkpoint.names:
        guess = Fact(_UNSCOPED.name, "a guess, as nothing shows the version; Keras 2 would have named its backend")
        return _by_stamp(checkpoint, guess) or guess
    scoped = [name for name in checkpoint.names if "/" in name and not _unscoped(name)]
    return Fact(_SCOPED.name, _like(2, scoped[0])) if scoped else Fact(_UNSCOPED.name, _like(1, checkpoint.names[0]))


def _row(version: str) -> Generation:
    """The generation of a known release."""
    row = of_release(version)
    assert row is not None
    return row


def _by_stamp(checkpoint: Checkpoint, named: Fact) -> Fact | None:
    """The generation for which kconvert wrote a file that states no release itself."""
    target = str((checkpoint.provenance or {}).get("target", "")).partition("/")[0]
    if target in GENERATIONS and akin(GENERATIONS[target], GENERATIONS[str(named.value)]):
        return Fact(target, "kconvert wrote the file so")
    return None


def _against(checkpoint: Checkpoint, named: Fact, release: tuple[str, str] | None) -> Iterator[str]:
    """The attributes that contradict the names."""
    if release:
        yield f"keras_version of {release[1]} is {release[0]}, but {named.evidence}: the file is read as {named.value}"
    elif checkpoint.backend and not GENERATIONS[str(named.value)].states_backend:
        yield f"the file names its backend, as from Keras 2.0 on, but {named.evidence}: it is read as {named.value}"


# ------------------------------------------------------------------ backend ----

# The backend that parts of a file name refer to: 'vgg16_weights_tf_dim_ordering_th_kernels.h5' (keras-facts:
# kernels-in-file-names)
_IN_FILE_NAMES = (("th", "kernels"), ("tf", "kernels"), ("theano",), ("tensorflow",))
_SHORT = {"th": "theano", "tf": "tensorflow"}


def backend_of(checkpoint: Checkpoint) -> Fact:
    """The backend of the kernels: from the attribute, the name of the file, or the ':0' of TensorFlow.

    What kconvert wrote about a file counts as an attribute. The ':0' shows who wrote the file; the kernels may be those
    of the other backend (keras-facts: names-end-in-colon-zero, kernels-saved-elsewhere).
    """
    candidates = [*_stated_backends(checkpoint), *_by_file_name(checkpoint), *_by_endings(checkpoint)]
    if not candidates:
        missing = "no weights" if checkpoint.named else "files of Keras 0.2 - 0.3 do not tell it"
        return Fact(None, f"no backend attribute and {missing}" if checkpoint.named else missing)
    first, *others = candidates
    contrary = [f"{other.evidence}, which speaks of {other.value}" for other in others if other.value != first.value]
    if first.value is None or not contrary:
        return first
    return replace(
        first,
        notes=(
            *first.notes,
            f"the kernels are taken for those of {first.value}, but {', '.join(contrary)}",
        ),
    )


ONLY_BACKEND = "tensorflow"
"""The backend of all files that are not HDF5."""


def _stated_backends(checkpoint: Checkpoint) -> Iterator[Fact]:
    if checkpoint.format:
        yield Fact(ONLY_BACKEND, f"the file is of a format of TensorFlow alone ({checkpoint.format})", stated=True)
    named, place = checkpoint.backend, checkpoint.stated_in.get("backend", "the file")
    if named and named not in KERNELS_OF:
        yield Fact(None, f"the backend attribute of {place} is {named!r}, which is not known", stated=True)
    elif named:
        ours = KERNELS_OF[named]
        like = "" if named in BACKENDS else f" is {named!r}, which has the kernels of {ours}"
        notes = (f"the file was saved with {named}: it is read as one of {ours}, whose kernels it has",) if like else ()
        yield Fact(ours, f"the backend attribute of {place}{like}", notes, stated=True)
    target = str((checkpoint.provenance or {}).get("target", "")).rpartition("/")[2]
    if not named and target in BACKENDS:
        yield Fact(target, "kconvert wrote the file so", stated=True)


def _by_file_name(checkpoint: Checkpoint) -> Iterator[Fact]:
    """The single backend that the name of the file refers to."""
    words = re.split(r"[^a-z0-9]+", checkpoint.path.name.lower()) if checkpoint.path else []
    found = {
        _SHORT.get(parts[0], parts[0]): "_".join(parts)
        for parts in _IN_FILE_NAMES
        for i in range(len(words))
        if tuple(words[i : i + len(parts)]) == parts
    }
    if len(found) == 1:
        ((backend, word),) = found.items()
        yield Fact(backend, f"{word!r} in the name of the file")


def _by_endings(checkpoint: Checkpoint) -> Iterator[Fact]:
    names = checkpoint.names if checkpoint.named else []
    ending = [name for name in names if name.endswith(":0")]
    if ending:
        yield Fact("tensorflow", f"no backend attribute; {ending[0]!r} ends in ':0'")
    elif names and _may_be_of_theano(checkpoint):
        yield Fact("theano", f"no backend attribute; no name ends in ':0', see {names[0]!r}")


def _may_be_of_theano(checkpoint: Checkpoint) -> bool:
    """Whether the stated release of a file runs on Theano; True if no release is stated."""
    release = stated_release(checkpoint)
    row = of_release(release[0]) if release else None
    return row is None or row.has("theano")


def kept_from(checkpoint: Checkpoint) -> str | None:
    """The backend that weights alone were trained on, where a conversion without an architecture kept their format."""
    return (checkpoint.provenance or {}).get("trained_on")
