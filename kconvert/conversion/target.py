"""The target of a conversion: what the user asks for, and what is written."""

from __future__ import annotations

from os import PathLike

from ..arguments import argument
from ..conventions.backends import BACKENDS, DATA_FORMATS
from ..conventions.generations import FORMATS, Convention, Reader, TargetFormat, keeps_data_formats
from ..errors import KconvertError, Problem
from ..formats.endings import HDF5, KERAS2, SAME, Form, default_form, form_of
from ..lazy_dataclasses import dataclass
from .source import Origin

NATIVE, KEEP = "native", "keep"


@dataclass(frozen=True)
class Target:
    """What the user asks for."""

    backend: str
    """The backend to convert for."""
    generation: str = KERAS2
    """The name of a row of FORMATS, what to write for; 'same': the generation and the release of the source."""
    data_format: str = NATIVE
    """'native' (as usual on the backend), 'keep', 'channels_first' or 'channels_last'."""
    repair: bool = True
    """Whether layers that the two backends compute differently are rewritten, or refused when the plan is applied."""
    cudnn: bool | None = None
    """True: LSTM and GRU become CuDNN layers; False: those become LSTM and GRU; None: what the target has."""
    drop_optimizer: bool = False
    """Whether the optimizer's state is left out."""
    restore: bool | None = None
    """Whether a file that kconvert made becomes what it was before; None: for 'same', where the data format allows."""
    release: str | None = None
    """The release that shall read the result; None: that of the source for 'same', else the last of its generation."""

    form: Form = HDF5
    """The form of the file."""


@dataclass(frozen=True)
class Wanted:
    """What the user states of a target before the file is named."""

    backend: str | None = None
    """The backend to convert for; None: the one that the generation is for."""
    generation: str | None = None
    """The generation of Keras to write for; None: that of files with the ending of the result, else Keras 2."""
    data_format: str = NATIVE
    repair: bool = True
    cudnn: bool | None = None
    drop_optimizer: bool = False

    def target(self, out: str | PathLike[str] | None = None) -> Target:
        """The target, if the result is to be the file `out`.

        Raises KconvertError (USAGE) where its ending is unknown or contradicts the rest, or no backend is known.
        """
        form, written = default_form(self.generation) if out is None else form_of(out, self.generation)
        row = FORMATS.get(written)
        backends = (form.runtime.backend,) if form.runtime else row.backends if row else tuple(BACKENDS)
        backend = self.backend or (backends[0] if len(backends) == 1 else None)
        if backend is None:
            raise KconvertError(
                "the backend to convert for is not stated",
                fix=f"give {argument('target', 'theano', 'tensorflow')}",
                problem=Problem.USAGE,
            )
        if form.runtime and backend not in backends:
            what = f"{form.runtime.title} runs what is made for {backends[0]}, not for {backend}"
            raise KconvertError(what, str(out), f"give {argument('target', backends[0])}, or none", Problem.USAGE)
        if row and backend in BACKENDS:
            check_backend(written, row, backend)
        return Target(
            backend,
            written,
            self.data_format,
            self.repair,
            self.cudnn,
            self.drop_optimizer,
            form=form,
        )


@dataclass(frozen=True)
class Goal:
    """What is written: the target, decided for one source."""

    convention: Convention
    """The generation and the backend to write for."""
    release: str
    """The release that shall read the file."""
    release_stated: bool
    """Whether `target` states the release or the generation; otherwise it is that of the source."""
    data_format: str | None
    """The data format of image layers; None: each keeps its own."""
    modernize: bool
    """Whether the network gets the words of Keras 2; otherwise it keeps those of its own generation."""
    restore: bool | None
    """Whether a file that kconvert made becomes what it was before; None: if that is in the data format."""
    repair: bool
    cudnn: bool | None
    drop_optimizer: bool
    form: Form
    """The form of the file."""
    sorts_layers: bool
    """Whether layers of one depth are in the order of their names (keras-facts: order-by-names)."""

    @property
    def reader(self) -> Reader | None:
        """The package of today that shall read the file."""
        return self.convention.reader(self.release)


def decide_goal(target: Target, origin: Origin) -> Goal:
    """What `target` means for a source. Raises KconvertError where it names something unknown."""
    same = target.generation == SAME
    name = origin.convention.generation_name if same else target.generation
    wanted = FORMATS.get(name)
    convention = Convention(wanted.generation.name if wanted else name, target.backend)
    wanted = wanted or FORMATS[convention.generation_name]
    check_backend(name, wanted, target.backend)
    release = target.release or (origin.release if same else None) or wanted.release
    native = target.data_format == NATIVE and keeps_data_formats(release)
    return Goal(
        convention=convention,
        release=release,
        release_stated=target.release is not None or not same,
        data_format=_data_format(KEEP if native else target.data_format, convention),
        modernize=not same or convention.generation.expresses,
        restore=_restores(target, origin),
        repair=target.repair,
        cudnn=target.cudnn,
        drop_optimizer=target.drop_optimizer,
        form=target.form,
        sorts_layers=convention.generation.sorts_layers,
    )


def check_backend(name: str, wanted: TargetFormat, backend: str) -> None:
    """Raises KconvertError where no file of the format `name` has kernels of the backend."""
    if backend not in wanted.backends:
        raise KconvertError(
            f"no file of {name} is for {backend}",
            fix=f"give {argument('target', wanted.backends[0])}, or write a .h5 with {argument('format', 'keras2')}",
            problem=Problem.USAGE,
        )


def _restores(target: Target, origin: Origin) -> bool | None:
    """A data format that the user names takes precedence over that of the file before an earlier conversion.

    A file with layers that stand for others becomes what it was whatever generation the user names.
    """
    if target.restore is not None or (target.generation != SAME and not origin.reader):
        return bool(target.restore)
    return True if target.data_format == NATIVE else None


def _data_format(wanted: str, convention: Convention) -> str | None:
    if wanted == KEEP:
        return None
    data_format = convention.facts.data_format if wanted == NATIVE else wanted
    if data_format not in DATA_FORMATS:
        known = ", ".join((NATIVE, KEEP, *DATA_FORMATS))
        raise KconvertError(f"unknown data format {data_format!r}", fix=f"one of: {known}", problem=Problem.USAGE)
    return data_format
