"""Creates the task for each file of a batch, from the options of the command and those of its line in a manifest."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..arguments import argument
from ..conventions.backends import BACKENDS, DATA_FORMATS, KERNELS_OF
from ..conversion.files import default_target
from ..conversion.source import Source
from ..conversion.target import KEEP, NATIVE, Wanted
from ..errors import KconvertError, Problem
from ..formats.atomic import refuse_collisions
from ..formats.endings import HDF5
from . import manifest, places
from .sources import Item
from .tables import Tables, path_of, path_value
from .work import Setup, Task

ALL, NONE, SAMPLE = "all", "none", "sample"

FOLDERS = 4096  # folders that are held in memory
DIGITS = 18  # of the number of files to verify

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
"""The values that a column may have."""
_NAMES = {"from": "backend", "to": "backend"}


class Tasks:
    """The tasks of a batch, checked. Each is made when it is needed: there may be millions."""

    def __init__(self, out: str, source: Source, wanted: Wanted, setup: Setup) -> None:
        self._common = out, source, wanted, setup
        self._known = Tables(
            "items (number INTEGER PRIMARY KEY, target BLOB UNIQUE, source BLOB, item TEXT)",
            "folders (folder BLOB PRIMARY KEY, number INTEGER)",
        )
        self._real_folder = lru_cache(FOLDERS)(os.path.realpath)
        self._folders_known: set[str] = set()
        self._count = 0
        self._verified: Container[int] = ()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Task]:
        for number, item in self._known.ask("SELECT number, item FROM items ORDER BY number"):
            yield replace(self._task(_item(item)), verify=number in self._verified)

    def close(self) -> None:
        self._known.close()

    def choose(self, verify: str) -> None:
        """Says which files are verified."""
        self._verified = _chosen(self._count, verify)

    def _task(self, item: Item) -> Task:
        return _task(item, *self._common)

    def add(self, item: Item) -> None:
        """Adds a file, once. Raises KconvertError where another one has the same target, or a report replaces it."""
        task = self._task(item)
        refuse_collisions(task.setup.written, task.source.files)
        target = self._real(task.target)
        values = (self._count, path_value(target), path_value(self._real(item.place)), _stored(item))
        if not self._known.ask("INSERT OR IGNORE INTO items VALUES (?, ?, ?, ?)", values).rowcount:
            self._refuse_same_target(item, task)
            return
        if not places.is_url(target):
            self._add_folders(os.path.dirname(target))
        self._count += 1

    def _real(self, place: str) -> str:
        """The path of a file without links; a URL as it is."""
        if places.is_url(place):
            return place
        folder, name = os.path.split(place)
        special = name in ("", os.curdir, os.pardir) or os.path.islink(place)
        return os.path.realpath(place) if special else os.path.join(self._real_folder(folder), name)

    def _add_folders(self, folder: str) -> None:
        """Notes the directory of a result, and those that it is in."""
        if folder not in self._folders_known:
            if len(self._folders_known) >= FOLDERS:
                self._folders_known.clear()
            self._folders_known.add(folder)
            for one in (folder, *map(str, Path(folder).parents)):
                self._known.ask("INSERT OR IGNORE INTO folders VALUES (?, ?)", (path_value(one), self._count))

    def _refuse_same_target(self, item: Item, task: Task) -> None:
        """Raises KconvertError about two files with one target, unless they are the same."""
        target = path_value(self._real(task.target))
        ((stored,),) = self._known.ask("SELECT item FROM items WHERE target = ?", (target,))
        first = _item(stored)
        if first == item:
            return
        what = f"{first.place} and {item.place} would both become {task.target}"
        fix = "name their common directory as the source, or choose files with a pattern such as '*.h5'"
        if item.where and first.where:
            fix = f"give each a name of its own in the column {manifest.NAME!r}"
        raise KconvertError(what, item.where or None, fix, Problem.USAGE)

    def check(self) -> None:
        """Raises KconvertError where a result would replace a source, or be in a directory that is another result."""
        out = self._common[0]
        for made, read in self._known.ask(
            "SELECT one.item, other.item FROM items AS other JOIN items AS one ON one.target = other.source LIMIT 1"
        ):
            item, source = _item(made), _item(read)
            what = f"the result of {item.place} would replace {source.place}, which is a source itself"
            raise KconvertError(what, item.where or out, "name another directory", Problem.USAGE)
        for made, folder in self._known.ask(
            "SELECT items.item, folder FROM folders JOIN items AS other ON other.target = folder "
            "JOIN items ON items.number = folders.number LIMIT 1"
        ):
            item = _item(made)
            what = f"the result of {item.place} would be in {path_of(folder)}, but another result has that name"
            raise KconvertError(what, item.where or None, "give another name", Problem.USAGE)


def tasks_of(items: Iterable[Item], out: str, source: Source, wanted: Wanted, setup: Setup, verify: str) -> Tasks:
    """A task for each file. Raises KconvertError where two would write one file, or one would write a source."""
    tasks = Tasks(out, source, wanted, setup)
    try:
        for item in items:
            tasks.add(item)
        tasks.check()
        tasks.choose(verify)
    except BaseException:
        tasks.close()
        raise
    return tasks


def _stored(item: Item) -> str:
    return json.dumps([item.place, item.name, item.said, item.where])


def _item(stored: str) -> Item:
    return Item(*json.loads(stored))


def _chosen(count: int, verify: str) -> Container[int]:
    """Which files are verified: the same ones in each run."""
    if verify in (ALL, NONE):
        return range(count if verify == ALL else 0)
    word, _, number = verify.partition(":")
    if word != SAMPLE or not number.isdecimal() or len(number) > DIGITS or not int(number):
        what = f"{verify!r} does not say which files to verify"
        raise KconvertError(what, fix=f"give {argument('verify', 'all', 'none', 'sample:N')}", problem=Problem.USAGE)
    return set(random.Random(0).sample(range(count), min(int(number), count)))


def _task(item: Item, out: str, source: Source, wanted: Wanted, setup: Setup) -> Task:
    """A task that is not verified."""
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
    return Task(item.name, source, wanted, places.joined(out, name), False, setup)


def _check_words(said: Mapping[str, Any]) -> None:
    """Refuses values of a manifest with which no file could be converted."""
    for column, known in _WORDS.items():
        if column in said and said[column] not in known:
            what = f"unknown {_NAMES.get(column, column)} {said[column]!r}"
            raise KconvertError(what, fix=f"one of: {', '.join(known)}", problem=Problem.USAGE)


def _fields(said: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[column]: value for column, value in said.items() if column in names}
