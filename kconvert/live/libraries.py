"""The libraries of live models: Keras 3 and tf_keras, which are imported when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..conventions.generations import FORMATS, Convention, Reader
from ..errors import KconvertError, Problem
from ..lazy_dataclasses import dataclass

BACKEND = "tensorflow"
"""The backend whose kernels all live models have."""


@dataclass(frozen=True)
class Library:
    """An imported library."""

    module: Any
    reader: Reader
    # the value of `format` for its files
    format: str

    @property
    def package(self) -> str:
        return self.reader.package

    @property
    def version(self) -> str:
        return str(self.module.__version__)

    @property
    def convention(self) -> Convention:
        """That of the weights of its models."""
        return Convention(FORMATS[self.format].generation.name, BACKEND)


def _known() -> Iterator[tuple[str, tuple[Reader, str]]]:
    for name, row in FORMATS.items():
        reader = Convention(row.generation.name, BACKEND).reader(row.release)
        if reader:
            yield reader.package, (reader, name)


LIBRARIES = dict(_known())
"""The reader and the format of each library, by the name of its package."""


def imported(package: str) -> Library:
    """The library of that name. Raises KconvertError where it is unknown, not installed, or of another release."""
    if package not in LIBRARIES:
        fix = f"one of: {', '.join(LIBRARIES)}"
        raise KconvertError(f"unknown runner {package!r}", fix=fix, problem=Problem.USAGE)
    reader, name = LIBRARIES[package]
    if find_spec(package) is None:
        raise KconvertError(f"{reader.title} is not installed", fix=f"pip install {package}", problem=Problem.USAGE)
    found = Library(import_module(package), reader, name)
    if not found.version.startswith(reader.releases):
        what = f"{package} {found.version} is installed, and not {reader.title}"
        raise KconvertError(what, fix=f"pip install -U {package}", problem=Problem.USAGE)
    return found


def installed() -> list[Library]:
    """The libraries that are installed, in a release that kconvert knows."""
    found = []
    for package in LIBRARIES:
        try:
            found.append(imported(package))
        except KconvertError:
            continue
    return found


def library_of(model: Any) -> Library | None:
    """The library of a live model; None for other objects."""
    packages = (base.__module__.partition(".")[0] for base in type(model).__mro__)
    return next((imported(package) for package in packages if package in LIBRARIES), None)
