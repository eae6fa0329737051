"""Tasks: what is to be done with each file of a batch, from the options of all and those of its line."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..arguments import argument
from ..conventions.backends import BACKENDS, DATA_FORMATS, KERNELS_OF
from ..conversion.files import default_target
from ..conversion.source import Source
from ..conversion.target import KEEP, NATIVE, Wanted
from ..errors import KconvertError, Problem
from ..formats.endings import HDF5
from . import manifest, places
from .sources import Item
from .work import Setup, Task

ALL, NONE, SAMPLE = "all", "none", "sample"

_SOURCE = {
    "from": "backend",
    "arch": "arch",
    "source_data_format": "data_format",
    "source_release": "release",
    "layers": "layers",
    "partial": "partial",
}
_WANTED = {
    "to": "backend",
    "format": "generation",
    "data_format": "data_format",
    "repair": "repair",
    "cudnn": "cudnn",
    "drop_optimizer": "drop_optimizer",
}
"""The fields of a source and of what is wanted, by the columns of a manifest that state them."""


_WORDS: Mapping[str, Sequence[str]] = {
    "from": tuple(KERNELS_OF),
    "to": tuple(BACKENDS),
    "format": HDF5.formats,
    "data_format": (NATIVE, KEEP, *DATA_FORMATS),
    "source_data_format": DATA_FORMATS,
}
"""The words that a column may have."""
_NAMES = {"from": "backend", "to": "backend"}


def tasks_of(items: Sequence[Item], out: str, source: Source, wanted: Wanted, setup: Setup, verify: str) -> list[Task]:
    """A task for each file. Raises KconvertError where two would write one file, or one would write a source."""
    chosen = _chosen(len(items), verify)
    tasks = [_task(item, out, source, wanted, setup, i in chosen) for i, item in enumerate(items)]
    sources = {_real(item.place): item.place for item in items}
    targets: dict[str, Item] = {}
    for item, task in zip(items, tasks, strict=True):
        target = _real(task.target)
        if target in sources:
            what = f"the result of {item.place} would replace {sources[target]}, which is a source itself"
            raise KconvertError(what, item.where or out, "name another directory", Problem.USAGE)
        if target in targets:
            what = f"{targets[target].place} and {item.place} would both become {task.target}"
            ways = "name their common directory as the source, choose files with a pattern such as '*.h5'"
            fix = f"{ways}, or give {manifest.NAME!r} in a manifest"
            raise KconvertError(what, item.where or None, fix, Problem.USAGE)
        targets[target] = item
    _check_folders(targets)
    return tasks


def _check_folders(targets: Mapping[str, Item]) -> None:
    """Refuses a result in a directory that would be another result."""
    for target, item in targets.items():
        for folder in () if places.is_url(target) else Path(target).parents:
            if str(folder) in targets:
                what = f"the result of {item.place} would be in {folder}, which is to be that of another file"
                raise KconvertError(what, item.where or None, "give another name", Problem.USAGE)


def _real(place: str) -> str:
    return place if places.is_url(place) else os.path.realpath(place)


def _chosen(count: int, verify: str) -> set[int]:
    """Which files are verified: the same ones in each run."""
    if verify in (ALL, NONE):
        return set(range(count)) if verify == ALL else set()
    word, _, number = verify.partition(":")
    if word != SAMPLE or not number.isdecimal() or not int(number):
        what = f"{verify!r} does not say which files to verify"
        raise KconvertError(what, fix=f"give {argument('verify', 'all', 'none', 'sample:N')}", problem=Problem.USAGE)
    return set(random.Random(0).sample(range(count), min(int(number), count)))


def _task(item: Item, out: str, source: Source, wanted: Wanted, setup: Setup, verify: bool) -> Task:
    said = dict(item.said)
    name = said.pop(manifest.NAME, None)
    source = replace(source, path=item.place, **_fields(said, _SOURCE))
    wanted = replace(wanted, **_fields(said, _WANTED))
    try:
        _check_words(said)
        target = wanted.target(name)
    except KconvertError as error:
        raise (error.within(item.where) if item.where else error) from None
    name = name or default_target(Path(item.name), target.backend, target.form).as_posix()
    return Task(item.name, source, wanted, places.joined(out, name), verify, setup)


def _check_words(said: Mapping[str, Any]) -> None:
    """Refuses words of a manifest that no file could be converted with."""
    for column, known in _WORDS.items():
        if column in said and said[column] not in known:
            what = f"unknown {_NAMES.get(column, column)} {said[column]!r}"
            raise KconvertError(what, fix=f"one of: {', '.join(known)}", problem=Problem.USAGE)


def _fields(said: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[column]: value for column, value in said.items() if column in names}
