"""What each generation of Keras wrote into files: facts as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import KconvertError, Problem
from .backends import BACKENDS, BackendFacts

# ----------------------------------------------------------------- formats ----


@dataclass(frozen=True)
class Format:
    """How one generation of Keras names and stores arrays in HDF5.

    fused_gates: recurrent layers store one array for all gates. names: the stored name of each
    weight where it is not the Keras 2 one; None: the file has no names at all.
    """

    name: str
    releases: str
    fused_gates: bool
    names: Mapping[str, str] | None = field(hash=False)


_KERAS1_NAMES = {
    "kernel": "W",
    "recurrent_kernel": "U",
    "bias": "b",
    "embeddings": "W",
    "moving_mean": "running_mean",
    "moving_variance": "running_std",
    "alpha": "alphas",
    "beta_softplus": "betas",
    "carry_kernel": "W_carry",
    "carry_bias": "b_carry",
}

FORMATS: Mapping[str, Format] = {
    form.name: form
    for form in (
        Format("keras0", "0.2 - 0.3.3", False, None),
        Format("keras1.0.5", "1.0.0 - 1.0.5", False, _KERAS1_NAMES),
        Format("keras1.0.6", "1.0.6", False, _KERAS1_NAMES),
        Format("keras1.0.7", "1.0.7", False, _KERAS1_NAMES),
        Format("keras1.0", "1.0.8", False, _KERAS1_NAMES),
        Format("keras1.1", "1.1.0 - 1.1.2", False, _KERAS1_NAMES),
        Format("keras1", "1.2.0 - 1.2.2", False, _KERAS1_NAMES),
        Format("keras2", "2.0.0 - 2.3.1", True, {}),
    )
}


def release(version: str | None) -> tuple[int, ...]:
    """The numbers of a release, () where none is known.

    >>> release("2.0.9"), release(None)
    ((2, 0, 9), ())
    """
    parts = (version or "").split(".")[:3]
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else ()


@dataclass(frozen=True)
class Convention:
    """Who wrote a file: the format of its arrays and the backend whose kernels they are."""

    format: str
    backend: str

    def __post_init__(self) -> None:
        for value, known, what in ((self.format, FORMATS, "format"), (self.backend, BACKENDS, "backend")):
            if value not in known:
                raise KconvertError(
                    f"unknown {what} {value!r}", fix=f"one of: {', '.join(known)}", problem=Problem.USAGE
                )

    @property
    def facts(self) -> BackendFacts:
        return BACKENDS[self.backend]

    def __str__(self) -> str:
        return f"{self.format}/{self.backend}"
