"""The target of a conversion: what the user asks for, and what is written."""

from __future__ import annotations

from dataclasses import dataclass

from ..conventions.backends import DATA_FORMATS
from ..conventions.generations import Convention, keeps_data_formats
from ..errors import KconvertError, Problem
from .source import Origin

NATIVE, KEEP = "native", "keep"
SAME = "same"
KERAS2 = "keras2"


@dataclass(frozen=True)
class Target:
    """What the user asks for."""

    backend: str
    """The backend to convert for."""
    generation: str = KERAS2
    """The generation of Keras to write for; 'same': that of the source."""
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


@dataclass(frozen=True)
class Goal:
    """What is written: the target, decided for one source."""

    convention: Convention
    """The generation and the backend to write for."""
    release: str
    """The release that shall read the file."""
    data_format: str | None
    """The data format of image layers; None: each keeps its own."""
    modernize: bool
    """Whether the network gets the words of Keras 2; else it keeps those of its own generation."""
    restore: bool | None
    """Whether a file that kconvert made becomes what it was before; None: if that is in the data format."""
    repair: bool
    cudnn: bool | None
    drop_optimizer: bool
    sorts_layers: bool
    """Whether layers of one depth are in the order of their names (keras-facts: order-by-names)."""


def decide_goal(target: Target, origin: Origin) -> Goal:
    """What `target` means for a source. Raises KconvertError where it names something unknown."""
    same = target.generation == SAME
    convention = Convention(origin.convention.generation_name if same else target.generation, target.backend)
    release = target.release or (origin.release if same else None) or convention.generation.last_release
    native = target.data_format == NATIVE and keeps_data_formats(release)
    return Goal(
        convention=convention,
        release=release,
        data_format=_data_format(KEEP if native else target.data_format, convention),
        modernize=not same,
        restore=_restores(target),
        repair=target.repair,
        cudnn=target.cudnn,
        drop_optimizer=target.drop_optimizer,
        sorts_layers=convention.generation.sorts_layers,
    )


def _restores(target: Target) -> bool | None:
    """A data format that the user names is more than that of the file from before."""
    if target.restore is not None or target.generation != SAME:
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
