"""The journal of a batch: which files in the target directory it wrote, and which of them are done and verified.

A line is a JSON object: the targets that a run was about to make, or the result of one file. Targets are relative to
the directory, so that it can be moved or renamed. In a local directory, the journal is one file to which lines are
appended. At a URL, where files cannot be appended to, each part is a separate file. The lines are not held in memory.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ..arguments import argument
from ..conventions.words.values import check_schema
from ..errors import KconvertError, Problem
from . import places
from .places import Options
from .tables import Tables, path_value
from .work import STATES, Result, Task, key_of

if sys.platform != "win32":
    import fcntl

NAME = "kconvert-journal.jsonl"
PARTS = "kconvert-journal"
EVERY = 5.0  # seconds between the parts of a journal at a URL

SCHEMA = 2
_BEGIN = json.dumps({"schema": SCHEMA, "target": ""}).partition('": ""')[0].encode()
"""What each line begins with."""

LENGTH = 2**24  # bytes of a line
TOGETHER = 1000  # targets that one line announces

_NUMBER = (int, float)
_RESULT = {"name": str, "error": str, "code": int, "seconds": _NUMBER, "targets": {...: (str, type(None))}}
_LINE = {"schema": int, "targets?": [str], "target?": str, "key?": str, "result?": _RESULT}
_VERDICT = {
    **dict.fromkeys(("state", "words"), str),
    **{key: [str] for key in ("reasons", "qualifiers")},
    **dict.fromkeys(("code", "layers"), int),
    **dict.fromkeys(("relative", "needed"), _NUMBER),
}
"""The types in a line."""


class Log(Protocol):
    """Where the lines of a journal are kept."""

    def read(self) -> Iterator[tuple[str, str]]:
        """Each whole line, with where it stands."""

    def add(self, line: str) -> None: ...

    def flush(self) -> None:
        """Stores the lines that were added."""

    def close(self) -> None: ...


class Journal:
    """What this run and earlier ones did in the target directory `out`."""

    def __init__(self, out: str, options: Options) -> None:
        self._out, self._options = out, options
        self._log: Log = _Objects(out, options) if places.is_url(out) else _File(Path(out))
        self._known = Tables("known (target BLOB PRIMARY KEY, key TEXT, line TEXT)")
        try:
            for where, line in self._log.read():
                self._take(line, where)
        except BaseException:
            self.close()
            raise

    def _take(self, line: str, where: str) -> None:
        """Adds what a line says. Raises KconvertError where kconvert did not write it."""
        try:
            value = json.loads(line)
            if value["schema"] != SCHEMA:
                raise ValueError("it is of another version")
            check_schema(value, _LINE)
            if verdict := value.get("result", {}).get("verdict"):
                check_schema(verdict, _VERDICT)
                if verdict["state"] not in STATES:
                    raise ValueError(f"the state {verdict['state']!r} is not known")
            for target in value.get("targets", ()):
                self._own(target)
            if "result" in value:
                Result.from_json(value["result"])
                self._known.ask(
                    "REPLACE INTO known VALUES (?, ?, ?)", (path_value(value["target"]), value["key"], line)
                )
        except KconvertError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _foreign(str(error)[:100], where) from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._known.close()
        self._log.close()

    def owns(self, target: str) -> bool:
        """Whether a run of this batch made a target, or was about to."""
        return self._row(self._name(target)) is not None

    def _name(self, target: str) -> str:
        return places.inside(self._out, target)

    def _own(self, name: str) -> None:
        self._known.ask("INSERT OR IGNORE INTO known (target) VALUES (?)", (path_value(name),))

    def _row(self, name: str) -> tuple[str | None, str | None] | None:
        """The key of a target and the line of its result, both None where it was only announced."""
        found = self._known.ask("SELECT key, line FROM known WHERE target = ?", (path_value(name),))
        row: tuple[str | None, str | None] | None = found.fetchone()
        return row

    def announce(self, targets: Iterable[str]) -> None:
        """Records which targets this run is about to write, before it writes any."""
        new = iter([self._name(target) for target in targets if not self.owns(target)])
        while some := list(islice(new, TOGETHER)):
            for name in some:
                self._own(name)
            self._add({"targets": some})
        self._log.flush()

    def proved(self, task: Task) -> Result | None:
        """The result of an earlier run, if it is for the same `task` and its files are unchanged."""
        their_key, line = self._row(self._name(task.target)) or (None, None)
        if line is None:
            return None
        result = Result.from_json(json.loads(line)["result"])
        good = not result.failed and (result.entry.verdict is not None or not task.verify)
        if not good or not result.targets or their_key != key_of(task):
            return None
        unchanged = all(
            stamp == places.stamp(places.joined(self._out, name), self._options)
            for name, stamp in result.targets.items()
        )
        return result if unchanged else None

    def record(self, task: Task, result: Result) -> None:
        """Adds the result of a file."""
        said = result.to_json()
        said["targets"] = {self._name(target): stamp for target, stamp in result.targets.items()}
        self._add({"target": self._name(task.target), "key": result.key, "result": said})

    def _add(self, value: Mapping[str, Any]) -> None:
        self._log.add(json.dumps({"schema": SCHEMA, **value}))


def _foreign(why: str, where: str) -> KconvertError:
    """The error about a line that kconvert did not write."""
    fix = f"name another directory, or remove the journal and use {argument('force', True)}"
    return KconvertError(f"is no line of a journal of kconvert ({why})", where, fix, Problem.UNREADABLE)


def _lines(file: BinaryIO, path: str) -> Iterator[tuple[str, bytes]]:
    """Each line of a file that is whole, with where it stands. A run may have been killed while it wrote the last one.

    Raises KconvertError where the last one is no part of such a line.
    """
    number = 0
    while True:
        number += 1
        where = f"{path}, line {number}"
        line = file.readline(LENGTH)
        if len(line) == LENGTH:
            raise _foreign(f"it is longer than {LENGTH:,} bytes", where)
        if not line.endswith(b"\n"):
            begun = line.rstrip(b"\0")[: len(_BEGIN)]  # after a power failure, some file systems leave zeros
            if not _BEGIN.startswith(begun):
                raise _foreign("it does not begin like one", where)
            return
        yield where, line


class _File(Log):
    """A file that grows. It is locked: one run at a time writes into a directory."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(self.path) and not stat.S_ISREG(os.lstat(self.path).st_mode):
                raise KconvertError("is no regular file", str(self.path), "remove it", Problem.USAGE)
            self._file = open(self.path, "a+b")  # noqa: SIM115
        except OSError as error:
            raise KconvertError(
                f"cannot be written ({error.strerror})", str(self.path), "name another directory", Problem.USAGE
            ) from None
        if sys.platform != "win32":
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._file.close()
                what = "another batch is writing into this directory"
                raise KconvertError(what, str(folder), "wait for it, or name another one", Problem.USAGE) from None
            except OSError:  # the file system has no locks
                pass

    def read(self) -> Iterator[tuple[str, str]]:
        self._file.seek(0)
        whole = 0
        for where, line in _lines(self._file, str(self.path)):
            yield where, line.decode("utf-8", "replace")
            whole += len(line)
        self._file.truncate(whole)  # a run was killed while it wrote the last line

    def add(self, line: str) -> None:
        with self._failures():
            self._file.write(line.encode("utf-8") + b"\n")
            self._file.flush()

    def flush(self) -> None:
        with self._failures():
            os.fsync(self._file.fileno())

    def close(self) -> None:
        with suppress(OSError):  # closing writes again what `add` could not write
            self._file.close()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise KconvertError(what, str(self.path), "free some space, then run again", Problem.USAGE) from None


