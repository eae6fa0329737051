"""The journal of a batch: which files in the target directory are its own, and which of them are done and proved.

A line is a JSON object: the targets that a run was about to make, or the result of one file. In a directory on this
machine it is one file that grows; at a URL, where files cannot grow, each part is a file of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from .._version import __version__
from ..arguments import argument
from ..conventions.words.values import check_schema
from ..errors import KconvertError, Problem
from . import places
from .places import Options
from .work import STATES, Result

if sys.platform != "win32":
    import fcntl

NAME = "kconvert-journal.jsonl"
PARTS = "kconvert-journal"
EVERY = 5.0  # seconds between the parts of a journal at a URL

SCHEMA = 1

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

    def read(self) -> list[tuple[str, str]]:
        """Each whole line, with where it stands."""

    def add(self, line: str) -> None: ...

    def flush(self) -> None:
        """Stores the lines that were added."""

    def close(self) -> None: ...


class Journal:
    """What earlier runs and this one did with the target directory `out`."""

    def __init__(self, out: str, options: Options) -> None:
        self._options = options
        self._log: Log = _Objects(out, options) if places.is_url(out) else _File(Path(out))
        self._ours: set[str] = set()
        self._done: dict[str, tuple[str, Result]] = {}
        try:
            for where, line in self._log.read():
                self._take(line, where)
        except BaseException:
            self._log.close()
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
            self._ours.update(value.get("targets", ()))
            if "result" in value:
                result = Result.from_json(value["result"])
                self._done[value["target"]] = value["key"], result
        except KconvertError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _foreign(str(error)[:100], where) from None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self._log.close()

    def owns(self, target: str) -> bool:
        """Whether a run of this batch made a target, or was about to."""
        return target in self._ours

    def announce(self, targets: Iterable[str]) -> None:
        """Says which targets this run is about to make, before it makes any."""
        if new := sorted(set(targets) - self._ours):
            self._ours.update(new)
            for start in range(0, len(new), TOGETHER):
                self._add({"targets": new[start : start + TOGETHER]})
            self._log.flush()

    def proved(self, target: str, key: str, verify: bool) -> Result | None:
        """The result of an earlier run, if it is what `key` asks for and its files are as they were written.

        verify: it must have been verified, too.
        """
        if target not in self._done:
            return None
        their_key, result = self._done[target]
        good = not result.failed and (result.entry.verdict is not None or not verify)
        same = their_key == key and all(
            stamp == places.stamp(file, self._options) for file, stamp in result.targets.items()
        )
        return result if good and same and result.targets else None

    def record(self, target: str, key: str, result: Result) -> None:
        """Adds what came of a file."""
        self._add({"target": target, "key": key, "result": result.to_json()})

    def _add(self, value: Mapping[str, Any]) -> None:
        self._log.add(json.dumps({"schema": SCHEMA, **value}))


def _foreign(why: str, where: str) -> KconvertError:
    """The error about a line that kconvert did not write."""
    fix = f"name another directory, or remove the journal and use {argument('force', True)}"
    return KconvertError(f"is no line of a journal of kconvert ({why})", where, fix, Problem.UNREADABLE)


def key_of(values: Mapping[str, Any]) -> str:
    """What a result depends on, in short: the release of kconvert, the options, the file."""
    text = json.dumps({"kconvert": __version__, **values}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


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

    def read(self) -> list[tuple[str, str]]:
        self._file.seek(0)
        lines, whole = [], 0
        for number in count(1):
            line = self._file.readline(LENGTH)
            where = f"{self.path}, line {number}"
            if len(line) == LENGTH:
                raise _foreign(f"it is longer than {LENGTH:,} bytes", where)
            if not line.endswith(b"\n"):
                break
            lines.append((where, line.decode("utf-8", "replace")))
            whole += len(line)
        self._file.truncate(whole)  # a run was killed while it wrote the last line
        return lines

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
    """Parts at a URL, each whole or absent."""

    def __init__(self, folder: str, options: Options) -> None:
        self.folder = places.joined(folder, PARTS)
        self._options = options
        self._waiting: list[str] = []
        self._number = 0
        self._stored = time.monotonic()

    def read(self) -> list[tuple[str, str]]:
        fs, path = places.opened(self.folder, self._options)
        lines = []
        with places.failures(self.folder):
            parts = sorted(one for one in fs.find(path) if one.endswith(".jsonl"))
            for part in parts:
                text = fs.cat_file(part).decode("utf-8", "replace")
                lines += [(f"{part}, line {n}", line) for n, line in enumerate(text.splitlines(), start=1)]
        self._number = len(parts)
        return lines

    def add(self, line: str) -> None:
        self._waiting.append(line)
        if time.monotonic() - self._stored > EVERY:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            place = places.joined(self.folder, f"{self._number:08d}.jsonl")
            fs, path = places.opened(place, self._options)
            with places.failures(place):
                fs.pipe_file(path, "".join(f"{line}\n" for line in self._waiting).encode("utf-8"))
            self._number += 1
            self._waiting.clear()
        self._stored = time.monotonic()

    def close(self) -> None:
        self.flush()
