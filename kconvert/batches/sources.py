"""Sources: the files of a batch, from paths, directories, globs, manifests and URLs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import KconvertError, Problem
from ..formats import endings, files
from ..formats.atomic import is_hidden
from ..formats.missing import missing, similar
from ..lazy_dataclasses import dataclass
from . import manifest, places
from .places import Options

_MAGIC = "*?["
_DEPTH = 100  # folders of a name


@dataclass(frozen=True)
class Item:
    """One file of a batch."""

    place: str
    """Its path or URL."""
    name: str
    """Its name in the report, and below the target directory."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What the manifest says of it: the names of options, and their values."""
    where: str = ""
    """The line of the manifest."""


def expand(sources: Sequence[str], out: str, options: Options) -> Iterator[Item]:
    """The files of a batch: in the order of their names, then those of manifests in the order of their lines.

    Files in the target directory are not sources. A file that several sources name in the same way is there once.

    Raises KconvertError where a source names no file.
    """
    tables = list(dict.fromkeys(source for source in sources if manifest.is_manifest(source)))
    found = [item for source in sources if source not in tables for item in _expanded(source, out, options)]
    yield from sorted({(item.place, item.name): item for item in found}.values(), key=lambda item: item.name)
    empty = not found
    for table in tables:
        for line in manifest.read(table, options):
            empty = False
            yield Item(line.place, safe(line.name, line.where), line.said, line.where)
    if empty:
        raise KconvertError("there are no files to convert", ", ".join(sources) or None, problem=Problem.USAGE)


def _expanded(source: str, out: str, options: Options) -> Iterator[Item]:
    return _remote(source, options) if places.is_url(source) else _local(source, out)


def _local(source: str, out: str) -> Iterator[Item]:
    path = Path(source)
    if path.is_dir() and not files.is_weights(path):
        inside = os.path.realpath(out)
        closed: list[Path] = []
        found = [
            one
            for one in _files_below(path, closed)
            if endings.is_known(one) and _is_no_folder(one) and not os.path.realpath(one).startswith(inside + os.sep)
        ]
        found += closed  # each becomes a failure of the report
        if not found and (os.path.realpath(path) + os.sep).startswith(inside + os.sep):
            what = "is in the target directory, whose files are no sources"
            raise KconvertError(what, source, "name another target directory", Problem.USAGE)
        if not found:
            what = f"there is no weight file ({', '.join(endings.ENDINGS)}) in it"
            raise KconvertError(what, source, problem=Problem.USAGE)
        yield from (Item(str(one), one.relative_to(path).as_posix()) for one in found)
    elif path.exists():
        yield Item(source, path.resolve().name if path.is_dir() else path.name)
    elif any(character in source for character in _MAGIC):
        root = Path(_fixed(source))
        found = [
            one for one in _matching(source, root) if _is_no_folder(one) or (one.is_dir() and files.is_weights(one))
        ]
        if not found:
            near = None if root.exists() else similar(root)
            fix = f"there is no directory {root}; did you mean {near}?" if near else None
            raise KconvertError("no file matches", source, fix, Problem.USAGE)
        yield from (Item(str(one), one.relative_to(root).as_posix()) for one in found)
    else:
        raise missing(path)


def _files_below(folder: Path, closed: list[Path]) -> Iterator[Path]:
    """The files in a directory and in its folders, without links to folders.

    closed: the folders that cannot be read are added to it.
    """
    for parent, folders, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = [name for name in folders if not is_hidden(name)]  # temporary ones of kconvert
        yield from (Path(parent, name) for name in names)


def _is_no_folder(path: Path) -> bool:
    """Whether a path is a file, or something that cannot be read as a file: a pipe, a broken link."""
    try:
        return not path.is_dir()
    except OSError:
        return True


def _matching(pattern: str, root: Path) -> Iterator[Path]:
    """What matches a pattern, whose folders before its first wildcard are `root`.

    As in a shell, a wildcard does not match hidden names. ** does not follow links to folders, which may form a cycle.
    """
    parts = Path(pattern).parts[len(root.parts) :]
    rest = [part if part == "**" else re.sub(r"\*+", "*", part) for part in parts]
    hidden = any(part.startswith(".") for part in rest)
    for one in root.glob(os.path.join(*rest)):
        if hidden or not any(part.startswith(".") for part in one.relative_to(root).parts):
            yield one


def _fixed(pattern: str) -> str:
    """The folders of a pattern before its first wildcard."""
    parts = Path(pattern).parts[:-1]
    magic = [i for i, part in enumerate(parts) if any(character in part for character in _MAGIC)]
    return str(Path(*parts[: magic[0] if magic else len(parts)]))


def _remote(source: str, options: Options) -> Iterator[Item]:
    """The files of a URL; of a directory or a pattern, those with the ending of a weight file."""
    if source.startswith(places.READ_ALONE):
        yield Item(source, safe(places.last_part(source), source))
        return
    fs, path = places.opened(source, options)
    protocol = source.partition("://")[0]
    with places.failures(source):
        many = any(character in path for character in _MAGIC)
        single = not many and fs.isfile(path)
        found = [path] if single else fs.glob(path) if many else fs.find(path)
    if single:
        root = str(PurePosixPath(path).parent)
    else:
        root = _fixed(path) if many else path.rstrip("/")
        found = [one for one in found if endings.is_known(Path(one))]
    if not found:
        raise KconvertError("there is no weight file", source, problem=Problem.UNREADABLE)
    for one in found:
        yield Item(f"{protocol}://{one}", safe(one.removeprefix(root).lstrip("/"), source))


def safe(name: str, where: str) -> str:
    """The name of a file below the target directory. Raises KconvertError where it leads out of that."""
    parts = name.replace("\\", "/").split("/")
    if any(map(is_hidden, parts)):
        what = f"{name!r} has the name of a temporary file, which a later run removes"
        raise KconvertError(what, where, "give another name", Problem.USAGE)
    if not name or ".." in parts or "" in parts or "\0" in name or Path(name).is_absolute() or len(parts) > _DEPTH:
        raise KconvertError(
            f"{name[:200]!r} is no name of a file in the target directory",
            where,
            f"give a relative path without '..', of at most {_DEPTH} folders",
            Problem.USAGE,
        )
    return name
