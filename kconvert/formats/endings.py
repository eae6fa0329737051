"""The endings of weight files: those that a conversion writes, and that a search in folders finds.

The case of the letters does not matter. Models are saved and files are read under any name, as in Keras.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ..errors import KconvertError, Problem

ENDINGS = (
    ".h5",  # HDF5; the first ending is that of default names
    ".hdf5",
)


READ_ALONE = (
    ".keras",  # a zip archive of tf.keras
    ".index",  # a checkpoint of TensorFlow
)
"""The endings of files that are read and not written."""


def is_known(path: Path) -> bool:
    """Whether a file has the ending of one that a conversion writes."""
    return path.suffix.lower() in ENDINGS


def is_read(path: Path) -> bool:
    """Whether a file has the ending of one that is read."""
    return is_known(path) or path.suffix.lower() in READ_ALONE


def check(path: str | PathLike[str]) -> None:
    """Raises KconvertError (USAGE) where a file to write has another ending, or none."""
    if not is_known(Path(path)):
        ending = Path(path).suffix
        what = f"kconvert writes no files that end in {ending!r}" if ending else "the name of the file has no ending"
        raise KconvertError(what, str(path), f"use {' or '.join(ENDINGS)}", Problem.USAGE)


def stem(path: Path) -> str:
    """The name of a file without its ending; what follows another dot stays.

    >>> stem(Path("model.hdf5")), stem(Path("weights.03-0.52"))
    ('model', 'weights.03-0.52')
    """
    return path.stem if is_read(path) else path.name
