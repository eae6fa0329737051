"""The files of TensorFlow's formats: which paths are checkpoints and SavedModels, and what they consist of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .failures import unreadable

GRAPH, METADATA = "saved_model.pb", "keras_metadata.pb"
VARIABLES = "variables/variables"
"""The prefix of the checkpoint in a SavedModel."""

INDEX = ".index"
STATE = "checkpoint"
"""The file in a directory of checkpoints that names the last one."""
_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")


def is_saved_model(path: Path) -> bool:
    return path.is_dir() and (path / GRAPH).is_file()


def saved_model_files(path: Path) -> list[Path]:
    """The files of a SavedModel that are read."""
    found = [path / name for name in (GRAPH, METADATA) if (path / name).is_file()]
    return found + sorted(path.glob(f"{VARIABLES}.*"))


def checkpoint_prefix(path: Path) -> Path | None:
    """The prefix of the checkpoint that a path names: a prefix, one of its files or a directory; None for others."""
    if path.is_dir():
        return _last_of(path) if (path / STATE).is_file() else None
    for candidate in (path, *_without_ending(path)):
        if candidate.with_name(candidate.name + INDEX).is_file():
            return candidate
    return None


def _without_ending(path: Path) -> Iterator[Path]:
    if path.name.endswith(INDEX):
        yield path.with_name(path.name.removesuffix(INDEX))
    if _DATA.search(path.name):
        yield path.with_name(_DATA.sub("", path.name))


def _last_of(folder: Path) -> Path:
    """The last checkpoint of a directory. The file that names it may state where it was when it was made."""
    text = (folder / STATE).read_bytes()[: 2**20].decode("utf-8", "replace")
    named = re.search(r'^model_checkpoint_path: "([^"\n]+)"', text, re.M)
    if not named:
        raise unreadable(f"its file {STATE!r} names no checkpoint", folder, "give the prefix of the checkpoint")
    last = folder / Path(named[1].replace("\\", "/")).name
    if not last.with_name(last.name + INDEX).is_file():
        raise unreadable(f"there is no checkpoint {last.name!r}, which its file {STATE!r} names", folder)
    return last


def checkpoint_files(prefix: Path) -> list[Path]:
    """The files of a checkpoint, by its prefix."""
    data = (path for path in prefix.parent.iterdir() if _DATA.search(path.name))
    parts = sorted(path for path in data if _DATA.sub("", path.name) == prefix.name)
    return [prefix.with_name(prefix.name + INDEX), *parts]
