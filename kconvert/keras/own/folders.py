"""The directories of the files that Keras downloads, and the message if a file is missing."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

VARIABLE = "KCONVERT_DATA"
"""The environment variable that names the folder of the data sets."""


def data_folder() -> Path:
    """The folder of the data sets: that of `KCONVERT_DATA`, else the one that Keras uses, `~/.keras/datasets`."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"


def place_of(cache_subdir: str) -> Path:
    """The folder of the data sets, or another one beside it."""
    return data_folder() if cache_subdir == "datasets" else data_folder().parent / cache_subdir


def local(*names: str) -> Path | None:
    """The first of `names` that exists, each absolute or relative to the folder of the data sets; None if none does."""
    paths = [Path(os.path.normpath(data_folder() / Path(name).expanduser())) for name in names]
    return next((path for path in paths if os.access(path, os.F_OK)), None)


@cache
def say_made_up(name: str, what: str) -> None:
    """Prints on stderr, once for each file, that it is missing and that generated data take its place."""
    print(
        f"kconvert: {name} is not in {data_folder()}: made-up {what} from a seed take its place "
        f"({VARIABLE} names another folder)",
        file=sys.stderr,
    )