class _Objects(Log):
    """Parts at a URL, each whole or absent.

    Nothing is locked there. The name of a part is its number and that of its run, so that runs at the same time do not
    replace the parts of each other.
    """

    def __init__(self, folder: str, options: Options) -> None:
        self.folder = places.joined(folder, PARTS)
        self._options = options
        self._waiting: list[str] = []
        self._run, self._number = secrets.token_hex(8), 0
        self._stored = time.monotonic()

    def read(self) -> Iterator[tuple[str, str]]:
        fs, path = places.opened(self.folder, self._options)
        with places.failures(self.folder):
            parts = sorted(one for one in fs.find(path) if one.endswith(".jsonl"))
            for part in parts:
                with io.BufferedReader(fs.open(part, "rb")) as file:
                    for where, line in _lines(file, part):
                        yield where, line.decode("utf-8", "replace")
        self._number = len(parts)

    def add(self, line: str) -> None:
        self._waiting.append(line)
        if time.monotonic() - self._stored > EVERY:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            place = places.joined(self.folder, f"{self._number:08d}-{self._run}.jsonl")
            fs, path = places.opened(place, self._options)
            with places.failures(place):
                fs.pipe_file(path, "".join(f"{line}\n" for line in self._waiting).encode("utf-8"))
            self._number += 1
            self._waiting.clear()
        self._stored = time.monotonic()

    def close(self) -> None:
        self.flush()
