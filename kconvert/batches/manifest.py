"""Manifests: files of a batch as a table, CSV or JSON lines, with options for each file."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ..conventions.words.values import checked
from ..errors import KconvertError, Problem
from ..formats import endings
from ..formats.atomic import scratch
from ..formats.missing import missing
from ..formats.regular import open_regular
from ..lazy_dataclasses import dataclass
from . import places
from .places import Options

ENDINGS = (".csv", ".jsonl")

LINES = 1_000_000
LENGTH = 2**16  # of a line

PATH, NAME = "path", "out"

_TEXT, _FLAG, _LIST = "text", "true or false", "a list of text"

COLUMNS: Mapping[str, str] = {
    PATH: _TEXT,
    NAME: _TEXT,
    "from": _TEXT,
    "to": _TEXT,
    "format": _TEXT,
    "data_format": _TEXT,
    "arch": _TEXT,
    "source_data_format": _TEXT,
    "source_release": _TEXT,
    "layers": _LIST,
    "repair": _FLAG,
    "cudnn": _FLAG,
    "drop_optimizer": _FLAG,
    "partial": _FLAG,
}
"""The columns of a manifest, or the keys of its lines, and what their values are."""

_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


@dataclass(frozen=True)
class Line:
    """One line of a manifest."""

    place: str
    """The path or URL of the file."""
    name: str
    """Its name below the target directory."""
    said: Mapping[str, Any]
    """The options of the file, by the names of their columns; relative paths are made those from here."""
    where: str
    """The manifest and the number of the line."""


def is_manifest(place: str) -> bool:
    return places.without_query(place).lower().endswith(ENDINGS)


def read(place: str, options: Options) -> Iterator[Line]:
    """The lines of a manifest. Paths are relative to its folder.

    Raises KconvertError, naming the line, where one is not as `COLUMNS` says, or names a file that does not exist.
    """
    rows = _csv if places.without_query(place).lower().endswith(".csv") else _json_lines
    with _text(place, options) as text:
        for number, row in rows(place, text):
            where = f"{place}, line {number}"
            if number > LINES:
                raise _wrong(f"has more than {LINES:,} lines", place, "divide it")
            yield _line(row, place, where)


@contextmanager
def _text(place: str, options: Options) -> Iterator[io.TextIOBase]:
    """The manifest as text."""
    with scratch() if places.is_url(place) else nullcontext(Path()) as folder:
        path = places.fetch(place, folder, options) if places.is_url(place) else place
        with places.failures(place):
            file = open_regular(path, Problem.USAGE)
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            yield text


def _csv(place: str, text: io.TextIOBase) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = csv.reader(_lines(place, text), strict=True)
    heads: list[str] | None = None
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise _wrong(f"is not CSV ({error})", f"{place}, line {rows.line_num}") from None
        if row is None:
            break
        if not row:
            continue
        where = f"{place}, line {rows.line_num}"
        if heads is None:
            heads = [head.strip() for head in row]
            _check_columns(heads, where)
            continue
        if len(row) != len(heads):
            raise _wrong(f"has {len(row)} values, where there are {len(heads)} columns", where)
        yield rows.line_num, {head: value for head, value in zip(heads, row, strict=True) if value != ""}
    if heads is None:
        raise _wrong("is empty", place)


def _json_lines(place: str, text: io.TextIOBase) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_lines(place, text), start=1):
        if not line.strip():
            continue
        where = f"{place}, line {number}"
        try:
            row = checked(json.loads(line, object_pairs_hook=_object))
        except (ValueError, RecursionError) as error:
            raise _wrong(f"is not JSON ({str(error).splitlines()[0]})", where) from None
        if not isinstance(row, dict):
            raise _wrong("is not a JSON object", where)
        _check_columns(list(row), where)
        yield number, {key: value for key, value in row.items() if value is not None}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError where it has a key twice."""
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key is there twice")
    return row


def _lines(place: str, text: io.TextIOBase) -> Iterator[str]:
    """The lines of a text. Raises KconvertError for one that is too long or not UTF-8."""
    number = 0
    while True:
        number += 1
        where = f"{place}, line {number}"
        try:
            line = text.readline(LENGTH + 1)
        except UnicodeDecodeError as error:
            raise _wrong(f"is not UTF-8 ({error.reason})", where) from None
        if not line:
            return
        if len(line) > LENGTH:
            raise _wrong(f"is longer than {LENGTH} characters", where)
        if "\0" in line:
            raise _wrong("has a null character", where)
        yield line


def _check_columns(heads: list[str], where: str) -> None:
    known = f"the columns are {', '.join(COLUMNS)}"
    if unknown := sorted(set(heads) - set(COLUMNS)):
        raise _wrong(f"has the unknown column {unknown[0]!r}", where, known)
    if PATH not in heads:
        raise _wrong(f"has no column {PATH!r}", where, known)
    if len(set(heads)) < len(heads):
        raise _wrong("has the same column twice", where)


def _line(row: Mapping[str, Any], place: str, where: str) -> Line:
    said = {key: _value(key, value, where) for key, value in row.items()}
    path = said.pop(PATH, None)
    if path is None:
        raise _wrong(f"has no {PATH}", where)
    found = _beside(path, place, where)
    if "arch" in said:
        said["arch"] = _beside(said["arch"], place, where)
    name = said.pop(NAME, None)
    if name is None:
        inside = not places.is_url(path) and not os.path.isabs(path) and ".." not in Path(path).parts
        name = Path(path).as_posix() if inside else places.last_part(path)
    elif not endings.is_known(Path(name)):
        raise _wrong(f"{NAME} {name!r} has no ending of a weight file", where, f"use {', '.join(endings.ENDINGS)}")
    else:
        said[NAME] = name
    return Line(found, name, said, where)


def _beside(path: str, manifest: str, where: str) -> str:
    """A path of the manifest, which is relative to its folder. Raises KconvertError where there is no such file."""
    path = places.without_file(path)
    if places.is_url(path):
        return path
    if places.is_url(manifest):
        return f"{manifest.rpartition('/')[0]}/{path}"
    found = os.path.join(os.path.dirname(manifest), path)
    try:
        there = os.path.exists(found)
    except ValueError:
        there = False
    if not there:
        raise missing(Path(found), where, f"there is no file {path!r}")
    return found


def _value(key: str, value: Any, where: str) -> Any:
    kind = COLUMNS[key]
    if kind == _FLAG and isinstance(value, str):
        value = _FLAGS.get(value.strip().lower())
    if kind == _LIST and isinstance(value, str):
        value = value.split()
    fits = {
        _TEXT: isinstance(value, str),
        _FLAG: isinstance(value, bool),
        _LIST: isinstance(value, list) and all(isinstance(one, str) for one in value),
    }
    if not fits[kind]:
        raise _wrong(f"{key} is not {kind}", where)
    return value


def _wrong(what: str, where: str, fix: str | None = None) -> KconvertError:
    return KconvertError(what, where, fix, Problem.USAGE)
