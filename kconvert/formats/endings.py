"""The forms of weight files and their endings: what a conversion writes, and what a search in folders finds.

The case of the letters of an ending does not matter. Models are saved and files are read under any name, as in Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ..errors import KconvertError, Problem

SAME, KERAS2, KERAS3 = "same", "keras2", "keras3"
"""What `--format` may be: a generation, or that of the source."""


@dataclass(frozen=True)
class Form:
    """One form of files that a conversion writes."""

    # the endings of its files; the first one is that of default names
    endings: tuple[str, ...]
    # what `--format` may be for them; the first one is meant where none is given
    formats: tuple[str, ...]
    # a file holds the architecture (True), weights alone (False), or what the source has (None)
    whole: bool | None = None

    @property
    def is_of_any_backend(self) -> bool:
        """Whether its files can have the kernels of any backend."""
        return len(self.formats) > 1

    @property
    def needs_architecture(self) -> bool:
        """Whether the architecture tells where an array stands in a file."""
        return self.whole is not None


HDF5 = Form((".h5", ".hdf5"), (KERAS2, SAME, KERAS3))
ARCHIVE = Form((".keras",), (KERAS3,), whole=True)
WEIGHTS = Form((".weights.h5",), (KERAS3,), whole=False)

SAFETENSORS = Form((".safetensors",), (KERAS2, SAME))

FORMS = (ARCHIVE, WEIGHTS, HDF5, SAFETENSORS)
"""In the order in which a name is compared with their endings."""

ENDINGS = HDF5.endings + ARCHIVE.endings + SAFETENSORS.endings
"""The endings of single names; those with two dots end in one of them."""


READ_ALONE = (
    ".index",  # a checkpoint of TensorFlow
)
"""The endings of files that are read and not written."""


def is_known(path: Path) -> bool:
    """Whether a file has the ending of one that a conversion writes."""
    return path.suffix.lower() in ENDINGS


def is_read(path: Path) -> bool:
    """Whether a file has the ending of one that is read."""
    return is_known(path) or path.suffix.lower() in READ_ALONE


def form_of(path: str | PathLike[str], wanted: str | None = None) -> tuple[Form, str]:
    """The form of a file to write by its ending, and the `--format` that is written.

    wanted: what the user gives for `--format`. With it, weights of Keras 2 may have the ending of those of Keras 3.
    Raises KconvertError (USAGE) where the ending is unknown, or contradicts `wanted`.
    """
    name = Path(path).name.lower()
    fitting = [form for form in FORMS if Path(name).suffix and name.endswith(form.endings)]
    if not fitting:
        ending = Path(path).suffix
        what = f"kconvert writes no files that end in {ending!r}" if ending else "the name of the file has no ending"
        raise KconvertError(what, str(path), f"use {' or '.join(ENDINGS)}", Problem.USAGE)
    for form in fitting:
        if wanted is None or wanted in form.formats:
            return form, wanted or form.formats[0]
    ending = next(ending for ending in fitting[0].endings if name.endswith(ending))
    raise KconvertError(
        f"a file {ending} is of {fitting[0].formats[0]}, not of {wanted}",
        str(path),
        f"leave --format out, or use {HDF5.endings[0]}",
        Problem.USAGE,
    )


def default_form(wanted: str | None) -> tuple[Form, str]:
    """The form of a file that the user does not name, and the `--format` that is written."""
    form = next((form for form in FORMS if wanted == form.formats[0]), HDF5)
    return form, wanted or form.formats[0]


def stem(path: Path) -> str:
    """The name of a file without its ending; what follows another dot stays.

    >>> stem(Path("model.hdf5")), stem(Path("weights.03-0.52"))
    ('model', 'weights.03-0.52')
    """
    return path.stem if is_read(path) else path.name
